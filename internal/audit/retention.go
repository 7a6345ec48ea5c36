package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/internal/db"
)

// actionPrune is the action of entries about retention.
const actionPrune = "audit.prune"

// pruneAtOnce bounds a transaction of Prune, because changes wait for it.
const pruneAtOnce = 1000

// Prune removes the oldest entries, those before the first one that was made at
// the time or later, and returns how many they were. Each transaction notes the
// last entry that it removes, from which Verify starts, and is an entry itself.
// What Verify would complain of is never removed: the error names the entry.
func (l *Log) Prune(ctx context.Context, before time.Time) (int64, error) {
	var total int64
	for {
		n, err := l.pruneSome(ctx, before)
		total += n
		if err != nil || n < pruneAtOnce {
			return total, err
		}
	}
}

func (l *Log) pruneSome(ctx context.Context, before time.Time) (n int64, err error) {
	err = l.db.InTx(ctx, func(ctx context.Context) error {
		from, err := l.anchor(ctx)
		if err != nil {
			return err
		}
		last, err := l.oldest(ctx, from.Head, before)
		n = last.ID - from.ID
		if err != nil || n == 0 {
			return err
		}
		to := anchor{last, from.removed + n}
		if err := l.append(ctx, System(), pruned(n, to, before)); err != nil {
			return err
		}
		return l.cut(ctx, to)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// errEnough ends the walk of oldest.
var errEnough = errors.New("audit: enough")

// oldest walks along the chain behind from, and returns the last entry that is
// to be removed.
func (l *Log) oldest(ctx context.Context, from Head, before time.Time) (Head, error) {
	last := from
	err := db.Each(ctx, l.db, scanRaw, func(r Record) error {
		if !r.At.Before(before) {
			return errEnough
		}
		if err := r.follows(last); err != nil {
			return err
		}
		last = Head{r.ID, r.Hash}
		return nil
	}, "SELECT "+columns+" FROM audit ORDER BY id LIMIT ?1", pruneAtOnce)
	if err != nil && !errors.Is(err, errEnough) {
		return from, fmt.Errorf("audit: prune: %w", err)
	}
	return last, nil
}

func pruned(n int64, to anchor, before time.Time) Entry {
	return Entry{Action: actionPrune, ObjectKind: "audit", ObjectID: to.ID, Details: map[string]any{
		"removed": n, "before": before.UTC().Format(timeFormat),
		"through": to.ID, "hash": hex.EncodeToString(to.Hash), "removed_in_all": to.removed,
	}}
}

// cut removes everything up to the anchor and notes it.
func (l *Log) cut(ctx context.Context, to anchor) error {
	_, err := l.db.Exec(ctx, "DELETE FROM audit WHERE id <= ?1", to.ID)
	if err == nil {
		_, err = l.db.Exec(ctx, `INSERT INTO audit_anchor (one, id, hash, at, removed) VALUES (1, ?1, ?2, ?3, ?4)
			ON CONFLICT (one) DO UPDATE SET id = excluded.id, hash = excluded.hash, at = excluded.at, removed = excluded.removed`,
			to.ID, to.Hash, l.db.Now(ctx), to.removed)
	}
	if err != nil {
		return fmt.Errorf("audit: prune: %w", err)
	}
	return nil
}

const (
	pruneGap = time.Hour
	headGap  = 24 * time.Hour
)

// Run applies retention and logs the head of the chain, at once and then every
// hour and every day, until ctx ends. keep returns how long entries are kept, 0
// for ever. Whoever keeps the log elsewhere can prove the newest entries by it.
func (l *Log) Run(ctx context.Context, keep func() time.Duration, log *slog.Logger) {
	tick := time.NewTicker(pruneGap)
	defer tick.Stop()
	var told time.Time
	for {
		now := l.db.Now(ctx)
		err := l.retain(ctx, now, keep(), log)
		if now.Sub(told) >= headGap {
			told = now
			err = errors.Join(err, l.tellHead(ctx, log))
		}
		if err != nil && ctx.Err() == nil {
			log.Error("housekeeping of the audit log failed; it is tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Log) retain(ctx context.Context, now time.Time, keep time.Duration, log *slog.Logger) error {
	if keep <= 0 {
		return nil
	}
	n, err := l.Prune(ctx, now.Add(-keep))
	if n > 0 {
		log.Info("old audit entries were removed", slog.Int64("entries", n), slog.Duration("kept", keep))
	}
	return err
}

func (l *Log) tellHead(ctx context.Context, log *slog.Logger) error {
	h, err := l.Head(ctx)
	if err == nil {
		log.Info("audit head", slog.Int64("id", h.ID), slog.String("hash", hex.EncodeToString(h.Hash)), slog.String("head", h.String()))
	}
	return err
}

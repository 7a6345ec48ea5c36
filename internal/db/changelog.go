package db

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The kinds of change to access data, as the change log stores them.
const (
	ChangedUser    = "user"    // a user's row or memberships; id is the user's
	ChangedGroup   = "group"   // a group's row or member count; id is the group's
	ChangedKey     = "api-key" // a key; id is the key's
	ChangedSession = "session" // a session that ended; id is the user's, 0 for all
	ChangedSetting = "setting" // instance settings
	ChangedPolicy  = "policy"  // the policy for keys; id is the group's, 0 for the instance
	ChangedForeign = "foreign" // a secret that was supplied from outside; id is the secret's
	// ChangedCollection is a collection and all that lies in it: where it is,
	// whether it is archived, who may do what. The id is the collection's, 0 for
	// the grants of the roots.
	ChangedCollection = "collection"
	ChangedGrants     = "grants"    // who may do what in one collection alone; id is the collection's, 0 for the roots
	DroppedGrants     = "no-grants" // a group that is gone may do nothing in any collection; id is the group's
)

// Change is one numbered entry of the change log. A subscriber that gets the
// kind Reset must forget everything it holds.
type Change struct {
	Seq  int64
	Kind string
	ID   int64
}

// lastChange is the number of the last change.
const lastChange = "SELECT coalesce(max(seq), 0) FROM change_log"

// Reset is delivered when the log cannot tell what has changed.
const Reset = "reset"

const (
	channel   = "latchkey_change"
	pollGap   = 500 * time.Millisecond
	hearLimit = 3 * time.Second // a database that takes longer to tell of changes is away
	keepLog   = 24 * time.Hour
	maxAway   = 12 * time.Hour // a follower that was away longer forgets everything
	pruneGap  = time.Hour
)

type follower struct {
	mu      sync.Mutex
	applied atomic.Int64
	seen    time.Time
	pruned  time.Time
	subs    []func([]Change)
}

// Record writes a numbered change-log row in the caller's transaction.
func (d *DB) Record(ctx context.Context, kind string, id int64) error {
	t := inTx(ctx)
	if t == nil {
		return fmt.Errorf("record change: %w", errNoTx)
	}
	t.changed = true
	_, err := d.Exec(ctx, "INSERT INTO change_log (at, kind, id) VALUES (?1, ?2, ?3)", t.now, kind, id)
	if err != nil {
		return fmt.Errorf("record change: %w", err)
	}
	return nil
}

// recordRows is how many rows of the change log one statement writes.
const recordRows = 300

// RecordAll is Record for many things of a kind.
func (d *DB) RecordAll(ctx context.Context, kind string, ids []int64) error {
	t := inTx(ctx)
	if t == nil {
		return fmt.Errorf("record changes: %w", errNoTx)
	}
	for part := range slices.Chunk(ids, recordRows) {
		t.changed = true
		q, args := strings.Builder{}, []any{t.now, kind}
		q.WriteString("INSERT INTO change_log (at, kind, id) VALUES ")
		for i, id := range part {
			if i > 0 {
				q.WriteByte(',')
			}
			fmt.Fprintf(&q, "(?1, ?2, ?%d)", i+3)
			args = append(args, id)
		}
		if _, err := d.Exec(ctx, q.String(), args...); err != nil {
			return fmt.Errorf("record changes: %w", err)
		}
	}
	return nil
}

// Subscribe adds a function that is called, in order and one at a time, with
// the changes of this node and of all others. It must be called before the
// first change, that is while the server is put together.
func (d *DB) Subscribe(f func([]Change)) {
	d.follow.mu.Lock()
	defer d.follow.mu.Unlock()
	d.follow.subs = append(d.follow.subs, f)
}

// Applied returns the number of the last change that this node's memory holds.
func (d *DB) Applied() int64 { return d.follow.applied.Load() }

func (d *DB) startFollower(ctx context.Context) error {
	last, err := One(ctx, d, Scalar[int64], lastChange)
	if err != nil {
		return fmt.Errorf("read change log: %w", err)
	}
	d.follow.applied.Store(last)
	d.follow.seen = d.clock.Now()
	return nil
}

// CatchUp applies all committed changes that this node has not seen.
func (d *DB) CatchUp(ctx context.Context) error {
	f := &d.follow
	f.mu.Lock()
	defer f.mu.Unlock()
	now := d.clock.Now()
	if now.Sub(f.seen) > maxAway {
		f.deliver([]Change{{Kind: Reset}})
	}
	changes, err := All(ctx, d, scanChange, "SELECT seq, kind, id FROM change_log WHERE seq > ?1 ORDER BY seq", f.applied.Load())
	if err != nil {
		return fmt.Errorf("follow change log: %w", err)
	}
	f.seen = now
	if len(changes) == 0 {
		return nil
	}
	f.deliver(changes)
	f.applied.Store(changes[len(changes)-1].Seq)
	return nil
}

func (f *follower) deliver(c []Change) {
	for _, sub := range f.subs {
		sub(c)
	}
}

func scanChange(r Row) (Change, error) {
	var c Change
	err := r.Scan(&c.Seq, &c.Kind, &c.ID)
	return c, err
}

// applyCommitted runs after a commit on this node. When the log cannot be
// read, everything in memory is forgotten: slow, but never wrong.
func (d *DB) applyCommitted(ctx context.Context) {
	if err := d.CatchUp(context.WithoutCancel(ctx)); err != nil {
		d.log.Error("change log could not be read after a commit; memory is dropped", slog.Any("error", err))
		d.forget()
	}
}

// forget makes every subscriber forget what it holds.
func (d *DB) forget() {
	d.follow.mu.Lock()
	defer d.follow.mu.Unlock()
	d.follow.deliver([]Change{{Kind: Reset}})
}

// Follow keeps this node's memory up to date with changes of other processes
// until ctx ends: woken by NOTIFY on PostgreSQL, backed by a short poll.
func (d *DB) Follow(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var listener sync.WaitGroup
	if d.postgres {
		listener.Go(func() { d.listen(ctx, wake) })
	}
	defer listener.Wait()
	tick := time.NewTicker(pollGap)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-wake:
		}
		if d.keepUp(ctx) {
			d.prune(ctx)
		}
	}
}

// keepUp reads the change log once, and reports whether it could. A node that
// cannot must not trust its memory: another one may have ended a key.
func (d *DB) keepUp(ctx context.Context) bool {
	soon, done := context.WithTimeout(ctx, hearLimit)
	defer done()
	err := d.CatchUp(soon)
	if err != nil && ctx.Err() == nil {
		d.log.Error("change log cannot be read; memory is dropped", slog.Any("error", err))
		d.forget()
	}
	return err == nil
}

// listen waits for NOTIFY on a connection of its own and reconnects for ever.
func (d *DB) listen(ctx context.Context, wake chan<- struct{}) {
	for ctx.Err() == nil {
		if err := d.listenOnce(ctx, wake); err != nil && ctx.Err() == nil {
			d.log.Warn("LISTEN connection lost; polling until it is back", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (d *DB) listenOnce(ctx context.Context, wake chan<- struct{}) error {
	pooled, err := d.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	c := pooled.Hijack()
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		if _, err := c.WaitForNotification(ctx); err != nil {
			return err
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// prune removes change-log rows that every living follower has seen.
func (d *DB) prune(ctx context.Context) {
	now := d.clock.Now()
	if now.Sub(d.follow.pruned) < pruneGap {
		return
	}
	d.follow.pruned = now
	if _, err := d.Exec(ctx, "DELETE FROM change_log WHERE at < ?1", now.Add(-keepLog)); err != nil && ctx.Err() == nil {
		d.log.Warn("change log cannot be pruned", slog.Any("error", err))
	}
}

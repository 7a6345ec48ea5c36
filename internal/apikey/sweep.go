package apikey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// sweepGap is how often the housekeeping runs.
const sweepGap = 15 * time.Second

// sweepBatch is how many keys or secrets one transaction of it changes.
const sweepBatch = 200

// Run does the housekeeping of keys, at once and then every few seconds, until
// ctx ends. Several nodes may do it at the same time.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sweepGap)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the housekeeping of keys failed; it is tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep writes down what time has changed: keys that came to their end, those
// that are enabled again, secrets whose overlap is over, and bootstrap keys
// that are not needed any more. It warns of ends that are near.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(
		s.endBootstrapKeys(ctx),
		s.expire(ctx),
		s.enableAgain(ctx),
		s.retireDue(ctx),
		s.retireSilent(ctx),
		s.warn(ctx),
	)
}

// sweep calls f, which reports whether it changed anything, for the ids that a
// query finds, some in each transaction. What f changes must not be found
// again; what it leaves is stepped over, so that it holds up nothing behind it.
func (s *Service) sweep(ctx context.Context, f func(ctx context.Context, id int64) (bool, error), q string, args ...any) error {
	for left := 0; ; {
		found, err := db.All(ctx, s.db, db.Scalar[int64], fmt.Sprintf("%s LIMIT %d OFFSET %d", q, sweepBatch, left), args...)
		if err != nil || len(found) == 0 {
			return fault.Wrap(err, "look for keys")
		}
		err = s.db.InTx(ctx, func(ctx context.Context) error {
			for _, id := range found {
				did, err := f(ctx, id)
				if err != nil {
					return err
				}
				if !did {
					left++
				}
			}
			return nil
		})
		if err != nil || len(found) < sweepBatch {
			return err
		}
	}
}

// expire notes the end of keys, so that no clock that jumps back revives them.
func (s *Service) expire(ctx context.Context) error {
	return s.sweep(ctx, func(ctx context.Context, id int64) (bool, error) {
		k, err := s.any(ctx, id)
		now := s.db.Now(ctx)
		if err != nil || k.DeletedAt != nil || k.ExpiredAt != nil || k.ExpiresAt == nil || now.Before(*k.ExpiresAt) {
			return false, err
		}
		if k.Source == SourceBootstrap {
			return true, s.endBy(ctx, audit.System(), k, "api-key.delete", map[string]any{"reason": "its time is over"})
		}
		if _, err := s.db.Exec(ctx, "UPDATE api_key SET expired_at = ?2 WHERE id = ?1", id, now); err != nil {
			return false, fault.Wrap(err, "write key")
		}
		return true, s.changedBy(ctx, audit.System(), k, "api-key.expire", map[string]any{"expires_at": k.ExpiresAt})
	}, "SELECT id FROM api_key WHERE expires_at <= ?1 AND expired_at IS NULL AND deleted_at IS NULL ORDER BY expires_at, id", s.db.Now(ctx))
}

// enableAgain enables keys that were disabled until a time that has passed.
func (s *Service) enableAgain(ctx context.Context) error {
	return s.sweep(ctx, func(ctx context.Context, id int64) (bool, error) {
		k, err := s.any(ctx, id)
		if err != nil || k.DeletedAt != nil || k.DisabledUntil == nil || s.db.Now(ctx).Before(*k.DisabledUntil) {
			return false, err
		}
		if err := s.clearDisabled(ctx, id); err != nil {
			return false, err
		}
		return true, s.changedBy(ctx, audit.System(), k, "api-key.enable", map[string]any{
			"reason": "the time is over", "previous": map[string]any{"reason": k.DisabledReason},
		})
	}, "SELECT id FROM api_key WHERE disabled_at IS NOT NULL AND disabled_until <= ?1 AND deleted_at IS NULL ORDER BY disabled_until, id", s.db.Now(ctx))
}

// retireDue notes the end of secrets whose overlap has a date that has passed.
func (s *Service) retireDue(ctx context.Context) error {
	return s.sweep(ctx, func(ctx context.Context, id int64) (bool, error) {
		x, err := s.waning(ctx, id)
		if err != nil || x.RetireAt == nil || s.db.Now(ctx).Before(*x.RetireAt) {
			return false, err
		}
		return true, s.retireBySystem(ctx, x.Secret, "the overlap is over")
	}, "SELECT id FROM api_key_secret WHERE retired_at IS NULL AND retire_at <= ?1 ORDER BY retire_at, id", s.db.Now(ctx))
}

// retireSilent ends secrets that were replaced and then not used for as long
// as was asked for.
func (s *Service) retireSilent(ctx context.Context) error {
	return s.sweep(ctx, func(ctx context.Context, id int64) (bool, error) {
		x, err := s.waning(ctx, id)
		if err != nil || x.SilentDays == 0 {
			return false, err
		}
		uses, err := s.usage.BySecret(ctx, x.KeyID)
		if err != nil {
			return false, err
		}
		since := x.replaced
		if last := uses[id].At; last.After(since) {
			since = last
		}
		if s.db.Now(ctx).Sub(since) < time.Duration(x.SilentDays)*day {
			return false, nil
		}
		return true, s.retireBySystem(ctx, x.Secret, fmt.Sprintf("not used for %d days", x.SilentDays))
	}, `SELECT x.id FROM api_key_secret x WHERE x.retired_at IS NULL AND x.silent_days IS NOT NULL
		AND (SELECT max(n.created_at) FROM api_key_secret n WHERE n.key_id = x.key_id) <= ?1 - x.silent_days * ?2 ORDER BY x.id`,
		s.db.Now(ctx), int64(day/time.Microsecond))
}

// waning is a live secret and when its key got its newest one.
type waning struct {
	Secret
	replaced time.Time
}

// waning returns a live secret of a key that is not deleted, or the zero value.
func (s *Service) waning(ctx context.Context, id int64) (waning, error) {
	x, err := db.One(ctx, s.db, scanSecret, selectSecrets+" WHERE x.id = ?1 AND x.retired_at IS NULL", id)
	if errors.Is(err, db.ErrNone) {
		return waning{}, nil
	}
	if err != nil {
		return waning{}, fault.Wrap(err, "read secret")
	}
	out := waning{Secret: x}
	_, err = db.One(ctx, s.db, func(r db.Row) (struct{}, error) {
		return struct{}{}, r.Scan(db.Time(&out.replaced))
	}, "SELECT max(created_at) FROM api_key_secret WHERE key_id = ?1", x.KeyID)
	return out, fault.Wrap(err, "read secrets")
}

func (s *Service) retireBySystem(ctx context.Context, x Secret, why string) error {
	k, err := s.any(ctx, x.KeyID)
	if err != nil {
		return err
	}
	return s.retire(ctx, audit.System(), k, x.ID, why)
}

// warn writes one line in the log 30 days, 7 days and 1 day before the end of
// a key.
func (s *Service) warn(ctx context.Context) error {
	now := s.db.Now(ctx)
	return s.sweep(ctx, func(ctx context.Context, id int64) (bool, error) {
		k, err := s.any(ctx, id)
		if err != nil || k.ExpiresAt == nil {
			return false, err
		}
		left := k.ExpiresAt.Sub(s.db.Now(ctx))
		n, err := s.db.Exec(ctx, "UPDATE api_key SET warned_days = ?2 WHERE id = ?1 AND (warned_days IS NULL OR warned_days > ?2)", id, warning(left))
		if err != nil || n == 0 {
			return false, fault.Wrap(err, "write key")
		}
		db.AfterCommit(ctx, func() {
			s.log.Warn("a key will come to its end", "key", k.ID, "name", k.Name, "owner", k.Owner.Name,
				"expires_at", k.ExpiresAt, "days", int((left+day-1)/day))
		})
		return true, nil
	}, `SELECT id FROM api_key WHERE expires_at > ?1 AND expires_at <= ?2 AND expired_at IS NULL AND deleted_at IS NULL
		AND source <> 'bootstrap' AND (warned_days IS NULL OR warned_days > CASE WHEN expires_at <= ?3 THEN 1 WHEN expires_at <= ?4 THEN 7 ELSE 30 END)
		ORDER BY expires_at, id`, now, now.Add(30*day), now.Add(day), now.Add(7*day))
}

// warning is the number of days that a warning stands for.
func warning(left time.Duration) int64 {
	switch {
	case left <= day:
		return 1
	case left <= 7*day:
		return 7
	}
	return 30
}

// EndBootstrap ends the keys that were made to set the instance up, inside the
// caller's transaction if there is one. It is called when set-up is done, so
// it asks for no principal.
func (s *Service) EndBootstrap(ctx context.Context, reason string) error {
	return s.sweep(ctx, func(ctx context.Context, id int64) (bool, error) {
		k, err := s.any(ctx, id)
		if err != nil || k.DeletedAt != nil {
			return false, err
		}
		return true, s.endBy(ctx, audit.System(), k, "api-key.delete", map[string]any{"reason": reason})
	}, "SELECT id FROM api_key WHERE source = ?1 AND deleted_at IS NULL ORDER BY id", SourceBootstrap)
}

// endBootstrapKeys ends bootstrap keys once an active person is an
// administrator: such keys are only made while there are no people, so that
// is what they were for.
func (s *Service) endBootstrapKeys(ctx context.Context) error {
	done, err := s.adminPerson(ctx)
	if err != nil || !done {
		return err
	}
	return s.EndBootstrap(ctx, "the instance is set up")
}

// Expiring returns how many active keys come to their end within a time. It is
// for the metrics and tells nothing of anybody, so it asks for no principal.
func (s *Service) Expiring(ctx context.Context, within time.Duration) (int64, error) {
	f := Filter{AnyKind: true, State: Active}
	now := s.db.Now(ctx)
	end := now.Add(within)
	f.Before = &end
	n, err := s.count(ctx, f)
	return int64(n), err
}

// ByState returns how many keys of all kinds are in each state, as Expiring
// does.
func (s *Service) ByState(ctx context.Context) (map[State]int, error) {
	out := map[State]int{Active: 0, Disabled: 0, Expired: 0, Deleted: 0}
	type row struct {
		state State
		n     int
	}
	err := db.Each(ctx, s.db, func(r db.Row) (v row, err error) {
		err = r.Scan(&v.state, &v.n)
		return v, err
	}, func(v row) error { out[v.state] = v.n; return nil },
		`SELECT state, count(*) FROM (SELECT CASE WHEN deleted_at IS NOT NULL THEN 'deleted'
			WHEN expired_at IS NOT NULL OR expires_at <= ?1 THEN 'expired'
			WHEN disabled_at IS NOT NULL AND (disabled_until IS NULL OR disabled_until > ?1) THEN 'disabled'
			ELSE 'active' END AS state FROM api_key) k GROUP BY state`, s.db.Now(ctx))
	return out, fault.Wrap(err, "count keys by state")
}

package apikey

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// alarmGap is how long the uses of one retired secret count as one alarm.
const alarmGap = time.Hour

// maxAlarms bounds the alarms that are listed.
const maxAlarms = 100

// alarm is one use of a retired secret.
type alarm struct {
	place
	from netip.Addr
}

// Alarm says that a secret was used after its end: either somebody forgot to
// change a program over, or it is in the wrong hands.
type Alarm struct {
	Key    Key
	Secret Secret // its TriedAt is the time of the alarm
}

// RetiredUses returns how many checks on this node met a retired secret since
// the start. It is for the metrics.
func (v *Verifier) RetiredUses() uint64 { return v.counts[Retired].Load() }

// Watch writes down the uses of retired secrets that a verifier meets, each
// secret at most once an hour, until ctx ends.
func (s *Service) Watch(ctx context.Context, v *Verifier) {
	told := map[int64]time.Time{} // by secret, so that most uses cost no statement
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-v.alarms:
			now := s.db.Now(ctx)
			if last, ok := told[a.secretID]; ok && !alarmDue(last, now) {
				continue
			}
			if err := s.retiredUse(ctx, a); err != nil {
				if ctx.Err() == nil {
					s.log.Error("the use of a retired secret could not be written down", slog.Any("error", err))
				}
				continue
			}
			if len(told) >= keysKept {
				clear(told)
			}
			told[a.secretID] = now
		}
	}
}

// alarmDue reports whether a use raises an alarm again. After a jump of the
// clock into the past it does.
func alarmDue(last, now time.Time) bool {
	ago := now.Sub(last)
	return ago < 0 || ago >= alarmGap
}

// retiredUse raises an alarm, unless there was one within the hour, such as on
// another node.
func (s *Service) retiredUse(ctx context.Context, a alarm) error {
	if a.from.IsValid() {
		ctx = audit.WithOrigin(ctx, audit.Origin{RemoteAddr: a.from.Unmap().String()})
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		x, err := db.One(ctx, s.db, scanSecret, selectSecrets+" WHERE x.id = ?1", a.secretID)
		if err != nil {
			return fault.Wrap(err, "read secret")
		}
		now := s.db.Now(ctx)
		if x.TriedAt != nil && !alarmDue(*x.TriedAt, now) {
			return nil
		}
		k, err := s.any(ctx, a.keyID)
		if err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "UPDATE api_key_secret SET tried_at = ?2 WHERE id = ?1", x.ID, now); err != nil {
			return fault.Wrap(err, "write secret")
		}
		db.AfterCommit(ctx, func() {
			s.log.Warn("a retired secret of a key was used", "key", k.ID, "name", k.Name, "prefix", x.Prefix, "secret", x.ID, "address", a.from.String())
		})
		return s.audit.Append(ctx, audit.System(), audit.Entry{
			Action: "api-key.retired-secret-used", ObjectKind: "api-key", ObjectID: k.ID, ObjectName: k.Name,
			Details: map[string]any{"key_prefix": x.Prefix, "secret_id": x.ID},
		})
	})
}

// RecentAlarms returns the secrets that were used after their end since a
// time, the newest alarm first. Those of deleted keys are left out. It returns
// Forbidden.
func (s *Service) RecentAlarms(ctx context.Context, who *access.Principal, since time.Time) ([]Alarm, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	found, err := db.All(ctx, s.db, scanSecret, selectSecrets+` JOIN api_key k ON k.id = x.key_id AND k.deleted_at IS NULL
		WHERE x.tried_at >= ?1 ORDER BY x.tried_at DESC, x.id DESC LIMIT ?2`, since, maxAlarms)
	if err != nil {
		return nil, fault.Wrap(err, "read alarms")
	}
	keys, err := s.byID(ctx, found)
	if err != nil {
		return nil, err
	}
	out := make([]Alarm, len(found))
	for i, x := range found {
		out[i] = Alarm{Key: keys[x.KeyID], Secret: x}
	}
	return out, nil
}

// byID reads the keys of a few secrets.
func (s *Service) byID(ctx context.Context, secrets []Secret) (map[int64]Key, error) {
	out := map[int64]Key{}
	if len(secrets) == 0 {
		return out, nil
	}
	args := make([]any, len(secrets))
	for i, x := range secrets {
		args[i] = x.KeyID
	}
	keys, err := db.All(ctx, s.db, scanKey, selectKeys+" WHERE k.id IN "+db.List(1, len(args)), args...)
	if err != nil {
		return nil, fault.Wrap(err, "read keys")
	}
	err = s.addGroups(ctx, keys)
	for _, k := range keys {
		out[k.ID] = k
	}
	return out, err
}

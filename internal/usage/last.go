package usage

import (
	"context"
	"time"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Count returns how many requests a key made since the beginning of the hour
// of a time. Those that the check of the key or its limits turned away are not
// among them, nor those of hours to come, from a clock that had jumped ahead.
// What this node has not written yet is; what other nodes have not written, a
// few seconds' worth, is not. It may be called inside a transaction
// and is not authorised here.
func (s *Service) Count(ctx context.Context, keyID int64, since time.Time) (int64, error) {
	hour := hourOf(since.UnixMicro())
	last := hourOf(s.db.Now(ctx).UnixMicro()) + hourMicros // clocks of nodes differ a little
	sh := s.shard(keyID)
	sh.mu.Lock()
	pending, pendingSeq := sh.pending.requests(keyID, hour, last), sh.pendingSeq
	flying, flyingSeq := sh.flying.requests(keyID, hour, last), sh.flyingSeq
	sh.mu.Unlock()
	// One statement reads both, so it is known which batches are in the sum.
	sum, err := db.One(ctx, s.db, scanSum, `SELECT CAST(coalesce(sum(n), 0) AS BIGINT), coalesce((SELECT seq FROM usage_flush WHERE node = ?3), 0)
		FROM usage_hour WHERE key_id = ?1 AND hour >= ?2 AND hour <= ?4 AND class <> 1`, keyID, hour, s.node, last)
	if err != nil {
		return 0, fault.Wrap(err, "count requests of a key")
	}
	if flyingSeq > sum.batch {
		sum.n += flying
	}
	if pendingSeq > sum.batch {
		sum.n += pending
	}
	return sum.n, nil
}

// sum is a number of requests and the last batch of this node in it.
type sum struct{ n, batch int64 }

func scanSum(r db.Row) (sum, error) {
	var v sum
	err := r.Scan(&v.n, &v.batch)
	return v, err
}

// requests counts those of a key in the hours from first to last.
func (e *entries) requests(keyID, first, last int64) int64 {
	var n int64
	if e != nil {
		for i := range e.counters.rows {
			r := &e.counters.rows[i]
			if r.key.key == keyID && r.key.hour >= first && r.key.hour <= last && r.key.class != away {
				n += r.val.n
			}
		}
	}
	return n
}

// Last returns the newest use of each key, what this node has not written yet
// included. Keys that were never used are absent. It may be called inside a
// transaction and is not authorised here.
func (s *Service) Last(ctx context.Context, keyIDs []int64) (map[int64]LastUse, error) {
	out := make(map[int64]LastUse, len(keyIDs))
	newer := func(keyID int64, u LastUse) {
		if old, ok := out[keyID]; !ok || u.At.After(old.At) {
			out[keyID] = u
		}
	}
	for _, id := range keyIDs {
		s.unwritten(id, func(u LastUse) { newer(id, u) })
	}
	err := among(keyIDs, func(list string, args []any) error {
		return db.Each(ctx, s.db, scanLast, func(v keyLast) error {
			newer(v.key, v.LastUse)
			return nil
		}, selectLast+" WHERE u.key_id IN "+list, args...)
	})
	return out, fault.Wrap(err, "read last use of keys")
}

// BySecret returns the newest use of each secret of a key, as Last does.
func (s *Service) BySecret(ctx context.Context, keyID int64) (map[int64]LastUse, error) {
	out := map[int64]LastUse{}
	newer := func(u LastUse) {
		if old, ok := out[u.SecretID]; !ok || u.At.After(old.At) {
			out[u.SecretID] = u
		}
	}
	s.unwritten(keyID, newer)
	err := db.Each(ctx, s.db, scanLast, func(v keyLast) error {
		newer(v.LastUse)
		return nil
	}, selectLast+" WHERE u.key_id = ?1", keyID)
	return out, fault.Wrap(err, "read last use of secrets")
}

// unwritten calls f with the last uses of a key that are only in memory.
func (s *Service) unwritten(keyID int64, f func(LastUse)) {
	sh := s.shard(keyID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, e := range []*entries{sh.flying, sh.pending} {
		if e == nil {
			continue
		}
		for _, r := range e.lasts.rows {
			if r.key.key == keyID {
				f(LastUse{
					SecretID: r.key.secret, At: time.UnixMicro(r.val.at).UTC(), Addr: r.val.addr,
					Agent: clean(r.val.agent, maxText), Route: clean(r.val.route, maxText),
				})
			}
		}
	}
}

const selectLast = `SELECT u.key_id, u.secret_id, u.at, u.addr, u.agent, r.route
	FROM usage_last u JOIN usage_route r ON r.id = u.route_id`

type keyLast struct {
	key int64
	LastUse
}

func scanLast(r db.Row) (keyLast, error) {
	var v keyLast
	var addr string
	err := r.Scan(&v.key, &v.SecretID, db.Time(&v.At), &addr, &v.Agent, &v.Route)
	v.Addr = parse(addr)
	return v, err
}

package usage

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Refusals returns why a key was refused in the hours from one time up to
// another, by its check or by its restriction, the most frequent first.
func (s *Service) Refusals(ctx context.Context, keyID int64, from, to time.Time) ([]ReasonCount, error) {
	if err := s.FlushNow(ctx); err != nil {
		return nil, err
	}
	list, err := db.All(ctx, s.db, func(r db.Row) (ReasonCount, error) {
		var v ReasonCount
		err := r.Scan(&v.Reason, &v.N, db.Time(&v.Last))
		return v, err
	}, `SELECT reason, CAST(sum(n) AS BIGINT), max(last_at) FROM usage_refusal
		WHERE key_id = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY reason ORDER BY 2 DESC, 1`, keyID, hourOf(from.UnixMicro()), to)
	return list, fault.Wrap(err, "read refusals of a key")
}

// TrialRefusals returns what a restriction on trial would have refused since a
// time, the most frequent first.
func (s *Service) TrialRefusals(ctx context.Context, keyID int64, since time.Time) ([]TrialCount, error) {
	if err := s.FlushNow(ctx); err != nil {
		return nil, err
	}
	list, err := db.All(ctx, s.db, func(r db.Row) (TrialCount, error) {
		var v TrialCount
		err := r.Scan(&v.Reason, &v.Route, &v.N, db.Time(&v.Last))
		return v, err
	}, `SELECT t.reason, r.route, CAST(sum(t.n) AS BIGINT), max(t.last_at) FROM usage_trial t JOIN usage_route r ON r.id = t.route_id
		WHERE t.key_id = ?1 AND t.hour >= ?2 AND t.last_at >= ?3 GROUP BY t.reason, r.route ORDER BY 3 DESC, 1, 2`,
		keyID, hourOf(since.UnixMicro()), since)
	return list, fault.Wrap(err, "read refusals on trial")
}

// ForgetTrial forgets what the restriction on trial of a key would have
// refused, so that a new trial starts from nothing. It belongs into the
// transaction that changes the trial. What other nodes have not written yet is
// left: read from the start of the new trial on.
func (s *Service) ForgetTrial(ctx context.Context, keyID int64) error {
	if _, err := s.db.Exec(ctx, "DELETE FROM usage_trial WHERE key_id = ?1", keyID); err != nil {
		return fault.Wrap(err, "forget refusals on trial")
	}
	db.AfterCommit(ctx, func() {
		sh := s.shard(keyID)
		sh.mu.Lock()
		defer sh.mu.Unlock()
		for _, e := range []*entries{sh.flying, sh.pending} {
			if e == nil {
				continue
			}
			for i := range e.trials.rows {
				if r := &e.trials.rows[i]; r.key.key == keyID {
					r.val = tally{}
				}
			}
		}
	})
	return nil
}

// Samples returns the sampled requests of a key, the newest first: those with
// an id below before, or all when it is 0. A limit of 0 means 50.
func (s *Service) Samples(ctx context.Context, keyID int64, limit int, before int64) ([]Sample, error) {
	if limit <= 0 {
		limit = 50
	}
	if err := s.FlushNow(ctx); err != nil {
		return nil, err
	}
	list, err := db.All(ctx, s.db, scanSample, `SELECT u.id, u.at, u.secret_id, r.route, u.status, u.took, u.addr, u.agent, u.request_id, u.refusal, u.trial
		FROM usage_sample u JOIN usage_route r ON r.id = u.route_id
		WHERE u.key_id = ?1 AND (u.id < ?2 OR ?2 = 0) ORDER BY u.id DESC LIMIT ?3`, keyID, before, limit)
	return list, fault.Wrap(err, "read sampled requests")
}

func scanSample(r db.Row) (Sample, error) {
	var v Sample
	var took int64
	var addr string
	err := r.Scan(&v.ID, db.Time(&v.At), &v.SecretID, &v.Route, &v.Status, &took, &addr, &v.Agent, &v.RequestID, &v.Refusal, &v.Trial)
	v.Took, v.Addr = time.Duration(took)*time.Microsecond, parse(addr)
	return v, err
}

// Facts returns what a key did since a time. Requests and routes are counted
// from the beginning of its hour on.
func (s *Service) Facts(ctx context.Context, keyID int64, since time.Time) (Facts, error) {
	f := Facts{Since: since, Refs: map[string][]string{}, Writes: map[string][]string{}}
	if err := s.FlushNow(ctx); err != nil {
		return f, err
	}
	var err error
	if f.Requests, err = s.Count(ctx, keyID, since); err != nil {
		return f, err
	}
	f.Routes, err = db.All(ctx, s.db, scanRouteCount, selectRouteCounts+` WHERE u.key_id = ?1 AND u.hour >= ?2 AND u.class IN (2, 3)
		GROUP BY r.route ORDER BY 2 DESC, 1`, keyID, hourOf(since.UnixMicro()))
	if err != nil {
		return f, fault.Wrap(err, "read routes of a key")
	}
	err = db.Each(ctx, s.db, scanSeen, func(v seenRow) error { f.add(v); return nil },
		"SELECT key_id, what, kind, name, n FROM usage_seen WHERE key_id = ?1 AND last_at >= ?2 ORDER BY what, kind, name", keyID, since)
	if err != nil {
		return f, fault.Wrap(err, "read what a key touched")
	}
	err = db.Each(ctx, s.db, scanRest, func(v restRow) error { f.addRest(v.groupKey); return nil },
		selectRests+" WHERE key_id = ?1 AND n > 0 AND last_at >= ?2 ORDER BY what, kind", keyID, since)
	slices.SortFunc(f.Addresses, netip.Addr.Compare)
	return f, fault.Wrap(err, "read what a key touched")
}

func (f *Facts) add(v seenRow) {
	switch {
	case v.what == refs:
		f.Refs[v.kind] = append(f.Refs[v.kind], v.name)
	case v.what == fields:
		f.Writes[v.kind] = append(f.Writes[v.kind], v.name)
	case v.kind == served:
		f.Addresses = append(f.Addresses, parse(v.name))
	}
}

func (f *Facts) addRest(k groupKey) {
	switch {
	case k.what == refs:
		f.Many = append(f.Many, k.kind)
	case k.what == fields:
		f.ManyFields = append(f.ManyFields, k.kind)
	case k.kind == served:
		f.ManyAddresses = true
	}
}

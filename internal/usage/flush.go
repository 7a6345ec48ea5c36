package usage

import (
	"context"
	"maps"
	"slices"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// batch is entries that are written in one transaction, once.
type batch struct {
	seq   int64
	parts []*entries
}

// FlushNow writes what this node has counted so far. When it fails, everything
// is kept for the next time. Inside a transaction it does nothing: a batch is
// one of its own.
func (s *Service) FlushNow(ctx context.Context) error {
	if joined(ctx) {
		return nil
	}
	select {
	case s.flushing <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), "write usage")
	}
	defer func() { <-s.flushing }()
	if err := s.write(ctx); err != nil { // what failed before
		return err
	}
	s.take()
	return s.write(ctx)
}

// joined reports whether ctx carries a transaction.
func joined(ctx context.Context) bool {
	in := true
	db.AfterCommit(ctx, func() { in = false }) // runs at once outside of one
	return in
}

// take makes a batch of all that waits.
func (s *Service) take() {
	s.seq++
	b := &batch{seq: s.seq}
	entryCount, samples := 0, 0
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		if e := sh.pending; e.size() > 0 || e.dropped != [2]int64{} {
			b.parts = append(b.parts, e)
			entryCount += e.size()
			samples += len(e.samples)
			sh.flying, sh.flyingSeq, sh.pending = e, s.seq, &entries{}
		}
		sh.pendingSeq = s.seq + 1
		sh.mu.Unlock()
	}
	if len(b.parts) == 0 {
		return
	}
	s.waiting.Add(int64(-entryCount))
	s.samples.Add(int64(-samples))
	s.flying.Store(int64(entryCount))
	s.batch = b
}

// write writes the batch, if there is one.
func (s *Service) write(ctx context.Context) error {
	if s.batch == nil {
		return nil
	}
	routes := maps.Clone(s.routes)
	err := s.inTx(ctx, func(ctx context.Context) error {
		done, err := db.One(ctx, s.db, db.Scalar[int64],
			"SELECT coalesce((SELECT seq FROM usage_flush WHERE node = ?1), 0)", s.node)
		if err != nil || done >= s.batch.seq {
			return err // its commit went through, only the answer was lost
		}
		return s.writeBatch(ctx, s.batch, routes)
	})
	if err != nil {
		s.failures.Add(1)
		return fault.Wrap(err, "write usage")
	}
	s.routes, s.batch = routes, nil
	s.flying.Store(0)
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		sh.flying = nil
		sh.mu.Unlock()
	}
	return nil
}

func (s *Service) writeBatch(ctx context.Context, b *batch, routes map[string]int64) error {
	if err := s.nameRoutes(ctx, b, routes); err != nil {
		return err
	}
	if err := s.writeCounts(ctx, b, routes); err != nil {
		return err
	}
	if err := s.writeSeen(ctx, b); err != nil {
		return err
	}
	if err := s.writeSamples(ctx, b, routes); err != nil {
		return err
	}
	return putFlush().run(ctx, s.db, []any{s.node, b.seq, s.db.Now(ctx)})
}

// nameRoutes adds the ids of the batch's routes to routes, and new ones to the
// database.
func (s *Service) nameRoutes(ctx context.Context, b *batch, routes map[string]int64) error {
	missing := map[string]bool{}
	note := func(route string) {
		if _, ok := routes[route]; !ok {
			missing[route] = true
		}
	}
	for _, e := range b.parts {
		for i := range e.counters.rows {
			note(e.counters.rows[i].key.route) // every other entry's route is among these
		}
	}
	if len(missing) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(missing))
	args := make([]any, len(names))
	for i, n := range names {
		args[i] = n
	}
	if err := putRoutes().run(ctx, s.db, args); err != nil {
		return err
	}
	return among(names, func(list string, args []any) error {
		return db.Each(ctx, s.db, scanRoute, func(r route) error {
			routes[r.text] = r.id
			return nil
		}, "SELECT id, route FROM usage_route WHERE route IN "+list, args...)
	})
}

type route struct {
	id   int64
	text string
}

func scanRoute(r db.Row) (route, error) {
	var v route
	err := r.Scan(&v.id, &v.text)
	return v, err
}

// writeCounts writes counters, last uses, refusals and refusals on trial.
func (s *Service) writeCounts(ctx context.Context, b *batch, routes map[string]int64) error {
	var counters, lasts, refusals, trials []any
	for _, e := range b.parts {
		for _, r := range e.counters.rows {
			counters = append(counters, r.key.key, r.key.hour, r.key.secret, routes[r.key.route], r.key.class, r.val.n, r.val.last)
		}
		for _, r := range e.lasts.rows {
			lasts = append(lasts, r.key.key, r.key.secret, r.val.at, text(r.val.addr), clean(r.val.agent, maxText), routes[clean(r.val.route, maxText)])
		}
		for _, r := range e.refusals.rows {
			refusals = append(refusals, r.key.key, r.key.hour, r.key.secret, r.key.reason, r.val.n, r.val.last)
		}
		trials = append(trials, s.trialRows(e, routes)...)
	}
	for _, w := range []struct {
		insert
		args []any
	}{{putCounters(), counters}, {putLasts(), lasts}, {putRefusals(), refusals}, {putTrials(), trials}} {
		if err := w.run(ctx, s.db, w.args); err != nil {
			return err
		}
	}
	return nil
}

// trialRows leaves out what ForgetTrial has emptied.
func (s *Service) trialRows(e *entries, routes map[string]int64) []any {
	if len(e.trials.rows) == 0 {
		return nil
	}
	sh := s.shard(e.trials.rows[0].key.key) // all entries are of one shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var args []any
	for _, r := range e.trials.rows {
		if r.val.n > 0 {
			args = append(args, r.key.key, r.key.hour, r.key.reason, routes[r.key.route], r.val.n, r.val.last)
		}
	}
	return args
}

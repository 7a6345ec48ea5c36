package usage

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"time"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Options bound what is kept. 0 means the default.
type Options struct {
	FlushEvery      time.Duration // how often what waits is written; 5 s
	FlushAt         int           // entries that wait before they are written earlier; 10,000
	Samples         int           // sampled rows in all; 100,000
	SamplesPerKey   int           // sampled rows of one key; 1,000
	SuccessesPerKey int           // successes of one key that are sampled each second; 2
	SuccessesOfAll  int           // successes of all keys that are sampled each second on this node; 100
	NamesPerKind    int           // ids, fields or addresses of one key and kind; 200
	KeepFor         time.Duration // how long counters are kept; 400 days
	PruneEvery      time.Duration // how often older ones are removed; 1 h
}

// maxSamplesWaiting bounds the sampled rows in memory, at most 1 kB each.
const maxSamplesWaiting = 10_000

func (o Options) withDefaults() Options {
	for _, v := range []struct {
		value *int
		whole int
	}{
		{&o.FlushAt, 10_000}, {&o.Samples, 100_000}, {&o.SamplesPerKey, 1000},
		{&o.SuccessesPerKey, 2}, {&o.SuccessesOfAll, 100}, {&o.NamesPerKind, 200},
	} {
		if *v.value <= 0 {
			*v.value = v.whole
		}
	}
	for _, v := range []struct {
		value *time.Duration
		whole time.Duration
	}{
		{&o.FlushEvery, 5 * time.Second}, {&o.KeepFor, 400 * 24 * time.Hour}, {&o.PruneEvery, time.Hour},
	} {
		if *v.value <= 0 {
			*v.value = v.whole
		}
	}
	return o
}

// Service counts what keys did. It is safe for concurrent use.
type Service struct {
	db   *db.DB
	inTx func(ctx context.Context, f func(ctx context.Context) error) error
	log  *slog.Logger
	o    Options
	node string // names this service among all that write

	shards    [shards]shard
	successes bucket
	waiting   atomic.Int64 // entries that no batch has yet
	flying    atomic.Int64 // entries of the batch
	samples   atomic.Int64 // samples that no batch has yet
	failures  atomic.Int64
	wake      chan struct{}

	flushing chan struct{} // holds a token while one writes; guards what follows
	seq      int64         // of the newest batch
	batch    *batch        // what could not be written, or nil
	routes   map[string]int64
	failing  atomic.Bool // the last flush of Run failed
}

// New returns a service that has counted nothing. A nil log means none.
func New(d *db.DB, log *slog.Logger, o Options) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		db: d, inTx: d.InTx, log: log, o: o.withDefaults(), node: rand.Text(),
		wake: make(chan struct{}, 1), flushing: make(chan struct{}, 1), routes: map[string]int64{},
	}
	s.successes.gap = max(1, second/int64(s.o.SuccessesOfAll))
	for i := range s.shards {
		s.shards[i].pending, s.shards[i].pendingSeq = &entries{}, 1
	}
	return s
}

// Run writes what was counted, every few seconds and when much waits, and
// removes old counters, until ctx ends. What it could not write by then,
// Close writes.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(s.o.FlushEvery)
	defer tick.Stop()
	var pruned time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
		s.report(ctx, s.FlushNow(ctx))
		now := s.db.Now(ctx)
		if now.Sub(pruned) < s.o.PruneEvery {
			continue
		}
		pruned = now
		if err := s.Prune(ctx, now.Add(-s.o.KeepFor)); err != nil && ctx.Err() == nil {
			s.log.Warn("old usage of keys cannot be removed; it is tried again", slog.Any("error", err))
		}
	}
}

// report logs when writing begins to fail, and when it works again.
func (s *Service) report(ctx context.Context, err error) {
	switch {
	case err != nil && ctx.Err() == nil && !s.failing.Swap(true):
		s.log.Error("usage of keys cannot be written; it is kept in memory and tried again", slog.Any("error", err))
	case err == nil && s.failing.Swap(false):
		s.log.Info("usage of keys is written again")
	}
}

// Close writes what is only in memory. No other method may be called after it.
func (s *Service) Close(ctx context.Context) error {
	return s.FlushNow(ctx)
}

// Totals returns the state of the counting. The samples are those of all
// nodes.
func (s *Service) Totals(ctx context.Context) (Totals, error) {
	t := Totals{
		Pending: s.Pending(), FlushFailures: s.failures.Load(), Dropped: map[string]int64{},
	}
	var err error
	if t.Samples, err = db.One(ctx, s.db, db.Scalar[int64], "SELECT count(*) FROM usage_sample"); err != nil {
		return t, fault.Wrap(err, "count samples")
	}
	for _, why := range dropReasons() {
		t.Dropped[why] = 0
	}
	rows, err := db.All(ctx, s.db, func(r db.Row) (v struct {
		why string
		n   int64
	}, err error,
	) {
		err = r.Scan(&v.why, &v.n)
		return v, err
	}, "SELECT why, n FROM usage_dropped")
	for _, v := range rows {
		t.Dropped[v.why] = v.n
		t.SamplesDropped += v.n
	}
	return t, fault.Wrap(err, "read dropped samples")
}

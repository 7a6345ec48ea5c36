package metrics

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	keep    = 15 * time.Second // how long numbers of the database are kept
	patient = 2 * time.Second  // how long a scrape waits for the database
)

// stored reads the metrics that the database knows. Scrapes read it at most
// once in 15 seconds, however many there are.
type stored struct {
	log     *slog.Logger
	sources []*source
	errors  *prometheus.CounterVec

	mu   sync.Mutex
	at   time.Time // when kept was read
	kept []prometheus.Metric
}

// source is one question to the database.
type source struct {
	name  string
	descs []*prometheus.Desc
	read  func(ctx context.Context) ([]prometheus.Metric, error)
	busy  atomic.Bool // an older question has not been answered
}

// answer is what a source said.
type answer struct {
	source  *source
	metrics []prometheus.Metric
	err     error
}

var errBusy = errors.New("the last question has not been answered yet")

// fromDatabase returns the collector of what the database knows, or none.
func fromDatabase(d Deps) []prometheus.Collector {
	s := &stored{log: d.Log, sources: sources(d), errors: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "latchkey_scrape_errors_total",
		Help: "Times that numbers of the database were left out of a scrape, by which, because it did not answer within 2 seconds or failed.",
	}, []string{"source"})}
	if len(s.sources) == 0 {
		return nil
	}
	for _, src := range s.sources {
		s.errors.WithLabelValues(src.name)
	}
	return []prometheus.Collector{s}
}

// Describe implements prometheus.Collector.
func (s *stored) Describe(ch chan<- *prometheus.Desc) {
	for _, src := range s.sources {
		for _, d := range src.descs {
			ch <- d
		}
	}
	s.errors.Describe(ch)
}

// Collect implements prometheus.Collector.
func (s *stored) Collect(ch chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= keep {
		s.kept = s.ask()
		s.at = time.Now()
	}
	for _, m := range s.kept {
		ch <- m
	}
	s.errors.Collect(ch)
}

// ask puts all questions at once and returns what was answered in time. One
// that hangs, even against its context, keeps none of the others.
func (s *stored) ask() []prometheus.Metric {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	answers := make(chan answer, len(s.sources))
	waiting := map[*source]bool{}
	for _, src := range s.sources {
		waiting[src] = true
		src.start(ctx, answers)
	}
	var all []prometheus.Metric
	for len(waiting) > 0 {
		select {
		case a := <-answers:
			delete(waiting, a.source)
			all = append(all, a.metrics...)
			s.failed(a.source, a.err)
		case <-ctx.Done():
			for src := range waiting {
				s.failed(src, ctx.Err())
			}
			return all
		}
	}
	return all
}

// failed notes a source that is left out; err may be nil.
func (s *stored) failed(src *source, err error) {
	if err != nil {
		s.errors.WithLabelValues(src.name).Inc()
		s.log.Warn("metrics are left out: the database did not say", slog.String("metrics", src.name), slog.Any("error", err))
	}
}

// start asks in the background, unless an older question is still open.
func (src *source) start(ctx context.Context, to chan<- answer) {
	if !src.busy.CompareAndSwap(false, true) {
		to <- answer{source: src, err: errBusy}
		return
	}
	go func() {
		defer src.busy.Store(false)
		found, err := src.read(ctx)
		if err != nil {
			found = nil
		}
		to <- answer{src, found, err}
	}()
}

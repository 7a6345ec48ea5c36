package metrics

import (
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// oneIn is how many checks of keys there are to each that is timed.
const oneIn = 16

// Sampler times one of 16 checks of keys, drawn by lot, so that reading the
// clock does not become part of what a check costs. It allocates nothing and
// shares nothing between checks that are not drawn. A nil Sampler times none.
type Sampler struct {
	begin   time.Time
	seconds prometheus.Histogram
}

// NewSampler returns a sampler, for Deps.CheckTime and for whoever checks keys.
func NewSampler() *Sampler {
	return &Sampler{
		begin: time.Now(),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "latchkey_key_check_seconds",
			Help: "How long the check of an API key takes. One check of 16 is timed, so the count is a sample, not the number of checks.",
			Buckets: []float64{
				250e-9, 500e-9, 1e-6, 2.5e-6, 5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
				1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3,
			},
		}),
	}
}

// Start says when a check began, or 0 when it is not to be timed.
func (s *Sampler) Start() int64 {
	if s == nil || rand.Uint32()%oneIn != 0 {
		return 0
	}
	return s.now()
}

// Done takes what Start returned, when the check has ended.
func (s *Sampler) Done(start int64) {
	if start != 0 {
		s.seconds.Observe(time.Duration(s.now() - start).Seconds())
	}
}

// now is the time since the sampler was made, which is never 0.
func (s *Sampler) now() int64 { return int64(time.Since(s.begin)) + 1 }

package metrics

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Deps is what is measured. Of the functions, one that is nil leaves its
// metrics out.
type Deps struct {
	Version string       // of this binary
	Log     *slog.Logger // nil means no log

	// CheckTime times the checks of keys.
	CheckTime *Sampler
	// RefusalCodes are the codes that Refused will be called with. They stand
	// at 0 from the start, so that a first refusal is seen as a rise.
	RefusalCodes []string

	// These are called at every scrape and answer at once, from memory.
	Checks      func() map[string]uint64 // checks of keys since the start, by reason
	RetiredUses func() uint64            // tries with a retired secret
	Pending     func() int64             // counts of use that are not written yet
	Throttled   func() uint64            // sign-ins refused because of too many tries

	// These may ask the database. What they say is kept for 15 seconds; after 2
	// seconds their context ends and they are left out.
	Keys     func(ctx context.Context) (map[string]int64, error)                    // by state
	Dropped  func(ctx context.Context) (map[string]int64, error)                    // sampled requests of all nodes that were not kept, by why
	Expiring func(ctx context.Context, within time.Duration) (int64, error)         // keys in force that end soon
	Sessions func(ctx context.Context) (int64, error)                               // not expired
	Lag      func(ctx context.Context) (behind int64, age time.Duration, err error) // behind the change log
	Applied  func() int64                                                           // last change in memory; may wait for the database too
}

// Metrics is all that is measured of one running server. It is safe for
// concurrent use.
type Metrics struct {
	log      *slog.Logger
	registry *prometheus.Registry
	refusals *prometheus.CounterVec
	requests [dialects]requests
}

// New puts the metrics together. Nothing is shared with other instances.
func New(d Deps) *Metrics {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{log: d.Log, registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(d.Version),
	)
	m.registry.MustRegister(fromMemory(d)...)
	m.registry.MustRegister(fromDatabase(d)...)
	m.registerRefusals(d.RefusalCodes)
	m.registerRequests()
	return m
}

// Gather returns every metric as a scrape shows it.
func (m *Metrics) Gather() prometheus.Gatherer { return m.registry }

// Refused counts a request with a good key that was refused, by the stable
// word for the reason. It must not be called with anything a client sent. A
// nil Metrics counts nothing.
func (m *Metrics) Refused(code string) {
	if m != nil && m.refusals != nil {
		m.refusals.WithLabelValues(code).Inc()
	}
}

func (m *Metrics) registerRefusals(codes []string) {
	if codes == nil {
		return
	}
	m.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "latchkey_key_refusals_total",
		Help: "Requests with a good key that were refused, by what refused them: scope, resource, field, rate-limit and so on.",
	}, []string{"reason"})
	for _, code := range codes {
		m.refusals.WithLabelValues(code)
	}
	m.registry.MustRegister(m.refusals)
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "latchkey_build_info",
		Help: "Always 1; the labels say which version of Latchkey runs, and which of Go it was built with.",
	}, []string{"version", "goversion"})
	g.WithLabelValues(version, runtime.Version()).Set(1)
	return g
}

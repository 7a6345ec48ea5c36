package cli

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/metrics"
	"latchkey/internal/server"
)

// scrapeDrain is how long a scrape may take to finish when the server stops.
const scrapeDrain = 2 * time.Second

// scrapePort is the address of metrics-listen, or none.
type scrapePort struct{ l net.Listener }

// listenForScrapes takes the port of metrics-listen, if it is set.
func listenForScrapes(c call) (scrapePort, error) {
	if c.cfg.MetricsListen == "" {
		return scrapePort{}, nil
	}
	l, err := server.Server{Addr: c.cfg.MetricsListen, Option: "metrics-listen"}.Listen()
	if err != nil {
		return scrapePort{}, err
	}
	return scrapePort{l}, nil
}

// Close gives the port back.
func (p scrapePort) Close() {
	if p.l != nil {
		_ = p.l.Close() // closed already after a clean stop
	}
}

// answer returns what answers scrapes on the port until its context ends,
// which is after the last request, so that the end is measured too.
func (p scrapePort) answer(c call, m *metrics.Metrics) func(context.Context) {
	if p.l == nil {
		return func(context.Context) {}
	}
	c.log.Info("metrics are answered", "at", reachable(p.l.Addr().String())+metrics.Path)
	srv := server.Server{Handler: m.Handler(c.cfg.MetricsToken), Log: slog.New(slog.DiscardHandler), Drain: scrapeDrain}
	return func(ctx context.Context) {
		if err := srv.Serve(ctx, p.l); err != nil {
			c.log.Error("metrics are answered no more", slog.Any("error", err))
		}
	}
}

// measure makes the metrics, if anybody may read them.
func (h *house) measure(c call) {
	if c.cfg.MetricsListen == "" && c.cfg.MetricsToken.Empty() {
		return
	}
	h.timer = metrics.NewSampler()
	h.metrics = metrics.New(metrics.Deps{
		Version: c.Version, Log: c.log,
		CheckTime: h.timer, Checks: h.verifier.Counts, RetiredUses: h.verifier.RetiredUses, RefusalCodes: refusalCodes(),
		Keys: h.keysByState, Expiring: h.keys.Expiring,
		Pending: h.usage.Pending, Dropped: h.samplesDropped,
		Throttled: h.people.Throttled, Sessions: h.people.CountSessions,
		Lag: h.db.Lag, Applied: h.db.Applied,
	})
}

// refusalCodes are the codes of requests with a good key that are refused.
func refusalCodes() []string {
	return []string{
		access.CodeGroup, access.CodeReadOnly, access.CodeScope, access.CodeRoute, access.CodeResource, access.CodeField,
		access.CodeHours, access.CodeRateLimit, access.CodeQuota, access.CodeProtectedAdmin, access.CodeUnreadable,
	}
}

func (h *house) keysByState(ctx context.Context) (map[string]int64, error) {
	states, err := h.keys.ByState(ctx)
	out := map[string]int64{}
	for state, n := range states {
		out[string(state)] = int64(n)
	}
	return out, err
}

func (h *house) samplesDropped(ctx context.Context) (map[string]int64, error) {
	t, err := h.usage.Totals(ctx)
	return t.Dropped, err
}

// observe returns what follows each call with a key: it is written down, and a
// refusal counted.
func (h *house) observe() func(c *endpoint.Call, status int, took time.Duration) {
	write := server.Observe(h.usage, clock.System{}.Now)
	return func(c *endpoint.Call, status int, took time.Duration) {
		write(c, status, took)
		if c.Refused != nil {
			h.metrics.Refused(c.Refused.Code)
		}
	}
}

// measured counts what next answers, and puts the metrics beside it for those
// who have the token.
func (h *house) measured(c call, next http.Handler) http.Handler {
	if h.metrics == nil {
		return next
	}
	next = h.metrics.Observe(next)
	if token := c.cfg.MetricsToken; !token.Empty() {
		return metrics.Beside(h.metrics.Handler(token), next)
	}
	return next
}

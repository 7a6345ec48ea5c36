package metrics

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// dialect is which part of the server answers a request.
type dialect int

// The dialects.
const (
	api    dialect = iota // Metabase's API
	v1                    // our own
	health                // whether the server is well
	pages                 // everything else
	dialects
)

// String returns the dialect's name in labels.
func (d dialect) String() string { return [dialects]string{"api", "v1", "health", "pages"}[d] }

// dialectOf returns who answers a path.
func dialectOf(path string) dialect {
	switch {
	case path == "/livez", path == "/readyz", path == "/api/health":
		return health
	case path == "/api", strings.HasPrefix(path, "/api/"):
		return api
	case path == "/v1", strings.HasPrefix(path, "/v1/"):
		return v1
	}
	return pages
}

// requests is what is counted of one dialect.
type requests struct {
	classes [5]prometheus.Counter // 1xx to 5xx
	seconds prometheus.Observer
}

func (m *Metrics) registerRequests() {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "latchkey_http_requests_total",
		Help: "Answered requests, by who answered (api, v1, health, pages) and by the class of the status.",
	}, []string{"dialect", "class"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "latchkey_http_request_seconds",
		Help:    "How long requests took, from the last header in to the last byte out.",
		Buckets: []float64{250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5, 10, 30},
	}, []string{"dialect"})
	for d := range dialects {
		r := &m.requests[d]
		r.seconds = seconds.WithLabelValues(d.String())
		for i, class := range []string{"1xx", "2xx", "3xx", "4xx", "5xx"} {
			r.classes[i] = total.WithLabelValues(d.String(), class)
		}
	}
	m.registry.MustRegister(total, seconds)
}

// Observe counts and times what next answers.
func (m *Metrics) Observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, of := time.Now(), &m.requests[dialectOf(r.URL.Path)]
		seen := &observed{ResponseWriter: w, status: http.StatusInternalServerError} // of a handler that panics
		defer func() {
			of.seconds.Observe(time.Since(start).Seconds())
			of.classes[min(max(seen.status/100, 1), len(of.classes))-1].Inc()
		}()
		next.ServeHTTP(seen, r)
		seen.wrote(http.StatusOK) // what net/http sends for a handler that says nothing
	})
}

// observed is an answer whose status is noted.
type observed struct {
	http.ResponseWriter
	status int
	sent   bool
}

// wrote notes the first status that ends an answer.
func (o *observed) wrote(status int) {
	if !o.sent && status >= http.StatusOK {
		o.status, o.sent = status, true
	}
}

// WriteHeader implements http.ResponseWriter.
func (o *observed) WriteHeader(status int) {
	o.wrote(status)
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observed) Write(b []byte) (int, error) {
	o.wrote(http.StatusOK)
	return o.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

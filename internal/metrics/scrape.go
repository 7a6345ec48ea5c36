package metrics

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"latchkey/internal/secret"
)

// Path is where scrapes are answered.
const Path = "/metrics"

// scrapesAtOnce bounds the work that scrapes make.
const scrapesAtOnce = 4

// Handler answers GET /metrics and nothing else. With a token, only to those
// who show it as a bearer token; others get 401 whatever they ask.
func (m *Metrics) Handler(token secret.Text) http.Handler {
	// Compression would cost half a megabyte for each scrape at a time, and the
	// answer has 20 KB.
	scrape := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: scrapesAtOnce, DisableCompression: true,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case !allowed(r, token):
			w.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
			http.Error(w, "Unauthenticated", http.StatusUnauthorized)
		case r.URL.Path != Path:
			http.Error(w, "Not found. Metrics are at "+Path+".", http.StatusNotFound)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method not allowed.", http.StatusMethodNotAllowed)
		default:
			scrape.ServeHTTP(w, r)
		}
	})
}

// Beside answers the path of metrics with scrape, and all others with next.
func Beside(scrape, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Path {
			scrape.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allowed reports whether a request shows the token, if there is one. The time
// it takes tells neither the token nor its length.
func allowed(r *http.Request, token secret.Text) bool {
	if token.Empty() {
		return true
	}
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(token.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// LogRequests writes a line for each request once it is answered. The line
// names the route and never the address, of which a reset link's is a secret,
// nor anything of headers and bodies. client finds the real address of a client.
func LogRequests(next http.Handler, log *slog.Logger, client func(*http.Request) netip.Addr) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := time.Now(), &observed{ResponseWriter: w}
		defer func() {
			log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelInfo, "request",
				slog.String("method", r.Method), slog.String("route", r.Pattern),
				slog.Int("status", seen.status), slog.Int64("bytes", seen.bytes),
				slog.Duration("took", time.Since(start)), slog.String("client", client(r).String()),
				slog.String("id", w.Header().Get("X-Request-Id")))
		}()
		next.ServeHTTP(seen, r)
	})
}

// observed is an answer whose status and size are noted.
type observed struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (o *observed) WriteHeader(status int) {
	if o.status < http.StatusOK {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observed) Write(b []byte) (int, error) {
	if o.status < http.StatusOK {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(b)
	o.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Server answers HTTP until it is told to stop.
type Server struct {
	Addr    string // host:port
	Option  string // that sets Addr, for errors of Listen; "listen" unless set
	Handler http.Handler
	Log     *slog.Logger
	Drain   time.Duration // how long requests may take to finish at the end
}

// Listen takes the address. The error is one line and names the fix.
func (s Server) Listen() (net.Listener, error) {
	l, err := net.Listen("tcp", s.Addr)
	option := cmp.Or(s.Option, "listen")
	with := "--" + option + " or LATCHKEY_" + strings.ToUpper(strings.ReplaceAll(option, "-", "_"))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: another program uses this port; stop it, or choose another with %s", s.Addr, with)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("cannot listen on %s: no permission for this port; choose one above 1023 with %s", s.Addr, with)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w; set host:port with %s", s.Addr, err, with)
	}
	return l, nil
}

// Serve answers on l until ctx ends, then lets the requests under way finish,
// for at most the drain time. It returns nil after a clean stop.
func (s Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       5 * time.Minute, // the largest body over a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.Log.Info("stopping: requests under way may finish", "within", s.Drain)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain)
	defer cancel()
	if err := h.Shutdown(drain); err != nil {
		_ = h.Close()
		s.Log.Warn("stopped with requests under way", slog.Any("error", err))
	}
	return nil
}

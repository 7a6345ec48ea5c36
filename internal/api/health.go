package api

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// pinger asks whether the database answers, once a second at most, so that
// nobody can load it through a route that asks for no credentials.
type pinger struct {
	ping  func(ctx context.Context) error
	clock clock.Clock

	mu   sync.Mutex
	last time.Time
	err  error
}

// How long an answer of the database counts, and how long it may take.
const (
	pingFor     = time.Second
	pingTimeout = 3 * time.Second
)

// check returns the state of the database. Callers at the same time share one
// question; one who leaves does not spoil it for the others.
func (p *pinger) check(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.clock.Now(); p.last.IsZero() || now.Sub(p.last) >= pingFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		p.err = p.ping(ctx)
		p.last = p.clock.Now()
	}
	return p.err
}

// Paths that answer before the start is over and without any credentials.
const (
	pathHealth = "/api/health"
	pathLive   = "/livez"
	pathReady  = "/readyz"
)

func isSystem(path string) bool {
	switch strings.TrimSuffix(path, "/") {
	case pathHealth, pathLive, pathReady:
		return true
	}
	return false
}

func (a *API) systemEndpoints() []endpoint.Endpoint {
	public := access.Public("health", access.Read)
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, pathHealth, "Say whether the server and its database work", public, a.getHealth),
		endpoint.New(http.MethodGet, pathLive, "Say that the process lives", public, a.getLive),
		endpoint.New(http.MethodGet, pathReady, "Say whether the server takes requests", public, a.getReady),
	}
}

// health is the answer of contract/identity.md 0.10.
type health struct {
	Status   string   `json:"status"`
	Progress *float64 `json:"progress,omitempty"`
}

func (a *API) getHealth(ctx context.Context, c *endpoint.Call, _ endpoint.None) (health, error) {
	if ok, progress := a.deps.Ready(); !ok {
		c.Status = http.StatusServiceUnavailable
		return health{Status: "initializing", Progress: &progress}, nil
	}
	err := a.health.check(ctx)
	if err == nil {
		return health{Status: "ok"}, nil
	}
	c.Status = http.StatusServiceUnavailable
	if fault.Is(err, fault.Unavailable) {
		return health{Status: "Unable to get app-db connection"}, nil
	}
	return health{Status: "Error getting app-db connection"}, nil
}

// plainText is an answer of plain text.
type plainText string

// Respond implements endpoint.Responder.
func (t plainText) Respond(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, string(t))
}

func (a *API) getLive(context.Context, *endpoint.Call, endpoint.None) (plainText, error) {
	return "ok", nil
}

// getReady answers 503 while the server starts or its database is away.
func (a *API) getReady(ctx context.Context, _ *endpoint.Call, _ endpoint.None) (plainText, error) {
	if ok, _ := a.deps.Ready(); !ok {
		return "", fault.New(fault.Unavailable, textInitializing)
	}
	if err := a.health.check(ctx); err != nil {
		return "", &fault.Error{Kind: fault.Unavailable, Err: err}
	}
	return "ok", nil
}

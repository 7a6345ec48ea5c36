package cli

import (
	"context"
	"net/netip"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/bulk"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/server"
	v1 "latchkey/internal/v1"
)

// newV1 puts our own API together. It knows the routes of the other one, to
// explain calls of them.
func newV1(c call, h *house, auth server.Authenticator, proxies endpoint.Proxies, other *api.API) (*v1.API, error) {
	s := h.services()
	s.Bulk = bulk.New(bulk.Deps{DB: h.db, Groups: h.groups, People: h.people, Content: h.content, Plan: api.Single(other.Table(), h.groups), Log: c.log})
	h.bulk = s.Bulk
	return v1.New(v1.Deps{
		Endpoints:    v1.Endpoints(s),
		Rules:        v1.Rules(),
		Authenticate: auth.Any,
		Metabase:     other.Table(),
		Simulate: func(ctx context.Context, who *access.Principal, keyID int64, from netip.Addr, at time.Time) (*access.Principal, []access.Step, error) {
			s, err := h.verifier.Simulate(ctx, who, keyID, from, at)
			return s.Principal, s.Steps, err
		},
		Beyond: h.beyond, Foresee: s.Bulk.Foresee,
		Clock: clock.System{}, Log: c.log, Proxies: proxies,
		SiteURL:          func() string { return h.settings.String("site-url") },
		MaxAnonymousBody: c.cfg.MaxUnauthenticatedBody,
		Context:          withOrigin,
		Observe:          h.observe(),
	})
}

// services are what the routes of our own API call.
func (h *house) services() v1.Services {
	return v1.Services{
		People: h.people, Groups: h.groups, Audit: h.audit, Keys: h.keys, Usage: h.usage, Clock: clock.System{},
	}
}

// beyond is what bindings refuse of a call that only the domain knows of. A
// bookmark is taken away also from what has moved out of sight, and a question
// that cannot move into a dashboard is a mistake of the call, wherever it lies.
func (h *house) beyond(ctx context.Context, who *access.Principal, req *access.Request) (*access.Refusal, error) {
	switch req.Route {
	case "DELETE /api/bookmark/{model}/{id}", "POST /api/collection/root/move-dashboard-question-candidates":
		return nil, nil
	}
	return h.content.Beyond(ctx, who, req)
}

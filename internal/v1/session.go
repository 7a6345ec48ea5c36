package v1

import (
	"context"
	"net/http"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/people"
)

// SessionEndpoints returns the routes about people's sessions.
func SessionEndpoints(ppl *people.Service) []endpoint.Endpoint {
	read := access.Self(access.KindSessions, access.Read, "id").Naming(access.KindPeople, "id")
	write := access.Self(access.KindSessions, access.Write, "id").Naming(access.KindPeople, "id")
	s := sessionRoutes{ppl}
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/v1/people/{id}/sessions", "List the sessions of a person", read, s.list),
		endpoint.New(http.MethodDelete, "/v1/people/{id}/sessions", "End all sessions of a person", write, s.endAll),
		endpoint.New(http.MethodDelete, "/v1/people/{id}/sessions/{session}", "End one session of a person",
			write, s.end),
	}
}

type sessionRoutes struct{ people *people.Service }

// personInput names a person.
type personInput struct {
	ID int64 `path:"id"`
}

// sessionInput names a session of a person.
type sessionInput struct {
	ID      int64 `path:"id"`
	Session int64 `path:"session"`
}

// session is a sign-in that still counts.
type session struct {
	ID         int64     `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"` // up to a minute behind
	ExpiresAt  time.Time `json:"expires_at"`
	RemoteAddr string    `json:"remote_addr"`
	UserAgent  string    `json:"user_agent"`
	Current    bool      `json:"current"` // the session that asks
}

func (s sessionRoutes) list(ctx context.Context, c *endpoint.Call, in personInput) (list[session], error) {
	if _, err := s.people.Get(ctx, c.Who, in.ID); err != nil {
		return list[session]{}, err
	}
	all, err := s.people.Sessions(ctx, c.Who, in.ID)
	return listOf(all, func(v people.SessionInfo) session { return session(v) }), err
}

func (s sessionRoutes) endAll(ctx context.Context, c *endpoint.Call, in personInput) (endpoint.None, error) {
	return endpoint.None{}, s.people.EndAllSessions(ctx, c.Who, in.ID)
}

func (s sessionRoutes) end(ctx context.Context, c *endpoint.Call, in sessionInput) (endpoint.None, error) {
	return endpoint.None{}, s.people.EndSession(ctx, c.Who, in.ID, in.Session)
}

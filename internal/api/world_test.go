package api_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// world is an API over fake endpoints, and what a test may turn.
type world struct {
	api         *api.API
	clock       *clock.Fake
	log         strings.Builder
	ready       bool
	dbErr       error
	pings       int
	authErr     error
	site        string
	origins     []string
	noLocalhost bool
	fail        error // what /api/fake/fail returns
	from        netip.Addr
}

type named struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type setupInput struct {
	Token secret.Text `json:"token" rule:"setuptoken"`
	User  struct {
		Email     string            `json:"email" rule:"email"`
		Password  secret.Text       `json:"password" rule:"password"`
		FirstName opt.Value[string] `json:"first_name" rule:"nonblank"`
	} `json:"user"`
	Prefs struct {
		SiteName   string            `json:"site_name" rule:"nonblank"`
		SiteLocale opt.Value[string] `json:"site_locale" rule:"locale"`
	} `json:"prefs"`
}

type keyInput struct {
	Name    string           `json:"name" rule:"nonblank,max=254"`
	GroupID int64            `json:"group_id" rule:"posint"`
	IsOn    opt.Value[bool]  `json:"is_on"`
	IDs     opt.Value[[]ref] `json:"ids"`
}

type ref struct {
	ID int64 `json:"id" rule:"posint"`
}

type changeInput struct {
	ID   int64                     `path:"id"`
	Name opt.Value[string]         `json:"name" rule:"nonempty,max=254"`
	Map  opt.Value[map[string]any] `json:"map"`
}

type listInput struct {
	On      opt.Value[bool]     `query:"on"`
	Include opt.Value[string]   `query:"include" rule:"enum=tables|tables.fields"`
	Models  opt.Value[[]string] `query:"models" rule:"enum=card|dashboard|table"`
}

func echo[In any](_ context.Context, _ *endpoint.Call, in In) (In, error) { return in, nil }

func (w *world) endpoints() []endpoint.Endpoint {
	admin, signed := access.Admin("groups", access.Write), access.Authenticated("groups", access.Read)
	open := access.Public("groups", access.Read)
	type none = endpoint.None
	return []endpoint.Endpoint{
		endpoint.New("POST", "/api/fake", "Make", admin, func(_ context.Context, _ *endpoint.Call, in keyInput) (named, error) {
			return named{in.GroupID, in.Name}, nil
		}),
		endpoint.New("GET", "/api/fake", "List", signed, func(_ context.Context, _ *endpoint.Call, _ listInput) ([]named, error) {
			return nil, nil
		}),
		endpoint.New("PUT", "/api/fake/{id}", "Change", admin, func(_ context.Context, _ *endpoint.Call, in changeInput) (int64, error) {
			return in.ID, nil
		}),
		endpoint.New("GET", "/api/fake/page", "Page", signed, func(_ context.Context, c *endpoint.Call, _ none) (endpoint.Page, error) {
			return c.Page, nil
		}),
		endpoint.New("GET", "/api/fake/fail", "Fail", signed, func(context.Context, *endpoint.Call, none) (none, error) {
			return none{}, w.fail
		}),
		endpoint.New("GET", "/api/fake/panic", "Panic", signed, func(context.Context, *endpoint.Call, none) (none, error) {
			panic("secret cause")
		}),
		endpoint.New("GET", "/api/fake/big", "Big", signed, func(context.Context, *endpoint.Call, none) (string, error) {
			return strings.Repeat("a", 5000), nil
		}),
		endpoint.New("GET", "/api/fake/stream", "Stream", signed, func(context.Context, *endpoint.Call, none) (stream, error) {
			return stream{}, nil
		}),
		endpoint.New("GET", "/api/fake/broken", "Break off", signed, func(context.Context, *endpoint.Call, none) (broken, error) {
			return broken{}, nil
		}),
		endpoint.New("GET", "/api/fake/open", "Open", open, func(context.Context, *endpoint.Call, none) (string, error) {
			return "open", nil
		}),
		endpoint.New("DELETE", "/api/fake/{id}", "Delete", admin, func(context.Context, *endpoint.Call, struct {
			ID int64 `path:"id"`
		}) (none, error) {
			return none{}, nil
		}),
		endpoint.New("POST", "/api/setup", "Set up", open, func(context.Context, *endpoint.Call, setupInput) (string, error) {
			return "done", nil
		}),
		endpoint.New("POST", "/api/session", "Log in", open, echo[struct {
			Username string          `json:"username" rule:"nonblank"`
			Password secret.Text     `json:"password" rule:"nonblank"`
			Remember opt.Value[bool] `json:"remember"`
		}]),
		endpoint.New("DELETE", "/api/session", "Log out", signed, func(context.Context, *endpoint.Call, none) (none, error) {
			return none{}, nil
		}),
	}
}

type stream struct{}

func (stream) Respond(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv")
	for range 3 {
		_, _ = io.WriteString(w, "a,b\n")
		_ = http.NewResponseController(w).Flush()
	}
}

type broken struct{}

func (broken) Respond(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv")
	_, _ = io.WriteString(w, "a,b\n")
	_ = http.NewResponseController(w).Flush()
	panic("in the middle")
}

// The credentials of the fake principals.
const (
	adminKey  = "key-of-admin"
	memberKey = "key-of-member"
)

func (w *world) authenticate(_ context.Context, r *http.Request, from netip.Addr, _ http.Header) (*access.Principal, error) {
	w.from = from
	if k, err := r.Cookie("metabase.SESSION"); err == nil && k.Value == "good" {
		return &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{1, 2}}, nil
	}
	switch r.Header.Get("X-API-Key") {
	case adminKey:
		return &access.Principal{Kind: access.ServiceKey, UserID: 2, KeyID: 1, Groups: []int64{1, 2}}, w.authErr
	case memberKey:
		return &access.Principal{Kind: access.ServiceKey, UserID: 3, KeyID: 2, Groups: []int64{1}}, w.authErr
	}
	return nil, w.authErr
}

func (w *world) deps() api.Deps {
	proxies, _ := endpoint.ParseProxies([]string{"10.0.0.0/8"})
	return api.Deps{
		Endpoints: w.endpoints(),
		Rules: endpoint.Rules{
			"password":   func(s string) bool { return len(s) > 5 },
			"locale":     func(s string) bool { return len(s) == 2 },
			"setuptoken": func(s string) bool { return s == "right" },
		},
		Authenticate:         w.authenticate,
		Version:              "v0.62.1",
		Clock:                w.clock,
		Log:                  slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Proxies:              proxies,
		Ready:                func() (bool, float64) { return w.ready, 0.4 },
		DBPing:               func(context.Context) error { w.pings++; return w.dbErr },
		SiteURL:              func() string { return w.site },
		CORSOrigins:          func() []string { return w.origins },
		DisableCORSLocalhost: func() bool { return w.noLocalhost },
		MaxAnonymousBody:     1000,
		MaxBody:              5000,
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{ready: true, clock: clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))}
	var err error
	if w.api, err = api.New(w.deps()); err != nil {
		t.Fatal(err)
	}
	return w
}

// call sends a request. body may be empty; headers are pairs.
func (w *world) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	return rec
}

package v1_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	v1 "latchkey/internal/v1"
)

// The credentials of the fake principals.
const (
	adminKey   = "key-of-admin"
	memberKey  = "key-of-member"
	readerKey  = "key-that-reads"
	limitedKey = "key-over-its-limit"
	cookie     = "metabase.SESSION=good"
)

// world is an API over fake endpoints, and what a test may turn.
type world struct {
	api     *v1.API
	clock   *clock.Fake
	log     strings.Builder
	authErr error
	site    string
	fail    error // what /v1/fake/fail returns
	from    netip.Addr
	seen    []seen
	key     *access.Principal // what the simulator knows
	checks  []access.Step
}

// seen is what the observer was told.
type seen struct {
	who    *access.Principal
	status int
	took   time.Duration
	reason string
}

type named struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type makeInput struct {
	Name    string               `json:"name" rule:"nonblank,max=10"`
	GroupID int64                `json:"group_id" rule:"posint" kind:"groups"`
	Kind    opt.Value[string]    `json:"kind" rule:"enum=a|b"`
	Owner   opt.Value[owner]     `json:"owner"`
	Refs    opt.Value[[]owner]   `json:"refs"`
	Free    opt.Value[any]       `json:"free"`
	Mail    opt.Value[string]    `json:"mail" rule:"email"`
	At      opt.Value[string]    `json:"at" rule:"date-time"`
	Labels  opt.Value[[]string]  `json:"labels" rule:"max=3"`
	Secrets opt.Value[[]float64] `json:"ratios"`
}

type owner struct {
	ID int64 `json:"id" rule:"posint"`
}

type pathInput struct {
	ID int64 `path:"id"`
}

type stream struct{}

// Respond implements endpoint.Responder.
func (stream) Respond(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "a\n")
	_ = http.NewResponseController(w).Flush()
	panic("in the middle")
}

func (w *world) endpoints() []endpoint.Endpoint {
	admin, signed := access.Admin("groups", access.Write), access.Authenticated("groups", access.Read)
	type none = endpoint.None
	return []endpoint.Endpoint{
		endpoint.New("GET", "/v1/fake", "List", signed, func(_ context.Context, c *endpoint.Call, _ struct {
			On opt.Value[bool] `query:"on"`
		}) ([]int, error) {
			return []int{c.Page.Limit.V}, nil
		}).Pages("limit"),
		endpoint.New("POST", "/v1/fake", "Make", admin, func(_ context.Context, _ *endpoint.Call, in makeInput) (named, error) {
			return named{in.GroupID, in.Name}, nil
		}).Answers(http.StatusCreated),
		endpoint.New("GET", "/v1/fake/{id}", "Get", signed, func(_ context.Context, _ *endpoint.Call, in pathInput) (named, error) {
			return named{in.ID, "<x>"}, nil
		}),
		endpoint.New("DELETE", "/v1/fake/{id}", "Delete", admin, func(context.Context, *endpoint.Call, pathInput) (none, error) {
			return none{}, nil
		}),
		endpoint.New("GET", "/v1/fake/fail", "Fail", signed, func(context.Context, *endpoint.Call, none) (none, error) {
			return none{}, w.fail
		}),
		endpoint.New("GET", "/v1/fake/panic", "Panic", signed, func(context.Context, *endpoint.Call, none) (none, error) {
			panic("secret cause")
		}),
		endpoint.New("GET", "/v1/fake/stream", "Stream", signed, func(context.Context, *endpoint.Call, none) (stream, error) {
			return stream{}, nil
		}),
		endpoint.New("POST", "/v1/fake/open", "Open", access.Public("session", access.Write), func(context.Context, *endpoint.Call, struct {
			Text opt.Value[string] `json:"text"`
		}) (string, error) {
			return "open", nil
		}),
	}
}

func (w *world) authenticate(_ context.Context, r *http.Request, from netip.Addr, answer http.Header) (*access.Principal, error) {
	w.from = from
	if k, err := r.Cookie("metabase.SESSION"); err == nil && k.Value == "good" || r.Header.Get("X-Metabase-Session") == "good" {
		return &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{1, 2}}, nil
	}
	switch r.Header.Get("X-API-Key") {
	case adminKey:
		return &access.Principal{Kind: access.ServiceKey, UserID: 2, KeyID: 1, Groups: []int64{1, 2}}, w.authErr
	case memberKey:
		return &access.Principal{Kind: access.ServiceKey, UserID: 3, KeyID: 2, Groups: []int64{1}}, w.authErr
	case readerKey:
		return reader(), nil
	case limitedKey:
		answer.Set("Retry-After", "7")
		return reader(), fault.Coded(fault.TooMany, access.CodeRateLimit, "At most 5 requests in 60 seconds.")
	}
	return nil, w.authErr
}

// reader is the principal of a key of Administrators that only reads.
func reader() *access.Principal {
	limits, err := access.Restriction{ReadOnly: true}.Compile()
	if err != nil {
		limits = access.Closed()
	}
	return &access.Principal{Kind: access.ServiceKey, UserID: 4, KeyID: 3, Groups: []int64{1, 2}, Limits: limits}
}

// metabase is the table of /api.
func metabase(t testing.TB) *endpoint.Table {
	t.Helper()
	self := access.Self("people", access.Write, "id").Naming("people", "id")
	table, err := endpoint.Compile([]endpoint.Endpoint{
		endpoint.New("GET", "/api/health", "Health", access.Public("health", access.Read),
			func(context.Context, *endpoint.Call, endpoint.None) (string, error) { return "", nil }),
		endpoint.New("PUT", "/api/user/{id}", "Change a user", self, func(context.Context, *endpoint.Call, struct {
			ID     int64               `path:"id"`
			First  opt.Value[string]   `json:"first_name" rule:"nonblank"`
			Groups opt.Value[[]int64]  `json:"groups" kind:"groups" scope:"memberships:write"`
			Prefs  opt.Value[struct{}] `json:"prefs"`
		}) (string, error) {
			return "", nil
		}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func (w *world) deps(t testing.TB) v1.Deps {
	proxies, err := endpoint.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	return v1.Deps{
		Endpoints:    w.endpoints(),
		Rules:        v1.Rules(),
		Authenticate: w.authenticate,
		Metabase:     metabase(t),
		Simulate: func(_ context.Context, who *access.Principal, id int64, _ netip.Addr, _ time.Time) (*access.Principal, []access.Step, error) {
			if !who.IsAdmin() {
				return nil, nil, access.Forbidden()
			}
			if w.key == nil || id != w.key.KeyID {
				return nil, nil, fault.New(fault.NotFound, "Not found.")
			}
			return w.key, w.checks, nil
		},
		Clock:            w.clock,
		Log:              slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Proxies:          proxies,
		SiteURL:          func() string { return w.site },
		MaxAnonymousBody: 100,
		MaxBody:          1000,
		Observe: func(c *endpoint.Call, status int, took time.Duration) {
			s := seen{who: c.Who, status: status, took: took}
			if c.Refused != nil {
				s.reason = c.Refused.Code
			}
			w.seen = append(w.seen, s)
		},
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)), fail: errors.New("the cause")}
	var err error
	if w.api, err = v1.New(w.deps(t)); err != nil {
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

// problem reads the body of an error, and makes sure that it is a whole one.
func problem(t testing.TB, rec *httptest.ResponseRecorder) v1.Problem {
	t.Helper()
	var p v1.Problem
	dec := json.NewDecoder(rec.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		t.Fatalf("%d, no problem: %v", rec.Code, err)
	}
	switch {
	case rec.Header().Get("Content-Type") != "application/problem+json":
		t.Errorf("media type %q", rec.Header().Get("Content-Type"))
	case p.Status != rec.Code || p.Type != "/v1/docs#"+p.Code || p.Title == "" || p.Code == "":
		t.Errorf("%d: %+v", rec.Code, p)
	case !strings.HasSuffix(p.Detail, "."):
		t.Errorf("detail %q is no sentence", p.Detail)
	case p.RequestID == "" || p.RequestID != rec.Header().Get("X-Request-Id"):
		t.Errorf("request_id %q, header %q", p.RequestID, rec.Header().Get("X-Request-Id"))
	case rec.Header().Get("Cache-Control") != "no-store":
		t.Error("may be stored")
	}
	return p
}

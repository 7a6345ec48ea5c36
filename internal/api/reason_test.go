package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// seen is what Observe was told of one answer.
type seen struct {
	route  string
	status int
	reason string
	key    int64
	took   time.Duration
}

// observed returns a world that notes what Observe is told.
func observed(t *testing.T, auth api.Authenticator) (*world, *[]seen) {
	t.Helper()
	w, list := newWorld(t), &[]seen{}
	d := w.deps()
	if auth != nil {
		d.Authenticate = auth
	}
	d.Observe = func(c *endpoint.Call, status int, took time.Duration) {
		s := seen{route: c.Route(), status: status, took: took, key: c.Who.KeyID}
		if c.Refused != nil {
			s.reason = c.Refused.Code
		}
		*list = append(*list, s)
	}
	var err error
	if w.api, err = api.New(d); err != nil {
		t.Fatal(err)
	}
	return w, list
}

func TestObserve(t *testing.T) {
	w, list := observed(t, nil)
	w.fail = fault.Coded(fault.Forbidden, access.CodeProtectedAdmin, "Not that one.")
	w.call("GET", "/api/fake", "", "X-API-Key", memberKey)
	w.call("GET", "/api/fake", "", "X-API-Key", "junk")
	w.call("GET", "/api/fake", "", "Cookie", "metabase.SESSION=good")
	w.call("DELETE", "/api/fake/5", "", "X-API-Key", memberKey)
	w.call("DELETE", "/api/fake/5", "", "X-API-Key", adminKey)
	w.call("GET", "/api/fake/nowhere/at/all", "", "X-API-Key", adminKey)
	w.call("GET", "/api/fake/panic", "", "X-API-Key", adminKey)
	w.call("GET", "/api/fake/stream", "", "X-API-Key", adminKey, "Accept-Encoding", "gzip")
	w.call("GET", "/api/fake/fail", "", "X-API-Key", adminKey)
	w.call("POST", "/api/fake", `{`, "X-API-Key", adminKey)
	func() {
		defer func() { _ = recover() }() // http.ErrAbortHandler
		w.call("GET", "/api/fake/broken", "", "X-API-Key", adminKey)
	}()
	want := []seen{
		{"GET /api/fake", 200, "", 2, 0}, {"DELETE /api/fake/{id}", 403, "group", 2, 0}, {"DELETE /api/fake/{id}", 204, "", 1, 0},
		{"", 404, "", 1, 0}, {"GET /api/fake/panic", 500, "", 1, 0}, {"GET /api/fake/stream", 200, "", 1, 0},
		{"GET /api/fake/fail", 403, "protected-admin", 1, 0}, {"", 400, "", 1, 0}, {"GET /api/fake/broken", 200, "", 1, 0},
	}
	if len(*list) != len(want) {
		t.Fatalf("%d calls were observed, want %d: %+v", len(*list), len(want), *list)
	}
	for i, got := range *list {
		if got != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got, want[i])
		}
	}
}

func TestObserveTellsHowLongItTook(t *testing.T) {
	var w *world
	w, list := observed(t, func(ctx context.Context, r *http.Request, from netip.Addr, h http.Header) (*access.Principal, error) {
		w.clock.Advance(3 * time.Millisecond)
		return w.authenticate(ctx, r, from, h)
	})
	w.call("GET", "/api/fake", "", "X-API-Key", memberKey)
	if len(*list) != 1 || (*list)[0].took != 3*time.Millisecond {
		t.Errorf("%+v", *list)
	}
}

// A key that the authenticator refuses is told why; others never are.
func TestReasons(t *testing.T) {
	tooMany := fault.Coded(fault.TooMany, access.CodeRateLimit, "Too many requests. Try again in 7 seconds.")
	key := &access.Principal{Kind: access.ServiceKey, UserID: 3, KeyID: 2, Groups: []int64{1}}
	person := &access.Principal{Kind: access.Person, UserID: 3, Groups: []int64{1}}
	for _, c := range []struct {
		name   string
		who    *access.Principal
		err    error
		target string
		status int
		reason string
		body   string
	}{
		{"over the rate limit", key, tooMany, "/api/fake", 429, "rate-limit", tooMany.Message},
		{"over the quota", key, fault.Coded(fault.TooMany, access.CodeQuota, ""), "/api/fake", 429, "quota", "Too many requests."},
		{"over the rate limit, unknown to us", nil, tooMany, "/api/fake", 429, "", tooMany.Message},
		{"another throttle", key, fault.New(fault.TooMany, "Slow down."), "/api/fake", 400, "", "Slow down."},
		{"the groups", key, nil, "/api/fake/5", 403, "group", "You don't have permissions to do that."},
		{"the groups, a person", person, nil, "/api/fake/5", 403, "", "You don't have permissions to do that."},
		{"no code", key, fault.New(fault.Forbidden, "Not from there."), "/api/fake", 403, "forbidden", "Not from there."},
		{"failed", key, errors.New("away"), "/api/fake", 500, "", ""},
	} {
		w, list := observed(t, func(_ context.Context, _ *http.Request, _ netip.Addr, h http.Header) (*access.Principal, error) {
			h.Set("Ratelimit", `"rate-limit";r=0;t=7`)
			return c.who, c.err
		})
		method := "GET"
		if c.target == "/api/fake/5" {
			method = "DELETE"
		}
		rec := w.call(method, c.target, "", "X-API-Key", "k")
		if got := rec.Header().Get("Latchkey-Reason"); rec.Code != c.status || got != c.reason || c.body != "" && rec.Body.String() != c.body {
			t.Errorf("%s: %d, reason %q, %s", c.name, rec.Code, got, rec.Body)
		}
		if rec.Header().Get("Ratelimit") == "" {
			t.Errorf("%s: what the authenticator tells is lost", c.name)
		}
		if known := c.who != nil && c.who.IsKey(); (len(*list) == 1) != known || known && (*list)[0].reason != c.reason {
			t.Errorf("%s: observed %+v", c.name, *list)
		}
	}
}

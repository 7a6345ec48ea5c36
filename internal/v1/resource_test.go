package v1_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/setting"
	v1 "latchkey/internal/v1"
)

const password = "ada-lovelace-1815"

// instance is the real domain behind the API, with ada, an administrator, and
// bo, a plain person of the group Analysts.
type instance struct {
	world
	people *people.Service
	groups *group.Service
	audit  *audit.Log
	who    *access.Principal // who calls
	ids    map[string]int64
}

func eachInstance(t *testing.T, f func(t *testing.T, in *instance)) {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		clk := clock.NewFake(start)
		d := p.Open(t, dbtest.WithClock(clk))
		in := &instance{world: world{clock: clk}, ids: map[string]int64{}, audit: audit.New(d)}
		settings, err := setting.New(t.Context(), d, in.audit, setting.Overrides{})
		check(t, err)
		in.groups, err = group.New(t.Context(), d, in.audit, slog.New(slog.DiscardHandler))
		check(t, err)
		in.people = people.New(people.Deps{DB: d, Audit: in.audit, Groups: in.groups, Settings: settings, Mail: mail.New(mail.Config{}), Options: people.Options{CheapHashes: true}})
		t.Cleanup(func() { check(t, in.people.Close(context.WithoutCancel(t.Context()))) })
		deps := in.deps(t)
		deps.Endpoints = slices.Concat(v1.SelfEndpoints(v1.Services{Groups: in.groups}), v1.SessionEndpoints(in.people), v1.AuditEndpoints(in.audit))
		deps.Authenticate = func(context.Context, *http.Request, netip.Addr, http.Header) (*access.Principal, error) {
			return in.who, nil
		}
		in.api, err = v1.New(deps)
		check(t, err)
		in.furnish(t)
		f(t, in)
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (in *instance) furnish(t *testing.T) {
	t.Helper()
	g, err := in.groups.Create(t.Context(), access.CommandLine(), "Analysts")
	check(t, err)
	in.ids["analysts"] = g.ID
	for name, groups := range map[string][]int64{"ada": {access.AllUsers, access.Administrators}, "bo": {access.AllUsers, g.ID}} {
		u, err := in.people.Create(t.Context(), access.CommandLine(), people.NewUser{
			Email: name + "@example.com", FirstName: &name, Groups: groups, Password: secret.New(password),
		})
		check(t, err)
		in.ids[name] = u.ID
	}
}

// as sets who calls.
func (in *instance) as(name string) *instance {
	groups := map[string][]int64{"ada": {access.AllUsers, access.Administrators}, "bo": {access.AllUsers, in.ids["analysts"]}}[name]
	in.who = &access.Principal{Kind: access.Person, UserID: in.ids[name], Name: name, Groups: groups}
	return in
}

// want sends a request and compares the status; it returns the body.
func (in *instance) want(t *testing.T, status int, method, target string) string {
	t.Helper()
	rec := in.call(method, target, "")
	if rec.Code != status {
		t.Fatalf("%s %s: got %d %s, want %d", method, target, rec.Code, rec.Body, status)
	}
	if status >= 400 {
		problem(t, rec)
	}
	return rec.Body.String()
}

func TestSelfOfAPerson(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.as("bo")
		want := fmt.Sprintf(`{"kind":"person","user_id":%d,"name":"bo","key":null,"secret":null,"may":null,"groups":[{"id":1,"name":"All Users"},{"id":%d,"name":"Analysts"}],"is_admin":false}`,
			in.ids["bo"], in.ids["analysts"])
		if got := in.want(t, 200, "GET", "/v1/self"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		in.who = nil
		in.want(t, 401, "GET", "/v1/self")
	})
}

func TestSessions(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		for range 3 {
			_, err := in.people.SignIn(t.Context(), "bo@example.com", secret.New(password), false)
			check(t, err)
		}
		path := fmt.Sprintf("/v1/people/%d/sessions", in.ids["bo"])
		var got struct {
			Data []struct {
				ID        int64
				CreatedAt time.Time `json:"created_at"`
			}
		}
		check(t, json.Unmarshal([]byte(in.as("bo").want(t, 200, "GET", path)), &got))
		if len(got.Data) != 3 || !got.Data[0].CreatedAt.Equal(in.clock.Now()) {
			t.Fatalf("got %+v", got)
		}
		one := fmt.Sprintf("%s/%d", path, got.Data[0].ID)
		in.want(t, 204, "DELETE", one)
		in.want(t, 404, "DELETE", one)
		check(t, json.Unmarshal([]byte(in.as("ada").want(t, 200, "GET", path)), &got))
		if len(got.Data) != 2 {
			t.Errorf("%d sessions are left", len(got.Data))
		}
		in.want(t, 204, "DELETE", path)
		if body := in.want(t, 200, "GET", path); body != `{"data":[]}` {
			t.Errorf("got %s", body)
		}
		in.want(t, 404, "GET", "/v1/people/999999/sessions")
		in.want(t, 404, "DELETE", "/v1/people/999999/sessions")
		in.as("bo").want(t, 403, "GET", fmt.Sprintf("/v1/people/%d/sessions", in.ids["ada"]))
		in.want(t, 403, "DELETE", fmt.Sprintf("/v1/people/%d/sessions", in.ids["ada"]))
	})
}

func TestAudit(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.as("ada")
		var page struct {
			Data []struct {
				ID     int64
				At     time.Time
				Action string
				Object struct{ Kind, Name string }
				Hash   string
			}
			Next *int64
		}
		check(t, json.Unmarshal([]byte(in.want(t, 200, "GET", "/v1/audit?limit=2")), &page))
		if len(page.Data) != 2 || page.Next == nil || *page.Next != page.Data[1].ID || len(page.Data[0].Hash) != 64 {
			t.Fatalf("got %+v", page)
		}
		first := page.Data[0].ID
		check(t, json.Unmarshal([]byte(in.want(t, 200, "GET", fmt.Sprintf("/v1/audit?limit=1000&after=%d", *page.Next))), &page))
		if len(page.Data) == 0 || page.Data[0].ID != first+2 || page.Next != nil {
			t.Errorf("the next part: %+v", page)
		}
		check(t, json.Unmarshal([]byte(in.want(t, 200, "GET", "/v1/audit?object_kind=group&action=group.&q=analysts&newest=true&from=2026-01-02T04:04:05%2B01:00&to=2026-01-03T00:00:00Z")), &page))
		if len(page.Data) != 1 || page.Data[0].Object.Name != "Analysts" {
			t.Errorf("the filter: %+v", page)
		}
		if body := in.want(t, 200, "GET", "/v1/audit?action=no.such"); body != `{"data":[],"next":null}` {
			t.Errorf("got %s", body)
		}
		for _, query := range []string{"limit=0", "limit=1001", "object_id=3", "from=now", "actor_kind=x", "colour=red", "key_id=0"} {
			in.want(t, 400, "GET", "/v1/audit?"+query)
		}
		in.as("bo").want(t, 403, "GET", "/v1/audit")
	})
}

func TestAuditExportAndHead(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		rec := in.as("ada").call("GET", "/v1/audit/export", "")
		if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/x-ndjson" || !strings.Contains(rec.Header().Get("Content-Disposition"), "audit.ndjson") {
			t.Fatalf("got %d %v", rec.Code, rec.Header())
		}
		lines := strings.Split(strings.TrimSpace(rec.Body.String()), "\n")
		var last struct {
			ID   int64
			Hash string
		}
		check(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
		if head := in.want(t, 200, "GET", "/v1/audit/head"); head != fmt.Sprintf(`{"id":%d,"hash":"%s"}`, last.ID, last.Hash) {
			t.Errorf("head %s, last line %+v", head, last)
		}
		if some := in.want(t, 200, "GET", "/v1/audit/export?limit=1&newest=true"); strings.TrimSpace(some) != lines[len(lines)-1] {
			t.Errorf("got %s", some)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		failed := httptest.NewRecorder()
		in.api.ServeHTTP(failed, httptest.NewRequestWithContext(gone, "GET", "/v1/audit/export", nil))
		if p := problem(t, failed); p.Code != "internal" || failed.Header().Get("Content-Disposition") != "" {
			t.Errorf("an export that failed at once: %+v", p)
		}
		in.as("bo").want(t, 403, "GET", "/v1/audit/export")
		in.want(t, 403, "GET", "/v1/audit/head")
	})
}

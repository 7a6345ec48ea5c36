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
	"latchkey/internal/api"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/bulk"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/endpoint"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/setting"
	"latchkey/internal/usage"
	v1 "latchkey/internal/v1"
)

// house is the API over the real domain, with keys that are really checked and
// counted. ada is an administrator, bo is a plain person of Analysts.
type house struct {
	world
	t        *testing.T
	people   *people.Service
	groups   *group.Service
	keys     *apikey.Service
	usage    *usage.Service
	bulk     *bulk.Service
	db       *db.DB
	verifier *apikey.Verifier
	ids      map[string]int64
	texts    map[string]string // of keys, by name
}

func newHouse(t *testing.T) *house {
	t.Helper()
	clk := clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	h := &house{t: t, world: world{clock: clk}, ids: map[string]int64{}, texts: map[string]string{}}
	d, log := dbtest.Open(t, dbtest.SQLite, dbtest.WithClock(clk)), slog.New(slog.DiscardHandler)
	record := audit.New(d)
	settings, err := setting.New(t.Context(), d, record, setting.Overrides{})
	check(t, err)
	h.groups, err = group.New(t.Context(), d, record, log)
	check(t, err)
	h.people = people.New(people.Deps{DB: d, Audit: record, Groups: h.groups, Settings: settings, Mail: mail.New(mail.Config{}), Options: people.Options{CheapHashes: true}})
	t.Cleanup(func() { check(t, h.people.Close(context.WithoutCancel(t.Context()))) })
	h.usage = usage.New(d, log, usage.Options{})
	peppers, err := apikey.OpenPeppers(t.Context(), d, apikey.PepperSource{Text: secret.New(strings.Repeat("7e", 32))})
	check(t, err)
	h.keys = apikey.New(apikey.Deps{
		DB: d, Audit: record, People: h.people, Groups: h.groups, Usage: h.usage, Peppers: peppers,
		Prefix: func() string { return "lk_" }, Vocabulary: func() *access.Vocabulary { return h.api.Vocabulary() },
		HasSetting: settings.Has,
	})
	h.verifier = apikey.NewVerifier(d, peppers, h.people.Subjects(), h.usage, log)
	deps := h.deps(t)
	deps.MaxBody, deps.MaxAnonymousBody = 0, 0
	singles, err := endpoint.Compile(api.Endpoints(api.Services{People: h.people, Groups: h.groups, Keys: h.keys, Settings: settings, Mail: mail.New(mail.Config{})}), api.Rules(h.people))
	check(t, err)
	h.db, h.bulk = d, bulk.New(bulk.Deps{DB: d, Groups: h.groups, People: h.people, Plan: api.Single(singles, h.groups)})
	deps.Endpoints = v1.Endpoints(v1.Services{People: h.people, Groups: h.groups, Audit: record, Keys: h.keys, Usage: h.usage, Clock: clk, Bulk: h.bulk})
	deps.Authenticate, deps.Observe = h.authenticate, h.observe
	h.api, err = v1.New(deps)
	check(t, err)
	h.furnish()
	return h
}

// furnish makes the people, the groups and the keys that the tests share.
func (h *house) furnish() {
	h.t.Helper()
	for _, name := range []string{"Analysts", "Writers"} {
		g, err := h.groups.Create(h.t.Context(), access.CommandLine(), name)
		check(h.t, err)
		h.ids[name] = g.ID
	}
	for name, g := range map[string]int64{"ada": access.Administrators, "bo": h.ids["Analysts"], "cy": h.ids["Writers"]} {
		u, err := h.people.Create(h.t.Context(), access.CommandLine(), people.NewUser{
			Email: name + "@example.com", FirstName: &name, Groups: []int64{access.AllUsers, g}, Password: secret.New(password),
		})
		check(h.t, err)
		h.ids[name] = u.ID
	}
	h.makeKey("root", access.Administrators, access.Restriction{})
	h.makeKey("member", h.ids["Analysts"], access.Restriction{})
}

// makeKey makes a service key and keeps its text and id under its name.
func (h *house) makeKey(name string, groupID int64, r access.Restriction) int64 {
	h.t.Helper()
	k, text, err := h.keys.Make(h.t.Context(), access.CommandLine(), apikey.Draft{Name: name, Groups: []int64{groupID}, Restriction: r})
	check(h.t, err)
	h.ids[name], h.texts[name] = k.ID, text.Reveal()
	return k.ID
}

// The header in which the tests say which person calls.
const personHeader = "X-Person"

func (h *house) authenticate(ctx context.Context, r *http.Request, from netip.Addr, _ http.Header) (*access.Principal, error) {
	if name := r.Header.Get(personHeader); name != "" {
		s, err := h.people.Subjects().Get(ctx, h.ids[name])
		if err != nil {
			return nil, err
		}
		return &access.Principal{Kind: access.Person, UserID: s.UserID, Name: s.Name, Groups: s.Groups}, nil
	}
	text := r.Header.Get("X-API-Key")
	if text == "" {
		return nil, nil
	}
	c, err := h.verifier.Verify(ctx, text, from)
	if err == nil && c.Principal == nil && c.KeyID != 0 {
		h.usage.Refused(c.KeyID, c.SecretID, c.Reason.String(), from, r.UserAgent(), h.clock.Now())
	}
	return c.Principal, err
}

func (h *house) observe(c *endpoint.Call, status int, took time.Duration) {
	if c.Who == nil {
		return
	}
	u := usage.Use{
		KeyID: c.Who.KeyID, SecretID: c.Who.SecretID, Route: c.Route(), Status: status, Addr: c.RemoteAddr, Agent: c.Request.UserAgent(),
		RequestID: c.RequestID, At: h.clock.Now(), Took: took, Refs: c.Refs, Writes: c.Writes,
	}
	if c.Refused != nil {
		u.Refusal = c.Refused.Code
	}
	if c.Trial != nil {
		u.Trial = c.Trial.Code
	}
	h.usage.Record(&u)
}

// path fills in ids: {root} is the id of what was made under that name.
func (h *house) path(s string) string {
	for name, id := range h.ids {
		s = strings.ReplaceAll(s, "{"+name+"}", fmt.Sprint(id))
	}
	return s
}

// as sends a request of a person, or with the key of a name or with a text; ""
// is nobody. Ids are filled into the target and the body.
func (h *house) as(who, method, target, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	headers := []string{"User-Agent", "curl/8"}
	switch {
	case slices.Contains([]string{"ada", "bo", "cy"}, who):
		headers = append(headers, personHeader, who)
	case h.texts[who] != "":
		headers = append(headers, "X-API-Key", h.texts[who])
	case who != "":
		headers = append(headers, "X-API-Key", who)
	}
	return h.call(method, h.path(target), h.path(body), headers...)
}

// ok sends a request that must succeed with a status, and reads its answer.
func (h *house) ok(status int, who, method, target, body string) answer {
	h.t.Helper()
	rec := h.as(who, method, target, body)
	if rec.Code != status {
		h.t.Fatalf("%s %s %s: got %d %s, want %d", who, method, target, rec.Code, rec.Body, status)
	}
	if rec.Header().Get("Cache-Control") != "no-store" {
		h.t.Errorf("%s %s may be stored", method, target)
	}
	var out answer
	if rec.Body.Len() > 0 {
		check(h.t, json.Unmarshal(rec.Body.Bytes(), &out.value))
	}
	out.t, out.header, out.text = h.t, rec.Header(), rec.Body.String()
	return out
}

// refused sends a request that must be refused with a status and a code, and
// must change nothing. fields are "name code" of its errors.
func (h *house) refused(status int, code, who, method, target, body string, fields ...string) {
	h.t.Helper()
	before := h.head()
	rec := h.as(who, method, target, body)
	if rec.Code != status {
		h.t.Errorf("%s %s %s %s: got %d %s, want %d", who, method, target, body, rec.Code, rec.Body, status)
		return
	}
	p := problem(h.t, rec)
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field+" "+f.Code)
	}
	if p.Code != code || !slices.Equal(got, fields) {
		h.t.Errorf("%s %s %s %s: got %s %q, want %s %q (%s)", who, method, target, body, p.Code, got, code, fields, p.Detail)
	}
	if h.head() != before {
		h.t.Errorf("%s %s %s: something changed", who, method, target)
	}
}

// head is the newest entry of the audit log: it differs after every change.
func (h *house) head() string {
	h.t.Helper()
	return h.as("ada", "GET", "/v1/audit/head", "").Body.String()
}

// answer is the JSON of an answer.
type answer struct {
	t      *testing.T
	value  any
	header http.Header
	text   string
}

// at returns a part as JSON: at("data.0.name").
func (a answer) at(path string) string {
	a.t.Helper()
	v := a.value
	for name := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[name]; !ok {
				a.t.Fatalf("no %s in %s", path, a.text)
			}
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(x) {
				a.t.Fatalf("no %s in %s", path, a.text)
			}
			v = x[i]
		default:
			a.t.Fatalf("no %s in %s", path, a.text)
		}
	}
	out, err := json.Marshal(v)
	check(a.t, err)
	return string(out)
}

// string returns a part that is a text.
func (a answer) string(path string) string {
	a.t.Helper()
	var s string
	check(a.t, json.Unmarshal([]byte(a.at(path)), &s))
	return s
}

// id returns a part that is a number.
func (a answer) id(path string) int64 {
	a.t.Helper()
	var n int64
	check(a.t, json.Unmarshal([]byte(a.at(path)), &n))
	return n
}

// are compares parts with JSON, pair by pair.
func (a answer) are(pairs ...string) {
	a.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := a.at(pairs[i]); got != pairs[i+1] {
			a.t.Errorf("%s: got %s, want %s", pairs[i], got, pairs[i+1])
		}
	}
}

// names lists the names in data.
func (a answer) names() string {
	a.t.Helper()
	var page struct{ Data []struct{ Name string } }
	check(a.t, json.Unmarshal([]byte(a.text), &page))
	var out []string
	for _, k := range page.Data {
		out = append(out, k.Name)
	}
	return strings.Join(out, " ")
}

// allowPersonal lets everybody make personal keys.
func (h *house) allowPersonal() {
	h.t.Helper()
	_, _, err := h.keys.SetPolicy(h.t.Context(), access.CommandLine(), apikey.Instance, apikey.Policy{AllowPersonal: true}, apikey.Existing{})
	check(h.t, err)
}

package v1_test

import (
	"encoding/json"
	"strings"
	"testing"

	"latchkey/internal/access"
)

// told is what a test reads of an explanation.
type told struct {
	Allowed, Anonymous bool
	Status             *int
	Code               *string
	DecidedBy          string `json:"decided_by"`
	Message            string
	Route              *struct {
		Route, Who, Scope string
		ExtraScopes       []string `json:"extra_scopes"`
	}
	Resources []struct{ Kind, ID string }
	Writes    []struct{ Kind, Field string }
	Steps     []struct {
		Name   string
		Passed bool
	}
	Trial *struct{ Code string }
}

// steps lists the steps; those that failed bear a minus.
func (e told) steps() string {
	var out []string
	for _, s := range e.Steps {
		if !s.Passed {
			s.Name = "-" + s.Name
		}
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

func limits(t *testing.T, r access.Restriction) *access.Limits {
	t.Helper()
	l, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestExplain(t *testing.T) {
	admin := []int64{1, 2}
	bound := access.Restriction{Resources: map[string][]string{"people": {"7"}}, Fields: map[string][]string{"people": {"first_name"}}}
	scoped := access.Restriction{Scopes: []string{"people:write"}}
	alive := access.Step{Name: "key-deleted", Passed: true, Detail: "the key is there"}
	expired := access.Step{Name: "key-expired", Detail: "the key ended"}
	tests := []struct {
		name                       string
		groups                     []int64
		restriction, trial         access.Restriction
		checks                     []access.Step
		call                       string // method, path and body
		allowed                    bool
		status                     int
		code, decidedBy, steps     string
		route, resources, onTrial  string
		anonymous                  bool
		writes, extra, messagePart string
	}{
		{name: "allowed by group", groups: admin, call: `PUT /api/user/7 {"first_name":"A"}`, allowed: true, decidedBy: "group", steps: "key-deleted group",
			route: "PUT /api/user/{id}", resources: "people/7", writes: "first_name"},
		{name: "group", groups: []int64{1}, call: `PUT /api/user/7 {}`, status: 403, code: "group", decidedBy: "group", steps: "key-deleted -group",
			route: "PUT /api/user/{id}", resources: "people/7", messagePart: "Administrators"},
		{name: "resource", groups: admin, restriction: bound, call: `PUT /api/user/8 {"first_name":"A"}`, status: 403, code: "resource", decidedBy: "resource",
			steps: "key-deleted group -resource field", route: "PUT /api/user/{id}", resources: "people/8", writes: "first_name"},
		{name: "field", groups: admin, restriction: bound, call: `PUT /api/user/7 {"prefs":{}}`, status: 403, code: "field", decidedBy: "field",
			steps: "key-deleted group resource -field", route: "PUT /api/user/{id}", resources: "people/7", writes: "prefs"},
		{name: "extra scope", groups: admin, restriction: scoped, call: `PUT /api/user/7 {"groups":[5]}`, status: 403, code: "scope", decidedBy: "scope",
			steps: "key-deleted group -scope", route: "PUT /api/user/{id}", resources: "people/7 groups/5", writes: "groups", extra: "memberships:write"},
		{name: "state", groups: admin, checks: []access.Step{alive, expired}, call: `PUT /api/user/7 {}`, status: 401, code: "key-expired", decidedBy: "key-expired",
			steps: "key-deleted -key-expired group", route: "PUT /api/user/{id}", resources: "people/7", messagePart: "the key ended."},
		{name: "state, open route", groups: admin, checks: []access.Step{expired}, call: `GET /api/health `, allowed: true, anonymous: true, decidedBy: "key-expired",
			steps: "-key-expired group", route: "GET /api/health", messagePart: "open to everybody"},
		{name: "hours, open route", groups: admin, checks: []access.Step{{Name: "hours", Detail: "Sun 10:00 UTC"}}, call: `GET /api/health `, status: 403, code: "hours",
			decidedBy: "hours", steps: "-hours group", route: "GET /api/health"},
		{name: "trial", groups: admin, trial: access.Restriction{ReadOnly: true}, call: `PUT /api/user/7 {}`, allowed: true, decidedBy: "group",
			steps: "key-deleted group", route: "PUT /api/user/{id}", resources: "people/7", onTrial: "read-only"},
		{name: "no route", groups: admin, call: `PUT /api/nowhere `, status: 404, code: "no-route", decidedBy: "routing", steps: "-routing"},
		{name: "our own API", groups: admin, call: `GET /v1/fake/7?x=1 `, status: 400, code: "invalid", decidedBy: "input", steps: "-input", route: "GET /v1/fake/{id}",
			messagePart: "x: Leave it out"},
		{name: "paging", groups: admin, call: `GET /v1/fake?limit=x `, status: 400, code: "invalid", decidedBy: "input", steps: "-input", route: "GET /v1/fake",
			messagePart: "limit: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.key = &access.Principal{Kind: access.ServiceKey, UserID: 9, KeyID: 44, Groups: tt.groups}
			if !tt.restriction.IsZero() {
				w.key.Limits = limits(t, tt.restriction)
			}
			if !tt.trial.IsZero() {
				w.key.Trial = limits(t, tt.trial)
			}
			if w.checks = tt.checks; w.checks == nil {
				w.checks = []access.Step{alive}
			}
			method, rest, _ := strings.Cut(tt.call, " ")
			path, body, _ := strings.Cut(rest, " ")
			if body != "" {
				body = `,"body":` + body
			}
			rec := w.call("POST", "/v1/explain", `{"key_id":44,"method":"`+method+`","path":"`+path+`"`+body+`}`, "X-API-Key", adminKey)
			var got told
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 {
				t.Fatal(rec.Code, rec.Body, err)
			}
			if got.Allowed != tt.allowed || got.Anonymous != tt.anonymous || got.DecidedBy != tt.decidedBy || got.steps() != tt.steps ||
				(got.Status == nil) != tt.allowed || (got.Code == nil) != tt.allowed {
				t.Errorf("got %s", rec.Body)
			}
			if !tt.allowed && (*got.Status != tt.status || *got.Code != tt.code) {
				t.Errorf("got %d %s, want %d %s", *got.Status, *got.Code, tt.status, tt.code)
			}
			var refs, writes []string
			for _, r := range got.Resources {
				refs = append(refs, r.Kind+"/"+r.ID)
			}
			for _, f := range got.Writes {
				writes = append(writes, f.Field)
			}
			if strings.Join(refs, " ") != tt.resources || strings.Join(writes, " ") != tt.writes || !strings.Contains(got.Message, tt.messagePart) {
				t.Errorf("resources %v, writes %v, message %q", refs, writes, got.Message)
			}
			if tt.route == "" != (got.Route == nil) || got.Route != nil && (got.Route.Route != tt.route || strings.Join(got.Route.ExtraScopes, " ") != tt.extra) {
				t.Errorf("route %+v", got.Route)
			}
			if tt.onTrial == "" != (got.Trial == nil) || got.Trial != nil && got.Trial.Code != tt.onTrial {
				t.Errorf("trial %+v", got.Trial)
			}
		})
	}
}

func TestExplainRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, key, body string
		status          int
		field           string
	}{
		{"anonymous", "", `{}`, 401, ""},
		{"member", memberKey, `{"key_id":44,"method":"GET","path":"/api/health"}`, 403, ""},
		{"no such key", adminKey, `{"key_id":45,"method":"GET","path":"/api/health"}`, 404, ""},
		{"address", adminKey, `{"key_id":44,"method":"GET","path":"/api/health","address":"10.0.0.0/8"}`, 400, "address"},
		{"path", adminKey, `{"key_id":44,"method":"GET","path":"api/health"}`, 400, "path"},
		{"broken path", adminKey, `{"key_id":44,"method":"GET","path":"/api/%zz"}`, 400, "path"},
		{"method", adminKey, `{"key_id":44,"method":"get","path":"/api/health"}`, 400, "method"},
		{"time", adminKey, `{"key_id":44,"method":"GET","path":"/api/health","at":"noon"}`, 400, "at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.key = &access.Principal{Kind: access.ServiceKey, KeyID: 44, Groups: []int64{1}}
			p := problem(t, w.call("POST", "/v1/explain", tt.body, "X-API-Key", tt.key))
			if p.Status != tt.status || tt.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != tt.field) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

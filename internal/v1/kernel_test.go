package v1_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	v1 "latchkey/internal/v1"
)

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, method, target, key, body string
		status                          int
		want                            string
	}{
		{"list", "GET", "/v1/fake", memberKey, "", 200, `[0]`},
		{"slash", "GET", "/v1/fake/", memberKey, "", 200, `[0]`},
		{"query", "GET", "/v1/fake?on=true&limit=5", memberKey, "", 200, `[5]`},
		{"get", "GET", "/v1/fake/7", memberKey, "", 200, `{"id":7,"name":"<x>"}`},
		{"created", "POST", "/v1/fake", adminKey, `{"name":"a","group_id":5}`, 201, `{"id":5,"name":"a"}`},
		{"deleted", "DELETE", "/v1/fake/7", adminKey, "", 204, ``},
		{"public, anonymous", "POST", "/v1/fake/open", "", `{}`, 200, `"open"`},
		{"public, no body", "POST", "/v1/fake/open", "", ``, 200, `"open"`},
		{"public, key that may not", "POST", "/v1/fake/open", readerKey, `{}`, 200, `"open"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newWorld(t).call(tt.method, tt.target, tt.body, "X-API-Key", tt.key)
			if rec.Code != tt.status || rec.Body.String() != tt.want {
				t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, tt.status, tt.want)
			}
			media := "application/json; charset=utf-8"
			if tt.status == 204 {
				media = ""
			}
			if got := rec.Header().Get("Content-Type"); got != media || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("media type %q, cache %q", got, rec.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestEveryErrorIsAProblem(t *testing.T) {
	long := strings.Repeat("a", 1200)
	tests := []struct {
		name, method, target, key, body string
		status                          int
		code, fields                    string // fields as name:code, in order
	}{
		{"anonymous", "GET", "/v1/fake", "", "", 401, "unauthenticated", ""},
		{"bad key", "GET", "/v1/fake", "junk", "", 401, "unauthenticated", ""},
		{"anonymous, broken body", "POST", "/v1/fake", "", `{`, 401, "unauthenticated", ""},
		{"anonymous, large body", "POST", "/v1/fake", "", `"` + long + `"`, 401, "unauthenticated", ""},
		{"member", "POST", "/v1/fake", memberKey, `{"name":"a","group_id":1}`, 403, "group", ""},
		{"reader", "POST", "/v1/fake", readerKey, `{"name":"a","group_id":1}`, 403, "read-only", ""},
		{"over its limit", "GET", "/v1/fake", limitedKey, "", 429, "rate-limit", ""},

		{"no such route", "GET", "/v1/nowhere", adminKey, "", 404, "no-route", ""},
		{"no such route, anonymous", "GET", "/v1/nowhere", "", "", 404, "no-route", ""},
		{"the prefix alone", "GET", "/v1", adminKey, "", 404, "no-route", ""},
		{"unclean path", "GET", "/v1//fake", adminKey, "", 404, "no-route", ""},
		{"id is no number", "GET", "/v1/fake/abc", adminKey, "", 404, "no-route", ""},
		{"wrong method", "PATCH", "/v1/fake", adminKey, "", 405, "method-not-allowed", ""},
		{"wrong method, anonymous", "PUT", "/v1/fake", "", "", 405, "method-not-allowed", ""},

		{"id 0", "GET", "/v1/fake/0", adminKey, "", 400, "invalid", "id:refused"},
		{"unknown parameter", "GET", "/v1/fake?of=1&on=true", adminKey, "", 400, "invalid", "of:unknown"},
		{"bad parameter", "GET", "/v1/fake?on=maybe", adminKey, "", 400, "invalid", "on:type"},
		{"badly encoded query", "GET", "/v1/fake?on=true&x=%zz", adminKey, "", 400, "invalid", "query:refused"},
		{"semicolon in the query", "GET", "/v1/fake?limit=1;on=true", adminKey, "", 400, "invalid", "query:refused"},
		{"bad limit", "GET", "/v1/fake?limit=x", adminKey, "", 400, "invalid", "limit:type"},
		{"paging that is not read", "GET", "/v1/fake?limit=1&offset=2&page=3", adminKey, "", 400, "invalid", "offset:unknown page:unknown"},
		{"paging on a route without", "GET", "/v1/fake/7?limit=1", adminKey, "", 400, "invalid", "limit:unknown"},

		{"broken body", "POST", "/v1/fake", adminKey, `{`, 400, "malformed-json", ""},
		{"two values", "POST", "/v1/fake", adminKey, `{} {}`, 400, "malformed-json", ""},
		{"no body", "POST", "/v1/fake", adminKey, ``, 400, "invalid", "name:missing group_id:missing"},
		{"no object", "POST", "/v1/fake", adminKey, `[]`, 400, "invalid", "body:type"},
		{"unknown keys", "POST", "/v1/fake", adminKey, `{"name":"a","group_id":1,"b":1,"owner":{"id":1,"x":2}}`, 400, "invalid", "b:unknown owner.x:unknown"},
		{"kinds", "POST", "/v1/fake", adminKey, `{"name":5,"group_id":true,"ratios":["x"]}`, 400, "invalid", "name:type group_id:type ratios.0:type"},
		{"texts", "POST", "/v1/fake", adminKey, `{"name":"  ","group_id":1,"mail":"x","at":"now","labels":["a","long","\u0000"]}`, 400, "invalid",
			"name:blank mail:refused at:refused labels.1:length labels.2:characters"},
		{"length", "POST", "/v1/fake", adminKey, `{"name":"12345678901","group_id":1,"kind":"c"}`, 400, "invalid", "name:length kind:refused"},
		{"members and items", "POST", "/v1/fake", adminKey, `{"name":"a","group_id":0,"owner":{},"refs":[{"id":1},{"id":-1}]}`, 400, "invalid",
			"group_id:refused owner.id:missing refs.1.id:refused"},
		{"body on a route without", "DELETE", "/v1/fake/7", adminKey, `{"a":1}`, 400, "invalid", "a:unknown"},
		{"too large", "POST", "/v1/fake", adminKey, `"` + long + `"`, 413, "body-too-large", ""},
		{"too large, anonymous", "POST", "/v1/fake/open", "", `"` + long[:200] + `"`, 413, "body-too-large", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newWorld(t).call(tt.method, tt.target, tt.body, "X-API-Key", tt.key)
			p := problem(t, rec)
			var got []string
			for _, f := range p.Errors {
				got = append(got, f.Field+":"+f.Code)
				if !strings.HasSuffix(f.Detail, ".") {
					t.Errorf("%s: detail %q is no sentence", f.Field, f.Detail)
				}
			}
			if p.Status != tt.status || p.Code != tt.code || strings.Join(got, " ") != tt.fields {
				t.Errorf("got %d %s %v, want %d %s %s", p.Status, p.Code, got, tt.status, tt.code, tt.fields)
			}
		})
	}
}

func TestFieldDetailsSayWhatToSend(t *testing.T) {
	rec := newWorld(t).call("POST", "/v1/fake", `{"name":"","group_id":"x","kind":"c","mail":"TOPSECRET","colour":"TOPSECRET"}`, "X-API-Key", adminKey)
	if strings.Contains(rec.Body.String(), "TOPSECRET") {
		t.Errorf("shows what it got: %s", rec.Body)
	}
	want := map[string]string{
		"name": "Send a text that is not blank of 1 to 10 characters.", "group_id": "Send a whole number from 1 up.",
		"kind": "Send one of the words a, b, or null.", "mail": "Send an e-mail address, or null.",
		"colour": "Leave it out: there is no such field or parameter here.",
	}
	for _, f := range problem(t, rec).Errors {
		if f.Detail != want[f.Field] {
			t.Errorf("%s: %q, want %q", f.Field, f.Detail, want[f.Field])
		}
		delete(want, f.Field)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		code   string
		detail string
		fields []v1.FieldError
	}{
		{"invalid", fault.New(fault.Invalid, "No"), 400, "invalid", "No. Correct the fields that are named in errors.", nil},
		{"field", fault.Field("restriction.scopes", "Name one."), 400, "invalid",
			"The request is not valid. Correct the fields that are named in errors.", []v1.FieldError{{"restriction.scopes", "refused", "Name one."}}},
		{"field with a code", &fault.Error{Kind: fault.Invalid, Code: "name-taken", Fields: map[string]string{"name": "Taken."}}, 409, "name-taken",
			"The name is taken. Choose another name.", []v1.FieldError{{"name", "name-taken", "Taken."}}},
		{"not found", fmt.Errorf("wrapped: %w", fault.New(fault.NotFound, "Not found.")), 404, "not-found", "Not found. Look at the ids in the path and the body.", nil},
		{"forbidden", fault.New(fault.Forbidden, ""), 403, "forbidden", "The caller may not do this. Ask an administrator of the instance.", nil},
		{"conflict", fault.New(fault.Conflict, "Stale!"), 409, "conflict", "Stale! Read the current state and try again.", nil},
		{"code of its own", fault.Coded(fault.Conflict, "new-word", "New"), 409, "new-word", "New. Read the current state and try again.", nil},
		{"unauthenticated tells nothing", fault.Coded(fault.Unauthenticated, "key-expired", "Expired"), 401, "unauthenticated",
			"It is not known who calls. Send a working key in the header X-API-Key, or sign in.", nil},
		{"too many", fault.New(fault.TooMany, "Slow down"), 429, "too-many", "Slow down. Wait as long as the header Retry-After says.", nil},
		{"unavailable", fault.New(fault.Unavailable, ""), 503, "unavailable", "The server cannot answer right now. Try again in a moment.", nil},
		{"paid", fault.New(fault.Paid, "Pay"), 501, "not-supported", "Pay. Do without it.", nil},
		{"internal", fault.Wrap(errors.New("TOPSECRET"), "reading"), 500, "internal",
			"The server failed. Try again later; if it stays, report the request_id, under which the log has the cause.", nil},
		{"any error", errors.New("TOPSECRET"), 500, "internal",
			"The server failed. Try again later; if it stays, report the request_id, under which the log has the cause.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.fail = tt.err
			p := problem(t, w.call("GET", "/v1/fake/fail", "", "X-API-Key", adminKey))
			if p.Status != tt.status || p.Code != tt.code || p.Detail != tt.detail || fmt.Sprint(p.Errors) != fmt.Sprint(tt.fields) {
				t.Errorf("got %+v", p)
			}
			if logged := strings.Contains(w.log.String(), p.RequestID); logged != (tt.status >= 500) {
				t.Errorf("in the log: %t", logged)
			}
			if tt.code == "internal" && !strings.Contains(w.log.String(), "TOPSECRET") {
				t.Error("the log lacks the cause")
			}
		})
	}
}

func TestPanics(t *testing.T) {
	w := newWorld(t)
	if p := problem(t, w.call("GET", "/v1/fake/panic", "", "X-API-Key", adminKey)); p.Code != "internal" || strings.Contains(p.Detail, "secret") {
		t.Errorf("got %+v", p)
	}
	if !strings.Contains(w.log.String(), "secret cause") {
		t.Error("the log lacks the cause")
	}
	srv := httptest.NewServer(w.api)
	defer srv.Close()
	if body, err := get(t, srv.URL+"/v1/fake/stream"); err == nil {
		t.Errorf("a stream that broke off looks whole: %q", body)
	}
}

func TestAuthenticationThatFails(t *testing.T) {
	w := newWorld(t)
	w.authErr = errors.New("database away")
	if p := problem(t, w.call("GET", "/v1/fake", "")); p.Code != "internal" {
		t.Errorf("got %+v", p)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name   string
		change func(d *v1.Deps)
		want   string
	}{
		{"nothing", func(d *v1.Deps) { *d = v1.Deps{} }, "Deps.Authenticate is missing"},
		{"duplicate", func(d *v1.Deps) { d.Endpoints = append(d.Endpoints, d.Endpoints[0]) }, "conflicts with pattern"},
		{"no policy", func(d *v1.Deps) {
			d.Endpoints[0].Policy = access.Policy{}
		}, "policy declares no callers"},
		{"no words", func(d *v1.Deps) {
			d.Rules["zip"] = func(string) bool { return true }
			d.Endpoints = append(d.Endpoints, endpoint.New("POST", "/v1/zip", "D", access.Public("docs", access.Read), echo[struct {
				Zip string `json:"zip" rule:"zip"`
			}]))
		}, `the rule "zip" has no words`},
		{"paging that is none", func(d *v1.Deps) {
			d.Endpoints = append(d.Endpoints, endpoint.New("GET", "/v1/x", "D", access.Public("docs", access.Read), echo[endpoint.None]).Pages("after"))
		}, `"after" is no parameter of paging`},
		{"failure as success", func(d *v1.Deps) {
			d.Endpoints = append(d.Endpoints, endpoint.New("GET", "/v1/x", "D", access.Public("docs", access.Read), echo[endpoint.None]).Answers(404))
		}, "from 200 to 299"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := w.deps(t)
			tt.change(&d)
			if _, err := v1.New(d); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

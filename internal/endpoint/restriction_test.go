package endpoint_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

type restricted struct {
	ID          int64                         `path:"id" rule:"natural"`
	Name        opt.Value[string]             `json:"name"`
	Restriction opt.Value[access.Restriction] `json:"restriction"`
}

type whole struct {
	ID          int64              `path:"id"`
	Restriction access.Restriction `json:"*" as:"trial"`
}

// restrictions is a table of two routes that take restrictions, and what they got.
func restrictions(t *testing.T, got *access.Restriction) *endpoint.Table {
	t.Helper()
	write := access.Admin("keys", access.Write)
	tab, err := endpoint.CompileStrict([]endpoint.Endpoint{
		endpoint.New("PATCH", "/k/{id}", "Change", write, func(_ context.Context, _ *endpoint.Call, in restricted) (access.Restriction, error) {
			*got = in.Restriction.V
			return in.Restriction.V, nil
		}),
		endpoint.New("PUT", "/k/{id}/trial", "Try", write, func(_ context.Context, _ *endpoint.Call, in whole) (endpoint.None, error) {
			*got = in.Restriction
			return endpoint.None{}, nil
		}),
	}, testRules())
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// failures lists what is wrong with a request: "field failure".
func failures(t *testing.T, tab *endpoint.Table, who *access.Principal, method, path, body string) ([]string, *endpoint.Call) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	c := &endpoint.Call{Request: r, Header: http.Header{}, Who: who}
	rt := tab.Find(c)
	if rt == nil {
		return []string{"no route"}, c
	}
	rec := httptest.NewRecorder()
	if err := c.ReadBody(rec, 1<<20); err != nil {
		t.Fatal(err)
	}
	err := rt.Serve(t.Context(), c, rec)
	var invalid *endpoint.ValidationError
	if !errors.As(err, &invalid) {
		if err != nil {
			return []string{err.Error()}, c
		}
		return nil, c
	}
	var out []string
	for _, f := range invalid.Fields {
		out = append(out, wrongIn(f.Name, f.Problem)...)
	}
	return out, c
}

func wrongIn(name string, p *endpoint.Problem) (out []string) {
	for _, f := range p.Fields {
		out = append(out, wrongIn(name+"."+f.Name, f.Problem)...)
	}
	if len(p.Failed) > 0 {
		out = append(out, name+" "+string(p.Failed[0]))
		if p.Failed[0] == endpoint.Refused && p.Detail == "" {
			out = append(out, "no detail")
		}
	}
	return out
}

func TestRestrictionsAsInput(t *testing.T) {
	admin := &access.Principal{Kind: access.ServiceKey, UserID: 2, KeyID: 1, Groups: []int64{1, 2}}
	for _, tt := range []struct {
		method, path, body string
		wrong              []string
		writes             string
	}{
		{"PATCH", "/k/0", `{"restriction":{"read_only":true,"resources":{"people":[7,"8"]}}}`, nil, "restriction"},
		{"PATCH", "/k/0", `{"restriction":null}`, nil, "restriction"},
		{"PATCH", "/k/0", `{}`, nil, ""},
		{"PATCH", "/k/0", `{"restriction":5}`, []string{"restriction type"}, ""},
		{"PATCH", "/k/0", `{"restriction":{"scopes":["a\u0000"]}}`, []string{"restriction characters"}, ""},
		{"PATCH", "/k/0", `{"restriction":{"scope":[],"routes":[5],"resources":{"people":7}},"name":5}`,
			[]string{"name type", "restriction.resources.people refused", "restriction.routes refused", "restriction.scope refused"}, ""},
		{"PATCH", "/k/0", `{"restriction":{"routes":["` + strings.Repeat("x", 300<<10) + `"]}}`, []string{"restriction refused"}, ""},
		{"PATCH", "/k/-1", `{}`, []string{"no route"}, ""},
		{"PUT", "/k/5/trial", `{"read_only":true,"scopes":["people:read"]}`, nil, "trial"},
		{"PUT", "/k/5/trial", `{}`, nil, "trial"},
		{"PUT", "/k/5/trial", ``, []string{" missing"}, ""},
		{"PUT", "/k/5/trial", `null`, []string{" missing"}, ""},
		{"PUT", "/k/5/trial", `[]`, []string{" type"}, ""},
		{"PUT", "/k/5/trial", `{"trial":{}}`, []string{"restriction.trial refused"}, ""},
		{"PUT", "/k/0/trial", `{}`, []string{"id refused", "no detail"}, ""},
	} {
		var got access.Restriction
		wrong, c := failures(t, restrictions(t, &got), admin, tt.method, tt.path, tt.body)
		if !slices.Equal(wrong, tt.wrong) {
			t.Errorf("%s %s %.80s: got %q, want %q", tt.method, tt.path, tt.body, wrong, tt.wrong)
		}
		var writes []string
		for _, w := range c.Writes {
			writes = append(writes, w.Field)
		}
		if strings.Join(writes, " ") != tt.writes {
			t.Errorf("%s %.80s: writes %q, want %q", tt.method, tt.body, writes, tt.writes)
		}
		if strings.Contains(tt.body, "read_only") && !got.ReadOnly {
			t.Errorf("%s %.80s: got %+v", tt.method, tt.body, got)
		}
	}
}

func TestRestrictionsInTheDocuments(t *testing.T) {
	var got access.Restriction
	tab := restrictions(t, &got)
	doc, err := tab.OpenAPI(endpoint.Info{Title: "T", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Restriction"}}},"required":true}`,
		`"restriction":{"anyOf":[{"$ref":"#/components/schemas/Restriction"},{"type":"null"}]}`,
		`"Restriction":{"additionalProperties":false,"properties":{"addresses"`, `"pattern":"^[a-z]+:(read|write)$"`,
		`{"in":"path","name":"id","required":true,"schema":{"format":"int64","minimum":0,"type":"integer"}}`,
	} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("no %s in\n%s", want, doc)
		}
	}
	words := tab.Vocabulary()
	if !words.HasField("keys", "trial") || !words.HasField("keys", "restriction") || words.HasField("keys", "scopes") {
		t.Errorf("fields %q", words.Fields("keys"))
	}
	for _, rt := range words.Routes() {
		if rt.AllKeys {
			t.Errorf("%s writes all keys", rt.Route)
		}
	}
}

func TestBadDeclarationsOfRestrictions(t *testing.T) {
	for name, e := range map[string]endpoint.Endpoint{
		"needs the tag as": endpoint.New("PUT", "/x", "Doc", public(), takes[struct {
			R access.Restriction `json:"*"`
		}]()),
		"only then": endpoint.New("PUT", "/x", "Doc", public(), takes[struct {
			M map[string]any `json:"*" as:"m"`
		}]()),
		"is part of a body": endpoint.New("GET", "/x", "Doc", public(), takes[struct {
			R opt.Value[access.Restriction] `query:"r"`
		}]()),
		"does not fit": endpoint.New("PUT", "/x", "Doc", public(), takes[struct {
			R access.Restriction `json:"r" rule:"object"`
		}]()),
	} {
		if _, err := endpoint.Compile([]endpoint.Endpoint{e}, testRules()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}

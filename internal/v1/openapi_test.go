package v1_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "latchkey/internal/v1"
)

// declared is the API with all of its real declarations, over no services.
func declared(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	d := w.deps(t)
	d.Endpoints = v1.Endpoints(v1.Services{})
	var err error
	if w.api, err = v1.New(d); err != nil {
		t.Fatal(err)
	}
	return w
}

// document is /v1/openapi.json, indented.
func document(t *testing.T, w *world) string {
	t.Helper()
	rec := w.call("GET", "/v1/openapi.json", "")
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("got %d %q", rec.Code, rec.Header().Get("Content-Type"))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, rec.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

// The document is what was reviewed. scripts/compat compares it with that of
// the last version.
func TestOpenAPIIsCurrent(t *testing.T) {
	golden(t, filepath.Join("testdata", "openapi.json"), document(t, declared(t)))
	if _, err := os.Stat(filepath.Join("testdata", "openapi.last.json")); err != nil {
		t.Error(err)
	}
}

func TestOpenAPIIsComplete(t *testing.T) {
	w := declared(t)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Tags        []string
			Security    []map[string][]string
			Policy      map[string]any `json:"x-latchkey-policy"`
			Responses   map[string]struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]any
		}
	}
	if err := json.Unmarshal([]byte(document(t, w)), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || len(doc.Components.SecuritySchemes) != 3 || doc.Components.Schemas["Problem"] == nil {
		t.Errorf("version %s, schemes %v", doc.OpenAPI, doc.Components.SecuritySchemes)
	}
	for _, rt := range w.api.Table().Routes() {
		op, ok := doc.Paths[rt.Path][strings.ToLower(rt.Method)]
		if !ok || op.Summary != rt.Doc || op.OperationID == "" || len(op.Tags) != 1 || op.Policy["scope"] != rt.Policy.Scope.String() {
			t.Errorf("%s: %+v", rt.Pattern(), op)
		}
		if (len(op.Security) > 0) != (rt.Policy.Who.String() != "anyone") {
			t.Errorf("%s: security %v", rt.Pattern(), op.Security)
		}
		for status, answer := range op.Responses {
			if media, ok := answer.Content["application/problem+json"]; (status < "200" || status >= "300") && (!ok || media.Schema["$ref"] != "#/components/schemas/Problem") {
				t.Errorf("%s: the answer %s is no problem", rt.Pattern(), status)
			}
		}
	}
}

func TestOpenAPIOfFakes(t *testing.T) {
	got := document(t, newWorld(t))
	for _, want := range []string{
		`"201": {`, `"additionalProperties": false`, `"415": {`, `"429": {`, `"409": {`,
		`{"in":"query","name":"limit","required":false,"schema":{"minimum":0,"type":"integer"}}`,
	} {
		var flat bytes.Buffer
		if err := json.Compact(&flat, []byte(got)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, want) && !strings.Contains(flat.String(), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestDocs(t *testing.T) {
	w := declared(t)
	page := w.call("GET", "/v1/docs", "")
	for _, want := range []string{
		"<code>/v1/people/{id}/sessions</code></td><td>List the sessions of a person</td><td>self-or-admin</td><td>sessions:read</td>",
		`<tr id="read-only"><td><code>read-only</code></td><td>403</td>`, `<tr id="key-expired"><td><code>key-expired</code></td><td>–</td>`,
		`href="/v1/openapi.json"`, `href="/v1/docs/style.css"`,
	} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if csp := page.Header().Get("Content-Security-Policy"); page.Code != 200 || !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") ||
		strings.Contains(page.Body.String(), "<script") || strings.Contains(page.Body.String(), "style=") {
		t.Errorf("page: %d, policy %q", page.Code, csp)
	}
	if style := w.call("GET", "/v1/docs/style.css", ""); style.Code != 200 || style.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style: %d", style.Code)
	}
}

func TestVocabulary(t *testing.T) {
	w := declared(t)
	var got struct {
		Scopes []string
		Kinds  []struct {
			Name, Doc string
			Verbs     []string
			Bound     bool
			Touches   []string
			Fields    []string
			ByName    bool `json:"by_name"`
		}
		Routes []struct {
			Route, Doc, Who, Scope string
			ExtraScopes            []string `json:"extra_scopes"`
			Names, Fields          []string
		}
	}
	rec := w.call("GET", "/v1/vocabulary", "")
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 {
		t.Fatal(rec.Code, err)
	}
	if strings.Contains(rec.Body.String(), "null") {
		t.Errorf("a list is null: %s", rec.Body)
	}
	routes := map[string]int{}
	for i, rt := range got.Routes {
		routes[rt.Route] = i
	}
	user, ok := routes["PUT /api/user/{id}"]
	if !ok || routes["GET /v1/audit"] == 0 {
		t.Fatalf("both APIs should be there: %v", routes)
	}
	if rt := got.Routes[user]; rt.Scope != "people:write" || rt.Who != "self-or-admin" || strings.Join(rt.ExtraScopes, " ") != "memberships:write" ||
		!strings.Contains(strings.Join(rt.Fields, " "), "first_name") || !strings.Contains(strings.Join(rt.Names, " "), "people") {
		t.Errorf("got %+v", rt)
	}
	for _, k := range got.Kinds {
		if k.Doc == "" || k.Name == "people" && (strings.Join(k.Verbs, " ") != "write" || !k.Bound || len(k.Fields) == 0) {
			t.Errorf("got %+v", k)
		}
	}
	for _, rt := range got.Routes {
		if !w.api.Vocabulary().HasRoute(rt.Route) {
			t.Errorf("Vocabulary lacks %s", rt.Route)
		}
	}
}

package endpoint_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

type lines struct{}

// Respond implements endpoint.Responder.
func (lines) Respond(http.ResponseWriter, *http.Request) {}

// MediaType implements endpoint.Media.
func (lines) MediaType() string { return "application/x-ndjson" }

type mistake struct {
	Code string `json:"code"`
}

// shown is written as something else than its fields.
type shown struct{ Hidden int }

// Documents implements endpoint.Documented.
func (shown) Documents() any { return mistake{} }

type many[T any] struct {
	Data []T `json:"data"`
}

func TestAnswersAndPages(t *testing.T) {
	list := []endpoint.Endpoint{
		endpoint.New("POST", "/x", "Make", public(), takes[struct {
			In struct {
				Name string `json:"name"`
			} `json:"in"`
			Free map[string]any `json:"free"`
		}]()),
		endpoint.New("PUT", "/x", "Count", access.Admin("groups", access.Write), answer(5)).Answers(http.StatusCreated).Pages("limit"),
		endpoint.New("GET", "/x", "Lines", public(), answer(lines{})),
		endpoint.New("GET", "/y", "List", public(), answer(many[shown]{})),
	}
	tab, err := endpoint.CompileStrict(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := tab.OpenAPI(endpoint.Info{Title: "T", Version: "1", Problem: mistake{}})
	if err != nil {
		t.Fatal(err)
	}
	const problem = `{"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Mistake"}}},"description":`
	for _, want := range []string{
		`"201":{"content"`, `"application/x-ndjson":{"schema":{"type":"string"}}`,
		`{"in":"query","name":"limit","required":false,"schema":{"minimum":0,"type":"integer"}}`,
		`"in":{"additionalProperties":false,"properties":{"name":{"type":"string"}},"required":["name"],"type":"object"}`,
		`"free":{"type":"object"}`,
		`"ManyOfShown":{"properties":{"data":{"items":{"$ref":"#/components/schemas/Mistake"}`,
		`"409":` + problem, `"413":` + problem, `"415":` + problem, `"429":` + problem, `"default":` + problem,
	} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("no %s in\n%s", want, doc)
		}
	}
	rec := httptest.NewRecorder()
	c := &endpoint.Call{
		Request: httptest.NewRequest("PUT", "/x", nil), Header: rec.Header(),
		Who: &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{1, 2}},
	}
	if err := tab.Find(c).Serve(context.Background(), c, rec); err != nil || rec.Code != http.StatusCreated || rec.Body.String() != "5" {
		t.Errorf("got %d %s, %v", rec.Code, rec.Body, err)
	}
}

func TestCheckPaging(t *testing.T) {
	e := endpoint.New("GET", "/x", "Doc", public(), answer(1)).Pages("limit")
	for query, want := range map[string]string{"": "", "limit=1": "", "offset=1&limit=1": "offset", "page=1&offset=2": "offset, page"} {
		c := &endpoint.Call{Request: httptest.NewRequest("GET", "/x?"+query, nil)}
		var invalid *endpoint.ValidationError
		if err := e.CheckPaging(c); errors.As(err, &invalid) != (want != "") || err != nil && err.Error() != "invalid query: "+want {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestWriteProblem(t *testing.T) {
	rec := httptest.NewRecorder()
	if err := endpoint.WriteProblem(rec, 418, mistake{"<tea>"}); err != nil || rec.Code != 418 ||
		rec.Header().Get("Content-Type") != "application/problem+json" || rec.Body.String() != `{"code":"<tea>"}` {
		t.Errorf("got %d %v %s, %v", rec.Code, rec.Header(), rec.Body, err)
	}
	if err := endpoint.WriteProblem(rec, 418, func() {}); err == nil {
		t.Error("a function was written as JSON")
	}
}

func TestOwnOrigin(t *testing.T) {
	for _, tt := range []struct {
		origin, site string
		want         bool
	}{
		{"https://data.example.com", "https://data.example.com/base", true},
		{"https://DATA.example.com", "https://data.example.com", true},
		{"http://data.example.com", "https://data.example.com", false},
		{"https://example.com", "https://data.example.com", false},
		{"", "", false},
		{"://", "", false},
	} {
		if got := endpoint.OwnOrigin(tt.origin, tt.site); got != tt.want {
			t.Errorf("%+v: got %t", tt, got)
		}
	}
}

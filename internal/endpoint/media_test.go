package endpoint_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

type linesInput struct {
	Items []lineItem `json:"items"`
}

type lineItem struct {
	ID endpoint.IDOrRef `json:"id"`
}

func TestLinesAndRawBodies(t *testing.T) {
	var got linesInput
	var raw string
	e := endpoint.New("POST", "/lines", "Take lines", access.Public("session", access.Write),
		func(_ context.Context, c *endpoint.Call, in linesInput) (endpoint.None, error) {
			got, raw = in, string(c.Raw())
			return endpoint.None{}, nil
		}).Lines("items")
	rawOnly := endpoint.New("POST", "/raw", "Take a table", access.Public("session", access.Write),
		func(_ context.Context, c *endpoint.Call, _ endpoint.None) (endpoint.None, error) {
			raw = string(c.Raw())
			return endpoint.None{}, nil
		}).Takes("text/csv")
	table, err := endpoint.CompileStrict([]endpoint.Endpoint{e, rawOnly}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := table.Routes()[0].Media(); !slices.Equal(m, []string{"application/json", endpoint.MediaLines}) {
		t.Errorf("media %v", m)
	}
	if m := table.Routes()[1].Media(); !slices.Equal(m, []string{"text/csv"}) {
		t.Errorf("media %v", m)
	}
	send := func(path, media, body string) error {
		c := &endpoint.Call{Request: httptest.NewRequest("POST", path, strings.NewReader(body))}
		c.Request.Header.Set("Content-Type", media)
		rt := table.Find(c)
		if err := c.ReadBody(httptest.NewRecorder(), 1000); err != nil {
			return err
		}
		return rt.Serve(t.Context(), c, httptest.NewRecorder())
	}
	if err := send("/lines", endpoint.MediaLines, "{\"id\": 7}\n\n{\"id\": \"$a.b\"}\r\n{\"id\":\"8\"}"); err != nil {
		t.Fatal(err)
	}
	if want := []lineItem{{endpoint.IDOrRef{ID: 7}}, {endpoint.IDOrRef{Ref: "a.b"}}, {endpoint.IDOrRef{ID: 8}}}; !slices.Equal(got.Items, want) {
		t.Errorf("items %+v, want %+v", got.Items, want)
	}
	bad := send("/lines", endpoint.MediaLines, "{\"id\": 7}\n\n{\"id\": ")
	if e, ok := errors.AsType[*endpoint.MalformedBodyError](bad); !ok || e.Line != 3 {
		t.Errorf("a bad line: %v", bad)
	}
	for _, id := range []string{"0", `"$"`, `"$a b"`, `"a"`, "null", "1.5"} {
		err := send("/lines", "application/json", `{"items":[{"id":`+id+`}]}`)
		if _, ok := errors.AsType[*endpoint.ValidationError](err); !ok {
			t.Errorf("id %s: %v", id, err)
		}
	}
	if err := send("/raw", "text/csv", "a,b\n"); err != nil || raw != "a,b\n" {
		t.Errorf("raw %q, %v", raw, err)
	}
	big := send("/raw", "text/csv", strings.Repeat("a", 1001))
	if _, ok := errors.AsType[*endpoint.BodySizeError](big); !ok {
		t.Errorf("a large table: %v", big)
	}
	many := send("/lines", endpoint.MediaLines, strings.Repeat("1\n", 400))
	if _, ok := errors.AsType[*endpoint.BodySizeError](many); !ok {
		t.Errorf("many lines, which take more memory than they are long: %v", many)
	}
	_, err = endpoint.CompileStrict([]endpoint.Endpoint{e.Lines("other")}, nil)
	if err == nil {
		t.Error("lines go nowhere, and it compiles")
	}
}

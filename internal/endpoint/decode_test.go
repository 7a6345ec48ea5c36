package endpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

func testRules() endpoint.Rules {
	return endpoint.Rules{
		"password": func(s string) bool { return len(s) >= 6 },
		"locale":   func(s string) bool { return len(s) == 2 },
	}
}

func public() access.Policy { return access.Public("groups", access.Read) }

// table compiles one route that keeps its decoded input.
func table[In any](t testing.TB, method, path string, got *In) *endpoint.Table {
	t.Helper()
	e := endpoint.New(method, path, "Test", public(), func(_ context.Context, _ *endpoint.Call, in In) (endpoint.None, error) {
		*got = in
		return endpoint.None{}, nil
	})
	tab, err := endpoint.Compile([]endpoint.Endpoint{e}, testRules())
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// send runs a request through a table the way a dialect does.
func send(tab *endpoint.Table, r *http.Request) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	c := &endpoint.Call{Request: r, Header: w.Header()}
	if err := c.ReadQuery(); err != nil {
		return w, err
	}
	if err := c.ReadBody(w, 1<<20); err != nil {
		return w, err
	}
	rt := tab.Find(c)
	if rt == nil {
		return w, errNoRoute
	}
	return w, rt.Serve(r.Context(), c, w)
}

var errNoRoute = errors.New("no route")

func jsonRequest(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func formRequest(target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

type member struct {
	ID      int64            `json:"id" rule:"posint"`
	Manager opt.Value[bool]  `json:"manager"`
	Note    opt.Value[int64] `json:"note" rule:"notnull"`
}

type everything struct {
	Name     opt.Value[string]         `json:"name" rule:"nonblank,max=5"`
	Short    opt.Value[string]         `json:"short" rule:"nonempty,max=3"`
	Free     string                    `json:"free" rule:"optional"`
	Email    opt.Value[string]         `json:"email" rule:"email"`
	Password opt.Value[secret.Text]    `json:"password" rule:"password"`
	Locale   opt.Value[string]         `json:"locale" rule:"locale"`
	Group    opt.Value[int64]          `json:"group" rule:"posint"`
	Rank     opt.Value[int]            `json:"rank"`
	Ratio    opt.Value[float64]        `json:"ratio"`
	On       opt.Value[bool]           `json:"on"`
	Sort     opt.Value[string]         `json:"sort" rule:"enum=asc|desc"`
	Map      opt.Value[map[string]any] `json:"map"`
	Any      opt.Value[any]            `json:"any"`
	IDs      opt.Value[[]int64]        `json:"ids" rule:"posint"`
	Members  opt.Value[[]member]       `json:"members"`
	Owner    opt.Value[member]         `json:"owner"`
}

func TestDecodesWithLeniency(t *testing.T) {
	tests := []struct {
		name, body string
		want       everything
	}{
		{"empty", `{}`, everything{}},
		{"empty body", ``, everything{}},
		{"null body", `null`, everything{}},
		{"unknown keys are dropped", `{"zzz":1,"rank":3}`, everything{Rank: opt.Of(3)}},
		{"number as text", `{"group":"5","rank":"-2"}`, everything{Group: opt.Of(int64(5)), Rank: opt.Of(-2)}},
		{"number with a zero fraction", `{"group":5.0}`, everything{Group: opt.Of(int64(5))}},
		{"exponent", `{"group":1e3}`, everything{Group: opt.Of(int64(1000))}},
		{"largest", `{"group":9223372036854775807}`, everything{Group: opt.Of(int64(math.MaxInt64))}},
		{"bool as text", `{"on":"true"}`, everything{On: opt.Of(true)}},
		{"false", `{"on":false}`, everything{On: opt.Of(false)}},
		{"ratio", `{"ratio":"0.5"}`, everything{Ratio: opt.Of(0.5)}},
		{"null is not absent", `{"name":null,"ids":null}`, everything{Name: opt.Null[string](), IDs: opt.Null[[]int64]()}},
		{"null leaves a plain optional", `{"free":null}`, everything{}},
		{"free", `{"free":"x"}`, everything{Free: "x"}},
		{"length in characters", `{"name":"ääääö"}`, everything{Name: opt.Of("ääääö")}},
		{"password", `{"password":"geheim"}`, everything{Password: opt.Of(secret.New("geheim"))}},
		{"email", `{"email":"Ada.L+x@mail.example.test"}`, everything{Email: opt.Of("Ada.L+x@mail.example.test")}},
		{"list of numbers", `{"ids":[1,"2",3.0]}`, everything{IDs: opt.Of([]int64{1, 2, 3})}},
		{"empty list", `{"ids":[]}`, everything{IDs: opt.Of([]int64{})}},
		{"nested", `{"owner":{"id":"7","manager":"false"}}`, everything{Owner: opt.Of(member{ID: 7, Manager: opt.Of(false)})}},
		{"list of objects", `{"members":[{"id":1},{"id":2,"x":3}]}`, everything{Members: opt.Of([]member{{ID: 1}, {ID: 2}})}},
		{"map keeps numbers as written", `{"map":{"a":[1.50]}}`,
			everything{Map: opt.Of(map[string]any{"a": []any{json.Number("1.50")}})}},
		{"any", `{"any":[true]}`, everything{Any: opt.Of[any]([]any{true})}},
		{"duplicate keys: the last", `{"rank":1,"rank":2}`, everything{Rank: opt.Of(2)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got everything
			if _, err := send(table(t, "POST", "/x", &got), jsonRequest("POST", "/x", tt.body)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestForms(t *testing.T) {
	tests := []struct {
		name, body string
		want       everything
	}{
		{"scalars", "name=Ada&group=5&on=true", everything{Name: opt.Of("Ada"), Group: opt.Of(int64(5)), On: opt.Of(true)}},
		{"one item", "ids=4", everything{IDs: opt.Of([]int64{4})}},
		{"repeated", "ids=4&ids=5", everything{IDs: opt.Of([]int64{4, 5})}},
		{"list as JSON", "ids=%5B4,5%5D", everything{IDs: opt.Of([]int64{4, 5})}},
		{"map as JSON", "map=%7B%22a%22:true%7D", everything{Map: opt.Of(map[string]any{"a": true})}},
		{"the text null", "map=null&ids=null", everything{Map: opt.Null[map[string]any](), IDs: opt.Null[[]int64]()}},
		{"a text that is null", "name=null", everything{Name: opt.Of("null")}},
		{"bad encoding is dropped", "name=%zz&rank=1", everything{Rank: opt.Of(1)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got everything
			if _, err := send(table(t, "POST", "/x", &got), formRequest("/x", tt.body)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// outline writes problems in short: name, failures, value.
func outline(fields []endpoint.FieldProblem) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name + outlineOne(f.Problem)
	}
	return strings.Join(parts, "; ")
}

func outlineOne(p *endpoint.Problem) string {
	switch {
	case p == nil:
		return "-"
	case p.Fields != nil:
		return "{" + outline(p.Fields) + "}"
	case p.Items != nil:
		items := make([]string, len(p.Items))
		for i, item := range p.Items {
			items[i] = outlineOne(item)
		}
		return "[" + strings.Join(items, " ") + "]"
	}
	return fmt.Sprintf("%v(%v)", p.Failed, p.Received)
}

func TestRefuses(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"name":""}`, "name[length blank]()"},
		{`{"name":"  "}`, "name[blank](  )"},
		{`{"name":"abcdef"}`, "name[length](abcdef)"},
		{`{"name":5}`, "name[type blank](5)"},
		{`{"short":""}`, "short[length]()"},
		{`{"short":"abcd"}`, "short[length](abcd)"},
		{`{"email":"ada"}`, "email[refused](ada)"},
		{`{"email":{"a":1}}`, "email[type](map[a:1])"},
		{`{"password":"x"}`, "password[refused](x)"},
		{`{"locale":"eng"}`, "locale[refused](eng)"},
		{`{"group":0}`, "group[refused](0)"},
		{`{"group":"0"}`, "group[refused](0)"},
		{`{"group":-1}`, "group[refused](-1)"},
		{`{"group":5.5}`, "group[type](5.5)"},
		{`{"group":"5.0"}`, "group[type](5.0)"},
		{`{"group":9223372036854775808}`, "group[type](9223372036854775808)"},
		{`{"group":1e999}`, "group[type](1e999)"},
		{`{"group":true}`, "group[type](true)"},
		{`{"ratio":"NaN"}`, "ratio[type](NaN)"},
		{`{"ratio":[]}`, "ratio[type]([])"},
		{`{"on":"yes"}`, "on[type](yes)"},
		{`{"on":1}`, "on[type](1)"},
		{`{"on":[]}`, "on[type]([])"},
		{`{"on":{}}`, "on[type](map[])"},
		{`{"sort":"up"}`, "sort[refused](up)"},
		{`{"map":[]}`, "map[type]([])"},
		{`{"map":"{}"}`, "map[type]({})"},
		{`{"ids":5}`, "ids[type](5)"},
		{`{"ids":[1,0,"x",4]}`, "ids[- [refused](0) [type](x)]"},
		{`{"owner":5}`, "owner[type](5)"},
		{`{"owner":{}}`, "owner{id[missing](<nil>)}"},
		{`{"owner":{"id":1,"note":null}}`, "owner{note[type](<nil>)}"},
		{`{"members":[{"id":1},{"manager":7}]}`, "members[- {id[missing](<nil>); manager[type](7)}]"},
		{`{"name":"a\u0000"}`, "name[characters](a\x00)"},
		{`{"map":{"a":["b\u0000"]}}`, "map[characters](map[a:[b\x00]])"},
		{`{"map":{"\u0000":1}}`, "map[characters](map[\x00:1])"},
		{`{"any":"\u0000"}`, "any[characters](\x00)"},
		{`{"name":"","group":0}`, "name[length blank](); group[refused](0)"},
		{`[1]`, "[type]([1])"},
		{`"text"`, "[type](text)"},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			var got everything
			_, err := send(table(t, "POST", "/x", &got), jsonRequest("POST", "/x", tt.body))
			invalid, ok := errors.AsType[*endpoint.ValidationError](err)
			if !ok {
				t.Fatalf("got %v, want a ValidationError", err)
			}
			if s := outline(invalid.Fields); s != tt.want || invalid.Part != endpoint.Body {
				t.Errorf("got %s %s, want body %s", invalid.Part, s, tt.want)
			}
		})
	}
}

func TestPartsAreCheckedInOrder(t *testing.T) {
	type in struct {
		ID    int64             `path:"id"`
		On    opt.Value[bool]   `query:"on"`
		Kinds opt.Value[[]kind] `query:"kinds" rule:"enum=a|b"`
		Name  string            `json:"name" rule:"nonblank"`
	}
	tests := []struct{ target, body, part, want string }{
		{"/x/0?on=7", `{}`, "route", "id[refused](0)"},
		{"/x/1?on=7&kinds=c", `{}`, "query", "on[type](7); kinds[[refused](c)]"},
		{"/x/1?on=true", `{}`, "body", "name[missing](<nil>)"},
		{"/x/1", `{"name":null}`, "body", "name[type blank](<nil>)"},
		{"/x/1?on=%00", `{}`, "query", "on[type](\x00)"},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			var got in
			_, err := send(table(t, "PUT", "/x/{id}", &got), jsonRequest("PUT", tt.target, tt.body))
			invalid, ok := errors.AsType[*endpoint.ValidationError](err)
			if !ok {
				t.Fatalf("got %v, want a ValidationError", err)
			}
			if s := outline(invalid.Fields); s != tt.want || string(invalid.Part) != tt.part {
				t.Errorf("got %s %s, want %s %s", invalid.Part, s, tt.part, tt.want)
			}
		})
	}
}

type kind = string

func TestWholeBody(t *testing.T) {
	type in struct {
		All map[string]any `json:"*"`
	}
	var got in
	tab := table(t, "PUT", "/x", &got)
	if _, err := send(tab, jsonRequest("PUT", "/x", `{"a":{"b":null}}`)); err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"a": map[string]any{"b": nil}}; !reflect.DeepEqual(got.All, want) {
		t.Errorf("got %v", got.All)
	}
	if _, err := send(tab, httptest.NewRequest("PUT", "/x", nil)); err != nil || len(got.All) != 0 {
		t.Errorf("empty body: %v, %v", got.All, err)
	}
	if _, err := send(tab, jsonRequest("PUT", "/x", `{"a":"\u0000"}`)); err == nil {
		t.Error("U+0000 passed")
	}
}

func TestBodies(t *testing.T) {
	type in struct {
		Name opt.Value[string] `json:"name"`
	}
	deep := `{"name":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`
	tests := []struct {
		name, media, body, want string
	}{
		{"JSON", "application/json", `{"name":"a"}`, "a"},
		{"JSON with charset", "Application/JSON; charset=utf-8", `{"name":"a"}`, "a"},
		{"other JSON", "application/merge-patch+json", `{"name":"a"}`, "a"},
		{"JSON without its type is no body", "text/plain", `{"name":"a"}`, ""},
		{"no type is no body", "", `{"name":"a"}`, ""},
		{"not even looked at", "text/plain", `{`, ""},
		{"white space", "application/json", " \n", ""},
		{"malformed", "application/json", `{"name":`, "the body is not JSON"},
		{"more than one", "application/json", `{} {}`, "the body is not JSON"},
		{"too deep", "application/json", deep, "the body is not JSON"},
		{"not UTF-8", "application/json", "{\"name\":\"\xff\"}", "the body is not JSON"},
		{"too large", "application/json", `{"name":"` + strings.Repeat("a", 1<<20) + `"}`, "the body exceeds 1048576 bytes"},
		{"too large unpacked", "application/json", `{"name":[` + strings.Repeat("0,", 200_000) + `0]}`, "the body exceeds 1048576 bytes"},
		{"too large unpacked, a form", "application/x-www-form-urlencoded", "name=a" + strings.Repeat("&", 200_000), "the body exceeds 1048576 bytes"},
		{"large and plain", "application/json", `{"name":"a", "other": "` + strings.Repeat("a", 1<<19) + `"}`, "a"},
		{"multipart has no limit", "multipart/form-data; boundary=x", strings.Repeat("a", 2<<20), ""},
	}
	for _, tt := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, chunked), func(t *testing.T) {
				var got in
				r := httptest.NewRequest("POST", "/x", strings.NewReader(tt.body))
				r.Header.Set("Content-Type", tt.media)
				if chunked {
					r.ContentLength = -1
				}
				_, err := send(table(t, "POST", "/x", &got), r)
				if s := got.Name.V; err == nil && s != tt.want || err != nil && err.Error() != tt.want {
					t.Errorf("got %q, %v; want %q", s, err, tt.want)
				}
			})
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"name":1}`, `{"owner":{"id":[]},"ids":{"a":1}}`, `[]`, `{"map":{"a":"\u0000"}}`, `{"members":[null,{}]}`, `1e9999`} {
		f.Add(s, false)
	}
	f.Add("ids=%5B1%5D&map=%7B%7D&members=x", true)
	f.Fuzz(func(t *testing.T, body string, form bool) {
		var got everything
		r := jsonRequest("POST", "/x", body)
		if form {
			r = formRequest("/x", body)
		}
		_, err := send(table(t, "POST", "/x", &got), r)
		_, invalid := errors.AsType[*endpoint.ValidationError](err)
		_, malformed := errors.AsType[*endpoint.MalformedBodyError](err)
		if err != nil && !invalid && !malformed {
			t.Errorf("%q: %v", body, err)
		}
	})
}

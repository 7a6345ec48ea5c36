package endpoint_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func answer[Out any](out Out) func(context.Context, *endpoint.Call, endpoint.None) (Out, error) {
	return func(context.Context, *endpoint.Call, endpoint.None) (Out, error) { return out, nil }
}

func takes[In any]() func(context.Context, *endpoint.Call, In) (endpoint.None, error) {
	return func(context.Context, *endpoint.Call, In) (endpoint.None, error) { return endpoint.None{}, nil }
}

func TestBadDeclarationsStopTheStart(t *testing.T) {
	get := func(path string) endpoint.Endpoint {
		return endpoint.New("GET", path, "Doc", public(), answer(1))
	}
	tests := []struct {
		name string
		list []endpoint.Endpoint
		want string
	}{
		{"no policy", []endpoint.Endpoint{endpoint.New("GET", "/x", "Doc", access.Policy{}, answer(1))}, "policy declares no callers"},
		{"no doc", []endpoint.Endpoint{endpoint.New("GET", "/x", "", public(), answer(1))}, "no line of documentation"},
		{"duplicate", []endpoint.Endpoint{get("/x"), get("/x")}, "conflicts with pattern"},
		{"conflict", []endpoint.Endpoint{
			endpoint.New("GET", "/{a}/x", "Doc", public(), takes[struct {
				A string `path:"a"`
			}]()),
			endpoint.New("GET", "/x/{b}", "Doc", public(), takes[struct {
				B string `path:"b"`
			}]()),
		}, "conflicts with pattern"},
		{"slash at the end", []endpoint.Endpoint{get("/x/")}, "does not end with one"},
		{"bad pattern", []endpoint.Endpoint{get("/x/{")}, "the path has the values"},
		{"undeclared path value", []endpoint.Endpoint{get("/x/{id}")}, "the path has the values [id], its input []"},
		{"path value not in path", []endpoint.Endpoint{endpoint.New("GET", "/x", "Doc", public(), takes[struct {
			ID int64 `path:"id"`
		}]())}, "its input [id]"},
		{"not made with New", []endpoint.Endpoint{{Method: "GET", Path: "/x"}}, "not made with New"},
		{"body of GET", []endpoint.Endpoint{endpoint.New("GET", "/x", "Doc", public(), takes[struct {
			A string `json:"a"`
		}]())}, "GET has no body"},
		{"unknown rule", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A string `json:"a" rule:"zip"`
		}]())}, `no rule "zip"`},
		{"rule does not fit", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A bool `json:"a" rule:"posint"`
		}]())}, "posint does not fit"},
		{"two rules", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A string `json:"a" rule:"nonblank,email"`
		}]())}, "two rules"},
		{"bad bound", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A string `json:"a" rule:"max=x"`
		}]())}, "invalid syntax"},
		{"empty enum", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A string `json:"a" rule:"enum"`
		}]())}, "names no words"},
		{"no tag", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct{ A string }]())}, "needs one of the tags"},
		{"no tag inside", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A struct{ B string } `json:"a"`
		}]())}, "has no json tag"},
		{"paging name", []endpoint.Endpoint{endpoint.New("GET", "/x", "Doc", public(), takes[struct {
			A string `query:"limit"`
		}]())}, "Call.Page"},
		{"odd type", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A chan int `json:"a"`
		}]())}, "cannot be an input"},
		{"odd path type", []endpoint.Endpoint{endpoint.New("GET", "/x/{a}", "Doc", public(), takes[struct {
			A opt.Value[int64] `path:"a"`
		}]())}, "must be a plain text or positive number"},
		{"no struct", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[int]())}, "is no struct"},
		{"whole body", []endpoint.Endpoint{endpoint.New("POST", "/x", "Doc", public(), takes[struct {
			A string `json:"*"`
		}]())}, "needs a map[string]any"},
		{"a kind is chosen elsewhere", []endpoint.Endpoint{endpoint.Choosing(get("/x"), func(int) string { return "" }, "groups")}, "the kind is chosen in int"},
		{"an unknown kind is chosen", []endpoint.Endpoint{endpoint.Choosing(get("/x"), func(endpoint.None) string { return "" }, "zip")}, "the kind is chosen among"},
		{"one kind is chosen", []endpoint.Endpoint{endpoint.Choosing(get("/x"), func(endpoint.None) string { return "" })}, "the kind is chosen among"},
		{"self without number", []endpoint.Endpoint{endpoint.New("GET", "/x/{id}", "Doc", access.Self("people", access.Read, "id"), takes[struct {
			ID string `path:"id"`
		}]())}, `no path number "id"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := endpoint.Compile(tt.list, testRules()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRouting(t *testing.T) {
	type byID struct {
		ID int64 `path:"id"`
	}
	type byKey struct {
		Key string `path:"key"`
	}
	var last string
	var id int64
	var key string
	mark := func(name string) func(context.Context, *endpoint.Call, byID) (endpoint.None, error) {
		return func(_ context.Context, _ *endpoint.Call, in byID) (endpoint.None, error) {
			last, id = name, in.ID
			return endpoint.None{}, nil
		}
	}
	tab, err := endpoint.Compile([]endpoint.Endpoint{
		endpoint.New("GET", "/api/user/{id}", "D", public(), mark("get")),
		endpoint.New("DELETE", "/api/user/{id}", "D", public(), mark("delete")),
		endpoint.New("GET", "/api/user/current", "D", public(), func(context.Context, *endpoint.Call, endpoint.None) (endpoint.None, error) {
			last = "current"
			return endpoint.None{}, nil
		}),
		endpoint.New("GET", "/api/setting/{key}", "D", public(), func(_ context.Context, _ *endpoint.Call, in byKey) (endpoint.None, error) {
			last, key = "setting", in.Key
			return endpoint.None{}, nil
		}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		method, path, want string
		id                 int64
		key                string
	}{
		{"GET", "/api/user/5", "get", 5, ""},
		{"GET", "/api/user/5/", "get", 5, ""},
		{"HEAD", "/api/user/5", "get", 5, ""},
		{"GET", "/api/user/0005", "get", 5, ""},
		{"GET", "/api/user/%35", "get", 5, ""},
		{"DELETE", "/api/user/5", "delete", 5, ""},
		{"GET", "/api/user/99999999999999999999", "get", math.MaxInt64, ""},
		{"GET", "/api/user/current", "current", 0, ""},
		{"GET", "/api/user/current/", "current", 0, ""},
		{"GET", "/api/user/abc", "", 0, ""},
		{"GET", "/api/user/-5", "", 0, ""},
		{"GET", "/api/user/+5", "", 0, ""},
		{"GET", "/api/user/5x", "", 0, ""},
		{"GET", "/api/user/", "", 0, ""},
		{"GET", "/api/user/5/6", "", 0, ""},
		{"GET", "/api//user/5", "", 0, ""},
		{"GET", "/api/user/../user/5", "", 0, ""},
		{"DELETE", "/api/user/current", "", 0, ""},
		{"PATCH", "/api/user/5", "", 0, ""},
		{"GET", "/api/setting/site-name", "setting", 0, "site-name"},
		{"GET", "/api/setting/a%2Fb", "setting", 0, "a/b"},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			last, id, key = "", 0, ""
			_, err := send(tab, httptest.NewRequest(tt.method, tt.path, nil))
			if err != nil && (tt.want != "" || !errors.Is(err, errNoRoute)) {
				t.Fatal(err)
			}
			if last != tt.want || id != tt.id || key != tt.key {
				t.Errorf("got %q %d %q", last, id, key)
			}
		})
	}
	if _, err := send(tab, httptest.NewRequest("GET", "/api/setting/a%00", nil)); err == nil {
		t.Error("U+0000 in a path passed")
	}
}

type stream struct{}

func (stream) Respond(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv")
	_, _ = w.Write([]byte("a,b\n"))
}

func TestAnswers(t *testing.T) {
	type row struct {
		Name string `json:"name"`
	}
	const jsonType = "application/json; charset=utf-8"
	tests := []struct {
		name        string
		e           endpoint.Endpoint
		status      int
		media, body string
	}{
		{"object without escapes", endpoint.New("GET", "/x", "D", public(), answer(row{"<a&b>"})), 200, jsonType, `{"name":"<a&b>"}`},
		{"number", endpoint.New("GET", "/x", "D", public(), answer(3)), 200, jsonType, `3`},
		{"nil list", endpoint.New("GET", "/x", "D", public(), answer([]row(nil))), 200, jsonType, `[]`},
		{"nil map", endpoint.New("GET", "/x", "D", public(), answer(map[string]int(nil))), 200, jsonType, `{}`},
		{"none", endpoint.New("GET", "/x", "D", public(), answer(endpoint.None{})), 204, "", ``},
		{"nil pointer", endpoint.New("GET", "/x", "D", public(), answer((*row)(nil))), 204, "", ``},
		{"nil interface", endpoint.New("GET", "/x", "D", public(), answer[any](nil)), 204, "", ``},
		{"pointer", endpoint.New("GET", "/x", "D", public(), answer(&row{"a"})), 200, jsonType, `{"name":"a"}`},
		{"ready", endpoint.New("GET", "/x", "D", public(), answer(endpoint.Ready[[]row](`[{"name":"a"}]`))), 200, jsonType, `[{"name":"a"}]`},
		{"own", endpoint.New("GET", "/x", "D", public(), answer(stream{})), 200, "text/csv", "a,b\n"},
		{"status", endpoint.New("GET", "/x", "D", public(), func(_ context.Context, c *endpoint.Call, _ endpoint.None) (int, error) {
			c.Status = 202
			return 1, nil
		}), 202, jsonType, `1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tab, err := endpoint.Compile([]endpoint.Endpoint{tt.e}, nil)
			if err != nil {
				t.Fatal(err)
			}
			w, err := send(tab, httptest.NewRequest("GET", "/x", nil))
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Content-Type") != tt.media {
				t.Errorf("got %d %q %q", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
}

func TestWhatCannotBeEncodedIsAnError(t *testing.T) {
	tab, err := endpoint.Compile([]endpoint.Endpoint{endpoint.New("GET", "/x", "D", public(), answer(math.NaN()))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w, err := send(tab, httptest.NewRequest("GET", "/x", nil)); err == nil || w.Body.Len() > 0 {
		t.Errorf("got %v, %q", err, w.Body)
	}
}

func TestPolicyIsAskedAfterValidation(t *testing.T) {
	type in struct {
		ID   int64  `path:"id"`
		Name string `json:"name"`
	}
	tab, err := endpoint.Compile([]endpoint.Endpoint{
		endpoint.New("PUT", "/x/{id}", "D", access.Self("people", access.Write, "id"), takes[in]()),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	member := &access.Principal{Kind: access.Person, UserID: 7, Groups: []int64{1}}
	admin := &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{1, 2}}
	tests := []struct {
		name   string
		who    *access.Principal
		target string
		body   string
		want   fault.Kind // Internal stands for a validation error
		ok     bool
	}{
		{"self", member, "/x/7", `{"name":"a"}`, 0, true},
		{"admin", admin, "/x/7", `{"name":"a"}`, 0, true},
		{"other", member, "/x/8", `{"name":"a"}`, fault.Forbidden, false},
		{"other, invalid", member, "/x/8", `{}`, fault.Internal, false},
		{"anonymous", nil, "/x/7", `{"name":"a"}`, fault.Unauthenticated, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c := &endpoint.Call{Request: jsonRequest("PUT", tt.target, tt.body), Header: w.Header(), Who: tt.who}
			if err := c.ReadBody(w, 1000); err != nil {
				t.Fatal(err)
			}
			err := tab.Find(c).Serve(t.Context(), c, w)
			if (err == nil) != tt.ok || err != nil && fault.As(err).Kind != tt.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPaging(t *testing.T) {
	on := func(limit, offset int) endpoint.Page {
		return endpoint.Page{Limit: opt.Of(limit), Offset: opt.Of(offset)}
	}
	tests := []struct {
		query string
		want  endpoint.Page
		bad   string
	}{
		{"", endpoint.Page{}, ""},
		{"a=b", endpoint.Page{}, ""},
		{"limit=10", on(10, 0), ""},
		{"offset=10", on(50, 10), ""},
		{"limit=10&offset=5", on(10, 5), ""},
		{"limit=10&page=1", on(10, 0), ""},
		{"limit=10&page=3", on(10, 20), ""},
		{"page=0", on(50, 0), ""},
		{"limit=10&page=3&offset=1", on(10, 1), ""},
		{"limit=0", on(0, 0), ""},
		{"limit=x", endpoint.Page{}, "limit"},
		{"limit=", endpoint.Page{}, "limit"},
		{"limit=-1", endpoint.Page{}, "limit"},
		{"limit=1.5", endpoint.Page{}, "limit"},
		{"limit=99999999999", endpoint.Page{}, "limit"},
		{"limit=1&limit=2", endpoint.Page{}, "limit"},
		{"offset=x", endpoint.Page{}, "offset"},
		{"page=x", endpoint.Page{}, "page"},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			c := &endpoint.Call{Request: httptest.NewRequest("GET", "/x?"+tt.query, nil)}
			err := c.ReadQuery()
			bad, _ := errors.AsType[*endpoint.PagingError](err)
			if (bad != nil) != (tt.bad != "") || bad != nil && bad.Name != tt.bad || c.Page != tt.want {
				t.Errorf("got %+v, %v", c.Page, err)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	tests := []struct {
		p        endpoint.Page
		n        int
		from, to int
	}{
		{endpoint.Page{}, 3, 0, 3},
		{endpoint.Page{Limit: opt.Of(2), Offset: opt.Of(0)}, 3, 0, 2},
		{endpoint.Page{Limit: opt.Of(2), Offset: opt.Of(2)}, 3, 2, 3},
		{endpoint.Page{Limit: opt.Of(2), Offset: opt.Of(9)}, 3, 3, 3},
		{endpoint.Page{Limit: opt.Of(math.MaxInt32), Offset: opt.Of(1)}, 3, 1, 3},
	}
	for _, tt := range tests {
		if from, to := tt.p.Window(tt.n); from != tt.from || to != tt.to {
			t.Errorf("%+v of %d: got %d, %d", tt.p, tt.n, from, to)
		}
	}
}

func TestCookies(t *testing.T) {
	c := &endpoint.Call{Header: http.Header{}}
	c.SetCookie(&http.Cookie{Name: "a", Value: "b"})
	c.SetCookie(&http.Cookie{Name: "bad name", Value: "b"})
	if got := c.Header["Set-Cookie"]; !reflect.DeepEqual(got, []string{"a=b"}) {
		t.Errorf("got %v", got)
	}
}

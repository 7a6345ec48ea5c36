package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

type groupID struct {
	ID   int64             `json:"id" rule:"posint" kind:"groups"`
	Note opt.Value[string] `json:"note"`
}

type namingInput struct {
	ID      int64                     `path:"id" rule:"posint"`
	Group   opt.Value[int64]          `query:"group" kind:"groups"`
	Groups  opt.Value[[]groupID]      `json:"groups" scope:"memberships:write"`
	People  opt.Value[[]int64]        `json:"people" kind:"people"`
	Name    opt.Value[string]         `json:"name"`
	Details opt.Value[detailsInput]   `json:"details"`
	Free    opt.Value[map[string]any] `json:"free"`
	Setting opt.Value[string]         `json:"setting" kind:"settings"`
	Plain   int64                     `json:"plain" rule:"optional" kind:"keys"`
}

type detailsInput struct {
	DBName opt.Value[string] `json:"dbname"`
	Port   opt.Value[int]    `json:"port"`
	Owner  opt.Value[int64]  `json:"owner" kind:"people" scope:"keys:write"`
}

var (
	bareKey  = &access.Principal{Kind: access.ServiceKey, UserID: 8, KeyID: 3, Groups: []int64{1, 2}}
	adaAdmin = &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{1, 2}}
)

func namingTable(t *testing.T, compile func([]endpoint.Endpoint, endpoint.Rules) (*endpoint.Table, error), list ...endpoint.Endpoint) *endpoint.Table {
	t.Helper()
	tab, err := compile(list, testRules())
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func changeEndpoint() endpoint.Endpoint {
	return endpoint.New("PUT", "/x/{id}", "D", access.Admin("people", access.Write).Naming("people", "id"), takes[namingInput]())
}

// asked sends a request and returns the call after its answer.
func asked(tab *endpoint.Table, who *access.Principal, r *http.Request) (*endpoint.Call, error) {
	w := httptest.NewRecorder()
	c := &endpoint.Call{Request: r, Header: w.Header(), Who: who}
	if err := errors.Join(c.ReadQuery(), c.ReadBody(w, 1<<20)); err != nil {
		return c, err
	}
	return c, tab.Find(c).Serve(r.Context(), c, w)
}

func show(refs []access.Ref, writes []access.FieldWrite) string {
	var out []string
	for _, r := range refs {
		out = append(out, r.Kind+"/"+r.ID)
	}
	for _, w := range writes {
		out = append(out, w.Kind+"."+w.Field)
	}
	return strings.Join(out, " ")
}

func TestWhatCallsNameAndWrite(t *testing.T) {
	tab := namingTable(t, endpoint.Compile, changeEndpoint())
	for _, c := range []struct{ target, body, want string }{
		{"/x/7", `{}`, "people/7"},
		{"/x/007", `{"name":null,"other":1}`, "people/7 people.name"},
		{"/x/7?group=5", `{"people":[8,"9"]}`, "people/7 groups/5 people/8 people/9 people.people"},
		{"/x/7", `{"groups":[{"id":"1"},{"id":2}]}`, "people/7 groups/1 groups/2 people.groups"},
		{"/x/7", `{"details":{"port":1,"owner":4,"zzz":2}}`, "people/7 people/4 people.details.port people.details.owner"},
		{"/x/7", `{"details":{}}`, "people/7 people.details"},
		{"/x/7", `{"details":{"zzz":1}}`, "people/7 people.details"},
		{"/x/7", `{"details":null}`, "people/7 people.details"},
		{"/x/7", `{"free":{"a":1,"b":{"c":2,"d":{}}}}`, "people/7 people.free.a people.free.b.c people.free.b.d"},
		{"/x/7", `{"free":{"a.b":1}}`, "people/7 people.free"},
		{"/x/7", `{"free":{"a":{"b.c":1}}}`, "people/7 people.free.a"},
		{"/x/7", `{"setting":"site_name","plain":3}`, "people/7 settings/site-name keys/3 people.setting people.plain"},
	} {
		call, err := asked(tab, bareKey, jsonRequest("PUT", c.target, c.body))
		if got := show(call.Refs, call.Writes); err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v, want %q", c.target, c.body, got, err, c.want)
		}
		if call.Route() != "PUT /x/{id}" || call.Refused != nil {
			t.Errorf("route %q, refused %v", call.Route(), call.Refused)
		}
		person, err := asked(tab, adaAdmin, jsonRequest("PUT", c.target, c.body))
		if err != nil || person.Refs != nil || person.Writes != nil {
			t.Errorf("%s: of a person: %v, %v, %v", c.body, person.Refs, person.Writes, err)
		}
	}
}

func TestFormsNameAndWriteTheSame(t *testing.T) {
	e := endpoint.New("POST", "/x", "D", access.Admin("people", access.Write), takes[struct {
		Details opt.Value[detailsInput] `json:"details"`
		People  opt.Value[[]int64]      `json:"people" kind:"people"`
	}]())
	tab := namingTable(t, endpoint.Compile, e)
	call, err := asked(tab, bareKey, formRequest("/x", `people=4&people=5&details=%7B%22owner%22%3A6%7D`))
	if got := show(call.Refs, call.Writes); err != nil || got != "people/6 people/4 people/5 people.details.owner people.people" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestScopesOfFields(t *testing.T) {
	tab := namingTable(t, endpoint.Compile, changeEndpoint())
	limits, err := access.Restriction{Scopes: []string{"people:write", "memberships:write"}}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	key := *bareKey
	key.Limits = limits
	for body, code := range map[string]string{
		`{"name":"a"}`: "", `{"groups":[]}`: "", `{"details":{"port":1}}`: "", `{"details":{"owner":4}}`: access.CodeScope, `{"details":{"owner":null}}`: access.CodeScope,
	} {
		call, err := asked(tab, &key, jsonRequest("PUT", "/x/7", body))
		if got := fault.As(err); (err == nil) != (code == "") || err != nil && (got.Code != code || call.Refused.Code != code) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestIDsAreLookedUp(t *testing.T) {
	type byID struct {
		ID int64 `path:"id"`
	}
	asks := 0
	lookUp := func(_ context.Context, c *endpoint.Call, in byID) ([]access.Ref, error) {
		asks++
		switch in.ID {
		case 404:
			return nil, fault.New(fault.NotFound, "no")
		case 500:
			return nil, fault.Wrap(errors.New("away"), "read")
		}
		return []access.Ref{access.NewRef("groups", fmt.Sprint(in.ID)), access.NewRef("people", "7")}, nil
	}
	e := endpoint.New("DELETE", "/m/{id}", "D", access.Admin("memberships", access.Write).Naming("memberships", "id"), takes[byID]())
	tab := namingTable(t, endpoint.Compile, endpoint.Naming(e, lookUp, "groups", "people"))
	call, err := asked(tab, bareKey, httptest.NewRequest("DELETE", "/m/5", nil))
	if got := show(call.Refs, nil); err != nil || got != "memberships/5 groups/5 people/7" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := asked(tab, bareKey, httptest.NewRequest("DELETE", "/m/404", nil)); err != nil {
		t.Errorf("not found: %v", err)
	}
	if _, err := asked(tab, bareKey, httptest.NewRequest("DELETE", "/m/500", nil)); !fault.Is(err, fault.Internal) {
		t.Errorf("failed: %v", err)
	}
	asks = 0
	plain := &access.Principal{Kind: access.ServiceKey, UserID: 9, Groups: []int64{1}}
	for _, who := range []*access.Principal{nil, adaAdmin, plain} {
		_, _ = asked(tab, who, httptest.NewRequest("DELETE", "/m/500", nil))
	}
	if asks != 0 {
		t.Errorf("looked up %d times for people and for those whom the groups refuse", asks)
	}
}

// A key that may not call a public route is anonymous for the handler, and
// itself again for those who observe.
func TestPublicRoutesAnswerRefusedKeysAsAnonymous(t *testing.T) {
	var seen *access.Principal
	e := endpoint.New("GET", "/open", "D", access.Public("settings", access.Read),
		func(_ context.Context, c *endpoint.Call, _ endpoint.None) (string, error) {
			seen = c.Who
			return "", nil
		})
	tab := namingTable(t, endpoint.Compile, e)
	key := *bareKey
	for _, limits := range []*access.Limits{nil, access.Closed()} {
		key.Limits = limits
		call, err := asked(tab, &key, httptest.NewRequest("GET", "/open", nil))
		if err != nil || call.Who != &key || (seen == nil) != (limits != nil) || (call.Refused != nil) != (limits != nil) {
			t.Errorf("%v: handler saw %v, observers %v, %v", limits, seen, call.Who, call.Refused)
		}
	}
}

func TestTrialOnlyReports(t *testing.T) {
	tab := namingTable(t, endpoint.Compile, changeEndpoint())
	trial, err := access.Restriction{ReadOnly: true}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	key := *bareKey
	key.Trial = trial
	call, err := asked(tab, &key, jsonRequest("PUT", "/x/7", `{}`))
	if err != nil || call.Refused != nil || call.Trial == nil || call.Trial.Code != access.CodeReadOnly {
		t.Errorf("%v, %+v, %+v", err, call.Refused, call.Trial)
	}
}

func TestPlan(t *testing.T) {
	tab := namingTable(t, endpoint.Compile, changeEndpoint(),
		endpoint.New("GET", "/s/{id}", "D", access.Self("people", access.Read, "id"), takes[struct {
			ID int64 `path:"id"`
		}]()))
	rt, req, err := tab.Plan(t.Context(), bareKey, "PUT", "/x/7?group=5", []byte(`{"name":"a","groups":[{"id":2}]}`))
	if err != nil || rt.Pattern() != "PUT /x/{id}" || show(req.Refs, req.Writes) != "people/7 groups/5 groups/2 people.groups people.name" ||
		!slices.Equal(req.Extra, []access.Scope{{Resource: "memberships", Verb: access.Write}}) {
		t.Errorf("%+v, %v", req, err)
	}
	if _, req, err := tab.Plan(t.Context(), bareKey, "GET", "/s/9", nil); err != nil || req.Self != 9 || req.Route != "GET /s/{id}" {
		t.Errorf("%+v, %v", req, err)
	}
	if rt, _, err := tab.Plan(t.Context(), bareKey, "GET", "/nowhere", nil); rt != nil || err != nil {
		t.Errorf("%v, %v", rt, err)
	}
	if rt, _, err := tab.Plan(t.Context(), bareKey, "GET", "no path", nil); rt != nil || !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, %v", rt, err)
	}
	for _, body := range []string{`{"name":5}`, `{`} {
		if rt, req, err := tab.Plan(t.Context(), bareKey, "PUT", "/x/7", []byte(body)); rt == nil || err == nil || req.Route == "" {
			t.Errorf("%s: %v, %v", body, rt, err)
		}
	}
}

func TestDeclared(t *testing.T) {
	v := namingTable(t, endpoint.Compile, changeEndpoint()).Vocabulary()
	d := v.Routes()[0]
	want := []string{"groups", "people", "keys", "settings"}
	slices.Sort(want)
	if !slices.Equal(d.Names, want) || !slices.Equal(d.Free, []string{"free"}) || d.LooksUp || d.AllKeys {
		t.Errorf("%+v", d)
	}
	if !reflect.DeepEqual(d.FieldScopes, map[string]access.Scope{
		"groups": {Resource: "memberships", Verb: access.Write}, "details.owner": {Resource: "keys", Verb: access.Write},
	}) {
		t.Errorf("scopes %v", d.FieldScopes)
	}
	for field, ok := range map[string]bool{"name": true, "details.port": true, "free.x.y": true, "details.zzz": false, "groups.id": false} {
		if v.HasField("people", field) != ok {
			t.Errorf("field %s: %v", field, !ok)
		}
	}
}

func TestBadTagsStopTheStart(t *testing.T) {
	admin := access.Admin("people", access.Write)
	type byID struct {
		ID int64 `path:"id"`
	}
	for name, c := range map[string]struct {
		e    endpoint.Endpoint
		want string
	}{
		"unknown scope kind": {endpoint.New("GET", "/x", "D", access.Admin("things", access.Read), answer(1)), `unknown kind "things"`},
		"unknown touch":      {endpoint.New("GET", "/x", "D", admin.Touching("things"), answer(1)), `unknown kind "things"`},
		"unknown name": {endpoint.New("GET", "/x/{id}", "D", admin.Naming("things", "id"), takes[byID]()),
			`unknown kind "things"`},
		"name of no path value": {endpoint.New("GET", "/x/{id}", "D", admin.Naming("people", "key"), takes[byID]()), `"key", which the input does not have`},
		"two kinds": {endpoint.New("GET", "/x/{id}", "D", admin.Naming("people", "id"), takes[struct {
			ID int64 `path:"id" kind:"groups"`
		}]()), "of two kinds"},
		"unknown kind tag": {endpoint.New("POST", "/x", "D", admin, takes[struct {
			A int64 `json:"a" kind:"things"`
		}]()), `no kind "things"`},
		"unknown scope tag": {endpoint.New("POST", "/x", "D", admin, takes[struct {
			A int64 `json:"a" scope:"people:own"`
		}]()), `no scope "people:own"`},
		"scope of a path value": {endpoint.New("POST", "/x/{id}", "D", admin, takes[struct {
			ID int64 `path:"id" scope:"people:read"`
		}]()), "belongs to the policy"},
		"scope in a list": {endpoint.New("POST", "/x", "D", admin, takes[struct {
			A []struct {
				B int64 `json:"b" scope:"people:read"`
			} `json:"a"`
		}]()), "cannot need a scope"},
		"kind of a bool": {endpoint.New("POST", "/x", "D", admin, takes[struct {
			A bool `json:"a" kind:"people"`
		}]()), "is no id"},
		"kind of a secret": {endpoint.New("POST", "/x", "D", admin, takes[struct {
			A secret.Text `json:"a" kind:"people"`
		}]()), "a secret is no id"},
		"names of another input": {endpoint.Naming(endpoint.New("GET", "/x/{id}", "D", admin, takes[byID]()),
			func(context.Context, *endpoint.Call, endpoint.None) ([]access.Ref, error) { return nil, nil }, "people"), "looked up in"},
		"names of unknown kinds": {endpoint.Naming(endpoint.New("GET", "/x", "D", admin, answer(1)),
			func(context.Context, *endpoint.Call, endpoint.None) ([]access.Ref, error) { return nil, nil }, "things"), "unknown kinds"},
	} {
		if _, err := endpoint.Compile([]endpoint.Endpoint{c.e}, testRules()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestStrictTablesRefuseTheUnknown(t *testing.T) {
	e := endpoint.New("POST", "/x", "D", public(), takes[struct {
		A opt.Value[detailsInput] `json:"a"`
		L opt.Value[[]member]     `json:"l"`
		M opt.Value[any]          `json:"m"`
		Q opt.Value[string]       `query:"q"`
	}]())
	none := endpoint.New("POST", "/none", "D", public(), answer(1))
	strict := namingTable(t, endpoint.CompileStrict, e, none)
	lenient := namingTable(t, endpoint.Compile, e, none)
	for _, c := range []struct{ target, body, want string }{
		{"/x?q=1&limit=3", `{"a":{"dbname":"x"},"l":[{"id":1}],"m":{"any":{"thing":1}}}`, ""},
		{"/x?q=1&z=1", `{}`, "query z"},
		{"/x", `{"z":1,"y":2}`, "body y z"},
		{"/x", `{"a":{"z":1}}`, "body a(z)"},
		{"/x", `{"l":[{"id":1},{"id":2,"z":1}]}`, "body l[1](z)"},
		{"/x", `{"A":{}}`, "body A"},
		{"/none", `{"z":1}`, "body z"},
		{"/none?z=1", ``, "query z"},
		{"/none", `[1]`, "body "},
		{"/none", `{}`, ""},
	} {
		_, err := send(strict, jsonRequest("POST", c.target, c.body))
		bad, _ := errors.AsType[*endpoint.ValidationError](err)
		got := ""
		if bad != nil {
			got = string(bad.Part) + " " + names(t, bad.Fields)
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s %s: %q, %v, want %q", c.target, c.body, got, err, c.want)
		}
		if _, err := send(lenient, jsonRequest("POST", c.target, c.body)); err != nil {
			t.Errorf("%s %s: the lenient table says %v", c.target, c.body, err)
		}
	}
}

// names writes unknown fields with those inside them.
func names(t *testing.T, fields []endpoint.FieldProblem) string {
	t.Helper()
	var out []string
	for _, f := range fields {
		s := f.Name
		switch {
		case f.Fields != nil:
			s += "(" + names(t, f.Fields) + ")"
		case f.Items != nil:
			for i, item := range f.Items {
				if item != nil {
					s += fmt.Sprintf("[%d](%s)", i, names(t, item.Fields))
				}
			}
		case !slices.Equal(f.Failed, []endpoint.Failure{endpoint.Unknown}) || f.Received != nil:
			t.Errorf("%s: %+v", f.Name, f.Problem)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

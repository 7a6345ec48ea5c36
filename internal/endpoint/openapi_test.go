package endpoint_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

type node struct {
	ID       int64                `json:"id"`
	Parent   *node                `json:"parent,omitempty"`
	Made     time.Time            `json:"made"`
	Nick     opt.Value[string]    `json:"nick"`
	Tags     []string             `json:"tags"`
	Counts   map[string]float64   `json:"counts"`
	Password secret.Text          `json:"-"`
	Raw      json.RawMessage      `json:"raw"`
	Hook     func()               `json:"-"`
	Extra    struct{ A, B *bool } `json:"extra"`
}

func TestOpenAPI(t *testing.T) {
	type in struct {
		ID    int64                  `path:"id"`
		Sort  opt.Value[string]      `query:"sort" rule:"enum=asc|desc"`
		On    opt.Value[bool]        `query:"on"`
		Name  string                 `json:"name" rule:"nonblank,max=254"`
		Mail  opt.Value[string]      `json:"mail" rule:"email,notnull"`
		Pass  secret.Text            `json:"pass" rule:"password"`
		Owner opt.Value[member]      `json:"owner"`
		IDs   []int64                `json:"ids" rule:"posint"`
		Any   opt.Value[any]         `json:"any"`
		Ratio opt.Value[float64]     `json:"ratio"`
		Meta  map[string]interface{} `json:"meta"`
	}
	list := []endpoint.Endpoint{
		endpoint.New("PUT", "/api/thing/{id}", "Change a thing", access.Admin("groups", access.Write),
			func(context.Context, *endpoint.Call, in) (node, error) { return node{}, nil }),
		endpoint.New("GET", "/api/thing", "List things", public(), answer(endpoint.Ready[[]node](nil))),
		endpoint.New("GET", "/api/thing/export", "Export", public(), answer(stream{})),
		endpoint.New("DELETE", "/api/thing", "Delete", public(), answer(endpoint.None{})),
		endpoint.New("POST", "/api/thing", "All", public(), takes[struct {
			All map[string]any `json:"*"`
		}]()),
	}
	tab, err := endpoint.Compile(list, testRules())
	if err != nil {
		t.Fatal(err)
	}
	info := endpoint.Info{Title: "T", Version: "1", Prefix: "/api", Security: map[string]endpoint.SecurityScheme{
		"b": {Type: "apiKey", In: "header", Name: "X-B"}, "a": {Type: "apiKey", In: "header", Name: "X-A"}}}
	one, err := tab.OpenAPI(info)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := tab.OpenAPI(info)
	if string(one) != string(two) {
		t.Error("not the same bytes twice")
	}
	for _, want := range []string{
		`"openapi":"3.1.0"`,
		`"operationId":"put_api_thing_id"`,
		`"tags":["thing"]`,
		`{"in":"path","name":"id","required":true,"schema":{"format":"int64","minimum":1,"type":"integer"}}`,
		`{"enum":["asc","desc",null],"type":["string","null"]}`,
		`"name":{"maxLength":254,"minLength":1,"pattern":"\\S","type":"string"}`,
		`"mail":{"format":"email","type":"string"}`,
		`"pass":{"format":"password","type":"string"}`,
		`"required":["name","pass","ids","meta"]`,
		`"security":[{"a":[]},{"b":[]}]`,
		`"x-latchkey-policy":{"scope":"groups:write","who":"admins"}`,
		`"items":{"$ref":"#/components/schemas/Node"}`,
		`"parent":{"anyOf":[{"$ref":"#/components/schemas/Node"},{"type":"null"}]}`,
		`"made":{"format":"date-time","type":"string"}`,
		`"204":{"description":"Done."}`,
	} {
		if !strings.Contains(string(one), want) {
			t.Errorf("no %s in\n%s", want, one)
		}
	}
	if len(tab.Routes()) != len(list) || tab.Routes()[0].Doc != "Change a thing" {
		t.Error("Routes is not what was declared")
	}
	rules := map[string]bool{}
	for _, typ := range tab.Routes()[0].Types() {
		rules[typ.Rule] = true
	}
	for _, want := range []string{"posint", "enum", "object", "list", "password", "map"} {
		if !rules[want] {
			t.Errorf("Types lacks %s", want)
		}
	}
}

package v1_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
)

// minimal is a body that a route takes, by how its path ends.
func minimal(path string) string {
	switch {
	case strings.HasSuffix(path, "/disable"):
		return `{"reason":"why"}`
	case strings.HasSuffix(path, "/restriction"), strings.HasSuffix(path, "/trial"):
		return `{"read_only":true}`
	case strings.HasSuffix(path, "/lookup"):
		return `{"digest":"` + strings.Repeat("0a", 32) + `"}`
	case strings.HasSuffix(path, "/v1/keys"), strings.HasSuffix(path, "/personal-keys"):
		return `{"name":"new"}`
	}
	return ""
}

// managed calls f for every declared route about keys and policies that is for
// administrators, with ids filled in.
func managed(h *house, f func(method, path, body string, v access.Verb)) {
	n := 0
	for _, rt := range h.api.Table().Routes() {
		kind := rt.Policy.Scope.Resource
		if kind != access.KindKeys && kind != access.KindPolicies || strings.HasSuffix(rt.Path, "/explain") {
			continue
		}
		n++
		path := strings.NewReplacer("{id}", "{member}", "{secret}", "1", "{group_id}", "{Analysts}").Replace(rt.Path)
		body := ""
		if rt.Method != "GET" && rt.Method != "DELETE" {
			body = minimal(rt.Path)
		}
		f(rt.Method, path, body, rt.Policy.Scope.Verb)
	}
	if n < 24 {
		h.t.Errorf("only %d routes", n)
	}
}

func TestWhoManagesKeys(t *testing.T) {
	h := newHouse(t)
	h.makeKey("reader", access.Administrators, access.Restriction{ReadOnly: true})
	h.makeKey("other", access.Administrators, access.Restriction{Scopes: []string{"people:read", "people:write"}})
	own := h.makeKey("bound", access.Administrators, access.Restriction{Resources: map[string][]string{"keys": {"1"}, "policies": {"0"}}})
	if own == h.ids["member"] {
		t.Fatal("the key is bound to itself")
	}
	managed(h, func(method, path, body string, v access.Verb) {
		h.refused(401, "unauthenticated", "", method, path, body)
		h.refused(401, "unauthenticated", "lk_unknown", method, path, body)
		h.refused(403, "group", "bo", method, path, body)
		h.refused(403, "group", "member", method, path, body)
		h.refused(403, "scope", "other", method, path, body)
		h.refused(403, "resource", "bound", method, path, body)
		if v == access.Write {
			h.refused(403, "read-only", "reader", method, path, body)
		}
	})
}

// A key that is bound to one key does exactly that one.
func TestKeyBoundToOneKey(t *testing.T) {
	h := newHouse(t)
	h.makeKey("bound", access.Administrators, access.Restriction{Resources: map[string][]string{"keys": {fmt.Sprint(h.ids["member"])}}})
	for _, path := range []string{"", "/secrets", "/trial", "/suggestion", "/usage", "/requests", "/verdict"} {
		h.ok(200, "bound", "GET", "/v1/keys/{member}"+path, "")
		h.refused(403, "resource", "bound", "GET", "/v1/keys/{root}"+path, "")
	}
	h.refused(403, "resource", "bound", "GET", "/v1/keys", "")
	h.refused(403, "resource", "bound", "POST", "/v1/keys", `{"name":"new"}`)
	h.refused(403, "resource", "bound", "GET", "/v1/keys/999999", "")
	h.refused(403, "wider-than-caller", "bound", "PATCH", "/v1/keys/{member}", `{"name":"mine"}`)
	h.ok(200, "ada", "PUT", "/v1/keys/{member}/restriction", `{"resources":{"keys":[{member}]}}`)
	h.ok(200, "bound", "PATCH", "/v1/keys/{member}", `{"name":"mine"}`).are("name", `"mine"`)
	h.refused(403, "wider-than-caller", "bound", "PUT", "/v1/keys/{member}/restriction", `{"read_only":true}`)
}

// Keys that are bound to groups or people reach the keys that belong to them,
// and see nothing of others.
func TestKeyBoundToAGroup(t *testing.T) {
	h := newHouse(t)
	h.makeKey("bound", access.Administrators, access.Restriction{Resources: map[string][]string{"groups": {fmt.Sprint(h.ids["Analysts"])}}})
	h.ids["both"] = h.ok(201, "ada", "POST", "/v1/keys", `{"name":"both","group_ids":[{Analysts},{Writers}]}`).id("id")
	h.ok(200, "bound", "GET", "/v1/keys/{member}", "").are("name", `"member"`)
	h.refused(403, "resource", "bound", "GET", "/v1/keys/{both}", "")
	h.refused(403, "resource", "bound", "GET", "/v1/keys/{root}", "")
	h.refused(403, "resource", "bound", "GET", "/v1/keys", "")
	h.refused(403, "resource", "bound", "GET", "/v1/keys?group_id={Writers}", "")
	list := h.ok(200, "bound", "GET", "/v1/keys?group_id={Analysts}", "")
	list.are("data.0.name", `"both"`, "data.0.group_ids", h.path("[{Analysts}]"), "data.1.name", `"member"`)
	if strings.Contains(list.text, "Writers") {
		t.Errorf("another group is shown: %s", list.text)
	}
	h.refused(403, "resource", "bound", "POST", "/v1/keys", `{"name":"new"}`)
	h.refused(403, "resource", "bound", "POST", "/v1/keys", `{"name":"new","group_ids":[{Analysts},{Writers}]}`)
	h.ok(201, "bound", "POST", "/v1/keys", `{"name":"new","group_ids":[{Analysts}]}`).
		are("restriction", h.path(`{"resources":{"groups":["{Analysts}"]}}`))
	h.ok(200, "ada", "PUT", "/v1/policies/{Analysts}", `{"max_days":90}`)
	h.refused(403, "resource", "bound", "PUT", "/v1/policies/0", `{}`)
	h.refused(403, "resource", "bound", "PUT", "/v1/policies/{Writers}", `{}`)
	h.ok(200, "bound", "PUT", "/v1/policies/{Analysts}", `{"max_days":60}`)
	h.makeKey("peopled", access.Administrators, access.Restriction{Resources: map[string][]string{"people": {fmt.Sprint(h.ids["bo"])}}})
	h.ok(200, "ada", "PATCH", "/v1/keys/{both}", `{"owner_id":{bo},"successor_id":{cy}}`)
	h.ok(200, "peopled", "GET", "/v1/keys?owner_id={bo}", "").are("data.0.owner.name", `"bo"`, "data.0.successor", "null", "data.0.created_by", "null")
	h.refused(403, "resource", "peopled", "GET", "/v1/keys?owner_id={cy}", "")
}

func TestFieldsOfKeys(t *testing.T) {
	h := newHouse(t)
	r := access.Restriction{Fields: map[string][]string{"keys": {"description", "restriction"}}}
	h.makeKey("field", access.Administrators, r)
	h.ids["k"] = h.makeKey("k", h.ids["Analysts"], r)
	h.ok(200, "field", "PATCH", "/v1/keys/{k}", `{"description":"new"}`).are("description", `"new"`)
	h.refused(403, "field", "field", "PATCH", "/v1/keys/{k}", `{"name":"new"}`)
	h.refused(403, "field", "field", "DELETE", "/v1/keys/{k}", "")
	h.refused(403, "field", "field", "PUT", "/v1/keys/{k}/trial", `{"read_only":true}`)
	h.ok(200, "field", "PUT", "/v1/keys/{k}/restriction", `{"read_only":true,"fields":{"keys":["description"]}}`).are("restriction.read_only", "true")
}

// manyID is an id that no int64 holds.
const manyID = "99999999999999999999"

func TestBadInputOfKeys(t *testing.T) {
	h := newHouse(t)
	text := strings.Repeat("x", 255)
	tests := []struct {
		method, path, body string
		status             int
		code               string
		fields             []string
	}{
		{"POST", "/v1/keys", ``, 400, "invalid", []string{"name missing"}},
		{"POST", "/v1/keys", `[]`, 400, "invalid", []string{"body type"}},
		{"POST", "/v1/keys", `{"name":`, 400, "malformed-json", nil},
		{"POST", "/v1/keys", `{"name":5}`, 400, "invalid", []string{"name type"}},
		{"POST", "/v1/keys", `{"name":null}`, 400, "invalid", []string{"name type"}},
		{"POST", "/v1/keys", `{"name":" "}`, 400, "invalid", []string{"name blank"}},
		{"POST", "/v1/keys", `{"name":"` + text + `"}`, 400, "invalid", []string{"name length"}},
		{"POST", "/v1/keys", `{"name":"a\u0000"}`, 400, "invalid", []string{"name characters"}},
		{"POST", "/v1/keys", `{"name":"member"}`, 409, "name-taken", []string{"name name-taken"}},
		{"POST", "/v1/keys", `{"name":"a","key":"lk_mine"}`, 400, "invalid", []string{"key unknown"}},
		{"POST", "/v1/keys", `{"name":"a","description":"` + strings.Repeat("x", 2001) + `"}`, 400, "invalid", []string{"description length"}},
		{"POST", "/v1/keys", `{"name":"a","group_ids":5}`, 400, "invalid", []string{"group_ids type"}},
		{"POST", "/v1/keys", `{"name":"a","group_ids":[1,"x",0]}`, 400, "invalid", []string{"group_ids.1 type", "group_ids.2 refused"}},
		{"POST", "/v1/keys", `{"name":"a","group_ids":[` + manyID + `]}`, 400, "invalid", []string{"group_ids.0 type"}},
		{"POST", "/v1/keys", `{"name":"a","group_ids":[1,999999]}`, 400, "unknown-group", []string{"group_ids unknown-group"}},
		{"POST", "/v1/keys", `{"name":"a","owner_id":999999}`, 400, "unknown-person", []string{"owner_id unknown-person"}},
		{"POST", "/v1/keys", `{"name":"a","successor_id":999999}`, 400, "unknown-person", []string{"successor_id unknown-person"}},
		{"POST", "/v1/keys", `{"name":"a","owner_id":{bo},"successor_id":{bo}}`, 400, "invalid", []string{"successor_id refused"}},
		{"POST", "/v1/keys", `{"name":"a","owner_id":0}`, 400, "invalid", []string{"owner_id refused"}},
		{"POST", "/v1/keys", `{"name":"a","tags":["a",null," "]}`, 400, "invalid", []string{"tags.1 type", "tags.2 blank"}},
		{"POST", "/v1/keys", `{"name":"a","tags":["` + text + `"]}`, 400, "invalid", []string{"tags.0 length"}},
		{"POST", "/v1/keys", `{"name":"a","tags":["` + strings.Join(numbers(21), `","`) + `"]}`, 400, "invalid", []string{"tags refused"}},
		{"POST", "/v1/keys", `{"name":"a","expires_at":"tomorrow"}`, 400, "invalid", []string{"expires_at refused"}},
		{"POST", "/v1/keys", `{"name":"a","expires_at":"2026-11-22T10:00:00Z"}`, 400, "in-the-past", []string{"expires_at in-the-past"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":"read-only"}`, 400, "invalid", []string{"restriction type"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":{"readonly":true,"scopes":"x"}}`, 400, "invalid", []string{"restriction.readonly refused", "restriction.scopes refused"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":{"scopes":["people:read","peple:read"]}}`, 400, "invalid", []string{"restriction.scopes refused"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":{"scopes":[]}}`, 400, "invalid", []string{"restriction.scopes refused"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":{"routes":["GET /nowhere"],"fields":{"people":["shoe"]}}}`, 400, "invalid",
			[]string{"restriction.fields.people refused", "restriction.routes refused"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":{"resources":{"groups":[999999]}}}`, 400, "unknown-resource", []string{"restriction.resources unknown-resource"}},
		{"POST", "/v1/keys", `{"name":"a","restriction":{"addresses":["here"],"hours":{"zone":"Moon"},"rate_limit":{"requests":0}}}`, 400, "invalid",
			[]string{"restriction.addresses refused", "restriction.hours refused", "restriction.rate_limit.requests refused", "restriction.rate_limit.seconds refused"}},
		{"GET", "/v1/keys/999999", ``, 404, "not-found", nil},
		{"GET", "/v1/keys/" + manyID, ``, 404, "not-found", nil},
		{"GET", "/v1/keys/x", ``, 404, "no-route", nil},
		{"GET", "/v1/keys/0", ``, 400, "invalid", []string{"id refused"}},
		{"GET", "/v1/keys/{member}?full=true", ``, 400, "invalid", []string{"full unknown"}},
		{"PUT", "/v1/keys/{member}", `{}`, 405, "method-not-allowed", nil},
		{"PATCH", "/v1/keys/999999", `{"name":"a"}`, 404, "not-found", nil},
		{"PATCH", "/v1/keys/{member}", `{"name":null}`, 400, "invalid", []string{"name type"}},
		{"PATCH", "/v1/keys/{member}", `{"name":"root"}`, 409, "name-taken", []string{"name name-taken"}},
		{"PATCH", "/v1/keys/{member}", `{"restriction":{},"kind":"personal"}`, 400, "invalid", []string{"kind unknown", "restriction unknown"}},
		{"PATCH", "/v1/keys/{member}", `{"name":"b","group_ids":[999999]}`, 400, "unknown-group", []string{"group_ids unknown-group"}},
		{"PATCH", "/v1/keys/{member}", `{"name":"b","owner_id":999999}`, 400, "unknown-person", []string{"owner_id unknown-person"}},
		{"PATCH", "/v1/keys/{member}", `{"expires_at":"2020-01-01T00:00:00Z"}`, 400, "in-the-past", []string{"expires_at in-the-past"}},
		{"DELETE", "/v1/keys/999999", ``, 404, "not-found", nil},
		{"DELETE", "/v1/keys/{member}", `{"force":true}`, 400, "invalid", []string{"force unknown"}},
		{"POST", "/v1/keys/{member}/disable", ``, 400, "invalid", []string{"reason missing"}},
		{"POST", "/v1/keys/{member}/disable", `{"reason":" "}`, 400, "invalid", []string{"reason blank"}},
		{"POST", "/v1/keys/{member}/disable", `{"reason":"` + strings.Repeat("x", 501) + `"}`, 400, "invalid", []string{"reason length"}},
		{"POST", "/v1/keys/{member}/disable", `{"reason":"a","until":"2026-11-22T09:00:00Z"}`, 400, "in-the-past", []string{"until in-the-past"}},
		{"POST", "/v1/keys/999999/disable", `{"reason":"a"}`, 404, "not-found", nil},
		{"POST", "/v1/keys/999999/enable", ``, 404, "not-found", nil},
		{"POST", "/v1/keys/{member}/enable", `{"at":"once"}`, 400, "invalid", []string{"at unknown"}},
		{"POST", "/v1/keys/999999/rotate", ``, 404, "not-found", nil},
		{"POST", "/v1/keys/{member}/rotate", `{"overlap_days":0}`, 400, "invalid", []string{"overlap_days refused"}},
		{"POST", "/v1/keys/{member}/rotate", `{"overlap_days":3651}`, 400, "invalid", []string{"overlap_days refused"}},
		{"POST", "/v1/keys/{member}/rotate", `{"overlap_days":9223372036854775807}`, 400, "invalid", []string{"overlap_days refused"}},
		{"POST", "/v1/keys/{member}/rotate", `{"overlap_days":1,"overlap_until":"2026-12-01T00:00:00Z"}`, 400, "invalid", []string{"overlap_days refused"}},
		{"POST", "/v1/keys/{member}/rotate", `{"overlap_until":"2026-11-01T00:00:00Z"}`, 400, "in-the-past", []string{"overlap_until in-the-past"}},
		{"POST", "/v1/keys/{member}/rotate", `{"silent_days":366}`, 400, "invalid", []string{"silent_days refused"}},
		{"POST", "/v1/keys/{member}/rotate", `{"silent_days":9223372036854775807}`, 400, "invalid", []string{"silent_days refused"}},
		{"GET", "/v1/keys/999999/secrets", ``, 404, "not-found", nil},
		{"POST", "/v1/keys/999999/secrets/1/retire", ``, 404, "not-found", nil},
		{"PUT", "/v1/keys/{member}/restriction", ``, 400, "invalid", []string{"body missing"}},
		{"PUT", "/v1/keys/{member}/restriction", `["read_only"]`, 400, "invalid", []string{"body type"}},
		{"PUT", "/v1/keys/{member}/restriction", `{"restriction":{"read_only":true}}`, 400, "invalid", []string{"restriction.restriction refused"}},
		{"PUT", "/v1/keys/{member}/restriction", `{"resources":{"keys":[999999]}}`, 400, "unknown-resource", []string{"restriction.resources unknown-resource"}},
		{"PUT", "/v1/keys/999999/restriction", `{}`, 404, "not-found", nil},
		{"PUT", "/v1/keys/{member}/trial", ``, 400, "invalid", []string{"body missing"}},
		{"PUT", "/v1/keys/{member}/trial", `{}`, 400, "invalid", []string{"restriction refused"}},
		{"PUT", "/v1/keys/{member}/trial", `{"scopes":["x:y"]}`, 400, "invalid", []string{"restriction.scopes refused"}},
		{"POST", "/v1/keys/{member}/trial/enforce", ``, 409, "no-trial", nil},
		{"GET", "/v1/keys/999999/trial", ``, 404, "not-found", nil},
		{"GET", "/v1/keys/999999/suggestion", ``, 404, "not-found", nil},
		{"GET", "/v1/keys/{member}/suggestion?since=ever", ``, 400, "invalid", []string{"since refused"}},
		{"GET", "/v1/keys/999999/usage", ``, 404, "not-found", nil},
		{"GET", "/v1/keys/{member}/usage?by=week", ``, 400, "invalid", []string{"by refused"}},
		{"GET", "/v1/keys/{member}/usage?from=2026-11-22T10:00:00Z&to=2026-11-21T10:00:00Z", ``, 400, "invalid", []string{"to refused"}},
		{"GET", "/v1/keys/{member}/usage?from=0001-01-02T00:00:00Z&by=hour", ``, 400, "invalid", []string{"from refused"}},
		{"GET", "/v1/keys/999999/requests", ``, 404, "not-found", nil},
		{"GET", "/v1/keys/{member}/requests?limit=501", ``, 400, "invalid", []string{"limit refused"}},
		{"GET", "/v1/keys/{member}/requests?offset=1", ``, 400, "invalid", []string{"offset unknown"}},
		{"GET", "/v1/keys/{member}/requests?before=0", ``, 400, "invalid", []string{"before refused"}},
		{"GET", "/v1/keys/999999/verdict", ``, 404, "not-found", nil},
		{"POST", "/v1/keys/lookup", ``, 400, "invalid", []string{"digest missing"}},
		{"POST", "/v1/keys/lookup", `{"digest":"` + strings.Repeat("0a", 31) + `"}`, 400, "invalid", []string{"digest refused"}},
		{"POST", "/v1/keys/lookup", `{"digest":"` + strings.Repeat("0g", 32) + `"}`, 400, "invalid", []string{"digest refused"}},
		{"POST", "/v1/keys/lookup", `{"digest":5}`, 400, "invalid", []string{"digest type"}},
	}
	for _, tt := range tests {
		h.refused(tt.status, tt.code, "ada", tt.method, tt.path, tt.body, tt.fields...)
	}
}

func numbers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("t", i)
	}
	return out
}

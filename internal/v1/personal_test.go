package v1_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

func TestPersonalKeys(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "bo", "GET", "/v1/personal-keys", "").are("data", "[]", "allowed", "false")
	h.refused(403, "personal-keys-off", "bo", "POST", "/v1/personal-keys", `{"name":"laptop"}`)
	h.allowPersonal()
	made := h.ok(201, "bo", "POST", "/v1/personal-keys", `{"name":"laptop","description":"mine","group_ids":[{Analysts}],"tags":["home"],
		"restriction":{"read_only":true},"expires_at":"2027-01-01T00:00:00Z"}`)
	h.ids["laptop"], h.texts["laptop"] = made.id("id"), made.string("key")
	made.are("kind", `"personal"`, "user_id", h.path("{bo}"), "owner.name", `"bo"`, "group_ids", h.path("[{Analysts}]"), "tags", `["home"]`,
		"restriction", `{"read_only":true}`, "expires_at", `"2027-01-01T00:00:00Z"`)
	if made.header.Get("Location") != h.path("/v1/personal-keys/{laptop}") || len(made.string("key")) != 47 {
		t.Errorf("got %s at %q", made.text, made.header.Get("Location"))
	}
	h.ok(200, "laptop", "GET", "/v1/self", "").are("kind", `"personal-key"`, "name", `"bo"`, "user_id", h.path("{bo}"), "key.name", `"laptop"`)
	all := h.ok(200, "bo", "GET", "/v1/personal-keys", "")
	all.are("allowed", "true", "data.0.last_used.route", `"GET /v1/self"`)
	if strings.Contains(all.text, h.texts["laptop"]) {
		t.Error("the text is shown")
	}
	h.ok(200, "bo", "PATCH", "/v1/personal-keys/{laptop}", `{"name":"desk","description":null,"tags":null,"group_ids":[],"expires_at":null}`).
		are("name", `"desk"`, "description", `""`, "tags", "[]", "group_ids", "[]", "expires_at", "null", "restriction", `{"read_only":true}`)
	h.ok(200, "bo", "PUT", "/v1/personal-keys/{laptop}/restriction", `{}`).are("restriction", "{}")
	next := h.ok(200, "bo", "POST", "/v1/personal-keys/{laptop}/rotate", `{"overlap_days":1}`).string("key")
	h.ok(200, "laptop", "GET", "/v1/self", "").are("secret.state", `"retiring"`)
	h.ok(200, next, "GET", "/v1/self", "")
	h.ok(200, "bo", "GET", "/v1/personal-keys/{laptop}", "").are("name", `"desk"`)
	h.ok(200, "ada", "GET", "/v1/keys?kind=personal", "").are("data.0.name", `"desk"`)
	h.ok(204, "bo", "DELETE", "/v1/personal-keys/{laptop}", "")
	h.refused(401, "unauthenticated", next, "GET", "/v1/self", "")
	h.refused(404, "not-found", "bo", "GET", "/v1/personal-keys/{laptop}", "")
}

func TestAdministratorsEndPersonalKeys(t *testing.T) {
	h := newHouse(t)
	h.allowPersonal()
	made := h.ok(201, "bo", "POST", "/v1/personal-keys", `{"name":"laptop"}`)
	h.ids["laptop"], h.texts["laptop"] = made.id("id"), made.string("key")
	h.ok(200, "ada", "POST", "/v1/keys/{laptop}/disable", `{"reason":"lost"}`)
	h.refused(401, "unauthenticated", "laptop", "GET", "/v1/self", "")
	h.ok(200, "bo", "GET", "/v1/personal-keys/{laptop}", "").are("state", `"disabled"`, "disabled.reason", `"lost"`)
	h.ok(204, "ada", "DELETE", "/v1/keys/{laptop}", "")
	h.ok(200, "bo", "GET", "/v1/personal-keys", "").are("data", "[]")
}

// personalRoutes are all routes of personal keys, with a body that each takes.
func personalRoutes() [][3]string {
	const one = "/v1/personal-keys/{laptop}"
	return [][3]string{
		{"GET", "/v1/personal-keys", ""}, {"POST", "/v1/personal-keys", `{"name":"new"}`}, {"GET", one, ""},
		{"PATCH", one, `{"name":"new"}`}, {"DELETE", one, ""}, {"PUT", one + "/restriction", `{}`}, {"POST", one + "/rotate", ""},
	}
}

func TestPersonalKeysAreForTheirPersonOnly(t *testing.T) {
	h := newHouse(t)
	h.allowPersonal()
	made := h.ok(201, "bo", "POST", "/v1/personal-keys", `{"name":"laptop","group_ids":[{Analysts}]}`)
	h.ids["laptop"], h.texts["laptop"] = made.id("id"), made.string("key")
	h.makeKey("reader", access.Administrators, access.Restriction{ReadOnly: true})
	for _, rt := range personalRoutes() {
		method, path, body := rt[0], rt[1], rt[2]
		h.refused(401, "unauthenticated", "", method, path, body)
		h.refused(403, "person-only", "root", method, path, body)
		h.refused(403, "person-only", "laptop", method, path, body)
		if method != "GET" {
			h.refused(403, "read-only", "reader", method, path, body)
		}
		if strings.Contains(path, "{laptop}") {
			h.refused(404, "not-found", "cy", method, path, body)
			h.refused(404, "not-found", "ada", method, path, body)
			h.refused(404, "not-found", "bo", method, strings.ReplaceAll(path, "{laptop}", "{member}"), body)
		}
	}
}

func TestBadInputOfPersonalKeys(t *testing.T) {
	h := newHouse(t)
	_, _, err := h.keys.SetPolicy(t.Context(), access.CommandLine(), apikey.Instance, apikey.Policy{AllowPersonal: true, MaxDays: 30, MaxOverlapDays: 7}, apikey.Existing{})
	check(t, err)
	h.ids["laptop"] = h.ok(201, "bo", "POST", "/v1/personal-keys", `{"name":"laptop"}`).id("id")
	h.ok(201, "bo", "POST", "/v1/personal-keys", `{"name":"second"}`).are("expires_at", `"2026-12-22T10:00:00Z"`)
	const all, one = "/v1/personal-keys", "/v1/personal-keys/{laptop}"
	tests := []struct {
		method, path, body string
		status             int
		code               string
		fields             []string
	}{
		{"POST", all, ``, 400, "invalid", []string{"name missing"}},
		{"POST", all, `{"name":"laptop"}`, 409, "name-taken", []string{"name name-taken"}},
		{"POST", all, `{"name":"a","owner_id":1,"successor_id":2}`, 400, "invalid", []string{"owner_id unknown", "successor_id unknown"}},
		{"POST", all, `{"name":"a","group_ids":[{Writers}]}`, 400, "not-a-member", []string{"group_ids not-a-member"}},
		{"POST", all, `{"name":"a","group_ids":[2]}`, 400, "not-a-member", []string{"group_ids not-a-member"}},
		{"POST", all, `{"name":"a","group_ids":[999999]}`, 400, "not-a-member", []string{"group_ids not-a-member"}},
		{"POST", all, `{"name":"a","expires_at":null}`, 400, "policy-max-days", []string{"expires_at policy-max-days"}},
		{"POST", all, `{"name":"a","expires_at":"2027-06-01T00:00:00Z"}`, 400, "policy-max-days", []string{"expires_at policy-max-days"}},
		{"POST", all, `{"name":"a","restriction":{"scopes":["x"]}}`, 400, "invalid", []string{"restriction.scopes refused"}},
		{"PATCH", one, `{"name":"second"}`, 409, "name-taken", []string{"name name-taken"}},
		{"PATCH", one, `{"name":"b","group_ids":[2]}`, 400, "not-a-member", []string{"group_ids not-a-member"}},
		{"PATCH", one, `{"restriction":{}}`, 400, "invalid", []string{"restriction unknown"}},
		{"PATCH", one, `{"expires_at":"soon"}`, 400, "invalid", []string{"expires_at refused"}},
		{"PUT", one + "/restriction", ``, 400, "invalid", []string{"body missing"}},
		{"PUT", one + "/restriction", `{"a":1}`, 400, "invalid", []string{"restriction.a refused"}},
		{"POST", one + "/rotate", `{"overlap_days":8}`, 400, "policy-max-overlap", []string{"overlap_until policy-max-overlap"}},
		{"GET", "/v1/personal-keys/999999", ``, 404, "not-found", nil},
		{"GET", all + "?limit=5", ``, 400, "invalid", []string{"limit unknown"}},
	}
	for _, tt := range tests {
		h.refused(tt.status, tt.code, "bo", tt.method, tt.path, tt.body, tt.fields...)
	}
}

func TestSelfOfAKey(t *testing.T) {
	h := newHouse(t)
	h.ids["k"] = h.makeKey("k", h.ids["Analysts"], access.Restriction{Resources: map[string][]string{"groups": {"1"}}})
	got := h.ok(200, "k", "GET", "/v1/self", "")
	got.are("kind", `"api-key"`, "name", `"k"`, "is_admin", "false", "key.id", h.path("{k}"), "key.state", `"active"`, "key.group_ids", h.path("[{Analysts}]"),
		"key.restriction", `{"resources":{"groups":["1"]}}`, "key.expires_at", "null", "secret.state", `"live"`, "secret.retire_at", "null",
		"may", `{"max_overlap_days":null,"revoke":false,"rotate":false}`,
		"groups", h.path(`[{"id":1,"name":"All Users"},{"id":{Analysts},"name":"Analysts"}]`))
	if strings.Contains(got.text, h.texts["k"]) {
		t.Error("the text is shown")
	}
	h.refused(403, "policy-self", "k", "POST", "/v1/self/rotate", "")
	h.refused(403, "policy-self", "k", "POST", "/v1/self/revoke", "")
	_, _, err := h.keys.SetPolicy(t.Context(), access.CommandLine(), h.ids["Analysts"], apikey.Policy{SelfRotate: true, SelfRevoke: true, MaxOverlapDays: 3}, apikey.Existing{})
	check(t, err)
	h.ok(200, "k", "GET", "/v1/self", "").are("may", `{"max_overlap_days":3,"revoke":true,"rotate":true}`)
	h.refused(400, "policy-max-overlap", "k", "POST", "/v1/self/rotate", `{"overlap_days":4}`, "overlap_until policy-max-overlap")
	h.refused(400, "invalid", "k", "POST", "/v1/self/rotate", `{"overlap":4}`, "overlap unknown")
	fresh := h.ok(200, "k", "POST", "/v1/self/rotate", `{"overlap_days":2}`).string("key")
	h.ok(200, "k", "GET", "/v1/self", "").are("secret.state", `"retiring"`, "secret.retire_at", `"2026-11-24T10:00:00Z"`)
	h.ok(200, fresh, "GET", "/v1/self", "").are("secret.state", `"live"`)
	h.clock.Advance(48 * time.Hour)
	h.refused(401, "unauthenticated", "k", "GET", "/v1/self", "")
	h.ok(204, fresh, "POST", "/v1/self/revoke", "")
	h.refused(401, "unauthenticated", fresh, "GET", "/v1/self", "")
	h.ok(200, "ada", "GET", "/v1/keys/{k}", "").are("state", `"deleted"`, "updated_by.name", `"k"`)
}

func TestSelfIsForKeys(t *testing.T) {
	h := newHouse(t)
	h.makeKey("reader", access.Administrators, access.Restriction{ReadOnly: true})
	h.makeKey("routed", access.Administrators, access.Restriction{Routes: []string{"GET /v1/keys"}})
	h.ok(200, "reader", "GET", "/v1/self", "")
	h.ok(200, "routed", "GET", "/v1/self", "")
	for _, path := range []string{"/v1/self/rotate", "/v1/self/revoke"} {
		h.refused(401, "unauthenticated", "", "POST", path, "")
		h.refused(403, "key-only", "ada", "POST", path, "")
		h.refused(403, "read-only", "reader", "POST", path, "")
		h.refused(403, "route", "routed", "POST", path, "")
		h.refused(400, "invalid", "root", "POST", path, `{"force":true}`, "force unknown")
	}
}

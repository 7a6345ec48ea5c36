package v1_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
)

// The wire form, member by member.
func TestKeyOnTheWire(t *testing.T) {
	h := newHouse(t)
	made := h.ok(201, "ada", "POST", "/v1/keys", `{"name":"nightly","description":"Loads\r\nat night ","group_ids":[{Analysts},{Writers},1],
		"owner_id":{bo},"successor_id":{cy},"tags":["etl","blue","etl"],"expires_at":"2026-12-22T12:00:00+02:00",
		"restriction":{"read_only":true,"resources":{"groups":[{Analysts}]},"addresses":["10.1.2.3/8"]}}`)
	h.ids["nightly"] = made.id("id")
	text := made.string("key")
	if len(text) != 47 || !strings.HasPrefix(text, "lk_") || made.header.Get("Location") != h.path("/v1/keys/{nightly}") {
		t.Errorf("text %q, location %q", text, made.header.Get("Location"))
	}
	want := h.path(fmt.Sprintf(`{"id":{nightly},"kind":"service","name":"nightly","description":"Loads\nat night","state":"active",`+
		`"masked_key":"%[1]s`+strings.Repeat("*", 40)+`","prefix":"%[1]s","user_id":%[2]d,"group_ids":[{Analysts},{Writers}],`+
		`"groups":[{"id":{Analysts},"name":"Analysts"},{"id":{Writers},"name":"Writers"}],"owner":{"id":{bo},"name":"bo"},"successor":{"id":{cy},"name":"cy"},`+
		`"tags":["blue","etl"],"restriction":{"read_only":true,"resources":{"groups":["{Analysts}"]},"addresses":["10.0.0.0/8"]},"restriction_unreadable":false,"trial":null,"trial_since":null,`+
		`"expires_at":"2026-12-22T10:00:00Z","expired_at":null,"disabled":null,"review_since":null,"source":"","last_used":null,`+
		`"created_at":"2026-11-22T10:00:00Z","created_by":{"id":{ada},"name":"ada"},"updated_at":"2026-11-22T10:00:00Z","updated_by":{"id":{ada},"name":"ada"},"deleted_at":null`,
		text[:7], made.id("user_id")))
	if made.text != want+`,"key":"`+text+`"}` {
		t.Errorf("got  %s\nwant %s", made.text, want)
	}
	if got := h.ok(200, "ada", "GET", "/v1/keys/{nightly}", ""); got.text != want+"}" {
		t.Errorf("got  %s\nwant %s", got.text, want)
	}
	if all := h.ok(200, "root", "GET", "/v1/keys?limit=500&kind=any", ""); strings.Contains(all.text, text) || !strings.Contains(all.text, want) {
		t.Errorf("the list: %s", all.text)
	}
}

func TestKeysOfTheCommandLineAndDefaults(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "ada", "GET", "/v1/keys/{member}", "").are("created_by", `{"id":null,"name":"command line"}`, "owner", "null", "tags", "[]", "restriction", "{}")
	made := h.ok(201, "root", "POST", "/v1/keys", `{"name":"bare","description":null,"group_ids":null,"owner_id":null,"tags":null,"restriction":null,"expires_at":null}`)
	made.are("group_ids", "[]", "groups", "[]", "expires_at", "null", "description", `""`)
	if got := h.ok(200, made.string("key"), "GET", "/v1/self", ""); got.at("is_admin") != "false" {
		t.Errorf("got %s", got.text)
	}
}

func TestListKeys(t *testing.T) {
	h := newHouse(t)
	h.allowPersonal()
	h.ok(201, "ada", "POST", "/v1/keys", `{"name":"etl","tags":["blue"],"owner_id":{bo},"group_ids":[{Writers}],"expires_at":"2026-12-01T00:00:00Z"}`)
	h.ok(201, "bo", "POST", "/v1/personal-keys", `{"name":"laptop"}`)
	h.ids["etl"] = h.ok(200, "ada", "GET", "/v1/keys?query=etl", "").id("data.0.id")
	h.ok(200, "ada", "POST", "/v1/keys/{etl}/disable", `{"reason":"paused"}`)
	for query, want := range map[string]string{
		"": "etl member root", "?kind=service": "etl member root", "?kind=personal": "laptop", "?kind=any": "etl laptop member root",
		"?order=age": "root member etl", "?order=age&limit=1&offset=1": "member", "?query=M": "member", "?group_id={Writers}": "etl",
		"?owner_id={bo}": "etl", "?kind=any&user_id={bo}": "laptop", "?tag=blue": "etl", "?tag=blu": "", "?state=disabled": "etl",
		"?state=active": "member root", "?state=expired": "", "?state=deleted": "", "?review=true": "", "?review=false": "etl member root",
		"?expires_before=2026-12-02T00:00:00Z": "etl", "?expires_before=2026-11-30T00:00:00Z": "",
	} {
		if got := h.ok(200, "ada", "GET", "/v1/keys"+query, "").names(); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	h.ok(200, "ada", "GET", "/v1/keys?limit=2", "").are("total", "3", "limit", "2", "offset", "0")
	h.ok(200, "ada", "GET", "/v1/keys", "").are("limit", "50")
	for query, field := range map[string]string{
		"limit=0": "limit refused", "limit=501": "limit refused", "limit=x": "limit type", "kind=all": "kind refused", "order=size": "order refused",
		"state=gone": "state refused", "group_id=0": "group_id refused", "group_id=x": "group_id type", "review=maybe": "review type",
		"expires_before=soon": "expires_before refused", "colour=red": "colour unknown", "tag=": "tag length",
	} {
		h.refused(400, "invalid", "ada", "GET", "/v1/keys?"+query, "", field)
	}
}

func TestChangeKey(t *testing.T) {
	h := newHouse(t)
	h.ids["k"] = h.ok(201, "ada", "POST", "/v1/keys",
		`{"name":"k","description":"d","group_ids":[{Analysts}],"owner_id":{bo},"successor_id":{cy},"tags":["a"],"expires_at":"2027-01-01T00:00:00Z"}`).id("id")
	h.clock.Advance(time.Hour)
	h.ok(200, "root", "PATCH", "/v1/keys/{k}", `{"name":"renamed"}`).are("name", `"renamed"`, "description", `"d"`, "tags", `["a"]`,
		"group_ids", h.path("[{Analysts}]"), "owner.name", `"bo"`, "successor.name", `"cy"`, "expires_at", `"2027-01-01T00:00:00Z"`,
		"updated_at", `"2026-11-22T11:00:00Z"`, "updated_by.name", `"root"`)
	before := h.head()
	h.ok(200, "ada", "PATCH", "/v1/keys/{k}", `{}`).are("updated_by.name", `"root"`)
	if h.head() != before {
		t.Error("an empty change was written down")
	}
	h.ok(200, "ada", "PATCH", "/v1/keys/{k}", `{"group_ids":[{Writers},{Analysts}],"owner_id":{cy},"successor_id":{bo},"tags":["b","c"]}`).
		are("group_ids", h.path("[{Analysts},{Writers}]"), "owner.name", `"cy"`, "successor.name", `"bo"`, "tags", `["b","c"]`)
	h.ok(200, "ada", "PATCH", "/v1/keys/{k}", `{"description":null,"group_ids":null,"owner_id":null,"successor_id":null,"tags":null,"expires_at":null}`).
		are("description", `""`, "group_ids", "[]", "owner", "null", "successor", "null", "tags", "[]", "expires_at", "null", "name", `"renamed"`)
}

func TestDisableAndEnableKey(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "member", "GET", "/v1/self", "")
	h.ok(200, "ada", "POST", "/v1/keys/{member}/disable", `{"reason":"on holiday","until":"2026-11-23T10:00:00Z"}`).are("state", `"disabled"`,
		"disabled", h.path(`{"at":"2026-11-22T10:00:00Z","by":{"id":{ada},"name":"ada"},"reason":"on holiday","until":"2026-11-23T10:00:00Z"}`))
	h.refused(401, "unauthenticated", "member", "GET", "/v1/self", "")
	h.clock.Advance(24 * time.Hour)
	h.ok(200, "member", "GET", "/v1/self", "")
	h.ok(200, "ada", "GET", "/v1/keys/{member}", "").are("state", `"active"`, "disabled", "null")
	h.ok(200, "ada", "PATCH", "/v1/keys/{root}", `{"expires_at":"2026-11-24T00:00:00Z"}`)
	h.ok(200, "ada", "POST", "/v1/keys/{root}/disable", `{"reason":"to be gone"}`)
	h.ok(200, "ada", "POST", "/v1/keys/{member}/disable", `{"reason":"leaked"}`).are("disabled.until", "null")
	h.ok(200, "ada", "POST", "/v1/keys/{member}/enable", "").are("state", `"active"`, "disabled", "null")
	h.ok(200, "member", "GET", "/v1/self", "")
	h.clock.Advance(24 * time.Hour)
	h.ok(200, "ada", "GET", "/v1/keys/{root}", "").are("state", `"expired"`, "disabled.reason", `"to be gone"`)
}

func TestRotateKey(t *testing.T) {
	h := newHouse(t)
	old := h.texts["member"]
	fresh := h.ok(200, "ada", "POST", "/v1/keys/{member}/rotate", `{"overlap_days":2,"silent_days":1}`).string("key")
	h.ok(200, old, "GET", "/v1/self", "").are("secret.state", `"retiring"`, "secret.retire_at", `"2026-11-24T10:00:00Z"`, "secret.silent_days", "1")
	h.ok(200, fresh, "GET", "/v1/self", "").are("secret.state", `"live"`, "secret.retire_at", "null", "key.prefix", `"`+fresh[:7]+`"`)
	secrets := h.ok(200, "ada", "GET", "/v1/keys/{member}/secrets", "")
	secrets.are("data.0.state", `"live"`, "data.0.prefix", `"`+fresh[:7]+`"`, "data.0.created_by.name", `"ada"`, "data.0.last_used.client", `"curl/8"`,
		"data.0.last_used.route", `"GET /v1/self"`, "data.0.supplied", "false", "data.1.state", `"retiring"`, "data.1.created_by.name", `"command line"`)
	if strings.Contains(secrets.text, fresh) || strings.Contains(secrets.text, old) {
		t.Error("a text is shown")
	}
	h.refused(409, "rotation-under-way", "ada", "POST", "/v1/keys/{member}/rotate", `{"overlap_until":"2026-11-25T00:00:00Z"}`)
	h.ids["old"] = secrets.id("data.1.id")
	h.ok(204, "ada", "POST", "/v1/keys/{member}/secrets/{old}/retire", "")
	h.refused(401, "unauthenticated", old, "GET", "/v1/self", "")
	h.ok(200, "ada", "GET", "/v1/keys/{member}/secrets", "").are("data.1.state", `"retired"`, "data.1.retired_at", `"2026-11-22T10:00:00Z"`)
	h.ok(204, "ada", "POST", "/v1/keys/{member}/secrets/{old}/retire", "")
	h.refused(404, "not-found", "ada", "POST", "/v1/keys/{member}/secrets/999999/retire", "")
	h.refused(404, "not-found", "ada", "POST", "/v1/keys/{root}/secrets/{old}/retire", "")
	third := h.ok(200, "ada", "POST", "/v1/keys/{member}/rotate", "").string("key")
	h.refused(401, "unauthenticated", fresh, "GET", "/v1/self", "")
	until := h.ok(200, "ada", "POST", "/v1/keys/{member}/rotate", `{"overlap_until":"2026-11-25T00:00:00Z"}`).string("key")
	h.ok(200, third, "GET", "/v1/self", "").are("secret.retire_at", `"2026-11-25T00:00:00Z"`)
	h.ok(200, until, "GET", "/v1/self", "")
}

func TestDeletedKeysKeepTheirHistory(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "member", "GET", "/v1/self", "")
	h.ok(204, "ada", "DELETE", "/v1/keys/{member}", "")
	h.refused(401, "unauthenticated", "member", "GET", "/v1/self", "")
	h.ok(200, "ada", "GET", "/v1/keys/{member}", "").are("state", `"deleted"`, "deleted_at", `"2026-11-22T10:00:00Z"`, "last_used.route", `"GET /v1/self"`)
	if got := h.ok(200, "ada", "GET", "/v1/keys?state=deleted", "").names(); got != "member" {
		t.Errorf("got %q", got)
	}
	h.ok(200, "ada", "GET", "/v1/keys/{member}/secrets", "").are("data.0.state", `"retired"`)
	h.clock.Advance(time.Minute)
	h.ok(200, "ada", "GET", "/v1/keys/{member}/usage", "").are("totals.requests", "2", "totals.ok", "1", "totals.refused", "1")
	for _, call := range []string{"DELETE ", "PATCH ", "POST /disable", "POST /enable", "POST /rotate", "PUT /restriction", "PUT /trial", "DELETE /trial", "POST /trial/enforce"} {
		method, rest, _ := strings.Cut(call, " ")
		body := ""
		if method == "PUT" || rest == "/disable" {
			body = minimal(rest)
		}
		h.refused(404, "not-found", "ada", method, "/v1/keys/{member}"+rest, body)
	}
}

func TestLookUpKey(t *testing.T) {
	h := newHouse(t)
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return `{"digest":"` + hex.EncodeToString(sum[:]) + `"}`
	}
	found := h.ok(200, "ada", "POST", "/v1/keys/lookup", digest(h.texts["member"]))
	found.are("key.name", `"member"`, "secret.state", `"live"`)
	if strings.Contains(found.text, h.texts["member"]) {
		t.Error("the text is shown")
	}
	h.ok(204, "ada", "DELETE", "/v1/keys/{member}", "")
	h.ok(200, "ada", "POST", "/v1/keys/lookup", `{"digest":"`+strings.ToUpper(digest(h.texts["member"])[11:75])+`"}`).
		are("key.state", `"deleted"`, "secret.state", `"retired"`)
	h.refused(404, "unknown-key", "ada", "POST", "/v1/keys/lookup", digest("lk_never"))
	h.makeKey("reader", access.Administrators, access.Restriction{ReadOnly: true})
	h.ok(200, "reader", "POST", "/v1/keys/lookup", digest(h.texts["root"])).are("key.name", `"root"`)
	h.makeKey("bound", access.Administrators, access.Restriction{Resources: map[string][]string{"keys": {fmt.Sprint(h.ids["root"])}}})
	h.ok(200, "bound", "POST", "/v1/keys/lookup", digest(h.texts["root"])).are("key.name", `"root"`)
	h.refused(403, "resource", "bound", "POST", "/v1/keys/lookup", digest(h.texts["reader"]))
	h.refused(403, "resource", "bound", "POST", "/v1/keys/lookup", digest("lk_never"))
}

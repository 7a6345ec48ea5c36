package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
)

func TestKeyRoutes(t *testing.T) {
	const blank = "value must be a non-blank string."
	listed := func(id, name, group string) string {
		return `{"id":{` + id + `},"name":"` + name + `","masked_key":"{` + id + `_masked}","group":` + group +
			`,"created_at":"` + testStart + `","updated_at":"` + testStart + `","updated_by":{"id":null,"common_name":"command line"}}`
	}
	made := func(name, group string) string {
		return `{"id":<id>,"name":"` + name + `","masked_key":"<masked>","group":` + group +
			`,"created_at":"` + testStart + `","updated_at":"` + testStart + `","updated_by":{"id":{ada},"common_name":"Ada L"},"unmasked_key":"<key>"}`
	}
	const analysts, admins, all = `{"id":{analysts},"name":"Analysts"}`, `{"id":2,"name":"Administrators"}`, `{"id":1,"name":"All Users"}`
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "list", who: "ada", call: "GET /api/api-key", status: 200,
				want: `[` + listed("reader", "reader", analysts) + `,` + listed("root", "root", admins) + `]`},
			{name: "list ignores paging", who: "root", call: "GET /api/api-key/?limit=1", status: 200, want: "-", has: []string{`"reader"`, `"root"`}},
			{name: "list, anonymous", call: "GET /api/api-key", status: 401, want: "Unauthenticated"},
			{name: "list, plain person", who: "bo", call: "GET /api/api-key", status: 403, want: noPermission},
			{name: "list, plain key", who: "reader", call: "GET /api/api-key", status: 403, want: noPermission},
			{name: "count", who: "ada", call: "GET /api/api-key/count", status: 200, want: "2"},
			{name: "count, anonymous", call: "GET /api/api-key/count", status: 401, want: "Unauthenticated"},
			{name: "count, plain person", who: "bo", call: "GET /api/api-key/count", status: 403, want: noPermission},

			{name: "create", who: "ada", call: "POST /api/api-key", body: `{"name":"nightly","group_id":{analysts}}`, status: 200, want: made("nightly", analysts)},
			{name: "create in All Users", who: "ada", call: "POST /api/api-key", body: `{"name":"all","group_id":1}`, status: 200, want: made("all", all)},
			{name: "create in Administrators", who: "ada", call: "POST /api/api-key", body: `{"name":"boss","group_id":2}`, status: 200, want: made("boss", admins)},
			{name: "create with a number as text", who: "ada", call: "POST /api/api-key", body: `{"name":"text","group_id":"1","scope":"scim"}`, status: 200, want: made("text", all)},
			{name: "create by form", who: "ada", call: "POST /api/api-key", body: `name=form&group_id=1`, status: 200, want: made("form", all)},
			{name: "other case is another name", who: "ada", call: "POST /api/api-key", body: `{"name":"Nightly","group_id":1}`, status: 200, want: made("Nightly", all)},
			{name: "create, name taken", who: "ada", call: "POST /api/api-key", body: `{"name":"nightly","group_id":1}`, status: 400,
				want: `{"errors":{"name":"An API key with this name already exists."}}`},
			{name: "create, null group", who: "ada", call: "POST /api/api-key", body: `{"name":"x","group_id":null}`, status: 400,
				want: invalid("group_id", positiveTexts, positiveTexts+", received: nil")},
			{name: "create, group 0", who: "ada", call: "POST /api/api-key", body: `{"name":"x","group_id":0}`, status: 400,
				want: invalid("group_id", positiveTexts, positiveTexts+", received: 0")},
			{name: "create, no name", who: "ada", call: "POST /api/api-key", body: `{"group_id":1}`, status: 400,
				want: invalid("name", blank, "missing required key, received: nil")},
			{name: "create, null name", who: "ada", call: "POST /api/api-key", body: `{"name":null,"group_id":1}`, status: 400,
				want: invalid("name", blank, "should be a string, received: nil", "non-blank string, received: nil")},
			{name: "create, empty name", who: "ada", call: "POST /api/api-key", body: `{"name":"","group_id":1}`, status: 400,
				want: invalid("name", blank, `should be at least 1 character, received: ""`, `non-blank string, received: ""`)},
			{name: "create, blank name", who: "ada", call: "POST /api/api-key", body: `{"name":"   ","group_id":1}`, status: 400,
				want: invalid("name", blank, `non-blank string, received: "   "`)},
			{name: "create, name too long", who: "ada", call: "POST /api/api-key", body: `{"name":"` + strings.Repeat("é", 255) + `","group_id":1}`, status: 400,
				want: "-", has: []string{`"errors":{"name":`, "should be at most 254 characters"}},
			{name: "create, nothing", who: "ada", call: "POST /api/api-key", status: 400, want: "-", has: []string{`"name":["missing`, `"group_id":["missing`}},
			{name: "create, unknown group", who: "ada", call: "POST /api/api-key", body: `{"name":"x","group_id":999999}`, status: 400,
				want: "Cannot add non-tenant user to tenant-group or vice versa"},
			{name: "nothing was created", who: "ada", call: "GET /api/api-key/count", status: 200, want: "8"},
			{name: "create, plain person, invalid", who: "bo", call: "POST /api/api-key", body: `{}`, status: 400, want: "-", has: []string{`"errors"`}},
			{name: "create, plain person", who: "bo", call: "POST /api/api-key", body: `{"name":"x","group_id":1}`, status: 403, want: noPermission},
			{name: "create, plain key", who: "reader", call: "POST /api/api-key", body: `{"name":"x","group_id":1}`, status: 403, want: noPermission},
			{name: "create, anonymous", call: "POST /api/api-key", body: `{"name":"x","group_id":1}`, status: 401, want: "Unauthenticated"},

			{name: "no route for one", who: "ada", call: "GET /api/api-key/{reader}", status: 404, want: noRoute},
			{name: "no route for one, anonymous", call: "GET /api/api-key/{reader}", status: 401, want: "Unauthenticated"},
		})
	})
}

func TestKeyChanges(t *testing.T) {
	const length = "nullable string with length between 1 and 254 inclusive"
	const later = "2026-01-02T03:05:05Z"
	reader := func(name, group, updated, by string) string {
		return `{"id":{reader},"name":"` + name + `","masked_key":"{reader_masked}","group":` + group +
			`,"created_at":"` + testStart + `","updated_at":"` + updated + `","updated_by":` + by + `}`
	}
	const analysts, admins, all = `{"id":{analysts},"name":"Analysts"}`, `{"id":2,"name":"Administrators"}`, `{"id":1,"name":"All Users"}`
	const nobody, ada = `{"id":null,"common_name":"command line"}`, `{"id":{ada},"common_name":"Ada L"}`
	eachInstance(t, func(t *testing.T, in *instance) {
		in.clock.Advance(time.Minute)
		in.run(t, []row{
			{name: "nothing", who: "ada", call: "PUT /api/api-key/{reader}", body: `{}`, status: 200, want: reader("reader", analysts, testStart, nobody)},
			{name: "no body", who: "ada", call: "PUT /api/api-key/{reader}", status: 200, want: reader("reader", analysts, testStart, nobody)},
			{name: "nulls", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":null,"group_id":null}`, status: 200, want: reader("reader", analysts, testStart, nobody)},
			{name: "name", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":"lector"}`, status: 200, want: reader("lector", analysts, later, ada)},
			{name: "its user is renamed", who: "reader", call: "GET /api/user/current", status: 200, want: "-", has: []string{`"common_name":"lector"`}},
			{name: "group", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"group_id":"2"}`, status: 200, want: reader("lector", admins, later, ada)},
			{name: "the key may more at once", who: "reader", call: "GET /api/api-key/count", status: 200, want: "2"},
			{name: "to All Users", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"group_id":1}`, status: 200, want: reader("lector", all, later, ada)},
			{name: "the key may less at once", who: "reader", call: "GET /api/api-key/count", status: 403, want: noPermission},
			{name: "empty name", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":""}`, status: 400,
				want: invalid("name", length, `should be between 1 and 254 characters, received: ""`)},
			{name: "too long a name", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":"` + strings.Repeat("n", 255) + `"}`, status: 400,
				want: "-", has: []string{"should be between 1 and 254 characters"}},
			{name: "blank name", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":"  "}`, status: 400,
				want: `{"errors":{"name":"value must be a non-blank string."}}`},
			{name: "name taken", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":"root"}`, status: 400,
				want: `{"errors":{"name":"An API key with this name already exists."}}`},
			{name: "unknown group", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"name":"x","group_id":999999}`, status: 400,
				want: "Cannot add non-tenant user to tenant-group or vice versa"},
			{name: "bad group", who: "ada", call: "PUT /api/api-key/{reader}", body: `{"group_id":"x"}`, status: 400,
				want: invalid("group_id", "nullable "+positiveTexts, positiveTexts+`, received: "x"`)},
			{name: "unknown key", who: "ada", call: "PUT /api/api-key/999999", body: `{}`, status: 404, want: "Not found."},
			{name: "key 0", who: "ada", call: "PUT /api/api-key/0", body: `{}`, status: 400, want: invalid("id", positiveTexts, positiveTexts+", received: 0")},
			{name: "no number", who: "ada", call: "PUT /api/api-key/abc", body: `{}`, status: 404, want: noRoute},
			{name: "negative", who: "ada", call: "PUT /api/api-key/-1", body: `{}`, status: 404, want: noRoute},
			{name: "beyond 64 bit", who: "ada", call: "PUT /api/api-key/99999999999999999999", body: `{}`, status: 404, want: "Not found."},
			{name: "plain person", who: "bo", call: "PUT /api/api-key/{reader}", body: `{}`, status: 403, want: noPermission},
			{name: "anonymous", call: "PUT /api/api-key/{reader}", body: `{}`, status: 401, want: "Unauthenticated"},

			{name: "regenerate, plain person", who: "bo", call: "PUT /api/api-key/{reader}/regenerate", status: 403, want: noPermission},
			{name: "regenerate, anonymous", call: "PUT /api/api-key/{reader}/regenerate", status: 401, want: "Unauthenticated"},
			{name: "regenerate, unknown", who: "ada", call: "PUT /api/api-key/999999/regenerate", status: 404, want: "Not found."},
			{name: "regenerate", who: "ada", call: "PUT /api/api-key/{reader}/regenerate", status: 200,
				want: `{"id":{reader},"unmasked_key":"<key>","masked_key":"<masked>","prefix":"<prefix>"}`},
			{name: "the old text is dead", who: "reader", call: "GET /api/user/current", status: 401, want: "Unauthenticated"},

			{name: "delete, plain person", who: "bo", call: "DELETE /api/api-key/{root}", status: 403, want: noPermission},
			{name: "delete, anonymous", call: "DELETE /api/api-key/{root}", status: 401, want: "Unauthenticated"},
			{name: "works until then", who: "root", call: "GET /api/api-key/count", status: 200, want: "2"},
			{name: "delete", who: "ada", call: "DELETE /api/api-key/{root}", status: 204},
			{name: "dead at once", who: "root", call: "GET /api/api-key/count", status: 401, want: "Unauthenticated"},
			{name: "delete again", who: "ada", call: "DELETE /api/api-key/{root}", status: 404, want: "Not found."},
			{name: "delete, no number", who: "ada", call: "DELETE /api/api-key/abc", status: 404, want: noRoute},
			{name: "the name is free again", who: "ada", call: "POST /api/api-key", body: `{"name":"root","group_id":1}`, status: 200, want: "-"},
		})
	})
}

// TestKeysAtWork follows a key from its text to its end (contract/identity.md
// 1.3, 1.6).
func TestKeysAtWork(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		rec := in.do("ada", "POST", "/api/api-key", in.fill(`{"name":"worker","group_id":{analysts}}`))
		if got := rec.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("the answer with the text: Cache-Control %q", got)
		}
		var made struct {
			ID       int64  `json:"id"`
			Unmasked string `json:"unmasked_key"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &made); err != nil {
			t.Fatal(err)
		}
		in.callers["worker"] = [2]string{"x-api-key", made.Unmasked}
		rec = in.send(t, row{who: "worker", call: "GET /api/user/current", status: 200, want: "-", has: []string{
			`"common_name":"worker"`, `"email":"api-key-user-`, `@api-key.invalid"`, `"first_name":"worker"`, `"last_name":""`,
			`"is_superuser":false`, `"personal_collection_id":null`, `"group_ids":[1,{analysts}]`,
		}, not: []string{`"type"`}})
		if len(rec.Header()["Set-Cookie"]) > 0 {
			t.Errorf("a request with a key got the cookies %v", rec.Header()["Set-Cookie"])
		}
		session, key := in.callers["bo"][1], made.Unmasked
		for _, tt := range []struct {
			name    string
			headers []string
			status  int
			has     string
		}{
			{"the session wins", []string{"X-Metabase-Session", session, "X-API-Key", key}, 200, `"common_name":"Bo K"`},
			{"a bad session does not hide a key", []string{"X-Metabase-Session", "8d7bd9c8-4b2b-4f0a-9d5a-000000000000", "X-API-Key", key}, 200, `"common_name":"worker"`},
			{"a bad key does not hide a session", []string{"X-Metabase-Session", session, "X-API-Key", "mb_garbage"}, 200, `"common_name":"Bo K"`},
			{"too short", []string{"X-API-Key", "lk_"}, 401, "Unauthenticated"},
			{"one character off", []string{"X-API-Key", key[:46] + "!"}, 401, "Unauthenticated"},
			{"another header", []string{"X-Metabase-Apikey", key}, 401, "Unauthenticated"},
			{"a bearer", []string{"Authorization", "Bearer " + key}, 401, "Unauthenticated"},
			{"the masked form", []string{"X-API-Key", key[:7] + strings.Repeat("*", 40)}, 401, "Unauthenticated"},
		} {
			rec := in.do("", "GET", "/api/user/current", "", tt.headers...)
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.has) {
				t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
			}
		}
		if rec := in.do("", "GET", "/api/session/properties", "", "X-API-Key", "junk"); rec.Code != http.StatusOK {
			t.Errorf("a public route with a bad key: %d", rec.Code)
		}
		in.run(t, []row{
			{name: "signing out with a key", who: "worker", call: "DELETE /api/session", status: 404, want: "Not found."},
			{name: "the group goes", who: "ada", call: "DELETE /api/permissions/group/{analysts}", status: 204},
			{name: "the key stays, in All Users", who: "ada", call: "GET /api/api-key", status: 200, want: "-",
				has: []string{`"name":"worker","masked_key":"` + key[:7] + strings.Repeat("*", 40) + `","group":{"id":1,"name":"All Users"}`}},
			{name: "and works", who: "worker", call: "GET /api/user/current", status: 200, want: "-", has: []string{`"group_ids":[1]`}},
		})
		if _, err := in.keys.Get(t.Context(), access.CommandLine(), made.ID); err != nil {
			t.Error(err)
		}
	})
}

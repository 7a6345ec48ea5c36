package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
)

// The groups of an instance as they are listed.
const (
	wireAdmins   = `{"id":2,"name":"Administrators","magic_group_type":"admin","entity_id":null,"is_tenant_group":false`
	wireAll      = `{"id":1,"name":"All Users","magic_group_type":"all-internal-users","entity_id":null,"is_tenant_group":false`
	wireAnalysts = `{"id":{analysts},"name":"Analysts","magic_group_type":null,"entity_id":"{analysts_entity}","is_tenant_group":false`
)

func TestGroupRoutes(t *testing.T) {
	const blank = "value must be a non-blank string."
	admins, all, analysts := wireAdmins+`,"member_count":2}`, wireAll+`,"member_count":4}`, wireAnalysts+`,"member_count":2}`
	member := func(user, first, last, common, email, admin, group string) string {
		return `{"id":{` + user + `},"user_id":{` + user + `},"first_name":"` + first + `","last_name":"` + last + `","common_name":"` + common +
			`","email":"` + email + `","is_superuser":` + admin + `,"group_id":` + group + `,"membership_id":<id>}`
	}
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "list", who: "ada", call: "GET /api/permissions/group", status: 200, want: `[` + admins + `,` + all + `,` + analysts + `]`},
			{name: "list again, with a key", who: "root", call: "GET /api/permissions/group/", status: 200, want: `[` + admins + `,` + all + `,` + analysts + `]`},
			{name: "list, limit", who: "ada", call: "GET /api/permissions/group?limit=1", status: 200, want: `[` + admins + `]`},
			{name: "list, limit and offset", who: "ada", call: "GET /api/permissions/group?limit=1&offset=2", status: 200, want: `[` + analysts + `]`},
			{name: "list, past the end", who: "ada", call: "GET /api/permissions/group?offset=9", status: 200, want: `[]`},
			{name: "list, internal", who: "ada", call: "GET /api/permissions/group?tenancy=internal", status: 200, want: `[` + admins + `,` + all + `,` + analysts + `]`},
			{name: "list, external", who: "ada", call: "GET /api/permissions/group?tenancy=external", status: 200, want: `[]`},
			{name: "list, bad tenancy", who: "ada", call: "GET /api/permissions/group?tenancy=x", status: 400, want: "-", has: []string{`"errors":{"tenancy":`}},
			{name: "list, bad limit, anonymous", call: "GET /api/permissions/group?limit=x", status: 400, want: "-", has: []string{`"message":"Error parsing paging parameters: `}},
			{name: "list, anonymous", call: "GET /api/permissions/group", status: 401, want: "Unauthenticated"},
			{name: "list, plain person", who: "bo", call: "GET /api/permissions/group", status: 403, want: noPermission},
			{name: "list, plain key", who: "reader", call: "GET /api/permissions/group", status: 403, want: noPermission},

			{name: "get", who: "ada", call: "GET /api/permissions/group/{analysts}", status: 200, want: wireAnalysts + `,"members":[` +
				member("bo", "Bo", "K", "Bo K", "bo@example.test", "false", "{analysts}") + `,` +
				member("reader_user", "reader", "", "reader", "api-key-user-<uuid>@api-key.invalid", "false", "{analysts}") + `]}`},
			{name: "get Administrators", who: "ada", call: "GET /api/permissions/group/2", status: 200, want: wireAdmins + `,"members":[` +
				member("ada", "Ada", "L", "Ada L", "ada@example.test", "true", "2") + `,` +
				member("root_user", "root", "", "root", "api-key-user-<uuid>@api-key.invalid", "true", "2") + `]}`},
			{name: "get, unknown", who: "ada", call: "GET /api/permissions/group/999999", status: 404, want: "Not found."},
			{name: "get, unknown, plain person", who: "bo", call: "GET /api/permissions/group/999999", status: 403, want: noPermission},
			{name: "get, plain person", who: "bo", call: "GET /api/permissions/group/{analysts}", status: 403, want: noPermission},
			{name: "get, anonymous", call: "GET /api/permissions/group/{analysts}", status: 401, want: "Unauthenticated"},
			{name: "get, no number", who: "ada", call: "GET /api/permissions/group/x", status: 404, want: noRoute},

			{name: "create", who: "ada", call: "POST /api/permissions/group", body: `{"name":"Buyers","is_tenant_group":false}`, status: 200,
				want: `{"id":<id>,"name":"Buyers","magic_group_type":null,"entity_id":"<entity>","is_tenant_group":false}`},
			{name: "create, taken in another case", who: "ada", call: "POST /api/permissions/group", body: `{"name":"ANALYSTS"}`, status: 400,
				want: "A group with that name already exists."},
			{name: "create, blank", who: "ada", call: "POST /api/permissions/group", body: `{"name":" "}`, status: 400,
				want: invalid("name", blank, `non-blank string, received: " "`)},
			{name: "create, null", who: "ada", call: "POST /api/permissions/group", body: `{"name":null}`, status: 400,
				want: invalid("name", blank, "should be a string, received: nil", "non-blank string, received: nil")},
			{name: "create, nothing", who: "ada", call: "POST /api/permissions/group", status: 400,
				want: invalid("name", blank, "missing required key, received: nil")},
			{name: "create, too long", who: "ada", call: "POST /api/permissions/group", body: `{"name":"` + strings.Repeat("g", 256) + `"}`, status: 400,
				want: "-", has: []string{"should be at most 255 characters"}},
			{name: "create, tenant group", who: "ada", call: "POST /api/permissions/group", body: `{"name":"T","is_tenant_group":true}`, status: 402,
				want: paid("Tenants")},
			{name: "create, plain person", who: "bo", call: "POST /api/permissions/group", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "create, anonymous", call: "POST /api/permissions/group", body: `{"name":"x"}`, status: 401, want: "Unauthenticated"},
			{name: "an empty group counts 0", who: "ada", call: "GET /api/permissions/group", status: 200, want: "-", has: []string{`"name":"Buyers"`, `"member_count":0`}},

			{name: "rename", who: "ada", call: "PUT /api/permissions/group/{analysts}", body: `{"name":"Readers"}`, status: 200,
				want: strings.Replace(wireAnalysts, "Analysts", "Readers", 1) + `}`},
			{name: "rename to the same", who: "ada", call: "PUT /api/permissions/group/{analysts}", body: `{"name":"Readers"}`, status: 200, want: "-"},
			{name: "rename, other case", who: "ada", call: "PUT /api/permissions/group/{analysts}", body: `{"name":"READERS"}`, status: 200, want: "-", has: []string{`"name":"READERS"`}},
			{name: "rename, taken", who: "ada", call: "PUT /api/permissions/group/{analysts}", body: `{"name":"buyers"}`, status: 400, want: "A group with that name already exists."},
			{name: "rename, blank", who: "ada", call: "PUT /api/permissions/group/{analysts}", body: `{"name":""}`, status: 400,
				want: invalid("name", blank, `should be at least 1 character, received: ""`, `non-blank string, received: ""`)},
			{name: "rename All Users", who: "ada", call: "PUT /api/permissions/group/1", body: `{"name":"x"}`, status: 400,
				want: "You cannot edit or delete the 'All Users' permissions group!"},
			{name: "rename Administrators", who: "ada", call: "PUT /api/permissions/group/2", body: `{"name":"x"}`, status: 400,
				want: "You cannot edit or delete the 'Administrators' permissions group!"},
			{name: "rename All Users to the same", who: "ada", call: "PUT /api/permissions/group/1", body: `{"name":"All Users"}`, status: 200, want: wireAll + `}`},
			{name: "rename, unknown", who: "ada", call: "PUT /api/permissions/group/999999", body: `{"name":"x"}`, status: 404, want: "Not found."},
			{name: "rename, plain person", who: "bo", call: "PUT /api/permissions/group/{analysts}", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "rename, anonymous", call: "PUT /api/permissions/group/{analysts}", body: `{"name":"x"}`, status: 401, want: "Unauthenticated"},

			{name: "delete, plain person", who: "bo", call: "DELETE /api/permissions/group/{analysts}", status: 403, want: noPermission},
			{name: "delete, anonymous", call: "DELETE /api/permissions/group/{analysts}", status: 401, want: "Unauthenticated"},
			{name: "delete All Users", who: "ada", call: "DELETE /api/permissions/group/1", status: 400, want: "You cannot edit or delete the 'All Users' permissions group!"},
			{name: "delete Administrators", who: "ada", call: "DELETE /api/permissions/group/2", status: 400, want: "You cannot edit or delete the 'Administrators' permissions group!"},
			{name: "delete", who: "ada", call: "DELETE /api/permissions/group/{analysts}", status: 204},
			{name: "delete again", who: "ada", call: "DELETE /api/permissions/group/{analysts}", status: 204},
			{name: "its members stay", who: "ada", call: "GET /api/user/{bo}", status: 200, want: "-", has: []string{`"user_group_memberships":[{"id":1}]`}},
			{name: "no membership is left", who: "ada", call: "GET /api/permissions/membership", status: 200, want: "-", not: []string{`"group_id":{analysts},`}},

			{name: "application permissions", who: "ada", call: "GET /api/ee/advanced-permissions/application/graph", status: 402, want: paid("Advanced Permissions")},
			{name: "change them", who: "ada", call: "PUT /api/ee/advanced-permissions/application/graph", body: `{"groups":{}}`, status: 402, want: paid("Advanced Permissions")},
			{name: "application permissions, plain person", who: "bo", call: "GET /api/ee/advanced-permissions/application/graph", status: 403, want: noPermission},
		})
	})
}

// paid is the answer for a feature that is not given.
func paid(feature string) string {
	text := feature + " is a paid feature not currently available to your instance. Please upgrade to use it. Learn more at metabase.com/upgrade/"
	return fmt.Sprintf(`{"cause":%[1]q,"data":{"status":"error-premium-feature-not-available","status-code":402},"message":%[1]q,`+
		`"status":"error-premium-feature-not-available","trace":[],"via":[]}`, text)
}

func TestMembershipRoutes(t *testing.T) {
	const managers = "The group manager permissions functionality is only enabled if you have a premium token with the advanced-permissions feature."
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addPerson(t, "cy", boPassword)
		in.addPerson(t, "di", boPassword)
		in.readMemberships(t)
		in.run(t, []row{
			{name: "list", who: "ada", call: "GET /api/permissions/membership", status: 200, want: "-", has: []string{
				`"{bo}":[{"membership_id":{bo_in_1},"group_id":1,"user_id":{bo},"is_group_manager":false},` +
					`{"membership_id":{bo_in_analysts},"group_id":{analysts},"user_id":{bo},"is_group_manager":false}]`,
				`"{reader_user}":[`,
			}},
			{name: "list, plain person", who: "bo", call: "GET /api/permissions/membership", status: 403, want: noPermission},
			{name: "list, anonymous", call: "GET /api/permissions/membership", status: 401, want: "Unauthenticated"},

			{name: "add", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":{analysts},"user_id":{cy}}`, status: 200, want: `[` +
				`{"id":{bo},"user_id":{bo},"first_name":"Bo","last_name":"K","common_name":"Bo K","email":"bo@example.test","is_superuser":false,"group_id":{analysts},"membership_id":{bo_in_analysts}},` +
				`{"id":{cy},"user_id":{cy},"first_name":"Cy","last_name":"K","common_name":"Cy K","email":"cy@example.test","is_superuser":false,"group_id":{analysts},"membership_id":<id>},` +
				`{"id":{reader_user},"user_id":{reader_user},"first_name":"reader","last_name":"","common_name":"reader","email":"<any>","is_superuser":false,"group_id":{analysts},"membership_id":<id>}]`},
			{name: "add twice", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":{analysts},"user_id":{cy}}`, status: 400, want: "This user is already a member of the group."},
			{name: "add an administrator", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":2,"user_id":{cy},"is_group_manager":false}`, status: 200,
				want: "-", has: []string{`"email":"cy@example.test","is_superuser":true,"group_id":2`}},
			{name: "who is a superuser then", who: "ada", call: "GET /api/user/{cy}", status: 200, want: "-", has: []string{`"is_superuser":true`}},
			{name: "add to All Users", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":1,"user_id":{bo}}`, status: 400, want: noneOfAll},
			{name: "add a manager", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":{analysts},"user_id":{di},"is_group_manager":true}`, status: 402, want: managers},
			{name: "add an unknown user", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":{analysts},"user_id":999999}`, status: 400,
				want: "Cannot add non-tenant user to tenant-group or vice versa"},
			{name: "add to an unknown group", who: "ada", call: "POST /api/permissions/membership", body: `{"group_id":999999,"user_id":{bo}}`, status: 400,
				want: "Cannot add non-tenant user to tenant-group or vice versa"},
			{name: "add nothing", who: "ada", call: "POST /api/permissions/membership", body: `{}`, status: 400, want: "-", has: []string{`"group_id":["missing`, `"user_id":["missing`}},
			{name: "add, plain person", who: "bo", call: "POST /api/permissions/membership", body: `{"group_id":{analysts},"user_id":{bo}}`, status: 403, want: noPermission},
			{name: "add, anonymous", call: "POST /api/permissions/membership", body: `{"group_id":{analysts},"user_id":{bo}}`, status: 401, want: "Unauthenticated"},

			{name: "make a manager", who: "ada", call: "PUT /api/permissions/membership/{bo_in_analysts}", body: `{"is_group_manager":true}`, status: 402, want: managers},
			{name: "make a manager, plain person", who: "bo", call: "PUT /api/permissions/membership/{bo_in_analysts}", body: `{"is_group_manager":true}`, status: 403, want: noPermission},
			{name: "make a manager, nothing", who: "ada", call: "PUT /api/permissions/membership/{bo_in_analysts}", body: `{}`, status: 400,
				want: invalid("is_group_manager", "value must be a boolean.", "missing required key, received: nil")},

			{name: "remove, unknown, plain person", who: "bo", call: "DELETE /api/permissions/membership/999999", status: 404, want: "Not found."},
			{name: "remove, unknown", who: "ada", call: "DELETE /api/permissions/membership/999999", status: 404, want: "Not found."},
			{name: "remove, plain person", who: "bo", call: "DELETE /api/permissions/membership/{bo_in_analysts}", status: 403, want: noPermission},
			{name: "remove, anonymous", call: "DELETE /api/permissions/membership/{bo_in_analysts}", status: 401, want: "Unauthenticated"},
			{name: "remove from All Users", who: "ada", call: "DELETE /api/permissions/membership/{bo_in_1}", status: 400, want: noneOfAll},
			{name: "remove", who: "ada", call: "DELETE /api/permissions/membership/{bo_in_analysts}", status: 204},
			{name: "remove again", who: "ada", call: "DELETE /api/permissions/membership/{bo_in_analysts}", status: 404, want: "Not found."},

			{name: "clear, plain person", who: "bo", call: "PUT /api/permissions/membership/{analysts}/clear", status: 403, want: noPermission},
			{name: "clear, anonymous", call: "PUT /api/permissions/membership/{analysts}/clear", status: 401, want: "Unauthenticated"},
			{name: "clear, unknown", who: "ada", call: "PUT /api/permissions/membership/999999/clear", status: 404, want: "Not found."},
			{name: "clear Administrators", who: "ada", call: "PUT /api/permissions/membership/2/clear", status: 400, want: "Invalid Request."},
			{name: "clear All Users", who: "ada", call: "PUT /api/permissions/membership/1/clear", status: 400, want: noneOfAll},
			{name: "clear", who: "ada", call: "PUT /api/permissions/membership/{analysts}/clear", status: 204},
			{name: "the group stays", who: "ada", call: "GET /api/permissions/group/{analysts}", status: 200, want: wireAnalysts + `,"members":[]}`},
		})
		in.run(t, []row{
			{name: "the key that administrates goes", who: "ada", call: "DELETE /api/permissions/membership/{root_user_in_2}", status: 204},
			{name: "the key is nobody special then", who: "root", call: "GET /api/permissions/membership", status: 403, want: noPermission},
			{name: "so does the second person", who: "ada", call: "PUT /api/user/{cy}", body: `{"is_superuser":false}`, status: 200, want: "-"},
			{name: "the last one stays", who: "ada", call: "DELETE /api/permissions/membership/{ada_in_2}", status: 400, want: lastAdmin},
		})
	})
}

// readMemberships names the memberships: {bo_in_1}, {bo_in_analysts} and so on.
func (in *instance) readMemberships(t *testing.T) {
	t.Helper()
	rec := in.do("ada", "GET", "/api/permissions/membership", "")
	var all map[string][]struct {
		ID    int64 `json:"membership_id"`
		Group int64 `json:"group_id"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bo", "root_user"} {
		for _, m := range all[in.names[name]] {
			group := fmt.Sprint(m.Group)
			if m.Group > access.Administrators {
				group = "analysts"
			}
			in.names[name+"_in_"+group] = fmt.Sprint(m.ID)
		}
	}
}

// TestMemberCounts follows the counts that lists show (contract/identity.md 3.1).
func TestMemberCounts(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		want := func(name string, all, analysts int) {
			t.Helper()
			in.send(t, row{name: name, who: "ada", call: "GET /api/permissions/group", status: 200, want: "-", has: []string{
				wireAll + fmt.Sprintf(`,"member_count":%d}`, all), wireAnalysts + fmt.Sprintf(`,"member_count":%d}`, analysts),
			}})
		}
		want("start", 4, 2)
		in.send(t, row{who: "ada", call: "DELETE /api/user/{bo}", status: 200, want: `{"success":true}`})
		want("an inactive person is not counted", 3, 1)
		in.send(t, row{who: "ada", call: "GET /api/permissions/group/{analysts}", status: 200, want: "-", not: []string{`"bo@example.test"`}})
		in.send(t, row{who: "ada", call: "GET /api/permissions/membership", status: 200, want: "-", has: []string{`"user_id":{bo},`}})
		in.send(t, row{who: "ada", call: "PUT /api/user/{bo}/reactivate", status: 200, want: "-"})
		want("back", 4, 2)
		in.send(t, row{who: "ada", call: "DELETE /api/api-key/{reader}", status: 204})
		want("a deleted key is not counted", 3, 1)
	})
}

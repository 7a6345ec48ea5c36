package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wirePerson is a person as administrators and the person see it.
func wirePerson(id, email, names, admin, active, lastLogin string) string {
	return `{"id":` + id + `,"email":"` + email + `",` + names + `,"date_joined":"` + testStart + `","last_login":` + lastLogin +
		`,"is_superuser":` + admin + `,"is_data_analyst":false,"is_qbnewb":true,"is_active":` + active +
		`,"tenant_id":null,"sso_source":null,"updated_at":"` + testStart + `","login_attributes":null,"jwt_attributes":null,"locale":null`
}

const (
	adaNames = `"first_name":"Ada","last_name":"L","common_name":"Ada L"`
	boNames  = `"first_name":"Bo","last_name":"K","common_name":"Bo K"`
	loggedIn = `"` + testStart + `"`
	taken    = `{"errors":{"email":"Email address already in use."}}`
)

func wireAda() string {
	return wirePerson("{ada}", "ada@example.test", adaNames, "true", "true", loggedIn)
}

func wireBo() string {
	return wirePerson("{bo}", "bo@example.test", boNames, "false", "true", loggedIn)
}

const noCollections = `,"personal_collection_id":null,"tenant_collection_id":null`

// ownCollection is there once a person has asked (contract/content-data.md 2.10).
const ownCollection = `,"personal_collection_id":<id>,"tenant_collection_id":null`

func TestUserLists(t *testing.T) {
	listed := func(total, limit, offset string, users ...string) string {
		return `{"data":[` + strings.Join(users, ",") + `],"total":` + total + `,"limit":` + limit + `,"offset":` + offset + `}`
	}
	ada, bo := wireAda()+`,"group_ids":[1,2]`+noCollections+`}`, wireBo()+`,"group_ids":[1,{analysts}]`+noCollections+`}`
	cy := func(active string) string {
		return wirePerson("{cy}", "cy@example.test", `"first_name":"Cy","last_name":"K","common_name":"Cy K"`, "false", active, "null") + `,"group_ids":[1]` + noCollections + `}`
	}
	brief := func(id, email, names string) string {
		return `{"id":` + id + `,"email":"` + email + `",` + names + `}`
	}
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addPerson(t, "cy", boPassword)
		in.run(t, []row{
			{name: "all", who: "ada", call: "GET /api/user", status: 200, want: listed("3", "null", "null", ada, bo, cy("true"))},
			{name: "with a key", who: "root", call: "GET /api/user/", status: 200, want: listed("3", "null", "null", ada, bo, cy("true"))},
			{name: "limit", who: "ada", call: "GET /api/user?limit=1", status: 200, want: listed("3", "1", "0", ada)},
			{name: "limit and offset", who: "ada", call: "GET /api/user?limit=1&offset=1", status: 200, want: listed("3", "1", "1", bo)},
			{name: "offset only", who: "ada", call: "GET /api/user?offset=2", status: 200, want: listed("3", "50", "2", cy("true"))},
			{name: "limit 0", who: "ada", call: "GET /api/user?limit=0", status: 200, want: listed("3", "0", "0")},
			{name: "past the end", who: "ada", call: "GET /api/user?limit=5&offset=5", status: 200, want: listed("3", "5", "5")},
			{name: "bad limit", who: "ada", call: "GET /api/user?limit=-1", status: 400, want: "-", has: []string{`"message":"Error parsing paging parameters: `, `"via":[]`, `"trace":[]`}},
			{name: "query on first name", who: "ada", call: "GET /api/user?query=ADA", status: 200, want: listed("1", "null", "null", ada)},
			{name: "query on address", who: "ada", call: "GET /api/user?query=bo@EXAMPLE", status: 200, want: listed("1", "null", "null", bo)},
			{name: "query on last name, paged", who: "ada", call: "GET /api/user?query=k&limit=1", status: 200, want: listed("2", "1", "0", bo)},
			{name: "query with a wildcard", who: "ada", call: "GET /api/user?query=%25", status: 200, want: listed("0", "null", "null")},
			{name: "keys are not found", who: "ada", call: "GET /api/user?query=reader", status: 200, want: listed("0", "null", "null")},
			{name: "group", who: "ada", call: "GET /api/user?group_id={analysts}", status: 200, want: listed("1", "null", "null", bo)},
			{name: "bad group", who: "ada", call: "GET /api/user?group_id=x", status: 400, want: "-", has: []string{`"errors":{"group_id":"nullable value must be an integer`}},
			{name: "internal", who: "ada", call: "GET /api/user?tenancy=internal&group_id={analysts}", status: 200, want: listed("1", "null", "null", bo)},
			{name: "every tenancy", who: "ada", call: "GET /api/user?tenancy=all&group_id={analysts}", status: 200, want: listed("1", "null", "null", bo)},
			{name: "external", who: "ada", call: "GET /api/user?tenancy=external", status: 200, want: listed("0", "null", "null")},
			{name: "external, paged", who: "ada", call: "GET /api/user?tenancy=external&limit=3", status: 200, want: listed("0", "3", "0")},
			{name: "a tenant", who: "ada", call: "GET /api/user?tenant_id=1", status: 200, want: listed("0", "null", "null")},
			{name: "both", who: "ada", call: "GET /api/user?tenant_id=1&tenancy=all", status: 400, want: "You cannot specify both `tenancy` and `tenant_id`"},
			{name: "data analysts", who: "ada", call: "GET /api/user?is_data_analyst=true", status: 200, want: listed("0", "null", "null")},
			{name: "plain person", who: "bo", call: "GET /api/user", status: 403, want: noPermission},
			{name: "plain key", who: "reader", call: "GET /api/user", status: 403, want: noPermission},
			{name: "anonymous", call: "GET /api/user", status: 401, want: "Unauthenticated"},

			{name: "recipients, administrator", who: "ada", call: "GET /api/user/recipients", status: 200,
				want: "-", has: []string{`"total":3,"limit":null,"offset":null}`, wireBo() + `}`}},
			{name: "recipients", who: "bo", call: "GET /api/user/recipients", status: 200, want: listed("3", "null", "null",
				brief("{bo}", "bo@example.test", boNames), brief("{cy}", "cy@example.test", `"first_name":"Cy","last_name":"K","common_name":"Cy K"`), brief("{ada}", "ada@example.test", adaNames))},
			{name: "recipients, key, paged", who: "reader", call: "GET /api/user/recipients?limit=1&offset=2", status: 200, want: listed("3", "1", "2", brief("{ada}", "ada@example.test", adaNames))},
			{name: "recipients, anonymous", call: "GET /api/user/recipients", status: 401, want: "Unauthenticated"},

			{name: "cy goes", who: "ada", call: "DELETE /api/user/{cy}", status: 200, want: `{"success":true}`},
			{name: "active", who: "ada", call: "GET /api/user?status=active", status: 200, want: listed("2", "null", "null", ada, bo)},
			{name: "unknown status", who: "ada", call: "GET /api/user?status=x", status: 200, want: listed("2", "null", "null", ada, bo)},
			{name: "deactivated", who: "ada", call: "GET /api/user?status=deactivated", status: 200, want: listed("1", "null", "null", cy("false"))},
			{name: "all states", who: "ada", call: "GET /api/user?status=all", status: 200, want: listed("3", "null", "null", ada, bo, cy("false"))},
			{name: "include deactivated", who: "ada", call: "GET /api/user?include_deactivated=true&status=active", status: 200, want: listed("3", "null", "null", ada, bo, cy("false"))},
			{name: "do not", who: "ada", call: "GET /api/user?include_deactivated=false", status: 200, want: listed("2", "null", "null", ada, bo)},
			{name: "recipients are active", who: "bo", call: "GET /api/user/recipients", status: 200, want: "-", not: []string{"cy@example.test"}, has: []string{`"total":2`}},
		})
	})
}

func TestCurrentUser(t *testing.T) {
	const rest = `,"google_auth":false,"is_installer":%[1]s,"has_invited_second_user":%[1]s,"has_question_and_dashboard":false,"has_model":false,"first_login":"` + testStart +
		`","custom_homepage":null,"can_write_any_collection":true,"permissions":{"can_create_queries":%[2]s,"can_create_native_queries":%[2]s}}`
	facts := func(installer, admin string) string { return fmt.Sprintf(rest, installer, admin) }
	eachEmpty(t, false, func(t *testing.T, in *instance) {
		in.setUp(t)
		in.signIn(t, "ada")
		in.send(t, row{who: "ada", call: "GET /api/user/current", status: 200, want: "-", has: []string{`"is_installer":true,"has_invited_second_user":false`}})
		delete(in.callers, "ada")
		in.addPerson(t, "bo", boPassword)
		in.addKey(t, "reader", 1)
		in.addKey(t, "root", 2)
		in.signIn(t, "ada")
		in.signIn(t, "bo")
		key := func(name, admin string) string {
			return wirePerson("{"+name+"_user}", "api-key-user-<uuid>@api-key.invalid", `"first_name":"`+name+`","last_name":"","common_name":"`+name+`"`, admin, "true", "null")
		}
		in.run(t, []row{
			{name: "installer", who: "ada", call: "GET /api/user/current", status: 200, want: wireAda() + `,"group_ids":[1,2]` + ownCollection + facts("true", "true")},
			{name: "person", who: "bo", call: "GET /api/user/current/", status: 200, want: wireBo() + `,"group_ids":[1]` + ownCollection + facts("false", "false")},
			{name: "key", who: "reader", call: "GET /api/user/current", status: 200, want: key("reader", "false") + `,"group_ids":[1]` + noCollections + facts("false", "false")},
			{name: "key of Administrators", who: "root", call: "GET /api/user/current", status: 200,
				want: key("root", "true") + `,"group_ids":[1,2]` + noCollections + facts("false", "true")},
			{name: "anonymous", call: "GET /api/user/current", status: 401, want: "Unauthenticated"},
		})
	})
}

func TestGetUser(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		full := func(user, groups string) string {
			return user + `,"user_group_memberships":` + groups + `,"structured_attributes":{}}`
		}
		in.run(t, []row{
			{name: "another", who: "ada", call: "GET /api/user/{bo}", status: 200, want: full(wireBo(), `[{"id":1},{"id":{analysts}}]`)},
			{name: "self", who: "bo", call: "GET /api/user/{bo}", status: 200, want: full(wireBo(), `[{"id":1},{"id":{analysts}}]`)},
			{name: "plain person, another", who: "bo", call: "GET /api/user/{ada}", status: 403, want: noPermission},
			{name: "plain person, unknown", who: "bo", call: "GET /api/user/999999", status: 403, want: noPermission},
			{name: "unknown", who: "ada", call: "GET /api/user/999999", status: 404, want: "Not found."},
			{name: "anonymous", call: "GET /api/user/{bo}", status: 401, want: "Unauthenticated"},
			{name: "no number", who: "ada", call: "GET /api/user/abc", status: 404, want: noRoute},
			{name: "0", who: "ada", call: "GET /api/user/0", status: 400, want: invalid("id", positiveTexts, positiveTexts+", received: 0")},
			{name: "of a key", who: "ada", call: "GET /api/user/{reader_user}", status: 200, want: "-", has: []string{`"common_name":"reader"`}, not: []string{`"type"`}},
			{name: "of a key, itself", who: "reader", call: "GET /api/user/{reader_user}", status: 200, want: "-", has: []string{`"common_name":"reader"`}},
			{name: "attributes", who: "ada", call: "PUT /api/user/{bo}", body: `{"login_attributes":{"region":"north","level":3,"on":true}}`, status: 200, want: "-",
				has: []string{`"login_attributes":{"level":"3","on":"true","region":"north"}`}, not: []string{"structured"}},
			{name: "structured attributes", who: "ada", call: "GET /api/user/{bo}", status: 200, want: "-",
				has: []string{`"structured_attributes":{"level":{"source":"user","frozen":false,"value":"3"},`}},
		})
	})
}

func TestCreateUser(t *testing.T) {
	const address = "value must be a valid email address."
	newcomer := func(email, names, admin, groups string) string {
		return wirePerson("<id>", email, names, admin, "true", "null") + `,"user_group_memberships":` + groups + `}`
	}
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "create", who: "ada", call: "POST /api/user", body: `{"email":"Cy@Example.Test","first_name":"Cy","last_name":"K","user_group_memberships":[{"id":1},{"id":{analysts}}]}`, status: 200,
				want: newcomer("cy@example.test", `"first_name":"Cy","last_name":"K","common_name":"Cy K"`, "false", `[{"id":1},{"id":{analysts}}]`)},
			{name: "address only", who: "root", call: "POST /api/user", body: `{"email":"d@example.test","is_superuser":true,"password":"x"}`, status: 200,
				want: newcomer("d@example.test", `"first_name":null,"last_name":null,"common_name":"d@example.test"`, "false", `[{"id":1}]`)},
			{name: "nulls", who: "ada", call: "POST /api/user", body: `{"email":"e@example.test","first_name":null,"last_name":null,"user_group_memberships":null,"login_attributes":null,"tenant_id":null,"source":null}`, status: 200,
				want: newcomer("e@example.test", `"first_name":null,"last_name":null,"common_name":"e@example.test"`, "false", `[{"id":1}]`)},
			{name: "administrator by group", who: "ada", call: "POST /api/user", body: `{"email":"f@example.test","user_group_memberships":[{"id":2,"is_group_manager":false},{"id":1}]}`, status: 200,
				want: newcomer("f@example.test", `"first_name":null,"last_name":null,"common_name":"f@example.test"`, "true", `[{"id":1},{"id":2}]`)},
			{name: "second person of the set-up", who: "ada", call: "POST /api/user", body: `{"email":"g@example.test","source":"setup"}`, status: 200,
				want: newcomer("g@example.test", `"first_name":null,"last_name":null,"common_name":"g@example.test"`, "true", `[{"id":1},{"id":2}]`)},
			{name: "source admin", who: "ada", call: "POST /api/user", body: `{"email":"h@example.test","source":"admin"}`, status: 200, want: "-", has: []string{`"is_superuser":false`}},

			{name: "taken, in another case", who: "ada", call: "POST /api/user", body: `{"email":"BO@example.test"}`, status: 400, want: taken},
			{name: "bo goes", who: "ada", call: "DELETE /api/user/{bo}", status: 200, want: "-"},
			{name: "taken by an inactive user", who: "ada", call: "POST /api/user", body: `{"email":"bo@example.test"}`, status: 400, want: taken},
			{name: "no address", who: "ada", call: "POST /api/user", body: `{}`, status: 400, want: invalid("email", address, "missing required key, received: nil")},
			{name: "bad address", who: "ada", call: "POST /api/user", body: `{"email":"x"}`, status: 400, want: invalid("email", address, `valid email address, received: "x"`)},
			{name: "blank name", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","first_name":""}`, status: 400,
				want: "-", has: []string{`"errors":{"first_name":"nullable value must be a non-blank string."}`}},
			{name: "without All Users", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","user_group_memberships":[{"id":{analysts}}]}`, status: 400, want: noneOfAll},
			{name: "without any group", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","user_group_memberships":[]}`, status: 400, want: noneOfAll},
			{name: "groups that are none", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","user_group_memberships":[1]}`, status: 400, want: "-", has: []string{`"errors":{"user_group_memberships":`}},
			{name: "unknown group", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","user_group_memberships":[{"id":1},{"id":999999}]}`, status: 400, want: "-"},
			{name: "attributes of ours", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","login_attributes":{"@a":"b"}}`, status: 400, want: "-", has: []string{`"errors":{"login_attributes":`}},
			{name: "tenant", who: "ada", call: "POST /api/user", body: `{"email":"x@example.test","tenant_id":1}`, status: 400,
				want: `{"errors":{"tenant_id":"Cannot create a Tenant User as Tenants are not enabled for this instance."}}`},
			{name: "nobody was created", who: "ada", call: "GET /api/user?query=x@example.test&status=all", status: 200, want: "-", has: []string{`"total":0`}},
			{name: "plain key", who: "reader", call: "POST /api/user", body: `{"email":"x@example.test"}`, status: 403, want: noPermission},
			{name: "anonymous", call: "POST /api/user", body: `{"email":"x@example.test"}`, status: 401, want: "Unauthenticated"},
		})
	})
}

func TestUpdateUser(t *testing.T) {
	changed := func(user, groups string) string { return user + `,"user_group_memberships":` + groups + `}` }
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addPerson(t, "cy", boPassword)
		in.run(t, []row{
			{name: "nothing", who: "ada", call: "PUT /api/user/{bo}", body: `{}`, status: 200, want: changed(wireBo(), `[{"id":1},{"id":{analysts}}]`)},
			{name: "nulls", who: "ada", call: "PUT /api/user/{bo}", body: `{"email":null,"is_superuser":null,"user_group_memberships":null,"login_attributes":null,"locale":null,"tenant_id":null,"is_data_analyst":null}`,
				status: 200, want: changed(wireBo(), `[{"id":1},{"id":{analysts}}]`)},
			{name: "self", who: "bo", call: "PUT /api/user/{bo}", body: `{"first_name":"Bob","last_name":null,"locale":"de","email":"BOB@example.test"}`, status: 200, want: "-",
				has: []string{`"email":"bob@example.test","first_name":"Bob","last_name":null,"common_name":"Bob"`, `"locale":"de"`}},
			{name: "names to null", who: "bo", call: "PUT /api/user/{bo}", body: `{"first_name":null,"last_name":null,"locale":null}`, status: 200, want: "-",
				has: []string{`"common_name":"bob@example.test"`, `"locale":null`}},
			{name: "locale in another form", who: "bo", call: "PUT /api/user/{bo}", body: `{"locale":"es-mx"}`, status: 200, want: "-", has: []string{`"locale":"es_MX"`}},
			{name: "bad locale", who: "bo", call: "PUT /api/user/{bo}", body: `{"locale":"eng-USA"}`, status: 400,
				want: "-", has: []string{`"errors":{"locale":"nullable String must be a valid two-letter ISO language`, `valid locale, received: \"eng-USA\"`}},
			{name: "bad address", who: "bo", call: "PUT /api/user/{bo}", body: `{"email":"x"}`, status: 400,
				want: invalid("email", "nullable value must be a valid email address.", `valid email address, received: "x"`)},
			{name: "blank name", who: "bo", call: "PUT /api/user/{bo}", body: `{"last_name":" "}`, status: 400, want: "-", has: []string{`"errors":{"last_name":"nullable value must be a non-blank string."}`}},
			{name: "address taken", who: "bo", call: "PUT /api/user/{bo}", body: `{"email":"ADA@example.test"}`, status: 400,
				want: `{"errors":{"email":"Email address already associated to another user."}}`},
			{name: "self to administrator", who: "bo", call: "PUT /api/user/{bo}", body: `{"is_superuser":true,"login_attributes":{"a":"b"}}`, status: 200, want: "-",
				has: []string{`"is_superuser":false`, `"login_attributes":null`}},
			{name: "own groups, unchanged", who: "bo", call: "PUT /api/user/{bo}", body: `{"user_group_memberships":[{"id":{analysts}},{"id":1}]}`, status: 200, want: "-"},
			{name: "own groups, changed", who: "bo", call: "PUT /api/user/{bo}", body: `{"first_name":"Rolled","user_group_memberships":[{"id":1},{"id":2},{"id":{analysts}}]}`, status: 403, want: noPermission},
			{name: "nothing of it stays", who: "bo", call: "GET /api/user/{bo}", status: 200, want: "-", not: []string{"Rolled"}, has: []string{`"user_group_memberships":[{"id":1},{"id":{analysts}}]`}},
			{name: "another", who: "bo", call: "PUT /api/user/{ada}", body: `{}`, status: 403, want: noPermission},
			{name: "another, invalid", who: "bo", call: "PUT /api/user/{ada}", body: `{"email":"x"}`, status: 400, want: "-"},
			{name: "anonymous", call: "PUT /api/user/{bo}", body: `{}`, status: 401, want: "Unauthenticated"},

			{name: "groups", who: "ada", call: "PUT /api/user/{bo}", body: `{"user_group_memberships":[{"id":1}]}`, status: 200, want: "-", has: []string{`"user_group_memberships":[{"id":1}]`}},
			{name: "without All Users", who: "ada", call: "PUT /api/user/{bo}", body: `{"user_group_memberships":[{"id":{analysts}}]}`, status: 400, want: noneOfAll},
			{name: "flag and groups disagree", who: "ada", call: "PUT /api/user/{bo}", body: `{"is_superuser":true,"user_group_memberships":[{"id":1}]}`, status: 400,
				want: `{"errors":{"is_superuser":"Value of is_superuser must correspond to presence of Admin group ID in group_ids."}}`},
			{name: "flag and groups agree", who: "ada", call: "PUT /api/user/{bo}", body: `{"is_superuser":true,"user_group_memberships":[{"id":1},{"id":2}]}`, status: 200, want: "-",
				has: []string{`"is_superuser":true`, `[{"id":1},{"id":2}]`}},
			{name: "bo may everything at once", who: "bo", call: "GET /api/api-key/count", status: 200, want: "2"},
			{name: "flag off", who: "ada", call: "PUT /api/user/{bo}", body: `{"is_superuser":"false"}`, status: 200, want: "-", has: []string{`"is_superuser":false`, `[{"id":1}]`}},
			{name: "bo may nothing at once", who: "bo", call: "GET /api/api-key/count", status: 403, want: noPermission},
			{name: "data analyst", who: "ada", call: "PUT /api/user/{bo}", body: `{"is_data_analyst":true}`, status: 200, want: "-", has: []string{`"is_data_analyst":false`}},
			{name: "tenant", who: "ada", call: "PUT /api/user/{bo}", body: `{"tenant_id":1}`, status: 400, want: "-", has: []string{`{"errors":{"tenant_id":`}},
			{name: "unknown", who: "ada", call: "PUT /api/user/999999", body: `{}`, status: 404, want: "Not found."},
			{name: "internal user", who: "ada", call: "PUT /api/user/13371338", body: `{}`, status: 400, want: "Not able to modify the internal user"},
			{name: "internal user, plain person", who: "bo", call: "PUT /api/user/13371338", body: `{}`, status: 403, want: noPermission},
			{name: "user of a key", who: "ada", call: "PUT /api/user/{reader_user}", body: `{"first_name":"Lector"}`, status: 200, want: "-", has: []string{`"first_name":"Lector"`}},
			{name: "cy goes", who: "ada", call: "DELETE /api/user/{cy}", status: 200, want: "-"},
			{name: "inactive", who: "ada", call: "PUT /api/user/{cy}", body: `{}`, status: 404, want: "Not found."},
			{name: "the key goes", who: "ada", call: "DELETE /api/api-key/{root}", status: 204},
			{name: "last administrator", who: "ada", call: "PUT /api/user/{ada}", body: `{"is_superuser":false}`, status: 400, want: lastAdmin},
			{name: "last administrator by groups", who: "ada", call: "PUT /api/user/{ada}", body: `{"user_group_memberships":[{"id":1}]}`, status: 400, want: lastAdmin},
		})
	})
}

func TestUserLife(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addPerson(t, "cy", boPassword, 2)
		in.signIn(t, "cy")
		in.run(t, []row{
			{name: "deactivate oneself", who: "bo", call: "DELETE /api/user/{bo}", status: 403, want: noPermission},
			{name: "deactivate, anonymous", call: "DELETE /api/user/{bo}", status: 401, want: "Unauthenticated"},
			{name: "deactivate, unknown", who: "ada", call: "DELETE /api/user/999999", status: 404, want: "Not found."},
			{name: "deactivate", who: "ada", call: "DELETE /api/user/{cy}", status: 200, want: `{"success":true}`},
			{name: "deactivate again", who: "ada", call: "DELETE /api/user/{cy}", status: 200, want: `{"success":true}`},
			{name: "the sessions are over", who: "cy", call: "GET /api/user/current", status: 401, want: "Unauthenticated"},
			{name: "deactivate the user of a key", who: "ada", call: "DELETE /api/user/{reader_user}", status: 200, want: `{"success":true}`},
			{name: "which changes nothing", who: "reader", call: "GET /api/user/current", status: 200, want: "-"},

			{name: "reactivate, plain person", who: "bo", call: "PUT /api/user/{cy}/reactivate", status: 403, want: noPermission},
			{name: "reactivate, anonymous", call: "PUT /api/user/{cy}/reactivate", status: 401, want: "Unauthenticated"},
			{name: "reactivate", who: "ada", call: "PUT /api/user/{cy}/reactivate", status: 200,
				want: wirePerson("{cy}", "cy@example.test", `"first_name":"Cy","last_name":"K","common_name":"Cy K"`, "false", "true", loggedIn) + `}`},
			{name: "reactivate again", who: "ada", call: "PUT /api/user/{cy}/reactivate", status: 400,
				want: `{"cause":"Not able to reactivate an active user","data":{"status-code":400},"message":"Not able to reactivate an active user","trace":[],"via":[]}`},
			{name: "reactivate, unknown", who: "ada", call: "PUT /api/user/999999/reactivate", status: 404, want: "Not found."},
			{name: "reactivate the user of a key", who: "ada", call: "PUT /api/user/{reader_user}/reactivate", status: 404, want: "Not found."},

			{name: "tip", who: "bo", call: "PUT /api/user/{bo}/modal/qbnewb", status: 200, want: `{"success":true}`},
			{name: "the tip is away", who: "bo", call: "GET /api/user/current", status: 200, want: "-", has: []string{`"is_qbnewb":false`}},
			{name: "other tip", who: "ada", call: "PUT /api/user/{bo}/modal/datasetnewb", status: 200, want: `{"success":true}`},
			{name: "unknown tip", who: "ada", call: "PUT /api/user/{bo}/modal/x", status: 400, want: "-", has: []string{`"errors":{"modal":"enum of qbnewb, datasetnewb"}`}},
			{name: "tip of another", who: "bo", call: "PUT /api/user/{ada}/modal/qbnewb", status: 403, want: noPermission},
			{name: "tip of nobody", who: "ada", call: "PUT /api/user/999999/modal/qbnewb", status: 404, want: "Not found."},
			{name: "tip of a key", who: "ada", call: "PUT /api/user/{reader_user}/modal/qbnewb", status: 404, want: "Not found."},
			{name: "tip, anonymous", call: "PUT /api/user/{bo}/modal/qbnewb", status: 401, want: "Unauthenticated"},

			{name: "the key goes", who: "ada", call: "DELETE /api/api-key/{root}", status: 204},
			{name: "last administrator", who: "ada", call: "DELETE /api/user/{ada}", status: 400, want: lastAdmin},
		})
	})
}

func TestUserPasswords(t *testing.T) {
	const wrongOld = `{"errors":{"old_password":"Invalid password"}}`
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addPerson(t, "cy", boPassword)
		in.run(t, []row{
			{name: "wrong old one", who: "bo", call: "PUT /api/user/{bo}/password", body: `{"password":"` + newPassword + `","old_password":"nope-1"}`, status: 400, want: wrongOld},
			{name: "no old one", who: "bo", call: "PUT /api/user/{bo}/password", body: `{"password":"` + newPassword + `"}`, status: 400, want: wrongOld},
			{name: "null old one", who: "bo", call: "PUT /api/user/{bo}/password", body: `{"password":"` + newPassword + `","old_password":null}`, status: 400, want: wrongOld},
			{name: "weak", who: "bo", call: "PUT /api/user/{bo}/password", body: `{"password":"password1","old_password":"` + boPassword + `"}`, status: 400, want: weakPassword},
			{name: "none", who: "bo", call: "PUT /api/user/{bo}/password", body: `{"old_password":"` + boPassword + `"}`, status: 400,
				want: invalid("password", "password is too common.", "missing required key, received: nil")},
			{name: "of another", who: "bo", call: "PUT /api/user/{ada}/password", body: `{"password":"` + newPassword + `"}`, status: 403, want: noPermission},
			{name: "anonymous", call: "PUT /api/user/{bo}/password", body: `{"password":"` + newPassword + `"}`, status: 401, want: "Unauthenticated"},
			{name: "unknown", who: "ada", call: "PUT /api/user/999999/password", body: `{"password":"` + newPassword + `"}`, status: 404, want: "Not found."},
			{name: "of a key", who: "ada", call: "PUT /api/user/{reader_user}/password", body: `{"password":"` + newPassword + `"}`, status: 404, want: "Not found."},
			{name: "of a key by itself", who: "reader", call: "PUT /api/user/{reader_user}/password", body: `{"password":"` + newPassword + `"}`, status: 404, want: "Not found."},
			{name: "of another by an administrator", who: "ada", call: "PUT /api/user/{cy}/password", body: `{"password":"` + newPassword + `"}`, status: 204},
			{name: "which works", call: "POST /api/session", body: `{"username":"cy@example.test","password":"` + newPassword + `"}`, status: 200, want: "-"},
			{name: "cy goes", who: "ada", call: "DELETE /api/user/{cy}", status: 200, want: "-"},
			{name: "inactive", who: "ada", call: "PUT /api/user/{cy}/password", body: `{"password":"` + newPassword + `"}`, status: 404, want: "Not found."},
			{name: "bo is still in", who: "bo", call: "GET /api/user/current", status: 200, want: "-"},
		})
		for who, body := range map[string]string{
			"bo":  `{"password":"` + newPassword + `","old_password":"` + boPassword + `"}`,
			"ada": `{"password":"` + newPassword + `"}`,
		} {
			rec := in.do(who, "PUT", in.fill("/api/user/{"+who+"}/password"), body)
			if rec.Code != http.StatusOK || !matches(`{"success":true,"session_id":"<uuid>"}`, rec.Body.String()) {
				t.Fatalf("%s: %d %s", who, rec.Code, rec.Body)
			}
			checkOpened(t, rec, 0)
			in.send(t, row{name: "the old session is over", who: who, call: "GET /api/user/current", status: 401, want: "Unauthenticated"})
			for _, k := range cookiesOf(rec) {
				if rec := in.do("", "GET", "/api/user/current", "", "Cookie", k.Name+"="+k.Value); k.Name == "metabase.SESSION" && rec.Code != http.StatusOK {
					t.Errorf("%s: the new session: %d", who, rec.Code)
				}
			}
		}
	})
}

// TestListOrder has the order of contract/identity.md 2.7: names in lower case,
// and what is null before what is not.
func TestListOrder(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		for _, name := range []string{"zed", "abe", "ed"} {
			in.addPerson(t, name, boPassword)
			in.clock.Advance(time.Second)
		}
		in.send(t, row{who: "ada", call: "PUT /api/user/{zed}", body: `{"first_name":"aBe","last_name":"a"}`, status: 200, want: "-"})
		rec := in.send(t, row{who: "ada", call: "GET /api/user", status: 200, want: "-"})
		at := -1
		for _, email := range []string{"zed@", "abe@", "ada@", "bo@", "ed@"} {
			next := strings.Index(rec.Body.String(), `"`+email)
			if next < at {
				t.Errorf("%s stands too early in %s", email, rec.Body)
			}
			at = next
		}
	})
}

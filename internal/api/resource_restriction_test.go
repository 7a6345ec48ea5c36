package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

// addRestricted makes a key of Administrators with a restriction, in which
// names stand for ids as in rows.
func (in *instance) addRestricted(t *testing.T, name, restriction string) {
	t.Helper()
	r, err := access.ParseRestriction([]byte(in.fill(restriction)))
	if err != nil {
		t.Fatal(err)
	}
	k, text, err := in.keys.Make(t.Context(), access.CommandLine(), apikey.Draft{
		Name: name, Groups: []int64{access.Administrators}, Restriction: r,
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	in.names[name], in.names[name+"_user"] = fmt.Sprint(k.ID), fmt.Sprint(k.UserID)
	in.callers[name] = [2]string{"X-API-Key", text.Reveal()}
}

// restrictedCalls are calls with the reasons for which keys are refused; ""
// means that the call passes the checks of access. A call that is refused
// answers 403 with the body of Metabase and the reason in a header.
var restrictedCalls = []struct {
	key, call, body, reason string
}{
	{"readonly", "GET /api/user", ``, ""},
	{"readonly", "PUT /api/user/{bo}", `{"first_name":"X"}`, "read-only"},
	{"readonly", "POST /api/session/password-check", `{"password":"quite-new-2026"}`, ""},
	{"readonly", "GET /api/user/current", ``, ""},
	{"readonly", "PUT /api/user/{bo}/modal/qbnewb", ``, "read-only"},
	{"readonly", "GET /api/session/properties", ``, ""},

	{"scoped", "GET /api/user/{bo}", ``, ""},
	{"scoped", "GET /api/user/current", ``, ""},
	{"scoped", "GET /api/permissions/group", ``, "scope"},
	{"scoped", "PUT /api/user/{bo}", `{"last_name":"Y"}`, ""},
	{"scoped", "PUT /api/user/{bo}", `{"last_name":"Y","is_superuser":false}`, "scope"},
	{"scoped", "PUT /api/user/{bo}", `{"user_group_memberships":[{"id":1}]}`, "scope"},
	{"scoped", "POST /api/user", `{"email":"new@example.test","source":"setup"}`, "scope"},
	{"scoped", "PUT /api/user/{bo}/password", `{"password":"quite-new-2026"}`, "scope"},
	{"scoped", "POST /api/api-key", `{"name":"x","group_id":1}`, "scope"},

	{"onlybo", "GET /api/user/{bo}", ``, ""},
	{"onlybo", "GET /api/user/{ada}", ``, "resource"},
	{"onlybo", "GET /api/user", ``, "resource"},
	{"onlybo", "GET /api/user/recipients", ``, "resource"},
	{"onlybo", "PUT /api/user/{cy}", `{"first_name":"X"}`, "resource"},
	{"onlybo", "PUT /api/user/{cy}/password", `{"password":"quite-new-2026"}`, "resource"},
	{"onlybo", "DELETE /api/user/{cy}", ``, "resource"},
	{"onlybo", "PUT /api/user/{cy}/reactivate", ``, "resource"},
	{"onlybo", "PUT /api/user/{cy}/modal/qbnewb", ``, "resource"},
	{"onlybo", "GET /api/permissions/group/{analysts}", ``, "resource"},
	{"onlybo", "DELETE /api/permissions/group/{analysts}", ``, "resource"},
	{"onlybo", "GET /api/permissions/group", ``, ""},
	{"onlybo", "GET /api/permissions/membership", ``, "resource"},
	{"onlybo", "PUT /api/permissions/membership/{analysts}/clear", ``, "resource"},
	{"onlybo", "POST /api/permissions/membership", `{"group_id":{other},"user_id":{cy}}`, "resource"},
	{"onlybo", "DELETE /api/permissions/membership/{cys_membership}", ``, "resource"},
	{"onlybo", "GET /api/api-key", ``, "resource"},
	{"onlybo", "PUT /api/api-key/{reader}/regenerate", ``, "resource"},
	{"onlybo", "POST /api/api-key", `{"name":"x","group_id":1}`, "resource"},
	{"onlybo", "GET /api/user/99999", ``, "resource"},
	{"onlybo", "GET /api/user/000{bo}", ``, ""},

	{"onlyanalysts", "GET /api/permissions/group/{analysts}", ``, ""},
	{"onlyanalysts", "GET /api/permissions/group", ``, "resource"},
	{"onlyanalysts", "PUT /api/permissions/group/{other}", `{"name":"X"}`, "resource"},
	{"onlyanalysts", "POST /api/permissions/group", `{"name":"X"}`, "resource"},
	{"onlyanalysts", "GET /api/user?group_id={other}", ``, "resource"},
	{"onlyanalysts", "GET /api/user?group_id={analysts}", ``, ""},
	{"onlyanalysts", "POST /api/permissions/membership", `{"group_id":{other},"user_id":{cy}}`, "resource"},
	{"onlyanalysts", "DELETE /api/permissions/membership/{cys_membership}", ``, "resource"},
	{"onlyanalysts", "PUT /api/permissions/membership/{other}/clear", ``, "resource"},
	{"onlyanalysts", "PUT /api/api-key/{inother}", `{"name":"x"}`, "resource"},
	{"onlyanalysts", "PUT /api/api-key/{reader}", `{"group_id":{other}}`, "resource"},
	{"onlyanalysts", "POST /api/api-key", `{"name":"x","group_id":{other}}`, "resource"},
	{"onlyanalysts", "PUT /api/api-key/{inother}/regenerate", ``, "resource"},
	{"onlyanalysts", "DELETE /api/api-key/{inother}", ``, "resource"},
	{"onlyanalysts", "POST /api/user", `{"email":"n@example.test","user_group_memberships":[{"id":1},{"id":{other}}]}`, "resource"},
	{"onlyanalysts", "PUT /api/user/{cy}", `{"user_group_memberships":[{"id":1},{"id":{analysts}}]}`, "resource"}, // leaves other
	{"onlyanalysts", "PUT /api/user/{cy}", `{"user_group_memberships":[{"id":1},{"id":{other}},{"id":{analysts}}]}`, ""},
	{"onlyanalysts", "PUT /api/user/{bo}", `{"is_superuser":true}`, "resource"},

	{"onlyname", "PUT /api/user/{bo}", `{"first_name":"Bob"}`, ""},
	{"onlyname", "PUT /api/user/{bo}", `{"first_name":"Bob","unknown":1}`, ""}, // dropped
	{"onlyname", "PUT /api/user/{bo}", `first_name=Bob`, ""},
	{"onlyname", "PUT /api/user/{bo}", `{"first_name":"Bob","email":"b@example.test"}`, "field"},
	{"onlyname", "PUT /api/user/{bo}", `{"email":null}`, "field"},
	{"onlyname", "PUT /api/user/{bo}", `{}`, "field"},
	{"onlyname", "PUT /api/user/{bo}/password", `{"password":"quite-new-2026"}`, "field"},
	{"onlyname", "DELETE /api/user/{bo}", ``, "field"},
	{"onlyname", "GET /api/user/{bo}", ``, ""},

	{"onlysite", "GET /api/setting/site-name", ``, ""},
	{"onlysite", "GET /api/setting/site_name", ``, ""},
	{"onlysite", "GET /api/setting", ``, "resource"},
	{"onlysite", "PUT /api/setting/site-url", `{"value":"https://example.com"}`, "resource"},
	{"onlysite", "PUT /api/setting", `{"site-name":"A"}`, ""},
	{"onlysite", "PUT /api/setting", `{"site-name":"A","site-url":"https://example.com"}`, "resource"},
	{"onlysite", "PUT /api/setting", `{}`, "resource"},

	{"oneroute", "GET /api/user", ``, ""},
	{"oneroute", "GET /api/user/{bo}", ``, "route"},
	{"oneroute", "GET /api/user/current", ``, ""},

	// A restricted key changes no administrator, whatever else it may.
	{"nearlyall", "PUT /api/user/{ada}", `{"first_name":"X"}`, "protected-admin"},
	{"nearlyall", "PUT /api/user/{ada}/password", `{"password":"quite-new-2026"}`, "protected-admin"},
	{"nearlyall", "DELETE /api/user/{ada}", ``, "protected-admin"},
	{"nearlyall", "PUT /api/user/{nearlyall_user}", `{"first_name":"X"}`, "protected-admin"},
	{"nearlyall", "PUT /api/user/{bo}", `{"is_superuser":true}`, "protected-admin"},
	{"nearlyall", "POST /api/user", `{"email":"new@example.test","source":"setup"}`, "protected-admin"},
	{"nearlyall", "POST /api/permissions/membership", `{"group_id":2,"user_id":{bo}}`, "protected-admin"},
	{"nearlyall", "DELETE /api/permissions/membership/{adas_membership}", ``, "protected-admin"},
	{"nearlyall", "POST /api/api-key", `{"name":"x","group_id":2}`, "protected-admin"},

	{"reader", "GET /api/user", ``, "group"},
	{"reader", "GET /api/user/current", ``, ""},
}

func (in *instance) addRestrictedKeys(t *testing.T) {
	t.Helper()
	g, err := in.groups.Create(t.Context(), access.CommandLine(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	in.names["other"] = fmt.Sprint(g.ID)
	in.addPerson(t, "cy", boPassword, g.ID)
	in.addKey(t, "inother", g.ID)
	in.nameMemberships(t)
	for name, restriction := range map[string]string{
		"readonly":     `{"read_only":true}`,
		"scoped":       `{"scopes":["people:read","people:write"]}`,
		"onlybo":       `{"resources":{"people":[{bo}]}}`,
		"onlyanalysts": `{"resources":{"groups":[{analysts}]}}`,
		"onlyname":     `{"fields":{"people":["first_name"]}}`,
		"onlysite":     `{"resources":{"settings":["site-name"]}}`,
		"oneroute":     `{"routes":["GET /api/user"]}`,
		"nearlyall": `{"scopes":["people:write","people:read","memberships:write","passwords:write","keys:write",` +
			`"groups:write","settings:write"]}`,
	} {
		in.addRestricted(t, name, restriction)
	}
}

func (in *instance) nameMemberships(t *testing.T) {
	t.Helper()
	all, err := in.groups.Memberships(t.Context(), access.CommandLine())
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range all {
		for _, m := range list {
			switch {
			case fmt.Sprint(m.UserID) == in.names["cy"] && fmt.Sprint(m.GroupID) == in.names["other"]:
				in.names["cys_membership"] = fmt.Sprint(m.ID)
			case fmt.Sprint(m.UserID) == in.names["ada"] && m.GroupID == access.Administrators:
				in.names["adas_membership"] = fmt.Sprint(m.ID)
			}
		}
	}
}

func TestRestrictedKeys(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addRestrictedKeys(t)
		for _, c := range restrictedCalls {
			method, target, _ := strings.Cut(in.fill(c.call), " ")
			rec := in.do(c.key, method, target, in.fill(c.body))
			got := rec.Header().Get("Latchkey-Reason")
			if got != c.reason || (rec.Code == http.StatusForbidden) != (c.reason != "") || rec.Code == http.StatusUnauthorized {
				t.Errorf("%s: %s %s: %d, reason %q, want %q: %s", c.key, c.call, c.body, rec.Code, got, c.reason, rec.Body)
			}
			if c.reason != "" && rec.Body.String() != noPermission {
				t.Errorf("%s: %s: the body %q is none of Metabase's", c.key, c.call, rec.Body)
			}
		}
	})
}

// TestABoundKeySeesNoOthersInAnswers: adding a member answers with all members
// of the group, a key that is bound to one of them with that one.
func TestABoundKeySeesNoOthersInAnswers(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addRestrictedKeys(t)
		rec := in.do("onlybo", "POST", "/api/permissions/membership", in.fill(`{"group_id":{other},"user_id":{bo}}`))
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "bo@example.test") || strings.Contains(rec.Body.String(), "cy@example.test") {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// TestPublicRoutesStayOpen: where everybody may ask, a key whose restriction
// does not allow it gets what everybody gets.
func TestPublicRoutesStayOpen(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addRestrictedKeys(t)
		const path = "/api/session/properties"
		anonymous, all, less := in.do("", "GET", path, ""), in.do("root", "GET", path, ""), in.do("oneroute", "GET", path, "")
		if less.Code != http.StatusOK || less.Body.String() != anonymous.Body.String() || less.Body.String() == all.Body.String() {
			t.Errorf("%d, as anonymous: %v, as with all rights: %v", less.Code,
				less.Body.String() == anonymous.Body.String(), less.Body.String() == all.Body.String())
		}
	})
}

package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
)

// grant sets what a group may do in a collection, which may be the root.
func (in *instance) grant(t *testing.T, collection, group, level string) {
	t.Helper()
	in.send(t, row{who: "ada", call: "PUT /api/collection/graph?force=true&skip-graph=true",
		body: `{"groups":{"` + group + `":{"` + collection + `":"` + level + `"}}}`, status: 200, want: "-"})
}

const staleGraph = "Looks like someone else edited the permissions and your data is out of date. Please fetch new data and try again."

func TestCollectionGraph(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addFolder(t, "Ops", access.RootCollection)
		in.addFolder(t, "Gone", access.RootCollection)
		in.run(t, []row{
			{name: "archive one", who: "root", call: "PUT /api/collection/{gone}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "get", who: "root", call: "GET /api/collection/graph", status: 200,
				want: `{"revision":2,"groups":{"1":{"root":"write","{ops}":"write"},"2":{"root":"write","{ops}":"write"}}}`},
			{name: "get, snippets", who: "root", call: "GET /api/collection/graph?namespace=snippets", status: 200, want: `{"revision":0,"groups":{"1":{"root":"write"},"2":{"root":"write"}}}`},
			{name: "get, plain", who: "bo", call: "GET /api/collection/graph", status: 403, want: noPermission},
			{name: "get, anonymous", call: "GET /api/collection/graph", status: 401, want: "Unauthenticated"},

			{name: "set", who: "root", call: "PUT /api/collection/graph", body: `{"revision":2,"groups":{"{analysts}":{"{ops}":"read"},"1":{"{ops}":"none"}}}`, status: 200,
				want: `{"revision":3,"groups":{"1":{"root":"write"},"2":{"root":"write","{ops}":"write"},"{analysts}":{"{ops}":"read"}}}`},
			{name: "set the same, revision alone", who: "root", call: "PUT /api/collection/graph?skip-graph=true", body: `{"revision":3,"groups":{"{analysts}":{"{ops}":"read"}}}`, status: 200, want: `{"revision":3}`},
			{name: "stale", who: "root", call: "PUT /api/collection/graph", body: `{"revision":2,"groups":{"1":{"root":"read"}}}`, status: 409, want: staleGraph},
			{name: "no revision", who: "root", call: "PUT /api/collection/graph", body: `{"groups":{}}`, status: 409, want: staleGraph},
			{name: "forced", who: "root", call: "PUT /api/collection/graph?force=true&skip-graph=true", body: `{"groups":{"1":{"root":"read"}}}`, status: 200, want: `{"revision":4}`},
			{name: "the old spelling", who: "root", call: "PUT /api/collection/graph?skip_graph=true", body: `{"namespace":null,"revision":"4","groups":{}}`, status: 200, want: `{"revision":4}`},
			{name: "what is in the trash, personal or elsewhere", who: "root", call: "PUT /api/collection/graph?skip-graph=true", body: `{"revision":4,"groups":{"1":{"1":"write"},"2":{"root":"write"}}}`, status: 200, want: `{"revision":4}`},
			{name: "administrators", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"2":{"root":"none"},"1":{"root":"write"}}}`, status: 400, want: "You cannot create or revoke permissions for the 'Admin' group."},
			{name: "unknown group", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"99":{"root":"read"},"1":{"root":"write"}}}`, status: 400, want: `{"errors":{"groups":"There is no group 99."}}`},
			{name: "unknown collection", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"1":{"root":"write","999":"read"}}}`, status: 400, want: `{"errors":{"groups":"There is no collection 999."}}`},
			{name: "unknown level", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"1":{"root":"owner"}}}`, status: 400, want: `{"errors":{"groups":"The permission of group 1 on collection root must be \"write\", \"read\" or \"none\"."}}`},
			{name: "level that is no text", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"1":{"root":true}}}`, status: 400, want: "-", has: []string{`"errors":{"groups":`}},
			{name: "group that is no number", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"all":{"root":"read"}}}`, status: 400, want: `{"errors":{"groups":"\"all\" is no id of a group with a map of collections."}}`},
			{name: "collection that is no number", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"1":{"-1":"read"}}}`, status: 400, want: "-", has: []string{`"errors":{"groups":`}},
			{name: "group without a map", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{"1":"read"}}`, status: 400, want: "-", has: []string{`"errors":{"groups":`}},
			{name: "no groups", who: "root", call: "PUT /api/collection/graph", body: `{"revision":4}`, status: 400, want: "-", has: []string{`"groups":["missing required key`}},
			{name: "bad revision", who: "root", call: "PUT /api/collection/graph", body: `{"revision":"x","groups":{}}`, status: 400, want: "-", has: []string{`"errors":{"revision":`}},
			{name: "unknown namespace", who: "root", call: "PUT /api/collection/graph", body: `{"namespace":"x","revision":4,"groups":{}}`, status: 400, want: "-", has: []string{`"errors":{"namespace":`}},
			{name: "plain", who: "bo", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{}}`, status: 403, want: noPermission},
			{name: "anonymous", call: "PUT /api/collection/graph", body: `{"revision":4,"groups":{}}`, status: 401, want: "Unauthenticated"},
			{name: "nothing changed", who: "root", call: "GET /api/collection/graph", status: 200,
				want: `{"revision":4,"groups":{"1":{"root":"read"},"2":{"root":"write","{ops}":"write"},"{analysts}":{"{ops}":"read"}}}`},
			{name: "a group goes", who: "root", call: "DELETE /api/permissions/group/{analysts}", status: 204},
			{name: "and vanishes", who: "root", call: "GET /api/collection/graph", status: 200,
				want: `{"revision":4,"groups":{"1":{"root":"read"},"2":{"root":"write","{ops}":"write"}}}`},
		})
	})
}

// What groups may do decides what their members meet.
func TestCollectionPermissions(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		top := in.addFolder(t, "Top", access.RootCollection)
		mid := in.addFolder(t, "Mid", top.ID)
		in.addFolder(t, "Low", mid.ID)
		in.addContent(t, content.Card, content.ModelCard, "orders", mid.ID)
		in.grant(t, "{mid}", "1", "none")
		in.grant(t, "{low}", "1", "read")
		in.grant(t, "root", "1", "read")
		in.run(t, []row{
			{name: "the list is without what is hidden", who: "reader", call: "GET /api/collection", status: 200, want: "-", has: []string{`"Top"`, `"Low"`}, not: []string{`"Mid"`}},
			{name: "the tree pulls up", who: "reader", call: "GET /api/collection/tree?exclude-archived=true", status: 200, want: "-", has: []string{`"Top"`, `"children":[{"id":{low},`}, not: []string{`"Mid"`, `"here"`, `"below"`}},
			{name: "the items pull up", who: "reader", call: "GET /api/collection/{top}/items", status: 200, want: "-", has: []string{`"total":1`, `"name":"Low"`, `"effective_location":"/{top}/"`, `"collection_id":{top}`}, not: []string{`"Mid"`}},
			{name: "a page of them", who: "reader", call: "GET /api/collection/{top}/items?limit=1&offset=0", status: 200, want: "-", has: []string{`"total":1`, `"name":"Low"`}},
			{name: "their metadata", who: "reader", call: "GET /api/collection/{top}/items/metadata", status: 200, want: `{"available_models":["collection"],"total_items":1}`},
			{name: "the ancestors hide", who: "reader", call: "GET /api/collection/{low}", status: 200, want: "-", has: []string{`"effective_location":"/{top}/"`, `"can_write":false`}, not: []string{`"Mid"`}},
			{name: "hidden", who: "reader", call: "GET /api/collection/{mid}", status: 403, want: noPermission},
			{name: "its items", who: "reader", call: "GET /api/collection/{mid}/items", status: 403, want: noPermission},
			{name: "rename what is read", who: "reader", call: "PUT /api/collection/{low}", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "create where it is read", who: "reader", call: "POST /api/collection", body: `{"name":"x","parent_id":{low}}`, status: 403, want: noPermission},
			{name: "create in the root", who: "reader", call: "POST /api/collection", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "archive with something hidden in it", who: "reader", call: "PUT /api/collection/{top}", body: `{"archived":true}`, status: 403, want: noPermission},
			{name: "archive it as administrator", who: "ada", call: "PUT /api/collection/{top}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "what is archived shows to writers", who: "reader", call: "GET /api/collection/{low}/items?archived=true", status: 200, want: "-", has: []string{`"total":0`}},
			{name: "the trash of a reader", who: "reader", call: "GET /api/collection/trash/items", status: 200, want: "-", has: []string{`"name":"Top"`, `"collection_id":1`, `"can_write":true,"can_restore":false`}},
			{name: "the trash of an administrator", who: "ada", call: "GET /api/collection/trash/items", status: 200, want: "-", has: []string{`"total":1`, `"name":"Top"`, `"can_restore":true,"can_delete":true`}},
			{name: "what went with it", who: "ada", call: "GET /api/collection/{mid}/items", status: 200, want: "-", has: []string{`"name":"orders"`, `"name":"Low"`, `"archived":true`}},
			{name: "back", who: "ada", call: "PUT /api/collection/{top}", body: `{"archived":false}`, status: 200, want: "-"},
		})
		in.grant(t, "root", "1", "none")
		in.run(t, []row{
			{name: "no root", who: "reader", call: "GET /api/collection/root", status: 403, want: noPermission},
			{name: "its collections still show", who: "reader", call: "GET /api/collection/root/items", status: 200, want: "-", has: []string{`"total":1`, `"name":"Top"`}},
			{name: "unless they are not asked for", who: "reader", call: "GET /api/collection/root/items?models=card", status: 200, want: "-", has: []string{`"total":0`}},
			{name: "the list has no root", who: "reader", call: "GET /api/collection", status: 200, want: "-", not: []string{`"id":"root"`}},
		})
	})
}

func TestPersonalCollections(t *testing.T) {
	id := func(t *testing.T, in *instance, who string) string {
		t.Helper()
		var user struct {
			Personal json.Number `json:"personal_collection_id"`
		}
		rec := in.send(t, row{who: who, call: "GET /api/user/current", status: 200, want: "-"})
		if err := json.Unmarshal(rec.Body.Bytes(), &user); err != nil {
			t.Fatal(err)
		}
		return user.Personal.String()
	}
	eachInstance(t, func(t *testing.T, in *instance) {
		if got := id(t, in, "root"); got != "" {
			t.Errorf("a key has the personal collection %s", got)
		}
		in.names["own"] = id(t, in, "bo")
		if in.names["own"] == "" || id(t, in, "bo") != in.names["own"] {
			t.Fatalf("bo has the personal collection %q", in.names["own"])
		}
		in.run(t, []row{
			{name: "owner", who: "bo", call: "GET /api/collection/{own}", status: 200, want: "-",
				has: []string{`"name":"Bo K's Personal Collection","slug":"bo_k_s_personal_collection"`, `"location":"/"`, `"personal_owner_id":{bo}`, `"is_personal":true`, `"can_write":true`}},
			{name: "administrator", who: "ada", call: "GET /api/collection/{own}", status: 200, want: "-"},
			{name: "a key of the same group", who: "reader", call: "GET /api/collection/{own}", status: 403, want: noPermission},
			{name: "list", who: "bo", call: "GET /api/collection", status: 200, want: "-", has: []string{"Bo K's"}},
			{name: "personal only", who: "bo", call: "GET /api/collection?personal-only=true", status: 200, want: "-", has: []string{`[{"id":{own}`}, not: []string{"root"}},
			{name: "all of them", who: "ada", call: "GET /api/collection", status: 200, want: "-", has: []string{"Bo K's", "Ada L's"}},
			{name: "without others", who: "ada", call: "GET /api/collection/?exclude-other-user-collections=true", status: 200, want: "-", has: []string{"Ada L's"}, not: []string{"Bo K's"}},
			{name: "the tree without others", who: "ada", call: "GET /api/collection/tree?exclude-other-user-collections=true", status: 200, want: "-", has: []string{"Ada L's"}, not: []string{"Bo K's"}},
			{name: "in no list of items", who: "ada", call: "GET /api/collection/root/items", status: 200, want: "-", not: []string{"Personal"}},
			{name: "users show it", who: "ada", call: "GET /api/user", status: 200, want: "-", has: []string{`"personal_collection_id":{own}`}},
			{name: "a collection inside", who: "bo", call: "POST /api/collection", body: `{"name":"Mine","parent_id":{own}}`, status: 200, want: "-", has: []string{`"location":"/{own}/"`}},
			{name: "what is inside is listed", who: "bo", call: "GET /api/collection/{own}/items", status: 200, want: "-", has: []string{`"name":"Mine"`}},
			{name: "nothing of it in the graph", who: "ada", call: "GET /api/collection/graph", status: 200, want: `{"revision":0,"groups":{"1":{"root":"write"},"2":{"root":"write"}}}`},
			{name: "nor set there", who: "ada", call: "PUT /api/collection/graph?skip-graph=true", body: `{"revision":0,"groups":{"1":{"{own}":"write"}}}`, status: 200, want: `{"revision":0}`},
			{name: "rename", who: "bo", call: "PUT /api/collection/{own}", body: `{"name":"Other"}`, status: 400, want: "You cannot operate on a Personal Collection."},
			{name: "archive", who: "ada", call: "PUT /api/collection/{own}", body: `{"archived":true}`, status: 400, want: "You cannot operate on a Personal Collection."},
			{name: "delete", who: "ada", call: "DELETE /api/collection/{own}", status: 400, want: "Personal collections cannot be deleted."},
			{name: "move", who: "ada", call: "PUT /api/collection/{own}", body: `{"parent_id":1}`, status: 400, want: "You cannot operate on a Personal Collection."},
			{name: "rename the person", who: "bo", call: "PUT /api/user/{bo}", body: `{"last_name":"Lee"}`, status: 200, want: "-"},
			{name: "which renames it", who: "bo", call: "GET /api/collection/{own}", status: 200, want: "-", has: []string{`"name":"Bo Lee's Personal Collection","slug":"bo_lee_s_personal_collection"`}},
		})
	})
}

// A key that is bound to a collection meets it with what lies in it, and
// nothing else.
func TestKeysBoundToCollections(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ops := in.addFolder(t, "Ops", access.RootCollection)
		in.addFolder(t, "Sub", ops.ID)
		in.addFolder(t, "Other", access.RootCollection)
		in.addContent(t, content.Card, content.ModelCard, "orders", ops.ID)
		in.addContent(t, content.Card, content.ModelCard, "elsewhere", access.RootCollection)
		in.addRestricted(t, "bound", in.fill(`{"resources":{"collections":[{ops}]}}`))
		in.addRestricted(t, "renamer", `{"fields":{"collections":["name"]}}`)
		in.run(t, []row{
			{name: "list", who: "bound", call: "GET /api/collection", status: 200, want: "-", has: []string{`"Ops"`, `"Sub"`}, not: []string{`"Other"`, `"root"`}},
			{name: "tree", who: "bound", call: "GET /api/collection/tree?exclude-archived=true", status: 200, want: "-", has: []string{`[{"id":{ops}`}, not: []string{`"Other"`}},
			{name: "root", who: "bound", call: "GET /api/collection/root", status: 403, want: noPermission},
			{name: "what lies in the root", who: "bound", call: "GET /api/collection/root/items", status: 200, want: "-", has: []string{`"total":1`, `"Ops"`}},
			{name: "its own", who: "bound", call: "GET /api/collection/{ops}/items", status: 200, want: "-", has: []string{`"orders"`, `"Sub"`}},
			{name: "another", who: "bound", call: "GET /api/collection/{other}", status: 403, want: noPermission},
			{name: "another's items", who: "bound", call: "GET /api/collection/{other}/items", status: 403, want: noPermission},
			{name: "the graph", who: "bound", call: "GET /api/collection/graph", status: 403, want: noPermission},
			{name: "set the graph", who: "bound", call: "PUT /api/collection/graph?force=true", body: `{"groups":{"1":{"{ops}":"none"}}}`, status: 403, want: noPermission},
			{name: "create in the root", who: "bound", call: "POST /api/collection", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "create inside", who: "bound", call: "POST /api/collection", body: `{"name":"New","parent_id":{sub}}`, status: 200, want: "-"},
			{name: "move out", who: "bound", call: "PUT /api/collection/{sub}", body: `{"parent_id":{other}}`, status: 403, want: noPermission},
			{name: "archive", who: "bound", call: "PUT /api/collection/{sub}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "the trash", who: "bound", call: "GET /api/collection/trash", status: 200, want: "-", has: []string{`"type":"trash"`, `"effective_ancestors":[]`, `"can_write":false`}},
			{name: "what it archived", who: "bound", call: "GET /api/collection/trash/items", status: 200, want: "-", has: []string{`"total":1`, `"id":{sub}`, `"can_write":true,"can_restore":true,"can_delete":true`}},
			{name: "archived elsewhere", who: "root", call: "PUT /api/collection/{other}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "is not its business", who: "bound", call: "GET /api/collection/trash/items", status: 200, want: "-", has: []string{`"total":1`}, not: []string{`"Other"`}},
			{name: "the archived are listed", who: "bound", call: "GET /api/collection?archived=true", status: 200, want: "-", has: []string{`"Trash"`, `"Sub"`, `"New"`}, not: []string{`"Other"`}},
			{name: "the tree has the trash", who: "bound", call: "GET /api/collection/tree", status: 200, want: "-", has: []string{`"Trash"`}},
			{name: "restore", who: "bound", call: "PUT /api/collection/{sub}", body: `{"archived":false}`, status: 200, want: "-", has: []string{`"archived":false`}},
			{name: "archive all of it", who: "bound", call: "PUT /api/collection/{ops}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "restore all of it", who: "bound", call: "PUT /api/collection/{ops}", body: `{"archived":false}`, status: 200, want: "-"},
			{name: "archive once more", who: "bound", call: "PUT /api/collection/{sub}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "nothing is put into the trash itself", who: "bound", call: "POST /api/collection", body: `{"name":"x","parent_id":1}`, status: 403, want: noPermission},
			{name: "a new name does not restore for who may not", who: "renamer", call: "PUT /api/collection/{sub}", body: `{"name":"Sub3"}`, status: 200, want: "-", has: []string{`"name":"Sub3"`, `"archived":true`}},
			{name: "nor may it say so", who: "renamer", call: "PUT /api/collection/{sub}", body: `{"name":"Sub3","archived":false}`, status: 403, want: noPermission},
			{name: "and is told so", who: "renamer", call: "GET /api/collection/{sub}", status: 200, want: "-", has: []string{`"can_write":true,"can_delete":false`, `"can_restore":false`}},
			{name: "delete", who: "bound", call: "DELETE /api/collection/{sub}", status: 200, want: "1"},
		})
		rec := in.do("root", "GET", "/api/collection/root/items", "")
		if !strings.Contains(rec.Body.String(), "elsewhere") {
			t.Errorf("%s", rec.Body)
		}
	})
}

// A key that is bound to a group meets the permissions of that group.
func TestKeysBoundToGroups(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addFolder(t, "Ops", access.RootCollection)
		in.grant(t, "{ops}", "{analysts}", "read")
		in.addRestricted(t, "bound", in.fill(`{"resources":{"groups":[{analysts}]}}`))
		in.run(t, []row{
			{name: "get", who: "bound", call: "GET /api/collection/graph", status: 200, want: `{"revision":2,"groups":{"{analysts}":{"{ops}":"read"}}}`},
			{name: "set", who: "bound", call: "PUT /api/collection/graph", body: `{"revision":2,"groups":{"{analysts}":{"{ops}":"write"}}}`, status: 200,
				want: `{"revision":3,"groups":{"{analysts}":{"{ops}":"write"}}}`},
			{name: "set for others", who: "bound", call: "PUT /api/collection/graph", body: `{"revision":3,"groups":{"1":{"{ops}":"read"}}}`, status: 403, want: noPermission},
		})
	})
}

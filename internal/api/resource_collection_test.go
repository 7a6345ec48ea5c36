package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/opt"
)

// addFolder makes a collection as the command line.
func (in *instance) addFolder(t *testing.T, name string, parent int64) content.Folder {
	t.Helper()
	f, err := in.content.CreateCollection(t.Context(), access.CommandLine(), content.NewCollection{Name: name, ParentID: parent})
	if err != nil {
		t.Fatal(err)
	}
	key := strings.ToLower(name)
	in.names[key], in.names[key+"_entity"] = fmt.Sprint(f.ID), f.EntityID
	return f
}

// addContent makes an item without particulars.
func (in *instance) addContent(t *testing.T, kind content.Kind, model content.Model, name string, collection int64) content.Item {
	t.Helper()
	n := content.NewItem{Kind: kind, Model: model, Name: name, CollectionID: collection}
	if kind == content.Snippet {
		n.Namespace = content.Snippets
	}
	var i content.Item
	err := in.db.InTx(t.Context(), func(ctx context.Context) error {
		var err error
		i, err = in.content.Create(ctx, access.CommandLine(), n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in.names[name] = fmt.Sprint(i.ID)
	return i
}

const wireRootRow = `{"id":"root","name":"Our analytics","parent_id":null,"authority_level":null,"is_personal":false,"is_remote_synced":false,"can_write":true,"can_delete":false}`

// wireOps is the collection Ops as it is stored.
const wireOps = `"id":{ops},"name":"Ops","slug":"ops","description":null,"location":"/","archived":false,"archived_directly":null,` +
	`"archive_operation_id":null,"personal_owner_id":null,"authority_level":null,"namespace":null,"type":null,"entity_id":"<entity>",` +
	`"created_at":"<any>","is_sample":false,"is_remote_synced":false,"is_personal":false`

func TestCollectionRoutes(t *testing.T) {
	const blank = "value must be a non-blank string."
	eachInstance(t, func(t *testing.T, in *instance) {
		ops := in.addFolder(t, "Ops", access.RootCollection)
		sub := in.addFolder(t, "Sub", ops.ID)
		in.addContent(t, content.Card, content.ModelCard, "orders", sub.ID)
		in.addContent(t, content.Dashboard, content.ModelDashboard, "kpis", sub.ID)
		ancestors := `{"metabase.collections.models.collection.root/is-root?":true,"authority_level":null,"name":"Our analytics","is_personal":false,"id":"root","can_write":true}`
		in.run(t, []row{
			{name: "list", who: "root", call: "GET /api/collection/", status: 200, want: `[` + wireRootRow + `,{` + wireOps + `,"parent_id":null,"can_write":true,"can_delete":false},<any>"parent_id":{ops},"can_write":true,"can_delete":false}]`},
			{name: "list, personal, by a key", who: "root", call: "GET /api/collection?personal-only=true", status: 200, want: `[]`},
			{name: "list, archived", who: "root", call: "GET /api/collection?archived=true", status: 200, want: "-", has: []string{`[{"id":1,"name":"Trash"`, `"type":"trash"`}},
			{name: "list, another namespace", who: "root", call: "GET /api/collection?namespace=snippets", status: 200, want: "-", has: []string{`"name":"Top folder"`}, not: []string{`"Ops"`}},
			{name: "list, anonymous", call: "GET /api/collection", status: 401, want: "Unauthenticated"},
			{name: "list, bad boolean", who: "root", call: "GET /api/collection?archived=maybe", status: 400, want: "-", has: []string{`"errors":{"archived":`}},

			{name: "tree", who: "root", call: "GET /api/collection/tree", status: 200, want: `[{` + wireOps + `,"can_write":true,"below":["card"],"children":[{"id":{sub},<any>,"can_write":true,"here":["card"],"children":[]}]},{"id":1,"name":"Trash",<any>"children":[]}]`},
			{name: "tree, without the trash", who: "root", call: "GET /api/collection/tree?exclude-archived=true", status: 200, want: "-", not: []string{"Trash"}},
			{name: "tree, shallow", who: "root", call: "GET /api/collection/tree?shallow=true&exclude-archived=true", status: 200, want: `[{` + wireOps + `,"can_write":true,"below":["card"],"children":true}]`},
			{name: "tree, shallow, deeper", who: "root", call: "GET /api/collection/tree?shallow=true&collection-id={ops}", status: 200, want: "-", has: []string{`"id":{sub}`, `"children":false`}, not: []string{`"Ops"`}},
			{name: "tree, two spellings", who: "root", call: "GET /api/collection/tree?namespace=snippets&namespaces=snippets", status: 400, want: "Invalid Request."},

			{name: "root", who: "root", call: "GET /api/collection/root", status: 200,
				want: strings.TrimSuffix(wireRootRow, "}") + `,"effective_location":null,"effective_ancestors":[],"can_restore":false}`},
			{name: "root of snippets", who: "root", call: "GET /api/collection/root?namespace=snippets", status: 200, want: "-", has: []string{`"Top folder"`}},
			{name: "trash", who: "bo", call: "GET /api/collection/trash", status: 200, want: "-", has: []string{`"id":1`, `"type":"trash"`, `"can_write":false`, `"location":"/"`, `"archived":false`}},
			{name: "one", who: "root", call: "GET /api/collection/{sub}", status: 200, want: `{"id":{sub},"name":"Sub",<any>"location":"/{ops}/",<any>"parent_id":{ops},"can_write":true,"can_delete":false,` +
				`"effective_location":"/{ops}/","effective_ancestors":[` + ancestors + `,{"id":{ops},"name":"Ops","type":null,"personal_owner_id":null,"can_write":true}],"can_restore":false}`},
			{name: "one, by entity id", who: "root", call: "GET /api/collection/{sub_entity}", status: 200, want: "-", has: []string{`{"id":{sub},`}},
			{name: "one, unknown", who: "root", call: "GET /api/collection/99", status: 404, want: "Not found."},
			{name: "one, unknown entity id", who: "root", call: "GET /api/collection/abcdefghijklmnopqrstu", status: 404, want: "Not found."},
			{name: "one, neither", who: "root", call: "GET /api/collection/abc", status: 404, want: noRoute},
			{name: "one, too large", who: "root", call: "GET /api/collection/99999999999999999999", status: 404, want: "Not found."},
			{name: "one, anonymous", call: "GET /api/collection/{sub}", status: 401, want: "Unauthenticated"},

			{name: "create", who: "bo", call: "POST /api/collection", body: `{"name":"Ops Default","parent_id":null,"color":"#fff","authority_level":null}`, status: 200,
				want: "-", has: []string{`"slug":"ops_default"`, `"location":"/"`, `"is_sample":false`}, not: []string{"can_write", "parent_id"}},
			{name: "create below", who: "bo", call: "POST /api/collection", body: `{"name":"Below","parent_id":"{sub}","description":"d"}`, status: 200, want: "-", has: []string{`"location":"/{ops}/{sub}/"`, `"description":"d"`}},
			{name: "create, no name", who: "bo", call: "POST /api/collection", body: `{}`, status: 400, want: invalid("name", blank, "missing required key, received: nil")},
			{name: "create, blank", who: "bo", call: "POST /api/collection", body: `{"name":" "}`, status: 400, want: invalid("name", blank, `non-blank string, received: " "`)},
			{name: "create, number", who: "bo", call: "POST /api/collection", body: `{"name":7}`, status: 400, want: invalid("name", blank, `should be a string, received: 7`, `non-blank string, received: 7`)},
			{name: "create, too long", who: "bo", call: "POST /api/collection", body: `{"name":"` + strings.Repeat("n", 255) + `"}`, status: 400, want: "-", has: []string{"should be at most 254 characters"}},
			{name: "create, control character", who: "bo", call: "POST /api/collection", body: `{"name":"a\tb"}`, status: 400, want: "-", has: []string{`"errors":{"name":`}},
			{name: "create, empty description", who: "bo", call: "POST /api/collection", body: `{"name":"x","description":""}`, status: 400, want: "-", has: []string{`"errors":{"description":"nullable value must be a non-blank string."}`}},
			{name: "create, unknown parent", who: "bo", call: "POST /api/collection", body: `{"name":"x","parent_id":999}`, status: 404, want: "Not found."},
			{name: "create, bad parent", who: "bo", call: "POST /api/collection", body: `{"name":"x","parent_id":"root"}`, status: 400, want: "-", has: []string{`"errors":{"parent_id":`}},
			{name: "create in the trash", who: "root", call: "POST /api/collection", body: `{"name":"x","parent_id":1}`, status: 403, want: noPermission},
			{name: "create, other namespace", who: "bo", call: "POST /api/collection", body: `{"name":"x","parent_id":{sub},"namespace":"snippets"}`, status: 400, want: `{"errors":{"location":"Collection must be in the same namespace as its parent"}}`},
			{name: "create, unknown namespace", who: "root", call: "POST /api/collection", body: `{"name":"x","namespace":"nowhere"}`, status: 400, want: "-", has: []string{`"errors":{"namespace":`}},
			{name: "create, official", who: "root", call: "POST /api/collection", body: `{"name":"x","authority_level":"official"}`, status: 402, want: paid("Official Collections")},
			{name: "create, no such level", who: "root", call: "POST /api/collection", body: `{"name":"x","authority_level":"best"}`, status: 400, want: "-", has: []string{`"errors":{"authority_level":`}},
			{name: "create, anonymous", call: "POST /api/collection", body: `{"name":"x"}`, status: 401, want: "Unauthenticated"},
			{name: "create, no object", who: "bo", call: "POST /api/collection", body: `[1]`, status: 400, want: "-", has: []string{`"_error"`}},
		})
	})
}

func TestChangeCollection(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ops := in.addFolder(t, "Ops", access.RootCollection)
		in.addFolder(t, "Sub", ops.ID)
		in.addFolder(t, "Other", access.RootCollection)
		in.run(t, []row{
			{name: "rename", who: "root", call: "PUT /api/collection/{sub}", body: `{"name":"Sub2","description":"d"}`, status: 200, want: "-",
				has: []string{`"name":"Sub2","slug":"sub2","description":"d"`, `"parent_id":{ops}`, `"effective_ancestors":[`, `"can_restore":false`}},
			{name: "put back what GET gave", who: "root", call: "PUT /api/collection/{sub}", body: `{"id":{sub},"name":"Sub2","slug":"x","parent_id":{ops},"archived":false,"type":null,"authority_level":null,"color":"#abc","effective_ancestors":[]}`,
				status: 200, want: "-", has: []string{`"location":"/{ops}/"`, `"description":"d"`}},
			{name: "move", who: "root", call: "PUT /api/collection/{sub}", body: `{"parent_id":{other}}`, status: 200, want: "-", has: []string{`"location":"/{other}/"`}},
			{name: "move to the root", who: "root", call: "PUT /api/collection/{sub}", body: `{"parent_id":null}`, status: 200, want: "-", has: []string{`"location":"/"`, `"parent_id":null`}},
			{name: "move back", who: "root", call: "PUT /api/collection/{sub}", body: `{"parent_id":{ops}}`, status: 200, want: "-"},
			{name: "move into itself", who: "root", call: "PUT /api/collection/{ops}", body: `{"parent_id":{ops}}`, status: 400, want: "You cannot move a Collection into itself or into one of its descendants."},
			{name: "move into what lies in it", who: "root", call: "PUT /api/collection/{ops}", body: `{"name":"not kept","parent_id":{sub}}`, status: 400, want: "You cannot move a Collection into itself or into one of its descendants."},
			{name: "nothing changed", who: "root", call: "GET /api/collection/{ops}", status: 200, want: "-", has: []string{`"name":"Ops"`}},
			{name: "move into the trash", who: "root", call: "PUT /api/collection/{ops}", body: `{"parent_id":1}`, status: 403, want: noPermission},
			{name: "move to nowhere", who: "root", call: "PUT /api/collection/{ops}", body: `{"parent_id":999}`, status: 404, want: "Not found."},
			{name: "bad name", who: "root", call: "PUT /api/collection/{ops}", body: `{"name":""}`, status: 400, want: "-", has: []string{`"errors":{"name":`}},
			{name: "bad flag", who: "root", call: "PUT /api/collection/{ops}", body: `{"archived":"perhaps"}`, status: 400, want: "-", has: []string{`"errors":{"archived":`}},
			{name: "unknown", who: "root", call: "PUT /api/collection/999", body: `{"name":"x"}`, status: 404, want: "Not found."},
			{name: "official", who: "root", call: "PUT /api/collection/{ops}", body: `{"authority_level":"official"}`, status: 402, want: paid("Official Collections")},
			{name: "the trash", who: "root", call: "PUT /api/collection/1", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "anonymous", call: "PUT /api/collection/{ops}", body: `{"name":"x"}`, status: 401, want: "Unauthenticated"},
			{name: "by entity id", who: "root", call: "PUT /api/collection/{ops_entity}", body: `{"name":"x"}`, status: 404, want: noRoute},

			{name: "delete what is in use", who: "root", call: "DELETE /api/collection/{ops}", status: 400, want: "Collection must be trashed before deletion."},
			{name: "archive", who: "bo", call: "PUT /api/collection/{ops}", body: `{"archived":true,"parent_id":{other}}`, status: 200, want: "-",
				has: []string{`"archived":true,"archived_directly":true,"archive_operation_id":"`, `"location":"/"`, `"can_restore":true`, `"can_delete":false`}},
			{name: "archive again", who: "bo", call: "PUT /api/collection/{ops}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "archived with it", who: "root", call: "GET /api/collection/{sub}", status: 200, want: "-", has: []string{`"archived":true,"archived_directly":false`, `"can_restore":false`, `"can_delete":true`}},
			{name: "the list is without both", who: "root", call: "GET /api/collection", status: 200, want: "-", not: []string{`"Ops"`, `"Sub2"`}},
			{name: "so is the tree", who: "root", call: "GET /api/collection/tree", status: 200, want: "-", not: []string{`"Ops"`, `"Sub2"`}},
			{name: "the archived are listed", who: "root", call: "GET /api/collection?archived=true", status: 200, want: "-", has: []string{`"Ops"`, `"Sub2"`}},
			{name: "restore a part alone", who: "root", call: "PUT /api/collection/{sub}", body: `{"archived":false}`, status: 400, want: "Invalid Request."},
			{name: "restore by renaming", who: "root", call: "PUT /api/collection/{ops}", body: `{"name":"Ops3"}`, status: 200, want: "-", has: []string{`"name":"Ops3"`, `"archived":false,"archived_directly":null`}},
			{name: "with what was in it", who: "root", call: "GET /api/collection/{sub}", status: 200, want: "-", has: []string{`"archived":false`}},
			{name: "archive for ever", who: "root", call: "PUT /api/collection/{ops}", body: `{"archived":true}`, status: 200, want: "-", has: []string{`"can_delete":true`}},
			{name: "delete, plain person", who: "bo", call: "DELETE /api/collection/{ops}", status: 403, want: noPermission},
			{name: "delete", who: "root", call: "DELETE /api/collection/{ops}", status: 200, want: "1"},
			{name: "delete again", who: "root", call: "DELETE /api/collection/{ops}", status: 404, want: "Not found."},
			{name: "gone with it", who: "root", call: "GET /api/collection/{sub}", status: 404, want: "Not found."},
			{name: "delete the trash", who: "root", call: "DELETE /api/collection/1", status: 403, want: noPermission},
			{name: "delete, anonymous", call: "DELETE /api/collection/{other}", status: 401, want: "Unauthenticated"},
		})
	})
}

// page is an answer of …/items.
type itemsPage struct {
	Total  *int
	Limit  *int
	Offset *int
	Models []string
	Data   []map[string]any
}

func (in *instance) itemNames(t *testing.T, who, target string) (names []string, p itemsPage) {
	t.Helper()
	rec := in.send(t, row{name: target, who: who, call: "GET " + target, status: 200, want: "-"})
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v", rec.Body, err)
	}
	for _, item := range p.Data {
		names = append(names, fmt.Sprint(item["name"]))
	}
	return names, p
}

func TestCollectionItems(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ops := in.addFolder(t, "Ops", access.RootCollection)
		sub := in.addFolder(t, "Sub", ops.ID)
		in.addContent(t, content.Card, content.ModelCard, "orders", ops.ID)
		in.addContent(t, content.Card, content.ModelDataset, "a-model", ops.ID)
		in.addContent(t, content.Dashboard, content.ModelDashboard, "KPIs", ops.ID)
		in.addContent(t, content.Timeline, content.ModelTimeline, "releases", ops.ID)
		in.addContent(t, content.Snippet, content.ModelSnippet, "filter", access.RootCollection)
		in.addContent(t, content.Card, content.ModelMetric, "deep", sub.ID)
		for _, c := range []struct{ target, want string }{
			{"/api/collection/{ops}/items", "a-model KPIs orders releases Sub"},
			{"/api/collection/{ops_entity}/items", "a-model KPIs orders releases Sub"},
			{"/api/collection/{ops}/items?sort_direction=desc", "Sub releases orders KPIs a-model"},
			{"/api/collection/{ops}/items?sort-column=model", "KPIs a-model orders Sub releases"},
			{"/api/collection/{ops}/items?sort_column=last_edited_by&models=card&models=dashboard", "KPIs orders"},
			{"/api/collection/{ops}/items?models=dataset", "a-model"},
			{"/api/collection/{ops}/items?models=no_models", ""},
			{"/api/collection/{ops}/items?models=snippet&models=pulse", ""},
			{"/api/collection/{ops}/items?limit=2&offset=1", "KPIs orders"},
			{"/api/collection/{ops}/items?limit=2&offset=9", ""},
			{"/api/collection/{ops}/items?limit=0", ""},
			{"/api/collection/{ops}/items?q=KP", "KPIs"},
			{"/api/collection/{ops}/items?pinned-state=is_pinned", ""},
			{"/api/collection/{ops}/items?archived=true", ""},
			{"/api/collection/root/items", "Ops"},
			{"/api/collection/root/items?namespace=snippets", "filter"},
			{"/api/collection/trash/items", ""},
			{"/api/collection/1/items?models=card", ""},
		} {
			names, p := in.itemNames(t, "root", in.fill(c.target))
			if got := strings.Join(names, " "); got != c.want || p.Total == nil {
				t.Errorf("%s: %q, want %q; total %v", c.target, got, c.want, p.Total)
			}
		}
		_, p := in.itemNames(t, "root", in.fill("/api/collection/{ops}/items?limit=2&offset=9"))
		if *p.Total != 5 || *p.Limit != 2 || *p.Offset != 9 || fmt.Sprint(p.Models) != "[card collection dashboard dataset metric timeline]" {
			t.Errorf("%+v", p)
		}
		in.run(t, []row{
			{name: "a collection as an item", who: "root", call: "GET /api/collection/root/items?models=collection", status: 200, want: `{"total":1,"data":[{"id":{ops},"name":"Ops","description":null,"model":"collection",` +
				`"entity_id":"<entity>","collection_id":null,"archived":false,"can_write":true,"can_restore":false,"can_delete":false,"is_remote_synced":false,` +
				`"authority_level":null,"type":null,"namespace":null,"location":"/","effective_location":"/","here":["card","dashboard","dataset"],"below":["metric"]}],"models":["collection"],"limit":null,"offset":null}`},
			{name: "a dashboard as an item", who: "root", call: "GET /api/collection/{ops}/items?models=dashboard", status: 200, want: "-", has: []string{`"collection_id":{ops}`, `"collection_position":null,"location":"/{ops}/","last_used_at":null`}},
			{name: "snippets are not paged", who: "root", call: "GET /api/collection/root/items?namespace=snippets&limit=1", status: 200, want: "-", not: []string{`"limit"`, `"offset"`}},
			{name: "metadata", who: "root", call: "GET /api/collection/{ops}/items/metadata", status: 200, want: `{"available_models":["card","collection","dashboard","dataset","timeline"],"total_items":5}`},
			{name: "metadata of the root", who: "root", call: "GET /api/collection/root/items/metadata", status: 200, want: `{"available_models":["collection"],"total_items":1}`},
			{name: "available models beside", who: "root", call: "GET /api/collection/{ops}/items?include-available-models=true&limit=1", status: 200, want: "-", has: []string{`"available_models":["card",`}},
			{name: "a comma", who: "root", call: "GET /api/collection/{ops}/items?models=card,dashboard", status: 400, want: "-", has: []string{`received: \"card,dashboard\"`}},
			{name: "no available models", who: "root", call: "GET /api/collection/{sub}/items?models=no_models&include_available_models=true", status: 200, want: "-", has: []string{`"available_models":[]`}},
			{name: "bad state", who: "root", call: "GET /api/collection/{ops}/items?pinned_state=x", status: 400, want: "-", has: []string{`"errors":{"pinned_state":`}},
			{name: "bad column", who: "root", call: "GET /api/collection/{ops}/items?sort_column=x", status: 400, want: "-", has: []string{`"errors":{"sort_column":`}},
			{name: "unknown", who: "root", call: "GET /api/collection/999/items", status: 404, want: "Not found."},
			{name: "unknown entity id", who: "root", call: "GET /api/collection/abcdefghijklmnopqrstu/items", status: 404, want: "Not found."},
			{name: "anonymous", call: "GET /api/collection/{ops}/items", status: 401, want: "Unauthenticated"},
		})
	})
}

// A folder of snippets goes into the trash and comes back, and is never deleted
// (contract/content-data.md 2.5, 2.7, 2.8).
func TestFoldersOfSnippets(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		f, err := in.content.CreateCollection(t.Context(), access.CommandLine(),
			content.NewCollection{Name: "Filters", Namespace: opt.Of(content.Snippets)})
		if err != nil {
			t.Fatal(err)
		}
		in.names["filters"] = fmt.Sprint(f.ID)
		in.run(t, []row{
			{name: "items", who: "root", call: "GET /api/collection/{filters}/items?limit=1&offset=1", status: 200, want: `{"total":0,"data":[],"models":["collection","snippet"]}`},
			{name: "archive", who: "root", call: "PUT /api/collection/{filters}", body: `{"archived":true}`, status: 200, want: "-", has: []string{`"can_restore":true`, `"can_delete":false`}},
			{name: "delete", who: "root", call: "DELETE /api/collection/{filters}", status: 400, want: "Only collections in the default or tenant namespaces can be deleted."},
			{name: "restore", who: "root", call: "PUT /api/collection/{filters}", body: `{"archived":false}`, status: 200, want: "-", has: []string{`"archived":false`, `"name":"Top folder"`}},
		})
	})
}

// What a key may not do by its restriction, answers do not promise it.
func TestFlagsOfRestrictedKeys(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ops := in.addFolder(t, "Ops", access.RootCollection)
		in.addFolder(t, "Gone", access.RootCollection)
		in.addContent(t, content.Card, content.ModelCard, "orders", ops.ID)
		in.addRestricted(t, "looker", `{"read_only":true}`)
		in.addRestricted(t, "cards", `{"scopes":["collections:read","cards:read","cards:write"]}`)
		in.run(t, []row{
			{name: "archive", who: "root", call: "PUT /api/collection/{gone}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "root", who: "looker", call: "GET /api/collection/root", status: 200, want: "-", has: []string{`"can_write":false`}},
			{name: "one", who: "looker", call: "GET /api/collection/{ops}", status: 200, want: "-", has: []string{`"can_write":false`}, not: []string{`"can_write":true`}},
			{name: "the trash", who: "looker", call: "GET /api/collection/trash/items", status: 200, want: "-", has: []string{`"Gone"`, `"can_write":false,"can_restore":false,"can_delete":false`}},
			{name: "the scope of another kind", who: "cards", call: "GET /api/collection/{ops}", status: 200, want: "-", has: []string{`"can_write":false`}},
			{name: "its own kind", who: "cards", call: "GET /api/collection/{ops}/items", status: 200, want: "-", has: []string{`"orders"`, `"can_write":true`}},
		})
	})
}

// Who may not write hears that before they hear of what is sold.
func TestOfficialCollections(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addFolder(t, "Ops", access.RootCollection)
		in.grant(t, "root", "1", "read")
		in.grant(t, "{ops}", "1", "read")
		const official = `"authority_level":"official"}`
		in.run(t, []row{
			{name: "create", who: "reader", call: "POST /api/collection", body: `{"name":"x",` + official, status: 403, want: noPermission},
			{name: "create below", who: "reader", call: "POST /api/collection", body: `{"name":"x","parent_id":{ops},` + official, status: 403, want: noPermission},
			{name: "create nowhere", who: "reader", call: "POST /api/collection", body: `{"name":"x","parent_id":999,` + official, status: 404, want: "Not found."},
			{name: "change", who: "reader", call: "PUT /api/collection/{ops}", body: `{` + official, status: 403, want: noPermission},
			{name: "change what is not there", who: "reader", call: "PUT /api/collection/999", body: `{` + official, status: 404, want: "Not found."},
		})
	})
}

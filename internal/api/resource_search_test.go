package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/opt"
)

// addItem makes an item without particulars as the command line.
func (in *instance) addItem(t *testing.T, kind content.Kind, model content.Model, name string, collection int64) content.Item {
	t.Helper()
	var i content.Item
	err := in.db.InTx(t.Context(), func(ctx context.Context) (err error) {
		i, err = in.content.Create(ctx, access.CommandLine(), content.NewItem{Kind: kind, Model: model, Name: name, CollectionID: collection})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in.names[name] = fmt.Sprint(i.ID)
	return i
}

func TestSearchRoutes(t *testing.T) {
	const models = "nullable sequence of enum of dashboard, card, dataset, metric, collection, table, database, segment, measure, action, indexed-entity, document, transform"
	eachInstance(t, func(t *testing.T, in *instance) {
		hidden := in.addCollection(t, "zebrahidden", 0, "")
		shown := in.addCollection(t, "zebrashown", 0, "1r")
		in.addItem(t, content.Dashboard, content.ModelDashboard, "zebradash", shown)
		in.addItem(t, content.Dashboard, content.ModelDashboard, "zebrasecret", hidden)
		in.addItem(t, content.Card, content.ModelDataset, "zebramodel", shown)
		gone := in.addItem(t, content.Card, content.ModelCard, "zebragone", 0)
		_, err := in.content.Update(t.Context(), access.CommandLine(), gone.Ref(), content.Change{Archived: opt.Of(true)})
		if err != nil {
			t.Fatal(err)
		}
		const nowhere = `"collection":{"id":null,"name":null,"authority_level":null,"type":null}`
		in.run(t, []row{
			{name: "a person", who: "bo", call: "GET /api/search?q=zebra&limit=20&offset=0", status: 200, want: "-",
				has: []string{
					`{"total":3,"limit":20,"offset":0,"models":["card","collection","dashboard","database","dataset","metric","table"],"table_db_id":null,"engine":"search.engine/appdb","data":[`,
					`"model":"dashboard","name":"zebradash","description":null,"archived":false,"bookmark":false,"can_write":false,"collection":{"id":{zebrashown},"name":"zebrashown","authority_level":null,"type":null}`,
					`"model":"collection","name":"zebrashown"`, `"effective_location":"/"`, `"scores":[{"name":"exact","score":0,"weight":10,"contribution":0},{"name":"prefix","score":1,"weight":5,"contribution":5}`,
				}, not: []string{"zebrasecret", "zebrahidden", "zebragone", "available_models"}},
			{name: "an administrator", who: "ada", call: "GET /api/search/?q=zebra", status: 200, want: "-", has: []string{`{"total":5,"limit":null,"offset":null`, `"can_write":true`, "zebrasecret"}},
			{name: "a key", who: "reader", call: "GET /api/search?q=zebra&models=dashboard", status: 200, want: "-", has: []string{`{"total":1,`, `"models":["dashboard"]`, "zebradash"}},
			{name: "models repeat", who: "bo", call: "GET /api/search?q=zebra&models=dashboard&models=dataset", status: 200, want: "-", has: []string{`{"total":2,`, `"models":["dashboard","dataset"]`}},
			{name: "models with a comma", who: "bo", call: "GET /api/search?q=zebra&models=card,dashboard", status: 400, want: "-",
				has: []string{`"errors":{"models":"` + models + `"}`, `received: \"card,dashboard\"`, `should be either \"dashboard\"`}},
			{name: "unknown model", who: "bo", call: "GET /api/search?models=x", status: 400, want: "-", has: []string{`"errors":{"models":`}},
			{name: "available models", who: "bo", call: "GET /api/search?q=zebra&models=dashboard&calculate_available_models=true", status: 200, want: "-", has: []string{`"available_models":["collection","dashboard","dataset"]`}},
			{name: "ancestors of a model", who: "bo", call: "GET /api/search?q=zebramodel&model_ancestors=true", status: 200, want: "-", has: []string{`{"total":1,`}},
			{name: "archived", who: "bo", call: "GET /api/search?q=zebra&archived=True", status: 200, want: "-",
				has: []string{`{"total":1,`, `"name":"zebragone"`, `"archived":true`, `"collection":{"id":1,"name":"Trash","authority_level":null,"type":"trash"}`}},
			{name: "not archived, as Python writes it", who: "bo", call: "GET /api/search/?q=zebra&archived=False", status: 200, want: "-", has: []string{`{"total":3,`}},
			{name: "tables", who: "bo", call: "GET /api/search?q=orders&models=table", status: 200, want: "-",
				has: []string{`{"total":1,`, `"model":"table","name":"Orders","description":"Confirmed orders`, `"archived":null,`, nowhere, `"database_name":"Sample Database"`, `"table_name":"ORDERS"`}},
			{name: "of a database", who: "bo", call: "GET /api/search?table_db_id=1&models=database", status: 200, want: "-", has: []string{`{"total":1,`, `"table_db_id":1`, `"name":"Sample Database"`}},
			{name: "in a collection", who: "bo", call: "GET /api/search?q=zebra&collection={zebrashown}", status: 200, want: "-", has: []string{`{"total":2,`}},
			{name: "in a hidden collection", who: "bo", call: "GET /api/search?q=zebra&collection={zebrahidden}", status: 200, want: "-", has: []string{`{"total":0,`, `"data":[]`}},
			{name: "by ids", who: "bo", call: "GET /api/search?ids={zebradash}&ids={zebrasecret}&models=dashboard", status: 200, want: "-", has: []string{`{"total":1,`, "zebradash"}},
			{name: "by ids, without a model", who: "bo", call: "GET /api/search?ids=1", status: 400, want: "Filtering by ids work only when you ask for a single model"},
			{name: "by ids, with two models", who: "bo", call: "GET /api/search?ids=1&models=card&models=table", status: 400, want: "Filtering by ids work only when you ask for a single model"},
			{name: "no words", who: "bo", call: "GET /api/search?limit=1&models=dashboard&models=dataset&models=collection", status: 200, want: "-", has: []string{`{"total":3,"limit":1,"offset":0`}},
			{name: "past the end", who: "bo", call: "GET /api/search?q=zebra&offset=50", status: 200, want: "-", has: []string{`{"total":3,"limit":50,"offset":50`, `"data":[]`}},
			{name: "created today", who: "bo", call: "GET /api/search?q=zebra&created_at=today&last_edited_at=thisyear", status: 200, want: "-", has: []string{`{"total":3,`}},
			{name: "created long ago", who: "bo", call: "GET /api/search?q=zebra&created_at=~2020-01-01", status: 200, want: "-", has: []string{`{"total":0,`}},
			{name: "created some time", who: "bo", call: "GET /api/search?created_at=some+time", status: 400, want: `{"errors":{"created_at":"Failed to parse datetime value: some time"}}`},
			{name: "made by", who: "ada", call: "GET /api/search?q=zebra&created_by={bo}&last_edited_by=1", status: 200, want: "-", has: []string{`{"total":0,`}},
			{name: "made by nobody", who: "ada", call: "GET /api/search?created_by=x", status: 400, want: "-", has: []string{`"errors":{"created_by":`}},
			{name: "personal", who: "bo", call: "GET /api/search?filter_items_in_personal_collection=only&q=zebra", status: 200, want: "-", has: []string{`{"total":0,`}},
			{name: "personal, wrong", who: "bo", call: "GET /api/search?filter_items_in_personal_collection=x", status: 400, want: "-", has: []string{`"errors":{"filter_items_in_personal_collection":`}},
			{name: "display, SQL", who: "bo", call: "GET /api/search?q=zebra&display_type=bar&search_native_query=true&include_dashboard_questions=true&context=search-bar", status: 200, want: "-", has: []string{`{"total":0,`}},
			{name: "verified is paid for", who: "bo", call: "GET /api/search?verified=true", status: 402, want: paid("Content Management or Official Collections")},
			{name: "not verified", who: "bo", call: "GET /api/search?verified=false&limit=0", status: 200, want: "-", has: []string{`"data":[]`}},
			{name: "operators are words", who: "bo", call: `GET /api/search?q=%22zebra%20OR%20*%20(%20AND%20name:x`, status: 200, want: "-", has: []string{`{"total":0,`}},
			{name: "very long", who: "bo", call: "GET /api/search?q=" + strings.Repeat("%C3%A9%20", 1500), status: 200, want: "-", has: []string{`{"total":0,`}},
			{name: "bad limit", who: "bo", call: "GET /api/search?limit=x", status: 400, want: "-", has: []string{"Error parsing paging parameters"}},
			{name: "null character", who: "bo", call: "GET /api/search?q=%00", status: 400, want: "-", has: []string{`"errors":{"q":`}},
			{name: "nobody", call: "GET /api/search?q=zebra", status: 401, want: "Unauthenticated"},
			{name: "weights", who: "ada", call: "GET /api/search/weights", status: 200, want: `{"exact":10,"pinned":1,"prefix":5,"recency":1.5,"text":3,"view-count":1}`},
			{name: "weights, a person", who: "bo", call: "GET /api/search/weights", status: 403, want: noPermission},
			{name: "reindex", who: "ada", call: "POST /api/search/force-reindex", status: 200, want: `{"message":"The words of all content have been read anew."}`},
			{name: "re-init", who: "ada", call: "POST /api/search/re-init", status: 200, want: "-"},
			{name: "reindex, a person", who: "bo", call: "POST /api/search/force-reindex", status: 403, want: noPermission},
			{name: "found as before", who: "bo", call: "GET /api/search?q=zebra", status: 200, want: "-", has: []string{`{"total":3,`}},
		})
	})
}

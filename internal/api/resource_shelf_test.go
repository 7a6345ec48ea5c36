package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// furnishShelf makes a dashboard that everybody may see, and one that nobody
// but administrators may see.
func (in *instance) furnishShelf(t *testing.T) {
	t.Helper()
	hidden := in.addCollection(t, "hidden", 0, "")
	shown := in.addCollection(t, "shown", 0, "1r")
	for name, collection := range map[string]string{"dash": fmt.Sprint(shown), "secret": fmt.Sprint(hidden), "rootdash": "null"} {
		rec := in.do("root", "POST", "/api/dashboard", `{"name":"`+name+`","collection_id":`+collection+`}`)
		var made struct {
			ID       int64  `json:"id"`
			EntityID string `json:"entity_id"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &made); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("make %s: %d %s", name, rec.Code, rec.Body)
		}
		in.names[name], in.names[name+"_entity"] = fmt.Sprint(made.ID), made.EntityID
	}
}

func TestBookmarkRoutes(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.furnishShelf(t)
		const first = `{"id":"dashboard-{dash}","type":"dashboard","item_id":{dash},"name":"dash","description":null,"display":null,"card_type":null,"authority_level":null}`
		const second = `{"id":"collection-{shown}","type":"collection","item_id":{shown},"name":"shown","description":null,"display":null,"card_type":null,"authority_level":null}`
		in.run(t, []row{
			{name: "none", who: "bo", call: "GET /api/bookmark", status: 200, want: `[]`},
			{name: "mark", who: "bo", call: "POST /api/bookmark/dashboard/{dash}", status: 200, want: `{"created_at":"` + testStart + `","dashboard_id":{dash},"id":1,"user_id":{bo}}`},
			{name: "mark again", who: "bo", call: "POST /api/bookmark/dashboard/{dash}", status: 400, want: "Bookmark already exists"},
			{name: "mark a collection", who: "bo", call: "POST /api/bookmark/collection/{shown}", status: 200, want: "-", has: []string{`"collection_id":{shown}`}},
			{name: "mark the hidden", who: "bo", call: "POST /api/bookmark/dashboard/{secret}", status: 403, want: noPermission},
			{name: "mark the unknown", who: "bo", call: "POST /api/bookmark/card/99", status: 404, want: "Not found."},
			{name: "mark a document", who: "bo", call: "POST /api/bookmark/document/1", status: 404, want: "Not found."},
			{name: "mark a snippet", who: "bo", call: "POST /api/bookmark/snippet/1", status: 400, want: "-", has: []string{`"errors":{"model":"enum of card, dashboard, collection, document"}`}},
			{name: "mark, no number", who: "bo", call: "POST /api/bookmark/card/x", status: 404, want: noRoute},
			{name: "mark, nobody", call: "POST /api/bookmark/dashboard/{dash}", status: 401, want: "Unauthenticated"},
			{name: "the newest first", who: "bo", call: "GET /api/bookmark", status: 200, want: `[` + second + `,` + first + `]`},
			{name: "of somebody else", who: "ada", call: "GET /api/bookmark", status: 200, want: `[]`},
			{name: "shown by a search", who: "bo", call: "GET /api/search?q=dash&models=dashboard", status: 200, want: "-", has: []string{`"name":"dash","description":null,"archived":false,"bookmark":true`}},
			{name: "order", who: "bo", call: "PUT /api/bookmark/ordering", body: `{"orderings":[{"type":"dashboard","item_id":{dash}},{"type":"card","item_id":77},{"type":"collection","item_id":{shown}}]}`, status: 204},
			{name: "ordered", who: "bo", call: "GET /api/bookmark", status: 200, want: `[` + first + `,` + second + `]`},
			{name: "order, wrong", who: "bo", call: "PUT /api/bookmark/ordering", body: `{"orderings":[{"type":"x","item_id":0}]}`, status: 400, want: "-", has: []string{`"errors":{"orderings":`}},
			{name: "order, nothing", who: "bo", call: "PUT /api/bookmark/ordering", body: `{}`, status: 400, want: "-", has: []string{`"orderings":["missing required key, received: nil"]`}},
			{name: "unmark", who: "bo", call: "DELETE /api/bookmark/collection/{shown}", status: 204},
			{name: "unmark again", who: "bo", call: "DELETE /api/bookmark/collection/{shown}", status: 204},
			{name: "unmark, of nobody else", who: "ada", call: "DELETE /api/bookmark/dashboard/{dash}", status: 204},
			{name: "the other stays", who: "bo", call: "GET /api/bookmark", status: 200, want: `[` + first + `]`},
			{name: "archive it", who: "ada", call: "PUT /api/dashboard/{dash}", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "what is in the trash does not show", who: "bo", call: "GET /api/bookmark", status: 200, want: `[]`},
		})
	})
}

func TestActivityRoutes(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.furnishShelf(t)
		const dash = `{"id":{dash},"model":"dashboard","name":"dash","description":null,"can_write":false,"timestamp":"` + testStart + `","moderated_status":null,` +
			`"authority_level":null,"display":null,"database_id":null,"effective_location":null,"parent_collection":{"id":{shown},"name":"shown","authority_level":null},"dashboard":null}`
		in.run(t, []row{
			{name: "none", who: "bo", call: "GET /api/activity/recents?context=views&context=selections", status: 200, want: `{"recents":[]}`},
			{name: "no last dashboard", who: "bo", call: "GET /api/activity/most_recently_viewed_dashboard", status: 204},
			{name: "nothing is popular", who: "bo", call: "GET /api/activity/popular_items", status: 200, want: `{"popular_items":[]}`},
			{name: "look at one", who: "bo", call: "GET /api/dashboard/{dash}", status: 200, want: "-"},
			{name: "not at one that is hidden", who: "bo", call: "GET /api/dashboard/{secret}", status: 403, want: noPermission},
			{name: "the administrator looks twice", who: "ada", call: "GET /api/dashboard/{secret}", status: 200, want: "-"},
			{name: "the administrator looks at it again", who: "ada", call: "GET /api/dashboard/{secret}", status: 200, want: "-"},
			{name: "nothing was written yet", who: "bo", call: "GET /api/activity/recents?context=views", status: 200, want: `{"recents":[]}`},
		})
		if err := in.shelf.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		in.run(t, []row{
			{name: "views", who: "bo", call: "GET /api/activity/recents?context=views", status: 200, want: `{"recents":[` + dash + `]}`},
			{name: "recent_views", who: "bo", call: "GET /api/activity/recent_views", status: 200, want: `{"recent_views":[` + dash + `]}`},
			{name: "no selections", who: "bo", call: "GET /api/activity/recents?context=selections", status: 200, want: `{"recents":[]}`},
			{name: "popular", who: "bo", call: "GET /api/activity/popular_items", status: 200, want: `{"popular_items":[` + dash + `]}`},
			{name: "popular, for the administrator", who: "ada", call: "GET /api/activity/popular_items", status: 200, want: "-", has: []string{`{"popular_items":[{"id":{secret},`, `{"id":{dash},`}},
			{name: "last dashboard", who: "bo", call: "GET /api/activity/most_recently_viewed_dashboard", status: 200, want: "-", has: []string{`{"id":{dash},"name":"dash"`, `"collection":{"id":{shown}`}},
			{name: "choose", who: "bo", call: "POST /api/activity/recents", body: `{"model":"collection","model_id":{shown},"context":"selection"}`, status: 204},
			{name: "choose what is hidden", who: "bo", call: "POST /api/activity/recents", body: `{"model":"collection","model_id":{hidden},"context":"selection"}`, status: 403, want: noPermission},
			{name: "choose the unknown", who: "bo", call: "POST /api/activity/recents", body: `{"model":"dataset","model_id":99,"context":"selection"}`, status: 404, want: "Not found."},
			{name: "choose wrongly", who: "bo", call: "POST /api/activity/recents", body: `{"model":"x","model_id":0,"context":"view"}`, status: 400, want: "-", has: []string{`"model":[`, `"model_id":[`, `"context":[`}},
			{name: "choose, nobody", call: "POST /api/activity/recents", body: `{"model":"card","model_id":1,"context":"selection"}`, status: 401, want: "Unauthenticated"},
			{name: "selections", who: "bo", call: "GET /api/activity/recents?context=selections", status: 200, want: "-",
				has: []string{`{"recents":[{"id":{shown},"model":"collection","name":"shown"`, `"effective_location":"/"`, `"parent_collection":{"id":"root","name":"Our analytics"`}},
			{name: "both", who: "bo", call: "GET /api/activity/recents", status: 200, want: "-", has: []string{`{"id":{shown},`, dash}},
			{name: "wrong context", who: "bo", call: "GET /api/activity/recents?context=x", status: 400, want: "-", has: []string{`"errors":{"context":`}},
			{name: "counted", who: "ada", call: "GET /api/dashboard/{secret}", status: 200, want: "-", has: []string{`"view_count":2`}},
		})
	})
}

func TestTranslateEntityIDs(t *testing.T) {
	const call = "POST /api/eid-translation/translate"
	eachInstance(t, func(t *testing.T, in *instance) {
		in.furnishShelf(t)
		in.run(t, []row{
			{name: "known", who: "bo", call: call, body: `{"entity_ids":{"dashboard":["{dash_entity}","short","aaaaaaaaaaaaaaaaaaaaa"]}}`, status: 200,
				want: "-",
				has: []string{`"{dash_entity}":{"id":{dash},"type":"dashboard","status":"ok"}`, `"short":{"type":"dashboard","status":"invalid-format"}`,
					`"aaaaaaaaaaaaaaaaaaaaa":{"type":"dashboard","status":"not-found"}`}},
			{name: "hidden", who: "bo", call: call, body: `{"entity_ids":{"dashboard":["{secret_entity}"]}}`, status: 200, want: `{"entity_ids":{"{secret_entity}":{"type":"dashboard","status":"not-found"}}}`},
			{name: "hidden, for the administrator", who: "ada", call: call, body: `{"entity_ids":{"dashboard":["{secret_entity}"]}}`, status: 200, want: `{"entity_ids":{"{secret_entity}":{"id":{secret},"type":"dashboard","status":"ok"}}}`},
			{name: "another model", who: "ada", call: call, body: `{"entity_ids":{"card":["{secret_entity}"],"user":["{dash_entity}"]}}`, status: 200, want: "-", has: []string{`"{secret_entity}":{"type":"card","status":"not-found"}`, `"{dash_entity}":{"type":"user","status":"not-found"}`}},
			{name: "group", who: "ada", call: call, body: `{"entity_ids":{"permissions-group":["{analysts_entity}"]}}`, status: 200, want: `{"entity_ids":{"{analysts_entity}":{"id":{analysts},"type":"permissions-group","status":"ok"}}}`},
			{name: "group, for a person", who: "bo", call: call, body: `{"entity_ids":{"permissions-group":["{analysts_entity}"]}}`, status: 200, want: "-", has: []string{"not-found"}},
			{name: "nothing", who: "bo", call: call, body: `{"entity_ids":{}}`, status: 200, want: `{"entity_ids":{}}`},
			{name: "missing", who: "bo", call: call, body: `{}`, status: 400, want: "-", has: []string{`"errors":{"entity_ids":"Value must be a map."}`}},
			{name: "unknown model", who: "bo", call: call, body: `{"entity_ids":{"x":[]}}`, status: 400, want: "-", has: []string{`{"errors":{"entity_ids":"the keys must be among action, card,`}},
			{name: "no list", who: "bo", call: call, body: `{"entity_ids":{"card":"x"}}`, status: 400, want: `{"errors":{"entity_ids":"card must be a list of entity ids"}}`},
			{name: "no texts", who: "bo", call: call, body: `{"entity_ids":{"card":[5]}}`, status: 400, want: `{"errors":{"entity_ids":"card must be a list of entity ids"}}`},
			{name: "nobody", call: call, body: `{"entity_ids":{}}`, status: 401, want: "Unauthenticated"},
		})
	})
}

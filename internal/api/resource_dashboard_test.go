package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/opt"
)

// question makes a question and gives rows its id under its name.
func (in *instance) question(t *testing.T, name string, collection, dashboard int64) int64 {
	t.Helper()
	n := card.New{
		Name: name, Display: "table", DashboardID: dashboard,
		Query: json.RawMessage(`{"database":1,"type":"native","native":{"query":"select 1"}}`),
	}
	if dashboard == 0 {
		n.CollectionID = opt.Of(collection)
	}
	made, err := in.cards.Create(t.Context(), access.CommandLine(), n)
	if err != nil {
		t.Fatal(err)
	}
	in.names[name] = fmt.Sprint(made.ID)
	return made.ID
}

// folder makes a collection under a name for rows.
func (in *instance) folder(t *testing.T, name string) int64 {
	t.Helper()
	f, err := in.content.CreateCollection(t.Context(), access.CommandLine(), content.NewCollection{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	in.names[name] = fmt.Sprint(f.ID)
	return f.ID
}

// forbid takes a collection from everybody but administrators.
func (in *instance) forbid(t *testing.T, id int64) {
	t.Helper()
	err := in.db.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := in.db.Exec(ctx, "UPDATE collection SET grants = '' WHERE id = ?1", id); err != nil {
			return err
		}
		return in.db.Record(ctx, "collection", id)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shown is a dashboard as clients demand it (their own schemas).
type shown struct {
	ID          int64
	EntityID    string `json:"entity_id"`
	Name        string
	Width       string
	AutoApply   bool             `json:"auto_apply_filters"`
	CreatorID   int64            `json:"creator_id"`
	Collection  *int64           `json:"collection_id"`
	Parameters  *json.RawMessage `json:"parameters"`
	ParamFields map[string]any   `json:"param_fields"`
	Archived    bool
	Dashcards   []shownCard
	Tabs        []struct {
		ID          int64
		EntityID    string `json:"entity_id"`
		DashboardID int64  `json:"dashboard_id"`
		Name        string
		Position    int
	}
}

type shownCard struct {
	ID       int64
	EntityID string `json:"entity_id"`
	TabID    *int64 `json:"dashboard_tab_id"`
	CardID   *int64 `json:"card_id"`
	Row      int64
	Card     map[string]any
	Mappings json.RawMessage `json:"parameter_mappings"`
	Settings json.RawMessage `json:"visualization_settings"`
	Inline   json.RawMessage `json:"inline_parameters"`
	Series   json.RawMessage
}

// dashboard sends a request whose answer is a dashboard.
func (in *instance) dashboard(t *testing.T, who, call, body string) (d shown) {
	t.Helper()
	method, target, _ := strings.Cut(in.fill(call), " ")
	rec := in.do(who, method, target, in.fill(body))
	if rec.Code != 200 {
		t.Fatalf("%s: %d %s", call, rec.Code, rec.Body)
	}
	checkForm(t, rec)
	if err := json.Unmarshal(rec.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDashboardAnswers(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.folder(t, "ops")
		in.question(t, "orders", access.RootCollection, 0)
		in.send(t, row{who: "ada", call: "POST /api/dashboard/", status: 200,
			body: `{"name":"KPIs","collection_id":{ops},"parameters":[{"id":"a1","type":"string/=","name":"Status","slug":"status"}],"dashcards":[{"x":1}]}`,
			want: `{"id":1,"entity_id":"<entity>","name":"KPIs","description":null,"collection_id":{ops},"collection":{"id":{ops},"name":"ops",<any>},` +
				`"collection_position":null,"collection_authority_level":null,"archived":false,"archived_directly":false,` +
				`"parameters":[{"id":"a1","name":"Status","slug":"status","type":"string/="}],"creator_id":{ada},"creator":{"id":{ada},<any>},` +
				`"auto_apply_filters":true,"width":"fixed","cache_ttl":null,"enable_embedding":false,"embedding_type":null,"embedding_params":null,` +
				`"public_uuid":null,"made_public_by_id":null,"show_in_getting_started":false,"caveats":null,"points_of_interest":null,"position":null,` +
				`"can_write":true,"can_restore":false,"can_delete":false,"can_set_cache_policy":false,"is_remote_synced":false,"moderation_reviews":[],` +
				`"last-edit-info":{"id":{ada},"email":"ada@example.test","first_name":"Ada","last_name":"L","timestamp":"2026-01-02T03:04:05Z"},` +
				`"view_count":0,"last_viewed_at":"<any>","initially_published_at":null,"created_at":"<any>","updated_at":"<any>",` +
				`"dashcards":[],"tabs":[],"param_fields":{},"last_used_param_values":{}}`})

		d := in.dashboard(t, "root", "PUT /api/dashboard/1", `{"tabs":[{"id":-1,"name":"A"}],"dashcards":[
			{"id":-1,"card_id":{orders},"row":"0","col":0,"size_x":12,"size_y":6,"parameter_mappings":[{"parameter_id":"a1","card_id":{orders},"target":["dimension",["template-tag","status"]]}],
			 "visualization_settings":{"b":1.50,"a":"<"},"series":[],"inline_parameters":["a1"]},
			{"id":-2,"card_id":null,"dashboard_tab_id":-1,"row":6,"col":0,"size_x":4,"size_y":1,"visualization_settings":{"virtual_card":{"display":"text"},"text":"Hello"}}]}`)
		first, second := d.Dashcards[0], d.Dashcards[1]
		switch {
		case first.Card["name"] != "orders", len(first.EntityID) != 21, first.TabID == nil, *first.TabID != d.Tabs[0].ID:
			t.Errorf("%+v", first)
		case string(first.Settings) != `{"a":"<","b":1.50}`, string(first.Inline) != `["a1"]`, string(first.Series) != `[]`:
			t.Errorf("%s %s %s", first.Settings, first.Inline, first.Series)
		case second.CardID != nil, string(second.Mappings) != `[]`, string(second.Inline) != `[]`:
			t.Errorf("%+v", second)
		case d.Tabs[0].DashboardID != 1, d.Tabs[0].Position != 0:
			t.Errorf("%+v", d.Tabs)
		}

		rec := in.do("ada", "GET", "/api/dashboard/1", "")
		whole := rec.Body.String()
		if again := in.dashboard(t, "ada", "PUT /api/dashboard/1", whole); len(again.Dashcards) != 2 || again.Dashcards[0].ID != first.ID ||
			again.Dashcards[0].EntityID != first.EntityID || again.Tabs[0].ID != d.Tabs[0].ID {
			t.Errorf("sent back whole: %+v", again)
		}
		in.send(t, row{who: "ada", call: "POST /api/eid-translation/translate", status: 200,
			body: `{"entity_ids":{"dashboard-card":["` + first.EntityID + `"],"dashboard-tab":["` + d.Tabs[0].EntityID + `"]}}`, want: "-",
			has: []string{fmt.Sprintf(`%q:{"id":%d,"type":"dashboard-card","status":"ok"}`, first.EntityID, first.ID), `"type":"dashboard-tab","status":"ok"`}})
		byEntity := in.dashboard(t, "ada", "GET /api/dashboard/"+d.EntityID, "")
		if byEntity.ID != 1 || len(byEntity.Dashcards) != 2 {
			t.Errorf("by entity id: %+v", byEntity)
		}
		renamed := in.dashboard(t, "ada", "PUT /api/dashboard/1", `{"name":"Renamed","parameters":null,"archived":null,"auto_apply_filters":null,"width":"full"}`)
		if renamed.Name != "Renamed" || renamed.Parameters == nil || string(*renamed.Parameters) == "[]" || !renamed.AutoApply || renamed.Width != "full" || len(renamed.Dashcards) != 2 {
			t.Errorf("%+v", renamed)
		}
		renamed = in.dashboard(t, "ada", "PUT /api/dashboard/1", `{"name":null,"width":null,"collection_id":null,"cache_ttl":null,"collection_position":null}`)
		if renamed.Name != "Renamed" || renamed.Width != "fixed" || renamed.Collection != nil {
			t.Errorf("%+v", renamed)
		}
	})
}

func TestDashboardRoutes(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		closed := in.folder(t, "closed")
		in.question(t, "orders", access.RootCollection, 0)
		in.question(t, "hidden", closed, 0)
		gone := in.question(t, "gone", access.RootCollection, 0)
		in.forbid(t, closed)
		if _, err := in.content.Update(t.Context(), access.CommandLine(), content.Ref{Kind: content.Card, ID: gone},
			content.Change{Archived: opt.Of(true)}); err != nil {
			t.Fatal(err)
		}
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"Open"}`)
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"Secret","collection_id":{closed}}`)
		in.names["mine"] = fmt.Sprint(in.dashboard(t, "bo", "POST /api/dashboard", `{"name":"Bo's"}`).ID)
		in.dashboard(t, "ada", "PUT /api/dashboard/1", `{"dashcards":[{"id":0,"card_id":{hidden},"row":0,"col":0,"size_x":1,"size_y":1,"series":[{"id":{orders}},{"id":{hidden}}]}]}`)
		inTrash := "The object has been archived."
		card := func(extra string) string {
			return `{"dashcards":[{"id":-1,"row":0,"col":0,"size_x":1,"size_y":1` + extra + `}]}`
		}
		const wantName = "value must be a non-blank string."
		in.run(t, []row{
			{name: "list", who: "bo", call: "GET /api/dashboard/", status: 200, want: "-", has: []string{`"name":"Open"`, `"creator":{`}, not: []string{"Secret", "dashcards"}},
			{name: "list, all", who: "root", call: "GET /api/dashboard?f=all", status: 200, want: "-", has: []string{"Open", "Secret"}},
			{name: "list, mine", who: "bo", call: "GET /api/dashboard?f=mine", status: 200, want: `[{"id":{mine},<any>}]`},
			{name: "list, archived", who: "ada", call: "GET /api/dashboard?f=archived", status: 200, want: "[]"},
			{name: "list, bad filter", who: "ada", call: "GET /api/dashboard?f=x", status: 400,
				want: invalid("f", "nullable enum of all, mine, archived", `should be either "all", "mine" or "archived", received: "x"`)},
			{name: "list, anonymous", call: "GET /api/dashboard", status: 401, want: "Unauthenticated"},

			{name: "unreadable cards", who: "bo", call: "GET /api/dashboard/1", status: 200, want: "-",
				has: []string{`"card":{"id":{hidden}}`, `"series":[{`, `,{"id":{hidden}}]`, `"name":"orders"`}, not: []string{`"name":"hidden"`}},
			{name: "get, forbidden", who: "bo", call: "GET /api/dashboard/2", status: 403, want: noPermission},
			{name: "get, unknown", who: "bo", call: "GET /api/dashboard/99", status: 404, want: "Not found."},
			{name: "get, unknown entity id", who: "bo", call: "GET /api/dashboard/aaaaaaaaaaaaaaaaaaaaa", status: 404, want: "Not found."},
			{name: "get, no id", who: "bo", call: "GET /api/dashboard/x", status: 404, want: noRoute},

			{name: "create, blank", who: "bo", call: "POST /api/dashboard", body: `{"name":" "}`, status: 400, want: invalid("name", wantName, `non-blank string, received: " "`)},
			{name: "create, nothing", who: "bo", call: "POST /api/dashboard", status: 400, want: invalid("name", wantName, "missing required key, received: nil")},
			{name: "create, long", who: "bo", call: "POST /api/dashboard", body: `{"name":"` + strings.Repeat("x", 255) + `"}`, status: 400, want: "-", has: []string{"254"}},
			{name: "create, bad parameters", who: "bo", call: "POST /api/dashboard", body: `{"name":"x","parameters":"abc"}`, status: 400,
				want: invalid("parameters", "nullable sequence of parameter must be a map with :id and :type keys", `invalid type, received: "abc"`)},
			{name: "create, parameter without id", who: "bo", call: "POST /api/dashboard", body: `{"name":"x","parameters":[{"type":"id"}]}`, status: 400, want: "-", has: []string{":id and :type"}},
			{name: "create, bad ttl", who: "bo", call: "POST /api/dashboard", body: `{"name":"x","cache_ttl":0}`, status: 400, want: "-", has: []string{`"cache_ttl":`}},
			{name: "create, unknown collection", who: "bo", call: "POST /api/dashboard", body: `{"name":"x","collection_id":999}`, status: 404, want: "Not found."},
			{name: "create, forbidden collection", who: "bo", call: "POST /api/dashboard", body: `{"name":"x","collection_id":{closed}}`, status: 403, want: noPermission},

			{name: "edit, forbidden", who: "bo", call: "PUT /api/dashboard/2", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "edit, unknown", who: "bo", call: "PUT /api/dashboard/99", body: `{"name":"x"}`, status: 404, want: "Not found."},
			{name: "edit, entity id", who: "bo", call: "PUT /api/dashboard/aaaaaaaaaaaaaaaaaaaaa", body: `{"name":"x"}`, status: 404, want: noRoute},
			{name: "edit, bad width", who: "bo", call: "PUT /api/dashboard/1", body: `{"width":"wide"}`, status: 400, want: "-", has: []string{`either \"fixed\" or \"full\"`}},
			{name: "dashcard without size", who: "bo", call: "PUT /api/dashboard/1", body: `{"dashcards":[{"id":-1,"row":0,"col":0}]}`, status: 400, want: "-", has: []string{"size_x", "missing required key"}},
			{name: "dashcard without anything", who: "bo", call: "PUT /api/dashboard/1", body: `{"dashcards":[{}]}`, status: 400, want: "-", has: []string{`"errors":{"dashcards":`}},
			{name: "dashcards, no list", who: "bo", call: "PUT /api/dashboard/1", body: `{"dashcards":5}`, status: 400, want: "-", has: []string{`"dashcards":["invalid type, received: 5"]`}},
			{name: "size 0", who: "bo", call: "PUT /api/dashboard/1", body: `{"dashcards":[{"id":-1,"row":0,"col":0,"size_x":0,"size_y":1}]}`, status: 400, want: "-", has: []string{"greater than zero"}},
			{name: "row -1", who: "bo", call: "PUT /api/dashboard/1", body: `{"dashcards":[{"id":-1,"row":-1,"col":0,"size_x":1,"size_y":1}]}`, status: 400, want: "-", has: []string{"row"}},
			{name: "unknown card", who: "bo", call: "PUT /api/dashboard/1", body: card(`,"card_id":999`), status: 404, want: "Not found."},
			{name: "unreadable card is there already", who: "bo", call: "PUT /api/dashboard/1", body: card(`,"card_id":{hidden}`), status: 200, want: "-"},
			{name: "unreadable card", who: "bo", call: "PUT /api/dashboard/{mine}", body: card(`,"card_id":{hidden}`), status: 403, want: noPermission},
			{name: "archived card", who: "bo", call: "PUT /api/dashboard/1", body: card(`,"card_id":{gone}`), status: 404, want: "-", has: []string{`"message":"` + inTrash + `"`, `"error_code":"archived"`}},
			{name: "embedding", who: "bo", call: "PUT /api/dashboard/1", body: `{"enable_embedding":true}`, status: 403, want: noPermission},
			{name: "embedding, administrator", who: "ada", call: "PUT /api/dashboard/1", body: `{"enable_embedding":true}`, status: 400, want: "Embedding is not enabled."},

			{name: "old form", who: "bo", call: "PUT /api/dashboard/1/cards", body: `{"cards":[{"id":-1,"card_id":{orders},"row":0,"col":0,"size_x":1,"size_y":1}]}`, status: 200,
				want: `{"cards":[{"id":<id>,"entity_id":"<entity>",<any>}],"tabs":[]}`},
			{name: "oldest form", who: "bo", call: "POST /api/dashboard/1/cards", body: `{"cardId":1}`, status: 404, want: noRoute},

			{name: "archive", who: "bo", call: "PUT /api/dashboard/1", body: `{"archived":true,"collection_id":{closed}}`, status: 200, want: "-",
				has: []string{`"archived":true`, `"archived_directly":true`, `"collection_id":null`, `"can_restore":true`, `"can_delete":true`}},
			{name: "archive again", who: "bo", call: "PUT /api/dashboard/1", body: `{"archived":true}`, status: 200, want: "-"},
			{name: "in the trash", who: "bo", call: "GET /api/dashboard/1", status: 200, want: "-", has: []string{`"collection_id":1`}},
			{name: "list, archived", who: "bo", call: "GET /api/dashboard?f=archived", status: 200, want: "-", has: []string{`"name":"Open"`}},
			{name: "dashcards in the trash", who: "bo", call: "PUT /api/dashboard/1", body: `{"archived":false,"dashcards":[]}`, status: 404, want: "-", has: []string{inTrash}},
			{name: "restore", who: "bo", call: "PUT /api/dashboard/1", body: `{"archived":false}`, status: 200, want: "-", has: []string{`"archived":false`, `"dashcards":[{`}},
			{name: "move", who: "bo", call: "PUT /api/dashboard/1", body: `{"collection_id":{closed}}`, status: 403, want: noPermission},
			{name: "move, administrator", who: "ada", call: "PUT /api/dashboard/1", body: `{"collection_id":{closed}}`, status: 200, want: "-", has: []string{`"collection_id":{closed}`}},
			{name: "delete, forbidden", who: "bo", call: "DELETE /api/dashboard/1", status: 403, want: noPermission},
			{name: "delete", who: "ada", call: "DELETE /api/dashboard/1", status: 204},
			{name: "delete, unknown", who: "ada", call: "DELETE /api/dashboard/1", status: 404, want: "Not found."},
		})
	})
}

// TestDashboardRuns runs a question of the sample database where it stands.
func TestDashboardRuns(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		closed := in.folder(t, "closed")
		n := card.New{Name: "Paid", Display: "table", Query: json.RawMessage(
			`{"database":1,"type":"native","native":{"query":"select {{n}} as n, {{s}} as s","template-tags":{
				"n":{"id":"t1","name":"n","display-name":"N","type":"number","default":1},
				"s":{"id":"t2","name":"s","display-name":"S","type":"text","default":"none"}}}}`)}
		made, err := in.cards.Create(t.Context(), access.CommandLine(), n)
		if err != nil {
			t.Fatal(err)
		}
		in.names["paid"] = fmt.Sprint(made.ID)
		in.question(t, "hidden", closed, 0)
		in.forbid(t, closed)
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"Open","parameters":[
			{"id":"p1","type":"number/=","name":"N","slug":"n"},{"id":"p2","type":"category","name":"S","slug":"s","default":"given"},
			{"id":"p3","type":"category","name":"L","slug":"l","values_source_type":"static-list","values_source_config":{"values":["a","b"]}}]}`)
		d := in.dashboard(t, "ada", "PUT /api/dashboard/1", `{"dashcards":[
			{"id":-1,"card_id":{paid},"row":0,"col":0,"size_x":1,"size_y":1,"parameter_mappings":[
				{"parameter_id":"p1","card_id":{paid},"target":["variable",["template-tag","n"]]},
				{"parameter_id":"p2","card_id":{paid},"target":["variable",["template-tag","s"]]}]},
			{"id":-2,"card_id":{hidden},"row":1,"col":0,"size_x":1,"size_y":1}]}`)
		in.names["dc"], in.names["dh"] = fmt.Sprint(d.Dashcards[0].ID), fmt.Sprint(d.Dashcards[1].ID)
		const path = "POST /api/dashboard/1/dashcard/{dc}/card/{paid}/query"
		in.run(t, []row{
			{name: "defaults", who: "bo", call: path, status: 202, want: "-",
				has: []string{`"rows":[[1,"given"]]`, `"status":"completed"`, `"context":"dashboard"`, `"dashboard_id":1`, `"card_id":{paid}`}},
			{name: "given", who: "reader", call: path, body: `{"parameters":[{"id":"p1","value":[7]},{"id":"p2","value":"x"}],"dashboard_load_id":"abc"}`, status: 202, want: "-",
				has: []string{`"rows":[[7,"x"]]`}},
			{name: "not mapped", who: "bo", call: path, body: `{"parameters":[{"id":"p3","value":"a"}]}`, status: 202, want: "-", has: []string{`"given"`}},
			{name: "no parameter of it", who: "bo", call: path, body: `{"parameters":[{"id":"zz","value":"a"}]}`, status: 400,
				want: `Dashboard does not have a parameter with ID "zz".`},
			{name: "no list", who: "bo", call: path, body: `{"parameters":5}`, status: 400, want: "-", has: []string{`"errors":{"parameters":`}},
			{name: "as a pivot table", who: "bo", call: strings.Replace(path, "/dashboard/", "/dashboard/pivot/", 1), body: `{"parameters":[]}`, status: 202, want: "-", has: []string{`"status":"completed"`}},
			{name: "like it", who: "bo", call: "GET /api/dashboard/1/related", status: 200, want: `{"cards":[]}`},
			{name: "like nothing", who: "bo", call: "GET /api/dashboard/99/related", status: 404, want: "Not found."},
			{name: "unknown dashboard", who: "bo", call: "POST /api/dashboard/99/dashcard/{dc}/card/{paid}/query", status: 404, want: "Not found."},
			{name: "unknown dashcard", who: "bo", call: "POST /api/dashboard/1/dashcard/99/card/{paid}/query", status: 404, want: "Not found."},
			{name: "unknown card", who: "bo", call: "POST /api/dashboard/1/dashcard/{dc}/card/99/query", status: 404, want: "Not found."},
			{name: "card of another dashcard", who: "bo", call: "POST /api/dashboard/1/dashcard/{dc}/card/{hidden}/query", status: 404, want: "Not found."},
			{name: "unreadable card", who: "bo", call: "POST /api/dashboard/1/dashcard/{dh}/card/{hidden}/query", status: 403, want: noPermission},
			{name: "anonymous", call: path, status: 401, want: "Unauthenticated"},
			{name: "read it", who: "bo", call: "GET " + path[5:], status: 404, want: noRoute},
			{name: "xlsx", who: "bo", call: path + "/xlsx", status: 400, want: "-", has: []string{`"status":"failed"`}},
			{name: "pdf", who: "bo", call: path + "/pdf", status: 404, want: noRoute},

			{name: "values", who: "bo", call: "GET /api/dashboard/1/params/p3/values", status: 200, want: `{"values":[["a"],["b"]],"has_more_values":false}`},
			{name: "search values", who: "bo", call: "GET /api/dashboard/1/params/p3/search/B", status: 200, want: `{"values":[["b"]],"has_more_values":false}`},
			{name: "values of nothing", who: "bo", call: "GET /api/dashboard/1/params/p1/values", status: 200, want: `{"values":[],"has_more_values":false}`},
			{name: "values, unknown", who: "bo", call: "GET /api/dashboard/1/params/zz/values", status: 400, want: `Dashboard does not have a parameter with ID "zz".`},
			{name: "label", who: "bo", call: "GET /api/dashboard/1/params/p3/remapping?value=a", status: 200, want: `["a"]`},
			{name: "label of nothing", who: "bo", call: "GET /api/dashboard/1/params/p3/remapping?value=zz", status: 200, want: `["zz"]`},
			{name: "share", who: "ada", call: "POST /api/dashboard/1/public_link", status: 400, want: "Public sharing is not enabled."},
			{name: "share, unknown", who: "ada", call: "POST /api/dashboard/99/public_link", status: 404, want: "Not found."},
			{name: "share, plain person", who: "bo", call: "POST /api/dashboard/1/public_link", status: 403, want: noPermission},
			{name: "metadata", who: "bo", call: "GET /api/dashboard/1/query_metadata", status: 200, want: "-", has: []string{`"databases":[{`, `"tables":[]`}},
			{name: "metadata, unknown", who: "bo", call: "GET /api/dashboard/99/query_metadata", status: 404, want: "Not found."},
			{name: "public ones", who: "ada", call: "GET /api/dashboard/public", status: 400, want: "Public sharing is not enabled."},
			{name: "embeddable ones", who: "ada", call: "GET /api/dashboard/embeddable", status: 400, want: "Embedding is not enabled."},
			{name: "public ones, plain person", who: "bo", call: "GET /api/dashboard/public", status: 403, want: noPermission},
		})
		for _, body := range []string{"", `{"parameters":[{"id":"p1","value":3}]}`, `parameters=[{"id":"p1","value":3}]&format_rows=false`, "parameters=null"} {
			rec := in.do("bo", "POST", in.fill(path[5:]+"/csv"), body)
			want := "n,s\n3,given\n"
			if !strings.Contains(body, "p1") {
				want = "n,s\n1,given\n"
			}
			if got := strings.ReplaceAll(rec.Body.String(), "\r\n", "\n"); rec.Code != 200 || got != want {
				t.Errorf("csv with %q: %d %q", body, rec.Code, got)
			}
		}
		if rec := in.do("bo", "POST", in.fill(path[5:]+"/json"), ""); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"s":"given"`) {
			t.Errorf("json: %d %s", rec.Code, rec.Body)
		}
	})
}

func TestDashboardCopies(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		closed := in.folder(t, "closed")
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"Source","description":"about"}`)
		in.question(t, "orders", access.RootCollection, 0)
		in.question(t, "hidden", closed, 0)
		in.forbid(t, closed)
		in.dashboard(t, "ada", "PUT /api/dashboard/1", `{"dashcards":[{"id":-1,"card_id":{orders},"row":0,"col":0,"size_x":1,"size_y":1},{"id":-2,"card_id":{hidden},"row":0,"col":0,"size_x":1,"size_y":1}]}`)
		in.run(t, []row{
			{name: "shallow", who: "bo", call: "POST /api/dashboard/1/copy", body: `{}`, status: 200, want: "-",
				has: []string{`"name":"Source"`, `"description":"about"`, `"collection_id":null`, `"uncopied":[{"id":{hidden}}]`}, not: []string{"dashcards"}},
			{name: "named", who: "ada", call: "POST /api/dashboard/1/copy", body: `{"name":"Copy","description":"other","collection_id":{closed},"is_deep_copy":false}`, status: 200, want: "-",
				has: []string{`"name":"Copy"`, `"description":"other"`, `"collection_id":{closed}`}, not: []string{"uncopied"}},
			{name: "deep", who: "bo", call: "POST /api/dashboard/1/copy", body: `{"is_deep_copy":true,"name":"Deep"}`, status: 200, want: "-", has: []string{`"uncopied":[{"id":{hidden}}]`}},
			{name: "deep copies are there", who: "bo", call: "GET /api/card", status: 200, want: "-", has: []string{"orders - Duplicate"}},
			{name: "forbidden collection", who: "bo", call: "POST /api/dashboard/1/copy", body: `{"collection_id":{closed}}`, status: 403, want: noPermission},
			{name: "unknown", who: "bo", call: "POST /api/dashboard/99/copy", body: `{}`, status: 404, want: "Not found."},
			{name: "blank name", who: "bo", call: "POST /api/dashboard/1/copy", body: `{"name":""}`, status: 400, want: "-", has: []string{`"errors":{"name":`}},
		})
		in.question(t, "own", access.RootCollection, 1)
		in.run(t, []row{
			{name: "placed", who: "bo", call: "GET /api/dashboard/1", status: 200, want: "-", has: []string{`"name":"own"`}},
			{name: "items", who: "bo", call: "GET /api/dashboard/1/items", status: 200, want: "-", has: []string{`"total":1`, `"name":"own"`, `"dashboard":{"id":1,"name":"Source"}`}},
			{name: "items, unknown", who: "bo", call: "GET /api/dashboard/99/items", status: 404, want: "Not found."},
			{name: "shallow copy of questions", who: "bo", call: "POST /api/dashboard/1/copy", body: `{}`, status: 400,
				want: "You cannot do a shallow copy of this dashboard because it contains Dashboard Questions."},
			{name: "revisions", who: "bo", call: "GET /api/revision/dashboard/1", status: 200, want: "-", has: []string{"added a card", "added 2 cards", `"is_creation":true`}},
		})
	})
}

// TestDashboardsOfRestrictedKeys: a key that is bound to a collection sees what
// lies in it, and one that is bound to a dashboard sees that.
func TestDashboardsOfRestrictedKeys(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ops := in.folder(t, "ops")
		in.question(t, "inside", ops, 0)
		in.question(t, "outside", access.RootCollection, 0)
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"Inside","collection_id":{ops}}`)
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"Outside"}`)
		d := in.dashboard(t, "ada", "PUT /api/dashboard/1", `{"dashcards":[
			{"id":-1,"card_id":{inside},"row":0,"col":0,"size_x":1,"size_y":1},{"id":-2,"card_id":{outside},"row":1,"col":0,"size_x":1,"size_y":1}]}`)
		in.names["first"], in.names["second"] = fmt.Sprint(d.Dashcards[0].ID), fmt.Sprint(d.Dashcards[1].ID)
		in.addRestricted(t, "inops", `{"resources":{"collections":[{ops}]}}`)
		in.addRestricted(t, "onlyone", `{"resources":{"dashboards":[1]}}`)
		in.addRestricted(t, "readonly", `{"scopes":["dashboards:read"]}`)
		in.addRestricted(t, "boards", `{"scopes":["dashboards:write"]}`)
		run := func(dashcard, card string) string {
			return "POST /api/dashboard/1/dashcard/" + dashcard + "/card/" + card + "/query"
		}
		in.run(t, []row{
			{name: "list", who: "inops", call: "GET /api/dashboard", status: 200, want: "-", has: []string{`"name":"Inside"`}, not: []string{"Outside"}},
			{name: "get", who: "inops", call: "GET /api/dashboard/1", status: 200, want: "-", has: []string{`"name":"inside"`, `"card":{"id":{outside}}`}},
			{name: "get outside", who: "inops", call: "GET /api/dashboard/2", status: 403, want: noPermission},
			{name: "create outside", who: "inops", call: "POST /api/dashboard", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "create", who: "inops", call: "POST /api/dashboard", body: `{"name":"x","collection_id":{ops}}`, status: 200, want: "-"},
			{name: "move outside", who: "inops", call: "PUT /api/dashboard/1", body: `{"collection_id":null}`, status: 403, want: noPermission},
			{name: "copy outside", who: "inops", call: "POST /api/dashboard/1/copy", body: `{}`, status: 403, want: noPermission},
			{name: "question from outside", who: "inops", call: "PUT /api/dashboard/3", body: `{"dashcards":[{"id":-1,"card_id":{outside},"row":0,"col":0,"size_x":1,"size_y":1}]}`, status: 403, want: noPermission},
			{name: "run", who: "inops", call: run("{first}", "{inside}"), status: 202, want: "-"},
			{name: "run outside", who: "inops", call: run("{second}", "{outside}"), status: 403, want: noPermission},
			{name: "revisions outside", who: "inops", call: "GET /api/revision/dashboard/2", status: 403, want: noPermission},

			{name: "the one", who: "onlyone", call: "GET /api/dashboard/1", status: 200, want: "-"},
			{name: "rename the one", who: "onlyone", call: "PUT /api/dashboard/1", body: `{"name":"Mine"}`, status: 200, want: "-"},
			{name: "another", who: "onlyone", call: "GET /api/dashboard/2", status: 403, want: noPermission},
			{name: "delete another", who: "onlyone", call: "DELETE /api/dashboard/2", status: 403, want: noPermission},
			{name: "all", who: "onlyone", call: "GET /api/dashboard", status: 403, want: noPermission},

			{name: "read-only", who: "readonly", call: "GET /api/dashboard/1", status: 200, want: "-"},
			{name: "read-only runs", who: "readonly", call: run("{first}", "{inside}"), status: 202, want: "-"},
			{name: "read-only edits", who: "readonly", call: "PUT /api/dashboard/1", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "deep copy makes questions", who: "boards", call: "POST /api/dashboard/1/copy", body: `{"is_deep_copy":true}`, status: 403, want: noPermission},
			{name: "shallow copy", who: "boards", call: "POST /api/dashboard/1/copy", body: `{}`, status: 200, want: "-"},
		})
	})
}

// TestDashboardsTakeNoNonsense puts every kind of value into every field: an
// answer is never an internal error, and a refused call changes nothing.
func TestDashboardsTakeNoNonsense(t *testing.T) {
	values := []string{`null`, `true`, `0`, `-1`, `1.5`, `1e99`, `9223372036854775807`, `"x"`, `""`, `"\u0000"`, `"5"`, `[]`, `[null]`, `[5]`, `["x"]`, `[[]]`,
		`{}`, `[{}]`, `{"id":1}`, `[{"id":-1}]`, `[{"id":"a","type":"id"}]`, `[{"id":-1,"name":"t"},{"id":-1,"name":"t"}]`,
		`[{"id":-1,"row":9e18,"col":0,"size_x":1,"size_y":1}]`, `[{"id":-1,"row":0,"col":0,"size_x":1,"size_y":1,"parameter_mappings":[{"parameter_id":5,"target":1}]}]`}
	fields := map[string]string{
		"PUT /api/dashboard/1": `name description caveats points_of_interest show_in_getting_started enable_embedding embedding_type embedding_params
			parameters position width archived auto_apply_filters collection_id collection_position cache_ttl dashcards tabs`,
		"POST /api/dashboard":        "name description parameters cache_ttl collection_id collection_position",
		"POST /api/dashboard/1/copy": "name description collection_id collection_position is_deep_copy",
		"PUT /api/dashboard/1/cards": "cards tabs",
	}
	inDashcard := strings.Fields("id card_id dashboard_tab_id row col size_x size_y parameter_mappings visualization_settings inline_parameters series")
	eachInstance(t, func(t *testing.T, in *instance) {
		in.question(t, "orders", access.RootCollection, 0)
		in.dashboard(t, "ada", "POST /api/dashboard", `{"name":"D"}`)
		whole := func() string { return in.do("ada", "GET", "/api/dashboard/1", "").Body.String() }
		before := whole()
		try := func(call, body string) {
			t.Helper()
			method, target, _ := strings.Cut(call, " ")
			rec := in.do("ada", method, target, body)
			if rec.Code >= 500 {
				t.Errorf("%s %s: %d %s", call, body, rec.Code, rec.Body)
			}
			after := whole()
			if rec.Code >= 400 && after != before {
				t.Errorf("%s %s: %d, and something changed:\n%s\n%s", call, body, rec.Code, before, after)
			}
			before = after
			checkForm(t, rec)
		}
		for _, v := range values {
			for call, list := range fields {
				for field := range strings.FieldsSeq(list) {
					body := `{"` + field + `":` + v + `}`
					if field != "name" {
						body = `{"name":"n","` + field + `":` + v + `}`
					}
					try(call, body)
				}
			}
			try("PUT /api/dashboard/1", `{"archived":false}`)
			for _, field := range inDashcard {
				var parts []string
				for part := range strings.SplitSeq(`"id":-1,"row":0,"col":0,"size_x":1,"size_y":1`, ",") {
					if !strings.HasPrefix(part, `"`+field+`"`) {
						parts = append(parts, part)
					}
				}
				try("PUT /api/dashboard/1", in.fill(`{"dashcards":[{"`+field+`":`+v+`,`+strings.Join(parts, ",")+`}]}`))
			}
			for _, path := range []string{"/copy", "/dashcard/1/card/1/query", "/dashcard/1/card/1/query/csv"} {
				try("POST /api/dashboard/1"+path, `{"parameters":`+v+`}`)
				try("POST /api/dashboard/1"+path, v)
			}
		}
	})
}

package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/opt"
)

const (
	native5   = `{"database":1,"lib/type":"mbql/query","stages":[{"lib/type":"mbql.stage/native","native":"select 1"}]}`
	nativeOld = `{"database":1,"native":{"query":"select 1"},"type":"native"}`
	newCard   = `{"name":"Daily orders","display":"table","visualization_settings":{},"dataset_query":` + native5 + `}`
)

// shelve makes the collections Ops, which analysts curate, and Secret, which
// only administrators see.
func (in *instance) shelve(t *testing.T, d *db.DB) {
	t.Helper()
	for _, name := range []string{"ops", "secret"} {
		f, err := in.content.CreateCollection(t.Context(), access.CommandLine(), content.NewCollection{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		in.names[name] = jsonText(f.ID)
		if name == "ops" {
			in.names["ops_entity"] = f.EntityID
			continue
		}
		err = d.InTx(t.Context(), func(ctx context.Context) error {
			if _, err := d.Exec(ctx, "UPDATE collection SET grants = '' WHERE id = ?1", f.ID); err != nil {
				return err
			}
			return d.Record(ctx, db.ChangedCollection, f.ID)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func eachCards(t *testing.T, f func(t *testing.T, in *instance)) {
	t.Helper()
	eachFurnished(t, func(t *testing.T, in *instance, d *db.DB) {
		in.shelve(t, d)
		f(t, in)
	})
}

// object sends a request that must succeed, and returns its answer.
func (in *instance) object(t *testing.T, who, call, body string) map[string]any {
	t.Helper()
	method, target, _ := strings.Cut(in.fill(call), " ")
	rec := in.do(who, method, target, in.fill(body))
	var out map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 {
		t.Fatalf("%s: %d %s", call, rec.Code, rec.Body)
	}
	return out
}

func (in *instance) newCard(t *testing.T, name, collection string) {
	t.Helper()
	c := in.object(t, "ada", "POST /api/card", `{"name":"`+name+`","display":"table","visualization_settings":{},"collection_id":`+collection+
		`,"dataset_query":`+native5+`}`)
	in.names[name] = jsonText(c["id"])
	in.names[name+"_entity"], _ = c["entity_id"].(string)
}

func TestCardIsShownWhole(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		c := in.object(t, "ada", "POST /api/card", `{"name":"Daily orders","display":"table","visualization_settings":{"a":{"b":1}},"collection_id":{ops},
			"dataset_query":`+native5+`,"parameters":[],"parameter_mappings":[],"cache_ttl":5,"zip":1,"result_metadata":[{"name":"1"}]}`)
		for _, key := range []string{
			"id", "entity_id", "name", "description", "type", "display", "dataset_query", "query_type", "database_id", "table_id",
			"visualization_settings", "result_metadata", "parameters", "parameter_mappings", "collection_id", "collection",
			"collection_position", "collection_preview", "archived", "archived_directly", "cache_ttl", "cache_invalidated_at",
			"enable_embedding", "embedding_type", "embedding_params", "public_uuid", "made_public_by_id", "initially_published_at",
			"dashboard_id", "dashboard", "document_id", "source_card_id", "creator_id", "creator", "can_write", "can_restore",
			"can_delete", "can_manage_db", "dashboard_count", "parameter_usage_count", "average_query_time", "last_query_start",
			"moderation_reviews", "param_fields", "is_remote_synced", "last-edit-info", "view_count", "metabase_version",
			"card_schema", "created_at", "updated_at",
		} {
			if _, ok := c[key]; !ok {
				t.Errorf("without %s", key)
			}
		}
		in.names["card"] = jsonText(c["id"])
		got := in.object(t, "bo", "GET /api/card/{card}", "")
		for key, want := range map[string]string{
			"dataset_query": native5, "query_type": `"native"`, "database_id": "1", "table_id": "null", "parameters": "[]",
			"parameter_mappings": "[]", "visualization_settings": `{"a":{"b":1}}`, "cache_ttl": "5", "type": `"question"`,
			"collection_id": in.names["ops"], "creator_id": in.names["ada"], "result_metadata": `[{"name":"1"}]`, "can_write": "true",
		} {
			if jsonText(got[key]) != want {
				t.Errorf("%s is %s, want %s", key, jsonText(got[key]), want)
			}
		}
		old := in.object(t, "bo", "GET /api/card/{card}?legacy-mbql=true", "")
		if jsonText(old["dataset_query"]) != nativeOld {
			t.Errorf("legacy %s", jsonText(old["dataset_query"]))
		}
		entity, _ := got["entity_id"].(string)
		if byEntity := in.object(t, "bo", "GET /api/card/"+entity, ""); jsonText(byEntity["id"]) != in.names["card"] {
			t.Errorf("by entity id: %v", byEntity["id"])
		}
		root := in.object(t, "bo", "POST /api/card/", newCard)
		if root["collection_id"] != nil || !strings.Contains(jsonText(root["collection"]), `"is-root?"`) && !strings.Contains(jsonText(root["collection"]), "root/is-root?") {
			t.Errorf("root: %v", root["collection"])
		}
	})
}

func TestCardList(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.newCard(t, "beta", "{ops}")
		in.newCard(t, "alpha", "null")
		in.newCard(t, "hidden", "{secret}")
		in.newCard(t, "trashed", "null")
		in.object(t, "ada", "PUT /api/card/{trashed}", `{"archived":true}`)
		in.object(t, "bo", "POST /api/card", `{"name":"of bo","display":"bar","visualization_settings":{},"dataset_query":
			{"database":3,"type":"query","query":{"source-table":7}}}`)
		using := in.object(t, "ada", "POST /api/card", `{"name":"using alpha","display":"bar","visualization_settings":{},"dataset_query":
			{"database":-1337,"type":"query","query":{"source-table":"card__{alpha}"}}}`)
		if jsonText(using["database_id"]) != "1" || jsonText(using["source_card_id"]) != in.names["alpha"] {
			t.Errorf("database %v, source %v", using["database_id"], using["source_card_id"])
		}
		in.object(t, "bo", "POST /api/bookmark/card/{beta}", "")
		names := func(who, query string) string {
			t.Helper()
			rec := in.do(who, "GET", in.fill("/api/card"+query), "")
			var list []struct {
				Name         string          `json:"name"`
				DatasetQuery json.RawMessage `json:"dataset_query"`
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
				t.Fatalf("%s: %s", query, rec.Body)
			}
			var out []string
			for _, c := range list {
				if len(c.DatasetQuery) == 0 {
					t.Errorf("%s without a query", c.Name)
				}
				out = append(out, c.Name)
			}
			return strings.Join(out, ", ")
		}
		for _, tt := range []struct{ who, query, want string }{
			{"ada", "", "alpha, beta, hidden, of bo, using alpha"},
			{"bo", "?f=all", "alpha, beta, of bo, using alpha"},
			{"bo", "?f=all&limit=1", "alpha, beta, of bo, using alpha"},
			{"bo", "?f=mine", "of bo"},
			{"bo", "?f=archived", "trashed"},
			{"bo", "?f=bookmarked", "beta"},
			{"ada", "?f=bookmarked", ""},
			{"bo", "?f=database&model_id=1", "alpha, beta, using alpha"},
			{"bo", "?f=table&model_id=7", "of bo"},
			{"bo", "?f=using_model&model_id={alpha}", "using alpha"},
		} {
			if got := names(tt.who, tt.query); got != tt.want {
				t.Errorf("%s for %s: %s, want %s", tt.query, tt.who, got, tt.want)
			}
		}
		in.run(t, []row{
			{"unknown filter", "bo", "GET /api/card?f=zip", "", 400, "-", []string{`"f":"nullable enum of all, mine`}, nil},
			{"no model", "bo", "GET /api/card?f=table", "", 400, `{"errors":{"model_id":"model_id is a required parameter when filter mode is 'table'"}}`, nil, nil},
			{"bad model", "bo", "GET /api/card?f=table&model_id=x", "", 400, "-", []string{`"model_id":"nullable value must be an integer greater than zero."`}, nil},
			{"hidden model", "bo", "GET /api/card?f=using_model&model_id={hidden}", "", 403, noPermission, nil, nil},
			{"unknown model", "bo", "GET /api/card?f=using_model&model_id=999", "", 404, "Not found.", nil, nil},
			{"segment", "bo", "GET /api/card?f=using_segment&model_id=1", "", 404, "Not found.", nil, nil},
		})
	})
}

func TestCardBadInput(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.newCard(t, "mine", "{ops}")
		in.newCard(t, "hidden", "{secret}")
		long := strings.Repeat("x", 255)
		with := func(key, value string) string {
			var m map[string]json.RawMessage
			_ = json.Unmarshal([]byte(newCard), &m)
			if value == "" {
				delete(m, key)
			} else {
				m[key] = json.RawMessage(in.fill(value))
			}
			return jsonText(m)
		}
		missing := func(field, text string) string {
			return invalid(field, text, "missing required key, received: nil")
		}
		post := "POST /api/card"
		in.run(t, []row{
			{"no name", "bo", post, with("name", ""), 400, missing("name", "value must be a non-blank string."), nil, nil},
			{"blank name", "bo", post, with("name", `" "`), 400, "-", []string{`"name":"value must be a non-blank string."`}, nil},
			{"long name", "bo", post, with("name", `"`+long+`"`), 400, "-", []string{`"name"`}, nil},
			{"no query", "bo", post, with("dataset_query", ""), 400, missing("dataset_query", "Value must be a map."), nil, nil},
			{"query of another type", "bo", post, with("dataset_query", `"x"`), 400, "-", []string{`"dataset_query":"Value must be a map."`}, nil},
			{"empty query", "bo", post, with("dataset_query", `{}`), 400, "-", []string{`{"errors":{"dataset_query":`}, nil},
			{"no display", "bo", post, with("display", ""), 400, missing("display", "value must be a non-blank string."), nil, nil},
			{"no settings", "bo", post, with("visualization_settings", ""), 400, missing("visualization_settings", "Value must be a map."), nil, nil},
			{"null settings", "bo", post, with("visualization_settings", "null"), 400, "-", []string{`visualization_settings`}, nil},
			{"blank description", "bo", post, with("description", `""`), 400, "-", []string{`"description"`}, nil},
			{"unknown type", "bo", post, with("type", `"zip"`), 400, "-", []string{`"type":"nullable enum of question, model, metric"`}, nil},
			{"parameters", "bo", post, with("parameters", `"abc"`), 400,
				invalid("parameters", "nullable sequence of parameter must be a map with :id and :type keys", `invalid type, received: "abc"`), nil, nil},
			{"parameters without a type", "bo", "PUT /api/card/{mine}", `{"parameters":[{"id":"a"}]}`, 400, "-", []string{`"parameters":"nullable sequence of parameter must be a map`}, nil},
			{"ttl", "bo", post, with("cache_ttl", `0`), 400, "-", []string{`"cache_ttl"`}, nil},
			{"collection of another type", "bo", post, with("collection_id", `[1]`), 400, "-", []string{`"collection_id"`}, nil},
			{"unknown collection", "bo", post, with("collection_id", `999`), 404, "Not found.", nil, nil},
			{"unknown entity id", "bo", post, with("collection_id", `"aaaaaaaaaaaaaaaaaaaaa"`), 404, "Not found.", nil, nil},
			{"hidden collection", "bo", post, with("collection_id", `{secret}`), 403, noPermission, nil, nil},
			{"the trash", "ada", post, with("collection_id", `1`), 403, noPermission, nil, nil},
			{"unknown dashboard", "bo", post, with("dashboard_id", `77`), 404, "Not found.", nil, nil},
			{"no metric", "bo", post, with("type", `"metric"`), 400, "Card of type metric is invalid, cannot be saved.", nil, nil},
			{"unknown card", "bo", post, with("dataset_query", `{"database":1,"type":"query","query":{"source-table":"card__999"}}`), 400,
				`{"errors":{"dataset_query":"Card 999 does not exist."}}`, nil, nil},
			{"hidden card", "bo", post, with("dataset_query", `{"database":1,"type":"query","query":{"source-table":"card__{hidden}"}}`), 403, "-",
				[]string{`"message":"You cannot save this Question because you do not have permissions to run its query."`, `"query":{"database":1,`, `"required-perms":[]`}, nil},
			{"closed database", "bo", post, with("dataset_query", `{"database":9,"type":"native","native":{"query":"select 1"}}`), 403, "-",
				[]string{`"message":"You cannot save this Question`}, nil},
			{"change to a closed database", "bo", "PUT /api/card/{mine}", `{"name":"lost","dataset_query":{"database":9,"type":"native","native":{"query":"select 1"}}}`, 403, "-",
				[]string{`"message":"You cannot save this Question`}, nil},
			{"itself", "bo", "PUT /api/card/{mine}", `{"dataset_query":{"database":1,"type":"native","native":{"query":"select * from {{#{mine}}}"}}}`, 400,
				"Cannot save card with cycles.", nil, nil},
			{"null name", "bo", "PUT /api/card/{mine}", `{"name":null}`, 200, "-", []string{`"name":"mine"`}, nil},
			{"blank name of a change", "bo", "PUT /api/card/{mine}", `{"name":""}`, 400, "-", []string{`"name"`}, nil},
			{"archived of another type", "bo", "PUT /api/card/{mine}", `{"archived":"perhaps"}`, 400, "-", []string{`"archived"`}, nil},
			{"position", "bo", "PUT /api/card/{mine}", `{"collection_position":-1}`, 400, "-", []string{`"collection_position"`}, nil},
			{"to a hidden collection", "bo", "PUT /api/card/{mine}", `{"collection_id":{secret}}`, 403, noPermission, nil, nil},
			{"to an unknown collection", "bo", "PUT /api/card/{mine}", `{"collection_id":999}`, 404, "Not found.", nil, nil},
			{"embedding by a person", "bo", "PUT /api/card/{mine}", `{"enable_embedding":true}`, 403, noPermission, nil, nil},
			{"embedding that is off", "ada", "PUT /api/card/{mine}", `{"enable_embedding":true}`, 400, "Embedding is not enabled.", nil, nil},
			{"embedding as it is", "bo", "PUT /api/card/{mine}", `{"enable_embedding":false,"embedding_params":null}`, 200, "-", nil, nil},
			{"trash and dashboard", "bo", "PUT /api/card/{mine}", `{"archived":true,"dashboard_id":7}`, 400, "-", nil, nil},
			{"hidden", "bo", "PUT /api/card/{hidden}", `{"name":"x"}`, 403, noPermission, nil, nil},
			{"get hidden", "bo", "GET /api/card/{hidden}", "", 403, noPermission, nil, nil},
			{"get hidden by entity", "bo", "GET /api/card/{hidden_entity}", "", 403, noPermission, nil, nil},
			{"get unknown", "bo", "GET /api/card/999", "", 404, "Not found.", nil, nil},
			{"get unknown entity", "bo", "GET /api/card/aaaaaaaaaaaaaaaaaaaaa", "", 404, "Not found.", nil, nil},
			{"get a word", "bo", "GET /api/card/zip", "", 404, noRoute, nil, nil},
			{"put unknown", "bo", "PUT /api/card/999", `{}`, 404, "Not found.", nil, nil},
			{"delete hidden", "bo", "DELETE /api/card/{hidden}", "", 403, noPermission, nil, nil},
			{"delete unknown", "bo", "DELETE /api/card/999", "", 404, "Not found.", nil, nil},
			{"copy hidden", "bo", "POST /api/card/{hidden}/copy", "", 403, noPermission, nil, nil},
			{"copy unknown", "bo", "POST /api/card/999/copy", "", 404, "Not found.", nil, nil},
			{"move nothing", "bo", "POST /api/card/collections", `{"collection_id":{ops}}`, 400, "-", []string{`"card_ids"`}, nil},
			{"move words", "bo", "POST /api/card/collections", `{"card_ids":["x"],"collection_id":{ops}}`, 400, "-", []string{`"card_ids"`}, nil},
			{"move hidden", "bo", "POST /api/card/collections", `{"card_ids":[{mine},{hidden}],"collection_id":null}`, 403, noPermission, nil, nil},
			{"move unknown", "bo", "POST /api/cards/move", `{"card_ids":[{mine},999],"collection_id":null}`, 404, "Not found.", nil, nil},
			{"move to hidden", "bo", "POST /api/card/collections", `{"card_ids":[{mine}],"collection_id":{secret}}`, 403, noPermission, nil, nil},
			{"move to nothing", "bo", "POST /api/cards/move", `{"card_ids":[{mine}]}`, 400, "-", nil, nil},
			{"dashboards of hidden", "bo", "POST /api/cards/dashboards", `{"card_ids":[{hidden}]}`, 403, noPermission, nil, nil},
			{"dashboards", "bo", "POST /api/cards/dashboards", `{"card_ids":[{mine}]}`, 200, `[{"card_id":{mine},"dashboards":[]}]`, nil, nil},
			{"series", "bo", "GET /api/card/{mine}/series", "", 400, "-", []string{`"message":"Card with type table is not compatible to have series"`, `"allowed-display":`}, nil},
			{"nothing has changed", "bo", "GET /api/card/{mine}", "", 200, "-", []string{`"name":"mine"`, `"collection_id":{ops},`, `"archived":false`}, nil},
		})
	})
}

func TestCardChanges(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.newCard(t, "card", "{ops}")
		put := "PUT /api/card/{card}"
		in.run(t, []row{
			{"rename", "bo", put, `{"name":"New","description":"d"}`, 200, "-", []string{`"name":"New"`, `"description":"d"`, `"can_write":true`}, nil},
			{"describe with nothing", "bo", put, `{"description":null}`, 200, "-", []string{`"description":null`}, nil},
			{"model is a table", "bo", put, `{"type":"model","display":"bar"}`, 200, "-", []string{`"type":"model","display":"table"`}, nil},
			{"model is a list", "bo", put, `{"display":"list"}`, 200, "-", []string{`"type":"model","display":"list"`}, nil},
			{"question again", "bo", put, `{"type":"question","display":"bar"}`, 200, "-", []string{`"type":"question","display":"bar"`}, nil},
			{"legacy query", "bo", put, `{"dataset_query":{"type":"query","database":2,"query":{"source-table":7,"aggregation":[["count"]]}}}`, 200, "-",
				[]string{`"query_type":"query","database_id":2,"table_id":7`, `"lib/type":"mbql/query"`}, nil},
			{"metric", "bo", put, `{"type":"metric"}`, 200, "-", []string{`"type":"metric"`}, nil},
			{"no metric any more", "bo", put, `{"dataset_query":` + native5 + `}`, 400, "Card of type metric is invalid, cannot be saved.", nil, nil},
			{"back", "bo", put, `{"type":"question","dataset_query":` + native5 + `}`, 200, "-", []string{`"query_type":"native","database_id":1,"table_id":null`}, nil},
			{"move", "bo", put, `{"collection_id":null}`, 200, "-", []string{`"collection_id":null`}, nil},
			{"move by entity id", "bo", put, `{"collection_id":"{ops_entity}"}`, 200, "-", []string{`"collection_id":{ops},`}, nil},
			{"pin", "bo", put, `{"collection_position":1}`, 200, "-", []string{`"collection_position":1`}, nil},
			{"archive discards the collection", "bo", put, `{"archived":true,"collection_id":null}`, 200, "-",
				[]string{`"collection_id":{ops},`, `"archived":true,"archived_directly":true`, `"can_restore":true,"can_delete":true`}, nil},
			{"in the trash", "bo", "GET /api/card/{card}", "", 200, "-", []string{`"collection_id":1,`, `"archived":true`}, nil},
			{"again", "bo", put, `{"archived":true}`, 200, "-", []string{`"archived":true`}, nil},
			{"restore", "bo", put, `{"archived":false}`, 200, "-", []string{`"collection_id":{ops},`, `"archived":false`}, nil},
			{"a whole answer comes back", "bo", put, jsonText(in.object(t, "bo", "GET /api/card/{card}", "")), 200, "-", nil, nil},
			{"copy", "bo", "POST /api/card/{card}/copy", "", 200, "-", []string{`"name":"Copy of card"`, `"collection_id":{ops},`}, nil},
			{"move many", "bo", "POST /api/card/collections", `{"card_ids":[{card}],"collection_id":null}`, 200, `{"status":"ok"}`, nil, nil},
			{"moved", "bo", "GET /api/card/{card}", "", 200, "-", []string{`"collection_id":null`}, nil},
			{"move many again", "bo", "POST /api/cards/move", `{"card_ids":[{card}],"collection_id":{ops}}`, 200, `{"status":"success"}`, nil, nil},
			{"revisions", "bo", "GET /api/revision/card/{card}", "", 200, "-",
				[]string{`"description":"renamed this Card from \"card\" to \"New\" and added a description."`, `"description":"created this."`, `"description":"trashed this Card."`, `"description":"modified the query and changed the type from metric to question."`}, nil},
			{"delete", "bo", "DELETE /api/card/{card}", "", 204, "", nil, nil},
			{"gone", "bo", "GET /api/card/{card}", "", 404, "Not found.", nil, nil},
		})
	})
}

func TestCardRevert(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.newCard(t, "card", "{ops}")
		in.newCard(t, "hidden", "{secret}")
		in.object(t, "bo", "PUT /api/card/{card}", `{"name":"Second","dataset_query":{"database":1,"type":"native","native":{"query":"select 2"}},"collection_id":null}`)
		revisions := func(card string) []any {
			var list []any
			rec := in.do("ada", "GET", in.fill("/api/revision?entity=card&id="+card), "")
			if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
				t.Fatalf("%s", rec.Body)
			}
			return list
		}
		first, _ := revisions("{card}")[1].(map[string]any)
		in.names["first"] = jsonText(first["id"])
		other, _ := revisions("{hidden}")[0].(map[string]any)
		in.names["other"] = jsonText(other["id"])
		revert := "POST /api/revision/revert"
		in.run(t, []row{
			{"of another card", "bo", revert, `{"entity":"card","id":{card},"revision_id":{other}}`, 404, "Not found.", nil, nil},
			{"unknown", "bo", revert, `{"entity":"card","id":{card},"revision_id":999}`, 404, "Not found.", nil, nil},
			{"unknown card", "bo", revert, `{"entity":"card","id":999,"revision_id":1}`, 404, "Not found.", nil, nil},
			{"hidden card", "bo", revert, `{"entity":"card","id":{hidden},"revision_id":{other}}`, 403, noPermission, nil, nil},
			{"segment", "bo", revert, `{"entity":"segment","id":1,"revision_id":1}`, 404, "Not found.", nil, nil},
			{"unknown entity", "bo", revert, `{"entity":"zip","id":1,"revision_id":1}`, 400, "-", []string{`"entity":"enum of card,`}, nil},
			{"nothing", "bo", revert, `{}`, 400, "-", []string{`"entity"`, `"id"`, `"revision_id"`}, nil},
			{"list of nothing", "bo", "GET /api/revision", "", 400, "-", []string{`"entity"`, `"id"`}, nil},
			{"list of hidden", "bo", "GET /api/revision/card/{hidden}", "", 403, noPermission, nil, nil},
			{"list of unknown", "bo", "GET /api/revision?entity=card&id=999", "", 404, "Not found.", nil, nil},
			{"list of a dashboard", "bo", "GET /api/revision/dashboard/999", "", 404, "Not found.", nil, nil},
			{"back", "bo", revert, `{"entity":"card","id":{card},"revision_id":{first}}`, 200, "-",
				[]string{`"is_reversion":true`, `"description":"reverted to an earlier version."`, `"most_recent":true`, `"common_name":"Bo K"`, `"before":{`, `"name":"Second"`}, []string{"@"}},
			{"it is as it was, where it was", "bo", "GET /api/card/{card}", "", 200, "-", []string{`"name":"card"`, `"native":"select 1"`, `"collection_id":{ops},`}, nil},
		})
	})
}

func TestCardRestoreNeedsAPlace(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.newCard(t, "card", "{ops}")
		in.object(t, "bo", "PUT /api/card/{card}", `{"archived":true}`)
		if _, err := in.content.UpdateCollection(t.Context(), access.CommandLine(), mustID(in.names["ops"]), content.CollectionChange{Archived: opt.Of(true)}); err != nil {
			t.Fatal(err)
		}
		in.run(t, []row{
			{"its collection is in the trash", "bo", "PUT /api/card/{card}", `{"archived":false}`, 400, "Invalid Request.", nil, nil},
			{"elsewhere", "bo", "PUT /api/card/{card}", `{"archived":false,"collection_id":null}`, 200, "-", []string{`"archived":false`, `"collection_id":null`}, nil},
			{"into the trashed one", "bo", "PUT /api/card/{card}", `{"collection_id":{ops}}`, 400, "Invalid Request.", nil, nil},
		})
	})
}

func mustID(text string) int64 {
	var id int64
	if err := json.Unmarshal([]byte(text), &id); err != nil {
		return -1
	}
	return id
}

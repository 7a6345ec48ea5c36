package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// sqlCard makes a question of SQL on the sample database.
func (in *instance) sqlCard(t *testing.T, name, collection, sql, rest string) map[string]any {
	t.Helper()
	q, _ := json.Marshal(in.fill(sql))
	c := in.object(t, "ada", "POST /api/card", `{"name":"`+name+`","display":"table","visualization_settings":{},"collection_id":`+collection+
		`,"dataset_query":{"database":1,"type":"native","native":{"query":`+string(q)+`}}`+rest+`}`)
	in.names[name] = jsonText(c["id"])
	return c
}

func TestCardRuns(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		c := in.sqlCard(t, "Orders", "{ops}", `SELECT count(*) AS n FROM orders;`, "")
		if columns := jsonText(c["result_metadata"]); !strings.Contains(columns, `"name":"n"`) {
			t.Errorf("columns %s", columns)
		}
		in.sqlCard(t, "hidden", "{secret}", `SELECT 1`, "")
		in.sqlCard(t, "asks", "{ops}", `SELECT {{x}} AS x`,
			`,"parameters":[{"id":"p1","type":"category","slug":"x","name":"X","target":["variable",["template-tag","x"]]}]`)
		in.sqlCard(t, "over", "{ops}", `SELECT n + 1 AS m FROM {{#{Orders}}}`, "")
		in.sqlCard(t, "overhidden", "{ops}", `SELECT * FROM {{#{hidden}}}`, "")
		run := func(card, body string, status int) (answerOf, string) {
			t.Helper()
			return in.ask(t, "bo", in.fill("/api/card/{"+card+"}/query"), body, status)
		}
		out, raw := run("Orders", `{"parameters":[],"ignore_cache":false,"collection_preview":true}`, http.StatusAccepted)
		if out.Status != "completed" || out.Data.Rows[0][0] != 20000.0 || out.Context != "question" || out.JSONQuery == nil || !strings.Contains(raw, `"card_id":`) {
			t.Errorf("%s", raw)
		}
		if out, raw = run("Orders", "", http.StatusAccepted); out.RowCount != 1 {
			t.Errorf("%s", raw)
		}
		if out, raw = run("asks", `{"parameters":[{"id":"p1","value":"a'b"}]}`, http.StatusAccepted); out.Data.Rows[0][0] != "a'b" {
			t.Errorf("%s", raw)
		}
		if out, raw = run("asks", `{"parameters":[{"type":"category","target":["variable",["template-tag","y"]],"value":"1"}]}`, http.StatusBadRequest); out.Status != "failed" || !strings.Contains(out.Error, `does not have a template tag named "y"`) || out.ErrorType != "invalid-parameter" {
			t.Errorf("%s", raw)
		}
		if out, raw = run("over", "", http.StatusAccepted); out.Data.Rows[0][0] != 20001.0 {
			t.Errorf("%s", raw)
		}
		if out, raw = run("overhidden", "", http.StatusForbidden); out.Error != in.fill("You do not have permissions to view Card {hidden}.") {
			t.Errorf("%s", raw)
		}
		for format, want := range map[string]string{"csv": "n\n20000\n", "json": `[{"n":20000}]`} {
			for _, body := range []string{"", "{}", "parameters=null", "parameters=%5B%5D&format_rows=false&pivot_results=false", `{"parameters":[]}`} {
				rec := in.do("bo", "POST", in.fill("/api/card/{Orders}/query/"+format), body)
				got := strings.NewReplacer("\r", "", "\n", "\\n").Replace(rec.Body.String())
				if rec.Code != 200 || strings.Trim(got, "\\n") != strings.Trim(strings.ReplaceAll(want, "\n", "\\n"), "\\n") || !strings.Contains(rec.Header().Get("Content-Disposition"), "orders_") {
					t.Errorf("%s with %q: %d %s", format, body, rec.Code, got)
				}
			}
		}
		in.object(t, "bo", "PUT /api/card/{Orders}", `{"archived":true}`)
		if out, raw = run("Orders", "", http.StatusAccepted); out.RowCount != 1 {
			t.Errorf("in the trash: %s", raw)
		}
		in.run(t, []row{
			{"hidden", "bo", "POST /api/card/{hidden}/query", "{}", 403, noPermission, nil, nil},
			{"hidden file", "bo", "POST /api/card/{hidden}/query/csv", "", 403, noPermission, nil, nil},
			{"unknown", "bo", "POST /api/card/999/query", "{}", 404, "Not found.", nil, nil},
			{"unknown file", "bo", "POST /api/card/999/query/json", "{}", 404, "Not found.", nil, nil},
			{"bad parameters", "bo", "POST /api/card/{Orders}/query", `{"parameters":"abc"}`, 400, "-", []string{`"errors":{"parameters":`}, nil},
			{"unknown format", "bo", "POST /api/card/{Orders}/query/zip", "{}", 404, noRoute, nil, nil},
			{"get", "bo", "GET /api/card/{Orders}/query", "", 404, noRoute, nil, nil},
			{"xlsx", "bo", "POST /api/card/{Orders}/query/xlsx", "{}", 400, "-", []string{`"status":"failed"`}, nil},
			{"about", "bo", "GET /api/card/{Orders}/query_metadata", "", 200, "-", []string{`"databases":[{`, `"cards":[]`}, nil},
			{"about hidden", "bo", "GET /api/card/{hidden}/query_metadata", "", 403, noPermission, nil, nil},
			{"public list by a person", "bo", "GET /api/card/public", "", 403, noPermission, nil, nil},
			{"public list", "ada", "GET /api/card/public", "", 400, "Public sharing is not enabled.", nil, nil},
			{"embeddable", "ada", "GET /api/card/embeddable", "", 400, "Embedding is not enabled.", nil, nil},
			{"public link by a person", "bo", "POST /api/card/{over}/public_link", "", 403, noPermission, nil, nil},
			{"public link", "ada", "POST /api/card/{over}/public_link", "", 400, "Public sharing is not enabled.", nil, nil},
			{"public link of the trash", "ada", "POST /api/card/{Orders}/public_link", "", 404, "-", []string{`"error_code":"archived"`}, nil},
			{"public link away", "ada", "DELETE /api/card/{over}/public_link", "", 400, "Public sharing is not enabled.", nil, nil},
			{"public link of nothing", "ada", "DELETE /api/card/999/public_link", "", 404, "Not found.", nil, nil},
		})
	})
}

func TestCardFilterValues(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.sqlCard(t, "asks", "{ops}", `SELECT {{x}} AS x`, `,"parameters":[
			{"id":"p1","type":"category","values_source_type":"static-list","values_source_config":{"values":["paid",["o","open"]]}},
			{"id":"p2","type":"category"}]`)
		in.sqlCard(t, "hidden", "{secret}", `SELECT 1`, "")
		path := "GET /api/card/{asks}/params/"
		in.run(t, []row{
			{"all", "bo", path + "p1/values", "", 200, `{"values":[["paid"],["o","open"]],"has_more_values":false}`, nil, nil},
			{"some", "bo", path + "p1/search/OPE", "", 200, `{"values":[["o","open"]],"has_more_values":false}`, nil, nil},
			{"label", "bo", path + "p1/remapping?value=o", "", 200, `["o","open"]`, nil, nil},
			{"no label", "bo", path + "p1/remapping?value=z", "", 200, `["z"]`, nil, nil},
			{"none", "bo", path + "p2/values", "", 200, `{"values":[],"has_more_values":false}`, nil, nil},
			{"unknown", "bo", path + "p3/values", "", 400, `Card does not have a parameter with the ID "p3".`, nil, nil},
			{"hidden", "bo", "GET /api/card/{hidden}/params/p1/values", "", 403, noPermission, nil, nil},
			{"no card", "bo", "GET /api/card/999/params/p1/values", "", 404, "Not found.", nil, nil},
		})
	})
}

// TestCardsOfRestrictedKeys: a key that is bound to a collection sees what lies
// in it, one that is bound to a question that, and none of them more.
func TestCardsOfRestrictedKeys(t *testing.T) {
	eachCards(t, func(t *testing.T, in *instance) {
		in.sqlCard(t, "inside", "{ops}", `SELECT 1`, "")
		in.sqlCard(t, "outside", "null", `SELECT 1`, "")
		in.addRestricted(t, "of_ops", `{"resources":{"collections":[{ops}]}}`)
		in.addRestricted(t, "of_one", `{"resources":{"cards":[{inside}]}}`)
		in.addRestricted(t, "writer", `{"scopes":["cards:write","cards:read"]}`)
		in.addRestricted(t, "reads", `{"read_only":true}`)
		in.run(t, []row{
			{"list of a collection's key", "of_ops", "GET /api/card", "", 200, "-", []string{`"name":"inside"`}, []string{`"name":"outside"`}},
			{"inside", "of_ops", "GET /api/card/{inside}", "", 200, "-", nil, nil},
			{"run inside", "of_ops", "POST /api/card/{inside}/query", "", 202, "-", nil, nil},
			{"outside", "of_ops", "GET /api/card/{outside}", "", 403, noPermission, nil, nil},
			{"run outside", "of_ops", "POST /api/card/{outside}/query", "", 403, noPermission, nil, nil},
			{"take in what is outside", "of_ops", "PUT /api/card/{inside}", `{"dataset_query":{"database":1,"type":"native","native":{"query":"select * from {{#{outside}}}"}}}`, 403, "-",
				[]string{"You cannot save this Question"}, nil},
			{"move out", "of_ops", "PUT /api/card/{inside}", `{"collection_id":null}`, 403, noPermission, nil, nil},
			{"move many out", "of_ops", "POST /api/card/collections", `{"card_ids":[{inside}],"collection_id":null}`, 403, noPermission, nil, nil},
			{"move in", "of_ops", "POST /api/card/collections", `{"card_ids":[{outside}],"collection_id":{ops}}`, 403, noPermission, nil, nil},
			{"make outside", "of_ops", "POST /api/card", newCard, 403, noPermission, nil, nil},
			{"history outside", "of_ops", "GET /api/revision/card/{outside}", "", 403, noPermission, nil, nil},
			{"one", "of_one", "PUT /api/card/{inside}", `{"name":"one"}`, 200, "-", nil, nil},
			{"history of one", "of_one", "GET /api/revision/card/{inside}", "", 200, "-", nil, nil},
			{"another", "of_one", "GET /api/card/{outside}", "", 403, noPermission, nil, nil},
			{"list of one", "of_one", "GET /api/card", "", 403, noPermission, nil, nil},
			{"one and another", "of_one", "POST /api/card/collections", `{"card_ids":[{inside},{outside}],"collection_id":null}`, 403, noPermission, nil, nil},
			{"onto a dashboard", "writer", "PUT /api/card/{inside}", `{"dashboard_id":1}`, 403, noPermission, nil, nil},
			{"off others", "writer", "PUT /api/card/{inside}?delete_old_dashcards=true", `{}`, 403, noPermission, nil, nil},
			{"writer reverts", "writer", "POST /api/revision/revert", `{"entity":"card","id":{inside},"revision_id":1}`, 200, "-", nil, nil},
			{"writer writes", "writer", "PUT /api/card/{inside}", `{"name":"two"}`, 200, "-", nil, nil},
			{"reader runs", "reads", "POST /api/card/{inside}/query", "", 202, "-", nil, nil},
			{"reader downloads", "reads", "POST /api/card/{inside}/query/json", "", 200, "-", nil, nil},
			{"reader asks for dashboards", "reads", "POST /api/cards/dashboards", `{"card_ids":[{inside}]}`, 200, "-", nil, nil},
			{"reader copies", "reads", "POST /api/card/{inside}/copy", "", 403, noPermission, nil, nil},
		})
	})
}

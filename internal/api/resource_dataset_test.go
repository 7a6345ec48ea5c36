package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// answerOf is what tests look at in the answer to a query.
type answerOf struct {
	Data struct {
		Rows [][]any `json:"rows"`
		Cols []struct {
			Name     string `json:"name"`
			BaseType string `json:"base_type"`
		} `json:"cols"`
		Native struct {
			Query  string `json:"query"`
			Params []any  `json:"params"`
		} `json:"native_form"`
		Timezone  string `json:"results_timezone"`
		Truncated int    `json:"rows_truncated"`
	} `json:"data"`
	Status    string         `json:"status"`
	Error     string         `json:"error"`
	ErrorType string         `json:"error_type"`
	RowCount  int            `json:"row_count"`
	Context   string         `json:"context"`
	Database  int64          `json:"database_id"`
	JSONQuery map[string]any `json:"json_query"`
}

// ask runs a query and checks the status of the answer.
func (in *instance) ask(t *testing.T, who, path, body string, status int) (out answerOf, raw string) {
	t.Helper()
	rec := in.do(who, "POST", path, body)
	raw = rec.Body.String()
	if rec.Code != status {
		t.Fatalf("%s: status %d, want %d: %s", body, rec.Code, status, raw)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v: %s", body, err, raw)
	}
	return out, raw
}

func native(sql, rest string) string {
	q, _ := json.Marshal(sql)
	return `{"database":1,"type":"native","native":{"query":` + string(q) + `}` + rest + `}`
}

func TestDataset(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		for _, who := range []string{"ada", "bo", "reader", "root"} {
			out, raw := in.ask(t, who, "/api/dataset", native("SELECT count(*) AS n, 'x' AS t FROM orders", ""), http.StatusAccepted)
			if out.Status != "completed" || out.RowCount != 1 || out.Data.Rows[0][0] != 20000.0 || out.Data.Rows[0][1] != "x" ||
				out.Data.Cols[0].Name != "n" || out.Data.Cols[0].BaseType != "type/Integer" || out.Data.Cols[1].BaseType != "type/Text" ||
				out.Context != "ad-hoc" || out.Database != 1 || out.Data.Timezone != "UTC" || out.JSONQuery["middleware"] == nil {
				t.Errorf("%s: %s", who, raw)
			}
		}
		five := `{"lib/type":"mbql/query","database":1,"stages":[{"lib/type":"mbql.stage/native","native":"select 1 as a","template-tags":{}}]}`
		if out, raw := in.ask(t, "bo", "/api/dataset/", five, http.StatusAccepted); out.Data.Rows[0][0] != 1.0 {
			t.Error(raw)
		}
		out, _ := in.ask(t, "bo", "/api/dataset", native("SELECT * FROM orders", ""), http.StatusAccepted)
		if out.RowCount != 2000 || out.Data.Truncated != 2000 || out.Data.Cols[7].BaseType != "type/DateTime" {
			t.Errorf("%d rows of %d", out.RowCount, out.Data.Truncated)
		}
		out, _ = in.ask(t, "bo", "/api/dataset", native("SELECT * FROM orders", `,"constraints":{"max-results":5}`), http.StatusAccepted)
		if out.RowCount != 5 || out.Data.Truncated != 5 {
			t.Errorf("%d rows of %d", out.RowCount, out.Data.Truncated)
		}
		out, _ = in.ask(t, "bo", "/api/dataset", native("SELECT * FROM orders LIMIT 5", ""), http.StatusAccepted)
		if out.RowCount != 5 || out.Data.Truncated != 0 {
			t.Errorf("%d rows of %d", out.RowCount, out.Data.Truncated)
		}
		large := "SELECT 9007199254740993 AS big, 9007199254740991 AS fine, x'00ff' AS b, NULL AS n, 1.5 AS f, true AS t"
		if _, raw := in.ask(t, "bo", "/api/dataset", native(large, ""), http.StatusAccepted); !strings.Contains(raw, `[["9007199254740993",9007199254740991,"AP8=",null,1.5,1]]`) {
			t.Error(raw)
		}
		if _, raw := in.ask(t, "bo", "/api/dataset", native(large, `,"middleware":{"js-int-to-string?":false}`), http.StatusAccepted); !strings.Contains(raw, `[[9007199254740993,`) {
			t.Error(raw)
		}
		if out, raw := in.ask(t, "bo", "/api/dataset", native("SELECT 1 AS a, 2 AS a", ""), http.StatusAccepted); out.Data.Cols[1].Name != "a_2" {
			t.Error(raw)
		}
	})
}

func TestDatasetParameters(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		body := `{"database":1,"type":"native","native":{"query":"SELECT count(*) FROM people WHERE state = {{s}} [[AND source = {{src}}]]",
			"template-tags":{"s":{"id":"t1","name":"s","display-name":"S","type":"text","required":true},"src":{"id":"t2","name":"src","display-name":"Src","type":"text"}}}
			,"parameters":[{"type":"string/=","target":["variable",["template-tag","s"]],"value":VALUE}]}`
		out, raw := in.ask(t, "bo", "/api/dataset", strings.Replace(body, "VALUE", `"OR"`, 1), http.StatusAccepted)
		if n, ok := out.Data.Rows[0][0].(float64); !ok || n < 10 || out.Data.Native.Params[0] != "OR" {
			t.Error(raw)
		}
		out, raw = in.ask(t, "bo", "/api/dataset", strings.Replace(body, "VALUE", `"OR' OR 1=1 --"`, 1), http.StatusAccepted)
		if out.Data.Rows[0][0] != 0.0 {
			t.Error(raw)
		}
		out, raw = in.ask(t, "bo", "/api/dataset", strings.Replace(body, "VALUE", `null`, 1), http.StatusBadRequest)
		if out.Status != "failed" || out.ErrorType != "missing-required-parameter" || out.Error != "You'll need to pick a value for 'S' before this query can run." {
			t.Error(raw)
		}
	})
}

func TestDatasetFailures(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		for _, tt := range []struct {
			name, body  string
			status      int
			kind, error string
		}{
			{"syntax", native("SELEC 1", ""), 400, "invalid-query", "Queries only read"},
			{"unknown table", native("SELECT * FROM nowhere", ""), 400, "invalid-query", "no such table: nowhere"},
			{"write", native("DELETE FROM orders", ""), 400, "invalid-query", "Queries only read"},
			{"two statements", native("SELECT 1; SELECT 2", ""), 400, "invalid-query", "one statement"},
			{"unknown database", `{"database":99,"type":"native","native":{"query":"SELECT 1"}}`, 400, "invalid-query", "Database 99 does not exist."},
			{"structured", `{"database":1,"type":"query","query":{"source-table":1}}`, 400, "unsupported-feature", "Structured queries"},
			{"structured on a question", `{"database":-1337,"type":"query","query":{"source-table":"card__1"}}`, 400, "unsupported-feature", "Structured queries"},
			{"native on all questions", `{"database":-1337,"type":"native","native":{"query":"SELECT 1"}}`, 400, "invalid-query", "Database -1337 does not exist."},
			{"no query", `{"database":1}`, 400, "invalid-query", ""},
			{"snippet", native("SELECT {{snippet: x}}", ""), 400, "unsupported-feature", ""},
			{"open block", native("SELECT 1 [[WHERE {{x}}", ""), 400, "invalid-query", "no matching"},
			{"open tag", native("SELECT {{x", ""), 400, "invalid-query", "no matching"},
			{"in quotes", native("SELECT '{{x}}'", ""), 400, "invalid-query", "quotes"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				out, raw := in.ask(t, "bo", "/api/dataset", tt.body, tt.status)
				if out.Status != "failed" || out.ErrorType != tt.kind || !strings.Contains(out.Error, tt.error) {
					t.Error(raw)
				}
			})
		}
		in.run(t, []row{
			{name: "nobody", call: "POST /api/dataset", body: native("SELECT 1", ""), status: 401, want: "Unauthenticated"},
			{name: "no database", who: "bo", call: "POST /api/dataset", body: `{"type":"native","native":{"query":"SELECT 1"}}`, status: 400, want: "`database` is required for all queries whose type is not `internal`."},
			{name: "no object", who: "bo", call: "POST /api/dataset", body: `[1]`, status: 400, want: "-"},
			{name: "no body", who: "bo", call: "POST /api/dataset", status: 400, want: "-"},
			{name: "get", who: "bo", call: "GET /api/dataset", status: 404, want: noRoute},
			{name: "unknown format", who: "bo", call: "POST /api/dataset/pdf", body: `{}`, status: 404, want: noRoute},
			{name: "flat", who: "bo", call: "POST /api/dataset/csv", body: native("SELECT 1", ""), status: 400, want: "-", has: []string{`"query"`}},
			{name: "xlsx", who: "bo", call: "POST /api/dataset/xlsx", body: `{"query":` + native("SELECT 1", "") + `}`, status: 400, want: "-", has: []string{`"status":"failed"`}},
			{name: "native", who: "bo", call: "POST /api/dataset/native", body: native("SELECT 1", `,"pretty":true`), status: 200, want: `{"query":"SELECT 1","params":null}`},
		})
	})
}

func TestDatasetFiles(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		sql := `SELECT ID AS \"id\", '=1+1' AS \"=f\", CREATED_AT FROM products ORDER BY 1 LIMIT 2`
		query := `{"database":1,"type":"native","native":{"query":"` + sql + `"}}`
		rec := in.do("reader", "POST", "/api/dataset/csv", `{"query":`+query+`}`)
		lines := strings.Split(rec.Body.String(), "\n")
		if rec.Code != 200 || lines[0] != "id,'=f,CREATED_AT" || !strings.HasPrefix(lines[1], "1,'=1+1,2023-") {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/csv", "Cache-Control": "max-age=0, no-cache, must-revalidate, proxy-revalidate", "X-Accel-Buffering": "no",
			"Expires": "Tue, 03 Jul 2001 06:00:00 GMT",
		} {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%s: %s", name, got)
			}
		}
		if d := rec.Header().Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="query_result_20`) || !strings.HasSuffix(d, `.csv"`) {
			t.Error(d)
		}
		form := "query=" + strings.NewReplacer(" ", "+", "=", "%3D", "+", "%2B", "\"", "%22", "&", "%26").Replace(query) + "&csv_include_bom=true"
		if rec := in.do("bo", "POST", "/api/dataset/csv", form); rec.Code != 200 || !strings.HasPrefix(rec.Body.String(), "\uFEFFid,") {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		rec = in.do("bo", "POST", "/api/dataset/json", `{"query":`+query+`}`)
		var list []map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || len(list) != 2 || list[0]["=f"] != "=1+1" {
			t.Errorf("%v: %s", err, rec.Body)
		}
		rec = in.do("bo", "POST", "/api/dataset/csv", `{"query":`+native("SELECT * FROM orders", "")+`}`)
		if n := strings.Count(rec.Body.String(), "\n"); n != 20001 {
			t.Errorf("%d lines", n)
		}
		rec = in.do("bo", "POST", "/api/dataset/csv", `{"query":`+native("SELECT * FROM nowhere", "")+`}`)
		if rec.Code != 400 || strings.Contains(rec.Body.String(), "json_query") || !strings.Contains(rec.Body.String(), `"status":"failed"`) {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

func TestDatabases(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "list", who: "bo", call: "GET /api/database", status: 200, want: "-",
				has: []string{`"total":1`, `"name":"Sample Database"`, `"engine":"sqlite"`, `"is_sample":true`, `"initial_sync_status":"complete"`, `"native_permissions":"write"`}, not: []string{`"details"`}},
			{name: "list of an administrator", who: "ada", call: "GET /api/database/", status: 200, want: "-", has: []string{`"details":{"db":"sample.db"}`}},
			{name: "with tables", who: "reader", call: "GET /api/database?include=tables&saved=true", status: 200, want: "-",
				has: []string{`"display_name":"Orders"`, `"is_saved_questions":true`, `"total":2`}},
			{name: "bad include", who: "bo", call: "GET /api/database?include=x", status: 400, want: "include must be either empty, 'tables', or 'schemas'"},
			{name: "one", who: "bo", call: "GET /api/database/1", status: 200, want: "-", has: []string{`"schedules":{"metadata_sync":`}},
			{name: "one with fields", who: "bo", call: "GET /api/database/1?include=tables.fields", status: 200, want: "-", has: []string{`"fields":[{"id":`}},
			{name: "one, bad include", who: "bo", call: "GET /api/database/1?include=schemas", status: 400,
				want: invalid("include", "nullable enum of tables, tables.fields", `should be either "tables" or "tables.fields", received: "schemas"`)},
			{name: "unknown", who: "bo", call: "GET /api/database/9", status: 404, want: "Not found."},
			{name: "metadata", who: "bo", call: "GET /api/database/1/metadata", status: 200, want: "-",
				has: []string{`"schema":""`, `"segments":[]`, `"semantic_type":"type/PK"`, `"semantic_type":"type/FK"`, `"semantic_type":"type/Email"`}},
			{name: "schemas", who: "bo", call: "GET /api/database/1/schemas", status: 200, want: `[""]`},
			{name: "blank schema", who: "bo", call: "GET /api/database/1/schema/", status: 200, want: "-", has: []string{`"name":"ORDERS"`}},
			{name: "unknown schema", who: "bo", call: "GET /api/database/1/schema/x", status: 404, want: "Not found."},
			{name: "fields", who: "bo", call: "GET /api/database/1/fields", status: 200, want: "-", has: []string{`"table_name":"Orders"`}},
			{name: "suggestions", who: "bo", call: "GET /api/database/1/autocomplete_suggestions?prefix=or", status: 200, want: `[["ORDERS","Table"]]`},
			{name: "no suggestions", who: "bo", call: "GET /api/database/1/autocomplete_suggestions", status: 400, want: "Must include prefix or search"},
			{name: "tables", who: "bo", call: "GET /api/table/", status: 200, want: "-", has: []string{`"db":{"id":1`, `"name":"REVIEWS"`}},
			{name: "table", who: "bo", call: "GET /api/table/1", status: 200, want: "-", has: []string{`"pk_field":`, `"name":"ORDERS"`, `"entity_type":"entity/TransactionTable"`}},
			{name: "unknown table", who: "bo", call: "GET /api/table/99", status: 404, want: "Not found."},
			{name: "query metadata", who: "bo", call: "GET /api/table/1/query_metadata", status: 200, want: "-",
				has: []string{`"target":{`, `"name_field":{`, `"display_name":"Product ID"`, `"dimension_options":{}`}},
			{name: "foreign keys", who: "bo", call: "GET /api/table/3/fks", status: 200, want: "-", has: []string{`"relationship":"Mt1"`}},
			{name: "field", who: "bo", call: "GET /api/field/1", status: 200, want: "-", has: []string{`"database_is_pk":true`, `"fk_target_field_id":null`, `"table":{`}},
			{name: "unknown field", who: "bo", call: "GET /api/field/999", status: 404, want: "Not found."},
			{name: "sync", who: "root", call: "POST /api/database/1/sync_schema", body: "{}", status: 200, want: `{"status":"ok"}`},
			{name: "sync by a person", who: "bo", call: "POST /api/database/1/sync_schema", body: "{}", status: 403, want: noPermission},
			{name: "sync of nothing", who: "root", call: "POST /api/database/9/sync_schema", body: "{}", status: 404, want: "Not found."},
		})
		rec := in.do("bo", "GET", "/api/database/1/metadata", "")
		var meta struct {
			Tables []struct {
				Name   string
				Fields []struct {
					ID     int64
					Name   string
					Values string `json:"has_field_values"`
					Target *int64 `json:"fk_target_field_id"`
				}
			}
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &meta); err != nil || len(meta.Tables) != 4 {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		for _, table := range meta.Tables {
			for _, f := range table.Fields {
				if (f.Name == "USER_ID" || f.Name == "PRODUCT_ID") && f.Target == nil {
					t.Errorf("%s.%s points to nothing", table.Name, f.Name)
				}
				if f.Name == "CATEGORY" {
					in.names["category"] = idOf(f.ID)
				}
			}
		}
		in.run(t, []row{
			{name: "values", who: "bo", call: "GET /api/field/{category}/values", status: 200,
				want: `{"field_id":{category},"values":[["Doohickey"],["Gadget"],["Gizmo"],["Widget"]],"has_more_values":false}`},
			{name: "summary", who: "bo", call: "GET /api/field/{category}/summary", status: 200, want: `[["count",200],["distincts",4]]`},
		})
	})
}

func idOf(id int64) string {
	b, _ := json.Marshal(id)
	return string(b)
}

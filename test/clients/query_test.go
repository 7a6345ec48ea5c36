package clients_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// result is the answer to a query.
type result struct {
	Status   string
	RowCount int `json:"row_count"`
	Error    string
	Data     struct {
		Rows [][]any
		Cols []struct {
			Name        string
			DisplayName string `json:"display_name"`
			BaseType    string `json:"base_type"`
		}
		Truncated int `json:"rows_truncated"`
	}
}

// one demands a completed query with one value.
func (r result) one(t *testing.T, want any) {
	t.Helper()
	if r.Status != "completed" || r.RowCount != 1 || len(r.Data.Rows) != 1 || r.Data.Rows[0][0] != want {
		t.Errorf("%+v, want one row with %v", r, want)
	}
}

// TestMBQuery walks through the commands of mb about databases and queries.
func TestMBQuery(t *testing.T) {
	t.Parallel()
	m := newMB(t)
	s := apptest.Start(t, apptest.Options{})
	s.Setup()
	_, key := s.Key("ci", access.Administrators)
	m.login(s, "default", key)
	db := sample(t, s)
	for _, step := range []struct {
		name string
		run  func(*testing.T, mb, *apptest.Server, int64)
	}{
		{"databases", mbDatabases},
		{"tables", mbTables},
		{"a query", mbQuery},
		{"a query with parameters", mbParameters},
		{"a query that fails", mbBadQuery},
		{"a card", mbCardQuery},
		{"a card with parameters", mbCardParameters},
		{"a card of other cards and snippets", mbReferences},
		{"a table of the sample database", mbSampleRows},
	} {
		t.Run(step.name, func(t *testing.T) { m.t = t; step.run(t, m, s, db) })
	}
}

func mbDatabases(t *testing.T, m mb, _ *apptest.Server, db int64) {
	type database struct {
		ID     int64
		Engine string
		Tables []struct {
			Name   string
			Fields []struct{ Name string }
		}
	}
	var list listOf[database]
	m.whole(&list, "db", "list", "--include", "tables")
	if len(list.Data) != 1 || list.Total == nil || *list.Total != 1 || list.Data[0].ID != db || list.Data[0].Engine != "sqlite" || len(list.Data[0].Tables) != 4 {
		t.Errorf("list %+v", list)
	}
	var d database
	m.whole(&d, "db", "get", num(db))
	if d.ID != db || len(d.Tables) != 0 {
		t.Errorf("get %+v", d)
	}
	m.whole(&d, "db", "get", num(db), "--include", "tables.fields")
	if len(d.Tables) != 4 || len(d.Tables[0].Fields) == 0 {
		t.Errorf("with fields: %+v", d)
	}
	m.whole(&list, "db", "list", "--saved")
	if got := m.names("db", "schemas", num(db)); !slices.Equal(got, []string{""}) {
		t.Errorf("schemas %q", got)
	}
	if got := m.names("db", "schema-tables", num(db), ""); len(got) != 4 {
		t.Errorf("tables of the schema without a name: %q", got)
	}
	m.refused(1, "Not found: GET /api/database/999999.", "db", "get", "999999")
	m.refused(1, "Not found: GET /api/database/999999/schemas.", "db", "schemas", "999999")
}

// table is what mb tells of a table.
type table struct {
	ID     int64
	Name   string
	DBID   int64 `json:"db_id"`
	Fields []struct {
		ID           int64
		Name         string
		BaseType     string  `json:"base_type"`
		SemanticType *string `json:"semantic_type"`
		TargetID     *int64  `json:"fk_target_field_id"`
	}
}

// tableNamed finds a table of the sample database.
func (m mb) tableNamed(name string, db int64) table {
	m.t.Helper()
	var list listOf[table]
	m.whole(&list, "table", "list", "--db-id", num(db))
	for _, row := range list.Data {
		if strings.EqualFold(row.Name, name) {
			return row
		}
	}
	m.t.Fatalf("no table %s in %+v", name, list.Data)
	return table{}
}

func mbTables(t *testing.T, m mb, _ *apptest.Server, db int64) {
	for _, name := range []string{"products", "people", "reviews"} {
		m.tableNamed(name, db)
	}
	orders := m.tableNamed("orders", db)
	var bare, full table
	m.whole(&bare, "table", "get", num(orders.ID))
	if bare.ID != orders.ID || bare.DBID != db {
		t.Errorf("get %+v", bare)
	}
	m.whole(&full, "table", "get", num(orders.ID), "--include", "fields")
	keys, links := 0, 0
	for _, f := range full.Fields {
		if f.SemanticType != nil && *f.SemanticType == "type/PK" {
			keys++
		}
		if f.TargetID != nil {
			links++
		}
	}
	if keys != 1 || links < 2 {
		t.Errorf("%d primary keys and %d links in %+v", keys, links, full.Fields)
	}
	if got := m.names("table", "fields", num(orders.ID)); len(got) != len(full.Fields) {
		t.Errorf("fields %q, want %d", got, len(full.Fields))
	}
	var field struct {
		ID      int64
		TableID int64 `json:"table_id"`
	}
	m.whole(&field, "field", "get", num(full.Fields[0].ID))
	if field.ID != full.Fields[0].ID || field.TableID != orders.ID {
		t.Errorf("field %+v", field)
	}
	mbValues(t, m, num(full.Fields[0].ID))
	m.refused(1, "Not found: GET /api/table/999999.", "table", "get", "999999")
	m.refused(1, "Not found: GET /api/table/999999/query_metadata.", "table", "fields", "999999")
}

// mbValues asks for what stands in the primary key of the orders.
func mbValues(t *testing.T, m mb, field string) {
	t.Helper()
	var values struct {
		Values [][]any
		More   bool `json:"has_more_values"`
	}
	m.whole(&values, "field", "values", field)
	if len(values.Values) == 0 || values.Values[0][0] != 1.0 || !values.More {
		t.Errorf("%d values, more: %v", len(values.Values), values.More)
	}
	var summary struct{ Count, Distincts int }
	m.whole(&summary, "field", "summary", field)
	if summary.Count < 15000 || summary.Distincts != summary.Count {
		t.Errorf("summary %+v", summary)
	}
}

func mbQuery(t *testing.T, m mb, _ *apptest.Server, db int64) {
	for _, query := range []object{
		native(db, "select 42 as answer, 'a' as letter", nil),
		mbql5(db, "select 42 as answer, 'a' as letter", nil),
	} {
		var r result
		m.send(&r, query, "query")
		r.one(t, 42.0)
		if c := r.Data.Cols; len(c) != 2 || c[0].Name != "answer" || c[0].DisplayName != "answer" || c[0].BaseType != "type/Integer" || c[1].BaseType != "type/Text" {
			t.Errorf("columns %+v", c)
		}
	}
	var r result
	m.send(&r, native(db, "select 9007199254740993 as large, null as empty", nil), "query")
	r.one(t, "9007199254740993")
	m.send(&r, native(db, "select 1 as one where 1 = 0", nil), "query")
	if r.Status != "completed" || r.RowCount != 0 || r.Data.Rows == nil || len(r.Data.Cols) != 1 {
		t.Errorf("without rows: %+v", r)
	}
	const many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) select i from n"
	m.send(&r, native(db, many, nil), "query")
	if r.RowCount != 2000 || len(r.Data.Rows) != 2000 || r.Data.Truncated != 2000 {
		t.Errorf("%d rows, truncated %d", r.RowCount, r.Data.Truncated)
	}
	text := m.run("query", "--format", "text", "--body", m.json(native(db, "select 'Anna' as name", nil)))
	if text.code != 0 || !strings.Contains(text.stdout, "Anna") || !strings.Contains(text.stdout, "1 row.") {
		t.Errorf("as text: %+v", text)
	}
}

// variable is a template tag of a plain value.
func variable(name, kind string) object {
	return object{name: object{"id": tagID, "name": name, "display-name": name, "type": kind}}
}

// value is a parameter that fills a template tag.
func value(tag, kind string, v any) []object {
	return []object{{"type": kind, "target": []any{"variable", []any{"template-tag", tag}}, "value": v}}
}

func mbParameters(t *testing.T, m mb, _ *apptest.Server, db int64) {
	var r result
	query := native(db, "select {{word}} as word", variable("word", "text"))
	query["parameters"] = value("word", "string/=", "it's'; drop table orders; --")
	m.send(&r, query, "query")
	r.one(t, "it's'; drop table orders; --")
	query = mbql5(db, "select 1 as one [[where {{word}} = 'yes']]", variable("word", "text"))
	m.send(&r, query, "query")
	r.one(t, 1.0)
	query["parameters"] = value("word", "category", "no")
	m.send(&r, query, "query")
	if r.RowCount != 0 {
		t.Errorf("the optional part was left out: %+v", r)
	}
}

func mbBadQuery(t *testing.T, m mb, _ *apptest.Server, db int64) {
	for _, c := range []struct{ sql, text string }{
		{"select * from no_such_table", "no_such_table"},
		{"selec 1", "SELEC"},
		{"delete from orders", ""},
		{"attach database '/tmp/x.db' as x", ""},
		{"select 1; select 2", ""},
		{"select {{missing}}", "Missing"},
	} {
		m.refused(1, c.text, "query", "--body", m.json(native(db, c.sql, nil)))
	}
	m.refused(1, "", "query", "--body", m.json(native(999999, "select 1", nil)))
	m.refused(1, "", "query", "--body", `{"database":1,"type":"native"}`)
	m.refused(2, "validation failed", "query", "--body", `{"lib/type":"mbql/query","database":1,"stages":[]}`)
}

func mbCardQuery(t *testing.T, m mb, _ *apptest.Server, db int64) {
	var c card
	sql := "select 1 as id, 'a,b' as \"Some text\" union all select 2, 'c \"d\"' order by 1"
	m.send(&c, question("Two rows", native(db, sql, nil), nil), "card", "create")
	var r result
	m.whole(&r, "card", "query", num(c.ID))
	if r.Status != "completed" || r.RowCount != 2 || len(r.Data.Cols) != 2 || r.Data.Rows[1][1] != `c "d"` {
		t.Errorf("%+v", r)
	}
	m.whole(&r, "card", "query", num(c.ID), "--limit", "1")
	if len(r.Data.Rows) != 1 {
		t.Errorf("limited: %+v", r)
	}
	csv := m.run("card", "query", num(c.ID), "--export-format", "csv")
	if want := "id,Some text\n1,\"a,b\"\n2,\"c \"\"d\"\"\"\n"; csv.code != 0 || csv.stdout != want {
		t.Errorf("csv: exit %d, %q, want %q\n%s", csv.code, csv.stdout, want, csv.stderr)
	}
	out := m.run("card", "query", num(c.ID), "--export-format", "json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out.stdout), &rows); err != nil || len(rows) != 2 || rows[0]["id"] != 1.0 || rows[0]["Some text"] != "a,b" {
		t.Errorf("json: %v, %v\n%s%s", err, rows, out.stdout, out.stderr)
	}
	m.refused(1, "Not found: POST /api/card/999999/query.", "card", "query", "999999")
	m.refused(1, "Not found: POST /api/card/999999/query/csv.", "card", "query", "999999", "--export-format", "csv")
	m.send(&c, object{"dataset_query": native(db, "select * from no_such_table", nil)}, "card", "update", num(c.ID))
	m.refused(1, "no_such_table", "card", "query", num(c.ID))
	m.refused(1, "no_such_table", "card", "query", num(c.ID), "--export-format", "csv")
}

func mbCardParameters(t *testing.T, m mb, _ *apptest.Server, db int64) {
	tags := variable("n", "number")
	tags["n"].(object)["default"] = "20"
	var c card
	m.send(&c, question("Doubled", mbql5(db, "select {{n}} * 2 as doubled", tags), nil), "card", "create")
	var r result
	m.whole(&r, "card", "query", num(c.ID))
	r.one(t, 40.0)
	m.whole(&r, "card", "query", num(c.ID), "--parameters", m.json(value("n", "number/=", 21)))
	r.one(t, 42.0)
	csv := m.run("card", "query", num(c.ID), "--export-format", "csv", "--parameters", m.json(value("n", "number", "4")))
	if csv.stdout != "doubled\n8\n" {
		t.Errorf("csv: %+v", csv)
	}
	m.refused(1, "does not have a template tag named", "card", "query", num(c.ID), "--parameters", m.json(value("x", "number/=", 1)))
}

func mbReferences(t *testing.T, m mb, _ *apptest.Server, db int64) {
	var snippet struct{ ID int64 }
	m.send(&snippet, object{"name": "Seven", "content": "7"}, "snippet", "create")
	var inner, outer card
	m.send(&inner, question("Inner", native(db, "select {{snippet: Seven}} as n", object{
		"snippet: Seven": object{"id": tagID, "name": "snippet: Seven", "display-name": "Seven", "type": "snippet", "snippet-name": "Seven", "snippet-id": snippet.ID},
	}), nil), "card", "create")
	name := "#" + num(inner.ID) + "-inner"
	m.send(&outer, question("Outer", native(db, "select n * 6 as n from {{"+name+"}} as t", object{
		name: object{"id": tagID, "name": name, "display-name": name, "type": "card", "card-id": inner.ID},
	}), nil), "card", "create")
	var r result
	m.whole(&r, "card", "query", num(outer.ID))
	r.one(t, 42.0)
}

func mbSampleRows(t *testing.T, m mb, _ *apptest.Server, db int64) {
	var r result
	m.send(&r, native(db, "select count(*) >= 15000 as many from orders", nil), "query")
	r.one(t, 1.0)
	m.send(&r, native(db, "select * from people limit 3", nil), "query")
	if r.RowCount != 3 || len(r.Data.Cols) < 5 {
		t.Errorf("people: %+v", r)
	}
	fields := m.names("table", "fields", num(m.tableNamed("people", db).ID))
	for _, c := range r.Data.Cols {
		if !slices.Contains(fields, c.Name) {
			t.Errorf("column %s is no field of %q", c.Name, fields)
		}
	}
}

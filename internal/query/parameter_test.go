package query_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/query"
)

// tag and param write the JSON of a template tag and of a value for it.
func tag(name, kind, more string) string {
	return `"` + name + `":{"id":"id-` + name + `","name":"` + name + `","display-name":"` + strings.ToUpper(name) + `","type":"` + kind + `"` + more + `}`
}

func param(name, kind, value string) string {
	return `{"id":"id-` + name + `","type":"` + kind + `","target":["variable",["template-tag","` + name + `"]],"value":` + value + `}`
}

func filterTag(field, more string) string {
	return tag("f", "dimension", `,"dimension":["field",{`+field+`},null]`+more)
}

func TestVariables(t *testing.T) {
	w := newWorld(t, time.Minute)
	const one = "SELECT {{x}} AS v"
	for _, tt := range []struct {
		name, sql, tags, params string
		want                    any // the only value
		kind                    query.Kind
	}{
		{"text", one, tag("x", "text", ""), param("x", "category", `"a"`), "a", 0},
		{"text that is a number", one, tag("x", "text", ""), param("x", "category", `5`), "5", 0},
		{"text with quotes", one, tag("x", "text", ""), param("x", "text", `"'); DROP TABLE orders; --"`), "'); DROP TABLE orders; --", 0},
		{"text with a tag", one, tag("x", "text", ""), param("x", "text", `"{{x}}"`), "{{x}}", 0},
		{"number", one, tag("x", "number", ""), param("x", "number", `5`), int64(5), 0},
		{"number in text", one, tag("x", "number", ""), param("x", "number", `" 5 "`), int64(5), 0},
		{"number with a fraction", one, tag("x", "number", ""), param("x", "number/=", `["1.5"]`), 1.5, 0},
		{"no number", one, tag("x", "number", ""), param("x", "number", `"1 OR 1=1"`), nil, query.BadParameter},
		{"infinite number", one, tag("x", "number", ""), param("x", "number", `"Infinity"`), nil, query.BadParameter},
		{"several numbers", "SELECT count(*) FROM orders WHERE id IN ({{x}})", tag("x", "number", ""), param("x", "number", `"1, 2,3"`), int64(3), 0},
		{"several texts", "SELECT 'b' IN ({{x}})", tag("x", "text", ""), param("x", "string/=", `["a","b"]`), int64(1), 0},
		{"date", one, tag("x", "date", ""), param("x", "date/single", `"2026-01-31"`), "2026-01-31", 0},
		{"moment", one, tag("x", "date", ""), param("x", "date/single", `"2026-01-31T12:30"`), "2026-01-31 12:30:00", 0},
		{"no date", one, tag("x", "date", ""), param("x", "date/single", `"31.1.2026"`), nil, query.BadParameter},
		{"boolean", one, tag("x", "boolean", ""), param("x", "boolean/=", `true`), int64(1), 0},
		{"no boolean", one, tag("x", "boolean", ""), param("x", "boolean/=", `"maybe"`), nil, query.BadParameter},
		{"object", one, tag("x", "text", ""), param("x", "text", `{"a":1}`), nil, query.BadParameter},
		{"list of lists", one, tag("x", "text", ""), param("x", "text", `[[1]]`), nil, query.BadParameter},
		{"null character", one, tag("x", "text", ""), param("x", "text", `"a\u0000"`), nil, query.BadParameter},
		{"nothing", one, tag("x", "text", ""), "", nil, query.Missing},
		{"null", one, tag("x", "text", ""), param("x", "text", `null`), nil, query.Missing},
		{"default", one, tag("x", "text", `,"default":"d"`), "", "d", 0},
		{"default and null", one, tag("x", "text", `,"default":"d"`), param("x", "text", `null`), nil, query.Missing},
		{"default, required and null", one, tag("x", "text", `,"required":true,"default":"d"`), param("x", "text", `null`), "d", 0},
		{"tag that is not declared", one, "", param("x", "text", `"a"`), "a", 0},
		{"named by id", one, tag("x", "text", ""), `{"id":"id-x","type":"text","value":"a"}`, "a", 0},
		{"named by id in the target", one, tag("x", "text", ""), `{"type":"text","target":["variable",["template-tag",{"id":"id-x"}]],"value":"a"}`, "a", 0},
		{"unknown parameter", "SELECT 1", "", param("y", "text", `"a"`), int64(1), 0},
		{"twice", "SELECT {{x}} || {{ x }}", tag("x", "text", ""), param("x", "text", `"a"`), "aa", 0},
		{"in a comment", "SELECT 1 -- {{x}}\n", "", "", int64(1), 0},
		{"in a block comment", "SELECT /* {{x}} [[ */ 1", "", "", int64(1), 0},
		{"in quotes", "SELECT '{{x}}'", tag("x", "text", ""), param("x", "text", `"a"`), nil, query.Invalid},
		{"block", "SELECT 1 [[+ {{x}}]]", tag("x", "number", ""), param("x", "number", `2`), int64(3), 0},
		{"block without a value", "SELECT 1 [[+ {{x}}]]", tag("x", "number", ""), "", int64(1), 0},
		{"block with two tags, one without a value", "SELECT 1 [[+ {{x}} + {{y}}]]", tag("x", "number", "") + "," + tag("y", "number", ""), param("x", "number", `2`), int64(1), 0},
		{"values before and behind a dropped block", "SELECT {{x}} [[|| {{y}} || {{z}}]] || {{x}}", tag("x", "text", ""), param("x", "text", `"a"`) + "," + param("y", "text", `"b"`), "aa", 0},
		{"block in a block", "SELECT 1 [[+ {{x}} [[+ {{y}}]] ]]", tag("x", "number", "") + "," + tag("y", "number", ""), param("x", "number", `2`), int64(3), 0},
		{"required in a block", "SELECT 1 [[+ {{x}}]]", tag("x", "number", `,"required":true`), "", nil, query.Missing},
		{"brackets without a tag", "SELECT '[[1]]'", "", "", "[[1]]", 0},
		{"placeholder of one's own", "SELECT ?", "", "", nil, query.Invalid},
		{"placeholder beside a tag", "SELECT {{x}} + ?1", tag("x", "number", ""), param("x", "number", "2"), int64(4), 0},
		{"temporal unit", one, tag("x", "temporal-unit", ""), param("x", "temporal-unit", `"day"`), nil, query.Unsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := w.run(t, w.body(tt.sql, tt.tags, tt.params))
			if kindOf(err) != tt.kind || tt.kind != 0 && err == nil {
				t.Fatalf("%v, %v", rows, err)
			}
			if tt.kind == 0 && (err != nil || rows[0][0] != tt.want) {
				t.Errorf("%#v, %v; want %v", rows, err, tt.want)
			}
		})
	}
}

// TestFilters compares a field filter with the condition that it stands for.
func TestFilters(t *testing.T) {
	w := newWorld(t, time.Minute)
	for _, tt := range []struct {
		name, table, field, more, kind, value string
		want                                  string // a condition
		fails                                 query.Kind
	}{
		{"string =", "PEOPLE", "STATE", "", "string/=", `["OR"]`, `STATE = 'OR'`, 0},
		{"string = several", "PEOPLE", "STATE", "", "string/=", `["OR","ME"]`, `STATE IN ('OR','ME')`, 0},
		{"plain text", "PEOPLE", "STATE", "", "category", `"OR"`, `STATE = 'OR'`, 0},
		{"location", "PEOPLE", "STATE", "", "location/state", `["OR"]`, `STATE = 'OR'`, 0},
		{"by the widget", "PEOPLE", "STATE", `,"widget-type":"string/!="`, "category", `["OR"]`, `STATE <> 'OR'`, 0},
		{"string !=", "PEOPLE", "STATE", "", "string/!=", `["OR","ME"]`, `STATE NOT IN ('OR','ME')`, 0},
		{"!= keeps null", "ORDERS", "DISCOUNT", "", "number/!=", `[1]`, `DISCOUNT IS NULL OR DISCOUNT <> 1`, 0},
		{"null among the values", "ORDERS", "DISCOUNT", "", "number/=", `[null]`, `DISCOUNT IS NULL`, 0},
		{"not null", "ORDERS", "DISCOUNT", "", "number/!=", `[null]`, `DISCOUNT IS NOT NULL`, 0},
		{"contains", "PRODUCTS", "TITLE", "", "string/contains", `["Chair"]`, `TITLE LIKE '%Chair%'`, 0},
		{"contains, wrong case", "PRODUCTS", "TITLE", "", "string/contains", `["chair"]`, `1 = 0`, 0},
		{"contains, any case", "PRODUCTS", "TITLE", `,"options":{"case-sensitive":false}`, "string/contains", `["cHair"]`, `TITLE LIKE '%Chair%'`, 0},
		{"contains no wildcards", "PRODUCTS", "TITLE", "", "string/contains", `["%"]`, `1 = 0`, 0},
		{"does not contain", "PRODUCTS", "TITLE", "", "string/does-not-contain", `["Chair"]`, `TITLE NOT LIKE '%Chair%'`, 0},
		{"starts with", "PRODUCTS", "TITLE", "", "string/starts-with", `["Small"]`, `TITLE LIKE 'Small%'`, 0},
		{"ends with", "PRODUCTS", "TITLE", "", "string/ends-with", `["Hat"]`, `TITLE LIKE '%Hat'`, 0},
		{"ends with something long", "PRODUCTS", "TITLE", "", "string/ends-with", `["` + strings.Repeat("x", 300) + `"]`, `1 = 0`, 0},
		{"number between", "ORDERS", "TOTAL", "", "number/between", `[10, 20.5]`, `TOTAL BETWEEN 10 AND 20.5`, 0},
		{"number from", "ORDERS", "TOTAL", "", "number/between", `[10, null]`, `TOTAL >= 10`, 0},
		{"number >=", "ORDERS", "QUANTITY", "", "number/>=", `["3"]`, `QUANTITY >= 3`, 0},
		{"number <=", "ORDERS", "QUANTITY", "", "number/<=", `3`, `QUANTITY <= 3`, 0},
		{"id", "ORDERS", "USER_ID", "", "id", `["7"]`, `USER_ID = 7`, 0},
		{"no number", "ORDERS", "QUANTITY", "", "number/=", `["x"]`, ``, query.BadParameter},
		{"one number of two", "ORDERS", "QUANTITY", "", "number/between", `[1]`, ``, query.BadParameter},
		{"day", "ORDERS", "CREATED_AT", "", "date/single", `"2026-11-02"`, `date(CREATED_AT) = '2026-11-02'`, 0},
		{"range", "ORDERS", "CREATED_AT", "", "date/range", `"2026-11-02~2026-11-04"`, `date(CREATED_AT) BETWEEN '2026-11-02' AND '2026-11-04'`, 0},
		{"before", "ORDERS", "CREATED_AT", "", "date/all-options", `"~2024-01-31"`, `date(CREATED_AT) <= '2024-01-31'`, 0},
		{"after", "ORDERS", "CREATED_AT", "", "date/all-options", `"2026-01-31~"`, `date(CREATED_AT) >= '2026-01-31'`, 0},
		{"month", "ORDERS", "CREATED_AT", "", "date/month-year", `"2026-02"`, `CREATED_AT LIKE '2026-02-%'`, 0},
		{"quarter", "ORDERS", "CREATED_AT", "", "date/quarter-year", `"Q4-2025"`, `date(CREATED_AT) BETWEEN '2025-10-01' AND '2025-12-31'`, 0},
		{"past 7 days", "ORDERS", "CREATED_AT", "", "date/relative", `"past7days"`, `date(CREATED_AT) BETWEEN '2026-11-21' AND '2026-11-27'`, 0},
		{"past 7 days and today", "ORDERS", "CREATED_AT", "", "date/all-options", `"past7days~"`, `date(CREATED_AT) BETWEEN '2026-11-21' AND '2026-11-28'`, 0},
		{"this month", "ORDERS", "CREATED_AT", "", "date/relative", `"thismonth"`, `CREATED_AT LIKE '2026-11-%'`, 0},
		{"last year", "ORDERS", "CREATED_AT", "", "date/relative", `"lastyear"`, `CREATED_AT LIKE '2025-%'`, 0},
		{"this week begins on Sunday", "ORDERS", "CREATED_AT", "", "date/relative", `"thisweek"`, `date(CREATED_AT) BETWEEN '2026-11-22' AND '2026-11-28'`, 0},
		{"moments", "ORDERS", "CREATED_AT", "", "date/range", `"2026-11-02T10:00~2026-11-02T12:59"`, `CREATED_AT >= '2026-11-02 10:00:00' AND CREATED_AT < '2026-11-02 13:00:00'`, 0},
		{"date of a day", "PEOPLE", "BIRTH_DATE", "", "date/range", `"1980-01-01~1980-12-31"`, `BIRTH_DATE LIKE '1980-%'`, 0},
		{"no span", "ORDERS", "CREATED_AT", "", "date/range", `"soon"`, ``, query.BadParameter},
		{"injection in a span", "ORDERS", "CREATED_AT", "", "date/range", `"2026-01-01' OR 1=1 --"`, ``, query.BadParameter},
		{"injection in a text", "PEOPLE", "STATE", "", "string/=", `["' OR 1=1 --"]`, `1 = 0`, 0},
		{"no value", "PEOPLE", "STATE", "", "string/=", `null`, `1 = 1`, 0},
		{"empty list", "PEOPLE", "STATE", "", "string/=", `[]`, `1 = 1`, 0},
		{"alias", "PEOPLE", "STATE", `,"alias":"PEOPLE.STATE"`, "string/=", `["OR"]`, `STATE = 'OR'`, 0},
		{"alias that is none", "PEOPLE", "STATE", `,"alias":"1=1 OR STATE"`, "string/=", `["OR"]`, ``, query.Invalid},
		{"unknown operator", "PEOPLE", "STATE", "", "x'; --/y", `["OR"]`, `STATE = 'OR'`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			param := strings.Replace(param("f", tt.kind, tt.value), "variable", "dimension", 1)
			body := w.body("SELECT count(*) FROM "+tt.table+" WHERE {{f}}", filterTag(tt.table+"."+tt.field, tt.more), param)
			rows, err := w.run(t, body)
			if tt.fails != 0 {
				if kindOf(err) != tt.fails {
					t.Errorf("%v, %v", rows, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := w.run(t, w.body("SELECT count(*) FROM "+tt.table+" WHERE "+tt.want, "", ""))
			if err != nil || rows[0][0] != want[0][0] {
				t.Errorf("%v rows, want %v (%v)", rows[0][0], want, err)
			}
			if strings.Contains(tt.want, "LIKE") && want[0][0] == int64(0) {
				t.Error("the condition compares nothing")
			}
		})
	}
	if _, err := w.run(t, w.body("SELECT 1 WHERE {{f}}", tag("f", "dimension", `,"dimension":["field",99999,null]`), param("f", "string/=", `["x"]`))); kindOf(err) != query.Invalid {
		t.Errorf("a field that is not there: %v", err)
	}
}

func TestReferences(t *testing.T) {
	w := newWorld(t, time.Minute)
	w.snippets["gizmos"] = "CATEGORY = 'Gizmo'"
	w.snippets["with a value"] = "CATEGORY = {{c}}"
	w.snippets["round"] = "{{snippet: round}}"
	w.cards[12] = string(w.body("SELECT * FROM PRODUCTS WHERE {{snippet: gizmos}} [[AND PRICE > {{p}}]]; ", tag("p", "number", `,"default":20`), ""))
	w.cards[13] = string(w.body("SELECT 1 AS ID", "", ""))
	w.cards[14] = string(w.body("SELECT * FROM {{#14}}", "", ""))
	w.cards[15] = `{"database":1,"type":"query","query":{"source-table":1}}`
	for _, tt := range []struct {
		name, sql, params, same string
		kind                    query.Kind
	}{
		{"snippet", "SELECT count(*) FROM PRODUCTS WHERE {{snippet: gizmos}}", "", "SELECT count(*) FROM PRODUCTS WHERE CATEGORY = 'Gizmo'", 0},
		{"snippet with a value", "SELECT count(*) FROM PRODUCTS WHERE {{snippet: with a value}}", param("c", "text", `"Widget"`), "SELECT count(*) FROM PRODUCTS WHERE CATEGORY = 'Widget'", 0},
		{"unknown snippet", "SELECT {{snippet: nothing}}", "", "", query.Invalid},
		{"snippet in a circle", "SELECT {{snippet: round}}", "", "", query.Invalid},
		{"card", "SELECT count(*) FROM {{#12-gizmos}} AS g", "", "SELECT count(*) FROM PRODUCTS WHERE CATEGORY = 'Gizmo' AND PRICE > 20", 0},
		{"cards and values", "SELECT count(*) FROM {{#12}} WHERE PRICE < {{max}}", param("max", "number", "40"), "SELECT count(*) FROM PRODUCTS WHERE CATEGORY = 'Gizmo' AND PRICE > 20 AND PRICE < '40'", 0},
		{"card that may not be read", "SELECT * FROM {{#13}}", "", "", query.Denied},
		{"unknown card", "SELECT * FROM {{#99}}", "", "", query.Invalid},
		{"card in a circle", "SELECT * FROM {{#14}}", "", "", query.Invalid},
		{"structured card", "SELECT * FROM {{#15}}", "", "", query.Unsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := w.run(t, w.body(tt.sql, tag("max", "number", ""), tt.params))
			if kindOf(err) != tt.kind {
				t.Fatalf("%v, %v", rows, err)
			}
			if tt.kind != 0 {
				return
			}
			want, err := w.run(t, w.body(tt.same, "", ""))
			if err != nil || rows[0][0] == int64(0) && !strings.Contains(tt.same, "'40'") || rows[0][0] != want[0][0] && !strings.Contains(tt.same, "'40'") {
				t.Errorf("%v, want %v (%v)", rows, want, err)
			}
		})
	}
	if err := w.MayRun(t.Context(), bo, w.body("SELECT * FROM {{#13}}", "", "")); kindOf(err) != query.Denied || err.Error() != "You do not have permissions to view Card 13." {
		t.Error(err)
	}
	if err := w.MayRun(t.Context(), bo, w.body("SELECT * FROM {{#12}}", "", "")); err != nil {
		t.Error(err)
	}
	if _, err := w.run(t, w.body("SELECT {{snippet: nothing}}", "", "")); err == nil || err.Error() != `Snippet "nothing" does not exist.` {
		t.Error(err)
	}
	columns, err := w.Describe(t.Context(), bo, w.body("SELECT ID, TITLE FROM PRODUCTS WHERE 1 = 0", "", ""))
	if err != nil || len(columns) != 2 || columns[0].Type != "type/Integer" {
		t.Errorf("%v, %v", columns, err)
	}
}

func TestStored(t *testing.T) {
	w := newWorld(t, time.Minute)
	stored := query.Stored{Query: w.body("SELECT count(*) FROM PEOPLE WHERE STATE = {{s}}", tag("s", "text", ""), ""), CardID: 77}
	bound := *bo
	limits, err := access.Restriction{Resources: map[string][]string{"databases": {"2"}}}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	bound.Kind, bound.Limits = access.ServiceKey, limits
	for _, tt := range []struct {
		name, params, declared string
		who                    *access.Principal
		kind                   query.Kind
		error                  string
	}{
		{"by target", param("s", "string/=", `["OR"]`), "", bo, 0, ""},
		{"by id of the tag", `{"id":"id-s","value":"OR"}`, "", bo, 0, ""},
		{"by id of the card's parameter", `{"id":"p","value":"OR"}`, `{"id":"p","type":"string/=","target":["variable",["template-tag","s"]]}`, bo, 0, ""},
		{"default of the card", "", `{"id":"p","type":"string/=","target":["variable",["template-tag","s"]],"default":"OR"}`, bo, 0, ""},
		{"unknown tag", param("x", "string/=", `["OR"]`), "", bo, query.BadParameter, `Invalid parameter: Card 77 does not have a template tag named "x".`},
		{"nothing", "", "", bo, query.Missing, ""},
		{"key that is bound to another database", param("s", "string/=", `["OR"]`), "", &bound, query.Denied, ""},
		{"nobody", "", "", nil, query.Denied, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := stored
			if in.Parameters, err = query.ReadParameters([]byte("[" + tt.params + "]")); err != nil {
				t.Fatal(err)
			}
			if in.Declared, err = query.ReadParameters([]byte("[" + tt.declared + "]")); err != nil {
				t.Fatal(err)
			}
			r, err := w.RunStored(t.Context(), tt.who, in)
			rows, err := rowsOf(t, r, err)
			if kindOf(err) != tt.kind || tt.error != "" && err.Error() != tt.error {
				t.Fatalf("%v, %v", rows, err)
			}
			if tt.kind == 0 && rows[0][0].(int64) < 10 {
				t.Errorf("%v", rows)
			}
		})
	}
}

func TestLimitsOfTime(t *testing.T) {
	w := newWorld(t, 200*time.Millisecond)
	_, err := w.run(t, w.body("WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n", "", ""))
	if kindOf(err) != query.TimedOut {
		t.Errorf("%v", err)
	}
	if rows, err := w.run(t, w.body("SELECT 1", "", "")); err != nil || len(rows) != 1 {
		t.Errorf("%v, %v", rows, err)
	}
}

package mbql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/fault"
	"latchkey/internal/query/mbql"
)

func read(t *testing.T, text string) mbql.Query {
	t.Helper()
	q, err := mbql.Read([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// TestNative follows the examples of contract/content-data.md 3.1 and 6.3.
func TestNative(t *testing.T) {
	const (
		legacy = `{"database":1,"type":"native","native":{"query":"select 1 where s < {{s}}","template-tags":{"s":{"id":"t1","name":"s","display-name":"S","type":"text","required":true}},"collection":null},"parameters":[{"type":"string/=","target":["variable",["template-tag","s"]],"value":"paid"}],"middleware":{"js-int-to-string?":true},"constraints":{"max-results":5}}`
		five   = `{"lib/type":"mbql/query","database":1,"stages":[{"lib/type":"mbql.stage/native","native":"select 1 where s < {{s}}","template-tags":{"s":{"id":"t1","name":"s","display-name":"S","type":"text","required":true}},"collection":null}],"parameters":[{"type":"string/=","target":["variable",["template-tag","s"]],"value":"paid"}],"middleware":{"js-int-to-string?":true},"constraints":{"max-results":5}}`
	)
	for _, sent := range []string{legacy, five} {
		q := read(t, sent)
		if got := string(q.JSON()); got != sent {
			t.Errorf("stored as\n%s, sent\n%s", got, sent)
		}
		if got := string(mbql.MBQL5(q)); got != five {
			t.Errorf("MBQL 5 is\n%s, want\n%s", got, five)
		}
		if got := string(mbql.Legacy(q)); got != legacy {
			t.Errorf("legacy is\n%s, want\n%s", got, legacy)
		}
		if q.Database() != 1 || !q.IsNative() || q.QueryType() != "native" || q.Aggregated() || q.TableID() != 0 {
			t.Errorf("%d %v %s", q.Database(), q.IsNative(), q.QueryType())
		}
		if q.NativeText() != "select 1 where s < {{s}}" {
			t.Error(q.NativeText())
		}
		if other := q.WithDatabase(9); other.Database() != 9 || q.Database() != 1 || mbql.Same(q, other) || mbql.Same(other, q) {
			t.Error("WithDatabase changed the wrong one")
		}
	}
	if !mbql.Same(read(t, legacy), read(t, five)) {
		t.Error("the two forms differ")
	}
}

func TestSpellings(t *testing.T) {
	want := read(t, `{"database":1,"type":"native","native":{"query":"{{a}}","template-tags":{"a":{"name":"a","type":"text","display-name":"A"}}}}`)
	for _, sent := range []string{
		`{"database":"1","type":"NATIVE","native":{"query":"{{a}}","template_tags":{"a":{"name":"a","type":"text","display_name":"A"}}}}`,
		`{"database":1,"native":{"query":"{{a}}","template-tags":[{"name":"a","type":"text","display-name":"A"}]}}`,
		`{"database":1,"type":"native","query":null,"native":{"query":"{{a}}","template-tags":{"a":{"type":"text","display-name":"A","name":"a"}}}}`,
		`{"database":1,"stages":[{"native":"{{a}}","template-tags":[{"name":"a","type":"text","display-name":"A"}]}]}`,
		`{"lib/type":"mbql/query","lib/metadata":null,"stages":[{"lib/type":"mbql.stage/native","native":"{{a}}","template_tags":{"a":{"name":"a","type":"text","display-name":"A"}}}],"database":1}`,
	} {
		if got := read(t, sent); !mbql.Same(got, want) {
			t.Errorf("%s is read as %s", sent, mbql.MBQL5(got))
		}
	}
	kept := `{"database":1,"type":"native","native":{"query":"","my_key":1.50,"z":{}},"Mine":"<>&é","a":[1e3,-0]}`
	if got := string(read(t, kept).JSON()); got != kept {
		t.Errorf("stored as %s", got)
	}
}

func TestReadRefuses(t *testing.T) {
	stage := func(s string) string { return `{"database":1,"stages":[{"source-table":1,` + s + `}]}` }
	legacy := func(s string) string { return `{"database":1,"type":"query","query":{"source-table":1,` + s + `}}` }
	for sent, want := range map[string]string{
		``: "not valid JSON", `{`: "not valid JSON", `{} {}`: "not valid JSON", `{"a":}`: "not valid JSON",
		`null`: "must be an object", `[]`: "must be an object", `"x"`: "must be an object",
		`{}`: "database", `{"database":null,"type":"native","native":{"query":""}}`: "database",
		`{"database":"x","type":"native","native":{"query":""}}`: "database",
		`{"database":1}`:                                                                               `needs "stages"`,
		`{"database":1,"type":7}`:                                                                      `needs "stages"`,
		`{"database":1,"type":"internal"}`:                                                             `"internal"`,
		`{"database":1,"type":"native"}`:                                                               `object "native"`,
		`{"database":1,"type":"query"}`:                                                                `object "query"`,
		`{"database":1,"stages":[]}`:                                                                   "at least one stage",
		`{"database":1,"lib/type":"mbql/query"}`:                                                       "at least one stage",
		`{"database":1,"stages":[1]}`:                                                                  "Stage 0",
		`{"database":1,"stages":[{}]}`:                                                                 "source-table",
		`{"database":1,"stages":[{"lib/type":"x"}]}`:                                                   "lib/type",
		`{"database":1,"stages":[{"native":""},{"native":""}]}`:                                        "Stage 1 is native",
		`{"database":1,"stages":[{"source-table":1},{"source-table":1}]}`:                              "Stage 1 has a source",
		`{"database":1,"type":"native","native":{"query":7}}`:                                          "SQL",
		`{"database":1,"type":"native","native":{"query":"","template-tags":[1]}}`:                     "template-tags",
		`{"database":1,"type":"native","native":{"query":"","template-tags":{"a":1}}}`:                 `"a"`,
		`{"database":1,"type":"query","query":{"source-table":"x"}}`:                                   "source-table",
		`{"database":1,"type":"query","query":{"source-table":-1}}`:                                    "source-table",
		`{"database":1,"type":"query","query":{"source-query":1}}`:                                     "source-query",
		`{"database":1,"type":"query","query":{"source-query":{},"source-table":1}}`:                   "not both",
		stage(`"filters":1`):                                                                           `"filters" must be a list`,
		stage(`"filters":[1]`):                                                                         "must be a clause",
		stage(`"aggregation":1`):                                                                       `"aggregation" must be a list`,
		stage(`"aggregation":[[]]`):                                                                    "must be a clause",
		stage(`"breakout":[["field",{},null]]`):                                                        `"field"`,
		stage(`"breakout":[["expression",{},7]]`):                                                      `"expression"`,
		stage(`"order-by":[["up",{},["field",{},1]]]`):                                                 "order-by",
		stage(`"order-by":[["asc",{},["aggregation",{},"x"]]]`):                                        `the aggregation "x"`,
		legacy(`"order-by":[["asc",["aggregation",1]]],"aggregation":[["count"]]`):                     "the aggregation 1, and the stage has 1",
		stage(`"source-card":2`):                                                                       "not both",
		`{"database":1,"type":"query","query":{"source-query":{"source-table":1},"source-card":2}}`:    "not both",
		legacy(`"joins":[{"source-table":1,"source-query":{"source-table":2},"condition":["=",1,1]}]`): "not both",
		legacy(`"filter":["not",["or"]]`):                                                              `"or" needs a condition`,
		legacy(`"filter":["value",{},{}]`):                                                             "one value",
		legacy(`"breakout":[["joined-field",1,2,3]]`):                                                  "long ago",
		legacy(`"filter":["and",["=",1,2],3]`):                                                         "must be a clause",
		legacy(`"filter":["=",{},{}]`):                                                                 "one object",
		`{"database":1,"stages":[{"source-query":{"source-table":1}}]}`:                                "source-query",
		`{"database":0,"stages":[{"source-table":1}]}`:                                                 "database",
		stage(`"limit":-1`):                                                                            "limit",
		stage(`"page":{"page":0,"items":1}`):                                                           "page",
		stage(`"expressions":[["+",{},1,2]]`):                                                          "name of its own",
		stage(`"expressions":{"a":{}}`):                                                                "must be a clause",
		stage(`"joins":{}`):                                                                            `"joins" must be a list`,
		stage(`"joins":[1]`):                                                                           "join must be an object",
		stage(`"joins":[{"stages":[{"source-table":1}]}]`):                                             "needs a condition",
		stage(`"joins":[{"stages":[{"source-table":1}],"conditions":[["=",{},1,2]],"strategy":"x"}]`):  "strategy",
		legacy(`"joins":[{"source-table":1,"condition":["=",1,2],"fields":"some"}]`):                   `"fields"`,
		legacy(`"filter":["case",[1]]`):                                                                "pairs",
		legacy(`"filter":` + strings.Repeat(`["not",`, 300) + "1" + strings.Repeat("]", 300)):          "nests deeper",
	} {
		_, err := mbql.Read([]byte(sent))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Message, want) {
			t.Errorf("%.90s: %v, want %q", sent, err, want)
		}
	}
}

func TestReaders(t *testing.T) {
	nested := read(t, `{"database":-1337,"type":"query","query":{"source-query":{"source-table":"card__77","joins":[
		{"source-table":9,"alias":"J","condition":["=",["field",1,null],["field",2,{"join-alias":"J"}]]},
		{"source-query":{"source-query":{"native":"select * from {{#12-x}}"}},"alias":"K","condition":["=",1,1]}]},
		"aggregation":[["count"],["metric",5]],"limit":100,"page":{"page":1,"items":20}}}`)
	if nested.Database() != mbql.VirtualDatabase || nested.IsNative() || nested.QueryType() != "query" || !nested.Aggregated() {
		t.Error("the nested query is misread")
	}
	if card, ok := nested.SourceCard(); card != 77 || !ok || nested.TableID() != 0 {
		t.Errorf("source card %d, table %d", card, nested.TableID())
	}
	if cards := nested.ReferencedCards(); !slices.Equal(cards, []int64{5, 12, 77}) {
		t.Errorf("cards %v", cards)
	}
	if tables := nested.Tables(); !slices.Equal(tables, []int64{9}) {
		t.Errorf("tables %v", tables)
	}
	if n, ok := nested.RowLimit(); n != 20 || !ok {
		t.Errorf("limit %d", n)
	}
	plain := read(t, `{"database":1,"stages":[{"lib/type":"mbql.stage/mbql","source-table":"7","breakout":[]}]}`)
	if _, limited := plain.RowLimit(); limited || plain.TableID() != 7 || plain.Aggregated() || plain.NativeText() != "" {
		t.Error("the plain query is misread")
	}
	over := read(t, `{"database":1,"stages":[{"native":"select 1"},{"aggregation":[["count",{}]]}]}`)
	if over.IsNative() || over.QueryType() != "query" || over.NativeText() != "select 1" || !over.Aggregated() {
		t.Error("a structured stage over SQL is misread")
	}
	var none mbql.Query
	if !none.IsZero() || none.Database() != 0 || none.IsNative() || string(none.JSON()) != "null" || string(mbql.Legacy(none)) != "null" ||
		len(none.TemplateTags())+len(none.ReferencedCards()) > 0 || !none.WithDatabase(1).IsZero() || !mbql.Same(none, none) || mbql.Same(none, plain) {
		t.Error("no query is misread")
	}
}

func TestScanTags(t *testing.T) {
	for sql, want := range map[string]string{
		"select 1":                            "",
		"{{a}} {{ b_1 }} {{a}}":               "a b_1 a",
		"[[and x = {{a}}]] {{b}}":             "a? b",
		"[[ [[ {{a}} ]] {{b}} ]] {{c}} ]]":    "a? b? c",
		"{{#12}} {{#12-my-card}} {{ #7-é }}":  "#12=12 #12-my-card=12 #7-é=7",
		"{{#0}} {{#x}}":                       "#0 #x",
		"{{snippet: Active Ones}}":            "snippet: Active Ones~Active Ones",
		"{{ snippet:x }}":                     "snippet:x~x",
		"-- {{a}}\n{{b}}":                     "b",
		"/* {{a}}\n */{{b}} /* {{c}}":         "b",
		"'-- ' {{a}} 'it''s /* ' {{b}}":       "a b",
		`"--" {{a}} -- {{b}}`:                 "a",
		"'{{a}}'":                             "a",
		"{{}} {{ }} {{a {{b}} {{c\n}} {d} {{": "b",
		"{{{a}}}":                             "a",
		"a[1]]{{x}}":                          "x",
	} {
		var got []string
		for _, tag := range mbql.ScanTags(sql) {
			s := tag.Name
			if tag.Optional {
				s += "?"
			}
			if tag.Kind == mbql.Card {
				s += fmt.Sprintf("=%d", tag.CardID)
			}
			if tag.Kind == mbql.Snippet {
				s += "~" + tag.Snippet
			}
			got = append(got, s)
			if all := sql[tag.Start:tag.End]; !strings.HasPrefix(all, "{{") || !strings.HasSuffix(all, "}}") || !strings.Contains(all, tag.Name) {
				t.Errorf("%q: %s lies at %q", sql, tag.Name, all)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", sql, s, want)
		}
	}
}

func TestTemplateTags(t *testing.T) {
	const tags = `{"created_at":{"id":"a","name":"created_at","display-name":"When","type":"dimension","dimension":["field",51,{"base-type":"type/DateTime","source-field":4}],"widget-type":"date/range","default":"past7days","required":true,"options":{"x":1},"alias":"o.at"},
		"unit":{"type":"temporal-unit","dimension":["field",{"lib/uuid":"u","join-alias":"J"},"CREATED"]},
		"snippet:S":{"type":"snippet","snippet-id":3}}`
	const sql = `{{created_at}} {{unit}} {{snippet: S}} {{snippet: Other}} {{#12-orders}} {{min_price}}`
	legacy := read(t, `{"database":1,"type":"native","native":{"query":"`+sql+`","template-tags":`+tags+`}}`)
	for _, q := range []mbql.Query{legacy, read(t, string(mbql.MBQL5(legacy)))} {
		got := q.TemplateTags()
		want := []mbql.TemplateTag{
			{ID: "a", Name: "created_at", DisplayName: "When", Type: mbql.TagDimension, Required: true, WidgetType: "date/range", Alias: "o.at",
				Default: json.RawMessage(`"past7days"`), Options: json.RawMessage(`{"x":1}`),
				Dimension: mbql.Dimension{FieldID: 51, BaseType: "type/DateTime", SourceField: 4}},
			{Name: "unit", DisplayName: "Unit", Type: mbql.TagTemporalUnit, Dimension: mbql.Dimension{Column: "CREATED", JoinAlias: "J"}},
			{Name: "snippet:S", DisplayName: "Snippet:S", Type: mbql.TagSnippet, SnippetID: 3, SnippetName: "S"},
			{Name: "snippet: Other", DisplayName: "Snippet: Other", Type: mbql.TagSnippet, SnippetName: "Other", Inferred: true},
			{Name: "#12-orders", DisplayName: "#12 Orders", Type: mbql.TagCard, CardID: 12, Inferred: true},
			{Name: "min_price", DisplayName: "Min Price", Type: mbql.TagText, Inferred: true},
		}
		if len(got) != len(want) {
			t.Fatalf("%d tags: %+v", len(got), got)
		}
		for i := range want {
			if want[i].ID == "" && len(got[i].ID) == 36 {
				want[i].ID = got[i].ID // a made one
			}
			if g, w := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]); g != w {
				t.Errorf("\n%s, want\n%s", g, w)
			}
		}
		stored := q.WithTemplateTags()
		for _, tag := range stored.TemplateTags() {
			if tag.Inferred {
				t.Errorf("%s is still to be inferred", tag.Name)
			}
		}
		if again := stored.WithTemplateTags(); string(again.JSON()) != string(stored.JSON()) || len(stored.TemplateTags()) != len(want) {
			t.Error("declaring tags twice differs")
		}
		if tag, ok := stored.TemplateTag("min_price"); !ok || tag.Type != mbql.TagText || tag.ID != got[5].ID {
			t.Errorf("%+v", tag)
		}
		if !slices.Equal(stored.ReferencedCards(), []int64{12}) {
			t.Errorf("cards %v", stored.ReferencedCards())
		}
	}
	if _, ok := legacy.TemplateTag("absent"); ok {
		t.Error("an absent tag is there")
	}
}

package mbql_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/query/mbql"
)

type pair struct{ name, legacy, five string }

// pairs reads testdata/pairs.txt: blocks of a name, a legacy query and the same
// query as MBQL 5.
func pairs(t testing.TB) []pair {
	t.Helper()
	b, err := os.ReadFile("testdata/pairs.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []pair
	for block := range strings.SplitSeq(string(b), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if len(lines) == 3 {
			out = append(out, pair{strings.TrimPrefix(lines[0], "# "), lines[1], lines[2]})
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d pairs are read", len(out))
	}
	return out
}

var (
	optionUUID = regexp.MustCompile(`"lib/uuid":"([0-9a-f-]{36})",?`)
	anyUUID    = regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]{21}"`)
)

// withoutUUIDs is MBQL 5 as pairs.txt writes it. It fails when two clauses have
// the same lib/uuid.
func withoutUUIDs(t *testing.T, five string) string {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range optionUUID.FindAllStringSubmatch(five, -1) {
		if seen[m[1]] {
			t.Errorf("two clauses have %s", m[1])
		}
		seen[m[1]] = true
	}
	s := optionUUID.ReplaceAllString(five, "")
	return strings.ReplaceAll(anyUUID.ReplaceAllString(s, `"@"`), ",}", "}")
}

func TestPairs(t *testing.T) {
	for _, p := range pairs(t) {
		t.Run(p.name, func(t *testing.T) {
			q := read(t, p.legacy)
			if got := string(mbql.Legacy(q)); got != p.legacy {
				t.Errorf("legacy stays\n%s, want\n%s", got, p.legacy)
			}
			five := string(mbql.MBQL5(q))
			if got := withoutUUIDs(t, five); got != p.five {
				t.Errorf("MBQL 5 is\n%s, want\n%s", got, p.five)
			}
			if again := string(mbql.MBQL5(read(t, p.legacy))); again != five {
				t.Error("the same query gives other bytes")
			}
			back := read(t, five)
			if got := string(mbql.Legacy(back)); got != p.legacy {
				t.Errorf("back to legacy it is\n%s, want\n%s", got, p.legacy)
			}
			if got := string(mbql.MBQL5(back)); got != five {
				t.Errorf("what had every lib/uuid changes to\n%s, from\n%s", got, five)
			}
			if !mbql.Same(q, back) || !mbql.Same(back, q) {
				t.Error("the two forms are not the same")
			}
			if strings.Contains(p.five, "@") {
				return
			}
			// without options of their own, as programs write it by hand
			if bare := read(t, p.five); !mbql.Same(bare, q) || withoutUUIDs(t, string(mbql.MBQL5(bare))) != p.five {
				t.Errorf("without lib/uuid it is\n%s", mbql.MBQL5(bare))
			}
		})
	}
}

// TestPairsDiffer guards against a Same that is always true.
func TestPairsDiffer(t *testing.T) {
	all := pairs(t)
	for i, a := range all {
		for j, b := range all {
			if got := mbql.Same(read(t, a.legacy), read(t, b.legacy)); got != (i == j) {
				t.Errorf("%q and %q: same is %v", a.name, b.name, got)
			}
		}
	}
}

// TestLenient reads what programs send that is not quite either form.
func TestLenient(t *testing.T) {
	inner := func(s string) string { return `{"database":1,"type":"query","query":{"source-table":1,` + s + `}}` }
	stage := func(s string) string { return `{"database":1,"stages":[{"source-table":1,` + s + `}]}` }
	for _, tt := range []struct{ what, sent, want string }{
		{"keys of snakes", `{"database":1,"type":"query","query":{"source_table":"1","order_by":[["ASC",["field",2,null]]]}}`, inner(`"order-by":[["asc",["field",2,null]]]`)},
		{"what is empty", inner(`"filter":null,"fields":[],"aggregation":null,"limit":null,"joins":[]`), `{"database":1,"type":"query","query":{"source-table":1}}`},
		{"one aggregation", inner(`"aggregation":["count"]`), inner(`"aggregation":[["count"]]`)},
		{"one filter", stage(`"filters":["=",["field",2,null],3]`), inner(`"filter":["=",["field",2,null],3]`)},
		{"a filter in a stage", stage(`"filter":["and",["=",["field",2,null],3],["=",["field",4,{}],5]]`), inner(`"filter":["and",["=",["field",2,null],3],["=",["field",4,null],5]]`)},
		{"an and in filters", stage(`"filters":[["and",{},["=",{},1,2],["and",{},["=",{},3,4]]]]`), stage(`"filters":[["=",{},1,2],["=",{},3,4]]`)},
		{"an and of nothing", inner(`"filter":["and"]`), `{"database":1,"stages":[{"source-table":1,"filters":[["and",{}]]}]}`},
		{"no options", stage(`"aggregation":[["count"],["sum",["field",null,2]]]`), stage(`"aggregation":[["count",{}],["sum",{},["field",{},2]]]`)},
		{"a card in a stage", `{"database":1,"stages":[{"source-table":"card__4"}]}`, `{"database":1,"stages":[{"source-card":4}]}`},
		{"an aggregation by position", stage(`"aggregation":[["count"]],"order-by":[["asc",["aggregation",0]]]`), inner(`"aggregation":[["count"]],"order-by":[["asc",["aggregation",0]]]`)},
		{"expressions by name", stage(`"expressions":{"a":["+",1,2]}`), stage(`"expressions":[["+",{"lib/expression-name":"a"},1,2]]`)},
		{"MBQL 5 in a legacy query", inner(`"breakout":[["field",{"lib/uuid":"x","temporal-unit":"day"},2]]`), inner(`"breakout":[["field",2,{"temporal-unit":"day"}]]`)},
		{"tags of snakes", inner(`"filter":["TIME_INTERVAL",["FIELD",2,null],-1,"day",null]`), inner(`"filter":["time-interval",["field",2,null],-1,"day"]`)},
		{"types that follow", stage(`"breakout":[["field",{"effective-type":"type/Text"},2]],"aggregation":[["count",{"base-type":"type/Integer"}]]`), inner(`"breakout":[["field",2,null]],"aggregation":[["count"]]`)},
		{"field-id", inner(`"breakout":[["field-id",2],3]`), inner(`"breakout":[["field",2,null],["field",3,null]]`)},
		{"field-literal", inner(`"fields":[["field-literal","x","type/Text"]]`), inner(`"fields":[["field","x",{"base-type":"type/Text"}]]`)},
		{"joined-field", inner(`"fields":[["joined-field","J",["field-id",2]]]`), inner(`"fields":[["field",2,{"join-alias":"J"}]]`)},
		{"fk->", inner(`"fields":[["fk->",["field-id",2],["field-id",3]]]`), inner(`"fields":[["field",3,{"source-field":2}]]`)},
		{"datetime-field", inner(`"fields":[["datetime-field",["fk->",2,3],"as","month"]]`), inner(`"fields":[["field",3,{"source-field":2,"temporal-unit":"month"}]]`)},
		{"binning-strategy", inner(`"fields":[["binning-strategy",["datetime-field",2,"day"],"num-bins",10],["binning-strategy",3,"default"]]`), inner(`"fields":[["field",2,{"temporal-unit":"day","binning":{"strategy":"num-bins","num-bins":10}}],["field",3,{"binning":{"strategy":"default"}}]]`)},
		{"named", inner(`"aggregation":[["named",["count"],"N"],["named",["count"],"n",{"use-as-display-name?":false}]]`), inner(`"aggregation":[["aggregation-options",["count"],{"display-name":"N"}],["aggregation-options",["count"],{"name":"n"}]]`)},
		{"descending", inner(`"order-by":[[["field-id",2],"descending"],["desc",3]]`), inner(`"order-by":[["desc",["field",2,null]],["desc",["field",3,null]]]`)},
		{"a join of a plain query", inner(`"joins":[{"source-query":{"source-table":2},"condition":["=",1,2],"alias":null}]`), inner(`"joins":[{"source-table":2,"condition":["=",1,2]}]`)},
		{"a join with its default alias", inner(`"joins":[{"source-table":2,"condition":["=",1,2]},{"source-table":3,"condition":["=",1,2]}]`), inner(`"joins":[{"source-table":2,"condition":["=",1,2],"alias":"__join"},{"source-table":3,"condition":["=",1,2],"alias":"__join_2"}]`)},
	} {
		got, want := read(t, tt.sent), read(t, tt.want)
		if !mbql.Same(got, want) {
			t.Errorf("%s: %s is\n%s, want\n%s", tt.what, tt.sent, mbql.Legacy(got), mbql.Legacy(want))
		}
		if again := read(t, string(mbql.Legacy(got))); !mbql.Same(again, want) {
			t.Errorf("%s: as legacy it is %s", tt.what, mbql.Legacy(got))
		}
	}
}

func TestKeepsUUIDs(t *testing.T) {
	sent := `{"lib/type":"mbql/query","database":1,"stages":[{"lib/type":"mbql.stage/mbql","source-table":1,"aggregation":[["sum",{"lib/uuid":"mine","name":"s"},["field",{"lib/uuid":"f"},2]],["count",{}]],"order-by":[["asc",{"lib/uuid":"o"},["aggregation",{"lib/uuid":"r"},"mine"]]]}]}`
	q := read(t, sent)
	five := string(mbql.MBQL5(q))
	for _, id := range []string{`"mine","name"`, `"f"`, `"o"`, `"r"`} {
		if !strings.Contains(five, `"lib/uuid":`+id) {
			t.Errorf("%s is lost: %s", id, five)
		}
	}
	if strings.Contains(five, "{}") {
		t.Errorf("a clause has no lib/uuid: %s", five)
	}
	if string(q.JSON()) != sent {
		t.Errorf("stored as %s", q.JSON())
	}
	if legacy := string(mbql.Legacy(q)); !strings.Contains(legacy, `["asc",["aggregation",0]]`) || strings.Contains(legacy, "lib/") {
		t.Error(legacy)
	}
}

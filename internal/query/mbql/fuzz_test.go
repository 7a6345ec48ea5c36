package mbql_test

import (
	"strings"
	"testing"

	"latchkey/internal/fault"
	"latchkey/internal/query/mbql"
)

// FuzzRead checks that no text breaks reading, and that what is read is whole:
// it can be written in every form and read again as the same query.
func FuzzRead(f *testing.F) {
	for _, p := range pairs(f) {
		f.Add([]byte(p.legacy))
		f.Add([]byte(p.five))
	}
	for _, s := range []string{
		`{"database":1,"type":"native","native":{"query":"[[{{a}}]] {{#1-x}} {{snippet: S}}","template-tags":[{"name":"a","type":"text"}]}}`,
		`{"database":1,"stages":[{"source-table":1,"filters":[["case",[[true,1]],{"default":null}],["value",null,null],["field",null,1]]}]}`,
		`{"database":"1","type":"QUERY","query":{"source_query":{"source-table":"card__1"},"joins":[{"source-table":1,"condition":["and"]}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkWhole(t, raw) })
}

func checkRefusal(t *testing.T, raw []byte, err error) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) || fault.As(err).Message == "" {
		t.Fatalf("%s: %v", raw, err)
	}
}

// FuzzScanTags checks that every tag lies where it says, in order.
func FuzzScanTags(f *testing.F) {
	for _, s := range []string{"{{a}} [[ {{b}} ]]", "-- {{a}}\n'{{b}}' /* */ {{#1}}", "{{snippet: x}}", "{{{{a}}}}", "[[[", "{{a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for _, tag := range mbql.ScanTags(sql) {
			if tag.Start < end || tag.End <= tag.Start || tag.End > len(sql) || strings.TrimSpace(sql[tag.Start+2:tag.End-2]) != tag.Name || tag.Name == "" {
				t.Fatalf("%q: %+v", sql, tag)
			}
			end = tag.End
		}
	})
}

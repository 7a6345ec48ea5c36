package query_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/internal/query"
)

// FuzzTemplate runs texts with tags: nothing panics, and values never get into
// the text.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"SELECT {{x}}", "SELECT 1 [[WHERE {{x}}]]", "SELECT '{{x}}'", "SELECT \"[[{{x}}\"]]", "-- {{x}}\nSELECT 1",
		"SELECT {{x", "[[", "]]", "{{}}", "{{#1}}", "{{snippet: a}}", "/* {{", "SELECT [[ [[{{x}}]] ]]", "{{{x}}}",
	} {
		f.Add(s, "secret")
	}
	w := newWorld(f, time.Second)
	f.Fuzz(func(t *testing.T, sql, value string) {
		value = "⟦" + strings.ToValidUTF8(value, "") + "⟧"
		if strings.Contains(sql, value) || strings.ContainsAny(value, "\"\\") || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
			return
		}
		out, err := w.Compile(t.Context(), bo, w.body(sql, tag("x", "text", ""), param("x", "text", `"`+value+`"`)))
		switch {
		case err != nil && kindOf(err) == 0:
			t.Errorf("%q: %v is no failure", sql, err)
		case kindOf(err) == query.Broken:
			t.Errorf("%q: %v", sql, err)
		case err == nil && strings.Contains(out.SQL, value):
			t.Errorf("%q: the value stands in %q", sql, out.SQL)
		}
	})
}

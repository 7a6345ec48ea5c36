package query_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/query"
)

// TestExpansionsAreBounded: a few short texts that refer to one another never
// keep the server busy, whatever they come to.
func TestExpansionsAreBounded(t *testing.T) {
	w := newWorld(t, time.Minute)
	w.snippets["0"] = "[[{{x}}]]" // nothing
	w.snippets["long"] = strings.Repeat("1 + ", 200_000)
	w.cards[20] = string(w.body("SELECT 1", "", ""))
	for i := range 15 {
		w.snippets[fmt.Sprint(i+1)] = strings.Repeat(fmt.Sprintf("{{snippet: %d}}", i), 20)
		w.cards[int64(21+i)] = string(w.body(strings.Repeat(fmt.Sprintf("/* */ {{#%d}}", 20+i), 20), "", ""))
	}
	for name, sql := range map[string]string{
		"snippets that come to nothing": "SELECT 1 {{snippet: 15}}",
		"cards in cards":                "SELECT * FROM {{#35}}",
		"a long snippet, often":         "SELECT " + strings.Repeat("{{snippet: long}}", 10_000),
		"blocks in blocks":              "SELECT 1 " + strings.Repeat("[[", 200_000) + "{{x}}" + strings.Repeat("]]", 200_000),
		"blocks that stay open":         "SELECT 1 " + strings.Repeat("[[ ", 200_000),
	} {
		began := time.Now()
		_, err := w.Compile(t.Context(), bo, w.body(sql, "", ""))
		if kindOf(err) != query.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
	list := w.body("SELECT "+strings.Repeat("{{x}}, ", 10_000)+"1", tag("x", "text", ""), param("x", "text", `["`+strings.Repeat(`a","`, 1999)+`a"]`))
	if _, err := w.Compile(t.Context(), bo, list); kindOf(err) != query.Invalid {
		t.Errorf("many values, often: %v", err)
	}
}

// TestSnippetsAreThereForWhoMaySeeThem: nobody gets at a snippet by a query,
// by a question of their own or by a snippet between. Who may see a question
// runs it with its snippets.
func TestSnippetsAreThereForWhoMaySeeThem(t *testing.T) {
	w := newWorld(t, time.Minute)
	w.snippets["secret"] = "42"
	w.snippets["between"] = "{{snippet: secret}}"
	w.cards[30] = string(w.body("SELECT {{snippet: between}} AS n", "", ""))
	root := access.CommandLine()
	for _, sql := range []string{"SELECT {{snippet: secret}}", "SELECT {{snippet: between}}", "SELECT '{{snippet: between}}'"} {
		body := w.body(sql, "", "")
		if _, err := w.Compile(t.Context(), bo, body); kindOf(err) != query.Denied {
			t.Errorf("%s compiles: %v", sql, err)
		}
		if _, err := w.run(t, body); kindOf(err) != query.Denied {
			t.Errorf("%s runs: %v", sql, err)
		}
		if err := w.MayRun(t.Context(), bo, body); kindOf(err) != query.Denied {
			t.Errorf("%s may be saved: %v", sql, err)
		}
		if err := w.MayRun(t.Context(), root, body); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	r, err := w.RunStored(t.Context(), bo, query.Stored{Query: []byte(w.cards[30]), CardID: 30})
	if rows, err := rowsOf(t, r, err); err != nil || rows[0][0] != int64(42) {
		t.Errorf("a question: %v, %v", rows, err)
	}
	if rows, err := w.run(t, w.body("SELECT n FROM {{#30}}", "", "")); err != nil || rows[0][0] != int64(42) {
		t.Errorf("a question in a query: %v, %v", rows, err)
	}
}

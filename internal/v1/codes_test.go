package v1_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "latchkey/internal/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestCodesAreUnique(t *testing.T) {
	words := v1.Codes()
	slices.Sort(words)
	if n := len(slices.Compact(slices.Clone(words))); n != len(words) {
		t.Errorf("a word stands twice in %v", words)
	}
}

// Every code that the program gives a fault or a refusal is in the table.
func TestEveryCodeIsDocumented(t *testing.T) {
	known := v1.Codes()
	found := 0
	for _, path := range sources(t) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			word, ok := codeIn(n)
			if ok && !slices.Contains(known, word) {
				t.Errorf("%s: the code %q has no row in codes.go", path, word)
			}
			if ok {
				found++
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("only %d codes found: the search is broken", found)
	}
}

// sources are the files of all packages, without tests.
func sources(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// codeIn returns the code that a node gives a fault: the constants whose names
// begin with Code or code, the second value of Coded, the first of fieldFault, and Code in a
// literal of Error or Refusal.
func codeIn(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		if strings.HasPrefix(strings.ToLower(n.Names[0].Name), "code") && len(n.Values) == 1 {
			return text(n.Values[0])
		}
	case *ast.CallExpr:
		place, ok := map[string]int{"Coded": 1, "fieldFault": 0}[lastName(n.Fun)]
		if ok && place < len(n.Args) {
			return text(n.Args[place])
		}
	case *ast.CompositeLit:
		if name := lastName(n.Type); name != "Error" && name != "Refusal" {
			return "", false
		}
		for _, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && lastName(kv.Key) == "Code" {
				return text(kv.Value)
			}
		}
	}
	return "", false
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// text returns a literal. Names of constants are looked at where they are declared.
func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// docs/problems.md holds the table of codes.
func TestProblemsPageIsCurrent(t *testing.T) {
	golden(t, filepath.Join("..", "..", "docs", "problems.md"), problemsPage())
}

func problemsPage() string {
	var b strings.Builder
	b.WriteString("# Problems\n\n" +
		"Every error under `/v1` is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):\n\n" +
		"```json\n" + `{"type": "/v1/docs#invalid", "title": "The request is not valid.", "status": 400, "code": "invalid",
 "detail": "The request is not valid. Correct the fields that are named in errors.",
 "errors": [{"field": "name", "code": "missing", "detail": "Send a text that is not blank."}],
 "request_id": "4c8d3a1f0b9e2d75"}` + "\n```\n\n" +
		"Programs read `code`, which never changes its meaning; people read `detail`. The same words stand in the header\n" +
		"`Latchkey-Reason` when a key that is good is refused (403 or 429), under `/v1` and under `/api`.\n" +
		"This page is made from the program's own table by `go test ./internal/v1 -update`.\n\n" +
		"## Codes\n\n| code | status | what it means | what to do |\n|---|---|---|---|\n")
	for _, row := range v1.ProblemRows() {
		if row.Status != 0 {
			fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", row.Word, row.Status, row.Title, row.Do)
		}
	}
	b.WriteString("\n## Reasons that outsiders are not told\n\n" +
		"A key that is refused for one of these gets the same 401 `unauthenticated` as everybody. The reason stands in the log,\n" +
		"the metrics, the key's page and the answer of `POST /v1/explain`.\n\n| reason | what it means | what to do |\n|---|---|---|\n")
	for _, row := range v1.ProblemRows() {
		if row.Status == 0 {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.Word, row.Title, row.Do)
		}
	}
	b.WriteString("\n## Codes of fields\n\nEach item of `errors` names a field (members with dots, items by number: `restriction.scopes.0`) and one of these\n" +
		"codes, or the code of the problem itself.\n\n| code | what it means |\n|---|---|\n")
	for _, row := range v1.FieldRows() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", row[0], row[1])
	}
	return b.String()
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not current; run go test ./internal/v1 -update, and look at what changed", path)
	}
}

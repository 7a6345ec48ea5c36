// Package internal_test checks that imports run one way through the house:
// cmd, cli, server, then api, v1 and web, then the domain, then access, audit,
// db and the leaves. The linter holds the same table (.golangci.yml); this test
// holds it without the linter, and knows what may be missing from the table.
package internal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "latchkey/"

// direction names what each package may import of ours. A package below one of
// the table follows the same row, unless it has one of its own, as query/mbql
// has. Tests may import more.
func direction() map[string][]string {
	leaves := []string{"fault", "secret", "clock", "opt", "naming"}
	data := with(leaves, "audit", "db")
	access := with(data, "access")
	endpoint := []string{"access", "fault", "opt", "secret"}
	domain := with(access, "setting", "group", "people", "usage", "apikey",
		"query/mbql", "engine", "export", "content", "warehouse", "query", "bulk")
	outside := with(without(domain, "db"), "endpoint", "cookie")
	server := with(domain, "seed", "endpoint", "cookie", "api", "v1", "web", "config", "mail", "metrics")
	return map[string][]string{
		"internal/fault":   {},
		"internal/secret":  {},
		"internal/clock":   {},
		"internal/opt":     {},
		"internal/naming":  {"fault"},
		"internal/config":  {"secret"},
		"internal/mail":    leaves,
		"internal/cookie":  {"clock", "secret"},
		"internal/metrics": {"secret"},

		"internal/query/mbql": {"fault"},

		"internal/db":     leaves,
		"internal/audit":  with(leaves, "db"),
		"internal/access": data,

		"internal/setting": access,
		"internal/group":   with(access, "setting"),
		"internal/people":  with(access, "setting", "group", "mail"),
		"internal/usage":   access,
		"internal/apikey":  with(access, "setting", "group", "people", "usage"),
		"internal/content": with(access, "query/mbql"),
		"internal/seed":    with(access, "setting", "group", "people", "apikey"),
		"internal/bulk":    with(access, "setting", "group", "people", "apikey", "content"),

		"internal/engine":    {"secret", "fault"},
		"internal/export":    {"engine"},
		"internal/warehouse": with(access, "engine"),
		"internal/query":     with(access, "setting", "engine", "warehouse", "query/mbql"),

		"internal/endpoint": endpoint,
		"internal/api":      outside,
		"internal/v1":       outside,
		"internal/web":      outside,

		"internal/server": server,
		"internal/cli":    with(server, "server"),
		"cmd/latchkey":    {"cli"},

		"internal/apptest": {"*"},
		"bench":            {"*"},
		"test":             {"*"},
	}
}

// drivers are the modules that one package alone, or two, may import.
func drivers() map[string][]string {
	return map[string][]string{
		"modernc.org/sqlite":           {"internal/db", "internal/engine"},
		"github.com/jackc/pgx/v5":      {"internal/db"},
		"github.com/pressly/goose/v3":  {"internal/db"},
		"github.com/wneessen/go-mail":  {"internal/mail"},
		"github.com/prometheus":        {"internal/metrics"},
		"github.com/chromedp/chromedp": {"test"},
	}
}

func with(list []string, more ...string) []string { return slices.Concat(list, more) }

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == one })
}

func TestImportsRunOneWay(t *testing.T) {
	rows := direction()
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		row := rowOf(rows, p.ImportPath)
		if row == "" {
			t.Errorf("%s has no row in the table of imports; add one here and in .golangci.yml", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if complaint := judge(rows, row, imported); complaint != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, complaint)
			}
		}
	}
}

// judge says what is wrong with an import, or nothing.
func judge(rows map[string][]string, row, imported string) string {
	if slices.Contains(rows[row], "*") {
		return ""
	}
	for pkg, owners := range drivers() {
		if under(imported, pkg) && !slices.Contains(owners, row) {
			return "only " + strings.Join(owners, " and ") + " may"
		}
	}
	if !strings.HasPrefix(imported, module) {
		return ""
	}
	target := rowOf(rows, imported)
	if target == row || slices.Contains(rows[row], strings.TrimPrefix(target, "internal/")) {
		return ""
	}
	if target == "internal/apptest" {
		return "only tests start the program"
	}
	return fmt.Sprintf("%s may import of ours: %s", row, strings.Join(rows[row], ", "))
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		row, imported string
		fine          bool
	}{
		{"internal/cli", "latchkey/internal/server", true},
		{"internal/people", "latchkey/internal/group", true},
		{"internal/group", "latchkey/internal/people", false},
		{"internal/apikey", "latchkey/internal/usage", true},
		{"internal/usage", "latchkey/internal/apikey", false},
		{"internal/seed", "latchkey/internal/apikey", true},
		{"internal/web", "latchkey/internal/seed", false},
		{"internal/access", "latchkey/internal/group", false},
		{"internal/audit", "latchkey/internal/access", false},
		{"internal/v1", "latchkey/internal/api", false},
		{"internal/web", "latchkey/internal/v1", false},
		{"internal/api", "latchkey/internal/db", false},
		{"internal/fault", "latchkey/internal/secret", false},
		{"internal/api", "latchkey/internal/query/mbql", true},
		{"internal/query/mbql", "latchkey/internal/db", false},
		{"internal/server", "latchkey/internal/apptest/dbtest", false},
		{"bench", "latchkey/internal/apptest", true},
		{"internal/db", "latchkey/internal/db/migrations", true},
		{"internal/db", "github.com/jackc/pgx/v5/stdlib", true},
		{"internal/apikey", "github.com/jackc/pgx/v5", false},
		{"internal/apikey", "database/sql", true},
		{"internal/engine", "modernc.org/sqlite", true},
		{"internal/warehouse", "modernc.org/sqlite", false},
		{"internal/content", "latchkey/internal/warehouse", false},
		{"cmd/latchkey", "latchkey/internal/config", false},
	} {
		if got := judge(direction(), tt.row, tt.imported); (got == "") != tt.fine {
			t.Errorf("%s imports %s: %q", tt.row, tt.imported, got)
		}
	}
}

// rowOf returns the row that a package of ours follows, the nearest of those
// above it, or "".
func rowOf(rows map[string][]string, path string) string {
	nearest := ""
	for row := range rows {
		if under(path, module+row) && len(row) > len(nearest) {
			nearest = row
		}
	}
	return nearest
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

type listed struct {
	ImportPath string
	GoFiles    []string
	Imports    []string
}

// packages asks the go command for what each package imports outside tests.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,GoFiles,Imports", module+"...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

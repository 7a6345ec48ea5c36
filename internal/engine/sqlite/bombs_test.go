package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
)

func TestMain(m *testing.M) {
	if !sqlite.LimitMemory() {
		fmt.Fprintln(os.Stderr, "SQLite does not count its memory")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestBombs runs what would take gigabytes or hours. Each ends with a failure,
// soon, and the file can be read afterwards.
func TestBombs(t *testing.T) {
	d := open(t, shop(t))
	repeated := func(s string, n int) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	as := "replace(hex(zeroblob(2000000)), '0', 'a')" // four million of them
	for name, q := range map[string]string{
		"many large values in a row":    "SELECT " + repeated("printf('%4000000d', 1)", 50),
		"many joined texts in a row":    "WITH x AS (SELECT hex(zeroblob(1900000)) AS a) SELECT " + repeated("a || 'x'", 1500) + " FROM x",
		"more blobs than there may be":  "SELECT " + repeated("zeroblob(1)", 5),
		"more makers than there may be": "SELECT " + repeated("hex(1)", 51),
		"more searches than may be":     "SELECT " + repeated("name LIKE 'a'", 501) + " FROM customer",
		"a list of large values":        "WITH RECURSIVE n (x, b) AS (SELECT 1, randomblob(4000000) UNION ALL SELECT x + 1, randomblob(4000000) FROM n) SELECT group_concat(b) FROM n",
		"one large value":               "SELECT randomblob(4300000)",
		"a wide text":                   "SELECT printf('%5000000d', 1)",
		"replace that grows":            "SELECT replace(" + as + ", 'a', 'bbbbbbbbbb')",
		"a long pattern":                "SELECT " + as + " LIKE '%" + strings.Repeat("a", 300) + "b'",
		"shapes":                        "SELECT geopoly_overlap(geopoly_regular(0, 0, 1, 900), geopoly_regular(0, 0, 1, 900))",
		"a check of the whole file":     "SELECT rtreecheck('x')",
		"pages":                         "SELECT * FROM dbstat",
		"a long program":                "SELECT " + repeated("1", 1900) + strings.Repeat(" UNION ALL SELECT "+repeated("1", 1900), 60),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			began := time.Now()
			rows, err := all(ctx, d, q)
			if k := engine.KindOf(err); err == nil || k != engine.Invalid && k != engine.Forbidden && k != engine.Timeout {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	if rows, err := all(t.Context(), d, "SELECT count(*) FROM customer"); err != nil || rows[0][0] != int64(2) {
		t.Errorf("%v, %v", rows, err)
	}
}

// TestSearchesOfLongTexts looks for a long text in a longer one, at every place
// of which it almost stands.
func TestSearchesOfLongTexts(t *testing.T) {
	d := open(t, shop(t))
	for q, want := range map[string]any{
		"SELECT instr(replace(hex(zeroblob(2000000)), '0', 'a'), replace(hex(zeroblob(900000)), '0', 'a') || 'b')":                int64(0),
		"SELECT length(replace(replace(hex(zeroblob(2000000)), '0', 'a'), replace(hex(zeroblob(900000)), '0', 'a') || 'b', 'c'))": int64(4_000_000),
	} {
		began := time.Now()
		rows, err := all(t.Context(), d, q)
		if err != nil || rows[0][0] != want {
			t.Errorf("%s: %v, %v", q, rows, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %s", q, took)
		}
	}
}

// TestFunctionsAreThoseOfSQLite compares our functions with its own.
func TestFunctionsAreThoseOfSQLite(t *testing.T) {
	path := shop(t)
	d := open(t, path)
	own, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	values := []string{"NULL", "''", "'a'", "'aXbXc'", "'ärger'", "'gé'", "'é'", "1", "0", "-12", "1.5", "1.0", "1e20", "1e-7", "0.1", "123456789012345678", "1.5e300",
		"x''", "x'6162'", "x'62'", "x'c3a9'", "'b'", "'X'", "'12'", "'.0'", "'e+'"}
	var texts []string
	for _, a := range values {
		for _, b := range values {
			texts = append(texts, fmt.Sprintf("instr(%s, %s)", a, b))
			for _, c := range []string{"NULL", "''", "'zz'", "7", "2.0", "x'41'"} {
				texts = append(texts, fmt.Sprintf("replace(%s, %s, %s)", a, b, c))
			}
		}
	}
	for _, expr := range texts {
		q := "SELECT quote(" + expr + ")"
		var want string
		if err := own.QueryRowContext(t.Context(), q).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if rows, err := all(t.Context(), d, q); err != nil || rows[0][0] != want {
			t.Errorf("%s: %v, %v, want %s", q, rows, err, want)
		}
	}
}

// TestViewsUseFunctions: what a view of the file calls is allowed as elsewhere.
func TestViewsUseFunctions(t *testing.T) {
	path := shop(t)
	own, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Exec("CREATE VIEW v AS SELECT instr(name, 'd') AS at, replace(name, 'A', 'a') AS small FROM customer WHERE name LIKE 'a%'"); err != nil {
		t.Fatal(err)
	}
	if err := own.Close(); err != nil {
		t.Fatal(err)
	}
	if rows, err := all(t.Context(), open(t, path), "SELECT * FROM v"); err != nil || len(rows) != 1 || rows[0][0] != int64(2) || rows[0][1] != "ada" {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestRefusalsSayWhy(t *testing.T) {
	d := open(t, shop(t))
	for q, want := range map[string]string{
		"WITH x AS (SELECT 1) DELETE FROM customer":         "This database is read-only here: write a SELECT.",
		"SELECT * FROM pragma_user_version":                 "The pragma user_version cannot be used here.",
		"SELECT * FROM dbstat":                              "The table dbstat cannot be read here.",
		"SELECT load_extension('x')":                        "The function load_extension cannot be used here.",
		"SELECT 1" + strings.Repeat(", zeroblob(1)", 5):     "One statement may call randomblob and zeroblob 4 times.",
		"SELECT 1" + strings.Repeat(", hex(1)", 51):         "One statement may call hex, quote, printf and format 50 times: use fewer, or several statements.",
		"SELECT 1" + strings.Repeat(", 'a' LIKE 'b'", 501):  "One statement may use LIKE and GLOB 500 times: use fewer, or several statements.",
		"SELECT 1" + strings.Repeat(", 'a' GLOB 'b'", 1001): "One statement may use LIKE and GLOB 500 times: use fewer, or several statements.",
	} {
		if _, err := all(t.Context(), d, q); engine.KindOf(err) != engine.Forbidden || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%.40s: %v, want %s", q, err, want)
		}
	}
}

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/secret"
)

// shop makes a file with two tables.
func shop(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.db")
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for _, q := range []string{
		`CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born DATE, active BOOLEAN)`,
		`CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), total REAL, at DATETIME, note)`,
		`CREATE VIEW spent AS SELECT customer_id, sum(total) AS total FROM purchase GROUP BY 1`,
		`INSERT INTO customer VALUES (1, 'Ada', '1815-12-10', 1), (2, 'Bo', NULL, 0)`,
		`INSERT INTO purchase VALUES (1, 1, 9.5, '2026-01-02 03:04:05', 'x'), (2, 1, 1, '2026-01-03 00:00:00', 7)`,
	} {
		if _, err := d.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func details(path string) engine.Details { return engine.Details{"db": secret.New(path)} }

func open(t testing.TB, path string) engine.Database {
	t.Helper()
	d, err := sqlite.Driver{Dirs: []string{filepath.Dir(path)}}.Open(details(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func all(ctx context.Context, d engine.Database, q string, args ...any) (out [][]any, err error) {
	rows, err := d.Query(ctx, engine.Statement{SQL: q, Args: args})
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, append([]any{}, row...))
	}
}

func TestQuery(t *testing.T) {
	d := open(t, shop(t))
	for _, q := range []string{
		"SELECT id FROM purchase WHERE total > ?",
		"  -- why\n/* ; */ SELECT id FROM purchase WHERE total > ? ; -- end",
		"WITH x AS (SELECT * FROM purchase) SELECT id FROM x WHERE total > ?;",
		";SELECT id FROM purchase WHERE note <> ';' AND total > ?",
		"(SELECT id FROM purchase WHERE total > ?)",
	} {
		rows, err := all(t.Context(), d, q, 2)
		if strings.HasPrefix(q, "(") {
			if engine.KindOf(err) != engine.Invalid {
				t.Errorf("%s: %v", q, err)
			}
			continue
		}
		if err != nil || len(rows) != 1 || rows[0][0] != int64(1) {
			t.Errorf("%s: %v, %v", q, rows, err)
		}
	}
	rows, err := all(t.Context(), d, "SELECT active, born, note, at, total FROM customer c JOIN purchase ON c.id = customer_id ORDER BY 4")
	if err != nil {
		t.Fatal(err)
	}
	if rows[0][0] != true || rows[0][1].(engine.Date).Year() != 1815 || rows[0][2] != "x" || rows[1][2] != int64(7) ||
		rows[0][3].(time.Time).Hour() != 3 || rows[0][4] != 9.5 {
		t.Errorf("%#v", rows)
	}
}

// TestOnlyReads tries everything by which a statement could write, reach other
// files or stay behind. Each must fail, and leave the files as they are.
func TestOnlyReads(t *testing.T) {
	path := shop(t)
	other := filepath.Join(filepath.Dir(path), "other.db")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	for _, q := range []string{
		"INSERT INTO customer VALUES (3, 'Mallory', NULL, 1)",
		"UPDATE customer SET name = 'x'",
		"DELETE FROM customer",
		"DROP TABLE customer",
		"CREATE TABLE x (y)",
		"CREATE TEMP TABLE x (y)",
		"CREATE TEMP VIEW x AS SELECT 1",
		"CREATE VIRTUAL TABLE x USING fts5(y)",
		"REPLACE INTO customer VALUES (1, 'x', NULL, 1)",
		"WITH x AS (SELECT 1) INSERT INTO customer SELECT 9, 'x', NULL, 1",
		"WITH x AS (SELECT 1) DELETE FROM customer",
		"EXPLAIN DELETE FROM customer",
		"ATTACH '" + other + "' AS o",
		"ATTACH DATABASE ':memory:' AS o",
		"DETACH main",
		"VACUUM",
		"VACUUM INTO '" + other + "'",
		"/* */ VACUUM INTO '" + other + "'",
		"PRAGMA writable_schema = ON",
		"PRAGMA query_only = OFF",
		"PRAGMA temp_store_directory = '/'",
		"PRAGMA journal_mode = DELETE",
		"PRAGMA table_info(customer)",
		"SELECT * FROM pragma_database_list",
		"SELECT * FROM pragma_query_only",
		"SELECT * FROM pragma_wal_checkpoint",
		"SELECT load_extension('x')",
		"SELECT fts3_tokenizer('simple')",
		"SELECT readfile('/etc/hostname')",
		"SELECT writefile('" + other + "', 'x')",
		"SELECT * FROM sqlite_dbpage",
		"SELECT 1; DROP TABLE customer",
		"SELECT 1; SELECT 2",
		"SELECT 1;/**/DELETE FROM customer",
		"SELECT 1;;;DELETE FROM customer",
		"SELECT ';' ; DELETE FROM customer",
		"SELECT 1 -- ';\n; DELETE FROM customer",
		"SELECT [a;]]; DELETE FROM customer",
		"SELECT 1; $x",
		"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT x", "RELEASE x", "ROLLBACK",
		"ANALYZE", "REINDEX", "ALTER TABLE customer RENAME TO x",
		"", " ", ";", "-- nothing", "/* nothing", "\x00", "SELECT 1\x00; DELETE FROM customer",
		"SELECT zeroblob(1000000000)",
		"SELECT hex(zeroblob(20000000))",
		"SELECT printf('%2000000000d', 1)",
		"DELETE FROM customer RETURNING *",
	} {
		if rows, err := all(t.Context(), d, q); err == nil {
			t.Errorf("%s: gives %v", q, rows)
		} else if k := engine.KindOf(err); k != engine.Forbidden && k != engine.Invalid {
			t.Errorf("%s: kind %d: %v", q, k, err)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Error("the file has changed")
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("there are new files: %v", entries)
	}
}

func TestPaths(t *testing.T) {
	path := shop(t)
	dir := filepath.Dir(path)
	outside := shop(t)
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling.db")
	if err := os.Symlink(filepath.Join(filepath.Dir(outside), "later.db"), dangling); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"", outside, link, dangling, dir, dir + "/../x.db", "/etc/passwd", ":memory:", "file:" + path, "a\x00b"} {
		if _, err := (sqlite.Driver{Dirs: []string{dir}}).Open(details(p)); err == nil {
			t.Errorf("%q may be opened", p)
		}
	}
	one := sqlite.Driver{Files: []string{path}}
	if _, err := one.Open(details(path)); err != nil {
		t.Error(err)
	}
	if _, err := one.Open(details(filepath.Join(dir, "latchkey.db"))); err == nil {
		t.Error("a file beside the one that is allowed may be opened")
	}
	strange := engine.Details{"db": secret.New(path), "mode": secret.New("rw")}
	if _, err := (sqlite.Driver{Dirs: []string{dir}}).Open(strange); err == nil {
		t.Error("an unknown option is taken")
	}
	d := open(t, filepath.Join(dir, "later.db"))
	if err := d.Check(t.Context()); engine.KindOf(err) != engine.Connection {
		t.Errorf("a file that is not there: %v", err)
	}
	// A name with the signs of a URI stays a name.
	odd := filepath.Join(dir, "a?mode=rwc&x=%41#.db")
	b, _ := os.ReadFile(path)
	if err := os.WriteFile(odd, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if rows, err := all(t.Context(), open(t, odd), "SELECT count(*) FROM customer"); err != nil || rows[0][0] != int64(2) {
		t.Errorf("%v, %v", rows, err)
	}
}

// endless gives its first row at once and never a second.
const endless = `WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 2 OR x < 0`

func TestEndOfContext(t *testing.T) {
	d := open(t, shop(t))
	for name, q := range map[string]string{
		"before the first row": `WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n`,
		"between two rows":     endless,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := all(ctx, d, q)
			if engine.KindOf(err) != engine.Timeout {
				t.Errorf("a slow query: %v", err)
			}
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			if _, err := all(ctx, d, q); engine.KindOf(err) != engine.Cancelled {
				t.Errorf("a cancelled query: %v", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	// All connections are free again.
	for range 10 {
		if _, err := all(t.Context(), d, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDescribe(t *testing.T) {
	tables, err := open(t, shop(t)).Describe(t.Context())
	if err != nil || len(tables) != 3 {
		t.Fatalf("%v, %v", tables, err)
	}
	p := tables[1]
	if p.Name != "purchase" || !p.Columns[0].PrimaryKey || p.Columns[3].Type != engine.DateTime || p.Columns[4].Type != engine.Unknown ||
		p.Keys[0] != (engine.ForeignKey{Column: "customer_id", ToTable: "customer", ToColumn: "id"}) {
		t.Errorf("%+v", p)
	}
	if !tables[2].View || len(tables[2].Columns) != 2 {
		t.Errorf("%+v", tables[2])
	}
}

func TestMistakes(t *testing.T) {
	d := open(t, shop(t))
	for q, want := range map[string]string{
		"SELECT gone FROM customer": "no such column: gone",
		"SELECT * FROM nowhere":     "no such table: nowhere",
		"SELECT \"text\"":           `no such column: "text"`,
		"SELECT FROM":               `near "FROM": syntax error`,
		"SELECT 1 WHERE 1 = ?":      "missing argument",
	} {
		_, err := all(t.Context(), d, q)
		if engine.KindOf(err) != engine.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", q, err)
		}
	}
}

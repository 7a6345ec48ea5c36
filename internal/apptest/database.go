package apptest

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Database opens the program's own data beside the running program, for tests
// that look at what is stored or break it. It is closed when the test ends.
func (s *Server) Database() *sql.DB {
	s.t.Helper()
	driver, source := "pgx", s.DBURL
	if s.DBURL == "" {
		driver = "sqlite"
		source = (&url.URL{Scheme: "file", Path: filepath.Join(s.DataDir, "latchkey.db"), RawQuery: "_pragma=busy_timeout(5000)"}).String()
	}
	d, err := sql.Open(driver, source)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = d.Close() })
	return d
}

// Dump returns the rows of every table as text, by the name of the table.
// Bytes stand there in hex and, where they are text, as text.
func (s *Server) Dump() map[string][]string {
	s.t.Helper()
	d := s.Database()
	tables := "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	if s.DBURL == "" {
		tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
	}
	out := map[string][]string{}
	for _, row := range s.rows(d, tables) {
		table := strings.TrimSpace(row)
		out[table] = s.rows(d, `SELECT * FROM "`+table+`"`)
	}
	return out
}

// rows returns the rows of a query, their values separated by tabs.
func (s *Server) rows(d *sql.DB, query string) []string {
	s.t.Helper()
	r, err := d.QueryContext(s.t.Context(), query)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = r.Close() }()
	names, err := r.Columns()
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for r.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := r.Scan(values...); err != nil {
			s.t.Fatal(err)
		}
		var b strings.Builder
		for _, v := range values {
			b.WriteString(inText(*v.(*any)) + "\t")
		}
		out = append(out, b.String())
	}
	if err := r.Err(); err != nil {
		s.t.Fatal(err)
	}
	return out
}

func inText(v any) string {
	b, ok := v.([]byte)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case utf8.Valid(b):
		return string(b) + " " + hex.EncodeToString(b)
	}
	return hex.EncodeToString(b)
}

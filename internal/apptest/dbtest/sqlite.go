package dbtest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"latchkey/internal/db"
)

// sqliteFile is the name of the data in its directory (package db).
const sqliteFile = "latchkey.db"

// migrated holds the bytes of an empty, migrated SQLite database. The
// migrations run once per process, as with PostgreSQL's template.
//
//nolint:gochecknoglobals // see above
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "latchkey-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d, err := db.Open(context.Background(), db.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	d.Close() // writes what is in the log into the file
	return os.ReadFile(filepath.Join(dir, sqliteFile))
})

// migratedDir returns a directory with an empty, migrated database.
func migratedDir(t testing.TB) string {
	t.Helper()
	b, err := migrated()
	if err != nil {
		t.Fatalf("make an SQLite database: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sqliteFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Package sampletest gives tests the file of the sample database without
// making it anew for each: it is made once per test process, and copied.
//
// Owns: that file. Does not own: its content (warehouse/sample).
package sampletest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"latchkey/internal/warehouse/sample"
)

// made holds the bytes of the file, made when the first test asks.
//
//nolint:gochecknoglobals // a file per test would cost seconds under the race detector
var made = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "latchkey-sample-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "sample.db")
	if err := sample.Write(context.Background(), path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// File returns the path of a sample database of the test's own, in dir.
func File(t testing.TB, dir string) string {
	t.Helper()
	b, err := made()
	if err != nil {
		t.Fatalf("make the sample database: %v", err)
	}
	path := filepath.Join(dir, "sample.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

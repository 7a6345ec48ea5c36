package query_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"latchkey/internal/export"
	"latchkey/internal/query"
)

// TestMillionRows writes a file of a million rows and looks at what the process
// takes meanwhile (DESIGN section 8).
func TestMillionRows(t *testing.T) {
	w := newWorld(t, 5*time.Minute)
	sql := `WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 1000000)
		SELECT x, x * 1.5 AS half, 'a name that is a little longer ' || x AS name, date('2026-01-01') AS day FROM n`
	r, err := w.Run(t.Context(), bo, query.Request{Query: w.body(sql, "", ""), Export: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	debug.FreeOSMemory()
	before := resident(t)
	peak := &watching{t: t}
	began := time.Now()
	if err := export.Write(peak, export.FormatCSV, r, export.Options{Columns: []string{"x", "half", "name", "day"}}); err != nil {
		t.Fatal(err)
	}
	if r.Count() != 1_000_000 {
		t.Errorf("%d rows", r.Count())
	}
	grown := (peak.most - before) >> 20
	t.Logf("%d bytes in %s, %d MiB more than before", peak.written, time.Since(began).Round(time.Millisecond), grown)
	if grown > 100 {
		t.Errorf("the process grew by %d MiB", grown)
	}
}

// watching counts what is written and looks at the process every few megabytes.
type watching struct {
	t             *testing.T
	written, next int64
	most          int64
}

// Write implements io.Writer.
func (w *watching) Write(b []byte) (int, error) {
	if w.written += int64(len(b)); w.written >= w.next {
		w.next += 4 << 20
		w.most = max(w.most, resident(w.t))
	}
	return io.Discard.Write(b)
}

// resident is the memory of the process that is in use, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil { // no Linux
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.Sys - m.HeapReleased)
	}
	var size, rss int64
	if _, err := fmt.Sscan(string(b), &size, &rss); err != nil {
		t.Fatal(err)
	}
	return rss * int64(os.Getpagesize())
}

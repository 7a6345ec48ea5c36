package query_test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"testing"
	"time"

	"latchkey/internal/export"
	"latchkey/internal/query"
)

const hundredThousand = `WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000)
	SELECT x, x * 1.5 AS half, 'a name that is a little longer ' || x AS name, 'yes' AS word FROM n`

// BenchmarkExport and BenchmarkBareLoop write the same file: the first may take
// 1/0.7 of the time of the second (DESIGN section 8).
func BenchmarkExport(b *testing.B) {
	w := newWorld(b, time.Minute)
	body := w.body(hundredThousand, "", "")
	for b.Loop() {
		r, err := w.Run(b.Context(), bo, query.Request{Query: body, Export: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := export.Write(io.Discard, export.FormatCSV, r, export.Options{Columns: []string{"x", "half", "name", "word"}}); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

func BenchmarkBareLoop(b *testing.B) {
	d, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for b.Loop() {
		if err := bareLoop(d, csv.NewWriter(io.Discard)); err != nil {
			b.Fatal(err)
		}
	}
}

func bareLoop(d *sql.DB, w *csv.Writer) error {
	rows, err := d.Query(hundredThousand)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values, targets, record := make([]any, 4), make([]any, 4), make([]string, 4)
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			record[i] = fmt.Sprint(v)
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return rows.Err()
}

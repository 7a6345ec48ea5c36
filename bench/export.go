package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"
)

// The seventh row: queries on a connected database, which is the SQLite file of
// the sample.
const (
	exportedRows = 1_000_000
	screenRows   = 2_000 // the most that an answer for a screen has
	exportRounds = 5
	exportBudget = 0.7       // of the speed of the bare loop
	streamBudget = 100 << 20 // memory while a file is streamed
)

// numbered is a query of so many rows of numbers and texts.
func numbered(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT %d)
		SELECT x, x * 1.5 AS half, 'a name that is a little longer ' || x AS name, 'yes' AS word FROM n`, n)
}

// exportRow measures what an answer costs beside a loop that only reads the
// same rows with the same driver and writes the same CSV.
func exportRow(ctx context.Context, b *bench) error {
	p, err := b.place(ctx, small)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, p, "")
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(filepath.Join(p.dir, "sample.db"))}
	d, err := sql.Open("sqlite", u.String()+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	e := exporter{caller{base: "http://" + s.addr, key: p.key(0)}, d}
	return errors.Join(e.file(ctx, b, s), e.answers(ctx, b))
}

// exporter asks the program and the driver for the same rows.
type exporter struct {
	caller
	bare *sql.DB
}

// file measures a large file: turns of ours and of the bare loop.
func (e exporter) file(ctx context.Context, b *bench, s *process) error {
	var ours, bare []time.Duration
	var ratios []float64
	var size int64
	for range exportRounds {
		plain, theirs, err := e.loop(ctx, exportedRows)
		if err != nil {
			return err
		}
		got, mine, err := e.dataset(ctx, "/api/dataset/csv", exportedRows)
		if err != nil {
			return err
		}
		const mark = 3 // the byte order mark that spreadsheets want
		if got != plain && got != plain+mark {
			return fmt.Errorf("the file has %d bytes, and that of the bare loop %d", got, plain)
		}
		ours, bare, size = append(ours, mine), append(bare, theirs), got
		ratios = append(ratios, theirs.Seconds()/mine.Seconds())
	}
	peak, err := s.peak()
	if err != nil {
		return err
	}
	ratio := median(ratios)
	what := fmt.Sprintf("CSV of %s rows (%d MB) of a SQLite file", count(exportedRows), size>>20)
	b.report.add("7", what, fmt.Sprintf("%s, %.2f × the bare loop (%.2f to %.2f)", span(median(ours)), ratio, quantile(ratios, 0), quantile(ratios, 1)),
		"≥ 0.7 ×", judge(ratio >= exportBudget))
	b.report.note("7", "bare loop over the driver, same bytes", spread(bare))
	b.report.add("7", "most memory (RSS) since the start", mib(peak), "< 100 MB", judge(peak < streamBudget))
	return nil
}

// answers measures small results, for which there is no budget.
func (e exporter) answers(ctx context.Context, b *bench) error {
	const rounds = 50
	for _, n := range []int{1, screenRows} {
		var ours, bare []time.Duration
		for range rounds {
			_, theirs, err := e.loop(ctx, n)
			if err != nil {
				return err
			}
			_, mine, err := e.dataset(ctx, "/api/dataset", n)
			if err != nil {
				return err
			}
			ours, bare = append(ours, mine), append(bare, theirs)
		}
		b.report.note("7", fmt.Sprintf("POST /api/dataset, %s rows, and the bare loop", count(n)), span(median(ours))+" and "+span(median(bare)))
	}
	return nil
}

// dataset runs a query through the API and reads the answer to its end.
func (e exporter) dataset(ctx context.Context, path string, n int) (int64, time.Duration, error) {
	var body any = map[string]any{"database": 1, "type": "native", "native": map[string]any{"query": numbered(n)}}
	if path != "/api/dataset" {
		body = map[string]any{"query": body}
	}
	return e.call(ctx, http.MethodPost, path, body)
}

// loop reads a query's rows with the driver alone and writes them as CSV.
func (e exporter) loop(ctx context.Context, n int) (size int64, took time.Duration, err error) {
	began := time.Now()
	rows, err := e.bare.QueryContext(ctx, numbered(n))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out := &counting{}
	w := csv.NewWriter(out)
	columns, err := rows.Columns()
	if err != nil {
		return 0, 0, err
	}
	if err := w.Write(columns); err != nil {
		return 0, 0, err
	}
	values, targets, record := make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return 0, 0, err
		}
		for i, v := range values {
			record[i] = plainText(v)
		}
		if err := w.Write(record); err != nil {
			return 0, 0, err
		}
	}
	w.Flush()
	return out.size, time.Since(began), errors.Join(rows.Err(), w.Error())
}

func plainText(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return v
	}
	return ""
}

// counting counts what is written to it.
type counting struct{ size int64 }

// Write implements io.Writer.
func (c *counting) Write(b []byte) (int, error) { c.size += int64(len(b)); return len(b), nil }

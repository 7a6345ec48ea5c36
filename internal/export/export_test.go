package export_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"latchkey/internal/engine"
	"latchkey/internal/export"
)

type list struct {
	rows [][]any
	err  error
}

func (l *list) Next() ([]any, error) {
	if len(l.rows) == 0 {
		if l.err != nil {
			return nil, l.err
		}
		return nil, io.EOF
	}
	row := l.rows[0]
	l.rows = l.rows[1:]
	return row, nil
}

func write(t *testing.T, format string, o export.Options, rows ...[]any) string {
	t.Helper()
	var b strings.Builder
	if err := export.Write(&b, format, &list{rows: rows}, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var moment = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

func TestValues(t *testing.T) {
	for _, tt := range []struct {
		v                          any
		csv, formatted, json, wire string
	}{
		{nil, "", "", "null", "null"},
		{true, "true", "true", "true", "true"},
		{int64(-1234567), "-1234567", `"-1,234,567"`, "-1234567", "-1234567"},
		{int64(1) << 60, "1152921504606846976", `"1,152,921,504,606,846,976"`, "1152921504606846976", `"1152921504606846976"`},
		{1234.5, "1234.5", `"1,234.50"`, "1234.5", "1234.5"},
		{-0.25, "-0.25", "-0.25", "-0.25", "-0.25"},
		{1e300, "1e+300", "", "1e+300", "1e+300"},
		{math.NaN(), "NaN", "", "null", "null"},
		{moment, "2026-01-02T15:04:05", `"January 2, 2026, 3:04 PM"`, `"2026-01-02T15:04:05"`, `"2026-01-02T15:04:05Z"`},
		{engine.Date{Time: moment}, "2026-01-02", `"January 2, 2026"`, `"2026-01-02"`, `"2026-01-02T00:00:00Z"`},
		{[]byte("ab"), "YWI=", "YWI=", `"YWI="`, `"YWI="`},
		{big.NewRat(1, 8), "0.125", "0.125", "0.125", "0.125"},
		{big.NewInt(7), "7", "7", "7", `"7"`},
		{"a,b", `"a,b"`, `"a,b"`, `"a,b"`, `"a,b"`},
		{"a\"\n\u2028é", "\"a\"\"\n\u2028é\"", "\"a\"\"\n\u2028é\"", `"a\"\n\u2028é"`, `"a\"\n\u2028é"`},
		{"=1+1", "'=1+1", "'=1+1", `"=1+1"`, `"=1+1"`},
		{"＝1+1", "'＝1+1", "'＝1+1", `"＝1+1"`, `"＝1+1"`},
		{"\n=1", "\"'\n=1\"", "\"'\n=1\"", `"\n=1"`, `"\n=1"`},
		{"+49 30", "'+49 30", "'+49 30", `"+49 30"`, `"+49 30"`},
		{"-12.5", "-12.5", "-12.5", `"-12.5"`, `"-12.5"`},
		{"-", "'-", "'-", `"-"`, `"-"`},
		{"@x", "'@x", "'@x", `"@x"`, `"@x"`},
		{"\tx", "'\tx", "'\tx", `"\tx"`, `"\tx"`},
	} {
		one := export.Options{Columns: []string{"x"}}
		if got := write(t, export.FormatCSV, one, []any{tt.v}); got != "x\n"+tt.csv+"\n" && tt.csv != "" {
			t.Errorf("csv of %v: %q, want %q", tt.v, got, tt.csv)
		}
		if got := write(t, export.FormatCSV, export.Options{Columns: []string{"x"}, Formatted: true}, []any{tt.v}); got != "x\n"+tt.formatted+"\n" && tt.formatted != "" {
			t.Errorf("formatted csv of %v: %q, want %q", tt.v, got, tt.formatted)
		}
		if got := write(t, export.FormatJSON, one, []any{tt.v}); got != `[{"x":`+tt.json+`}]` {
			t.Errorf("json of %v: %s", tt.v, got)
		}
		if got := string(export.AppendJSON(nil, tt.v, true)); got != tt.wire {
			t.Errorf("wire of %v: %s, want %s", tt.v, got, tt.wire)
		}
	}
}

func TestFiles(t *testing.T) {
	o := export.Options{Columns: []string{"=a", "b"}, BOM: true}
	if got := write(t, export.FormatCSV, o, []any{int64(1), "x"}, []any{nil, ""}); got != "\uFEFF'=a,b\n1,x\n,\n" {
		t.Errorf("%q", got)
	}
	got := write(t, export.FormatJSON, o, []any{int64(1), "x"}, []any{nil, ""})
	var v []map[string]any
	if err := json.Unmarshal([]byte(got), &v); err != nil || len(v) != 2 || v[0]["=a"] != 1.0 || v[1]["b"] != "" {
		t.Errorf("%s: %v", got, err)
	}
	if got := write(t, export.FormatJSON, o); got != "[]" {
		t.Error(got)
	}
	broken := errors.New("broken")
	for _, format := range []string{export.FormatCSV, export.FormatJSON} {
		if err := export.Write(io.Discard, format, &list{err: broken}, o); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}

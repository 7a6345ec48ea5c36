package web

import (
	"errors"
	"io"
	"strings"

	"latchkey/internal/engine"
	"latchkey/internal/export"
	"latchkey/internal/fault"
	"latchkey/internal/query"
)

// rowsShown is how many rows of a result a page shows. The files have them all.
const rowsShown = 200

// resultTable is the beginning of a result.
type resultTable struct {
	Columns []resultColumn
	Rows    [][]resultCell
	More    bool   // there are more rows
	Heading string // what went wrong, "" when nothing did
	Message string // why there is no result
}

type resultColumn struct {
	Name   string
	Number bool
}

type resultCell struct {
	Text   string
	Null   bool
	Number bool
}

// runStored runs a saved query and reads the first rows. What goes wrong is
// told in the table, for the rest of the page is there all the same.
func (p *page) runStored(s query.Stored) *resultTable {
	t := &resultTable{}
	r, err := p.site.Queries.RunStored(p.ctx(), p.who, s)
	if err != nil {
		t.Heading, t.Message = p.whyNoResult(err)
		return t
	}
	defer r.Close()
	for len(t.Rows) < rowsShown {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Heading, t.Message = p.whyNoResult(err)
			return t
		}
		t.Rows = append(t.Rows, cells(row, r.Columns()))
	}
	if len(t.Rows) == rowsShown {
		_, err := r.Next()
		t.More = err == nil
	}
	for i, c := range r.Columns() {
		t.Columns = append(t.Columns, resultColumn{c.DisplayName, isNumber(c.Type) || t.holdsNumbers(i)})
	}
	return t
}

// holdsNumbers reports whether all that is there of a column is numbers. The
// type of one that begins with nulls is not known before.
func (t *resultTable) holdsNumbers(column int) bool {
	found := false
	for _, row := range t.Rows {
		if !row[column].Null && !row[column].Number {
			return false
		}
		found = found || !row[column].Null
	}
	return found
}

func isNumber(t engine.BaseType) bool {
	return t == engine.Integer || t == engine.BigInteger || t == engine.Float || t == engine.Decimal
}

// isKey reports whether a column holds ids, which people read without commas.
func isKey(name string) bool {
	name = strings.ToLower(name)
	return name == "id" || strings.HasSuffix(name, "_id")
}

// maxCell is how many characters of a value the page shows.
const maxCell = 500

func cells(row []any, columns []query.Column) []resultCell {
	out := make([]resultCell, len(row))
	for i, v := range row {
		c := resultCell{Text: export.Format(v), Null: v == nil}
		if isKey(columns[i].Name) {
			c.Text = export.Text(v)
		}
		switch v.(type) {
		case int64, float64:
			c.Number = true
		}
		if runes := []rune(c.Text); len(runes) > maxCell {
			c.Text = string(runes[:maxCell]) + "…"
		}
		out[i] = c
	}
	return out
}

// whyNoResult is what a person reads in place of a result.
func (p *page) whyNoResult(err error) (heading, message string) {
	if f, ok := errors.AsType[*query.Failure](err); ok {
		return failureHeading(f.Kind), sentence(f.Message)
	}
	f := fault.As(err)
	if f.Kind == fault.Internal {
		return failureHeading(query.Broken), "The log of this server has the cause under the id " + p.report(err) + "."
	}
	return failureHeading(query.Invalid), sentence(f.Message)
}

func failureHeading(k query.Kind) string {
	switch k {
	case query.Missing:
		return "A value is missing"
	case query.BadParameter:
		return "A value does not fit"
	case query.Denied:
		return "You can’t run this query"
	case query.TimedOut:
		return "The query took too long"
	case query.Unsupported:
		return "This query can’t run here yet"
	case query.Invalid, query.Cancelled, query.Busy, query.Broken:
	}
	return "The query failed"
}

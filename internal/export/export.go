package export

import (
	"errors"
	"io"
)

// The formats.
const (
	FormatCSV  = "csv"
	FormatJSON = "json"
)

// Rows is where rows come from. Next returns io.EOF after the last row; a slice
// is valid until the next call.
type Rows interface {
	Next() ([]any, error)
}

// Options says how a file looks.
type Options struct {
	Columns   []string // the headings, in the order of the values
	Formatted bool     // values as people read them: 1,234.50 and January 2, 2026
	BOM       bool     // of CSV: begin with a byte order mark, which Excel wants
}

// Write writes all rows in a format. It returns the error of the rows, or of
// the writer.
func Write(w io.Writer, format string, rows Rows, o Options) error {
	if format == FormatJSON {
		return writeJSON(w, rows, o)
	}
	return writeCSV(w, rows, o)
}

// each calls f for every row.
func each(rows Rows, f func([]any) error) error {
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

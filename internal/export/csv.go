package export

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

func writeCSV(w io.Writer, rows Rows, o Options) error {
	if o.BOM {
		if _, err := io.WriteString(w, "\uFEFF"); err != nil {
			return err
		}
	}
	c := csv.NewWriter(w)
	record := make([]string, len(o.Columns))
	for i, name := range o.Columns {
		record[i] = harmless(name)
	}
	if err := c.Write(record); err != nil {
		return err
	}
	err := each(rows, func(row []any) error {
		for i, v := range row {
			record[i] = cell(v, o.Formatted)
		}
		return c.Write(record)
	})
	if err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

func cell(v any, formatted bool) string {
	if s, ok := v.(string); ok {
		return harmless(s)
	}
	if formatted {
		return Format(v)
	}
	return Text(v)
}

// harmless keeps a text from being a formula where a spreadsheet opens the file:
// an apostrophe before it makes it a text. Some read the wide forms of the signs
// as the signs. Texts that are numbers stay.
func harmless(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	if s == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) || isNumber(s) {
		return s
	}
	return "'" + s
}

// isNumber reports whether a text is a plain decimal number.
func isNumber(s string) bool {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" {
		return false
	}
	return strings.Trim(digits, "0123456789.") == "" && strings.Count(digits, ".") < 2 && digits != "."
}

package export

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"latchkey/internal/engine"
)

// writeJSON writes a list of objects, whose members have the names of the
// columns and their order.
func writeJSON(w io.Writer, rows Rows, o Options) error {
	b := bufio.NewWriterSize(w, 32<<10)
	names := make([][]byte, len(o.Columns))
	for i, name := range o.Columns {
		names[i] = append(AppendString(nil, name), ':')
	}
	if err := b.WriteByte('['); err != nil {
		return err
	}
	var line []byte
	first := true
	err := each(rows, func(row []any) error {
		line = line[:0]
		if !first {
			line = append(line, ',', '\n')
		}
		first = false
		line = append(line, '{')
		for i, v := range row {
			if i > 0 {
				line = append(line, ',')
			}
			line = appendValue(append(line, names[i]...), v, o.Formatted)
		}
		line = append(line, '}')
		_, err := b.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	if err := b.WriteByte(']'); err != nil {
		return err
	}
	return b.Flush()
}

func appendValue(b []byte, v any, formatted bool) []byte {
	if formatted && v != nil {
		if _, yes := v.(bool); !yes {
			return AppendString(b, Format(v))
		}
	}
	switch v := v.(type) {
	case engine.Date, time.Time:
		return AppendString(b, Text(v))
	default:
		return AppendJSON(b, v, false)
	}
}

// maxExact is the largest whole number that JavaScript keeps exactly.
const maxExact = 1<<53 - 1

// AppendJSON appends a value as JSON, moments with their offset. With exact,
// numbers that JavaScript would round come as texts
// (contract/content-data.md 6.3).
func AppendJSON(b []byte, v any, exact bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		if exact && (v > maxExact || v < -maxExact) {
			b = append(b, '"')
			return append(strconv.AppendInt(b, v, 10), '"')
		}
		return strconv.AppendInt(b, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(b, "null"...)
		}
		return append(b, Float(v)...)
	case engine.Date:
		return append(v.AppendFormat(append(b, '"'), "2006-01-02T00:00:00Z07:00"), '"')
	case time.Time:
		return append(v.AppendFormat(append(b, '"'), "2006-01-02T15:04:05.999999Z07:00"), '"')
	case *big.Int:
		if exact {
			return append(append(append(b, '"'), v.String()...), '"')
		}
		return append(b, v.String()...)
	case *big.Rat:
		return append(b, rat(v)...)
	}
	return AppendString(b, Text(v))
}

// AppendString appends a text as JSON.
func AppendString(b []byte, s string) []byte {
	start := len(b)
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil { // texts always encode
				return append(b[:start], "null"...)
			}
			return append(b[:start], quoted...)
		}
	}
	return append(append(b, s...), '"')
}

package sqlite

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"modernc.org/sqlite"
)

// SQLite's own instr and replace compare every place of a text with all of
// what is looked for, and nothing stops them: two long texts keep them busy for
// hours. Ours give the same and take time that grows with the texts alone.

// newDriver returns a driver of its own, whose connections have our functions.
func newDriver() (*sqlite.Driver, error) {
	d := &sqlite.Driver{}
	return d, errors.Join(
		d.RegisterDeterministicScalarFunction("instr", 2, instr),
		d.RegisterDeterministicScalarFunction("replace", 3, replace),
	)
}

// instr returns where the second value begins in the first, counted from 1: in
// characters, or in bytes between blobs; 0 when it is nowhere.
func instr(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if args[0] == nil || args[1] == nil {
		return nil, nil
	}
	in, inBlob := args[0].([]byte)
	what, whatBlob := args[1].([]byte)
	if inBlob && whatBlob {
		return int64(bytes.Index(in, what) + 1), nil
	}
	text := asText(args[0])
	i := strings.Index(text, asText(args[1]))
	if i < 0 {
		return int64(0), nil
	}
	return int64(utf8.RuneCountInString(text[:i]) + 1), nil
}

// replace puts the third value wherever the second stands in the first.
func replace(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if args[0] == nil || args[1] == nil {
		return nil, nil
	}
	text, what := asText(args[0]), asText(args[1])
	if what == "" {
		return text, nil
	}
	if args[2] == nil {
		return nil, nil
	}
	with := asText(args[2])
	if grows := len(with) - len(what); grows > 0 && len(text)+grows*strings.Count(text, what) > maxValue {
		return nil, errors.New("string or blob too big")
	}
	return strings.ReplaceAll(text, what, with), nil
}

// asText writes a value as SQLite does.
func asText(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		s := strconv.FormatFloat(v, 'g', 15, 64)
		if mantissa, exponent, ok := strings.Cut(s, "e"); ok && !strings.Contains(mantissa, ".") {
			return mantissa + ".0e" + exponent
		}
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0"
		}
		return s
	}
	return ""
}

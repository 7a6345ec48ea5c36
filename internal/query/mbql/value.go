package mbql

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"latchkey/internal/fault"
)

// maxDepth is how deep a query may nest. People reach ten; a text made to
// exhaust the stack reaches millions.
const maxDepth = 200

// object is a JSON object that knows the order of its keys. Values are what
// encoding/json gives, with *object for an object and json.Number for a number.
// A value that is part of a query is never changed; conversions make new ones.
type object struct {
	keys []string
	vals map[string]any
}

func newObject(pairs ...any) *object {
	o := &object{vals: make(map[string]any, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.set(pairs[i].(string), pairs[i+1])
	}
	return o
}

func (o *object) set(key string, v any) {
	if _, ok := o.vals[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.vals[key] = v
}

func (o *object) get(key string) any {
	if o == nil {
		return nil
	}
	return o.vals[key]
}

func (o *object) has(key string) bool {
	if o == nil {
		return false
	}
	_, ok := o.vals[key]
	return ok
}

func (o *object) len() int {
	if o == nil {
		return 0
	}
	return len(o.keys)
}

// without returns a copy that lacks the keys that drop names.
func (o *object) without(drop func(key string) bool) *object {
	out := newObject()
	if o == nil {
		return out
	}
	for _, k := range o.keys {
		if !drop(k) {
			out.set(k, o.vals[k])
		}
	}
	return out
}

// with returns a copy in which a key has the value.
func (o *object) with(key string, v any) *object {
	out := o.without(func(string) bool { return false })
	out.set(key, v)
	return out
}

func text(v any) string { s, _ := v.(string); return s }

func isObject(v any) bool { _, ok := v.(*object); return ok }

// parse reads one JSON value. A key that comes twice has its last value.
func parse(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the query")
		}
	}
	if _, known := errors.AsType[*fault.Error](err); known || err == nil {
		return v, err
	}
	return nil, &fault.Error{Kind: fault.Invalid, Message: "The query is not valid JSON.", Err: err}
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.Invalid, "The query nests deeper than %d levels.", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		return parseObject(d, depth)
	case json.Delim('['):
		return parseList(d, depth)
	}
	return t, nil
}

func parseObject(d *json.Decoder, depth int) (any, error) {
	o := newObject()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.set(text(key), v)
	}
	_, err := d.Token()
	return o, err
}

func parseList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

// encode writes a value as JSON. Characters of HTML stay as they are: a query
// is full of < and >.
func encode(v any) []byte { return appendValue(nil, v, false) }

// encodeSorted writes a value with the keys of every object in order.
func encodeSorted(v any) []byte { return appendValue(nil, v, true) }

func appendValue(b []byte, v any, sorted bool) []byte {
	switch v := v.(type) {
	case *object:
		return appendObject(b, v, sorted)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e, sorted)
		}
		return append(b, ']')
	case string:
		return appendText(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	}
	return append(b, "null"...)
}

func appendObject(b []byte, o *object, sorted bool) []byte {
	keys := o.keys
	if sorted {
		keys = slices.Sorted(slices.Values(keys))
	}
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, k), ':')
		b = appendValue(b, o.vals[k], sorted)
	}
	return append(b, '}')
}

func appendText(b []byte, s string) []byte {
	if !strings.ContainsFunc(s, needsEscape) {
		return append(append(append(b, '"'), s...), '"')
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(b, `""`...) // a string always encodes
	}
	return append(b, strings.TrimSuffix(buf.String(), "\n")...)
}

// needsEscape tells the characters that the encoder has to look at.
func needsEscape(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

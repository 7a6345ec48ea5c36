package setting

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Kind is the kind of a setting's values.
type Kind string

// The kinds, and the Go types of their values in force. A value may also be
// nil when the default is nil.
const (
	Text   Kind = "text"   // string
	Switch Kind = "switch" // bool
	Number Kind = "number" // int
	Object Kind = "object" // map[string]any
	List   Kind = "list"   // string, items separated by one blank
)

// Visibility says who sees a setting among the properties of the session.
type Visibility int

// The visibilities, each stricter than the one before.
const (
	Public        Visibility = iota + 1 // everybody
	Authenticated                       // any principal
	Admin                               // administrators
	Internal                            // nobody: no client sees or changes it
)

// Definition describes one setting. The value that Latchkey works with is
// that of the configuration, else the stored one, else Default.
type Definition struct {
	Key         string // kebab-case
	Description string
	Kind        Kind
	Default     any // nil means that the setting has no value unless somebody sets one
	Visibility  Visibility
	Variable    string // environment variable of the option that sets it; empty when there is none
	Fixed       string // why nobody can change it here; empty when administrators can
	Secret      bool   // never shown in clear, not even in the audit log
	Guard       bool   // decides who gets in or what proof stays, so no restricted key changes it

	check func(any) (any, error) // checks and normalises a value of the kind
}

// ReadOnly reports whether clients cannot change the setting.
func (d Definition) ReadOnly() bool { return d.Fixed != "" }

// maxSize is the largest stored form of a value, in bytes.
const maxSize = 64 << 10

// problem says what is wrong with a value, in a sentence for the one who sent it.
type problem string

// Error implements error.
func (p problem) Error() string { return string(p) }

// parse brings a value from outside into the form in force, nil for none. Its
// errors are problems.
func (d Definition) parse(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	v, err := d.Kind.coerce(v)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(string); ok && d.Default == nil && strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if d.check != nil {
		if v, err = d.check(v); err != nil {
			return nil, err
		}
	}
	if raw, err := encode(v); err != nil || len(raw) > maxSize {
		return nil, problem("value is too large.")
	}
	return v, nil
}

// encode returns a value as it is stored; equal values have equal texts.
func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// coerce turns what JSON, a form or the configuration holds into the Go type
// of the kind.
func (k Kind) coerce(v any) (any, error) {
	switch k {
	case Text:
		return toText(v)
	case Switch:
		return toSwitch(v)
	case Number:
		return toNumber(v)
	case List:
		return toList(v)
	}
	if m, ok := v.(map[string]any); ok && m != nil {
		return m, nil
	}
	return nil, problem("value must be a JSON object.")
}

func toText(v any) (any, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return nil, problem("value must be a string.")
}

func toSwitch(v any) (any, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		if s := strings.ToLower(x); s == "true" || s == "false" {
			return s == "true", nil
		}
	}
	return nil, problem("value must be a boolean ('true' or 'false').")
}

func toNumber(v any) (any, error) {
	switch x := v.(type) {
	case int:
		return x, nil
	case int64:
		return int(x), nil
	case float64:
		if x == math.Trunc(x) && math.Abs(x) <= math.MaxInt32 {
			return int(x), nil
		}
	case json.Number:
		return toNumber(x.String())
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(x), 10, 32); err == nil {
			return int(n), nil
		}
	}
	return nil, problem("value must be an integer.")
}

// toList takes a list of strings, or one string with items separated by
// blanks or commas.
func toList(v any) (any, error) {
	switch x := v.(type) {
	case string:
		return strings.Join(items(x), " "), nil
	case []string:
		return toList(strings.Join(x, " "))
	case []any:
		var all []string
		for _, item := range x {
			s, ok := item.(string)
			if !ok {
				return nil, problem("value must be a list of strings.")
			}
			all = append(all, s)
		}
		return toList(all)
	}
	return nil, problem("value must be a list of strings, or a string with items separated by blanks.")
}

func items(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
}

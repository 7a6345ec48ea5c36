package query

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Parameter is a value for a query, as callers send it
// (contract/content-data.md 6.3, 6.6). A card declares its parameters in the
// same form, with a default in place of a value.
type Parameter struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Slug    string          `json:"slug"`
	Target  json.RawMessage `json:"target"`
	Value   json.RawMessage `json:"value"`
	Default json.RawMessage `json:"default"`
	Options json.RawMessage `json:"options"`
}

// ReadParameters reads a list of parameters. Null and nothing are none; it
// reports an Invalid failure for what is no list of objects.
func ReadParameters(raw []byte) ([]Parameter, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var list []Parameter
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, failed(BadParameter, "parameters must be a list of objects with id, type, target and value.")
	}
	return list, nil
}

// tagRef names a template tag by its name or its id.
type tagRef struct{ name, id string }

// tag returns the template tag that a target names: ["variable",
// ["template-tag", "x"]], with dimension in place of variable, or with
// {"id": …} in place of the name.
func (p Parameter) tag() (tagRef, bool) {
	var target any
	if json.Unmarshal(p.Target, &target) != nil {
		return tagRef{}, false
	}
	return findTag(target)
}

func findTag(v any) (tagRef, bool) {
	list, ok := v.([]any)
	if !ok || len(list) < 2 {
		return tagRef{}, false
	}
	if list[0] == "template-tag" {
		last := list[len(list)-1]
		if name, ok := last.(string); ok {
			return tagRef{name: name}, true
		}
		if m, ok := last.(map[string]any); ok {
			id, _ := m["id"].(string)
			return tagRef{id: id}, id != ""
		}
		return tagRef{}, false
	}
	for _, item := range list[1:] {
		if ref, ok := findTag(item); ok {
			return ref, true
		}
	}
	return tagRef{}, false
}

// values returns what a value holds: one or several texts, numbers and
// booleans. Null, and a list of nothing, are none.
func values(raw json.RawMessage) ([]any, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, failed(BadParameter, "the value of a parameter is not JSON.")
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		switch item.(type) {
		case nil, string, bool, json.Number:
		default:
			return nil, failed(BadParameter, "the value of a parameter must be a text, a number, a boolean or a list of those.")
		}
	}
	return list, nil
}

// text writes a value as a text.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// number reads a number, whole ones exactly.
func number(v any) (any, bool) {
	s := strings.TrimSpace(text(v))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	if strings.ContainsAny(s, "xXpP_iInN") { // hexadecimal, infinite and the like
		return nil, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func boolean(v any) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text(v))) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"latchkey/internal/fault"
)

// maxRestriction bounds the JSON of a restriction.
const maxRestriction = 256 << 10

var errWideMapped = errors.New("IPv4 in IPv6 with fewer than 96 bits")

// ParseRestriction reads the JSON of a restriction, strictly: an unknown
// member is a mistake, for what it should have restricted would stay open.
// Ids may be numbers or texts. It returns an Invalid fault with fields such as
// "restriction.scopes".
func ParseRestriction(raw []byte) (Restriction, error) {
	var r Restriction
	if len(raw) > maxRestriction {
		return r, fault.Field("restriction", "is longer than %d bytes; restrict by kinds instead of single resources", maxRestriction)
	}
	p := parser{wrong: map[string]string{}}
	for name, value := range p.members("restriction", raw) {
		if string(value) == "null" {
			continue
		}
		p.member(&r, name, value)
	}
	return r, p.fault()
}

// UnmarshalJSON implements json.Unmarshaler, as strictly as ParseRestriction.
func (r *Restriction) UnmarshalJSON(raw []byte) error {
	parsed, err := ParseRestriction(raw)
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// parser collects what is wrong, by field.
type parser struct{ wrong map[string]string }

func (p parser) fault() error {
	if len(p.wrong) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Fields: p.wrong}
}

func (p parser) bad(field, format string, args ...any) {
	if p.wrong[field] == "" {
		p.wrong[field] = fmt.Sprintf(format, args...)
	}
}

func (p parser) member(r *Restriction, name string, value json.RawMessage) {
	field := "restriction." + name
	switch name {
	case "read_only":
		p.read(field, value, &r.ReadOnly, "must be true or false")
	case "scopes":
		r.Scopes = p.texts(field, value)
	case "routes":
		r.Routes = p.texts(field, value)
	case "resources":
		r.Resources = p.lists(field, value, true)
	case "fields":
		r.Fields = p.lists(field, value, false)
	case "addresses":
		r.Addresses = p.texts(field, value)
	case "rate_limit":
		r.RateLimit = &RateLimit{}
		p.object(field, value, map[string]any{"requests": &r.RateLimit.Requests, "seconds": &r.RateLimit.Seconds})
	case "quota":
		r.Quota = &Quota{}
		p.object(field, value, map[string]any{"requests": &r.Quota.Requests, "period": &r.Quota.Period})
	case "hours":
		r.Hours = &Hours{}
		p.object(field, value, map[string]any{"days": &r.Hours.Days, "from": &r.Hours.From, "to": &r.Hours.To, "zone": &r.Hours.Zone})
	default:
		p.bad(field, "is unknown; the members are read_only, scopes, routes, resources, fields, addresses, rate_limit, quota and hours")
	}
}

// members reads an object whose names count as they are written.
func (p parser) members(field string, raw []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		p.bad(field, "must be a JSON object")
		return nil
	}
	return m
}

func (p parser) read(field string, raw []byte, into any, want string) bool {
	if err := json.Unmarshal(raw, into); err != nil || string(raw) == "null" {
		p.bad(field, "%s", want)
		return false
	}
	return true
}

// texts reads a list of texts. An item that is null is no text.
func (p parser) texts(field string, raw []byte) []string {
	var items []json.RawMessage
	if !p.read(field, raw, &items, "must be a list of texts") {
		return nil
	}
	out := make([]string, len(items))
	for i, item := range items {
		p.read(field, item, &out[i], "must be a list of texts")
	}
	return out
}

// lists reads an object of lists. Ids may be whole numbers.
func (p parser) lists(field string, raw []byte, ids bool) map[string][]string {
	out := map[string][]string{}
	m := p.members(field, raw)
	for _, kind := range slices.Sorted(maps.Keys(m)) {
		list := m[kind]
		if ids {
			list = p.numbersAsTexts(list)
		}
		out[kind] = p.texts(field+"."+kind, list)
	}
	return out
}

// numbersAsTexts puts whole numbers in a list into quotes; everything else
// stays for texts to judge.
func (p parser) numbersAsTexts(raw []byte) []byte {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil || items == nil {
		return raw
	}
	for i, item := range items {
		if len(item) > 0 && strings.Trim(string(item), "0123456789") == "" {
			items[i] = json.RawMessage(`"` + string(item) + `"`)
		}
	}
	return append(append([]byte{'['}, joinRaw(items)...), ']')
}

func joinRaw(items []json.RawMessage) []byte {
	parts := make([][]byte, len(items))
	for i := range items {
		parts[i] = items[i]
	}
	return bytes.Join(parts, []byte{','})
}

// object reads an object with the known members only.
func (p parser) object(field string, raw []byte, into map[string]any) {
	for name, value := range p.members(field, raw) {
		target, known := into[name]
		switch {
		case !known:
			p.bad(field+"."+name, "is unknown; the members are %s", strings.Join(slices.Sorted(maps.Keys(into)), ", "))
		case string(value) == "null":
		default:
			p.value(field+"."+name, value, target)
		}
	}
}

func (p parser) value(field string, raw []byte, target any) {
	switch target := target.(type) {
	case *int64:
		p.read(field, raw, target, "must be a whole number")
	case *string:
		p.read(field, raw, target, "must be a text")
	case *[]string:
		*target = p.texts(field, raw)
	}
}

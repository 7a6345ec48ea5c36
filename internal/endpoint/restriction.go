package endpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// RuleRestriction is a key's restriction, an access.Restriction. It may be the
// whole body (json:"*"); the tag as then says which field of its resource the
// body is, and the body must be there: {} is a restriction that restricts
// nothing, and no body is a mistake.
const RuleRestriction = "restriction"

// restrictionField begins the fields in the faults of access.ParseRestriction.
const restrictionField = "restriction"

// restrictionType completes the type of a restriction.
func restrictionType(t *Type, part Part) error {
	if part != Body {
		return fmt.Errorf("a restriction is part of a body")
	}
	return choose(t, RuleRestriction, RuleRestriction)
}

// checkWhole says what is wrong with a field that takes all of the body.
func checkWhole(f *Field, tag reflect.StructTag) error {
	f.as = tag.Get("as")
	switch {
	case f.Type.Rule != RuleMap && f.Type.Rule != RuleRestriction || f.Type.opt:
		return fmt.Errorf("the whole body needs a map[string]any or an access.Restriction")
	case (f.Type.Rule == RuleRestriction) != (f.as != ""):
		return fmt.Errorf("the whole body needs the tag as when it is a restriction, and only then")
	}
	return nil
}

// readRestriction lets access read an object. Its members are wrong in the
// words of access.
func (t *Type) readRestriction(dst reflect.Value, v any) *Problem {
	m, ok := v.(map[string]any)
	switch {
	case !ok:
		return t.fail(v, WrongType)
	case !cleanValue(m):
		return t.fail(m, BadText)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return t.fail(v, WrongType)
	}
	r, err := access.ParseRestriction(raw)
	if err != nil {
		return t.wrongRestriction(v, fault.As(err))
	}
	dst.Set(reflect.ValueOf(r))
	return nil
}

// wrongRestriction is the problem that a fault tells of.
func (t *Type) wrongRestriction(v any, f *fault.Error) *Problem {
	out := &Problem{Want: t, Received: v}
	for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
		inner := &Problem{Want: t, Failed: []Failure{Refused}, Received: v, Detail: f.Fields[field]}
		name, isMember := strings.CutPrefix(field, restrictionField+".")
		if !isMember {
			return inner
		}
		out.Fields = append(out.Fields, FieldProblem{Name: name, Problem: inner})
	}
	return out
}

// readWhole reads all of a body into one field.
func (in *input) readWhole(b *body, dst reflect.Value) []FieldProblem {
	all, f := b.object, in.whole
	name := ""
	if f.Type.Rule == RuleRestriction {
		name = restrictionField
		if all == nil {
			return []FieldProblem{{Problem: f.Type.fail(nil, Missing)}}
		}
	}
	if all == nil {
		all = map[string]any{}
	}
	if p := f.Type.read(dst.FieldByIndex(f.index), all, false); p != nil {
		return []FieldProblem{{Name: name, Problem: p}}
	}
	return nil
}

// restrictionSchema is the schema of a restriction. Ids may be sent as numbers
// and are always answered as texts.
func restrictionSchema() object {
	texts := func(item object) object { return object{"type": "array", "minItems": 1, "items": item} }
	text := object{"type": "string"}
	members := func(props object, required ...string) object {
		s := object{"type": "object", "properties": props, "additionalProperties": false}
		if len(required) > 0 {
			s["required"] = required
		}
		return s
	}
	count := object{"type": "integer", "format": "int64", "minimum": 1}
	clock := object{"type": "string", "pattern": `^[0-9]{2}:[0-9]{2}$`}
	return members(object{
		"read_only":  object{"type": "boolean", "description": "The key only reads."},
		"scopes":     object{"type": "array", "minItems": 1, "items": object{"type": "string", "pattern": `^[a-z]+:(read|write)$`}, "description": "All when absent. Writing does not include reading."},
		"routes":     object{"type": "array", "minItems": 1, "items": text, "description": "All when absent. Method and pattern, as GET /v1/vocabulary lists them."},
		"resources":  object{"type": "object", "additionalProperties": texts(object{"type": []string{"string", "integer"}}), "description": "Ids by kind; a kind that is absent is not bound."},
		"fields":     object{"type": "object", "additionalProperties": texts(text), "description": "Fields that may be written, by kind, members with dots; a kind that is absent is not bound."},
		"addresses":  object{"type": "array", "minItems": 1, "items": text, "description": "Addresses and networks of clients; all when absent."},
		"rate_limit": members(object{"requests": count, "seconds": count}, "requests", "seconds"),
		"quota":      members(object{"requests": count, "period": object{"type": "string", "enum": []string{access.PerDay, access.PerMonth}}}, "requests", "period"),
		"hours": members(object{
			"days": texts(object{"type": "string", "enum": []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}),
			"from": clock, "to": clock, "zone": object{"type": "string", "description": "A name of the IANA database; UTC when absent."},
		}),
	})
}

// restriction refers to the schema, and describes it on first sight.
func (g *schemas) restriction() object {
	const name = "Restriction"
	if g.named[name] == nil {
		g.types[name] = reflect.TypeFor[access.Restriction]()
		g.named[name] = restrictionSchema()
	}
	return restrictionRef()
}

func restrictionRef() object { return object{"$ref": "#/components/schemas/Restriction"} }

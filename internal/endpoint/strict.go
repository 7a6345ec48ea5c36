package endpoint

import (
	"maps"
	"net/url"
	"slices"
)

// unknownField is the problem of a key that nobody declared. Its value is not
// repeated: it may be a secret under a name with a slip.
func unknownField(name string) FieldProblem {
	t := &Type{Rule: RuleAny, Secret: true}
	return FieldProblem{Name: name, Problem: t.fail(nil, Unknown)}
}

func (in *input) unknownQuery(q url.Values) (wrong []FieldProblem) {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if fieldOf(in.query, name) == nil {
			wrong = append(wrong, unknownField(name))
		}
	}
	return wrong
}

func (in *input) unknownBody(b *body) []FieldProblem {
	if in.whole != nil {
		return nil
	}
	if b.other != nil && !in.takesBody() {
		return []FieldProblem{unknownField("")}
	}
	return unknownKeys(in.body, b.object)
}

// unknownKeys finds the keys of an object, and of the objects in it, that are
// not among the fields.
func unknownKeys(fields []Field, object map[string]any) (wrong []FieldProblem) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		f := fieldOf(fields, name)
		if f == nil {
			wrong = append(wrong, unknownField(name))
		} else if p := f.Type.unknownIn(object[name]); p != nil {
			wrong = append(wrong, FieldProblem{Name: name, Problem: p})
		}
	}
	return wrong
}

func (t *Type) unknownIn(v any) *Problem {
	switch v := v.(type) {
	case map[string]any:
		if t.Rule != RuleObject {
			return nil
		}
		if inner := unknownKeys(t.Fields, v); inner != nil {
			return &Problem{Want: t, Fields: inner}
		}
	case []any:
		if t.Rule == RuleList {
			return t.unknownInItems(v)
		}
	}
	return nil
}

func (t *Type) unknownInItems(list []any) *Problem {
	items := make([]*Problem, len(list))
	found := false
	for i, item := range list {
		items[i] = t.Elem.unknownIn(item)
		found = found || items[i] != nil
	}
	if !found {
		return nil
	}
	return &Problem{Want: t, Items: items}
}

func fieldOf(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

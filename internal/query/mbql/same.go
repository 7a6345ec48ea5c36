package mbql

import (
	"bytes"
	"slices"
)

// Same reports whether two queries are the same but for what says nothing (see
// the package comment). Whether they were sent in the same form does not matter.
func Same(a, b Query) bool {
	if a.IsZero() || b.IsZero() {
		return a.IsZero() == b.IsZero()
	}
	return bytes.Equal(canonical(a), canonical(b))
}

// canonical is a text that is equal for queries that are the same: MBQL 5, keys
// in order, without what says nothing.
func canonical(q Query) []byte {
	out := newObject()
	for _, k := range q.five.keys {
		if !isLib(k) {
			out.set(k, q.five.vals[k])
		}
	}
	out.set("stages", plainStages(q.stages()))
	return encodeSorted(out)
}

func plainStages(stages []any) []any {
	out := make([]any, len(stages))
	for i := range stages {
		out[i] = plainStage(stageAt(stages, i), i == len(stages)-1)
	}
	return out
}

func plainStage(stage *object, last bool) *object {
	p := plain{downgradeOf(stage)}
	out := newObject()
	for _, k := range stage.keys {
		v := stage.vals[k]
		switch {
		case k == "lib/stage-metadata" && !last && columnsOf(stage) != nil:
			out.set(k, columnsOf(stage))
		case isLib(k) || v == nil:
		case k == "joins":
			list, _ := v.([]any)
			out.set(k, each(list, p.join))
		case k == "filters":
			out.set(k, p.conditions(v))
		case k == "expressions":
			out.set(k, p.expressions(v))
		case slices.Contains(clauseKeys, k):
			out.set(k, p.value(v))
		case k == "template-tags":
			out.set(k, p.tags(v))
		default:
			out.set(k, v)
		}
	}
	return out
}

// plain makes clauses of one stage alike.
type plain struct{ downgrade }

func (p plain) value(v any) any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return v
	}
	opts, isClause := list[min(1, len(list)-1)].(*object)
	tag := text(list[0])
	if tag == "" || !isClause {
		return each(list, p.value)
	}
	keep := legacyOptions(tag, opts)
	if tag == "aggregation" && len(list) == 3 {
		return []any{tag, keep, jsonInt(int64(p.index[text(list[2])]))}
	}
	if tag == "value" {
		return []any{tag, valueOptions(opts, list[2]), list[2]}
	}
	return slices.Concat([]any{tag, keep}, each(list[2:], p.value))
}

// expressions makes each expression a pair of its name and what it is.
func (p plain) expressions(v any) []any {
	list, _ := v.([]any)
	out := make([]any, len(list))
	for i, e := range list {
		clause, _ := e.([]any)
		opts, _ := clause[1].(*object)
		out[i] = []any{opts.get(expressionName), p.value(e)}
	}
	return out
}

// conditions takes every "and" of a list of conditions apart.
func (p plain) conditions(v any) []any {
	list, _ := v.([]any)
	var out []any
	for _, e := range list {
		clause, _ := e.([]any)
		if len(clause) > 1 && clause[0] == "and" {
			out = append(out, p.conditions(clause[2:])...)
		} else {
			out = append(out, p.value(e))
		}
	}
	return out
}

func (p plain) join(v any) any {
	join, _ := v.(*object)
	stages, _ := join.get("stages").([]any)
	out := join.without(isLib)
	out.set("stages", plainStages(stages))
	out.set("conditions", p.conditions(join.get("conditions")))
	if fields, ok := join.get("fields").([]any); ok {
		out.set("fields", each(fields, p.value))
	}
	return out
}

func (p plain) tags(v any) any {
	tags, ok := v.(*object)
	if !ok {
		return v
	}
	out := newObject()
	for _, name := range tags.keys {
		tag, _ := tags.vals[name].(*object)
		if tag.has("dimension") {
			tag = tag.with("dimension", p.value(tag.get("dimension")))
		}
		out.set(name, tag)
	}
	return out
}

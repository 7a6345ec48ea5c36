package mbql

import (
	"slices"
	"strings"
)

// wrapped are the clauses whose options the legacy form can only keep around
// them, with "aggregation-options". Others take their options at the end.
var wrapped = keySet("count", "avg", "count-where", "distinct", "distinct-where", "max", "median", "min", "percentile", "share",
	"stddev", "sum", "sum-where", "var", "cum-sum", "cum-count",
	"+", "-", "*", "/", "coalesce", "abs", "log", "exp", "sqrt", "ceil", "floor", "round", "power", "interval",
	"relative-datetime", "time", "absolute-datetime", "now", "today", "date", "convert-timezone",
	"get-week", "get-year", "get-month", "get-day", "get-hour", "get-minute", "get-second", "get-quarter",
	"datetime-add", "datetime-subtract", "concat", "substring", "replace", "regex-match-first", "split-part", "collate",
	"length", "trim", "ltrim", "rtrim", "upper", "lower", "text", "integer")

// manyTexts are the filters that compare with one text, their options at the
// end, or with many, their options first.
var manyTexts = keySet("contains", "does-not-contain", "starts-with", "ends-with")

// legacyOptions are the options that the legacy form has, too. The type of a
// clause follows from it; a reference keeps its types, unless both are the same.
func legacyOptions(tag string, opts *object) *object {
	ref := tag == "field" || tag == "expression" || tag == "aggregation"
	base := text(opts.get("base-type"))
	return opts.without(func(k string) bool {
		switch k {
		case "effective-type":
			return !ref || base == "" || base == text(opts.get(k))
		case "base-type":
			return !ref
		}
		return isLib(k)
	})
}

// valueOptions are the legacy options of a value. Its type is left out when it
// follows from the rest.
func valueOptions(opts *object, v any) *object {
	out := newObject()
	if opts == nil {
		return out
	}
	base := opts.without(func(k string) bool { return k == "effective-type" })
	for _, k := range opts.keys {
		switch {
		case isLib(k), k == "effective-type" && opts.vals[k] == impliedType(base, v):
		case valueKeys[k]:
			out.set(strings.ReplaceAll(k, "-", "_"), opts.vals[k])
		default:
			out.set(k, opts.vals[k])
		}
	}
	return out
}

// operand downgrades what a clause takes: a clause, a list of such, or a value.
func (d downgrade) operand(v any) any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return v
	}
	if text(list[0]) == "" {
		return each(list, d.operand)
	}
	tag := text(list[0])
	own, _ := list[1].(*object)
	opts := legacyOptions(tag, own)
	clause := d.bare(tag, list[2:])
	switch {
	case tag == "field":
		return append(clause, orNothing(opts))
	case tag == "value":
		return append(clause, orNothing(valueOptions(own, list[2])))
	case tag == "case" || tag == "if":
		return d.cases(clause, opts)
	case tag == "offset":
		return slices.Concat([]any{tag, opts}, clause[1:])
	case manyTexts[tag] && len(clause) > 3:
		return slices.Concat([]any{tag, opts}, clause[1:])
	case opts.len() == 0:
		return clause
	case wrapped[tag]:
		return []any{"aggregation-options", clause, opts}
	}
	return append(clause, opts)
}

// bare is a clause without its options.
func (d downgrade) bare(tag string, operands []any) []any {
	switch tag {
	case "aggregation":
		return []any{tag, jsonInt(int64(d.index[text(operands[0])]))}
	case "field", "expression", "value":
		return []any{tag, operands[0]}
	}
	return slices.Concat([]any{tag}, each(operands, d.operand))
}

// cases puts the default of a "case" among its options.
func (d downgrade) cases(clause []any, opts *object) []any {
	all := newObject()
	if len(clause) > 2 {
		all.set("default", clause[2])
	}
	for _, k := range opts.keys {
		all.set(k, opts.vals[k])
	}
	if all.len() == 0 {
		return clause
	}
	return []any{clause[0], clause[1], all}
}

// ownOptions are the clauses that keep their options in the legacy form, even as
// aggregations.
var ownOptions = keySet("field", "expression", "aggregation", "value", "offset")

// aggregation downgrades an aggregation. Its name and other options always
// stand around it.
func (d downgrade) aggregation(v any) any {
	list := v.([]any)
	tag := text(list[0])
	own, _ := list[1].(*object)
	opts := legacyOptions(tag, own)
	if opts.len() == 0 || ownOptions[tag] {
		return d.operand(v)
	}
	bare := slices.Concat([]any{tag, newObject()}, list[2:])
	return []any{"aggregation-options", d.operand(bare), opts}
}

func orNothing(o *object) any {
	if o.len() == 0 {
		return nil
	}
	return o
}

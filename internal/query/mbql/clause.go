package mbql

import (
	"encoding/json"
	"slices"
)

// optionsAt is, for clauses whose options may be null in the legacy form, how
// many operands stand before them.
var optionsAt = map[string]int{
	"field": 1, "expression": 1, "aggregation": 1, "value": 1, "time-interval": 3,
	"contains": 2, "does-not-contain": 2, "starts-with": 2, "ends-with": 2,
}

// options gives options a lib/uuid when they have none.
func (c *upgrade) options(opts *object) *object {
	if text(opts.get("lib/uuid")) != "" {
		return opts
	}
	out := newObject("lib/uuid", c.ids.next())
	if opts != nil {
		for _, k := range opts.keys {
			if k != "lib/uuid" {
				out.set(k, opts.vals[k])
			}
		}
	}
	return out
}

// clause upgrades one clause: [tag, operands…, options?] becomes
// [tag, options, operands…].
func (c *upgrade) clause(v any, what string) []any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || text(list[0]) == "" {
		c.fail(`%s must be a clause: a list that begins with a word, such as ["count"] or ["field", 1, null].`, what)
		return []any{"", newObject()}
	}
	list = modern(list)
	tag := spell(text(list[0]))
	switch {
	case old[tag]:
		c.fail("%q stands for a field or name as it did long ago, and cannot be read.", tag)
		return []any{tag, newObject()}
	case tag == "aggregation-options":
		return c.named(list[1:])
	}
	opts, operands := split(tag, list[1:])
	switch tag {
	case "field", "expression":
		return c.reference(tag, opts, operands)
	case "aggregation":
		return c.aggregationRef(opts, operands)
	case "case", "if":
		return c.cases(tag, opts, operands)
	case "value":
		return c.value(opts, operands)
	case "and", "or", "not":
		return c.logic(tag, opts, operands)
	}
	out := []any{tag, c.options(opts)}
	for _, e := range operands {
		out = append(out, c.operand(e))
	}
	return out
}

// logic upgrades what joins conditions.
func (c *upgrade) logic(tag string, opts *object, operands []any) []any {
	if len(operands) == 0 {
		c.fail("%q needs a condition.", tag)
	}
	out := []any{tag, c.options(opts)}
	for _, e := range operands {
		out = append(out, c.clause(e, "A filter or condition"))
	}
	return out
}

// split tells options from operands, wherever they stand.
func split(tag string, args []any) (*object, []any) {
	if len(args) == 0 {
		return nil, nil
	}
	if opts, ok := args[0].(*object); ok {
		return opts, args[1:]
	}
	last := len(args) - 1
	if opts, ok := args[last].(*object); ok {
		return opts, args[:last]
	}
	at, nullable := optionsAt[tag]
	switch {
	case !nullable || len(args) != at+1:
		return nil, args
	case args[last] == nil:
		return nil, args[:last]
	case args[0] == nil && at == 1: // null options of MBQL 5
		return nil, args[1:]
	}
	return nil, args
}

// operand upgrades what a clause takes: a clause, a list of such, or a value.
func (c *upgrade) operand(v any) any {
	if isObject(v) {
		c.fail("A clause has one object at most, its options.")
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return v
	}
	if text(list[0]) != "" {
		return c.clause(list, "An operand")
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = c.operand(e)
	}
	return out
}

// value upgrades a value. What it holds is data, not clauses. The legacy form
// spells its types with "_"; MBQL 5 always says what type it is.
func (c *upgrade) value(opts *object, operands []any) []any {
	if len(operands) != 1 || isObject(operands[0]) {
		c.fail(`"value" takes one value: text, a number, true, false or null.`)
		return []any{"value", newObject(), nil}
	}
	typed := newObject()
	if opts != nil {
		typed = respell(opts, valueKeys)
	}
	if typed.get("effective-type") == nil {
		typed.set("effective-type", impliedType(typed, operands[0]))
	}
	return []any{"value", c.options(typed), operands[0]}
}

var valueKeys = keySet("base-type", "effective-type", "semantic-type", "database-type")

// impliedType is the type that a value has when nothing says so.
func impliedType(opts *object, v any) string {
	if base := text(opts.get("base-type")); base != "" {
		return base
	}
	if kind := typeOf(v); kind != "" {
		return kind
	}
	return "type/*"
}

// named upgrades ["aggregation-options", clause, options].
func (c *upgrade) named(args []any) []any {
	if len(args) == 0 {
		c.fail(`"aggregation-options" needs an aggregation.`)
		return []any{"", newObject()}
	}
	clause := c.clause(args[0], "An aggregation")
	more, _ := args[len(args)-1].(*object)
	if c.err == nil && more != nil {
		if cased := clause[0] == "case" || clause[0] == "if"; cased && more.has("default") {
			c.fail("The default of %q stands in the clause itself.", clause[0])
		}
		for _, k := range more.keys {
			clause = withOption(clause, k, more.vals[k])
		}
	}
	return clause
}

// reference upgrades a reference by id or name.
func (c *upgrade) reference(tag string, opts *object, operands []any) []any {
	if len(operands) != 1 {
		c.fail("%q must name one thing.", tag)
		return []any{tag, newObject()}
	}
	ref := operands[0]
	_, numbered := number(ref)
	if named := text(ref) != ""; !named && (tag != "field" || !numbered) {
		c.fail("%q must name what it means by its name%s.", tag, map[string]string{"field": " or number"}[tag])
	}
	return []any{tag, c.options(opts), ref}
}

// aggregationRef upgrades a reference to an aggregation of the same stage: by
// position in the legacy form, by lib/uuid in MBQL 5.
func (c *upgrade) aggregationRef(opts *object, operands []any) []any {
	ref := any(nil)
	if len(operands) == 1 {
		ref = operands[0]
	}
	if i, ok := number(ref); ok && i >= 0 && i < int64(len(c.aggregations)) {
		ref = c.aggregations[i]
	}
	if !c.known[text(ref)] {
		c.fail("The query refers to the aggregation %s, and the stage has %d.", encode(ref), len(c.aggregations))
	}
	return []any{"aggregation", c.options(opts), ref}
}

// cases upgrades a "case": its default is an option in the legacy form.
func (c *upgrade) cases(tag string, opts *object, operands []any) []any {
	if len(operands) == 0 || len(operands) > 2 || !arePairs(operands[0]) {
		c.fail("%q needs a list of pairs: a condition and what it gives.", tag)
		return []any{tag, newObject()}
	}
	if opts.has("default") {
		operands = []any{operands[0], opts.get("default")}
		opts = opts.without(func(k string) bool { return k == "default" })
	}
	out := []any{tag, c.options(opts)}
	for _, e := range operands {
		out = append(out, c.operand(e))
	}
	return out
}

func arePairs(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) > 0 && !slices.ContainsFunc(list, func(e any) bool {
		pair, ok := e.([]any)
		return !ok || len(pair) != 2 || text(pair[0]) != ""
	})
}

// typeOf is the type of a bare value, or "" when it is not one.
func typeOf(v any) string {
	switch v := v.(type) {
	case string:
		return "type/Text"
	case bool:
		return "type/Boolean"
	case json.Number:
		if _, whole := number(v); whole {
			return "type/Integer"
		}
		return "type/Float"
	}
	return ""
}

// fieldParts returns the options and the id or name of a field of either form,
// behind its tag.
func fieldParts(args []any) (*object, any) {
	opts, operands := split("field", args)
	if len(operands) != 1 {
		return opts, nil
	}
	return opts, operands[0]
}

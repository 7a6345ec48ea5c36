package mbql

import "slices"

// old are the clauses that modern turns into others.
var old = keySet("field-id", "field-literal", "joined-field", "fk->", "datetime-field", "binning-strategy", "named")

// modern turns the clauses from before Metabase 0.39, which stored cards and old
// scripts still hold, into the legacy form of today. Others stay as they are.
func modern(list []any) []any {
	tag, args := spell(text(list[0])), list[1:]
	switch {
	case tag == "field-id" && len(args) == 1:
		return []any{"field", args[0], nil}
	case tag == "field-literal" && len(args) == 2:
		return []any{"field", args[0], newObject("base-type", args[1])}
	case tag == "joined-field" && len(args) == 2:
		return fieldWith(list, args[1], "join-alias", args[0])
	case tag == "fk->" && len(args) == 2:
		return throughKey(list, args[0], args[1])
	case tag == "datetime-field" && len(args) >= 2:
		return fieldWith(list, args[0], "temporal-unit", args[len(args)-1])
	case tag == "binning-strategy" && len(args) >= 2:
		return fieldWith(list, args[0], "binning", binning(args[1:]))
	case tag == "named" && len(args) >= 2:
		return named(args)
	}
	return list
}

// fieldWith returns the field with one more option, or the clause as it was when
// it holds no field.
func fieldWith(was []any, v any, key string, option any) []any {
	opts, ref, ok := asField(v)
	if !ok {
		return was
	}
	return []any{"field", ref, opts.with(key, option)}
}

func throughKey(was []any, key, target any) []any {
	_, source, ok := asField(key)
	if !ok {
		return was
	}
	return fieldWith(was, target, "source-field", source)
}

// asField reads a field of any age.
func asField(v any) (*object, any, bool) {
	if _, ok := number(v); ok {
		return nil, v, true
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, nil, false
	}
	list = modern(list)
	if list[0] != "field" {
		return nil, nil, false
	}
	opts, ref := fieldParts(list[1:])
	return opts, ref, ref != nil
}

func binning(args []any) *object {
	out := newObject("strategy", args[0])
	if len(args) < 2 || args[1] == nil {
		return out
	}
	switch args[0] {
	case "num-bins":
		out.set("num-bins", args[1])
	case "bin-width":
		out.set("bin-width", args[1])
	}
	return out
}

// named makes ["named", aggregation, name, {use-as-display-name?}] a named
// aggregation of today.
func named(args []any) []any {
	key := "display-name"
	if opts, ok := args[len(args)-1].(*object); ok && slices.Contains([]any{opts.get("use-as-display-name?")}, any(false)) {
		key = "name"
	}
	return []any{"aggregation-options", args[0], newObject(key, args[1])}
}

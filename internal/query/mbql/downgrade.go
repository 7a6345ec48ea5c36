package mbql

import (
	"slices"
	"strings"
)

// downgradeQuery makes the legacy form of a query.
func downgradeQuery(five *object) *object {
	stages, _ := five.get("stages").([]any)
	inner := downgradeStages(stages)
	out := newObject("database", five.get("database"), "type", TypeQuery, TypeQuery, inner)
	if len(stages) == 1 && isNative(stageAt(stages, 0)) {
		out = newObject("database", five.get("database"), "type", TypeNative, TypeNative, renamed(inner, "native", "query"))
	}
	for _, k := range five.keys {
		if k != "stages" && !out.has(k) && !isLib(k) {
			out.set(k, five.vals[k])
		}
	}
	return out
}

// isLib tells the keys that only MBQL 5 has: those in lib/, and in the spaces
// that Metabase's library keeps for itself, such as lib.columns/.
func isLib(key string) bool {
	space, _, found := strings.Cut(key, "/")
	return found && (space == "lib" || strings.HasPrefix(space, "lib.") || strings.HasPrefix(space, "metabase.lib."))
}

func renamed(o *object, from, to string) *object {
	out := newObject()
	for _, k := range o.keys {
		if k == from {
			out.set(to, o.vals[k])
		} else {
			out.set(k, o.vals[k])
		}
	}
	return out
}

// downgradeStages nests each stage in the one behind it.
func downgradeStages(stages []any) *object {
	var inner *object
	var metadata any
	for i := range stages {
		stage := stageAt(stages, i)
		next := newObject()
		if inner != nil {
			next.set("source-query", inner)
		}
		if metadata != nil {
			next.set("source-metadata", metadata)
		}
		downgradeStage(next, stage)
		inner, metadata = next, columnsOf(stage)
	}
	return inner
}

func columnsOf(stage *object) any {
	results, _ := stage.get("lib/stage-metadata").(*object)
	if columns, ok := results.get("columns").([]any); ok {
		return columns
	}
	return nil
}

func downgradeStage(out, stage *object) {
	d := downgradeOf(stage)
	for _, k := range stage.keys {
		v := stage.vals[k]
		list, _ := v.([]any)
		switch {
		case isLib(k):
		case k == "source-card":
			out.set("source-table", cardSource(v))
		case k == "filters":
			out.set("filter", d.conjunction(list))
		case k == "aggregation":
			out.set(k, each(list, d.aggregation))
		case k == "expressions":
			out.set(k, d.expressions(list))
		case k == "joins":
			out.set(k, d.joins(list))
		case k == "breakout" || k == "fields" || k == "order-by":
			out.set(k, each(list, d.operand))
		case k == "template-tags":
			out.set(k, d.templateTags(v))
		default:
			out.set(k, v)
		}
	}
}

func cardSource(v any) string { return "card__" + string(encode(v)) }

func each(list []any, change func(any) any) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = change(e)
	}
	return out
}

// downgrade makes legacy clauses of one stage.
type downgrade struct {
	index map[string]int // of the aggregations, by lib/uuid
}

func downgradeOf(stage *object) downgrade {
	d := downgrade{index: map[string]int{}}
	aggregations, _ := stage.get("aggregation").([]any)
	for i, a := range slices.Backward(aggregations) { // of two with one lib/uuid, the first counts
		d.index[uuidOf(a)] = i
	}
	return d
}

// conjunction makes one condition of a list.
func (d downgrade) conjunction(list []any) any {
	if len(list) == 1 {
		return d.operand(list[0])
	}
	return slices.Concat([]any{"and"}, each(list, d.operand))
}

func (d downgrade) templateTags(v any) any {
	tags, ok := v.(*object)
	if !ok {
		return v
	}
	out := newObject()
	for _, name := range tags.keys {
		tag, _ := tags.vals[name].(*object)
		if clause, ok := tag.get("dimension").([]any); ok {
			tag = tag.with("dimension", d.operand(clause))
		}
		out.set(name, tag)
	}
	return out
}

func (d downgrade) expressions(list []any) *object {
	out := newObject()
	for _, e := range list {
		clause := e.([]any)
		opts := clause[1].(*object)
		out.set(text(opts.get(expressionName)), d.expression(clause, opts))
	}
	return out
}

// expression writes a value that says no more than its own type as a bare value.
func (d downgrade) expression(clause []any, opts *object) any {
	if clause[0] == "value" && typeOf(clause[2]) != "" && valueOptions(opts, clause[2]).len() == 0 {
		return clause[2]
	}
	return d.operand(clause)
}

// joins leaves out the aliases that a join without one gets again.
func (d downgrade) joins(list []any) []any {
	unnamed := 0
	out := make([]any, len(list))
	for i, e := range list {
		join := e.(*object)
		if join.get("alias") == unnamedAlias(unnamed+1) {
			unnamed++
			join = join.without(func(k string) bool { return k == "alias" })
		}
		out[i] = d.join(join)
	}
	return out
}

func (d downgrade) join(join *object) *object {
	out := newObject()
	for _, k := range join.keys {
		v := join.vals[k]
		list, isList := v.([]any)
		switch {
		case k == "stages":
			joinSource(out, list)
		case isLib(k):
		case k == "conditions":
			out.set("condition", d.conjunction(list))
		case k == "fields" && isList:
			out.set(k, each(list, d.operand))
		default:
			out.set(k, v)
		}
	}
	return out
}

// joinSource writes what is joined: a table, a card, or a query.
func joinSource(out *object, stages []any) {
	inner := downgradeStages(stages)
	if inner.len() == 1 && inner.has("source-table") {
		out.set("source-table", inner.get("source-table"))
		return
	}
	out.set("source-query", inner)
	if metadata := columnsOf(stageAt(stages, len(stages)-1)); metadata != nil {
		out.set("source-metadata", metadata)
	}
}

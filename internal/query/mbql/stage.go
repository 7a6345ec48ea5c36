package mbql

import (
	"slices"
	"strconv"
)

// stage upgrades a structured stage. The first stage needs a source.
func (c *upgrade) stage(o *object, first bool) *object {
	out := newObject("lib/type", "mbql.stage/mbql")
	if first && !hasSource(o) {
		c.fail(`A structured query needs "source-table", "source-card" or "source-query".`)
		return nil
	}
	aggregated, known := c.aggregations, c.known
	defer func() { c.aggregations, c.known = aggregated, known }()
	aggregations := listOf(o.get("aggregation"))
	c.name(aggregations)
	for _, k := range o.keys {
		v := o.vals[k]
		if k == "lib/type" || v == nil && stageKeys[k] || k == "source-metadata" && !first {
			continue // what is known of a source lies on the stage that is the source
		}
		if c.stageKey(out, k, v); c.err != nil {
			return nil
		}
	}
	return out
}

// stageKey upgrades what stands under one key.
func (c *upgrade) stageKey(out *object, k string, v any) {
	switch k {
	case "source-table", "source-card":
		c.source(out, k, v)
	case "filter", "filters":
		c.conditions(out, "filters", v)
	case "aggregation":
		setList(out, k, c.aggregationList(listOf(v)))
	case "breakout", "fields":
		setList(out, k, c.refs(k, v))
	case "order-by":
		setList(out, k, c.orderBy(v))
	case "expressions":
		setList(out, k, c.expressions(v))
	case "joins":
		setList(out, k, c.joins(v))
	case "limit":
		if n, ok := number(v); !ok || n < 0 {
			c.fail(`"limit" must be a number, 0 or more.`)
		}
		out.set(k, v)
	case "template-tags":
		out.set(k, c.templateTags(v))
	case "page":
		c.page(v)
		out.set(k, v)
	default:
		out.set(k, v)
	}
}

// setList sets a list that is not empty: an empty one says what no list says.
func setList(out *object, key string, list []any) {
	if len(list) > 0 {
		out.set(key, list)
	}
}

// listOf returns a list of clauses. One clause that stands where a list should
// is a list of one.
func listOf(v any) []any {
	list, _ := v.([]any)
	if len(list) > 0 && text(list[0]) != "" {
		return []any{list}
	}
	return list
}

func (c *upgrade) page(v any) {
	page, _ := v.(*object)
	n, paged := number(page.get("page"))
	items, counted := number(page.get("items"))
	if !paged || !counted || n < 1 || items < 1 {
		c.fail(`"page" must have "page" and "items", each a number from 1 on.`)
	}
}

// conditions upgrades a filter or join condition. An "and" is its parts.
func (c *upgrade) conditions(out *object, key string, v any) {
	var list []any
	for _, e := range c.listAt(key, v) {
		if isEmptyAnd(e) {
			continue // as programs leave it when the last condition goes
		}
		clause := c.clause(e, "A filter or condition")
		if c.err != nil {
			return
		}
		list = append(list, clause)
	}
	if legacy, ok := v.([]any); ok && len(list) == 1 && len(legacy) > 0 && text(legacy[0]) != "" {
		list = parts(list[0])
	}
	earlier, _ := out.get(key).([]any)
	setList(out, key, slices.Concat(earlier, list))
}

func isEmptyAnd(v any) bool {
	list, _ := v.([]any)
	return len(list) > 0 && spell(text(list[0])) == "and" && (len(list) == 1 || len(list) == 2 && isObject(list[1]))
}

// parts returns the parts of an "and", or the one condition.
func parts(v any) []any {
	clause := v.([]any)
	if clause[0] == "and" {
		return clause[2:]
	}
	return []any{v}
}

// listAt returns the list of clauses under a key.
func (c *upgrade) listAt(key string, v any) []any {
	if _, ok := v.([]any); !ok {
		c.fail("%q must be a list.", key)
	}
	return listOf(v)
}

// name finds or makes the lib/uuid of each aggregation, so that sorting and
// other aggregations can refer to it.
func (c *upgrade) name(aggregations []any) {
	c.aggregations = make([]string, len(aggregations))
	for i, v := range aggregations {
		if c.aggregations[i] = uuidOf(v); c.aggregations[i] == "" {
			c.aggregations[i] = c.ids.next()
		}
	}
	c.known = keySet(c.aggregations...)
}

// uuidOf returns the lib/uuid that was sent with a clause.
func uuidOf(v any) string {
	clause, _ := v.([]any)
	if len(clause) < 2 {
		return ""
	}
	if tag := text(clause[0]); spell(tag) == "aggregation-options" {
		return uuidOf(clause[1])
	}
	opts, _ := clause[1].(*object)
	return text(opts.get("lib/uuid"))
}

func (c *upgrade) aggregationList(list []any) []any {
	if list == nil {
		c.fail(`"aggregation" must be a list.`)
		return nil
	}
	out := make([]any, 0, len(list))
	for i, v := range list {
		clause := c.clause(v, "An aggregation")
		if c.err != nil {
			return nil
		}
		out = append(out, withOption(clause, "lib/uuid", c.aggregations[i]))
	}
	return out
}

// withOption returns an upgraded clause with one more option.
func withOption(clause []any, key string, v any) []any {
	opts, _ := clause[1].(*object)
	return slices.Concat([]any{clause[0], opts.with(key, v)}, clause[2:])
}

func (c *upgrade) refs(key string, v any) []any {
	if _, ok := v.([]any); !ok {
		c.fail("%q must be a list.", key)
		return nil
	}
	var out []any
	for _, e := range listOf(v) {
		out = append(out, c.ref(e, "A field"))
	}
	return out
}

// ref upgrades a reference to a column. A bare number is a field, as it was
// before Metabase 0.39.
func (c *upgrade) ref(v any, what string) []any {
	if _, ok := number(v); ok {
		v = []any{"field", v, nil}
	}
	return c.clause(v, what)
}

func (c *upgrade) orderBy(v any) []any {
	var out []any
	for _, e := range c.listAt("order-by", v) {
		clause, ok := e.([]any)
		if !ok || len(clause) < 2 {
			c.fail(`Each part of "order-by" must be ["asc", what] or ["desc", what].`)
			return nil
		}
		clause = direction(clause)
		opts, what := split("order-by", clause[1:])
		if clause[0] != "asc" && clause[0] != "desc" || len(what) != 1 {
			c.fail(`Each part of "order-by" must be ["asc", what] or ["desc", what].`)
			return nil
		}
		out = append(out, []any{clause[0], c.options(opts), c.ref(what[0], "What is sorted by")})
	}
	return out
}

// direction turns [what, "descending"], as it was long ago, into ["desc", what].
func direction(clause []any) []any {
	if tag := text(clause[0]); tag != "" {
		return slices.Concat([]any{spell(tag)}, clause[1:])
	}
	word := spell(text(clause[1]))
	words := map[string]any{"ascending": "asc", "descending": "desc", "asc": "asc", "desc": "desc"}
	return []any{words[word], clause[0]}
}

// expressions upgrades expressions, by name or as a list.
func (c *upgrade) expressions(v any) []any {
	var out []any
	seen := map[string]bool{}
	add := func(name string, clause []any) {
		if c.err == nil && (name == "" || seen[name]) {
			c.fail("Each expression needs a name of its own; %q is none.", name)
		}
		if c.err == nil {
			seen[name] = true
			out = append(out, withOption(clause, expressionName, name))
		}
	}
	switch v := v.(type) {
	case *object:
		for _, name := range v.keys {
			add(name, c.expression(v.vals[name]))
		}
	case []any:
		for _, e := range v {
			clause := c.clause(e, "An expression")
			if c.err != nil {
				return nil
			}
			opts, _ := clause[1].(*object)
			add(text(opts.get(expressionName)), clause)
		}
	default:
		c.fail(`"expressions" must be an object by name, or a list.`)
	}
	return out
}

const expressionName = "lib/expression-name"

// expression upgrades the expression behind a name: a clause, or a bare value.
func (c *upgrade) expression(v any) []any {
	if typeOf(v) != "" {
		return c.value(nil, []any{v})
	}
	return c.clause(v, "An expression")
}

func (c *upgrade) joins(v any) []any {
	list, ok := v.([]any)
	if !ok {
		c.fail(`"joins" must be a list.`)
		return nil
	}
	var out []any
	unnamed := 0
	for _, e := range list {
		join, ok := e.(*object)
		if !ok {
			c.fail("A join must be an object.")
			return nil
		}
		joined := c.join(join)
		if c.err != nil {
			return nil
		}
		if joined.get("alias") == nil {
			unnamed++
			joined.set("alias", unnamedAlias(unnamed))
		}
		out = append(out, joined)
	}
	return out
}

// defaultAlias is the alias of a join that has none: the legacy form lets it be
// left out, MBQL 5 does not.
const defaultAlias = "__join"

func unnamedAlias(n int) string {
	if n == 1 {
		return defaultAlias
	}
	return defaultAlias + "_" + strconv.Itoa(n)
}

func (c *upgrade) join(o *object) *object {
	opts, _ := o.get("lib/options").(*object)
	out := newObject("lib/type", "mbql/join", "lib/options", c.options(opts), "stages", c.joinStages(o))
	for _, k := range o.keys {
		v := o.vals[k]
		switch {
		case out.has(k) && k != "conditions" || v == nil && joinKeys[k]:
		case k == "source-table" || k == "source-card" || k == "source-query" || k == "source-metadata":
		case k == "condition" || k == "conditions":
			c.conditions(out, "conditions", v)
		case k == "strategy":
			out.set(k, c.strategy(v))
		case k == "fields":
			out.set(k, c.joinFields(v))
		default:
			out.set(k, v)
		}
	}
	if out.get("conditions") == nil {
		c.fail("A join needs a condition.")
	}
	return out
}

func (c *upgrade) joinStages(o *object) []any {
	if o.get("stages") != nil {
		return c.stages(o.get("stages"), "A join")
	}
	source := o.without(func(k string) bool {
		return k != "source-table" && k != "source-card" && k != "source-metadata"
	})
	inner, nested := o.get("source-query").(*object)
	if !nested {
		return c.innerStages(source)
	}
	if hasSource(o) {
		c.fail(`A join has "source-table" or "source-query", not both.`)
		return nil
	}
	stages := c.innerStages(inner)
	if columns, ok := o.get("source-metadata").([]any); ok && c.err == nil {
		last := len(stages) - 1
		stages[last] = stages[last].(*object).with("lib/stage-metadata",
			newObject("lib/type", "metadata/results", "columns", columns))
	}
	return stages
}

func (c *upgrade) strategy(v any) any {
	switch s := spell(text(v)); s {
	case "left-join", "right-join", "inner-join", "full-join":
		return s
	}
	c.fail("A join's strategy must be left-join, right-join, inner-join or full-join.")
	return nil
}

func (c *upgrade) joinFields(v any) any {
	switch s := text(v); {
	case s == "all" || s == "none":
		return s
	case s != "":
		c.fail(`A join's "fields" must be "all", "none" or a list.`)
		return nil
	}
	return c.refs("fields", v)
}

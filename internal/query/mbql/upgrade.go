package mbql

import (
	"strings"

	"latchkey/internal/fault"
)

// upgrade makes MBQL 5 of a query in either form: what is MBQL 5 already stays,
// with the options and lib/uuid that were left out. The first thing wrong ends
// up in err; what is returned then is of no use.
type upgrade struct {
	ids          *uuids
	aggregations []string        // the lib/uuid of each aggregation of the stage at hand
	known        map[string]bool // the same, to look one up
	err          error
}

func newUpgrade(sent *object) *upgrade { return &upgrade{ids: &uuids{sent: sent}} }

func (c *upgrade) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fault.New(fault.Invalid, format, args...)
	}
}

// clauseKeys are the keys of a stage that hold lists of clauses.
var clauseKeys = []string{"aggregation", "breakout", "expressions", "fields", "filters", "order-by"}

// query upgrades a whole query.
func (c *upgrade) query(o *object) *object {
	if id, ok := number(o.get("database")); !ok || id <= 0 && id != VirtualDatabase {
		c.fail("A query must name its database, as a number.")
		return nil
	}
	stages := c.queryStages(o)
	out := newObject("lib/type", "mbql/query", "database", o.get("database"), "stages", stages)
	for _, k := range o.keys {
		if !out.has(k) && k != "type" && k != TypeNative && k != TypeQuery { // what only the legacy form has
			out.set(k, o.vals[k])
		}
	}
	return out
}

func (c *upgrade) queryStages(o *object) []any {
	if isFive(o) {
		return c.stages(o.get("stages"), "The query")
	}
	switch kind := text(o.get("type")); kind {
	case TypeNative:
		return c.legacyNative(o)
	case TypeQuery:
		inner, ok := o.get("query").(*object)
		if !ok {
			c.fail(`A query of the type "query" needs an object "query".`)
			return nil
		}
		return c.innerStages(inner)
	case "":
		c.fail(`A query needs "stages", or a "type" that is "native" or "query".`)
	default:
		c.fail(`The query has the type %q. It must be "native" or "query".`, kind)
	}
	return nil
}

func (c *upgrade) legacyNative(o *object) []any {
	inner, ok := o.get("native").(*object)
	if !ok {
		c.fail(`A query of the type "native" needs an object "native".`)
		return nil
	}
	stage := newObject("lib/type", "mbql.stage/native", "native", inner.get("query"))
	for _, k := range inner.keys {
		if k != "query" {
			stage.set(k, inner.vals[k])
		}
	}
	return []any{c.native(stage)}
}

// stages upgrades the stages of a query or join that is MBQL 5.
func (c *upgrade) stages(v any, whose string) []any {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		c.fail(`%s needs "stages": a list with at least one stage.`, whose)
		return nil
	}
	out := make([]any, 0, len(list))
	for i, e := range list {
		stage, ok := e.(*object)
		if !ok {
			c.fail("Stage %d must be an object.", i)
			return nil
		}
		out = append(out, c.stageOf(stage, i))
	}
	return out
}

func (c *upgrade) stageOf(stage *object, i int) *object {
	kind := text(stage.get("lib/type"))
	switch {
	case i > 0 && isNative(stage):
		c.fail("Stage %d is native. Only the first stage can be.", i)
	case i > 0 && hasSource(stage):
		c.fail("Stage %d has a source. Its source is the stage before it.", i)
	case stage.get("source-query") != nil:
		c.fail(`Stage %d has "source-query". Its source is the stage before it.`, i)
	case isNative(stage) || kind == "mbql.stage/native":
		return c.native(stage)
	case kind != "" && kind != "mbql.stage/mbql":
		c.fail(`Stage %d has the lib/type %q. It must be "mbql.stage/mbql" or "mbql.stage/native".`, i, kind)
	default:
		return c.stage(stage, i == 0)
	}
	return nil
}

// innerStages makes the stages of a legacy inner query: its source, if that is a
// query, then itself.
func (c *upgrade) innerStages(inner *object) []any {
	if isNative(inner) {
		return []any{c.native(inner)}
	}
	source := inner.get("source-query")
	if source == nil {
		return []any{c.stage(inner, true)}
	}
	o, ok := source.(*object)
	if !ok {
		c.fail(`"source-query" must be an object.`)
		return nil
	}
	if hasSource(inner) {
		c.fail(`A query has "source-table" or "source-query", not both.`)
		return nil
	}
	stages := c.innerStages(o)
	if c.err != nil {
		return nil
	}
	if columns, ok := inner.get("source-metadata").([]any); ok {
		last := len(stages) - 1
		stages[last] = stages[last].(*object).with("lib/stage-metadata",
			newObject("lib/type", "metadata/results", "columns", columns))
	}
	rest := inner.without(func(k string) bool { return k == "source-query" || k == "source-metadata" })
	return append(stages, c.stage(rest, false))
}

// native upgrades a native stage.
func (c *upgrade) native(o *object) *object {
	if _, ok := o.get("native").(string); !ok {
		c.fail("A native query needs its SQL, as text.")
		return nil
	}
	out := newObject("lib/type", "mbql.stage/native")
	for _, k := range o.keys {
		switch {
		case k == "template-tags" && o.vals[k] == nil: // clients send null for none
		case k == "template-tags":
			out.set(k, c.templateTags(o.vals[k]))
		case stageKeys[k] && k != "native" && k != "collection": // means nothing beside SQL
		default:
			out.set(k, o.vals[k])
		}
	}
	return out
}

func (c *upgrade) templateTags(v any) any {
	tags, ok := v.(*object)
	if !ok {
		c.fail(`"template-tags" must be an object of tags by name.`)
		return nil
	}
	out := newObject()
	for _, name := range tags.keys {
		tag, ok := tags.vals[name].(*object)
		if !ok {
			c.fail("The template tag %q must be an object.", name)
			return nil
		}
		if _, clause := tag.get("dimension").([]any); clause {
			tag = tag.with("dimension", c.ref(tag.get("dimension"), "The dimension of a template tag"))
		}
		out.set(name, tag)
	}
	return out
}

// hasSource reports whether a stage, or the inner query that is one, names a
// table or card.
func hasSource(o *object) bool {
	return o.get("source-table") != nil || o.get("source-card") != nil
}

// source reads the source of a stage or join: a table, or a card as "card__77".
func (c *upgrade) source(out *object, key string, v any) {
	if card, ok := strings.CutPrefix(text(v), "card__"); ok && key == "source-table" {
		key, v = "source-card", integer(card)
	}
	if hasSource(out) {
		c.fail(`A stage has "source-table" or "source-card", not both.`)
	}
	if n, ok := number(v); !ok || n <= 0 {
		c.fail(`%q must be the number of a table, or "card__" and the number of a card.`, key)
	}
	out.set(key, v)
}

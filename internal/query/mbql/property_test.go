package mbql_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"latchkey/internal/query/mbql"
)

// writer makes random queries in both forms at once, so that each form is an
// independent statement of what the other should be.
type writer struct {
	r            *rand.Rand
	n            int // counts what must be unique
	aggregations []string
}

// both is a piece of a query: the legacy form, and MBQL 5.
type both struct{ old, five any }

type (
	list   = []any
	fields = map[string]any
)

func (w *writer) chance(percent int) bool { return w.r.IntN(100) < percent }

func (w *writer) id() string {
	w.n++
	return fmt.Sprintf("%08x-0000-4000-8000-000000000000", w.n)
}

func (w *writer) number() int { return 1 + w.r.IntN(99) }

func pick[T any](w *writer, from ...T) T { return from[w.r.IntN(len(from))] }

// clause makes a clause of operands whose options, if any, stand at the end of
// the legacy form.
func (w *writer) clause(tag string, opts fields, operands ...both) both {
	five := fields{"lib/uuid": w.id()}
	old, new5 := list{tag}, list{tag, five}
	for k, v := range opts {
		five[k] = v
	}
	for _, o := range operands {
		old, new5 = append(old, o.old), append(new5, o.five)
	}
	if len(opts) > 0 {
		old = append(old, opts)
	}
	return both{old, new5}
}

func same(v any) both { return both{v, v} }

func (w *writer) value() both {
	switch w.r.IntN(5) {
	case 0:
		return same(w.number())
	case 1:
		return same(pick(w, "a", "", "é<&>\u2028", "card__1", "x \"y\""))
	case 2:
		return same(pick(w, true, false))
	case 3:
		return same(nil)
	}
	return same(1.25)
}

func (w *writer) field() both {
	opts := fields{}
	if w.chance(30) {
		opts["temporal-unit"] = pick(w, "day", "month", "hour-of-day")
	}
	if w.chance(30) {
		opts["join-alias"] = "J"
	}
	if w.chance(20) {
		opts["source-field"] = w.number()
	}
	if w.chance(10) {
		opts["binning"] = fields{"strategy": "bin-width", "bin-width": 0.5}
	}
	var ref any = w.number()
	if w.chance(30) {
		ref, opts["base-type"] = "COLUMN", "type/Text"
	}
	five := fields{"lib/uuid": w.id(), "lib/original-name": "x"}
	for k, v := range opts {
		five[k] = v
	}
	var old any = opts
	if len(opts) == 0 {
		old = nil
	}
	return both{list{"field", ref, old}, list{"field", five, ref}}
}

func (w *writer) expression(depth int) both {
	if depth <= 0 {
		return pick(w, w.field(), w.value(), w.clause("expression", nil, same("E0")))
	}
	switch w.r.IntN(6) {
	case 0:
		return w.clause(pick(w, "+", "concat", "coalesce", "*"), nil, w.expression(depth-1), w.expression(depth-1), w.value())
	case 1:
		return w.clause(pick(w, "upper", "abs", "get-year", "trim"), nil, w.expression(depth-1))
	case 2:
		return w.cases(depth)
	case 3:
		return w.clause("datetime-add", nil, w.field(), same(w.number()), same("day"))
	case 4:
		return w.clause("temporal-extract", fields{"mode": "x"}, w.field(), same("week"))
	}
	return w.expression(0)
}

func (w *writer) cases(depth int) both {
	var old, five list
	for range 1 + w.r.IntN(2) {
		when, then := w.filter(depth-1), w.expression(depth-1)
		old, five = append(old, list{when.old, then.old}), append(five, list{when.five, then.five})
	}
	out := both{list{"case", old}, list{"case", fields{"lib/uuid": w.id()}, five}}
	if w.chance(50) {
		other := w.expression(depth - 1)
		out.old = append(out.old.(list), fields{"default": other.old})
		out.five = append(out.five.(list), other.five)
	}
	return out
}

func (w *writer) filter(depth int) both {
	if depth > 0 && w.chance(40) {
		switch w.r.IntN(3) {
		case 0:
			return w.clause("not", nil, w.filter(depth-1))
		case 1:
			return w.clause("or", nil, w.filter(depth-1), w.filter(depth-1))
		}
		return w.clause("or", nil, w.filter(0), w.clause("and", nil, w.filter(depth-1), w.filter(depth-1)))
	}
	switch w.r.IntN(6) {
	case 0:
		return w.clause(pick(w, "is-null", "not-empty"), nil, w.field())
	case 1:
		return w.clause("between", nil, w.expression(depth-1), w.value(), w.value())
	case 2:
		return w.clause("time-interval", pick(w, nil, fields{"include-current": true}), w.field(), pick(w, same(-7), same("current")), same("day"))
	case 3:
		return w.clause(pick(w, "contains", "ends-with"), pick(w, nil, fields{"case-sensitive": false}), w.field(), same("x"))
	case 4:
		many := w.clause("starts-with", nil, w.field(), same("x"), same("y"))
		many.old = append(list{"starts-with", fields{}}, many.old.(list)[1:]...)
		return many
	}
	return w.clause(pick(w, "=", "!=", "<", ">="), nil, w.expression(depth-1), w.value())
}

func (w *writer) aggregation(depth int) both {
	agg := pick(w, w.clause("count", nil), w.clause("sum", nil, w.expression(depth)), w.clause("count-where", nil, w.filter(depth)),
		w.clause("metric", nil, same(w.number())), w.clause("percentile", nil, w.field(), same(0.5)), w.cases(1),
		w.clause("/", nil, w.clause("sum", nil, w.field()), w.clause("count", nil)))
	opts := agg.five.(list)[1].(fields)
	w.aggregations = append(w.aggregations, opts["lib/uuid"].(string))
	if w.chance(40) {
		opts["name"], opts["display-name"] = "n", "N"
		agg.old = list{"aggregation-options", agg.old, fields{"name": "n", "display-name": "N"}}
	}
	return agg
}

// times makes a list under a key of each form, when there is any.
func (w *writer) times(old, five fields, key string, most int, one func() both) {
	for range w.r.IntN(most + 1) {
		b := one()
		o, _ := old[key].(list)
		f, _ := five[key].(list)
		old[key], five[key] = append(o, b.old), append(f, b.five)
	}
}

func (w *writer) orderBy() both {
	if len(w.aggregations) > 0 && w.chance(50) {
		i := w.r.IntN(len(w.aggregations))
		ref := both{list{"aggregation", i}, list{"aggregation", fields{"lib/uuid": w.id()}, w.aggregations[i]}}
		return w.clause("desc", nil, ref)
	}
	return w.clause("asc", nil, w.field())
}

// conditions sets a list of conditions, which the legacy form writes as one.
func (w *writer) conditions(old, five fields, oldKey, fiveKey string, least int) {
	var o, f list
	for range least + w.r.IntN(3) {
		c := w.filter(2)
		o, f = append(o, c.old), append(f, c.five)
	}
	switch len(o) {
	case 0:
		return
	case 1:
		old[oldKey] = o[0]
	default:
		old[oldKey] = append(list{"and"}, o...)
	}
	five[fiveKey] = f
}

// stages makes the stages of a query; old is the inner query.
func (w *writer) stages(depth int) (old fields, five list) {
	stage := fields{"lib/type": "mbql.stage/mbql"}
	old = fields{}
	switch {
	case depth > 0 && w.chance(50):
		inner, before := w.stages(depth - 1)
		old["source-query"], five = inner, before
		if last := before[len(before)-1].(fields); w.chance(30) {
			columns := list{fields{"name": "c", "base_type": "type/Text"}}
			old["source-metadata"] = columns
			last["lib/stage-metadata"] = fields{"lib/type": "metadata/results", "columns": columns}
		}
	case w.chance(20):
		old["source-query"] = fields{"native": "select {{x}}", "template-tags": fields{"x": fields{"name": "x", "type": "text"}}}
		five = list{fields{"lib/type": "mbql.stage/native", "native": "select {{x}}", "template-tags": fields{"x": fields{"name": "x", "type": "text"}}}}
	case w.chance(30):
		n := w.number()
		old["source-table"], stage["source-card"] = fmt.Sprintf("card__%d", n), n
	default:
		n := w.number()
		old["source-table"], stage["source-table"] = n, n
	}
	w.fill(old, stage, depth)
	return old, append(five, stage)
}

func (w *writer) fill(old, stage fields, depth int) {
	w.aggregations = nil
	if depth > 0 {
		w.times(old, stage, "joins", 2, func() both { return w.join(depth - 1) })
	}
	w.aggregations = nil
	w.times(old, stage, "aggregation", 3, func() both { return w.aggregation(2) })
	w.times(old, stage, "breakout", 2, w.field)
	w.times(old, stage, "fields", 2, w.field)
	w.times(old, stage, "order-by", 2, w.orderBy)
	w.conditions(old, stage, "filter", "filters", 0)
	for i := range w.r.IntN(3) {
		name, e := fmt.Sprintf("E%d", i), w.clause("abs", nil, w.expression(2))
		named, _ := old["expressions"].(fields)
		if named == nil {
			named = fields{}
		}
		named[name], old["expressions"] = e.old, named
		e.five.(list)[1].(fields)["lib/expression-name"] = name
		all, _ := stage["expressions"].(list)
		stage["expressions"] = append(all, e.five)
	}
	if w.chance(30) {
		old["limit"], stage["limit"] = 5, 5
	}
	if w.chance(20) {
		old["my_own"], stage["my_own"] = fields{"x": list{nil}}, fields{"x": list{nil}}
	}
}

func (w *writer) join(depth int) both {
	inner, stages := w.stages(depth)
	old := fields{"alias": w.id()}
	if source, plain := inner["source-table"]; plain && len(inner) == 1 {
		old["source-table"] = source
	} else {
		old["source-query"] = inner
	}
	five := fields{"lib/type": "mbql/join", "lib/options": fields{"lib/uuid": w.id()}, "stages": stages, "alias": old["alias"]}
	w.conditions(old, five, "condition", "conditions", 1)
	if w.chance(50) {
		old["strategy"], five["strategy"] = "inner-join", "inner-join"
	}
	if w.chance(30) {
		old["fields"], five["fields"] = "none", "none"
	} else {
		w.times(old, five, "fields", 2, w.field)
	}
	return both{old, five}
}

func (w *writer) query() (old, five fields) {
	inner, stages := w.stages(2)
	old = fields{"database": 1, "type": "query", "query": inner}
	five = fields{"lib/type": "mbql/query", "database": 1, "stages": stages}
	if w.chance(30) {
		old["constraints"], five["constraints"] = fields{"max-results": 3}, fields{"max-results": 3}
	}
	return old, five
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sorted is a JSON text with the keys of its objects in order, characters of
// HTML escaped, as encoding/json writes it.
func sorted(t *testing.T, raw []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return string(marshal(t, v))
}

// TestRoundTrips makes random queries in both forms and turns each into the
// other. The legacy form must come out exactly, MBQL 5 but for the lib/ keys
// that legacy cannot hold.
func TestRoundTrips(t *testing.T) {
	for seed := range uint64(100) {
		w := &writer{r: rand.New(rand.NewPCG(seed, 1))}
		o, f := w.query()
		oldText, fiveText := marshal(t, o), marshal(t, f)
		old, five := read(t, string(oldText)), read(t, string(fiveText))
		complain := func(what string, got []byte) {
			t.Fatalf("seed %d: %s\nlegacy %s\nMBQL 5 %s\ngot %s", seed, what, oldText, fiveText, got)
		}
		if !mbql.Same(old, five) || !mbql.Same(five, old) {
			complain("the forms are not the same", mbql.MBQL5(old))
		}
		if got := mbql.Legacy(five); sorted(t, got) != sorted(t, oldText) {
			complain("legacy of MBQL 5 differs", got)
		}
		if got := mbql.Legacy(old); sorted(t, got) != sorted(t, oldText) {
			complain("legacy of legacy differs", got)
		}
		if got := mbql.MBQL5(five); sorted(t, got) != sorted(t, fiveText) {
			complain("MBQL 5 of MBQL 5 differs", got)
		}
		if got := mbql.Legacy(read(t, string(mbql.MBQL5(old)))); sorted(t, got) != sorted(t, oldText) {
			complain("there and back differs", got)
		}
		if back := read(t, string(mbql.Legacy(five))); !mbql.Same(back, five) {
			complain("back and there is not the same", mbql.MBQL5(back))
		}
		if sorted(t, old.JSON()) != sorted(t, oldText) || sorted(t, five.JSON()) != sorted(t, fiveText) {
			complain("what is stored is not what was sent", old.JSON())
		}
		if fmt.Sprint(old.Tables(), old.ReferencedCards(), old.Aggregated()) != fmt.Sprint(five.Tables(), five.ReferencedCards(), five.Aggregated()) {
			complain("the forms read differently", nil)
		}
	}
}

// TestOneChangeDiffers changes one number of a query, and Same must see it.
func TestOneChangeDiffers(t *testing.T) {
	for seed := range uint64(30) {
		w := &writer{r: rand.New(rand.NewPCG(seed, 2))}
		o, _ := w.query()
		text := string(marshal(t, o))
		q := read(t, text)
		parts := strings.Split(text, `["field",`)
		for i := 1; i < min(len(parts), 20); i++ {
			changed := strings.Join(parts[:i], `["field",`) + `["field",77` + strings.Join(parts[i:], `["field",`)
			if other, err := mbql.Read([]byte(changed)); err == nil && mbql.Same(other, q) {
				t.Fatalf("seed %d: the change is not seen: %s", seed, changed)
			}
		}
	}
}

package mbql_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"latchkey/internal/query/mbql"
)

// mutator changes one place of a query: another value, another key, one element
// more or less. It keeps to what queries are made of, so that much of what it
// makes is nearly right.
type mutator struct {
	r    *rand.Rand
	left int // nodes until the change
}

func (m *mutator) junk() any {
	from := []any{
		nil, true, "", "x", "card__3", "and", "field", "all", -1.0, 0.0, 1.0, 1.5, 1e300,
		list{}, list{"and"}, list{"field", 1.0, nil}, list{"field", fields{}, 1.0}, list{"count"}, list{"aggregation", 0.0},
		list{"value", 1.0, fields{"base_type": "type/Text"}}, list{"case", list{list{list{"=", 1.0, 1.0}, 2.0}}, fields{"default": nil}},
		list{"aggregation-options", list{"count"}, fields{"name": "n"}}, list{"offset", fields{}, list{"count"}, 1.0},
		list{"datetime-field", list{"fk->", 1.0, 2.0}, "day"}, list{"field-id", 1.0}, list{"contains", fields{}, "a", "b", "c"},
		list{list{"field-id", 1.0}, "descending"}, list{"metric", 4.0}, list{"named", list{"count"}, "n"},
		fields{}, fields{"lib/uuid": "u"}, fields{"native": "{{#5}}"}, fields{"source-table": 1.0}, fields{"source-card": 1.0},
		fields{"source-query": fields{"source-table": 1.0}}, fields{"columns": list{}}, fields{"a": fields{}},
	}
	return from[m.r.IntN(len(from))]
}

func (m *mutator) key() string {
	return pick(&writer{r: m.r}, "lib/type", "type", "native", "query", "stages", "source-table", "source-card", "source-query", "source-metadata",
		"lib/stage-metadata", "fields", "filter", "filters", "aggregation", "breakout", "order-by", "limit", "page", "expressions", "joins",
		"alias", "condition", "conditions", "strategy", "template-tags", "lib/uuid", "lib/expression-name", "name", "default", "effective-type",
		"base-type", "lib.columns/x", "lib/", "Filter", "order_by")
}

func (m *mutator) change(v any) any {
	m.left--
	if m.left == 0 {
		return m.here(v)
	}
	switch v := v.(type) {
	case fields:
		out := fields{}
		for k, e := range v {
			out[k] = m.change(e)
		}
		return out
	case list:
		out := make(list, len(v))
		for i, e := range v {
			out[i] = m.change(e)
		}
		return out
	}
	return v
}

func (m *mutator) here(v any) any {
	switch v := v.(type) {
	case fields:
		if m.r.IntN(2) == 0 {
			v[m.key()] = m.junk()
			return v
		}
	case list:
		if at := m.r.IntN(len(v) + 1); m.r.IntN(2) == 0 {
			return append(append(append(list{}, v[:at]...), m.junk()), v[at:]...)
		} else if len(v) > 0 && m.r.IntN(2) == 0 {
			return v[:len(v)-1]
		}
	}
	return m.junk()
}

// TestMutations reads queries that are nearly right. Whatever is read must be
// whole: every form of it is read again as the same query.
func TestMutations(t *testing.T) {
	all := pairs(t)
	read := 0
	for seed := range uint64(2500) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := all[r.IntN(len(all))]
		text := []byte(pick(&writer{r: r}, p.legacy, p.five))
		for range 1 + r.IntN(3) {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			text = marshal(t, (&mutator{r: r, left: 1 + r.IntN(80)}).change(v))
		}
		if checkWhole(t, text) {
			read++
		}
	}
	if read < 300 {
		t.Errorf("only %d of the queries were read", read)
	}
}

// checkWhole reports whether a text is a query, and fails when a form of it is
// not the same query again.
func checkWhole(t *testing.T, text []byte) bool {
	t.Helper()
	q, err := mbql.Read(text)
	if err != nil {
		checkRefusal(t, text, err)
		return false
	}
	q.TemplateTags()
	q.ReferencedCards()
	for form, again := range map[string][]byte{"as sent": q.JSON(), "as MBQL 5": mbql.MBQL5(q), "as legacy": mbql.Legacy(q)} {
		back, err := mbql.Read(again)
		if err != nil {
			t.Fatalf("%s: %s cannot be read again: %s: %v", text, form, again, err)
		}
		if !mbql.Same(q, back) {
			t.Fatalf("%s: %s is not the same: %s\nwant %s\ngot %s", text, form, again, mbql.MBQL5(q), mbql.MBQL5(back))
		}
	}
	if again := mbql.MBQL5(q); len(again) == 0 || string(again) != string(mbql.MBQL5(mustRead(t, text))) {
		t.Fatalf("%s: the same text gives other bytes", text)
	}
	tagged := mustRead(t, q.WithTemplateTags().JSON())
	if string(tagged.WithTemplateTags().JSON()) != string(tagged.JSON()) {
		t.Fatalf("%s: declaring tags twice differs", text)
	}
	return true
}

func mustRead(t *testing.T, text []byte) mbql.Query {
	t.Helper()
	q, err := mbql.Read(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

package mbql

import (
	"maps"
	"slices"
)

// Tables returns the tables that any part of the query reads, joins included,
// in order.
func (q Query) Tables() []int64 { return q.sources().list("source-table") }

// ReferencedCards returns the cards whose query is part of this one, in order:
// sources of stages and joins, {{#77}} in SQL, and metrics, which are cards.
func (q Query) ReferencedCards() []int64 { return q.sources().list("source-card") }

// found is the ids that a query names, by the key of a stage that names them.
type found map[string]map[int64]bool

func (f found) add(key string, v any) {
	if id, ok := number(v); ok {
		if f[key] == nil {
			f[key] = map[int64]bool{}
		}
		f[key][id] = true
	}
}

func (f found) list(key string) []int64 {
	return slices.Sorted(maps.Keys(f[key]))
}

func (q Query) sources() found {
	f := found{}
	f.stages(q.stages())
	return f
}

func (f found) stages(stages []any) {
	for _, s := range stages {
		stage, _ := s.(*object)
		f.add("source-table", stage.get("source-table"))
		f.add("source-card", stage.get("source-card"))
		for _, t := range tagsOf(stage) {
			if t.Type == TagCard {
				f.addCard(t.CardID)
			}
		}
		joins, _ := stage.get("joins").([]any)
		for _, j := range joins {
			join, _ := j.(*object)
			inner, _ := join.get("stages").([]any)
			f.stages(inner)
			f.clauses(join.get("conditions"))
		}
		for _, k := range clauseKeys {
			f.clauses(stage.get(k))
		}
	}
}

func (f found) addCard(id int64) {
	if f["source-card"] == nil {
		f["source-card"] = map[int64]bool{}
	}
	if id > 0 {
		f["source-card"][id] = true
	}
}

// clauses looks for metrics in a list of clauses.
func (f found) clauses(v any) {
	list, ok := v.([]any)
	if !ok {
		return
	}
	if len(list) == 3 && list[0] == "metric" && isObject(list[1]) {
		f.add("source-card", list[2])
		return
	}
	for _, e := range list {
		f.clauses(e)
	}
}

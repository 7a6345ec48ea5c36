package clients_test

import "testing"

// clauses are queries in the form that scripts write, with the ids of the
// table of orders, of another table, and of three fields of the first.
func clauses(orders, other, id, link, number int64) map[string]object {
	field := func(id int64, options any) []any { return []any{"field", id, options} }
	return map[string]object{
		"filter": {"source-table": orders, "limit": 10, "filter": []any{
			"and",
			[]any{">", field(number, nil), 10},
			[]any{"or", []any{"is-null", field(link, nil)}, []any{"between", field(id, nil), 1, 100}},
			[]any{"not", []any{"=", field(id, nil), 5, 6}},
		}},
		"summary": {
			"source-table": orders,
			"aggregation": []any{
				[]any{"count"},
				[]any{"aggregation-options", []any{"sum", field(number, nil)}, object{"name": "total", "display-name": "Total"}},
				[]any{"distinct", field(link, nil)},
			},
			"breakout": []any{field(link, nil), field(number, object{"binning": object{"strategy": "num-bins", "num-bins": 5}})},
			"order-by": []any{[]any{"desc", []any{"aggregation", 0}}, []any{"asc", field(link, nil)}},
		},
		"join": {
			"source-table": orders,
			"joins": []object{{
				"source-table": other, "alias": "Other", "strategy": "left-join", "fields": "all",
				"condition": []any{"=", field(link, nil), field(id, object{"join-alias": "Other"})},
			}},
			"expressions": object{"double": []any{"*", field(number, nil), 2}},
			"fields":      []any{field(id, nil), []any{"expression", "double"}},
		},
		"nested": {
			"source-query": object{"source-table": orders, "aggregation": []any{[]any{"count"}}, "breakout": []any{field(link, nil)}},
			"filter":       []any{">", []any{"field", "count", object{"base-type": "type/Integer"}}, 1},
		},
	}
}

// mbStructured makes questions in the old form, reads them in the new one,
// which mb checks before it sends it, and sends them back.
func mbStructured(t *testing.T, m mb, w *shelf) {
	orders, people := m.tableNamed("orders", w.db), m.tableNamed("people", w.db)
	var full table
	m.whole(&full, "table", "get", num(orders.ID), "--include", "fields")
	var id, link, number int64
	for _, f := range full.Fields {
		switch {
		case f.TargetID != nil:
			link = f.ID
		case f.SemanticType != nil && *f.SemanticType == "type/PK":
			id = f.ID
		case f.BaseType == "type/Float" || f.BaseType == "type/Decimal" || f.BaseType == "type/Integer":
			number = f.ID
		}
	}
	for name, query := range clauses(orders.ID, people.ID, id, link, number) {
		legacy := object{"database": w.db, "type": "query", "query": query}
		var c card
		m.send(&c, question("By "+name, legacy, object{"collection_id": w.sub.ID}), "card", "create")
		if c.QueryType != "query" || c.DatabaseID != w.db {
			t.Errorf("%s: %+v", name, c)
		}
		if c.DatasetQuery["lib/type"] != "mbql/query" {
			t.Errorf("%s: the query is answered as %v", name, c.DatasetQuery)
		}
		var again card
		m.send(&again, object{"dataset_query": c.DatasetQuery}, "card", "update", num(c.ID))
		compare(t, name, again.DatasetQuery, c.DatasetQuery)
		var old struct {
			Query object `json:"dataset_query"`
		}
		w.s.Admin(200, &old, "GET", "/api/card/"+num(c.ID)+"?legacy-mbql=true", nil)
		want := plain(t, legacy)
		compare(t, name+" in the old form", old.Query, want)
		m.whole(&c, "card", "archive", num(c.ID))
		w.s.Admin(204, nil, "DELETE", "/api/card/"+num(c.ID), nil)
	}
}

package matrix_test

// schema writes a table in a schema beside those of the sample database, which
// are in none, and returns the schema's name.
func (w *world) schema() string {
	const name = "more"
	const row = `INSERT INTO warehouse_table (database_id, schema_name, name, display_name, entity_type, entity_id, created_at, updated_at)
		VALUES (1, 'more', 'more', 'More', 'entity/GenericTable', 'moremoremoremoremorem', 1, 1)`
	if w.fresh || w.hasSchema {
		return name
	}
	w.hasSchema = true
	if _, err := w.Database().ExecContext(w.t.Context(), row); err != nil {
		w.t.Fatal(err)
	}
	return name
}

// queryRecipes has one for each route of connected databases and of queries
// that are not saved. They are about the sample database, whose id is 1.
func queryRecipes() map[string]recipe {
	const one = "/api/database/{id}"
	native := body{"database": 1, "type": "native", "native": body{"query": "SELECT 1 AS one"}}
	wrapped := fixed(call{body: body{"query": native}})
	sample := fixed(call{path: values{"id": 1}})
	return map[string]recipe{
		"GET /api/database":                        fixed(call{}),
		"GET " + one:                               sample,
		"GET " + one + "/metadata":                 sample,
		"GET " + one + "/schemas":                  sample,
		"GET " + one + "/schema":                   sample,
		"GET " + one + "/schema/{schema}":          {make: func(w *world, _ principal) call { return call{path: values{"id": 1, "schema": w.schema()}} }},
		"GET " + one + "/fields":                   sample,
		"GET " + one + "/idfields":                 sample,
		"GET " + one + "/autocomplete_suggestions": fixed(call{path: values{"id": 1}, query: "?prefix=or"}),
		"POST " + one + "/sync_schema":             sample,
		"POST " + one + "/rescan_values":           sample,

		"GET /api/table":                     fixed(call{}),
		"GET /api/table/{id}":                sample,
		"GET /api/table/{id}/query_metadata": sample,
		"GET /api/table/{id}/fks":            sample,
		"GET /api/field/{id}":                sample,
		"GET /api/field/{id}/values":         sample,
		"GET /api/field/{id}/summary":        sample,

		"POST /api/dataset":                fixed(call{body: native}),
		"POST /api/dataset/native":         fixed(call{body: native}),
		"POST /api/dataset/query_metadata": fixed(call{body: native}),
		"POST /api/dataset/csv":            wrapped,
		"POST /api/dataset/json":           wrapped,
		"POST /api/dataset/xlsx":           wrapped,
	}
}

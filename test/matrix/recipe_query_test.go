package matrix_test

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
		"GET " + one + "/schema/{schema}":          fixed(call{path: values{"id": 1, "schema": "none"}}),
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

package clients_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestAgent does what servers of tools for language models do: it looks
// around, asks in SQL, and builds a dashboard of what it found.
func TestAgent(t *testing.T) {
	t.Parallel()
	eachScript(t, func(t *testing.T, p script, db int64) {
		orders := p.looksAround(t, db)
		p.asks(t, db, orders)
		p.exports(t, db)
		p.builds(t, db)
	})
}

// looksAround lists everything, with a content type but no body, and returns
// the id of the table of orders.
func (p script) looksAround(t *testing.T, db int64) int64 {
	t.Helper()
	for _, path := range []string{"/api/card", "/api/dashboard", "/api/collection", "/api/database", "/api/table", "/api/search?q=orders&limit=5",
		"/api/collection/tree?exclude-archived=true", "/api/collection/root/items?models=card&models=dashboard&sort_column=name&sort_direction=asc",
		"/api/native-query-snippet", "/api/timeline", "/api/bookmark", "/api/activity/recents?context=views", "/api/database/" + num(db) + "/metadata"} {
		a := p.s.Do("GET", path, nil, "X-API-KEY", p.key, "Content-Type", "application/json")
		if a.Status != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			t.Errorf("GET %s: %d %s", path, a.Status, a.Body)
		}
	}
	var tables []struct {
		ID   int64
		Name string
		DB   *struct{ ID int64 }
	}
	p.call(200, &tables, "GET", "/api/table", nil)
	for _, row := range tables {
		if row.DB == nil || row.DB.ID != db {
			t.Errorf("table %s is of the database %v", row.Name, row.DB)
		}
		if strings.EqualFold(row.Name, "orders") {
			return row.ID
		}
	}
	t.Fatalf("no orders in %+v", tables)
	return 0
}

func (p script) asks(t *testing.T, db, orders int64) {
	t.Helper()
	var meta struct {
		DBID   int64 `json:"db_id"`
		Fields []struct {
			ID           int64
			Name         string
			SemanticType *string `json:"semantic_type"`
			HasValues    string  `json:"has_field_values"`
			Visibility   string  `json:"visibility_type"`
			Active       bool
			Position     *int
		}
	}
	p.call(200, &meta, "GET", "/api/table/"+num(orders)+"/query_metadata", nil)
	for i, f := range meta.Fields {
		if f.HasValues == "" || f.Visibility != "normal" || !f.Active || f.Position == nil {
			t.Errorf("field %d: %+v", i, f)
		}
	}
	var r result
	query := native(db, "select count(*) > 1000 as many from orders", object{})
	query["parameters"] = []object{}
	p.call(202, &r, "POST", "/api/dataset", query)
	r.one(t, 1.0)
	p.call(400, &r, "POST", "/api/dataset", native(db, "select 1 from nowhere", object{}))
	if r.Status != "failed" || !strings.Contains(r.Error, "nowhere") || len(r.Data.Rows) != 0 || r.Data.Rows == nil {
		t.Errorf("failed: %+v", r)
	}
}

func (p script) exports(t *testing.T, db int64) {
	t.Helper()
	query := native(db, "select 1 as one, 'x' as letter", nil)
	a := p.s.Do("POST", "/api/dataset/csv", object{"query": query}, "X-API-KEY", p.key)
	if a.Status != 200 || a.Body != "one,letter\n1,x\n" {
		t.Errorf("csv: %d %q", a.Status, a.Body)
	}
	status, _, text := p.form("/api/dataset/json", url.Values{"query": {mustJSON(t, query)}, "visualization_settings": {"{}"}})
	if status != 200 || strings.TrimSpace(text) != `[{"one":1,"letter":"x"}]` {
		t.Errorf("json: %d %q", status, text)
	}
	if a := p.s.Do("POST", "/api/dataset/csv", query, "X-API-KEY", p.key); a.Status != 400 {
		t.Errorf("a query without a wrapper: %d %q", a.Status, a.Body)
	}
}

// builds makes a dashboard with a filter, runs its card with it, changes the
// dashboard and takes the change back.
func (p script) builds(t *testing.T, db int64) {
	t.Helper()
	var c card
	p.call(200, &c, "POST", "/api/card", question("Times", mbql5(db, "select {{n}} * 2 as twice", object{
		"n": object{"id": tagID, "name": "n", "display-name": "N", "type": "number", "default": "1"},
	}), nil))
	var b dashboard
	p.call(200, &b, "POST", "/api/dashboard", object{"name": "Built", "parameters": []object{{"id": "p1", "type": "number/=", "name": "N", "slug": "n"}}})
	board := "/api/dashboard/" + num(b.ID)
	p.call(200, &b, "PUT", board, object{"dashcards": []object{place(-1, c.ID, 0, object{"parameter_mappings": []object{
		{"parameter_id": "p1", "card_id": c.ID, "target": []any{"variable", []any{"template-tag", "n"}}},
	}})}})
	run := board + "/dashcard/" + num(b.Dashcards[0].ID) + "/card/" + num(c.ID) + "/query"
	var r result
	p.call(202, &r, "POST", run, object{"parameters": []object{{"id": "p1", "value": 21}}})
	r.one(t, 42.0)
	p.call(202, &r, "POST", run, nil)
	r.one(t, 2.0)
	if a := p.s.Do("POST", run+"/csv", object{"parameters": []object{{"id": "p1", "value": "4"}}}, "X-API-KEY", p.key); a.Status != 200 || a.Body != "twice\n8\n" {
		t.Errorf("csv: %d %q", a.Status, a.Body)
	}
	p.refused(404, "Not found.", "POST", board+"/dashcard/999999/card/"+num(c.ID)+"/query", nil)
	p.revises(t, b)
	p.marks(t, b)
}

// revises renames the dashboard and takes that back.
func (p script) revises(t *testing.T, b dashboard) {
	t.Helper()
	board := "/api/dashboard/" + num(b.ID)
	type revision struct {
		ID          int64
		Description string
		MostRecent  bool `json:"most_recent"`
		IsCreation  bool `json:"is_creation"`
		IsReversion bool `json:"is_reversion"`
	}
	var before, after []revision
	p.call(200, &before, "GET", "/api/revision/dashboard/"+num(b.ID), nil)
	p.call(200, nil, "PUT", board, object{"name": "Renamed", "dashcards": []object{}})
	p.call(200, &after, "GET", "/api/revision?entity=dashboard&id="+num(b.ID), nil)
	if len(before) < 2 || len(after) != len(before)+1 || !after[0].MostRecent || !after[len(after)-1].IsCreation {
		t.Fatalf("revisions %+v, then %+v", before, after)
	}
	p.call(200, nil, "POST", "/api/revision/revert", object{"entity": "dashboard", "id": b.ID, "revision_id": before[0].ID})
	var now dashboard
	p.call(200, &now, "GET", board, nil)
	if now.Name != b.Name || len(now.Dashcards) != 1 || len(now.Dashcards[0].Mappings) != 1 {
		t.Errorf("taken back: %+v", now)
	}
	p.call(200, &after, "GET", "/api/revision/dashboard/"+num(b.ID), nil)
	if !after[0].IsReversion {
		t.Errorf("revisions %+v", after)
	}
}

// marks bookmarks the dashboard and finds it among the recents.
func (p script) marks(t *testing.T, b dashboard) {
	t.Helper()
	mark := "/api/bookmark/dashboard/" + num(b.ID)
	p.call(200, nil, "POST", mark, nil)
	p.refused(400, "Bookmark already exists", "POST", mark, nil)
	var marks []struct {
		Name string
		Type string
	}
	p.call(200, &marks, "GET", "/api/bookmark", nil)
	if len(marks) != 1 || marks[0].Name != b.Name || marks[0].Type != "dashboard" {
		t.Errorf("bookmarks %+v", marks)
	}
	p.call(204, nil, "DELETE", mark, nil)
	p.call(204, nil, "POST", "/api/activity/recents", object{"model": "dashboard", "model_id": b.ID, "context": "selection"})
	var recents struct{ Recents []named }
	p.call(200, &recents, "GET", "/api/activity/recents?context=selections", nil)
	if !slices.ContainsFunc(recents.Recents, func(r named) bool { return r.Model == "dashboard" && r.Name == b.Name }) {
		t.Errorf("recents %+v", recents)
	}
}

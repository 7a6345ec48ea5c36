package clients_test

import (
	"slices"
	"testing"
)

type dashboard struct {
	ID           int64
	Name         string
	Archived     bool
	Width        string
	AutoApply    bool   `json:"auto_apply_filters"`
	CollectionID *int64 `json:"collection_id"`
	EntityID     string `json:"entity_id"`
	Dashcards    []dashcard
	Tabs         []tab
	Parameters   []object
}

type dashcard struct {
	ID       int64
	CardID   *int64 `json:"card_id"`
	TabID    *int64 `json:"dashboard_tab_id"`
	Row, Col int
	SizeX    int            `json:"size_x"`
	SizeY    int            `json:"size_y"`
	EntityID string         `json:"entity_id"`
	Settings map[string]any `json:"visualization_settings"`
	Mappings []struct {
		ParameterID string `json:"parameter_id"`
		Target      []any
	} `json:"parameter_mappings"`
}

type tab struct {
	ID       int64
	Name     string
	Position int
}

// place is a dashcard as a client writes it.
func place(id int64, cardID any, row int, more object) object {
	d := object{"id": id, "card_id": cardID, "row": row, "col": 0, "size_x": 12, "size_y": 4}
	for k, v := range more {
		d[k] = v
	}
	return d
}

func mbDashboardCreate(t *testing.T, m mb, w *shelf) {
	m.send(&w.board, object{
		"name": "KPIs", "description": "The numbers", "collection_id": w.ops.ID,
		"parameters": []object{{
			"id": "abc123", "type": "number/=", "name": "N", "slug": "n", "values_query_type": "list", "values_source_type": "static-list",
			"values_source_config": object{"values": []any{"1", "20", "21"}},
		}},
		"tabs": []object{{"id": -1, "name": "First"}, {"id": -2, "name": "Second"}},
		"dashcards": []object{
			place(-1, w.orders.ID, 0, object{"dashboard_tab_id": -1}),
			place(-2, w.tag.ID, 4, object{"dashboard_tab_id": -2, "parameter_mappings": []object{
				{"parameter_id": "abc123", "card_id": w.tag.ID, "target": []any{"variable", []any{"template-tag", "n"}}},
			}}),
			place(-3, nil, 8, object{"dashboard_tab_id": -2, "visualization_settings": object{"text": "Hello", "virtual_card": object{"display": "text"}}}),
		},
	}, "dashboard", "create")
	b := w.board
	if b.ID == 0 || b.Width != "fixed" || !b.AutoApply || len(b.EntityID) != 21 || b.CollectionID == nil || *b.CollectionID != w.ops.ID {
		t.Errorf("created %+v", b)
	}
	if len(b.Tabs) != 2 || b.Tabs[0].ID <= 0 || b.Tabs[0].Name != "First" || b.Tabs[1].Position != 1 || len(b.Parameters) != 1 {
		t.Fatalf("tabs %+v, parameters %v", b.Tabs, b.Parameters)
	}
	if len(b.Dashcards) != 3 {
		t.Fatalf("%d dashcards, want 3", len(b.Dashcards))
	}
	first, mapped, text := b.onRow(t, 0), b.onRow(t, 4), b.onRow(t, 8)
	if first.ID <= 0 || len(first.EntityID) != 21 || first.TabID == nil || *first.TabID != b.Tabs[0].ID {
		t.Errorf("first dashcard %+v", first)
	}
	if mapped.TabID == nil || *mapped.TabID != b.Tabs[1].ID || len(mapped.Mappings) != 1 || mapped.Mappings[0].ParameterID != "abc123" {
		t.Errorf("mapped dashcard %+v", mapped)
	}
	if text.CardID != nil || text.Settings["text"] != "Hello" {
		t.Errorf("text %+v", text)
	}
	for search, want := range map[string]int{"": 3, "2": 2, "x": 0} {
		var values struct{ Values [][]any }
		m.whole(&values, "dashboard", "parameter-values", num(b.ID), "abc123", "--query", search)
		if len(values.Values) != want {
			t.Errorf("values with %q: %v", search, values.Values)
		}
	}
	m.refused(2, "pre-flight failed", "dashboard", "create", "--body",
		m.json(object{"name": "Lost", "dashcards": []object{place(-1, 999999, 0, nil)}}))
	m.refused(1, "Not found: POST /api/dashboard.", "dashboard", "create", "--body", `{"name":"Lost","collection_id":999999}`)
	if got := m.names("dashboard", "list"); !slices.Equal(got, []string{"KPIs"}) {
		t.Errorf("list %q", got)
	}
}

// onRow returns the dashcard of a row.
func (d dashboard) onRow(t *testing.T, row int) dashcard {
	t.Helper()
	for _, c := range d.Dashcards {
		if c.Row == row {
			return c
		}
	}
	t.Fatalf("nothing on row %d of %+v", row, d.Dashcards)
	return dashcard{}
}

func mbDashboardUpdate(t *testing.T, m mb, w *shelf) {
	var b dashboard
	m.send(&b, object{"name": "Numbers", "width": "full"}, "dashboard", "update", num(w.board.ID))
	if b.Name != "Numbers" || b.Width != "full" || len(b.Dashcards) != 3 || len(b.Tabs) != 2 {
		t.Errorf("renamed %+v", b)
	}
	kept := b.onRow(t, 4)
	m.send(&b, object{
		"tabs": []object{{"id": b.Tabs[1].ID, "name": "Only"}},
		"dashcards": []object{
			place(kept.ID, w.tag.ID, 0, object{"dashboard_tab_id": b.Tabs[1].ID}),
			place(-1, w.orders.ID, 4, object{"dashboard_tab_id": b.Tabs[1].ID}),
		},
	}, "dashboard", "update", num(w.board.ID))
	if len(b.Tabs) != 1 || b.Tabs[0].ID != w.board.Tabs[1].ID || b.Tabs[0].Name != "Only" || len(b.Dashcards) != 2 {
		t.Fatalf("replaced %+v", b)
	}
	if got := b.onRow(t, 0); got.ID != kept.ID || got.EntityID != kept.EntityID {
		t.Errorf("the kept dashcard is %+v, was %+v", got, kept)
	}
	if got := b.onRow(t, 4); got.ID <= 0 || slices.ContainsFunc(w.board.Dashcards, func(c dashcard) bool { return c.ID == got.ID }) {
		t.Errorf("the new dashcard is %+v", got)
	}
	var list listOf[dashcard]
	m.want(&list, "dashboard", "cards", num(w.board.ID))
	if len(list.Data) != 2 {
		t.Errorf("dashboard cards: %+v", list)
	}
	m.refused(2, "pre-flight failed", "dashboard", "update", num(w.board.ID), "--body",
		m.json(object{"dashcards": []object{place(-1, w.archivedCard(m), 0, nil)}}))
	m.refused(1, "Not found: PUT /api/dashboard/999999.", "dashboard", "update", "999999", "--body", `{"name":"Lost"}`)
	m.whole(&w.board, "dashboard", "get", num(w.board.ID))
	if w.board.Name != "Numbers" || len(w.board.Dashcards) != 2 {
		t.Errorf("after refused changes: %+v", w.board)
	}
}

// archivedCard makes a card that is in the trash.
func (w *shelf) archivedCard(m mb) int64 {
	m.t.Helper()
	var c card
	w.s.Admin(200, &c, "POST", "/api/card", question("Thrown away", native(w.db, "select 1", nil), nil))
	w.s.Admin(200, nil, "PUT", "/api/card/"+num(c.ID), object{"archived": true})
	return c.ID
}

// mbDashcard uses the command that sends all dashcards back as they came, with
// everything that the server had added to them, and leaves the tabs out.
func mbDashcard(t *testing.T, m mb, w *shelf) {
	moved := w.board.onRow(t, 4)
	var c dashcard
	m.send(&c, object{"row": 9, "size_x": 24}, "dashboard", "update-dashcard", num(w.board.ID), num(moved.ID))
	if c.ID != moved.ID || c.Row != 9 || c.SizeX != 24 || c.SizeY != 4 {
		t.Errorf("patched %+v", c)
	}
	var b dashboard
	m.whole(&b, "dashboard", "get", num(w.board.ID))
	if len(b.Tabs) != 1 || len(b.Dashcards) != 2 || b.onRow(t, 9).TabID == nil || *b.onRow(t, 9).TabID != b.Tabs[0].ID {
		t.Errorf("after the patch: %+v", b)
	}
	m.refused(2, "not found on dashboard", "dashboard", "update-dashcard", num(w.board.ID), "999999", "--body", `{"row":1}`)
	var plain dashboard
	m.send(&plain, object{"name": "Plain", "dashcards": []object{place(-1, w.orders.ID, 0, nil), place(-2, nil, 4, nil)}}, "dashboard", "create")
	m.send(&c, object{"col": 3}, "dashboard", "update-dashcard", num(plain.ID), num(plain.onRow(t, 0).ID))
	if c.Col != 3 || c.TabID != nil {
		t.Errorf("patched %+v", c)
	}
	m.whole(&plain, "dashboard", "archive", num(plain.ID))
}

func mbDashboardArchive(t *testing.T, m mb, w *shelf) {
	var b dashboard
	m.whole(&b, "dashboard", "archive", num(w.board.ID))
	if !b.Archived {
		t.Errorf("%+v is not archived", b)
	}
	if got := m.names("dashboard", "list"); len(got) != 0 {
		t.Errorf("list %q", got)
	}
	got := m.names("dashboard", "list", "--filter", "archived")
	slices.Sort(got)
	if !slices.Equal(got, []string{"Numbers", "Plain"}) {
		t.Errorf("archived: %q", got)
	}
	m.send(&b, object{"archived": false}, "dashboard", "update", num(w.board.ID))
	if b.Archived || len(b.Dashcards) != 2 || b.CollectionID == nil || *b.CollectionID != w.ops.ID {
		t.Errorf("restored %+v", b)
	}
	if got := m.names("dashboard", "list", "--filter", "mine"); !slices.Equal(got, []string{"Numbers"}) {
		t.Errorf("mine: %q", got)
	}
	m.refused(1, "Not found: GET /api/dashboard/999999.", "dashboard", "get", "999999")
}

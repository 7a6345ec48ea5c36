package clients_test

import (
	"slices"
	"testing"
)

const tagID = "6b8b10ef-0104-1047-1e1b-2492d5954555"

func mbCards(t *testing.T, m mb, w *shelf) {
	m.send(&w.orders, question("Orders by hand", native(w.db, "select 1 as one", nil), object{
		"collection_id": w.ops.ID, "description": "Counted", "id": 77, "color": "#fff", "public_uuid": nil,
	}), "card", "create")
	c := w.orders
	if c.ID == 0 || c.Type != "question" || c.QueryType != "native" || c.DatabaseID != w.db || c.CollectionID == nil || *c.CollectionID != w.ops.ID {
		t.Errorf("created %+v", c)
	}
	if len(c.EntityID) != 21 || c.CreatorID < 2 || c.Description == nil || *c.Description != "Counted" {
		t.Errorf("created %+v", c)
	}
	tags := object{"n": object{"id": tagID, "name": "n", "display-name": "N", "type": "number", "default": "20"}}
	m.send(&w.tag, question("Doubled", mbql5(w.db, "select {{n}} * 2 as doubled", tags), object{
		"collection_id": w.sub.EntityID, "display": "scalar", "visualization_settings": object{"scalar.field": "doubled"},
	}), "card", "create")
	if w.tag.CollectionID == nil || *w.tag.CollectionID != w.sub.ID {
		t.Errorf("collection %v, want %d", w.tag.CollectionID, w.sub.ID)
	}
	var read card
	m.whole(&read, "card", "get", num(w.tag.ID))
	stages, _ := read.DatasetQuery["stages"].([]any)
	if read.DatasetQuery["lib/type"] != "mbql/query" || len(stages) != 1 {
		t.Fatalf("query %v", read.DatasetQuery)
	}
	stage, _ := stages[0].(map[string]any)
	byName, _ := stage["template-tags"].(map[string]any)
	tag, _ := byName["n"].(map[string]any)
	if stage["native"] != "select {{n}} * 2 as doubled" || tag["id"] != tagID || tag["display-name"] != "N" || tag["default"] != "20" {
		t.Errorf("stage %v", stage)
	}
	mbCardLists(t, m, w)
	m.refused(1, "Not found: GET /api/card/999999.", "card", "get", "999999")
	m.refused(1, "Not found: POST /api/card.", "card", "create", "--body",
		m.json(question("Lost", native(w.db, "select 1", nil), object{"collection_id": 999999})))
	if got := m.names("card", "list"); slices.Contains(got, "Lost") {
		t.Errorf("a card in no collection was made: %q", got)
	}
}

func mbCardLists(t *testing.T, m mb, w *shelf) {
	t.Helper()
	for _, c := range []struct {
		filter []string
		found  bool
	}{
		{nil, true},
		{[]string{"--filter", "mine"}, true},
		{[]string{"--filter", "database", "--model-id", num(w.db)}, true},
		{[]string{"--filter", "bookmarked"}, false},
		{[]string{"--filter", "archived"}, false},
		{[]string{"--filter", "using_model", "--model-id", num(w.orders.ID)}, false},
	} {
		got := m.names(append([]string{"card", "list"}, c.filter...)...)
		if slices.Contains(got, w.orders.Name) != c.found {
			t.Errorf("card list %q: %q", c.filter, got)
		}
	}
	m.refused(1, "model_id is a required parameter when filter mode is 'table'", "card", "list", "--filter", "table")
}

func mbCardsChange(t *testing.T, m mb, w *shelf) {
	var c card
	m.send(&c, object{"name": "Orders", "display": "bar", "description": nil}, "card", "update", num(w.orders.ID))
	if c.Name != "Orders" || c.Display != "bar" || c.Description != nil || c.CollectionID == nil || *c.CollectionID != w.ops.ID {
		t.Errorf("updated %+v", c)
	}
	m.send(&c, object{"collection_id": w.sub.ID}, "card", "update", num(w.orders.ID))
	if got := m.names("collection", "items", num(w.sub.ID), "--models", "card"); !slices.Equal(got, []string{"Doubled", "Orders"}) {
		t.Errorf("after the move: %q", got)
	}
	m.send(&c, object{"collection_id": nil}, "card", "update", num(w.orders.ID))
	if c.CollectionID != nil {
		t.Errorf("in the root: %+v", c)
	}
	m.send(&c, object{"collection_id": w.ops.ID, "name": nil, "id": 5, "made_public_by_id": nil}, "card", "update", num(w.orders.ID))
	if c.Name != "Orders" || c.ID != w.orders.ID {
		t.Errorf("null changed the name: %+v", c)
	}
	m.send(&c, object{"dataset_query": mbql5(w.db, "select 2 as two", nil)}, "card", "update", num(w.orders.ID))
	m.refused(1, "Not found: PUT /api/card/", "card", "update", num(w.orders.ID), "--body", `{"collection_id":999999}`)
	m.refused(1, "", "card", "update", num(w.orders.ID), "--body", `{"visualization_settings":{},"parameters":"abc"}`)
	m.send(&c, object{"type": "model"}, "card", "update", num(w.orders.ID))
	if c.Type != "model" || c.Display != "table" {
		t.Errorf("as a model: %+v", c)
	}
	if got := m.names("collection", "items", num(w.ops.ID), "--models", "dataset"); !slices.Equal(got, []string{"Orders"}) {
		t.Errorf("models: %q", got)
	}
	m.send(&w.orders, object{"type": "question"}, "card", "update", num(w.orders.ID))
}

func mbCardsArchive(t *testing.T, m mb, w *shelf) {
	var c card
	for range 2 {
		m.whole(&c, "card", "archive", num(w.orders.ID))
		if !c.Archived {
			t.Errorf("%+v is not archived", c)
		}
	}
	if got := m.names("card", "list"); slices.Contains(got, "Orders") {
		t.Errorf("an archived card is listed: %q", got)
	}
	if got := m.names("card", "list", "--filter", "archived"); !slices.Equal(got, []string{"Orders"}) {
		t.Errorf("archived: %q", got)
	}
	if got := m.names("collection", "items", "trash", "--models", "card"); !slices.Equal(got, []string{"Orders"}) {
		t.Errorf("in the trash: %q", got)
	}
	m.whole(&c, "card", "get", num(w.orders.ID))
	if c.CollectionID == nil || *c.CollectionID != 1 {
		t.Errorf("a card in the trash is in collection %v", c.CollectionID)
	}
	m.send(&c, object{"archived": false}, "card", "update", num(w.orders.ID))
	if c.Archived || c.CollectionID == nil || *c.CollectionID != w.ops.ID {
		t.Errorf("restored %+v", c)
	}
}

package clients_test

import (
	"slices"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// walled is a server on which a group reads one collection, curates another
// and knows nothing of a third.
type walled struct {
	s                  *apptest.Server
	db                 int64
	read, write, none  collection
	readCard, noneCard card
	group              int64
}

func newWalled(t *testing.T) *walled {
	t.Helper()
	s := apptest.Start(t, apptest.Options{})
	s.Setup()
	w := &walled{s: s, db: sample(t, s), group: s.Group("analysts")}
	for name, c := range map[string]*collection{"Published": &w.read, "Workshop": &w.write, "Board": &w.none} {
		s.Admin(200, c, "POST", "/api/collection", object{"name": name})
	}
	var graph struct{ Revision int64 }
	s.Admin(200, &graph, "GET", "/api/collection/graph", nil)
	closed := object{"root": "none", num(w.read.ID): "none", num(w.write.ID): "none", num(w.none.ID): "none"}
	s.Admin(200, nil, "PUT", "/api/collection/graph", object{"revision": graph.Revision, "groups": object{
		num(access.AllUsers): closed,
		num(w.group):         object{num(w.read.ID): "read", num(w.write.ID): "write"},
	}})
	query := native(w.db, "select 'figures' as word", nil)
	s.Admin(200, &w.readCard, "POST", "/api/card", question("Open figures", query, object{"collection_id": w.read.ID}))
	s.Admin(200, &w.noneCard, "POST", "/api/card", question("Secret figures", query, object{"collection_id": w.none.ID}))
	return w
}

const refusedKey = "Invalid or unauthorized API key"

// TestMBPlainKey is what mb shows to a key of a group that sees part of the
// content.
func TestMBPlainKey(t *testing.T) {
	t.Parallel()
	m := newMB(t)
	w := newWalled(t)
	_, key := w.s.Key("plain", w.group)
	m.login(w.s, "default", key)
	list := m.names("collection", "list")
	slices.Sort(list)
	if !slices.Equal(list, []string{"Published", "Workshop"}) {
		t.Errorf("list %q", list)
	}
	if got := m.names("card", "list"); !slices.Equal(got, []string{"Open figures"}) {
		t.Errorf("cards %q", got)
	}
	if got := m.names("search", "figures"); !slices.Equal(got, []string{"Open figures"}) {
		t.Errorf("search %q", got)
	}
	if got := m.names("collection", "items", num(w.read.ID)); !slices.Equal(got, []string{"Open figures"}) {
		t.Errorf("items %q", got)
	}
	var r result
	m.whole(&r, "card", "query", num(w.readCard.ID))
	r.one(t, "figures")
	hidden, visible := num(w.noneCard.ID), num(w.readCard.ID)
	for _, args := range [][]string{
		{"collection", "get", num(w.none.ID)},
		{"collection", "items", num(w.none.ID)},
		{"collection", "get", "root"},
		{"collection", "archive", num(w.read.ID)},
		{"collection", "create", "--body", `{"name":"Mine"}`},
		{"collection", "create", "--body", m.json(object{"name": "Mine", "parent_id": w.read.ID})},
		{"card", "get", hidden},
		{"card", "query", hidden},
		{"card", "query", hidden, "--export-format", "csv"},
		{"card", "update", visible, "--body", `{"name":"Changed"}`},
		{"card", "archive", visible},
		{"card", "create", "--body", m.json(question("Mine", native(w.db, "select 1", nil), object{"collection_id": w.read.ID}))},
		{"dashboard", "create", "--body", `{"name":"Mine"}`},
		{"timeline", "create", "--body", m.json(object{"name": "Mine", "collection_id": w.none.ID})},
	} {
		m.refused(1, refusedKey, args...)
	}
	m.refused(1, "Not found: GET /api/card/999999.", "card", "get", "999999")
	m.refused(2, "pre-flight failed", "dashboard", "create", "--body",
		m.json(object{"name": "Mine", "collection_id": w.write.ID, "dashcards": []object{place(-1, w.noneCard.ID, 0, nil)}}))
	w.curates(t, m)
	var c card
	w.s.Admin(200, &c, "GET", "/api/card/"+visible, nil)
	if c.Name != "Open figures" || c.Archived {
		t.Errorf("a refused call changed %+v", c)
	}
	if got := m.names("collection", "list"); slices.Contains(got, "Mine") {
		t.Errorf("a refused call made a collection: %q", got)
	}
}

// curates creates and archives in the collection that the group may change.
func (w *walled) curates(t *testing.T, m mb) {
	t.Helper()
	var c card
	m.send(&c, question("Mine", native(w.db, "select 1 as one", nil), object{"collection_id": w.write.ID}), "card", "create")
	var b dashboard
	m.send(&b, object{"name": "Mine", "collection_id": w.write.ID, "dashcards": []object{place(-1, c.ID, 0, nil)}}, "dashboard", "create")
	m.refused(1, refusedKey, "card", "update", num(c.ID), "--body", m.json(object{"collection_id": w.read.ID}))
	m.whole(&c, "card", "archive", num(c.ID))
	m.whole(&b, "dashboard", "archive", num(b.ID))
	if got := m.names("collection", "items", num(w.write.ID)); len(got) != 0 {
		t.Errorf("items %q", got)
	}
}

// TestMBRestrictedKey gives keys of the administrators a restriction.
func TestMBRestrictedKey(t *testing.T) {
	t.Parallel()
	m := newMB(t)
	w := newWalled(t)
	var below collection
	w.s.Admin(200, &below, "POST", "/api/collection", object{"name": "Below", "parent_id": w.write.ID})
	for name, restriction := range map[string]object{
		"reader": {"read_only": true},
		"bound":  {"resources": object{"collections": []int64{w.write.ID}}},
		"cards":  {"scopes": []string{"cards:read", "collections:read"}},
	} {
		var key struct{ Key string }
		w.s.Admin(201, &key, "POST", "/v1/keys", object{"name": name, "group_ids": []int64{access.Administrators}, "restriction": restriction})
		m.login(w.s, name, key.Key)
	}
	t.Run("read only", func(t *testing.T) { m := m.as("reader"); m.t = t; w.readsOnly(t, m) })
	t.Run("bound to a collection", func(t *testing.T) { m := m.as("bound"); m.t = t; w.bound(t, m, below) })
	t.Run("scopes", func(t *testing.T) { m := m.as("cards"); m.t = t; w.scoped(t, m) })
}

func (w *walled) readsOnly(t *testing.T, m mb) {
	if got := m.names("card", "list"); !slices.Contains(got, "Secret figures") {
		t.Errorf("cards %q", got)
	}
	var r result
	m.whole(&r, "card", "query", num(w.noneCard.ID))
	r.one(t, "figures")
	m.send(&r, native(w.db, "select 42 as n", nil), "query")
	r.one(t, 42.0)
	for _, args := range [][]string{
		{"card", "archive", num(w.readCard.ID)},
		{"collection", "create", "--body", `{"name":"Mine"}`},
		{"collection", "archive", num(w.read.ID)},
		{"dashboard", "create", "--body", `{"name":"Mine"}`},
		{"snippet", "create", "--body", `{"name":"mine","content":"1"}`},
		{"timeline", "create", "--body", `{"name":"Mine"}`},
	} {
		m.refused(1, refusedKey, args...)
	}
}

func (w *walled) bound(t *testing.T, m mb, below collection) {
	list := m.names("collection", "list")
	slices.Sort(list)
	if !slices.Equal(list, []string{"Below", "Workshop"}) {
		t.Errorf("list %q", list)
	}
	if got := m.names("search", "figures"); len(got) != 0 {
		t.Errorf("search %q", got)
	}
	if got := m.names("card", "list"); len(got) != 0 {
		t.Errorf("cards %q", got)
	}
	var c card
	m.send(&c, question("Mine", native(w.db, "select 1 as one", nil), object{"collection_id": below.ID}), "card", "create")
	for _, args := range [][]string{
		{"collection", "get", num(w.none.ID)},
		{"collection", "items", num(w.read.ID)},
		{"card", "get", num(w.noneCard.ID)},
		{"card", "archive", num(w.readCard.ID)},
		{"card", "update", num(c.ID), "--body", m.json(object{"collection_id": w.read.ID})},
		{"collection", "create", "--body", `{"name":"Mine"}`},
	} {
		m.refused(1, refusedKey, args...)
	}
	m.whole(&c, "card", "archive", num(c.ID))
}

func (w *walled) scoped(t *testing.T, m mb) {
	if got := m.names("card", "list"); !slices.Contains(got, "Open figures") {
		t.Errorf("cards %q", got)
	}
	m.refused(1, refusedKey, "card", "archive", num(w.readCard.ID))
	m.refused(1, refusedKey, "dashboard", "list")
	m.refused(1, refusedKey, "snippet", "list")
	m.refused(1, refusedKey, "query", "--body", m.json(native(w.db, "select 1", nil)))
}

package clients_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// shelf is what the steps of TestMBContent made for those after them.
type shelf struct {
	s           *apptest.Server
	db          int64
	ops, sub    collection
	orders, tag card
	board       dashboard
}

type collection struct {
	ID          int64
	Name, Slug  string
	Description *string
	Location    string
	ParentID    *int64 `json:"parent_id"`
	Archived    bool
	EntityID    string `json:"entity_id"`
	Type        *string
}

type card struct {
	ID           int64
	Name         string
	Type         string
	Display      string
	Description  *string
	Archived     bool
	QueryType    string         `json:"query_type"`
	DatabaseID   int64          `json:"database_id"`
	CollectionID *int64         `json:"collection_id"`
	EntityID     string         `json:"entity_id"`
	CreatorID    int64          `json:"creator_id"`
	DatasetQuery map[string]any `json:"dataset_query"`
}

// TestMBContent walks through the content commands of mb on one server, with a
// key of the administrators: each step stands on those before it.
func TestMBContent(t *testing.T) {
	t.Parallel()
	m := newMB(t)
	s := apptest.Start(t, apptest.Options{})
	s.Setup()
	_, key := s.Key("ci", access.Administrators)
	m.login(s, "default", key)
	w := &shelf{s: s, db: sample(t, s)}
	for _, step := range []struct {
		name string
		run  func(*testing.T, mb, *shelf)
	}{
		{"collections", mbCollections},
		{"what is no collection", mbNoCollection},
		{"cards", mbCards},
		{"structured questions go back as they came", mbStructured},
		{"cards change", mbCardsChange},
		{"cards in the trash", mbCardsArchive},
		{"a dashboard in one go", mbDashboardCreate},
		{"a dashboard changes", mbDashboardUpdate},
		{"one dashcard changes", mbDashcard},
		{"dashboards in the trash", mbDashboardArchive},
		{"snippets", mbSnippets},
		{"timelines", mbTimelines},
		{"search", mbSearch},
		{"entity ids", mbEntityIDs},
		{"a collection in the trash", mbCollectionArchive},
		{"pages of items", mbItems},
	} {
		if !t.Run(step.name, func(t *testing.T) { m.t = t; step.run(t, m, w) }) {
			return
		}
	}
}

func mbCollections(t *testing.T, m mb, w *shelf) {
	m.send(&w.ops, object{"name": "Ops Default", "description": "All of operations"}, "collection", "create")
	if c := w.ops; c.ID < 2 || c.Slug != "ops_default" || c.Location != "/" || len(c.EntityID) != 21 || c.Archived {
		t.Errorf("created %+v", c)
	}
	m.send(&w.sub, object{"name": "Daily", "parent_id": w.ops.ID}, "collection", "create")
	if want := fmt.Sprintf("/%d/", w.ops.ID); w.sub.Location != want {
		t.Errorf("location %q, want %q", w.sub.Location, want)
	}
	for _, ref := range []string{num(w.sub.ID), w.sub.EntityID} {
		var c collection
		m.whole(&c, "collection", "get", ref)
		if c.ID != w.sub.ID || c.ParentID == nil || *c.ParentID != w.ops.ID || c.Description != nil {
			t.Errorf("get %s: %+v", ref, c)
		}
	}
	var root, trash named
	m.whole(&root, "collection", "get", "root")
	if root.ID != "root" || root.Name != "Our analytics" {
		t.Errorf("root %+v", root)
	}
	m.whole(&trash, "collection", "get", "trash")
	if trash.ID != 1.0 || trash.Type == nil || *trash.Type != "trash" {
		t.Errorf("trash %+v", trash)
	}
	list := m.names("collection", "list")
	if len(list) == 0 || list[0] != "Our analytics" || !slices.Contains(list, "Daily") || slices.Contains(list, "Trash") {
		t.Errorf("list %q", list)
	}
	if got := m.names("collection", "list", "--filter", "personal"); len(got) != 0 {
		t.Errorf("a key has personal collections: %q", got)
	}
	mbTree(t, m, w)
	if got := m.names("collection", "items", w.ops.EntityID); !slices.Equal(got, []string{"Daily"}) {
		t.Errorf("items %q", got)
	}
	if got := m.names("collection", "items", "root", "--models", "collection"); !slices.Contains(got, "Ops Default") || slices.Contains(got, "Daily") {
		t.Errorf("items of the root %q", got)
	}
	if got := m.names("collection", "items", "trash"); len(got) != 0 {
		t.Errorf("items of the trash %q", got)
	}
}

// node is a collection in a tree.
type node struct {
	Name     string
	Children []node
}

func mbTree(t *testing.T, m mb, w *shelf) {
	t.Helper()
	var tree []node
	m.want(&tree, "collection", "tree")
	for _, n := range tree {
		if n.Name == w.ops.Name {
			if len(n.Children) != 1 || n.Children[0].Name != w.sub.Name {
				t.Errorf("below %s: %+v", n.Name, n.Children)
			}
			return
		}
	}
	t.Errorf("%s is not in the tree %+v", w.ops.Name, tree)
}

func mbNoCollection(t *testing.T, m mb, _ *shelf) {
	m.refused(1, "Not found: GET /api/collection/999999.", "collection", "get", "999999")
	m.refused(1, "Not found: GET /api/collection/AAAAAAAAAAAAAAAAAAAAA.", "collection", "get", strings.Repeat("A", 21))
	m.refused(1, "Not found: GET /api/collection/999999/items", "collection", "items", "999999")
	m.refused(1, "Not found: PUT /api/collection/999999.", "collection", "archive", "999999")
	m.refused(1, "Not found: POST /api/collection.", "collection", "create", "--body", `{"name":"Lost","parent_id":999999}`)
	m.refused(1, "", "collection", "archive", "1")
	if got := m.names("collection", "list"); slices.Contains(got, "Lost") {
		t.Errorf("a collection below nothing was made: %q", got)
	}
}

func mbCollectionArchive(t *testing.T, m mb, w *shelf) {
	var c collection
	m.whole(&c, "collection", "archive", num(w.ops.ID))
	if !c.Archived {
		t.Errorf("%+v is not archived", c)
	}
	if got := m.names("collection", "list"); slices.Contains(got, w.ops.Name) || slices.Contains(got, w.sub.Name) {
		t.Errorf("an archived collection is listed: %q", got)
	}
	got := m.names("collection", "list", "--filter", "archived")
	for _, want := range []string{"Trash", w.ops.Name, w.sub.Name} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among the archived %q", want, got)
		}
	}
	if got := m.names("collection", "items", "trash"); !slices.Contains(got, w.ops.Name) || slices.Contains(got, w.sub.Name) {
		t.Errorf("in the trash: %q", got)
	}
	if got := m.names("card", "list"); slices.Contains(got, w.orders.Name) {
		t.Errorf("a card of an archived collection is listed: %q", got)
	}
	w.s.Admin(200, &c, "PUT", "/api/collection/"+num(w.ops.ID), object{"archived": false})
	if got := m.names("collection", "list"); c.Archived || !slices.Contains(got, w.sub.Name) {
		t.Errorf("after restoring: %+v, %q", c, got)
	}
	if got := m.names("card", "list"); !slices.Contains(got, w.orders.Name) {
		t.Errorf("after restoring, the cards are %q", got)
	}
}

// mbItems lists more than two pages of what mb fetches at a time.
func mbItems(t *testing.T, m mb, w *shelf) {
	var c collection
	m.send(&c, object{"name": "Many"}, "collection", "create")
	const count = 107
	for i := range count {
		w.s.Admin(200, nil, "POST", "/api/card",
			question(fmt.Sprintf("Card %03d", i), native(w.db, "select 1 as one", nil), object{"collection_id": c.ID}))
	}
	var all listOf[named]
	m.whole(&all, "collection", "items", num(c.ID))
	if len(all.Data) != count || all.Total == nil || *all.Total != count || all.Data[count-1].Name != "Card 106" {
		t.Errorf("%d items, total %v", len(all.Data), all.Total)
	}
	var page listOf[named]
	m.whole(&page, "collection", "items", num(c.ID), "--models", "card", "--limit", "5", "--offset", "100")
	if len(page.Data) != 5 || page.Data[0].Name != "Card 100" || !page.HasMore {
		t.Errorf("a page: %+v", page)
	}
	if got := m.names("collection", "items", num(c.ID), "--models", "dashboard,collection"); len(got) != 0 {
		t.Errorf("dashboards and collections: %q", got)
	}
	if got := m.names("collection", "items", num(c.ID), "--pinned-state", "is_pinned"); len(got) != 0 {
		t.Errorf("pinned: %q", got)
	}
}

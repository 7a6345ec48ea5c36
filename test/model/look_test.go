package model_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// compare fails when what somebody sees is not what the model lets them see.
func (w *world) compare(a *actor, what string, got, want []string) {
	w.t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(want, got) {
		w.fatal("%s: %s (-want +got):\n%s", a.name, what, cmp.Diff(want, got))
	}
}

// look compares everything that everybody can see.
func (w *world) look() {
	w.t.Helper()
	for _, a := range w.actors {
		w.lookAtLists(a)
		w.lookAtTree(a)
		w.lookAtItems(a, root)
		for id := range w.m.folders {
			w.lookAtItems(a, id)
			w.lookByID(a, fmt.Sprintf("/api/collection/%d", id), w.m.level(a, id) >= view)
		}
		w.lookAtTrash(a)
		for _, t := range w.m.things {
			w.lookByID(a, t.path(), w.m.level(a, t.folder) >= view)
		}
		w.lookForThings(a)
		w.search(a)
	}
}

func (w *world) lookByID(a *actor, path string, may bool) {
	w.t.Helper()
	want := ok
	if !may {
		want = forbidden
	}
	if got := w.call(a, "GET", path, nil); got.Status != want {
		w.fatal("%s: GET %s: %d %s, want %d", a.name, path, got.Status, got.Body, want)
	}
}

type listed struct {
	ID json.RawMessage `json:"id"`
}

func listedIDs(list []listed) []string {
	raw := make([]json.RawMessage, len(list))
	for i, l := range list {
		raw[i] = l.ID
	}
	return ids(raw)
}

// lookAtLists compares the flat lists of collections, those in the trash with
// the Trash itself among them.
func (w *world) lookAtLists(a *actor) {
	w.t.Helper()
	for _, archived := range []bool{false, true} {
		var list []listed
		path := fmt.Sprint("/api/collection?archived=", archived)
		w.call(a, "GET", path, nil).JSON(w.t, &list)
		var want []string
		if archived {
			want = append(want, fmt.Sprint(trash))
		} else if w.m.level(a, root) >= view {
			want = append(want, `"root"`)
		}
		for id, f := range w.m.folders {
			if f.archived == archived && w.m.level(a, id) >= view {
				want = append(want, fmt.Sprint(id))
			}
		}
		w.compare(a, path, listedIDs(list), want)
	}
}

type node struct {
	ID       int64  `json:"id"`
	Children []node `json:"children"`
}

// edges writes the tree as pairs of parent and child.
func edges(parent int64, nodes []node) []string {
	var out []string
	for _, n := range nodes {
		if n.ID != trash {
			out = append(append(out, fmt.Sprint(parent, ">", n.ID)), edges(n.ID, n.Children)...)
		}
	}
	return out
}

// lookAtTree compares the tree: collections whose parents may not be seen are
// pulled up to the nearest that may.
func (w *world) lookAtTree(a *actor) {
	w.t.Helper()
	var got []node
	w.call(a, "GET", "/api/collection/tree", nil).JSON(w.t, &got)
	var want []string
	for id, f := range w.m.folders {
		if !f.archived && w.m.level(a, id) >= view {
			want = append(want, fmt.Sprint(w.above(a, f), ">", id))
		}
	}
	w.compare(a, "GET /api/collection/tree", edges(root, got), want)
}

// above returns the nearest collection above one that somebody may see.
func (w *world) above(a *actor, f *folder) int64 {
	for _, up := range w.m.chain(f.parent) {
		if w.m.level(a, up.id) >= view {
			return up.id
		}
	}
	return root
}

type item struct {
	ID    int64  `json:"id"`
	Model string `json:"model"`
}

func itemNames(list []item) []string {
	out := make([]string, len(list))
	for i, it := range list {
		out[i] = fmt.Sprint(it.Model, " ", it.ID)
	}
	return out
}

// allItems reads a list page by page, and wants its total to be right.
func (w *world) allItems(a *actor, path string) ([]item, int) {
	w.t.Helper()
	const limit = 7
	var out []item
	for {
		answer := w.call(a, "GET", fmt.Sprintf("%s?limit=%d&offset=%d", path, limit, len(out)), nil)
		if answer.Status != ok {
			return nil, answer.Status
		}
		var page struct {
			Data  []item `json:"data"`
			Total int    `json:"total"`
		}
		answer.JSON(w.t, &page)
		out = append(out, page.Data...)
		if len(page.Data) == 0 || len(out) >= page.Total {
			if len(out) != page.Total {
				w.fatal("%s: %s: total %d, items %d", a.name, path, page.Total, len(out))
			}
			return out, ok
		}
	}
}

// lookAtItems compares what lies in a collection. In one that is in the trash,
// only those who may write see it.
func (w *world) lookAtItems(a *actor, id int64) {
	w.t.Helper()
	path := fmt.Sprintf("/api/collection/%d/items", id)
	if id == root {
		path = "/api/collection/root/items"
	}
	got, status := w.allItems(a, path)
	archived := w.m.isArchived(id)
	if id != root && w.m.level(a, id) < view {
		if status != forbidden {
			w.fatal("%s: %s: %d, want 403", a.name, path, status)
		}
		return
	}
	if status != ok {
		w.fatal("%s: %s: %d, want 200", a.name, path, status)
	}
	var want []string
	for child, f := range w.m.folders {
		if id == root && w.m.owner(child) != 0 {
			continue // what lies in a personal collection is found there, or in the tree
		}
		if f.archived == archived && f.owner == 0 && !f.direct && w.m.level(a, child) >= need(archived) && w.above(a, f) == id {
			want = append(want, fmt.Sprint("collection ", child))
		}
	}
	for _, t := range w.m.things {
		if t.folder == id && t.archived == archived && !t.direct && w.m.level(a, id) >= need(archived) {
			want = append(want, fmt.Sprint(t.kind, " ", t.id))
		}
	}
	w.compare(a, path, itemNames(got), want)
}

func need(archived bool) int {
	if archived {
		return curate
	}
	return view
}

// lookAtTrash compares what was put into the trash by itself. Everybody may
// look; what is there shows to those who may write where it lay, for keys that
// are bound to collections what came out of those.
func (w *world) lookAtTrash(a *actor) {
	w.t.Helper()
	for _, id := range []string{"trash", fmt.Sprint(trash)} {
		w.lookByID(a, "/api/collection/"+id, true)
	}
	got, status := w.allItems(a, "/api/collection/trash/items")
	if status != ok {
		w.fatal("%s: the trash: %d", a.name, status)
	}
	var want []string
	for id, f := range w.m.folders {
		if f.direct && w.m.level(a, id) >= curate {
			want = append(want, fmt.Sprint("collection ", id))
		}
	}
	for _, t := range w.m.things {
		if t.direct && w.m.level(a, t.folder) >= curate {
			want = append(want, fmt.Sprint(t.kind, " ", t.id))
		}
	}
	w.compare(a, "the trash", itemNames(got), want)
}

// lookForThings compares the lists of cards and dashboards.
func (w *world) lookForThings(a *actor) {
	w.t.Helper()
	for kind, path := range roads {
		var list []listed
		w.call(a, "GET", path+"/", nil).JSON(w.t, &list)
		var want []string
		for _, t := range w.m.things {
			if t.kind == kind && !t.archived && w.m.level(a, t.folder) >= view {
				want = append(want, fmt.Sprint(t.id))
			}
		}
		w.compare(a, "GET "+path, listedIDs(list), want)
	}
}

// search compares what everybody finds. All things and collections have these
// words in their names.
func (w *world) search(a *actor) {
	w.t.Helper()
	for _, archived := range []bool{false, true} {
		var want, got []string
		for _, t := range w.m.things {
			if t.archived == archived && w.m.level(a, t.folder) >= need(archived) {
				want = append(want, fmt.Sprint(t.kind, " ", t.id))
			}
		}
		for id, f := range w.m.folders {
			if f.owner == 0 && f.archived == archived && w.m.level(a, id) >= need(archived) {
				want = append(want, fmt.Sprint("collection ", id))
			}
		}
		for _, q := range []string{"thing", "folder"} {
			var page struct {
				Data  []item `json:"data"`
				Total int    `json:"total"`
			}
			w.call(a, "GET", fmt.Sprintf("/api/search?q=%s&archived=%v&limit=500&models=card&models=dashboard&models=collection", q, archived), nil).JSON(w.t, &page)
			got = append(got, itemNames(page.Data)...)
			if page.Total != len(page.Data) {
				w.fatal("%s: search for %s: total %d, hits %d", a.name, q, page.Total, len(page.Data))
			}
		}
		w.compare(a, fmt.Sprint("search, archived ", archived), got, want)
	}
}

// live runs one world for some steps.
func live(t *testing.T, o apptest.Options, seed uint64, steps int) {
	t.Helper()
	w := newWorld(t, o, seed)
	for range steps / 2 {
		w.step()
	}
	if f := w.shared(); f != nil {
		w.bind(admin, f.id)
		w.bind(w.groups[0], f.id, w.m.chain(f.id)[len(w.m.chain(f.id))-1].id)
	}
	w.look()
	for i := range steps / 2 {
		w.step()
		if i%10 == 9 {
			w.look()
		}
	}
	w.look()
}

// TestEverybodySeesWhatTheModelLetsThem has a fixed number of worlds, so that a
// run is the same everywhere.
func TestEverybodySeesWhatTheModelLetsThem(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { live(t, apptest.Options{}, seed, 140) })
	}
	t.Run("postgres", func(t *testing.T) { live(t, apptest.Options{Kind: dbtest.PostgreSQL}, 7, 60) })
}

// FuzzWorlds lives as long as one lets it.
func FuzzWorlds(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(100 + seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { live(t, apptest.Options{}, seed, 150) })
}

package model_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// The roads to things, by kind.
var roads = map[string]string{"card": "/api/card", "dashboard": "/api/dashboard"}

// step makes one random change.
func (w *world) step() {
	w.t.Helper()
	steps := []func(*actor){
		w.makeFolder, w.makeFolder, w.makeThing, w.makeThing, w.makeThing, w.grant,
		w.archiveFolder, w.restoreFolder, w.restorePart, w.moveFolder, w.removeFolder,
		w.archiveThing, w.archiveThing, w.moveThing, w.removeThing,
	}
	steps[w.rnd.IntN(len(steps))](w.anyone())
}

func (w *world) makeFolder(a *actor) {
	w.t.Helper()
	parent := w.someFolder()
	got, done := w.wants(a, w.m.mayPut(a, parent), "POST", "/api/collection",
		map[string]any{"name": fmt.Sprint("folder ", len(w.trail)), "parent_id": orNull(parent)})
	if !done {
		return
	}
	var made struct{ ID int64 }
	got.JSON(w.t, &made)
	w.m.create(&folder{id: made.ID, parent: parent})
}

func (w *world) makeThing(a *actor) {
	w.t.Helper()
	kind := []string{"card", "dashboard"}[w.rnd.IntN(2)]
	into := w.someFolder()
	body := map[string]any{"name": fmt.Sprint("thing ", len(w.trail)), "collection_id": orNull(into)}
	if kind == "card" {
		body["display"], body["visualization_settings"] = "table", map[string]any{}
		body["dataset_query"] = map[string]any{"database": 1, "type": "native", "native": map[string]any{"query": "select 1"}}
	}
	got, done := w.wants(a, w.m.mayPut(a, into), "POST", roads[kind], body)
	if !done {
		return
	}
	var made struct{ ID int64 }
	got.JSON(w.t, &made)
	w.m.things = append(w.m.things, &thing{kind: kind, id: made.ID, folder: into})
}

// grant changes the permissions of some groups, by the graph. Only the
// administrators do that; a key that is bound to collections does not.
func (w *world) grant(*actor) {
	w.t.Helper()
	levels := []string{"none", "read", "write"}
	group := append([]int64{all}, w.groups...)[w.rnd.IntN(len(w.groups)+1)]
	changes, next := map[string]string{}, map[int64]int{}
	for range 1 + w.rnd.IntN(3) {
		id := w.someFolder()
		if id != root && (w.m.owner(id) != 0 || w.m.folders[id].archived) {
			id = root
		}
		level := w.rnd.IntN(3)
		key := fmt.Sprint(id)
		if id == root {
			key = "root"
		}
		changes[key], next[id] = levels[level], level
	}
	var graph struct{ Revision int64 }
	w.must("GET", "/api/collection/graph", nil).JSON(w.t, &graph)
	body := map[string]any{"revision": graph.Revision, "groups": map[string]any{fmt.Sprint(group): changes}}
	for _, a := range w.actors {
		if !a.admin() || a.readOnly || a.bound != nil {
			w.wants(a, forbidden, "PUT", "/api/collection/graph", body)
		}
	}
	w.wants(w.actors[0], ok, "PUT", "/api/collection/graph", body)
	for id, level := range next {
		if id == root {
			w.m.rootGrants[group] = level
		} else {
			w.m.folders[id].grants[group] = level
		}
	}
}

func folderPath(f *folder) string { return fmt.Sprintf("/api/collection/%d", f.id) }

func (w *world) archiveFolder(a *actor) {
	w.t.Helper()
	f := w.shared()
	if f == nil {
		return
	}
	code := w.m.mayAll(a, f, func(b *folder) bool { return !b.archived })
	if f.archived { // nothing changes, but who asks must be allowed to
		code = w.m.mayAll(a, f, func(*folder) bool { return false })
	}
	if _, done := w.wants(a, code, "PUT", folderPath(f), map[string]any{"archived": true}); done && !f.archived {
		w.m.archive(f)
	}
}

func (w *world) restoreFolder(a *actor) {
	w.t.Helper()
	w.bringBack(a, w.one(func(f *folder) bool { return f.owner == 0 && f.archived }), w.rnd.IntN(2) == 0)
}

// restorePart brings back, to another place, what was archived with the
// collection that it lies in. The rest of that stays where it is.
func (w *world) restorePart(a *actor) {
	w.t.Helper()
	w.bringBack(a, w.one(func(f *folder) bool { return f.owner == 0 && f.archived && !f.direct }), true)
}

// bringBack takes a collection out of the trash, to a chosen place or to where
// it lay.
func (w *world) bringBack(a *actor, f *folder, chosen bool) {
	w.t.Helper()
	if f == nil {
		return
	}
	to, body := f.parent, map[string]any{"archived": false}
	if chosen {
		to = w.someFolder()
		body["parent_id"] = orNull(to)
	}
	if _, done := w.wants(a, w.m.mayRestore(a, f, to, chosen), "PUT", folderPath(f), body); done {
		w.m.restore(f, to)
	}
}

func (w *world) moveFolder(a *actor) {
	w.t.Helper()
	f, to := w.shared(), w.someFolder()
	if f == nil || f.archived || f.parent == to {
		return
	}
	if _, done := w.wants(a, w.m.mayMove(a, f, to), "PUT", folderPath(f), map[string]any{"parent_id": orNull(to), "archived": false}); done {
		w.m.put(f, to)
	}
}

func (w *world) removeFolder(a *actor) {
	w.t.Helper()
	f := w.shared()
	if f == nil {
		return
	}
	code := ok
	switch {
	case a.readOnly || !a.admin() || w.m.level(a, f.id) < curate:
		code = forbidden
	case !f.archived:
		code = bad
	}
	if _, done := w.wants(a, code, "DELETE", folderPath(f), nil); done {
		w.m.remove(f)
	}
}

func (w *world) someThing() *thing {
	if len(w.m.things) == 0 {
		return nil
	}
	return w.m.things[w.rnd.IntN(len(w.m.things))]
}

func (t *thing) path() string { return fmt.Sprintf("%s/%d", roads[t.kind], t.id) }

// archiveThing puts a thing into the trash, or takes it out.
func (w *world) archiveThing(a *actor) {
	w.t.Helper()
	t := w.someThing()
	if t == nil {
		return
	}
	to := !t.archived
	code := ok
	switch {
	case a.readOnly || w.m.level(a, t.folder) < curate:
		code = forbidden
	case t.archived:
		code = w.m.mayPut(a, t.folder)
	}
	if _, done := w.wants(a, code, "PUT", t.path(), map[string]any{"archived": to}); done {
		t.archived, t.direct = to, to
	}
}

func (w *world) moveThing(a *actor) {
	w.t.Helper()
	t, to := w.someThing(), w.someFolder()
	if t == nil || t.archived || t.folder == to {
		return
	}
	code := w.m.mayPut(a, to)
	if a.readOnly || w.m.level(a, t.folder) < curate {
		code = forbidden
	}
	if _, done := w.wants(a, code, "PUT", t.path(), map[string]any{"collection_id": orNull(to)}); done {
		t.folder = to
	}
}

func (w *world) removeThing(a *actor) {
	w.t.Helper()
	t := w.someThing()
	if t == nil || w.rnd.IntN(3) > 0 {
		return
	}
	code := ok
	if a.readOnly || w.m.level(a, t.folder) < curate {
		code = forbidden
	}
	if _, done := w.wants(a, code, "DELETE", t.path(), nil); done {
		w.m.things = slices.DeleteFunc(w.m.things, func(other *thing) bool { return other == t })
		if got := w.call(w.actors[0], "GET", t.path(), nil); got.Status != http.StatusNotFound {
			w.fatal("%s is there after its deletion: %d", t.path(), got.Status)
		}
	}
}

// ids reads the ids of a list; those that are no numbers, such as that of the
// root, stay texts.
func ids(raw []json.RawMessage) []string {
	out := make([]string, len(raw))
	for i, r := range raw {
		out[i] = string(r)
	}
	slices.Sort(out)
	return out
}

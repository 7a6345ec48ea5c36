package revision_test

import (
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/opt"
)

// texts returns what the history of an item says, the newest first.
func (w *world) texts(i content.Item) []string {
	w.t.Helper()
	var out []string
	for _, r := range w.list(i) {
		out = append(out, r.Text())
	}
	return out
}

func (w *world) says(i content.Item, want ...string) {
	w.t.Helper()
	got := w.texts(i)
	if len(got) != len(want)+1 || got[len(want)] != "created this." {
		w.t.Errorf("%s: %q", i.Name, got)
		return
	}
	for n := range want {
		if got[n] != want[n] {
			w.t.Errorf("%s: %q, want %q", i.Name, got[n], want[n])
		}
	}
}

func (w *world) folder(name string) content.Folder {
	w.t.Helper()
	f, err := w.items.CreateCollection(w.t.Context(), admin, content.NewCollection{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// Changes of many items at once stand in the history of each, like the single
// calls that do the same.
func TestChangesOfManyAreKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ops, there := w.folder("Ops"), w.folder("There")
		a, b, alone := w.make("A"), w.make("B"), w.make("Alone")
		refs := []content.Ref{a.Ref(), b.Ref()}
		w.change(b, content.Change{CollectionID: opt.Of(ops.ID), Position: opt.Of[int64](1)})
		if n, err := w.items.MoveMany(ctx, admin, refs, ops.ID); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		moved := "moved this Dashboard from Our analytics to Ops."
		w.says(a, moved)
		w.says(b, moved) // it was there
		for _, archived := range []bool{true, true, false} {
			if _, err := w.items.ArchiveMany(ctx, admin, refs, archived); err != nil {
				t.Fatal(err)
			}
		}
		w.says(a, "untrashed this Dashboard.", "trashed this Dashboard.", moved)

		// A collection takes with it what lies in it, and what was in the trash
		// by itself stays there, unchanged.
		if _, err := w.items.ArchiveMany(ctx, admin, refs[1:], true); err != nil {
			t.Fatal(err)
		}
		for _, archived := range []bool{true, false} {
			if _, err := w.items.UpdateCollection(ctx, admin, ops.ID, content.CollectionChange{Archived: opt.Of(archived)}); err != nil {
				t.Fatal(err)
			}
		}
		w.says(a, "untrashed this Dashboard.", "trashed this Dashboard.", "untrashed this Dashboard.", "trashed this Dashboard.", moved)
		w.says(b, "trashed this Dashboard.", "untrashed this Dashboard.", "trashed this Dashboard.", moved)
		w.says(alone)

		// What follows is compared with what many left.
		if n, err := w.items.MoveMany(ctx, admin, refs[:1], there.ID); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		w.change(a, content.Change{Name: opt.Of("A2")})
		list := w.list(a)
		if got := list[0].Text(); got != `renamed this Dashboard from "A" to "A2".` {
			t.Errorf("%q", got)
		}
		if got := list[1].Text(); got != "moved this Dashboard from Ops to There." || string(list[1].Before["collection_id"]) == "0" {
			t.Errorf("%q, %v", got, list[1].Before)
		}
		w.change(a, content.Change{})
		if n := len(w.list(a)); n != len(list) {
			t.Errorf("no change leaves %d revisions", n-len(list))
		}

		// And one of them can be brought back.
		if _, err := w.log.Revert(ctx, admin, a.Ref(), list[2].ID); err != nil {
			t.Fatal(err)
		}
		if now, err := w.items.Get(ctx, admin, a.Ref()); err != nil || now.Name != "A" || now.CollectionID != ops.ID {
			t.Errorf("%+v, %v", now, err)
		}
	})
}

func TestOnlyTheNewestOfManyStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.make("A"), w.make("B")
		for n := range 104 {
			if _, err := w.items.ArchiveMany(t.Context(), admin, []content.Ref{a.Ref()}, n%2 == 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.items.MoveMany(t.Context(), admin, []content.Ref{a.Ref(), b.Ref()}, w.folder("Ops").ID); err != nil {
			t.Fatal(err)
		}
		if list := w.list(a); len(list) != 100 || list[99].Creation || list[0].Text() != "moved this Dashboard from Our analytics to Ops." {
			t.Errorf("%d revisions", len(list))
		}
		w.says(b, "moved this Dashboard from Our analytics to Ops.")
	})
}

// Who changed many is who the history names, and whoever may not change one
// leaves nothing in the histories of the others.
func TestManyThatFailLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.make("A")
		nobody := &access.Principal{Kind: access.Person, UserID: 77}
		if _, err := w.items.ArchiveMany(t.Context(), nobody, []content.Ref{a.Ref()}, true); err == nil {
			t.Error("nobody may")
		}
		if _, err := w.items.ArchiveMany(t.Context(), admin, []content.Ref{a.Ref(), {Kind: content.Card, ID: 99}}, true); err == nil {
			t.Error("one does not exist")
		}
		w.says(a)
	})
}

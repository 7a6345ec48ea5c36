package content_test

import (
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func TestTrashKeepsWhatWentThereByItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		top := w.collection("Top", access.RootCollection)
		sub := w.collection("Sub", top.ID)
		own := w.collection("Own", sub.ID)
		inSub, alone := w.card("in sub", sub.ID), w.card("alone", sub.ID)
		if _, err := w.Update(t.Context(), admin, alone.Ref(), content.Change{Archived: opt.Of(true)}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			id int64
			c  content.CollectionChange
		}{{own.ID, archive(true)}, {top.ID, archive(true)}, {top.ID, archive(true)}} {
			if _, err := w.change(step.id, step.c); err != nil {
				t.Fatal(err)
			}
		}
		if i := w.now(inSub.Ref()); !i.Archived || i.ArchivedDirectly {
			t.Errorf("a card in the collection: %+v", i)
		}
		_, err := w.change(sub.ID, archive(false))
		want(t, err, fault.Invalid) // its parent is still there
		if _, err := w.change(top.ID, archive(false)); err != nil {
			t.Fatal(err)
		}
		for ref, archived := range map[content.Ref]bool{
			top.Ref(): false, sub.Ref(): false, inSub.Ref(): false, own.Ref(): true, alone.Ref(): true,
		} {
			if i := w.now(ref); i.Archived != archived || i.ArchivedDirectly != archived {
				t.Errorf("%v: archived %v, directly %v", ref, i.Archived, i.ArchivedDirectly)
			}
		}
	})
}

func TestMoveRewritesTheSubtree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.collection("A", access.RootCollection), w.collection("B", access.RootCollection)
		child := w.collection("Child", a.ID)
		leaf := w.collection("Leaf", child.ID)
		for _, into := range []int64{a.ID, child.ID, leaf.ID} {
			_, err := w.change(a.ID, content.CollectionChange{ParentID: opt.Of(into)})
			want(t, err, fault.Invalid)
		}
		if _, err := w.change(a.ID, content.CollectionChange{ParentID: opt.Of(b.ID), Name: opt.Of("A2")}); err != nil {
			t.Fatal(err)
		}
		got, err := w.Collection(t.Context(), admin, leaf.ID)
		if err != nil || got.Location != "/"+num(b.ID)+"/"+num(a.ID)+"/"+num(child.ID)+"/" || !got.Access.Under(b.ID) {
			t.Errorf("%q %+v %v", got.Location, got.Access, err)
		}
		_, err = w.change(b.ID, content.CollectionChange{ParentID: opt.Of(int64(999))})
		want(t, err, fault.NotFound)
		_, err = w.change(access.TrashCollection, content.CollectionChange{Name: opt.Of("Mine")})
		want(t, err, fault.Forbidden)
	})
}

func TestRestoreElsewhereAndDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.collection("A", access.RootCollection), w.collection("B", access.RootCollection)
		child := w.collection("Child", a.ID)
		card := w.card("card", child.ID)
		want(t, w.DeleteCollection(t.Context(), admin, a.ID), fault.Invalid)
		if _, err := w.change(a.ID, archive(true)); err != nil {
			t.Fatal(err)
		}
		moved, err := w.change(child.ID, content.CollectionChange{Archived: opt.Of(false), ParentID: opt.Of(b.ID)})
		if err != nil || moved.Location != "/"+num(b.ID)+"/" || moved.Archived {
			t.Errorf("%+v %v", moved, err)
		}
		if i := w.now(card.Ref()); i.Archived {
			t.Error("the card stayed in the trash")
		}
		if err := w.DeleteCollection(t.Context(), admin, a.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.Collection(t.Context(), admin, a.ID)
		want(t, err, fault.NotFound)
		w.now(card.Ref())
	})
}

func TestCollectionsFollowGrantsOfTheirParent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.person("bo")
		f := w.collection("Open", access.RootCollection)
		if _, err := w.CreateCollection(t.Context(), bo, content.NewCollection{Name: "Bo's", ParentID: f.ID}); err != nil {
			t.Errorf("All Users curate the root of a new instance, and what is made in it: %v", err)
		}
		_, err := w.CreateCollection(t.Context(), nil, content.NewCollection{Name: "x"})
		want(t, err, fault.Unauthenticated)
		_, err = w.CreateCollection(t.Context(), bo, content.NewCollection{Name: " "})
		want(t, err, fault.Invalid)
	})
}

// A part that comes back to another place brings nothing else with it of what
// was archived together; and a question stays in the trash with the dashboard
// that it lives in.
func TestRestoreOfAPart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		top := w.collection("Top", access.RootCollection)
		part, other := w.collection("Part", top.ID), w.collection("Other", top.ID)
		low := w.collection("Low", part.ID)
		kept, beside := w.card("kept", top.ID), w.card("beside", other.ID)
		back, deep := w.card("back", part.ID), w.card("deep", low.ID)
		board := w.item(content.Dashboard, content.ModelDashboard, "board", part.ID)
		inside := w.card("inside", part.ID)
		w.update(inside, content.Change{DashboardID: opt.Of(board.ID)})
		w.update(board, content.Change{Archived: opt.Of(true)})
		if _, err := w.change(top.ID, archive(true)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.change(part.ID, content.CollectionChange{Archived: opt.Of(false), ParentID: opt.Null[int64]()}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			item     content.Item
			archived bool
		}{
			{top.Item, true}, {other.Item, true}, {kept, true}, {beside, true}, {board, true}, {inside, true},
			{part.Item, false}, {low.Item, false}, {back, false}, {deep, false},
		} {
			if got := w.now(c.item.Ref()).Archived; got != c.archived {
				t.Errorf("%s: archived is %v", c.item.Name, got)
			}
		}
		w.update(board, content.Change{Archived: opt.Of(false)})
		if w.now(inside.Ref()).Archived {
			t.Error("the question does not come back with its dashboard")
		}
	})
}

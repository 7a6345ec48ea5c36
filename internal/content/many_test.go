package content_test

import (
	"errors"
	"fmt"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
)

func TestManyChangeTogetherOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.person("bo")
		here, there := w.collection("Here", access.RootCollection), w.collection("There", access.RootCollection)
		var refs []content.Ref
		for i := range 20 {
			refs = append(refs, w.card(fmt.Sprint("card ", i), here.ID).Ref())
		}
		dash := w.item(content.Dashboard, content.ModelDashboard, "dash", here.ID)
		sub := w.collection("Sub", here.ID)
		refs = append(refs, dash.Ref(), sub.Ref(), refs[0])
		all := func(check func(content.Item) bool) bool {
			for _, ref := range refs {
				if !check(w.now(ref)) {
					return false
				}
			}
			return true
		}
		n, err := w.ArchiveMany(t.Context(), bo, append(refs[:len(refs):len(refs)], content.Ref{Kind: content.Card, ID: 9999}), true)
		if many, ok := errors.AsType[*content.ManyError](err); n != 0 || !ok || many.Index != len(refs) || !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown item: %d %v", n, err)
		}
		if !all(func(i content.Item) bool { return !i.Archived }) {
			t.Error("a call that failed changed something")
		}
		for range 2 { // the second changes nothing
			if _, err := w.ArchiveMany(t.Context(), bo, refs, true); err != nil {
				t.Fatal(err)
			}
		}
		if !all(content.Item.InTrash) {
			t.Error("something is not in the trash")
		}
		_, err = w.MoveMany(t.Context(), bo, refs[:1], there.ID)
		want(t, err, fault.Invalid)
		if n, err := w.ArchiveMany(t.Context(), bo, refs, false); err != nil || n != len(refs)-1 {
			t.Fatal(n, err)
		}
		if n, err := w.MoveMany(t.Context(), bo, refs, there.ID); err != nil || n != len(refs)-1 {
			t.Fatal(n, err)
		}
		if !all(func(i content.Item) bool { return i.CollectionID == there.ID && !i.Archived }) {
			t.Error("something did not move")
		}
		_, err = w.DeleteMany(t.Context(), bo, refs)
		want(t, err, fault.Forbidden) // a collection is among them
		if n, err := w.DeleteMany(t.Context(), bo, refs[:21]); err != nil || n != 21 {
			t.Fatal(n, err)
		}
		_, err = w.Get(t.Context(), admin, refs[0])
		want(t, err, fault.NotFound)
	})
}

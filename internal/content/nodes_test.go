package content_test

import (
	"context"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Two nodes change the same collections, and the second has not heard yet of
// what the first did. It decides by what is in the database all the same, so
// that nothing lives in what is in the trash, and no collection in itself.
func TestANodeThatLagsBehindDecidesByTheDatabase(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		one := newWorld(t, p.Open(t))
		a, b := one.collection("A", access.RootCollection), one.collection("B", access.RootCollection)
		gone := one.collection("Gone", access.RootCollection)
		card := one.card("orders", a.ID)
		late := newWorld(t, p.Open(t))

		if _, err := one.change(gone.ID, archive(true)); err != nil {
			t.Fatal(err)
		}
		_, err := late.CreateCollection(t.Context(), admin, content.NewCollection{Name: "x", ParentID: gone.ID})
		want(t, err, fault.Invalid)
		_, err = late.change(b.ID, content.CollectionChange{ParentID: opt.Of(gone.ID)})
		want(t, err, fault.Invalid)
		_, err = late.Update(t.Context(), admin, card.Ref(), content.Change{CollectionID: opt.Of(gone.ID)})
		want(t, err, fault.Invalid)
		want(t, late.db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := late.Create(ctx, admin, content.NewItem{Kind: content.Card, Model: content.ModelCard, Name: "y", CollectionID: gone.ID})
			return err
		}), fault.Invalid)

		if _, err := one.change(b.ID, content.CollectionChange{ParentID: opt.Of(a.ID)}); err != nil {
			t.Fatal(err)
		}
		_, err = late.change(a.ID, content.CollectionChange{ParentID: opt.Of(b.ID)})
		want(t, err, fault.Invalid)

		if err := late.db.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f, err := late.change(a.ID, content.CollectionChange{ParentID: opt.Of(access.RootCollection), Name: opt.Of("A2")}); err != nil || f.Location != "/" {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

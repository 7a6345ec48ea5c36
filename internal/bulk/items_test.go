package bulk_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/bulk"
	"latchkey/internal/content"
)

// collection makes a collection and keeps its id under its name.
func (w *world) collection(name string, parent int64) int64 {
	w.t.Helper()
	f, err := w.content.CreateCollection(w.t.Context(), admin, content.NewCollection{Name: name, ParentID: parent})
	check(w.t, err)
	w.ids[name] = f.ID
	return f.ID
}

// card makes the shared record of a card.
func (w *world) card(collection int64) int64 {
	w.t.Helper()
	var i content.Item
	check(w.t, w.db.InTx(w.t.Context(), func(ctx context.Context) (err error) {
		i, err = w.content.Create(ctx, admin, content.NewItem{Kind: content.Card, Model: content.ModelCard, Name: "A card", CollectionID: collection})
		return err
	}))
	return i.ID
}

func (w *world) isIn(kind content.Kind, id int64) (collection int64, archived bool) {
	w.t.Helper()
	i, err := w.content.Get(w.t.Context(), admin, content.Ref{Kind: kind, ID: id})
	check(w.t, err)
	return i.CollectionID, i.Archived
}

func onItem(op bulk.Op, kind string, id int64) bulk.Operation {
	return bulk.Operation{Op: op, Kind: kind, Item: bulk.Target{ID: id}}
}

func move(kind string, id, to int64) bulk.Operation {
	o := onItem(bulk.Move, kind, id)
	o.Collection.ID = to
	return o
}

func TestItems(t *testing.T) {
	each(t, func(w *world) {
		here, there := w.collection("Here", 0), w.collection("There", 0)
		inner := w.collection("Inner", here)
		var cards []int64
		for range 6 {
			cards = append(cards, w.card(here))
		}
		r := w.do(admin, atomic(),
			onItem(bulk.Archive, "card", cards[0]), onItem(bulk.Archive, "card", cards[1]), onItem(bulk.Archive, "card", cards[0]),
			move("card", cards[2], there), move("card", cards[3], there), move("card", cards[4], 0), move("collection", inner, there),
			onItem(bulk.Restore, "card", cards[1]))
		w.is("atomic", r, "ok ok ok ok ok ok ok ok")
		for i, want := range []struct {
			in       int64
			archived bool
		}{{here, true}, {here, false}, {there, false}, {there, false}, {0, false}, {here, false}} {
			if in, archived := w.isIn(content.Card, cards[i]); in != want.in || archived != want.archived {
				w.t.Errorf("card %d is in %d, archived %v; want %+v", i, in, archived, want)
			}
		}
		if r.Results[3].ID != cards[2] {
			w.t.Errorf("%+v", r.Results[3])
		}
		before := w.contents()
		r = w.do(admin, atomic(), onItem(bulk.Archive, "card", cards[1]), onItem(bulk.Archive, "card", 9999), onItem(bulk.Archive, "card", cards[2]))
		w.is("one is not there", r, "not-run failed:not-found not-run")
		if _, archived := w.isIn(content.Card, cards[1]); archived || w.contents() != before {
			w.t.Error("a failed call changed something")
		}
		r = w.do(admin, eachItem(),
			onItem(bulk.Archive, "card", cards[1]), onItem(bulk.Archive, "card", 9999), onItem(bulk.Archive, "card", cards[2]),
			onItem(bulk.Archive, "card", 9998), onItem(bulk.Archive, "card", cards[3]),
			move("collection", there, inner), onItem(bulk.Delete, "collection", there), onItem(bulk.Archive, "collection", there), onItem(bulk.Delete, "collection", there),
			onItem(bulk.Delete, "card", cards[0]))
		w.is("each", r, "ok failed:not-found ok failed:not-found ok failed:invalid failed:invalid ok ok ok")
	})
}

// trashed puts a collection into the trash.
func (w *world) trashed(id int64) int64 {
	w.t.Helper()
	w.is("archive", w.do(admin, atomic(), onItem(bulk.Archive, "collection", id)), "ok")
	return id
}

func TestItemsGoBackElsewhere(t *testing.T) {
	each(t, func(w *world) {
		here, there := w.collection("Here", 0), w.collection("There", 0)
		card, inner := w.card(here), w.collection("Inner", here)
		w.is("archive", w.do(admin, atomic(), onItem(bulk.Archive, "card", card), onItem(bulk.Archive, "collection", inner)), "ok ok")
		w.trashed(here)
		back, backToo := onItem(bulk.Restore, "card", card), onItem(bulk.Restore, "collection", inner)
		w.is("the old place is in the trash", w.do(admin, eachItem(), back), "failed:invalid")
		back.Placed, back.Collection.ID = true, there
		backToo.Placed, backToo.Collection.ID = true, there
		w.is("another place", w.do(admin, atomic(), back, backToo), "ok ok")
		if in, archived := w.isIn(content.Card, card); in != there || archived {
			w.t.Errorf("the card is in %d, archived %v", in, archived)
		}
	})
}

// A person may do to items in bulk what the collections allow.
func TestItemsOfPersons(t *testing.T) {
	each(t, func(w *world) {
		open, closed := w.collection("Open", 0), w.collection("Closed", 0)
		_, err := w.db.Exec(w.t.Context(), "UPDATE collection SET grants = '' WHERE id = ?1", closed)
		check(w.t, err)
		check(w.t, w.db.InTx(w.t.Context(), func(ctx context.Context) error { return w.db.Record(ctx, "collection", closed) }))
		cards := []int64{w.card(open), w.card(closed), w.card(open)}
		bo := &access.Principal{Kind: access.Person, UserID: w.ids["bo"], Name: "bo", Groups: []int64{1, w.ids["Analysts"]}}
		r := w.do(bo, eachItem(), onItem(bulk.Archive, "card", cards[0]), onItem(bulk.Archive, "card", cards[1]),
			move("card", cards[2], closed), onItem(bulk.Archive, "collection", closed), onItem(bulk.Archive, "card", cards[2]))
		w.is("by bo", r, "ok failed:group failed:group failed:group ok")
	})
}

// Many items take one short transaction.
func TestItemsAreFast(t *testing.T) {
	w := open(t, dbtest.NewPlace(t, dbtest.SQLite))
	here, there := w.collection("Here", 0), w.collection("There", 0)
	first := w.card(here)
	const n = bulk.MaxSteps / 5
	check(t, w.db.InTx(t.Context(), func(ctx context.Context) error {
		for range n - 1 {
			if _, err := w.content.Create(ctx, admin, content.NewItem{Kind: content.Card, Model: content.ModelCard, Name: "A card", CollectionID: here}); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, op := range []bulk.Op{bulk.Archive, bulk.Restore, bulk.Move, bulk.Delete} {
		ops := make([]bulk.Operation, n)
		for i := range ops {
			ops[i] = onItem(op, "card", first+int64(i))
			if op == bulk.Move {
				ops[i].Collection.ID = there
			}
		}
		for _, dry := range []bool{true, false} {
			start := time.Now()
			if r := w.do(admin, bulk.Request{Mode: bulk.Atomic, DryRun: dry}, ops...); r.Count(bulk.OK) != n {
				t.Fatalf("%s: %d done: %v", op, r.Count(bulk.OK), r.Results[0].Err())
			}
			t.Log(fmt.Sprint(op, " dry ", dry), time.Since(start))
		}
	}
}

func grant(group bulk.Target, collection int64, level string) bulk.Operation {
	return bulk.Operation{Op: bulk.SetPermission, Group: group, Collection: bulk.Target{ID: collection}, Level: level}
}

func TestPermissions(t *testing.T) {
	each(t, func(w *world) {
		here, there := w.collection("Here", 0), w.collection("There", 0)
		inner := w.collection("Inner", here)
		analysts, writers := bulk.Target{ID: w.ids["Analysts"]}, bulk.Target{ID: w.ids["Writers"]}
		level := func(group bulk.Target, collection int64) string {
			all, err := w.content.Levels(w.t.Context(), admin, []int64{group.ID}, []int64{collection})
			check(w.t, err)
			return all[0][0].String()
		}
		sub := grant(writers, here, "view")
		sub.Subtree = true
		r := w.do(admin, atomic(), newGroup("New", "g"), grant(analysts, here, "curate"), grant(analysts, there, "view"), grant(ref("g"), here, "view"), sub, grant(analysts, 0, "view"))
		w.is("atomic", r, "ok ok ok ok ok ok")
		made := bulk.Target{ID: r.Results[0].ID}
		for _, want := range []struct {
			group      bulk.Target
			collection int64
			level      string
		}{{analysts, here, "curate"}, {analysts, there, "view"}, {made, here, "view"}, {made, there, "none"}, {writers, inner, "view"}, {analysts, inner, "none"}, {analysts, 0, "view"}} {
			if got := level(want.group, want.collection); got != want.level {
				w.t.Errorf("%+v: got %s", want, got)
			}
		}
		before := w.contents()
		r = w.do(admin, atomic(), grant(analysts, here, "none"), grant(analysts, 999, "view"), grant(writers, there, "view"))
		w.is("an unknown collection", r, "not-run failed:not-found not-run")
		if level(analysts, here) != "curate" || w.contents() != before {
			w.t.Error("a failed call changed something")
		}
		r = w.do(admin, eachItem(), grant(analysts, here, "none"), grant(analysts, 999, "view"), grant(bulk.Target{ID: 2}, here, "view"), grant(writers, there, "view"))
		w.is("each", r, "ok failed:not-found failed:invalid ok")
		if level(analysts, here) != "none" || level(writers, there) != "view" {
			w.t.Error("what could be set was not")
		}
		bo := &access.Principal{Kind: access.Person, UserID: w.ids["bo"], Name: "bo", Groups: []int64{1}}
		w.is("by bo", w.do(bo, eachItem(), grant(writers, here, "curate")), "failed:group")
		bound := w.key(access.Restriction{Resources: map[string][]string{"collections": {fmt.Sprint(here)}}})
		w.is("a bound key", w.do(bound, eachItem(), grant(writers, here, "curate")), "failed:resource")
	})
}

package shelf_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/content"
	"latchkey/internal/content/shelf"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// world is content on one database, with shelves.
type world struct {
	t       *testing.T
	db      *db.DB
	clock   *clock.Fake
	content *content.Service
	*shelf.Service
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		clk := clock.NewFake(time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC))
		d := p.Open(t, dbtest.WithClock(clk))
		log := slog.New(slog.DiscardHandler)
		c, err := content.New(t.Context(), d, audit.New(d), log)
		if err != nil {
			t.Fatal(err)
		}
		f(t, &world{t, d, clk, c, shelf.NewService(d, c, log)})
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(name string) *access.Principal {
	w.t.Helper()
	p := &access.Principal{Kind: access.Person, Name: name, Groups: []int64{access.AllUsers}}
	w.must(w.db.InTx(w.t.Context(), func(ctx context.Context) (err error) {
		p.UserID, err = w.db.Insert(ctx, `INSERT INTO users (kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
			VALUES ('person', ?1, ?1, ?1, ?1, ?2, ?2) RETURNING id`, name+"@example.com", w.db.Now(ctx))
		return err
	}))
	return p
}

func (w *world) cards(n int, collection int64) []content.Ref {
	w.t.Helper()
	refs := make([]content.Ref, n)
	w.must(w.db.InTx(w.t.Context(), func(ctx context.Context) error {
		for i := range refs {
			made, err := w.content.Create(ctx, access.CommandLine(), content.NewItem{
				Kind: content.Card, Model: content.ModelCard, Name: fmt.Sprint("card ", i), CollectionID: collection,
			})
			if err != nil {
				return err
			}
			refs[i] = made.Ref()
		}
		return nil
	}))
	return refs
}

func TestRecentsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo, refs := w.person("bo"), w.cards(130, 0)
		for _, ref := range refs {
			w.clock.Advance(time.Second)
			w.content.Saw(bo, ref)
			w.content.Saw(nil, ref)
		}
		list, err := w.Recents(t.Context(), bo, shelf.Viewed)
		if w.must(err); len(list) != 0 {
			t.Errorf("%d were written by looking", len(list))
		}
		w.must(w.Flush(t.Context()))
		list, err = w.Recents(t.Context(), bo, shelf.Viewed)
		if w.must(err); len(list) != 100 || list[0].Item.Ref() != refs[129] || list[99].Item.Ref() != refs[30] {
			t.Errorf("%d recents, the newest %v", len(list), list[0].Item.Ref())
		}
		items, err := w.content.ByIDs(t.Context(), content.Card, []int64{1})
		if w.must(err); items[1].ViewCount != 2 || items[1].UsedAt == nil {
			t.Errorf("looked at %d times", items[1].ViewCount)
		}
		w.content.Saw(bo, refs[0])
		w.must(w.content.Delete(t.Context(), access.CommandLine(), refs[0]))
		w.must(w.Close(t.Context()))
		if list, err = w.Recents(t.Context(), bo); err != nil || len(list) != 0 {
			t.Errorf("without a context: %d, %v", len(list), err)
		}
	})
}

func TestShelfShowsWhatMayBeSeen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f, err := w.content.CreateCollection(t.Context(), access.CommandLine(), content.NewCollection{Name: "c"})
		w.must(err)
		bo, root, inside := w.person("bo"), w.cards(1, 0)[0], w.cards(1, f.ID)[0]
		for _, ref := range []content.Ref{root, inside} {
			_, err := w.Mark(t.Context(), bo, ref)
			w.must(err)
			w.must(w.Select(t.Context(), bo, ref))
			w.content.Saw(bo, ref)
		}
		w.must(w.Flush(t.Context()))
		limits, err := access.Restriction{Resources: map[string][]string{access.KindCollections: {fmt.Sprint(f.ID)}}}.Compile()
		w.must(err)
		bound := *bo
		bound.Kind, bound.KeyID, bound.Limits = access.PersonalKey, 1, limits
		for _, r := range []struct {
			who  *access.Principal
			want []content.Ref
		}{{bo, []content.Ref{inside, root}}, {&bound, []content.Ref{inside}}} {
			marks, err := w.Bookmarks(t.Context(), r.who)
			w.must(err)
			var got []content.Ref
			for _, m := range marks {
				got = append(got, m.Item.Ref())
			}
			if !slices.Equal(got, r.want) {
				t.Errorf("bookmarks %v, want %v", got, r.want)
			}
			recents, err := w.Recents(t.Context(), r.who, shelf.Viewed, shelf.Selected)
			if w.must(err); len(recents) != len(r.want) {
				t.Errorf("%d recents, want %d", len(recents), len(r.want))
			}
			popular, err := w.Popular(t.Context(), r.who, 5)
			if w.must(err); len(popular) != len(r.want) {
				t.Errorf("%d popular, want %d", len(popular), len(r.want))
			}
		}
		if _, err := w.Mark(t.Context(), &bound, root); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a bound key marks what it may not see: %v", err)
		}
		if _, err := w.Bookmarks(t.Context(), nil); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("nobody has bookmarks: %v", err)
		}
	})
}

package search_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/content"
	"latchkey/internal/content/search"
	"latchkey/internal/db"
	"latchkey/internal/opt"
)

// admin may do everything.
var admin = access.CommandLine()

// world is content on one database, and searches in it.
type world struct {
	t       *testing.T
	db      *db.DB
	clock   *clock.Fake
	content *content.Service
	*search.Service
}

func each(t *testing.T, f func(t *testing.T, w *world), sources ...search.Source) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		t.Helper()
		clk := clock.NewFake(time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC))
		d := p.Open(t, dbtest.WithClock(clk))
		c, err := content.New(t.Context(), d, audit.New(d), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		f(t, &world{t, d, clk, c, search.NewService(d, c, sources...)})
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tx(f func(ctx context.Context) error) {
	w.t.Helper()
	w.must(w.db.InTx(w.t.Context(), f))
}

// person makes a bare row of the table that people owns, in some groups beside
// All Users.
func (w *world) person(name string, groups ...int64) *access.Principal {
	w.t.Helper()
	var id int64
	w.tx(func(ctx context.Context) (err error) {
		id, err = w.db.Insert(ctx, `INSERT INTO users (kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
			VALUES ('person', ?1, ?1, ?1, ?1, ?2, ?2) RETURNING id`, name+"@example.com", w.db.Now(ctx))
		return err
	})
	return &access.Principal{Kind: access.Person, UserID: id, Name: name, Groups: append([]int64{access.AllUsers}, groups...)}
}

// collection makes a collection with the grants; owner makes it a personal one.
func (w *world) collection(name string, parent int64, grants string, owner ...int64) int64 {
	w.t.Helper()
	f, err := w.content.CreateCollection(w.t.Context(), admin, content.NewCollection{Name: name, ParentID: parent})
	w.must(err)
	w.tx(func(ctx context.Context) error {
		if _, err := w.db.Exec(ctx, "UPDATE collection SET grants = ?2 WHERE id = ?1", f.ID, grants); err != nil {
			return err
		}
		if len(owner) > 0 {
			if _, err := w.db.Exec(ctx, "UPDATE collection SET personal_owner = ?2 WHERE id = ?1", f.ID, owner[0]); err != nil {
				return err
			}
		}
		return w.db.Record(ctx, db.ChangedCollection, f.ID)
	})
	return f.ID
}

// item makes an item, as who.
func (w *world) item(who *access.Principal, model content.Model, name string, collection int64, description ...string) content.Item {
	w.t.Helper()
	kind := content.Card
	if model == content.ModelDashboard {
		kind = content.Dashboard
	}
	n := content.NewItem{Kind: kind, Model: model, Name: name, CollectionID: collection}
	if len(description) > 0 {
		n.Description = &description[0]
	}
	var i content.Item
	w.tx(func(ctx context.Context) (err error) {
		i, err = w.content.Create(ctx, who, n)
		return err
	})
	return i
}

func (w *world) card(name string, collection int64, description ...string) content.Item {
	w.t.Helper()
	return w.item(admin, content.ModelCard, name, collection, description...)
}

// sql gives a card a native query.
func (w *world) sql(i content.Item, database int64, display, text string) {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		_, err := w.db.Exec(ctx, `INSERT INTO card (id, item, display, query, query_type, database_id, settings, parameters, mappings,
			preview, parameterized) VALUES (?1, ?2, ?3, ?4, 'native', ?5, '{}', '[]', '[]', FALSE, FALSE)`,
			i.ID, i.No, display, `{"stages":[{"native":"`+text+`"}]}`, database)
		return err
	})
}

func (w *world) update(i content.Item, c content.Change) {
	w.t.Helper()
	_, err := w.content.Update(w.t.Context(), admin, i.Ref(), c)
	w.must(err)
}

// names returns what a search finds, in its order.
func (w *world) names(who *access.Principal, q search.Query) []string {
	w.t.Helper()
	r, err := w.Search(w.t.Context(), who, q, -1, 0)
	w.must(err)
	out := []string{}
	for _, h := range r.Hits {
		if h.Extra != nil {
			out = append(out, h.Extra.Name)
			continue
		}
		out = append(out, h.Item.Name)
	}
	if r.Total != len(out) {
		w.t.Errorf("%+v: total %d of %d", q, r.Total, len(out))
	}
	return out
}

// want compares what a search finds, in any order, with names that are parted
// by commas.
func (w *world) want(who *access.Principal, q search.Query, names string) {
	w.t.Helper()
	got := w.names(who, q)
	slices.Sort(got)
	var want []string
	if names != "" {
		want = strings.Split(names, ",")
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("%+v: found %q, want %q", q, got, want)
	}
}

func text(s string) search.Query { return search.Query{Text: s} }

func trash() content.Change { return content.Change{Archived: opt.Of(true)} }

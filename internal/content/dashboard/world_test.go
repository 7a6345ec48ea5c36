package dashboard_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/content/revision"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// admin may do everything.
var admin = access.CommandLine()

// world is dashboards on one database.
type world struct {
	t         *testing.T
	db        *db.DB
	items     *content.Service
	log       *revision.Log
	questions *card.Service
	*dashboard.Service
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	trail := audit.New(d)
	items, err := content.New(t.Context(), d, trail, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	log := revision.New(d, trail, items)
	questions := card.NewService(card.Deps{
		DB: d, Audit: trail, Content: items, Revisions: log,
		MayRun: func(context.Context, *access.Principal, mbql.Query) error { return nil },
	})
	w := &world{t: t, db: d, items: items, log: log, questions: questions, Service: dashboard.NewService(d, items, questions, log)}
	questions.UseBoards(w.Service)
	return w
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

// person is somebody in All Users, with a bare row of the table of people.
func (w *world) person(name string) *access.Principal {
	w.t.Helper()
	var id int64
	err := w.db.InTx(w.t.Context(), func(ctx context.Context) error {
		var err error
		id, err = w.db.Insert(ctx, `INSERT INTO users (kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
			VALUES ('person', ?1, ?1, ?1, ?1, ?2, ?2) RETURNING id`, name+"@example.com", w.db.Now(ctx))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return &access.Principal{Kind: access.Person, UserID: id, Name: name, Groups: []int64{access.AllUsers}}
}

// closed makes a collection that only administrators may see.
func (w *world) closed(name string) int64 {
	w.t.Helper()
	f, err := w.items.CreateCollection(w.t.Context(), admin, content.NewCollection{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.db.InTx(w.t.Context(), func(ctx context.Context) error {
		if _, err := w.db.Exec(ctx, "UPDATE collection SET grants = '' WHERE id = ?1", f.ID); err != nil {
			return err
		}
		return w.db.Record(ctx, db.ChangedCollection, f.ID)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return f.ID
}

// card makes a question; in names the dashboard that it lives in, 0 for none.
func (w *world) card(name string, collection, in int64) int64 {
	w.t.Helper()
	n := card.New{
		Name: name, Query: json.RawMessage(`{"database":1,"type":"native","native":{"query":"select 1"}}`), Display: "table",
		DashboardID: in,
	}
	if in == 0 {
		n.CollectionID = opt.Of(collection)
	}
	made, err := w.questions.Create(w.t.Context(), admin, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return made.ID
}

func (w *world) cards(n int) []int64 {
	w.t.Helper()
	out := make([]int64, n)
	for i := range out {
		out[i] = w.card("question", access.RootCollection, 0)
	}
	return out
}

func (w *world) archive(ref content.Ref) {
	w.t.Helper()
	if _, err := w.items.Update(w.t.Context(), admin, ref, content.Change{Archived: opt.Of(true)}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) item(ref content.Ref) content.Item {
	w.t.Helper()
	i, err := w.items.Get(w.t.Context(), admin, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func (w *world) make(name string) dashboard.Dashboard {
	w.t.Helper()
	d, err := w.Create(w.t.Context(), admin, dashboard.New{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) update(id int64, c dashboard.Change) dashboard.Dashboard {
	w.t.Helper()
	d, err := w.Update(w.t.Context(), admin, id, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) get(id int64) dashboard.Dashboard {
	w.t.Helper()
	d, err := w.Get(w.t.Context(), admin, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// text is all of a dashboard, to compare.
func text(t *testing.T, d dashboard.Dashboard) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// at is a given dashcard with a question.
func at(id, card, row int64) dashboard.GivenCard {
	return dashboard.GivenCard{ID: id, CardID: opt.Of(card), Row: row, Width: 6, Height: 4}
}

func onTab(c dashboard.GivenCard, tab int64) dashboard.GivenCard {
	c.TabID = opt.Of(tab)
	return c
}

func placed(list ...dashboard.GivenCard) opt.Value[[]dashboard.GivenCard] { return opt.Of(list) }

func tabs(list ...dashboard.GivenTab) opt.Value[[]dashboard.GivenTab] { return opt.Of(list) }

func want(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%v, want a fault of kind %v", err, kind)
	}
}

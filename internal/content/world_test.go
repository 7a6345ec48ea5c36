package content_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// admin may do everything; bo and cy are persons of group 5.
var admin = access.CommandLine()

// world is content on one database.
type world struct {
	t  testing.TB
	db *db.DB
	*content.Service
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	s, err := content.New(t.Context(), d, audit.New(d), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, d, s}
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d)) })
}

// person makes a bare row of the table that people owns, in some groups beside
// All Users.
func (w *world) person(name string, groups ...int64) *access.Principal {
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
	return &access.Principal{Kind: access.Person, UserID: id, Name: name, Groups: append([]int64{access.AllUsers}, groups...)}
}

// collection makes a collection as the administrator.
func (w *world) collection(name string, parent int64) content.Folder {
	w.t.Helper()
	f, err := w.CreateCollection(w.t.Context(), admin, content.NewCollection{Name: name, ParentID: parent})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// item makes an item without particulars.
func (w *world) item(kind content.Kind, model content.Model, name string, collection int64) content.Item {
	w.t.Helper()
	var i content.Item
	err := w.db.InTx(w.t.Context(), func(ctx context.Context) error {
		var err error
		i, err = w.Create(ctx, admin, content.NewItem{Kind: kind, Model: model, Name: name, CollectionID: collection})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func (w *world) card(name string, collection int64) content.Item {
	w.t.Helper()
	return w.item(content.Card, content.ModelCard, name, collection)
}

func (w *world) now(ref content.Ref) content.Item {
	w.t.Helper()
	i, err := w.Get(w.t.Context(), admin, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func (w *world) change(id int64, c content.CollectionChange) (content.Folder, error) {
	return w.UpdateCollection(w.t.Context(), admin, id, c)
}

func archive(yes bool) content.CollectionChange {
	return content.CollectionChange{Archived: opt.Of(yes)}
}

func want(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%v, want a fault of kind %v", err, kind)
	}
}

func num(id int64) string { return strconv.FormatInt(id, 10) }

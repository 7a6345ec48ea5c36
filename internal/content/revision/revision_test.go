package revision_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

var admin = access.CommandLine()

// world is a log over items whose state is their shared record and one more
// field that stands in memory.
type world struct {
	t     *testing.T
	db    *db.DB
	items *content.Service
	log   *revision.Log
	color string
}

type state struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Archived    bool    `json:"archived"`
	Collection  int64   `json:"collection_id"`
	Color       string  `json:"color"`
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		trail := audit.New(d)
		items, err := content.New(t.Context(), d, trail, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, db: d, items: items, log: revision.New(d, trail, items), color: "red"}
		w.log.Register(content.Dashboard, revision.Kind{
			Noun: "Dashboard",
			State: func(_ context.Context, i content.Item) (any, error) {
				return state{i.Name, i.Description, i.Archived, i.CollectionID, w.color}, nil
			},
			Restore: func(ctx context.Context, who *access.Principal, i content.Item, raw json.RawMessage) error {
				var s state
				if err := json.Unmarshal(raw, &s); err != nil {
					return err
				}
				w.color = s.Color
				_, err := w.items.Update(ctx, who, i.Ref(), content.Change{Name: opt.Of(s.Name), CollectionID: opt.Of(s.Collection), Touch: true})
				return err
			},
		})
		f(t, w)
	})
}

func (w *world) make(name string) content.Item {
	w.t.Helper()
	var i content.Item
	w.tx(func(ctx context.Context) error {
		var err error
		i, err = w.items.Create(ctx, admin, content.NewItem{Kind: content.Dashboard, Model: content.ModelDashboard, Name: name})
		if err != nil {
			return err
		}
		return w.log.Record(ctx, admin, i, revision.Note{Creation: true})
	})
	return i
}

func (w *world) tx(f func(ctx context.Context) error) {
	w.t.Helper()
	if err := w.db.InTx(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) change(i content.Item, c content.Change) {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		next, err := w.items.Update(ctx, admin, i.Ref(), c)
		if err != nil {
			return err
		}
		return w.log.Record(ctx, admin, next, revision.Note{})
	})
}

func (w *world) list(i content.Item) []revision.Revision {
	w.t.Helper()
	list, err := w.log.List(w.t.Context(), admin, i.Ref())
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestChangesAreToldInWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ops, err := w.items.CreateCollection(t.Context(), admin, content.NewCollection{Name: "Ops"})
		if err != nil {
			t.Fatal(err)
		}
		i := w.make("A")
		for _, tt := range []struct {
			change content.Change
			color  string
			want   string
		}{
			{content.Change{Name: opt.Of("B")}, "", `renamed this Dashboard from "A" to "B".`},
			{content.Change{Description: opt.Of("x")}, "", "added a description."},
			{content.Change{Description: opt.Of("y")}, "", "changed the description."},
			{content.Change{Description: opt.Null[string]()}, "", "removed the description."},
			{content.Change{CollectionID: opt.Of(ops.ID)}, "", "moved this Dashboard from Our analytics to Ops."},
			{content.Change{Archived: opt.Of(true)}, "", "trashed this Dashboard."},
			{content.Change{Archived: opt.Of(false)}, "", "untrashed this Dashboard."},
			{content.Change{}, "blue", "changed the color."},
			{content.Change{Name: opt.Of("C"), Description: opt.Of("z")}, "green",
				`renamed this Dashboard from "B" to "C", added a description and changed the color.`},
		} {
			if tt.color != "" {
				w.color = tt.color
			}
			w.change(i, tt.change)
			if got := w.list(i)[0]; got.Text() != tt.want || !got.Newest {
				t.Errorf("%q, want %q", got.Text(), tt.want)
			}
		}
		before := len(w.list(i))
		w.change(i, content.Change{})
		if list := w.list(i); len(list) != before || list[before-1].Text() != "created this." || list[before-1].Newest {
			t.Errorf("no change leaves %d revisions of %d, the oldest %q", len(list), before, list[len(list)-1].Text())
		}
	})
}

func TestOnlyTheNewestStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.make("A")
		for n := range 120 {
			w.change(i, content.Change{Name: opt.Of(fmt.Sprint("name ", n))})
		}
		list := w.list(i)
		if len(list) != 100 || list[0].ID < list[99].ID {
			t.Errorf("%d revisions", len(list))
		}
	})
}

func TestRevert(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i, other := w.make("A"), w.make("Other")
		w.color = "blue"
		w.change(i, content.Change{Name: opt.Of("B")})
		first := w.list(i)[1]
		got, err := w.log.Revert(t.Context(), admin, i.Ref(), first.ID)
		if err != nil || !got.Reversion || got.Text() != "reverted to an earlier version." || !got.Newest {
			t.Errorf("%+v, %v", got, err)
		}
		now, err := w.items.Get(t.Context(), admin, i.Ref())
		if err != nil || now.Name != "A" || w.color != "red" {
			t.Errorf("%q, %s, %v", now.Name, w.color, err)
		}
		if string(got.Before["name"]) != `"B"` || string(got.After["name"]) != `"A"` || len(got.After) != 2 {
			t.Errorf("difference %v to %v", got.Before, got.After)
		}
		for _, id := range []int64{0, 9999, w.list(other)[0].ID} {
			if _, err := w.log.Revert(t.Context(), admin, i.Ref(), id); !fault.Is(err, fault.NotFound) {
				t.Errorf("revision %d: %v", id, err)
			}
		}
		nobody := &access.Principal{Kind: access.Person, UserID: 77}
		if _, err := w.log.Revert(t.Context(), nobody, i.Ref(), first.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v", err)
		}
		if _, err := w.log.List(t.Context(), nobody, i.Ref()); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v", err)
		}
		if n := len(w.list(i)); n != 3 {
			t.Errorf("%d revisions", n)
		}
	})
}

func TestNamesOfHiddenCollectionsStayHidden(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		secret, err := w.items.CreateCollection(t.Context(), admin, content.NewCollection{Name: "Secret"})
		if err != nil {
			t.Fatal(err)
		}
		w.tx(func(ctx context.Context) error {
			if _, err := w.db.Exec(ctx, "UPDATE collection SET grants = '' WHERE id = ?1", secret.ID); err != nil {
				return err
			}
			return w.db.Record(ctx, db.ChangedCollection, secret.ID)
		})
		i := w.make("A")
		w.change(i, content.Change{CollectionID: opt.Of(secret.ID)})
		w.change(i, content.Change{CollectionID: opt.Of(access.RootCollection)})
		plain := &access.Principal{Kind: access.Person, UserID: 77, Groups: []int64{access.AllUsers}}
		list, err := w.log.List(t.Context(), plain, i.Ref())
		if err != nil || list[0].Text() != "moved this Dashboard to Our analytics." {
			t.Errorf("%v, %v", list, err)
		}
	})
}

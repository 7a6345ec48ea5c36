package card_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/revision"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

var admin = access.CommandLine()

// world is cards on one database, with dashboards that only count.
type world struct {
	t         *testing.T
	db        *db.DB
	items     *content.Service
	revisions *revision.Log
	*card.Service
	placed map[int64]map[int64]bool // dashboards by card
	asked  int                      // how often the columns were asked for
}

// Place implements card.Boards.
func (w *world) Place(_ context.Context, _ *access.Principal, dashboardID int64, _ *int64, cardID int64) error {
	if w.placed[cardID] == nil {
		w.placed[cardID] = map[int64]bool{}
	}
	w.placed[cardID][dashboardID] = true
	return nil
}

// Remove implements card.Boards.
func (w *world) Remove(_ context.Context, _ *access.Principal, cardID, but int64) error {
	for id := range w.placed[cardID] {
		if id != but {
			delete(w.placed[cardID], id)
		}
	}
	return nil
}

// Showing implements card.Boards.
func (w *world) Showing(_ context.Context, cards []int64) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	for _, id := range cards {
		for board := range w.placed[id] {
			out[id] = append(out[id], board)
		}
	}
	return out, nil
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		trail := audit.New(d)
		items, err := content.New(t.Context(), d, trail, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, db: d, items: items, revisions: revision.New(d, trail, items), placed: map[int64]map[int64]bool{}}
		w.Service = card.NewService(card.Deps{
			DB: d, Audit: trail, Content: items, Revisions: w.revisions,
			MayRun: func(_ context.Context, _ *access.Principal, q mbql.Query) error {
				if q.Database() == 9 {
					return access.Forbidden()
				}
				return nil
			},
			Columns: func(_ context.Context, _ *access.Principal, q mbql.Query) (json.RawMessage, error) {
				w.asked++
				if q.NativeText() == "broken" {
					return nil, errors.New("no")
				}
				return json.RawMessage(`[{"name":"n"}]`), nil
			},
		})
		w.UseBoards(w)
		f(t, w)
	})
}

func sql(text string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"database":1,"type":"native","native":{"query":%q}}`, text))
}

func (w *world) make(n card.New) card.Card {
	w.t.Helper()
	if n.Name == "" {
		n.Name = "A card"
	}
	if n.Query == nil {
		n.Query = sql("select 1")
	}
	n.Display = "table"
	c, err := w.Create(w.t.Context(), admin, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) item(kind content.Kind, model content.Model, name string, collection int64) content.Item {
	w.t.Helper()
	var i content.Item
	err := w.db.InTx(w.t.Context(), func(ctx context.Context) error {
		var err error
		i, err = w.items.Create(ctx, admin, content.NewItem{Kind: kind, Model: model, Name: name, CollectionID: collection})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func (w *world) dashboard(name string, collection int64) content.Item {
	w.t.Helper()
	return w.item(content.Dashboard, content.ModelDashboard, name, collection)
}

func (w *world) collection(name string) int64 {
	w.t.Helper()
	f, err := w.items.CreateCollection(w.t.Context(), admin, content.NewCollection{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	return f.ID
}

func want(t *testing.T, err error, kind fault.Kind, message string) {
	t.Helper()
	if !fault.Is(err, kind) || message != "" && fault.As(err).Message != message {
		t.Errorf("%v, want %v %q", err, kind, message)
	}
}

func TestQueriesDoNotGoInCircles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.make(card.New{})
		b := w.make(card.New{Query: sql(fmt.Sprintf("select * from {{#%d}}", a.ID))})
		c := w.make(card.New{Query: json.RawMessage(fmt.Sprintf(`{"database":-1337,"type":"query","query":{"source-table":"card__%d"}}`, b.ID))})
		if c.DatabaseID != 1 || c.SourceCardID != b.ID || c.QueryType != mbql.TypeQuery {
			t.Errorf("%+v", c.Particulars)
		}
		for _, to := range []int64{a.ID, b.ID, c.ID} {
			_, err := w.Update(t.Context(), admin, a.ID, card.Change{Query: opt.Of(sql(fmt.Sprintf("select * from {{#%d}}", to)))})
			want(t, err, fault.Invalid, "Cannot save card with cycles.")
		}
		// The way from b to a ends; then a may refer to c.
		if _, err := w.Update(t.Context(), admin, b.ID, card.Change{Query: opt.Of(sql("select 2"))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Update(t.Context(), admin, a.ID, card.Change{Query: opt.Of(sql(fmt.Sprintf("select * from {{#%d}}", c.ID)))}); err != nil {
			t.Error(err)
		}
		using, err := w.List(t.Context(), admin, card.UsingModel, b.ID)
		if err != nil || len(using) != 1 || using[0].ID != c.ID {
			t.Errorf("%v, %v", using, err)
		}
	})
}

func TestColumnsAreFoundOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.make(card.New{})
		given := w.make(card.New{Metadata: json.RawMessage(`[{"name":"given"}]`)})
		if string(c.Metadata) != `[{"name":"n"}]` || string(given.Metadata) != `[{"name":"given"}]` || w.asked != 1 {
			t.Errorf("%s, %s, asked %d times", c.Metadata, given.Metadata, w.asked)
		}
		same, err := w.Update(t.Context(), admin, given.ID, card.Change{Query: opt.Of(sql("select 1")), Name: opt.Of("Other")})
		if err != nil || string(same.Metadata) != `[{"name":"given"}]` || w.asked != 1 {
			t.Errorf("%s, %v", same.Metadata, err)
		}
		broken, err := w.Update(t.Context(), admin, given.ID, card.Change{Query: opt.Of(sql("broken"))})
		if err != nil || broken.Metadata != nil {
			t.Errorf("%s, %v", broken.Metadata, err)
		}
	})
}

func TestParameterized(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for text, full := range map[string]bool{
			"select 1": true, "select {{x}}": false, "select 1 [[where {{x}}]]": true, "select {{x}} [[where {{x}}]]": false,
		} {
			c := w.make(card.New{Query: sql(text)})
			sums, err := w.Summaries(t.Context(), []int64{c.ID})
			if err != nil || sums[c.ID].FullyParameterized != full || *sums[c.ID].DatabaseID != 1 || sums[c.ID].Display != "table" {
				t.Errorf("%s: %+v, %v", text, sums[c.ID], err)
			}
		}
	})
}

func TestQuestionsLiveInDashboards(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ops := w.collection("Ops")
		board, other := w.dashboard("Board", ops), w.dashboard("Other", access.RootCollection)
		c := w.make(card.New{DashboardID: board.ID})
		if c.CollectionID != ops || c.DashboardID != board.ID || !w.placed[c.ID][board.ID] {
			t.Fatalf("%+v, %v", c, w.placed)
		}
		bad := func(n card.New, message string) {
			t.Helper()
			n.Name, n.Display, n.Query = "x", "table", sql("select 1")
			_, err := w.Create(t.Context(), admin, n)
			want(t, err, fault.Invalid, message)
		}
		bad(card.New{DashboardID: board.ID, CollectionID: opt.Null[int64]()}, fmt.Sprintf("Mismatch detected between Dashboard's `collection_id` (%d) and `collection_id` (null)", ops))
		bad(card.New{DashboardID: board.ID, Type: card.Model}, "Invalid Dashboard Question: Cannot set `type` on a Dashboard Question")
		refuse := func(ch card.Change, kind fault.Kind, message string) {
			t.Helper()
			_, err := w.Update(t.Context(), admin, c.ID, ch)
			want(t, err, kind, message)
		}
		refuse(card.Change{CollectionID: opt.Null[int64]()}, fault.Invalid, "Invalid Dashboard Question: Cannot manually set `collection_id` on a Dashboard Question")
		refuse(card.Change{Type: opt.Of(card.Model)}, fault.Invalid, "Invalid Dashboard Question: Cannot set `type` on a Dashboard Question")
		refuse(card.Change{Position: opt.Of(int64(1))}, fault.Invalid, "Invalid Dashboard Question: Cannot set `collection_position` on a Dashboard Question")
		refuse(card.Change{DashboardID: opt.Of(other.ID), Archived: opt.Of(true)}, fault.Invalid, "")
		refuse(card.Change{DashboardID: opt.Of(int64(999))}, fault.NotFound, "")
		refuse(card.Change{DashboardID: opt.Of(other.ID)}, fault.Invalid, "Other dashboards show this question. Send delete_old_dashcards=true to take it from them.")

		moved, err := w.Update(t.Context(), admin, c.ID, card.Change{DashboardID: opt.Of(other.ID), LeaveDashboards: true})
		if err != nil || moved.CollectionID != access.RootCollection || w.placed[c.ID][board.ID] || !w.placed[c.ID][other.ID] {
			t.Errorf("%+v, %v, %v", moved.Item, w.placed, err)
		}
		if _, err := w.Update(t.Context(), admin, c.ID, card.Change{Archived: opt.Of(true)}); err != nil {
			t.Fatal(err)
		}
		delete(w.placed, c.ID)
		back, err := w.Update(t.Context(), admin, c.ID, card.Change{DashboardID: opt.Of(board.ID)})
		if err != nil || back.Archived || back.DashboardID != board.ID {
			t.Errorf("%+v, %v", back.Item, err)
		}
		if err := w.MoveTo(t.Context(), admin, []int64{c.ID}, access.RootCollection); err != nil {
			t.Fatal(err)
		}
		free, err := w.Get(t.Context(), admin, c.ID)
		if err != nil || free.DashboardID != 0 || free.CollectionID != access.RootCollection {
			t.Errorf("%+v, %v", free.Item, err)
		}
		copied, err := w.Copy(t.Context(), admin, moved.ID)
		if err != nil || copied.Name != "Copy of A card" || copied.EntityID == moved.EntityID {
			t.Errorf("%+v, %v", copied.Item, err)
		}
	})
}

func TestRevertNeedsTheRightToRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.make(card.New{})
		if _, err := w.Update(t.Context(), admin, c.ID, card.Change{Query: opt.Of(sql("select 2")), Settings: opt.Of(json.RawMessage(`{"a":1}`))}); err != nil {
			t.Fatal(err)
		}
		list, err := w.revisions.List(t.Context(), admin, c.Ref())
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		_, err = w.db.Exec(t.Context(), `UPDATE revision SET object = REPLACE(object, '"database":1', '"database":9') WHERE id = ?1`, list[1].ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.revisions.Revert(t.Context(), admin, c.Ref(), list[1].ID)
		if fault.As(err).Code != card.CodeMayNotRun {
			t.Error(err)
		}
		now, err := w.Get(t.Context(), admin, c.ID)
		if err != nil || string(now.Settings) != `{"a":1}` {
			t.Errorf("%s, %v", now.Settings, err)
		}
	})
}

// TestChangesAtOnce lets many change different things of one card at the same
// time: nothing is lost.
func TestChangesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.make(card.New{})
		changes := []card.Change{
			{Name: opt.Of("New name")}, {Display: opt.Of("bar")}, {Description: opt.Of("text")}, {CacheTTL: opt.Of(int64(7))},
			{Settings: opt.Of(json.RawMessage(`{"a":1}`))}, {Preview: opt.Of(false)}, {Archived: opt.Of(true)}, {Archived: opt.Of(true)},
			{Query: opt.Of(sql("select 3"))}, {Parameters: opt.Of(json.RawMessage(`[{"id":"a"}]`))},
		}
		var wg sync.WaitGroup
		for _, ch := range changes {
			wg.Go(func() {
				if _, err := w.Update(context.WithoutCancel(t.Context()), admin, c.ID, ch); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		now, err := w.Get(t.Context(), admin, c.ID)
		if err != nil || now.Name != "New name" || now.Display != "bar" || *now.Description != "text" || *now.CacheTTL != 7 || now.Preview || !now.Archived ||
			string(now.Settings) != `{"a":1}` || string(now.Parameters) != `[{"id":"a"}]` {
			t.Errorf("%+v, %v", now, err)
		}
	})
}

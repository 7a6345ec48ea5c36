package content_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/opt"
)

// all is a query for everything in a collection.
func all(collection int64) content.ItemQuery {
	return content.ItemQuery{CollectionID: collection, AllModels: true, Limit: -1}
}

func (w *world) items(who *access.Principal, q content.ItemQuery) content.ItemPage {
	w.t.Helper()
	p, err := w.Items(w.t.Context(), who, q)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func names(items []content.Item) string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = item.Name
	}
	return strings.Join(out, " ")
}

// somethings fills a collection with items of all kinds and names.
func (w *world) somethings(r *rand.Rand, collection int64, n int) []content.Item {
	w.t.Helper()
	kinds := []struct {
		kind  content.Kind
		model content.Model
	}{
		{content.Card, content.ModelCard}, {content.Card, content.ModelDataset}, {content.Card, content.ModelMetric},
		{content.Dashboard, content.ModelDashboard}, {content.Timeline, content.ModelTimeline},
	}
	var out []content.Item
	for i := range n {
		k := kinds[r.IntN(len(kinds))]
		item := w.item(k.kind, k.model, fmt.Sprintf("%c%d", "aBcD"[r.IntN(4)], i%5), collection)
		if k.kind == content.Card && r.IntN(3) == 0 {
			item = w.update(item, content.Change{Position: opt.Of(int64(1))})
		}
		out = append(out, item)
	}
	for i := range n / 5 {
		out = append(out, w.collection(fmt.Sprintf("c%d", i), collection).Item)
	}
	return out
}

func (w *world) update(i content.Item, c content.Change) content.Item {
	w.t.Helper()
	out, err := w.Update(w.t.Context(), admin, i.Ref(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// Every page of every order is what sorting everything in memory gives.
func TestPagesOfItems(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := rand.New(rand.NewPCG(1, 2))
		f := w.collection("Full", access.RootCollection)
		there := w.somethings(r, f.ID, 25)
		w.update(there[0], content.Change{Archived: opt.Of(true)})
		for i := range there { // archiving and pinning have moved others
			if there[i].Kind == content.Collection {
				continue
			}
			there[i] = w.now(there[i].Ref())
		}
		for range 60 {
			q := all(f.ID)
			q.Sort, q.Descending, q.Pinned = content.SortBy(r.IntN(4)), r.IntN(2) == 0, content.Pinned(r.IntN(3))
			if r.IntN(2) == 0 {
				q.AllModels, q.Models = false, []content.Model{content.ModelCard, content.ModelCollection, content.ModelSnippet}
			}
			if r.IntN(3) == 0 {
				q.Text = "B"
			}
			want := expected(there, q)
			var got []content.Item
			q.Limit = 1 + r.IntN(9)
			for q.Offset = 0; ; q.Offset += q.Limit {
				p := w.items(admin, q)
				if p.Total != len(want) {
					t.Fatalf("%+v: total %d, want %d", q, p.Total, len(want))
				}
				if len(p.Items) == 0 {
					break
				}
				got = append(got, p.Items...)
			}
			if names(got) != names(want) {
				t.Errorf("%+v:\n%s\n%s", q, names(got), names(want))
			}
		}
	})
}

// ranks is the order of models in lists (contract/content-data.md 2.5).
var ranks = []content.Model{
	content.ModelDashboard, content.ModelDataset, content.ModelMetric, content.ModelCard, content.ModelSnippet, content.ModelCollection, content.ModelTimeline,
}

// expected is a slow and simple list.
func expected(there []content.Item, q content.ItemQuery) []content.Item {
	out := []content.Item{}
	for _, i := range there {
		if i.Archived || !q.AllModels && !slices.Contains(q.Models, i.Model) || q.Pinned == content.OnlyPinned && i.Position == nil ||
			q.Pinned == content.NotPinned && i.Position != nil || !strings.Contains(strings.ToLower(i.Name), strings.ToLower(q.Text)) {
			continue
		}
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b content.Item) int {
		byName := cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		first := byName
		switch q.Sort {
		case content.SortByEdit:
			first = a.EditedAt.Compare(b.EditedAt)
		case content.SortByEditor:
			first = 0 // one editor made all
		case content.SortByModel:
			first = cmp.Compare(slices.Index(ranks, a.Model), slices.Index(ranks, b.Model))
		case content.SortByName:
		}
		if q.Descending {
			first = -first
		}
		return cmp.Or(first, byName, cmp.Compare(a.No, b.No))
	})
	return out
}

func TestItemsInDashboardsAndTrash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.person("bo")
		f := w.collection("Full", access.RootCollection)
		board := w.item(content.Dashboard, content.ModelDashboard, "board", f.ID)
		inner := w.update(w.card("inner", f.ID), content.Change{DashboardID: opt.Of(board.ID)})
		outer := w.card("outer", f.ID)
		if got := names(w.items(bo, all(f.ID)).Items); got != "board outer" {
			t.Errorf("with a question in a dashboard: %s", got)
		}
		q := all(f.ID)
		q.InDashboards = true
		if got := names(w.items(bo, q).Items); got != "board inner outer" {
			t.Errorf("with those in dashboards: %s", got)
		}
		w.update(outer, content.Change{Archived: opt.Of(true)})
		w.update(board, content.Change{Archived: opt.Of(true)})
		if got := names(w.items(bo, all(access.TrashCollection)).Items); got != "board outer" {
			t.Errorf("in the trash: %s", got)
		}
		if i := w.now(inner.Ref()); !i.Archived || i.ArchivedDirectly {
			t.Errorf("%+v", i)
		}
		w.grant(f.ID, access.AllUsers, access.View)
		if p := w.items(bo, all(access.TrashCollection)); len(p.Items) != 0 || p.Total != 0 {
			t.Errorf("who may only look has in the trash: %s", names(p.Items))
		}
		if p := w.items(admin, all(access.TrashCollection)); names(p.Items) != "board outer" {
			t.Errorf("an administrator has in the trash: %s", names(p.Items))
		}
	})
}

// grant sets what a group may do in one collection.
func (w *world) grant(collection, group int64, level access.CollectionLevel) {
	w.t.Helper()
	if err := w.SetGrants(w.t.Context(), admin, []content.Grant{{CollectionID: collection, GroupID: group, Level: level}}, false); err != nil {
		w.t.Fatal(err)
	}
}

func TestItemsOfHiddenCollectionsArePulledUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.person("bo")
		top := w.collection("Top", access.RootCollection)
		hidden := w.collection("Hidden", top.ID)
		more := w.collection("More", hidden.ID)
		deep := w.collection("Deep", more.ID)
		w.collection("Deeper", deep.ID)
		w.card("a-card", top.ID)
		w.grant(hidden.ID, access.AllUsers, access.NoCollection)
		w.grant(more.ID, access.AllUsers, access.NoCollection)
		if got := names(w.items(bo, all(top.ID)).Items); got != "a-card Deep" {
			t.Errorf("%s", got)
		}
		q := all(top.ID)
		q.Limit, q.Offset = 1, 1
		if p := w.items(bo, q); names(p.Items) != "Deep" || p.Total != 2 {
			t.Errorf("%s of %d", names(p.Items), p.Total)
		}
		held, err := w.Holdings(t.Context(), bo, []int64{top.ID})
		if err != nil || len(held[top.ID].Here) != 1 || held[top.ID].Below != nil {
			t.Errorf("%+v %v", held, err)
		}
		w.grant(access.RootCollection, access.AllUsers, access.NoCollection)
		w.grant(top.ID, access.AllUsers, access.NoCollection)
		if got := names(w.items(bo, all(access.RootCollection)).Items); got != "Deep" {
			t.Errorf("in the root: %s", got)
		}
	})
}

// The default order is read from an index: a page far behind costs what lies
// before it in the index, and no sorting.
func TestItemsAreNotSorted(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	w := newWorld(t, d)
	f := w.collection("Full", access.RootCollection)
	for _, q := range []content.ItemQuery{
		{}, {Descending: true}, {Sort: content.SortByEdit}, {Sort: content.SortByEditor}, {Sort: content.SortByModel},
		{Pinned: content.NotPinned}, {CollectionID: access.TrashCollection},
	} {
		q.AllModels, q.Limit, q.Offset = true, 50, 1000
		if q.CollectionID == 0 {
			q.CollectionID = f.ID
		}
		text, args, err := w.PageStatement(t.Context(), admin, q)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := db.All(t.Context(), d, func(r db.Row) (string, error) {
			var id, parent, unused int
			var detail string
			return detail, r.Scan(&id, &parent, &unused, &detail)
		}, "EXPLAIN QUERY PLAN "+text, args...)
		joined := strings.Join(plan, "; ")
		if err != nil || strings.Contains(joined, "TEMP B-TREE FOR ORDER BY") || !strings.Contains(joined, "INDEX") {
			t.Errorf("%+v: %s, %v", q, joined, err)
		}
	}
}

// BenchmarkItems lists pages of a collection of 100,000 items.
func BenchmarkItems(b *testing.B) {
	const n = 100_000
	for _, kind := range dbtest.Kinds() {
		d := dbtest.Open(b, kind)
		w := newWorld(b, d)
		f := w.collection("Full", access.RootCollection)
		w.fill(f.ID, n)
		if kind == dbtest.PostgreSQL { // as autovacuum does in time
			if _, err := d.Exec(b.Context(), "VACUUM ANALYZE item"); err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range []struct {
			name string
			q    content.ItemQuery
		}{
			{"first", content.ItemQuery{}}, {"middle", content.ItemQuery{Offset: n / 2}}, {"last", content.ItemQuery{Offset: n - 50}},
			{"edited", content.ItemQuery{Offset: n / 2, Sort: content.SortByEdit, Descending: true}},
			{"unpinned cards", content.ItemQuery{Offset: n / 2, Models: []content.Model{content.ModelCard}, Pinned: content.NotPinned}},
			{"text", content.ItemQuery{Text: "99"}},
		} {
			c.q.CollectionID, c.q.AllModels, c.q.Limit = f.ID, c.q.Models == nil, 50
			b.Run(string(kind)+"/"+c.name, func(b *testing.B) {
				before := cpu(b)
				for b.Loop() {
					if p, err := w.Items(b.Context(), admin, c.q); err != nil || p.Total < 50 {
						b.Fatal(p.Total, err)
					}
				}
				b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
			})
		}
	}
}

// cpu is the processor time that this process has used: on a busy machine the
// clock on the wall says little.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// fill writes the rows of many cards and dashboards.
func (w *world) fill(collection int64, n int) {
	w.t.Helper()
	err := w.db.InTx(w.t.Context(), func(ctx context.Context) error {
		for i := range n {
			kind, rank := "card", 5
			if i%4 == 0 {
				kind, rank = "dashboard", 1
			}
			if _, err := w.db.Exec(ctx, `INSERT INTO item (kind, id, model, rank, name, name_key, entity_id, collection_id, created_at, updated_at, edited_at)
				VALUES (?1, ?2, ?1, ?3, ?4, ?4, ?5, ?6, ?2, ?2, ?2)`, kind, 1000+i, rank, fmt.Sprintf("item %06d", i*7919%n), fmt.Sprintf("%021d", i), collection); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

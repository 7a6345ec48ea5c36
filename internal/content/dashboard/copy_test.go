package dashboard_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func TestShallowCopy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo, closed := w.person("bo"), w.closed("Closed")
		q := w.cards(2)
		hidden := w.card("hidden", closed, 0)
		first := onTab(at(-1, q[0], 0), -2)
		first.Series = opt.Of([]int64{hidden, q[1]})
		d := w.update(w.make("D").ID, dashboard.Change{
			Tabs:        tabs(dashboard.GivenTab{ID: -1, Name: "One"}, dashboard.GivenTab{ID: -2, Name: "Two"}),
			Cards:       placed(first, onTab(at(-2, hidden, 3), -1), onTab(dashboard.GivenCard{ID: -3, Row: 1, Width: 2, Height: 2}, -1)),
			Parameters:  opt.Of(json.RawMessage(`[{"id":"a","type":"id"}]`)),
			Description: opt.Of("about"), CacheTTL: opt.Of(int64(3)), FullWidth: opt.Of(true),
		})
		c, left, err := w.Copy(t.Context(), bo, d.ID, dashboard.Copy{})
		if err != nil || !slices.Equal(left, []int64{hidden}) {
			t.Fatal(left, err)
		}
		switch {
		case c.ID == d.ID, c.EntityID == d.EntityID, c.Name != "D", *c.Description != "about", c.CreatorID != bo.UserID, c.CollectionID != access.RootCollection:
			t.Errorf("%+v", c.Item)
		case string(c.Parameters) != string(d.Parameters), *c.CacheTTL != 3, !c.FullWidth:
			t.Errorf("%+v", c.Particulars)
		case len(c.Tabs) != 2, c.Tabs[1].Name != "Two", c.Tabs[1].ID == d.Tabs[1].ID:
			t.Errorf("%+v", c.Tabs)
		case len(c.Cards) != 2, *c.Cards[0].TabID != c.Tabs[1].ID, *c.Cards[0].CardID != q[0], !slices.Equal(c.Cards[0].Series, []int64{q[1]}), c.Cards[1].CardID != nil:
			t.Errorf("%+v", c.Cards)
		}
		if list, err := w.log.List(t.Context(), admin, c.Ref()); err != nil || len(list) != 1 || !list[0].Creation {
			t.Errorf("%+v %v", list, err)
		}
		name := "Copy"
		c, _, err = w.Copy(t.Context(), admin, d.ID, dashboard.Copy{Name: &name, CollectionID: closed})
		if err != nil || c.Name != "Copy" || c.CollectionID != closed || len(c.Cards) != 3 {
			t.Errorf("%+v %v", c, err)
		}
		for what, row := range map[string]struct {
			id   int64
			c    dashboard.Copy
			kind fault.Kind
		}{
			"unknown":              {999_999, dashboard.Copy{}, fault.NotFound},
			"unreadable":           {c.ID, dashboard.Copy{}, fault.Forbidden},
			"forbidden collection": {d.ID, dashboard.Copy{CollectionID: closed}, fault.Forbidden},
			"unknown collection":   {d.ID, dashboard.Copy{CollectionID: 999_999}, fault.NotFound},
		} {
			_, _, err := w.Copy(t.Context(), bo, row.id, row.c)
			if !fault.Is(err, row.kind) {
				t.Errorf("%s: %v", what, err)
			}
		}
		own := w.make("With questions")
		w.card("own", access.RootCollection, own.ID)
		_, _, err = w.Copy(t.Context(), admin, own.ID, dashboard.Copy{})
		if want(t, err, fault.Invalid); !strings.HasPrefix(err.Error(), "invalid: You cannot do a shallow copy") {
			t.Error(err)
		}
		if list, err := w.List(t.Context(), admin, dashboard.All); err != nil || len(list) != 4 {
			t.Errorf("%d dashboards, %v", len(list), err)
		}
	})
}

func TestDeepCopy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		folder, err := w.items.CreateCollection(t.Context(), admin, content.NewCollection{Name: "Folder"})
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.Create(t.Context(), admin, dashboard.New{Name: "D", CollectionID: folder.ID})
		if err != nil {
			t.Fatal(err)
		}
		here, there, gone := w.card("here", folder.ID, 0), w.card("there", access.RootCollection, 0), w.card("gone", folder.ID, 0)
		own := w.card("own", access.RootCollection, d.ID)
		model, err := w.questions.Create(t.Context(), admin, card.New{
			Name: "model", Type: card.Model, Display: "table", Query: json.RawMessage(`{"database":1,"type":"native","native":{"query":"select 1"}}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		mapped := at(-1, here, 0)
		mapped.Mappings = opt.Of(json.RawMessage(fmt.Sprintf(`[{"parameter_id":"a","card_id":%d,"target":["variable",["template-tag","x"]]}]`, here)))
		w.update(d.ID, dashboard.Change{Cards: placed(mapped, at(-2, there, 4), at(-3, gone, 8), at(-4, own, 12), at(-5, model.ID, 16), at(-6, here, 20))})
		w.archive(content.Ref{Kind: content.Card, ID: gone})

		c, left, err := w.Copy(t.Context(), admin, d.ID, dashboard.Copy{CollectionID: folder.ID, Deep: true})
		if err != nil || !slices.Equal(left, []int64{gone}) || len(c.Cards) != 5 {
			t.Fatalf("%+v %v %v", c.Cards, left, err)
		}
		items, err := w.items.ByIDs(t.Context(), content.Card, c.CardIDs())
		if err != nil {
			t.Fatal(err)
		}
		at := func(n int) content.Item { return items[*c.Cards[n].CardID] }
		for n, row := range []struct {
			name       string
			collection int64
			in         int64
		}{
			{"here - Duplicate", folder.ID, 0}, {"there", folder.ID, 0}, {"own", folder.ID, c.ID},
			{"model", access.RootCollection, 0}, {"here - Duplicate", folder.ID, 0},
		} {
			if i := at(n); i.Name != row.name || i.CollectionID != row.collection || i.DashboardID != row.in || i.Archived {
				t.Errorf("dashcard %d: %+v, want %+v", n, i, row)
			}
		}
		if at(3).ID != model.ID || at(0).ID == here || at(0).ID != at(4).ID {
			t.Errorf("%+v", items)
		}
		if want := fmt.Sprintf(`"card_id":%d`, at(0).ID); !strings.Contains(string(c.Cards[0].Mappings), want) {
			t.Errorf("%s without %s", c.Cards[0].Mappings, want)
		}
		if _, list, err := w.Questions(t.Context(), admin, c.ID); err != nil || len(list) != 1 || list[0].Name != "own" {
			t.Errorf("%+v %v", list, err)
		}
	})
}

package dashboard_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func TestReplacementKeepsMakesAndDeletes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(3)
		d := w.make("KPIs")
		d = w.update(d.ID, dashboard.Change{Cards: placed(at(0, q[0], 0), at(-1, q[1], 4), at(7777, q[2], 8))})
		if len(d.Cards) != 3 || *d.Cards[0].CardID != q[0] || *d.Cards[2].CardID != q[2] || d.Cards[0].ID <= 0 || len(d.Cards[0].EntityID) != 21 {
			t.Fatalf("%+v", d.Cards)
		}
		kept, moved := d.Cards[2], d.Cards[0]
		again := at(moved.ID, q[0], 9)
		again.Series = opt.Of([]int64{q[1], q[1], q[2]})
		again.Settings = opt.Of(json.RawMessage(`{"a":1}`))
		next := w.update(d.ID, dashboard.Change{Cards: placed(dashboard.GivenCard{ID: kept.ID, Row: 8, Width: 6, Height: 4}, again, at(-1, q[2], 1))})
		if len(next.Cards) != 3 || next.Cards[0].ID != moved.ID || next.Cards[1].ID != kept.ID || next.Cards[2].ID <= kept.ID {
			t.Fatalf("%+v", next.Cards)
		}
		if c := next.Cards[0]; c.Row != 9 || string(c.Settings) != `{"a":1}` || !slices.Equal(c.Series, []int64{q[1], q[2]}) || c.EntityID != moved.EntityID {
			t.Errorf("changed: %+v", c)
		}
		if a, b := next.Cards[1], kept; a.EntityID != b.EntityID || *a.CardID != *b.CardID || !a.UpdatedAt.Equal(b.UpdatedAt) {
			t.Errorf("unchanged: %+v, was %+v", a, b)
		}
		for name, none := range map[string]opt.Value[[]dashboard.GivenCard]{"null": opt.Null[[]dashboard.GivenCard](), "empty": placed()} {
			if d := w.update(w.make(name).ID, dashboard.Change{Cards: none}); len(d.Cards) != 0 {
				t.Errorf("%s: %+v", name, d.Cards)
			}
		}
		if d := w.update(d.ID, dashboard.Change{Cards: opt.Null[[]dashboard.GivenCard]()}); len(d.Cards) != 0 {
			t.Errorf("null keeps %+v", d.Cards)
		}
	})
}

func TestTabs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(2)
		d := w.make("Tabs")
		d = w.update(d.ID, dashboard.Change{
			Tabs:  tabs(dashboard.GivenTab{ID: -1, Name: "One"}, dashboard.GivenTab{ID: -2, Name: "Two"}),
			Cards: placed(onTab(at(-1, q[0], 0), -2), onTab(at(-2, q[1], 0), -1)),
		})
		one, two := d.Tabs[0], d.Tabs[1]
		if one.Name != "One" || two.Position != 1 || len(two.EntityID) != 21 || *d.Cards[0].TabID != two.ID || *d.Cards[1].TabID != one.ID {
			t.Fatalf("%+v %+v", d.Tabs, d.Cards)
		}
		both := []dashboard.GivenCard{onTab(at(d.Cards[0].ID, q[0], 0), two.ID), onTab(at(d.Cards[1].ID, q[1], 3), one.ID)}

		d = w.update(d.ID, dashboard.Change{Cards: opt.Of(both)})
		if len(d.Tabs) != 2 || d.Cards[1].Row != 3 {
			t.Errorf("dashcards sent back without tabs: %+v", d.Tabs)
		}
		_, err := w.Update(t.Context(), admin, d.ID, dashboard.Change{Cards: placed(both[0], at(-1, q[0], 0))})
		if want(t, err, fault.Invalid); fault.As(err).Message != "This dashboard has tab, makes sure every card has a tab" {
			t.Error(err)
		}
		d = w.update(d.ID, dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: two.ID, Name: "Second"}, dashboard.GivenTab{ID: one.ID, Name: "One"})})
		if d.Tabs[0].ID != two.ID || d.Tabs[0].Name != "Second" || d.Tabs[1].Position != 1 || len(d.Cards) != 2 {
			t.Errorf("tabs in another order: %+v %+v", d.Tabs, d.Cards)
		}
		d = w.update(d.ID, dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: one.ID, Name: "One"})})
		if len(d.Tabs) != 1 || len(d.Cards) != 1 || *d.Cards[0].CardID != q[1] {
			t.Errorf("a tab goes with its dashcards: %+v %+v", d.Tabs, d.Cards)
		}
		d = w.update(d.ID, dashboard.Change{
			Tabs: tabs(dashboard.GivenTab{ID: one.ID, Name: "One"}), Cards: placed(at(d.Cards[0].ID, q[1], 0), at(-1, q[0], 0)),
		})
		if len(d.Cards) != 2 || *d.Cards[0].TabID != one.ID || *d.Cards[1].TabID != one.ID {
			t.Errorf("the only tab is filled in: %+v", d.Cards)
		}
		d = w.update(d.ID, dashboard.Change{Cards: placed(at(-1, q[0], 0))})
		if len(d.Tabs) != 0 || len(d.Cards) != 1 || d.Cards[0].TabID != nil {
			t.Errorf("dashcards on no tab, tabs absent: %+v %+v", d.Tabs, d.Cards)
		}
		d = w.update(d.ID, dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: 0, Name: "New"})})
		if len(d.Tabs) != 1 || *d.Cards[0].TabID != d.Tabs[0].ID {
			t.Errorf("the first tab takes all: %+v", d.Cards)
		}
	})
}

func TestReplacementRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(2)
		bo := w.person("bo")
		gone, hidden := w.card("gone", access.RootCollection, 0), w.card("hidden", w.closed("Closed"), 0)
		other := w.make("Other")
		foreign := w.card("foreign", access.RootCollection, other.ID)
		d := w.make("D")
		w.update(d.ID, dashboard.Change{Cards: placed(at(-1, q[0], 0))})
		w.archive(content.Ref{Kind: content.Card, ID: gone})
		before := text(t, w.get(d.ID))
		with := func(change func(c *dashboard.GivenCard)) opt.Value[[]dashboard.GivenCard] {
			c := at(-1, q[0], 0)
			change(&c)
			return placed(c)
		}
		for name, bad := range map[string]struct {
			c    dashboard.Change
			kind fault.Kind
			says string
		}{
			"unknown question":   {dashboard.Change{Cards: placed(at(-1, 999_999, 0))}, fault.NotFound, "Not found."},
			"question in trash":  {dashboard.Change{Cards: placed(at(-1, gone, 0))}, fault.NotFound, "archived"},
			"unreadable":         {dashboard.Change{Cards: placed(at(-1, hidden, 0))}, fault.Forbidden, ""},
			"unreadable series":  {dashboard.Change{Cards: with(func(c *dashboard.GivenCard) { c.Series = opt.Of([]int64{hidden}) })}, fault.Forbidden, ""},
			"lives elsewhere":    {dashboard.Change{Cards: placed(at(-1, foreign, 0))}, fault.Invalid, "Invalid Request."},
			"id twice":           {dashboard.Change{Cards: placed(at(-1, q[0], 0), at(-1, q[1], 0))}, fault.Invalid, "twice"},
			"0 twice":            {dashboard.Change{Cards: placed(at(0, q[0], 0), at(0, q[1], 0))}, fault.Invalid, "twice"},
			"tab id twice":       {dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: -1, Name: "a"}, dashboard.GivenTab{ID: -1, Name: "b"})}, fault.Invalid, "twice"},
			"blank tab":          {dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: -1, Name: " "})}, fault.Invalid, "non-blank"},
			"long tab":           {dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: -1, Name: strings.Repeat("x", 255)})}, fault.Invalid, "254"},
			"unknown tab":        {dashboard.Change{Cards: placed(onTab(at(-1, q[0], 0), 5))}, fault.Invalid, "no tab"},
			"two tabs":           {dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: -1, Name: "a"}, dashboard.GivenTab{ID: -2, Name: "b"})}, fault.Invalid, "every card has a tab"},
			"negative row":       {dashboard.Change{Cards: placed(at(-1, q[0], -1))}, fault.Invalid, "row"},
			"row out of sight":   {dashboard.Change{Cards: placed(at(-1, q[0], 1_000_001))}, fault.Invalid, "row"},
			"no width":           {dashboard.Change{Cards: with(func(c *dashboard.GivenCard) { c.Width = 0 })}, fault.Invalid, "size"},
			"no target":          {dashboard.Change{Cards: with(func(c *dashboard.GivenCard) { c.Mappings = opt.Of(json.RawMessage(`[{"parameter_id":"a"}]`)) })}, fault.Invalid, "parameter_mappings"},
			"mapping of nothing": {dashboard.Change{Cards: with(func(c *dashboard.GivenCard) { c.Mappings = opt.Of(json.RawMessage(`[{"target":[]}]`)) })}, fault.Invalid, "parameter_mappings"},
			"text with series": {dashboard.Change{Cards: with(func(c *dashboard.GivenCard) {
				c.CardID, c.Series = opt.Null[int64](), opt.Of([]int64{q[1]})
			})}, fault.Invalid, "series"},
			"parameter without type":  {dashboard.Change{Parameters: opt.Of(json.RawMessage(`[{"id":"a"}]`))}, fault.Invalid, "parameter"},
			"parameters twice":        {dashboard.Change{Parameters: opt.Of(json.RawMessage(`[{"id":"a","type":"id"},{"id":"a","type":"id"}]`))}, fault.Invalid, "twice"},
			"blank name":              {dashboard.Change{Name: opt.Of(" "), Cards: placed()}, fault.Invalid, "non-blank"},
			"unknown collection":      {dashboard.Change{CollectionID: opt.Of(int64(999_999)), Cards: placed()}, fault.NotFound, ""},
			"long points of interest": {dashboard.Change{PointsOfInterest: opt.Of(strings.Repeat("x", 65_536))}, fault.Invalid, "65535"},
		} {
			_, err := w.Update(t.Context(), bo, d.ID, bad.c)
			if !fault.Is(err, bad.kind) || !strings.Contains(err.Error(), bad.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after := text(t, w.get(d.ID)); after != before {
			t.Errorf("something changed:\n%s\n%s", before, after)
		}
		if list, err := w.log.List(t.Context(), admin, d.Ref()); err != nil || len(list) != 2 {
			t.Errorf("revisions: %+v %v", list, err)
		}
	})
}

func TestWhatStandsThereMayStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.person("bo")
		hidden, gone := w.card("hidden", w.closed("Closed"), 0), w.card("gone", access.RootCollection, 0)
		d := w.make("D")
		d = w.update(d.ID, dashboard.Change{Cards: placed(at(-1, hidden, 0), at(-2, gone, 4))})
		w.archive(content.Ref{Kind: content.Card, ID: gone})
		d, err := w.Update(t.Context(), bo, d.ID, dashboard.Change{Cards: placed(at(d.Cards[0].ID, hidden, 9), at(-1, gone, 4))})
		if err != nil || d.Cards[0].Row != 9 || len(d.Cards) != 2 {
			t.Errorf("%+v %v", d.Cards, err)
		}
		w.archive(d.Ref())
		_, err = w.Update(t.Context(), bo, d.ID, dashboard.Change{Cards: placed(), Archived: opt.Of(false)})
		if want(t, err, fault.NotFound); fault.As(err).Code != content.CodeArchived {
			t.Error(err)
		}
		if d := w.get(d.ID); len(d.Cards) != 2 || !d.Archived {
			t.Errorf("%+v", d)
		}
	})
}

// TestQuestionsThatLiveThere: nobody would find a question that lives in a
// dashboard and stands on it no more.
func TestQuestionsThatLiveThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.make("D")
		own := w.card("own", access.RootCollection, d.ID)
		in := content.Ref{Kind: content.Card, ID: own}
		d = w.update(d.ID, dashboard.Change{Cards: placed(at(-1, own, 0), at(-2, own, 4))})
		d = w.update(d.ID, dashboard.Change{Cards: placed(at(d.Cards[0].ID, own, 0))})
		if w.item(in).Archived {
			t.Error("it stands there still")
		}
		w.update(d.ID, dashboard.Change{Cards: placed()})
		if !w.item(in).Archived {
			t.Error("it stands there no more")
		}
		w.update(d.ID, dashboard.Change{Cards: placed(at(-1, own, 0))})
		if w.item(in).Archived {
			t.Error("it is back")
		}
		w.update(d.ID, dashboard.Change{Archived: opt.Of(true)})
		if !w.item(in).Archived {
			t.Error("it goes into the trash with its dashboard")
		}
		if err := w.Delete(t.Context(), admin, d.ID); err != nil {
			t.Fatal(err)
		}
		_, err := w.items.Get(t.Context(), admin, in)
		want(t, err, fault.NotFound)
	})
}

func TestDeletedQuestionsLeave(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(3)
		first, second := at(-1, q[0], 0), at(-2, q[1], 4)
		first.Series = opt.Of([]int64{q[2], q[1]})
		d := w.make("D")
		w.update(d.ID, dashboard.Change{Cards: placed(first, second)})
		if err := w.items.Delete(t.Context(), admin, content.Ref{Kind: content.Card, ID: q[1]}); err != nil {
			t.Fatal(err)
		}
		if d := w.get(d.ID); len(d.Cards) != 1 || !slices.Equal(d.Cards[0].Series, []int64{q[2]}) {
			t.Errorf("%+v", d.Cards)
		}
	})
}

// TestTwoReplacementsAtOnce: whoever comes second wins with all of its list.
func TestTwoReplacementsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(2)
		d := w.make("D")
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				list := make([]dashboard.GivenCard, 20)
				for i := range list {
					list[i] = at(int64(-i), q[n%2], int64(i))
				}
				if _, err := w.Update(context.WithoutCancel(t.Context()), admin, d.ID, dashboard.Change{Cards: opt.Of(list)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		after := w.get(d.ID)
		if len(after.Cards) != 20 || len(after.CardIDs()) != 1 {
			t.Errorf("%d dashcards of the questions %v", len(after.Cards), after.CardIDs())
		}
	})
}

func TestAThousandDashcards(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(1)
		list := make([]dashboard.GivenCard, 1000)
		for i := range list {
			list[i] = at(int64(-i), q[0], int64(i))
		}
		d := w.update(w.make("Big").ID, dashboard.Change{Cards: opt.Of(list)})
		if len(d.Cards) != 1000 || d.Cards[999].Row != 999 {
			t.Errorf("%d dashcards", len(d.Cards))
		}
	})
}

package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"latchkey/internal/content"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func TestPlaceRemoveShowing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(3)
		series := at(-1, q[0], 2)
		series.Series = opt.Of([]int64{q[2]})
		d := w.update(w.make("D").ID, dashboard.Change{
			Tabs:  tabs(dashboard.GivenTab{ID: -1, Name: "One"}, dashboard.GivenTab{ID: -2, Name: "Two"}),
			Cards: placed(onTab(series, -1)),
		})
		plain := w.make("Plain")
		tx := func(f func(ctx context.Context) error) {
			t.Helper()
			if err := w.db.InTx(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		tx(func(ctx context.Context) error { return w.Place(ctx, admin, d.ID, nil, q[1]) })
		tx(func(ctx context.Context) error { return w.Place(ctx, admin, d.ID, nil, q[1]) }) // it is there already
		tx(func(ctx context.Context) error { return w.Place(ctx, admin, d.ID, &d.Tabs[1].ID, q[2]) })
		tx(func(ctx context.Context) error { return w.Place(ctx, admin, plain.ID, nil, q[2]) })
		after := w.get(d.ID)
		if len(after.Cards) != 3 || *after.Cards[1].TabID != d.Tabs[0].ID || after.Cards[1].Row != 6 || *after.Cards[2].TabID != d.Tabs[1].ID || after.Cards[2].Row != 0 {
			t.Errorf("%+v", after.Cards)
		}
		showing, err := w.Showing(t.Context(), q)
		if want := map[int64][]int64{q[0]: {d.ID}, q[1]: {d.ID}, q[2]: {d.ID, plain.ID}}; err != nil || !maps.EqualFunc(showing, want, slices.Equal[[]int64]) {
			t.Errorf("%v %v, want %v", showing, err, want)
		}
		tx(func(ctx context.Context) error { return w.Remove(ctx, admin, q[2], plain.ID) })
		if after := w.get(d.ID); len(after.Cards) != 2 || len(after.Cards[0].Series) != 0 || len(w.get(plain.ID).Cards) != 1 {
			t.Errorf("%+v", after.Cards)
		}
		err = w.db.InTx(t.Context(), func(ctx context.Context) error { return w.Place(ctx, admin, 999_999, nil, q[0]) })
		want(t, err, fault.NotFound)
	})
}

func TestBind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(2)
		c := at(-1, q[0], 0)
		c.Series = opt.Of([]int64{q[1]})
		c.Mappings = opt.Of(json.RawMessage(fmt.Sprintf(`[
			{"parameter_id":"a","target":["variable",["template-tag","x"]]},
			{"parameter_id":"b","card_id":%d,"target":["dimension",["template-tag","y"]]},
			{"parameter_id":"b","card_id":%d,"target":["dimension",["template-tag","z"]]}]`, q[0], q[1])))
		d := w.update(w.make("D").ID, dashboard.Change{Cards: placed(c), Parameters: opt.Of(json.RawMessage(
			`[{"id":"a","type":"category","default":["d"]},{"id":"b","type":"string/="},{"id":"c","type":"id","default":5}]`))})
		dashcard := d.Cards[0].ID
		bo, closed := w.person("bo"), w.closed("Closed")
		for name, row := range map[string]struct {
			card  int64
			asked []dashboard.Asked
			want  string
		}{
			"defaults":            {q[0], nil, `a category ["d"] ["variable",["template-tag","x"]]; `},
			"of the series":       {q[1], nil, ``},
			"given":               {q[0], []dashboard.Asked{{ID: "b", Value: json.RawMessage(`["v"]`)}}, `b string/= ["v"] ["dimension",["template-tag","y"]]; a category ["d"] ["variable",["template-tag","x"]]; `},
			"null beats default":  {q[0], []dashboard.Asked{{ID: "a", Type: "text", Value: json.RawMessage(`null`)}}, `a text null ["variable",["template-tag","x"]]; `},
			"series":              {q[1], []dashboard.Asked{{ID: "b", Value: json.RawMessage(`1`)}}, `b string/= 1 ["dimension",["template-tag","z"]]; `},
			"not mapped: no harm": {q[1], []dashboard.Asked{{ID: "c", Value: json.RawMessage(`1`)}}, ``},
		} {
			bound, err := w.Bind(t.Context(), bo, d.ID, dashcard, row.card, row.asked)
			got := ""
			for _, b := range bound {
				got += fmt.Sprintf("%s %s %s %s; ", b.ID, b.Type, b.Value, b.Target)
			}
			if err != nil || got != row.want {
				t.Errorf("%s: %q %v, want %q", name, got, err, row.want)
			}
		}
		secret, err := w.Create(t.Context(), admin, dashboard.New{Name: "Secret", CollectionID: closed})
		if err != nil {
			t.Fatal(err)
		}
		for name, row := range map[string]struct {
			board, dashcard, card int64
			asked                 []dashboard.Asked
			kind                  fault.Kind
		}{
			"no dashboard":      {999_999, dashcard, q[0], nil, fault.NotFound},
			"no dashcard":       {d.ID, 999_999, q[0], nil, fault.NotFound},
			"another question":  {d.ID, dashcard, 999_999, nil, fault.NotFound},
			"unreadable":        {secret.ID, dashcard, q[0], nil, fault.Forbidden},
			"no such parameter": {d.ID, dashcard, q[0], []dashboard.Asked{{ID: "zzz"}}, fault.Invalid},
		} {
			_, err := w.Bind(t.Context(), bo, row.board, row.dashcard, row.card, row.asked)
			if !fault.Is(err, row.kind) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err = w.Bind(t.Context(), nil, d.ID, dashcard, q[0], nil)
		want(t, err, fault.Unauthenticated)
	})
}

func TestValues(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := w.update(w.make("D").ID, dashboard.Change{Parameters: opt.Of(json.RawMessage(
			`[{"id":"a","type":"category","values_source_type":"static-list","values_source_config":{"values":["Paid",["o","Open"],7]}},{"id":"b","type":"id"}]`))})
		for search, want := range map[string]string{"": `[["Paid"] ["o","Open"] [7]]`, "PA": `[["Paid"]]`, "pe": `[["o","Open"]]`, "7": `[[7]]`, `"`: `[]`} {
			got, err := w.Values(t.Context(), admin, d.ID, "a", search)
			texts := []string{}
			for _, v := range got {
				texts = append(texts, string(v))
			}
			if err != nil || fmt.Sprint(texts) != want {
				t.Errorf("%q: %v %v, want %s", search, texts, err, want)
			}
		}
		if got, err := w.Values(t.Context(), admin, d.ID, "b", ""); err != nil || got == nil || len(got) != 0 {
			t.Errorf("%v %v", got, err)
		}
		_, err := w.Values(t.Context(), admin, d.ID, "zzz", "")
		want(t, err, fault.Invalid)
	})
}

func TestRevert(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		q := w.cards(3)
		d := w.make("D")
		first := w.update(d.ID, dashboard.Change{
			Tabs:       tabs(dashboard.GivenTab{ID: -1, Name: "One"}, dashboard.GivenTab{ID: -2, Name: "Two"}),
			Cards:      placed(onTab(at(-1, q[0], 0), -1), onTab(at(-2, q[1], 0), -2), onTab(at(-3, q[2], 5), -2)),
			Parameters: opt.Of(json.RawMessage(`[{"id":"a","type":"id"}]`)), Description: opt.Of("then"), Caveats: opt.Of("none"),
		})
		list, err := w.log.List(t.Context(), admin, d.Ref())
		if err != nil || len(list) != 2 || !list[1].Creation {
			t.Fatalf("%+v %v", list, err)
		}
		stays := first.Cards[2]
		w.update(d.ID, dashboard.Change{
			Name: opt.Of("Later"), Tabs: tabs(dashboard.GivenTab{ID: *stays.TabID, Name: "Other"}),
			Cards: placed(dashboard.GivenCard{ID: stays.ID, Row: 9, Width: 1, Height: 1}), FullWidth: opt.Of(true), Caveats: opt.Of("many"),
		})
		later := list[0]
		if err := w.items.Delete(t.Context(), admin, content.Ref{Kind: content.Card, ID: q[0]}); err != nil {
			t.Fatal(err)
		}
		w.archive(d.Ref())
		made, err := w.log.Revert(t.Context(), admin, d.Ref(), later.ID)
		if err != nil || !made.Reversion {
			t.Fatal(err)
		}
		now := w.get(d.ID)
		switch {
		case now.Archived, now.Name != "D", now.FullWidth, *now.Description != "then", *now.Caveats != "none":
			t.Errorf("%+v", now)
		case len(now.Tabs) != 2 || now.Tabs[0].Name != "One" || now.Tabs[1].ID != *stays.TabID || now.Tabs[1].Name != "Two":
			t.Errorf("%+v", now.Tabs)
		case len(now.Cards) != 2 || now.Cards[0].ID != stays.ID || now.Cards[0].Row != 5 || *now.Cards[1].CardID != q[1] || *now.Cards[1].TabID != *stays.TabID:
			t.Errorf("%+v", now.Cards)
		}
		list, err = w.log.List(t.Context(), admin, d.Ref())
		if err != nil {
			t.Fatal(err)
		}
		if got := list[1].Text(); got == "" {
			t.Error("a change without words")
		}
		w.update(d.ID, dashboard.Change{Name: opt.Of("D")})
		if again, err := w.log.List(t.Context(), admin, d.Ref()); err != nil || len(again) != len(list) {
			t.Errorf("a change that changes nothing is told: %d, before %d, %v", len(again), len(list), err)
		}
	})
}

func TestParts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo, closed := w.person("bo"), w.closed("Closed")
		full := dashboard.Change{Tabs: tabs(dashboard.GivenTab{ID: -1, Name: "One"}), Cards: placed(dashboard.GivenCard{ID: -1, Width: 1, Height: 1})}
		open := w.update(w.make("Open").ID, full)
		secret, err := w.Create(t.Context(), admin, dashboard.New{Name: "Secret", CollectionID: closed})
		if err != nil {
			t.Fatal(err)
		}
		secret = w.update(secret.ID, full)
		eids := []string{open.Tabs[0].EntityID, open.Cards[0].EntityID, secret.Tabs[0].EntityID, secret.Cards[0].EntityID, "x'"}
		for kind, want := range map[dashboard.Part]map[string]int64{
			dashboard.TabPart:  {eids[0]: open.Tabs[0].ID},
			dashboard.CardPart: {eids[1]: open.Cards[0].ID},
		} {
			if got, err := w.Parts(t.Context(), bo, kind, eids); err != nil || !maps.Equal(got, want) {
				t.Errorf("%s: %v %v, want %v", kind, got, err, want)
			}
			if got, err := w.Parts(t.Context(), admin, kind, eids); err != nil || len(got) != 2 {
				t.Errorf("%s: %v %v", kind, got, err)
			}
		}
		_, err = w.Parts(t.Context(), nil, dashboard.TabPart, eids)
		want(t, err, fault.Unauthenticated)
	})
}

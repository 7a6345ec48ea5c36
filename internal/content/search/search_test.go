package search_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/search"
	"latchkey/internal/opt"
)

func TestWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.card("Daily orders", 0)
		w.card("Orders of 2024", 0, "by country, with \"quotes\"")
		w.card("orders.csv", 0)
		w.card("daily_visitors", 0)
		w.card("Ärger & Größe", 0)
		w.card("每日销售", 0)
		w.card("it's a \\ 100% (test)", 0)
		w.card(strings.Repeat("x", 254), 0)
		for q, want := range map[string]string{
			"orders":                   "Daily orders,Orders of 2024,orders.csv",
			"ORDERS":                   "Daily orders,Orders of 2024,orders.csv",
			"ord":                      "Daily orders,Orders of 2024,orders.csv",
			"rders":                    "",
			"daily ord":                "Daily orders",
			"dai ord":                  "", // only the last word may be a beginning
			"orders daily":             "Daily orders",
			"daily":                    "Daily orders,daily_visitors",
			"daily_vis":                "daily_visitors",
			"orders.csv":               "orders.csv",
			"csv":                      "orders.csv",
			"2024":                     "Orders of 2024",
			"country":                  "Orders of 2024",
			`with "quotes`:             "Orders of 2024",
			"ärger":                    "Ärger & Größe",
			"GRÖSSE":                   "",
			"GRÖ":                      "Ärger & Größe",
			"每日":                       "每日销售",
			"it's":                     "it's a \\ 100% (test)",
			"100%":                     "it's a \\ 100% (test)",
			strings.Repeat("x", 254):   strings.Repeat("x", 254),
			strings.Repeat("x", 300):   strings.Repeat("x", 254),
			"---":                      "",
			"no such thing":            "",
			strings.Repeat("q ", 5000): "",
		} {
			w.want(admin, text(q), want)
		}
	})
}

// TestHostileWords tries what means something to one of the databases.
func TestHostileWords(t *testing.T) {
	hostile := []string{
		`"`, `""`, `'`, `\`, `*`, `a*b`, `(`, `)`, `((a`, `a OR b`, `AND`, `NOT a`, `a NEAR b`, `NEAR(a b, 2)`, `name:a`, `{name}:a`, `^a`, `a + b`, `-a`,
		`a & b`, `a | b`, `!a`, `a <-> b`, `a:*`, `a:A`, `'a':*`, `\'a`, `a''b`, `?1`, `$1`, `%s`, `; DROP TABLE item`, "a\tb\nc", "\u200b", "\ufeff", "e\u0301",
		"\U0001f600", "हिन्दी", "ไทย", "—", "…", "a—b", "‘a’", "\u0085", "\u2028", strings.Repeat("a", 10_000), strings.Repeat("a ", 5000), strings.Repeat("\"", 10_000),
		strings.Repeat("é", 10_000), "1e309", "0x10", "1.5.2", "a@example.com", "https://example.com/a?b=c#d", "/etc/passwd", "C:\\x", "﷽", "\u202ea",
	}
	each(t, func(t *testing.T, w *world) {
		w.card("a b", 0)
		for _, q := range hostile {
			for _, inSQL := range []bool{false, true} {
				if _, err := w.Search(t.Context(), admin, search.Query{Text: q, InSQL: inSQL}, 10, 0); err != nil {
					t.Errorf("%.40q: %v", q, err)
				}
			}
		}
	})
}

func TestTriggersKeepTheWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.card("first", 0, "alpha")
		w.sql(i, 1, "table", "select zebra from orders")
		w.want(admin, text("zebra"), "")
		w.want(admin, search.Query{Text: "zebra", InSQL: true}, "first")
		w.want(admin, search.Query{Text: "alpha", InSQL: true}, "first")
		w.update(i, content.Change{Name: opt.Of("second"), Description: opt.Of("beta")})
		w.want(admin, text("first"), "")
		w.want(admin, text("alpha"), "")
		w.want(admin, text("beta"), "second")
		w.want(admin, search.Query{Text: "zebra", InSQL: true}, "second")
		w.tx(func(ctx context.Context) error {
			_, err := w.db.Exec(ctx, "UPDATE card SET query = ?1", `{"stages":[{"native":"select lion"}]}`)
			return err
		})
		w.want(admin, search.Query{Text: "zebra", InSQL: true}, "")
		w.want(admin, search.Query{Text: "lion", InSQL: true}, "second")
		w.want(admin, text("second"), "second")
		w.update(i, content.Change{Description: opt.Null[string]()})
		w.want(admin, text("beta"), "")
		w.must(w.Rebuild(t.Context(), admin))
		w.want(admin, search.Query{Text: "lion", InSQL: true}, "second")
		w.want(admin, text("second"), "second")
		w.must(w.content.Delete(t.Context(), admin, i.Ref()))
		w.want(admin, text("second"), "")
		w.must(w.Rebuild(t.Context(), admin))
	})
}

func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.card("weekly sales report", 0)
		w.clock.Advance(48 * time.Hour)
		w.card("Report on sales", 0, "")
		w.card("Sales", 0)
		w.card("Sales by month", 0)
		w.card("Revenue", 0, "sales, before tax")
		got := w.names(admin, text("sales"))
		if len(got) != 5 || got[0] != "Sales" || got[1] != "Sales by month" || got[4] != "Revenue" {
			t.Errorf("order %q", got)
		}
		w.clock.Advance(time.Hour)
		pinned := w.card("Sales, pinned", 0)
		w.update(pinned, content.Change{Position: opt.Of[int64](1)})
		if got := w.names(admin, text("sales")); got[0] != "Sales" || got[1] != "Sales, pinned" {
			t.Errorf("with one that is pinned %q", got)
		}
		w.clock.Advance(time.Hour)
		w.card("Anything", 0)
		if got := w.names(admin, search.Query{}); got[0] != "Anything" || got[len(got)-1] != "weekly sales report" {
			t.Errorf("without words %q", got)
		}
		r, err := w.Search(t.Context(), admin, text("sales"), 2, 1)
		w.must(err)
		if len(r.Hits) != 2 || r.Total != 6 || r.Hits[0].Item.Name != "Sales, pinned" || len(r.Hits[0].Scores) != len(search.Weights()) {
			t.Errorf("a page: %+v", r)
		}
		for _, at := range []int{6, 7, 5000} {
			r, err := w.Search(t.Context(), admin, text("sales"), 10, at)
			w.must(err)
			if len(r.Hits) != 0 || r.Total != 6 {
				t.Errorf("from %d: %+v", at, r)
			}
		}
	})
}

func TestAtMostAThousand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.tx(func(ctx context.Context) error {
			for range search.MaxHits + 5 {
				if _, err := w.content.Create(ctx, admin, content.NewItem{Kind: content.Card, Model: content.ModelCard, Name: "same"}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, q := range []search.Query{{}, text("same")} {
			r, err := w.Search(t.Context(), admin, q, 7, 998)
			w.must(err)
			if r.Total != search.MaxHits || len(r.Hits) != 2 {
				t.Errorf("total %d, page of %d", r.Total, len(r.Hits))
			}
		}
	})
}

func TestFilters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo := w.person("bo")
		top := w.collection("top x", 0, "1c")
		sub := w.collection("sub x", top, "1c")
		mine := w.collection("mine x", 0, "", bo.UserID)
		deep := w.collection("deep x", mine, "")
		other := w.collection("other x", 0, "", w.person("cy").UserID)
		w.item(admin, content.ModelDataset, "model x", top)
		w.clock.Advance(24 * time.Hour)
		w.item(bo, content.ModelDashboard, "dash x", sub)
		w.item(bo, content.ModelCard, "private x", deep)
		w.item(admin, content.ModelCard, "alien x", other)
		bar := w.item(admin, content.ModelMetric, "metric x", 0)
		w.sql(bar, 7, "bar", "select 1")
		inside := w.card("inside x", top)
		w.update(inside, content.Change{DashboardID: opt.Of[int64](1)})
		w.update(w.card("old x", top), trash())
		_, err := w.content.UpdateCollection(t.Context(), admin, w.collection("gone x", top, "1c"), content.CollectionChange{Archived: opt.Of(true)})
		w.must(err)
		now := w.db.Now(t.Context())
		day := func(text string) search.Span {
			s, ok := search.ParseSpan(text, now)
			if !ok {
				t.Fatal(text)
			}
			return s
		}
		all := "top x,sub x,mine x,deep x,other x,model x,dash x,private x,alien x,metric x"
		for _, r := range []struct {
			who  *access.Principal
			q    search.Query
			want string
		}{
			{admin, search.Query{}, all},
			{bo, search.Query{}, "top x,sub x,mine x,deep x,model x,dash x,private x,metric x"},
			{bo, search.Query{DashboardQuestions: true}, "top x,sub x,mine x,deep x,model x,dash x,private x,metric x,inside x"},
			{bo, search.Query{Archived: true}, "old x,gone x"},
			{bo, search.Query{Models: []content.Model{content.ModelDataset, content.ModelMetric}}, "model x,metric x"},
			{bo, search.Query{Models: []content.Model{content.ModelCollection}}, "top x,sub x,mine x,deep x"},
			{bo, search.Query{Models: []content.Model{"segment"}}, ""},
			{bo, search.Query{Collection: top}, "sub x,model x,dash x"},
			{bo, search.Query{Collection: other}, ""},
			{bo, search.Query{Collection: 999}, ""},
			{bo, search.Query{Personal: search.OnlyPersonal}, "mine x,deep x,private x"},
			{admin, search.Query{Personal: search.OnlyPersonal}, "mine x,deep x,private x,other x,alien x"},
			{bo, search.Query{Personal: search.OnlyMine}, "mine x,deep x,private x"},
			{admin, search.Query{Personal: search.ExcludePersonal}, "top x,sub x,model x,dash x,metric x"},
			{bo, search.Query{Personal: search.ExcludeOthers}, "top x,sub x,mine x,deep x,model x,dash x,private x,metric x"},
			{admin, search.Query{Personal: search.AllPersonal}, all},
			{admin, search.Query{CreatedBy: []int64{bo.UserID, 99}}, "dash x,private x"},
			{admin, search.Query{EditedBy: []int64{bo.UserID}}, "dash x,private x"},
			{admin, search.Query{EditedBy: []int64{}}, ""},
			{admin, search.Query{DatabaseID: 7}, "metric x"},
			{admin, search.Query{DatabaseID: 8}, ""},
			{admin, search.Query{Displays: []string{"bar", "line"}}, "metric x"},
			{admin, search.Query{IDs: []int64{bar.ID}, Models: []content.Model{content.ModelMetric}}, "metric x"},
			{admin, search.Query{IDs: []int64{}}, ""},
			{admin, search.Query{Created: day("today"), Models: []content.Model{content.ModelMetric, content.ModelDataset}}, "metric x"},
			{admin, search.Query{Created: day("~2026-06-15"), Models: []content.Model{content.ModelMetric, content.ModelDataset}}, "model x"},
			{admin, search.Query{Edited: day("2026-06-16~"), Models: []content.Model{content.ModelMetric, content.ModelDataset}}, "metric x"},
		} {
			r.q.Text = "x"
			w.want(r.who, r.q, r.want)
			r.q.Text = ""
			w.want(r.who, r.q, r.want)
		}
		models, err := w.Available(t.Context(), bo, search.Query{Text: "x", Models: []content.Model{content.ModelCard}})
		if w.must(err); !slices.Equal(models, []content.Model{"card", "collection", "dashboard", "dataset", "metric"}) {
			t.Errorf("available: %v", models)
		}
	})
}

func TestExtras(t *testing.T) {
	source := func(_ context.Context, who *access.Principal) ([]search.Extra, error) {
		if !who.IsAdmin() {
			return nil, nil
		}
		about := "what people bought"
		return []search.Extra{
			{Model: search.ModelDatabase, ID: 1, Name: "Shop", DatabaseID: 1},
			{Model: search.ModelTable, ID: 3, Name: "Orders", Table: "ORD_2", Description: &about, DatabaseID: 1},
		}, nil
	}
	each(t, func(t *testing.T, w *world) {
		w.card("Orders by day", 0)
		if got := w.names(admin, text("orders")); !slices.Equal(got, []string{"Orders", "Orders by day"}) {
			t.Errorf("found %q", got)
		}
		tables := []content.Model{search.ModelTable}
		w.want(admin, text("ord_2"), "Orders")
		w.want(admin, text("bought"), "Orders")
		w.want(admin, search.Query{Models: tables}, "Orders")
		w.want(admin, search.Query{DatabaseID: 1}, "Shop,Orders")
		w.want(admin, search.Query{DatabaseID: 2}, "")
		w.want(admin, search.Query{IDs: []int64{3}, Models: tables}, "Orders")
		w.want(admin, search.Query{Archived: true}, "")
		w.want(admin, search.Query{CreatedBy: []int64{1}}, "")
		w.want(w.person("bo"), text("orders"), "Orders by day")
	}, source)
}

// TestPermissions compares searches with the slow way: ask for every item.
func TestPermissions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		grants := []string{"", "1r", "5r", "1c", "5c", "1r 5c"}
		parents := []int64{0}
		var items []content.Item
		for n := range 24 {
			parent := parents[(n*7)%len(parents)]
			id := w.collection("x", parent, grants[n%len(grants)])
			parents = append(parents, id)
			items = append(items, w.card("x", id))
			if n%5 == 0 {
				w.update(w.card("x", id), trash())
			}
		}
		bound := func(ids ...string) *access.Principal {
			l, err := access.Restriction{Resources: map[string][]string{access.KindCollections: ids}}.Compile()
			w.must(err)
			return &access.Principal{Kind: access.ServiceKey, UserID: 1, KeyID: 1, Groups: []int64{1, 2}, Limits: l}
		}
		for name, who := range map[string]*access.Principal{
			"bo": w.person("bo"), "cy": w.person("cy", 5), "admin": admin, "bound": bound("3"), "two": bound("3", "7"),
		} {
			for _, archived := range []bool{false, true} {
				level := access.View
				if archived {
					level = access.Curate
				}
				want := 0
				for _, f := range w.content.Collections().All() {
					if f.ID != access.TrashCollection && access.LevelOf(who, f) >= level && !archived {
						want++
					}
				}
				all, err := w.content.ByIDs(t.Context(), content.Card, upTo(len(items)+10))
				w.must(err)
				for _, i := range all {
					has, err := w.content.LevelOf(t.Context(), who, i)
					w.must(err)
					if i.Archived == archived && has >= level {
						want++
					}
				}
				for _, q := range []string{"", "x"} {
					r, err := w.Search(t.Context(), who, search.Query{Text: q, Archived: archived}, 0, 0)
					if w.must(err); r.Total != want {
						t.Errorf("%s, archived %v, %q: %d, want %d", name, archived, q, r.Total, want)
					}
				}
			}
		}
		if _, err := w.Search(t.Context(), nil, text("x"), 1, 0); err == nil {
			t.Error("nobody may search")
		}
	})
}

func upTo(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i + 1)
	}
	return out
}

func TestParseSpan(t *testing.T) {
	now := time.Date(2026, 6, 17, 13, 14, 15, 0, time.UTC) // a Wednesday
	for s, want := range map[string]string{
		"2026-06-01":            "2026-06-01T00:00:00Z 2026-06-02T00:00:00Z",
		"2026-06":               "2026-06-01T00:00:00Z 2026-07-01T00:00:00Z",
		"2026-06-01~2026-06-03": "2026-06-01T00:00:00Z 2026-06-04T00:00:00Z",
		"2026-06-01~":           "2026-06-01T00:00:00Z 0001-01-01T00:00:00Z",
		"~2026-06-01":           "0001-01-01T00:00:00Z 2026-06-02T00:00:00Z",
		"2026-06-01T10:00:00":   "2026-06-01T10:00:00Z 2026-06-01T10:00:01Z",
		"today":                 "2026-06-17T00:00:00Z 2026-06-18T00:00:00Z",
		"yesterday":             "2026-06-16T00:00:00Z 2026-06-17T00:00:00Z",
		"past7days":             "2026-06-10T00:00:00Z 2026-06-17T00:00:00Z",
		"past7days~":            "2026-06-10T00:00:00Z 2026-06-18T00:00:00Z",
		"past1weeks":            "2026-06-07T00:00:00Z 2026-06-14T00:00:00Z",
		"past2quarters":         "2025-10-01T00:00:00Z 2026-04-01T00:00:00Z",
		"past1years":            "2025-01-01T00:00:00Z 2026-01-01T00:00:00Z",
		"past3hours":            "2026-06-17T10:00:00Z 2026-06-17T13:00:00Z",
		"past30minutes":         "2026-06-17T12:44:00Z 2026-06-17T13:14:00Z",
		"thismonth":             "2026-06-01T00:00:00Z 2026-07-01T00:00:00Z",
		"":                      "", "~": "", "x": "", "past0days": "", "pastdays": "", "2026-13-01": "", "2026-06-01~x": "", "past999999days": "",
	} {
		got, ok := search.ParseSpan(s, now)
		if text := got.From.Format(time.RFC3339) + " " + got.To.Format(time.RFC3339); ok != (want != "") || ok && text != want {
			t.Errorf("%q: %s %v, want %s", s, text, ok, want)
		}
	}
}

package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/opt"
)

// collection makes a collection in another one.
func (w *world) collection(name string, parent int64) int64 {
	w.t.Helper()
	f, err := w.content.CreateCollection(w.t.Context(), boss(), content.NewCollection{Name: name, ParentID: parent})
	w.must(err)
	return f.ID
}

// question makes a question about the sample database.
func (w *world) question(name string, collection int64, sql string, parameters ...map[string]any) int64 {
	w.t.Helper()
	query, err := json.Marshal(map[string]any{"database": 1, "type": "native", "native": map[string]any{"query": sql}})
	w.must(err)
	n := card.New{Name: name, Query: query, Display: "table", Settings: []byte("{}"), CollectionID: opt.Of(collection)}
	if parameters != nil {
		n.Parameters, err = json.Marshal(parameters)
		w.must(err)
	}
	c, err := w.cards.Create(w.t.Context(), boss(), n)
	w.must(err)
	return c.ID
}

// grant lets everybody do something in a collection.
func (w *world) grant(collection int64, level access.CollectionLevel) {
	w.t.Helper()
	w.must(w.content.SetGrants(w.t.Context(), boss(), []content.Grant{{CollectionID: collection, GroupID: access.AllUsers, Level: level}}, false))
}

// library is a small world of content: everybody views the collection, and
// curates nothing.
func library(t *testing.T) (w *world, home, sub, q, board int64) {
	w = ready(t)
	w.grant(access.RootCollection, access.NoCollection)
	home = w.collection("Sales", access.RootCollection)
	sub = w.collection("Forecasts", home)
	q = w.question("All orders", home, "select 1 as one")
	d, err := w.boards.Create(t.Context(), boss(), dashboard.New{Name: "At a glance", CollectionID: home})
	w.must(err)
	w.grant(home, access.View)
	w.grant(sub, access.View)
	return w, home, sub, q, d.ID
}

// revision returns the oldest version of an item.
func (w *world) revision(kind content.Kind, id int64) int64 {
	w.t.Helper()
	list, err := w.history.List(w.t.Context(), boss(), content.Ref{Kind: kind, ID: id})
	w.must(err)
	return list[len(list)-1].ID
}

func TestWhoMayOnlyViewIsOfferedNothingElse(t *testing.T) {
	w, home, sub, q, board := library(t)
	_, err := w.cards.Update(t.Context(), boss(), q, card.Change{Name: opt.Of("Every order")})
	w.must(err)
	trashed := w.question("An old one", home, "select 2")
	_, err = w.cards.Update(t.Context(), boss(), trashed, card.Change{Archived: opt.Of(true)})
	w.must(err)
	bo := w.person("bo@example.com")

	at := fmt.Sprintf("/collection/%d", home)
	bo.get(at).wants(t, 200, "Forecasts", "Every order").
		lacks(t, "New collection", at+"/edit", at+"/move", at+"/archive", at+"/permissions", `type="checkbox"`, "archive-items")
	bo.get(fmt.Sprintf("/question/%d", q)).wants(t, 200, "Every order").lacks(t, "move-items", "archive-items")
	bo.get(fmt.Sprintf("/question/%d/history", q)).wants(t, 200, "Renamed this question", "Current version").lacks(t, "/revert")
	bo.get(fmt.Sprintf("/dashboard/%d", board)).wants(t, 200, "At a glance").lacks(t, "move-items", "archive-items")
	bo.get("/trash").wants(t, 200, "The trash is empty")

	item := fmt.Sprintf("item=card-%d", q)
	dialogs := []string{
		at + "/new", at + "/edit", at + "/move", at + "/archive", at + "/archive-items?" + item, at + "/move-items?" + item,
		fmt.Sprintf("/collection/%d/archive-items?item=collection-%d", home, sub),
		fmt.Sprintf("/trash/restore?item=card-%d", trashed), fmt.Sprintf("/trash/delete?item=card-%d", trashed),
		fmt.Sprintf("/question/%d/history/%d/revert", q, w.revision(content.Card, q)),
		fmt.Sprintf("/dashboard/%d/history/%d/revert", board, w.revision(content.Dashboard, board)),
	}
	for _, path := range dialogs {
		bo.get(path).wants(t, http.StatusForbidden, "You can view this, but not change it.", "ask an administrator for Curate access").lacks(t, "<dialog")
		bare, query, _ := strings.Cut(path, "?")
		pairs := []string{"name", "Hijacked", "collection", "root"}
		if name, value, ok := strings.Cut(query, "="); ok {
			pairs = append(pairs, name, value)
		}
		bo.post(bare, pairs...).wants(t, http.StatusForbidden)
	}
	bo.get("/collection/root/new").wants(t, http.StatusForbidden)
	admin := w.admin()
	for _, path := range dialogs {
		admin.get(path).wants(t, 200, "<dialog")
	}
	admin.get(at).wants(t, 200, "Forecasts", "Every order", "At a glance").lacks(t, "Hijacked")
}

func TestARowIsSelectableForWhoMayChangeIt(t *testing.T) {
	w, home, sub, q, _ := library(t)
	w.grant(home, access.Curate)
	bo := w.person("bo@example.com")
	a := bo.get(fmt.Sprintf("/collection/%d", home)).wants(t, 200, fmt.Sprintf(`value="card-%d"`, q), "Forecasts")
	a.lacks(t, fmt.Sprintf(`value="collection-%d"`, sub))

	trashed := w.collection("Old experiments", home)
	w.grant(trashed, access.Curate)
	_, err := w.content.ArchiveMany(t.Context(), boss(), []content.Ref{{Kind: content.Collection, ID: trashed}}, true)
	w.must(err)
	page := fmt.Sprintf("/collection/%d", trashed)
	bo.get(page).wants(t, 200, "This is in the trash.", "/trash/restore?item=collection-").lacks(t, "/trash/delete?item=")
	bo.get(fmt.Sprintf("/trash/delete?item=collection-%d", trashed)).wants(t, http.StatusForbidden, "Only administrators can delete collections permanently.")
	bo.get(page+"/new").wants(t, http.StatusBadRequest, "Restore it first.")
	w.admin().get(page).wants(t, 200, "/trash/delete?item=collection-")
}

func TestWhoHasNoAccessIsToldSo(t *testing.T) {
	w := ready(t)
	w.grant(access.RootCollection, access.NoCollection)
	bo := w.person("bo@example.com")
	bo.get("/collection/root").wants(t, 200, "<h1>Collections</h1>", "You have no access to any collection yet", "Ask an administrator", "mailto:"+adaEmail, "Your personal collection").
		lacks(t, "Our analytics", "This collection is empty", "Find in this collection")
	w.grant(access.RootCollection, access.View)
	bo.get("/collection/root").wants(t, 200, "Our analytics", "This collection is empty").lacks(t, "Create a collection here", "New collection")
	w.admin().get("/collection/root").wants(t, 200, "This collection is empty", "Create a collection here")
}

func TestItemsAreSortedBothWays(t *testing.T) {
	w := ready(t)
	for _, name := range []string{"Apples", "Berries", "Cherries"} {
		w.collection(name, access.RootCollection)
	}
	admin := w.admin()
	for query, want := range map[string]struct{ first, last, next, order string }{
		"":             {"Apples", "Cherries", "?sort=-name", "ascending"},
		"?sort=-name":  {"Cherries", "Apples", `href="/collection/root"`, "descending"},
		"?sort=edited": {"Cherries", "Apples", "?sort=-edited", "descending"},
		"?sort=-model": {"Apples", "Cherries", "?sort=model", "descending"},
	} {
		a := admin.get("/collection/root"+query).wants(t, 200, want.next, fmt.Sprintf(`aria-sort="%s"`, want.order))
		_, table, _ := strings.Cut(a.body, "<tbody>")
		if strings.Index(table, want.first) > strings.Index(table, want.last) {
			t.Errorf("sorted by %q, %s comes after %s", query, want.first, want.last)
		}
		if n := strings.Count(a.body, "aria-sort="); n != 1 {
			t.Errorf("%d columns say that the list is sorted by them", n)
		}
	}
}

// answered waits until the sample database answers.
func (b *browser) answered(path string, texts ...string) answer {
	b.w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := b.get(path)
		if strings.Contains(a.body, texts[0]) || time.Now().After(deadline) {
			return a.wants(b.w.t, 200, texts...)
		}
	}
}

func TestAQuestionSaysWhyItHasNoResult(t *testing.T) {
	w := ready(t)
	admin := w.admin()
	page := func(sql string, parameters ...map[string]any) string {
		return fmt.Sprintf("/question/%d", w.question("Q", access.RootCollection, sql, parameters...))
	}
	number := map[string]any{
		"id": "p1", "type": "number/=", "name": "Product", "slug": "product",
		"target": []any{"variable", []any{"template-tag", "product"}},
	}
	admin.answered(page("select 40 + 2 as answer"), "42", "1 row.", "Download CSV")
	admin.get(page("select nothing_such from orders")).wants(t, 200, "The query failed", "No such column", "See its SQL").lacks(t, "Download")
	admin.get(page("select id from orders where 1 = 0")).wants(t, 200, "No results").lacks(t, "Download")
	admin.get(page("select {{product}} as p", number)).wants(t, 200, "A value is missing", "Product")
	admin.get(page("select null as n union all select 7")).wants(t, 200, `class="count">n<`)
	many := admin.get(page("select id from orders limit 2000")).wants(t, 200, "Showing the first 200 rows.", "A download has all of them.")
	if n := strings.Count(many.body, "<tr>"); n != 201 {
		t.Errorf("%d rows are shown", n)
	}
}

func TestADashboardShowsWhatOneMaySee(t *testing.T) {
	w, home, _, q, board := library(t)
	hidden := w.question("Board only", w.collection("Board", access.RootCollection), "select 42")
	w.grant(home, access.View)
	virtual := func(id, row int64, settings map[string]any) dashboard.GivenCard {
		raw, err := json.Marshal(settings)
		w.must(err)
		return dashboard.GivenCard{ID: id, Row: row, Width: 6, Height: 3, Settings: opt.Of(dashboard.JSON(raw))}
	}
	kind := func(display string) map[string]any { return map[string]any{"display": display} }
	_, err := w.boards.Update(t.Context(), boss(), board, dashboard.Change{Cards: opt.Of([]dashboard.GivenCard{
		{ID: -1, CardID: opt.Of(q), Width: 6, Height: 3},
		{ID: -2, CardID: opt.Of(hidden), Row: 3, Width: 6, Height: 3},
		virtual(-3, 6, map[string]any{"virtual_card": kind("text"), "text": "All of it is **invented** <b>"}),
		virtual(-4, 9, map[string]any{"virtual_card": kind("heading"), "text": "Products"}),
		virtual(-5, 12, map[string]any{"virtual_card": kind("link"), "link": map[string]any{"url": "https://example.com/handbook"}}),
		virtual(-6, 15, map[string]any{"virtual_card": kind("link"), "link": map[string]any{"entity": map[string]any{"model": "card", "id": hidden, "name": "Board only"}}}),
		virtual(-7, 18, map[string]any{"virtual_card": kind("link"), "link": map[string]any{"url": "javascript:alert(1)"}}),
		virtual(-8, 21, map[string]any{"virtual_card": kind("iframe"), "iframe": `<iframe src="https://example.com"></iframe>`}),
	})})
	w.must(err)
	path := fmt.Sprintf("/dashboard/%d", board)
	w.person("bo@example.com").get(path).
		wants(t, 200, "All orders", "You don’t have access to this question.", "<strong>invented</strong>", `<h2 title="Products">Products</h2>`,
			`href="https://example.com/handbook"`, "You don’t have access to this link.", "Embedded pages are not shown here.").
		lacks(t, "Board only", `href="javascript`, "<iframe")
	if a := w.admin().get(path).wants(t, 200, "Board only"); strings.Contains(a.body, "<b>") {
		t.Error("HTML of a text is not escaped")
	}
}

func TestPermissionsKeepWhatWasChanged(t *testing.T) {
	w, home, _, _, _ := library(t)
	analysts, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	_, err = w.groups.Create(t.Context(), boss(), "Data engineering")
	w.must(err)
	admin := w.admin()
	path := fmt.Sprintf("/collection/%d/permissions", home)
	admin.get(path).wants(t, 200, "Analysts", "Data engineering", "All Users").lacks(t, "Administrators in")
	cell := fmt.Sprintf("%d-%d", home, analysts.ID)
	form := []string{"was-" + cell, "none", "level-" + cell, "curate", "subtree", "yes"}

	found := admin.post(path, append(form, "find", "yes", "group_query", "DATA")...).
		wants(t, 200, "Data engineering", fmt.Sprintf(`name="level-%s"`, cell), `class="changed"`, `value="yes" checked`)
	found.lacks(t, "All Users")
	admin.get(path).lacks(t, `class="changed"`) // nothing was saved by finding
	admin.post(path, form...).leads(t, fmt.Sprintf("/collection/%d", home))
	folder, err := w.content.Collections().Folder(t.Context(), home)
	w.must(err)
	if got := folder.Grants.Of(analysts.ID); got != access.Curate {
		t.Errorf("Analysts may %s", got)
	}

	// What the server refuses is in the form still, also where the matrix does not show it.
	bad := admin.post("/admin/permissions/collections?q=forecasts", "was-"+cell, "curate", "level-"+cell, "view", "was-999-1", "none", "level-999-1", "view")
	if bad.status < 400 {
		t.Fatalf("status %d for an unknown collection", bad.status)
	}
}

func TestMatrixShowsParts(t *testing.T) {
	w := ready(t)
	for i := range 60 {
		w.collection(fmt.Sprintf("Area %02d", i), access.RootCollection)
		_, err := w.groups.Create(t.Context(), boss(), fmt.Sprintf("Team %02d", i))
		w.must(err)
	}
	admin := w.admin()
	const path = "/admin/permissions/collections"
	first := admin.get(path).wants(t, 200, "Groups 1–6 of 61", "Collections 1–50 of 61", "Next groups", "Next collections")
	if n := strings.Count(first.body, "<select"); n != 6*50 {
		t.Errorf("%d cells", n)
	}
	admin.get(path+"?groups=11&page=2").wants(t, 200, "Groups 61–61 of 61", "Collections 51–61 of 61", "Previous groups")
	admin.get(path+"?q=area+07&group=team+3").wants(t, 200, "Area 07", "Team 35", "Groups 1–6 of 10").lacks(t, "Area 08", "Team 40")
	admin.get(path+"?q=zzz").wants(t, 200, "No collection has “zzz” in its name", "Save changes")
}

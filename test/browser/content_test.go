package browser_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"latchkey/internal/apptest"
)

// withSample starts a server that has the sample database, with an
// administrator who is signed in.
func withSample(t *testing.T) (*apptest.Server, *window, album) {
	t.Helper()
	shots := newAlbum(t)
	s := apptest.Start(t, shots.options())
	s.Setup()
	return s, enter(t, s, apptest.AdminEmail, apptest.AdminPassword), shots
}

// question makes a question by the API and returns its id.
func question(s *apptest.Server, name string, collection any, sql string, more map[string]any) int64 {
	body := map[string]any{
		"name": name, "collection_id": collection, "display": "table", "visualization_settings": map[string]any{},
		"dataset_query": map[string]any{"database": 1, "type": "native", "native": map[string]any{"query": sql}},
	}
	for k, v := range more {
		body[k] = v
	}
	var made struct{ ID int64 }
	s.Admin(200, &made, "POST", "/api/card", body)
	return made.ID
}

// collection makes a collection by the API and returns its id.
func collection(s *apptest.Server, name string, parent any) int64 {
	var made struct{ ID int64 }
	s.Admin(200, &made, "POST", "/api/collection", map[string]any{"name": name, "parent_id": parent})
	return made.ID
}

// rowsOf returns the names in a table of items.
func rowsOf(w *window, table string) []string {
	rows := w.table(table)
	name := slices.Index(rows[0], "Name")
	var out []string
	for _, row := range rows[1:] {
		out = append(out, row[name])
	}
	return out
}

// TestArchiveTwenty archives twenty items that are selected in a list, and
// restores them.
func TestArchiveTwenty(t *testing.T) {
	together(t)
	s, w, _ := withSample(t)
	home := collection(s, "Nightly checks", nil)
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("Check %02d", i+1))
		question(s, names[i], home, "select 1", nil)
	}
	question(s, "Keep this one", home, "select 1", nil)
	w.visit(fmt.Sprintf("/collection/%d", home))
	w.click("checkbox", "Select all on this page")
	w.click("checkbox", "Select Keep this one")
	w.sees("20 selected")
	w.follow("button", "Move to the trash")
	w.in("dialog", "Move 20 items to the trash?").follow("button", "Move to the trash")
	w.sees("Moved to the trash.")
	if got := rowsOf(w, "Nightly checks"); !slices.Equal(got, []string{"Keep this one"}) {
		t.Errorf("left in the collection: %q", got)
	}
	w.follow("link", "Trash")
	if got := rowsOf(w, "Trash"); !slices.Equal(got, names) {
		t.Errorf("in the trash: %q", got)
	}
	w.click("checkbox", "Select all on this page")
	w.follow("button", "Restore")
	w.in("dialog", "Restore 20 items?").follow("button", "Restore")
	w.sees("The trash is empty")
	w.visit(fmt.Sprintf("/collection/%d", home))
	if got := rowsOf(w, "Nightly checks"); len(got) != 21 {
		t.Errorf("after restoring: %q", got)
	}
	w.click("checkbox", "Select Check 01")
	w.follow("button", "Move to the trash")
	w.follow("button", "Move to the trash")
	w.visit("/trash")
	w.click("checkbox", "Select Check 01")
	w.follow("button", "Delete permanently")
	w.in("dialog", "Delete 1 item permanently?").follow("button", "Delete permanently")
	w.sees("The trash is empty")
}

// TestSelectByKeyboard selects items, thinks better of it, and moves them, all
// without a mouse.
func TestSelectByKeyboard(t *testing.T) {
	together(t)
	s, w, _ := withSample(t)
	home, other := collection(s, "Nightly checks", nil), collection(s, "Weekly checks", nil)
	for _, name := range []string{"Check 01", "Check 02", "Check 03"} {
		question(s, name, home, "select 1", nil)
	}
	w.visit(fmt.Sprintf("/collection/%d", home))
	w.sees("3 items")
	w.absent("button", "Move")
	w.tabTo("checkbox", "Select Check 02")
	w.press("Space")
	w.sees("1 selected")
	w.tabBackTo("button", "Move")
	w.pressed("Enter")
	w.in("dialog", "Move 1 item").find("searchbox", "Find a collection")
	w.pressed("Escape")
	w.eventually("the button that opened the dialog", func() bool {
		e := w.focused()
		return e.role == "button" && e.name == "Move"
	})
	w.sees("1 selected")
	w.pressed("Enter")
	w.typed("weekly")
	w.in("dialog", "Move 1 item").listed(1, "radio")
	w.tabTo("radio", "Weekly checks")
	w.press("Space")
	w.tabTo("button", "Move")
	w.pressed("Enter")
	w.sees("Moved.", "2 items")
	w.visit(fmt.Sprintf("/collection/%d", other))
	if got := rowsOf(w, "Weekly checks"); !slices.Equal(got, []string{"Check 02"}) {
		t.Errorf("moved: %q", got)
	}
}

// TestPermissionMatrix changes what a group may do in a collection, and sees
// what that means for another person.
func TestPermissionMatrix(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	analysts := s.Group("Analysts")
	s.Person("bo@example.com", analysts)
	sales := collection(s, "Sales", nil)
	collection(s, "Forecasts", sales)
	s.Admin(200, nil, "PUT", "/api/collection/graph?force=true", map[string]any{"groups": map[string]any{"1": map[string]any{
		"root": "none", fmt.Sprint(sales): "none", fmt.Sprint(sales + 1): "none",
	}}})
	bo := enter(t, s, "bo@example.com", apptest.AdminPassword)
	bo.visit("/collection/root")
	bo.absent("link", "Sales")

	w.visit("/admin/permissions")
	w.find("heading", "Collection permissions")
	w.fill("Find a collection", "Sales")
	w.listed(2, "row")
	w.choose("Analysts in Sales", "View")
	w.sees("1 unsaved change")
	w.fill("Find a collection", "Forec") // what was changed is kept
	w.find("combobox", "Analysts in Forecasts")
	w.absent("combobox", "Analysts in Sales")
	w.fill("Find a collection", "Sales")
	w.find("combobox", "Analysts in Sales")
	if got := w.chosen("Analysts in Sales"); got != "View" {
		t.Errorf("after a search the matrix shows %q", got)
	}
	w.fill("Find a group", "no such group")
	w.sees("No group has “no such group” in its name", "1 unsaved change")
	w.click("checkbox", "Also change sub-collections")
	w.follow("button", "Save changes")
	w.sees("Permissions saved.")
	w.visit("/admin/permissions/collections?group=analysts")
	if got := w.chosen("Analysts in Sales"); got != "View" {
		t.Errorf("the matrix shows %q", got)
	}

	bo.visit("/collection/root")
	bo.followFirst("Sales")
	bo.find("heading", "Sales")
	if got := rowsOf(bo, "Sales"); !slices.Equal(got, []string{"Forecasts"}) {
		t.Errorf("bo sees %q", got)
	}
	bo.absent("link", "New collection")
	bo.expects("403")
	if status := bo.loads(chromedp.Navigate(s.URL + "/admin/permissions/collections")); status != http.StatusForbidden {
		t.Errorf("the matrix answers %d to who is no administrator", status)
	}

	w.visit(fmt.Sprintf("/collection/%d", sales))
	w.follow("link", "Permissions")
	d := w.in("dialog", "Permissions for Sales")
	d.choose("Analysts", "Curate")
	d.fill("Find a group", "all us") // what was changed is kept, and stays in sight
	d.listed(2, "row")
	d.find("combobox", "All Users")
	w.follow("button", "Save")
	w.sees("Permissions saved.")
	bo.visit(fmt.Sprintf("/collection/%d", sales))
	bo.find("link", "New collection")
}

// TestQuestionAndDashboard runs a question, looks at a dashboard, and goes
// back to an earlier version.
func TestQuestionAndDashboard(t *testing.T) {
	together(t)
	s, w, shots := withSample(t)
	s.AwaitSample()
	home := collection(s, "Shop", nil)
	id := question(s, "Orders of a product", home, "select id, total from orders where product_id = {{product}} order by id limit 5", map[string]any{
		"parameters": []any{map[string]any{"id": "p1", "type": "number/=", "name": "Product", "slug": "product", "default": 1,
			"target": []any{"variable", []any{"template-tag", "product"}}}},
	})
	s.Admin(200, nil, "PUT", fmt.Sprintf("/api/card/%d", id), map[string]any{"name": "Orders of one product"})
	w.visit(fmt.Sprintf("/question/%d", id))
	w.find("heading", "Orders of one product")
	if got := w.table("Result"); len(got) != 6 {
		t.Errorf("the result has %d lines: %q", len(got), got)
	}
	w.fill("Product", "2")
	w.follow("button", "Run")
	w.find("table", "Result")
	w.follow("link", "SQL")
	w.sees("select id, total from orders")
	w.follow("link", "History")
	w.sees("Renamed this question")
	w.follow("link", "Revert to just now: created this.")
	w.in("dialog", "Revert to this version?").follow("button", "Revert")
	w.sees("Reverted to the earlier version.")
	w.find("heading", "Orders of a product")

	var board struct{ ID int64 }
	s.Admin(200, &board, "POST", "/api/dashboard", map[string]any{"name": "Shop at a glance", "collection_id": home})
	s.Admin(200, nil, "PUT", fmt.Sprintf("/api/dashboard/%d", board.ID), map[string]any{"dashcards": []any{
		map[string]any{"id": -1, "card_id": id, "row": 0, "col": 0, "size_x": 12, "size_y": 6},
		map[string]any{"id": -2, "card_id": question(s, "How many people", home, "select count(*) as people from people", nil), "row": 0, "col": 12, "size_x": 12, "size_y": 6},
		map[string]any{"id": -3, "row": 6, "col": 0, "size_x": 24, "size_y": 1,
			"visualization_settings": map[string]any{"virtual_card": map[string]any{"display": "text"}, "text": "All of it is invented."}},
	}})
	w.visit(fmt.Sprintf("/dashboard/%d", board.ID))
	w.sees("All of it is invented.")
	w.sees("people")
	w.sees("5 rows.")
	shots.everywhere(w, "dashboard")
	w.eventually("what was looked at on the start page", func() bool {
		w.visit("/")
		found, err := w.named("link", "Shop at a glance")
		return err == nil && len(found) == 1
	})
}

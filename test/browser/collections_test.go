package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestCollections makes, edits, moves and archives collections by hand.
func TestCollections(t *testing.T) {
	together(t)
	_, w, shots := began(t)
	w.follow("link", "Collections")
	w.find("heading", "Our analytics")
	make := func(name string) {
		t.Helper()
		w.follow("link", "New collection")
		w.in("dialog", "Create a collection").fill("Name", name)
		w.follow("button", "Create")
		w.find("heading", name)
	}
	make("Sales")
	make("Nightly checks") // in Sales
	w.expects("400")
	w.follow("link", "Edit")
	w.fill("Name", " ")
	w.follow("button", "Save")
	w.in("dialog", "Edit the collection").faulted("Name", "")
	w.fill("Name", "Weekly checks")
	w.fill("Description", "What must hold every Monday.")
	w.follow("button", "Save")
	w.find("heading", "Weekly checks")
	w.visit("/collection/root")
	make("Archive of 2025")
	w.visit("/collection/root")
	w.followFirst("Sales")
	w.in("navigation", "Collections").find("link", "Weekly checks")
	w.follow("link", "Move")
	w.in("dialog", "Move Sales").absent("radio", "Weekly checks")
	w.click("radio", "Archive of 2025")
	w.follow("button", "Move")
	w.in("navigation", "Breadcrumb").find("link", "Archive of 2025")
	w.visit("/collection/root")
	w.followFirst("Archive of 2025")
	w.follow("link", "Move to the trash")
	w.in("dialog", "Move Archive of 2025 to the trash?").follow("button", "Move to the trash")
	w.sees("Moved to the trash.")
	w.visit("/trash")
	w.click("checkbox", "Select Archive of 2025")
	w.follow("button", "Restore")
	w.in("dialog", "Restore 1 item?").follow("button", "Restore")
	w.sees("The trash is empty")
	for _, name := range []string{"Marketing", "Operations", "Support"} {
		w.visit("/collection/root")
		make(name)
	}
	w.visit("/collection/root")
	shots.everywhere(w, "collections")
}

// TestNarrowContent looks at the pages of content on the screen of a telephone,
// where the collections stand behind a button.
func TestNarrowContent(t *testing.T) {
	together(t)
	s, w, _ := withSample(t)
	s.AwaitSample()
	s.Group("A group with an uncommonly long name that somebody thought explains everything")
	home := collection(s, "Quarterly numbers by region and by product line, provisional", nil)
	below := collection(s, "Forecasts", home)
	wide := question(s, "All orders", home, "select * from orders limit 300", nil)
	var board struct{ ID int64 }
	s.Admin(200, &board, "POST", "/api/dashboard", map[string]any{"name": "At a glance", "collection_id": home})
	s.Admin(200, nil, "PUT", fmt.Sprintf("/api/dashboard/%d", board.ID), map[string]any{"dashcards": []any{
		map[string]any{"id": -1, "card_id": wide, "row": 0, "col": 0, "size_x": 24, "size_y": 6},
	}})
	w.size(390, 844)
	w.visit("/collection/root")
	w.absent("link", "Your personal collection")
	w.click("button", "Browse collections")
	w.find("link", "Your personal collection")
	w.press("Escape")
	w.eventually("the collections to close", func() bool {
		found, err := w.named("link", "Your personal collection")
		return err == nil && len(found) == 0
	})
	w.tabTo("button", "Browse collections")
	w.press("Enter")
	w.in("navigation", "Collections").follow("link", "Quarterly numbers by region and by product line, provisional")
	at := fmt.Sprintf("/collection/%d", home)
	w.click("checkbox", "Select All orders")
	w.sees("1 selected")
	w.fits()
	for _, path := range []string{
		"/", "/trash", at, fmt.Sprintf("/collection/%d", below), at + "/permissions", at + "/move", at + "/new",
		fmt.Sprintf("%s/archive-items?item=card-%d", at, wide), fmt.Sprintf("/question/%d", wide), fmt.Sprintf("/question/%d/sql", wide),
		fmt.Sprintf("/question/%d/history", wide), "/admin/permissions/collections", "/admin/permissions/collections?q=no+such",
	} {
		w.visit(path)
		w.fits()
	}
	w.visit(fmt.Sprintf("/dashboard/%d", board.ID))
	w.sees("Showing the first 200 rows.")
	w.fits()
	if got := len(w.table("Result")); got != 201 {
		t.Errorf("the table of the dashboard has %d lines", got)
	}
}

// TestContentWithoutScripts changes content where the browser runs no scripts.
func TestContentWithoutScripts(t *testing.T) {
	together(t)
	s, w, _ := withSample(t)
	s.Group("Analysts")
	home := collection(s, "Nightly checks", nil)
	question(s, "Check 01", home, "select 1", nil)
	question(s, "Check 02", home, "select 1", nil)
	command(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	at := fmt.Sprintf("/collection/%d", home)
	w.visit(at)
	w.click("checkbox", "Select Check 01")
	w.follow("button", "Move to the trash")
	w.in("dialog", "Move 1 item to the trash?").follow("button", "Move to the trash")
	if got := rowsOf(w, "Nightly checks"); len(got) != 1 || got[0] != "Check 02" {
		t.Errorf("left: %q", got)
	}
	w.visit(at + "/permissions")
	w.choose("Analysts", "Curate")
	w.fill("Find a group", "all us")
	w.follow("button", "Find")
	w.find("combobox", "All Users")
	w.follow("button", "Save")
	w.visit("/admin/permissions/collections")
	w.fill("Find a group", "analysts")
	w.pressed("Enter")
	w.absent("combobox", "All Users in Nightly checks")
	if got := w.chosen("Analysts in Nightly checks"); got != "Curate" {
		t.Errorf("Analysts may %q", got)
	}
}

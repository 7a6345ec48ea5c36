package browser_test

import (
	"fmt"
	"testing"
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
	for i := range 3 {
		w.visit("/collection/root")
		make(fmt.Sprint("Another ", i))
	}
	w.visit("/collection/root")
	shots.everywhere(w, "collections")
}

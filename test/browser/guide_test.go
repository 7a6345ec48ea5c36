package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

// setUp makes the first administrator on the set-up page.
func (w *window) setUp() {
	w.t.Helper()
	w.find("heading", "Welcome to Latchkey")
	w.fill("First name", "Ada")
	w.fill("Last name", "Admin")
	w.fill("E-mail", apptest.AdminEmail)
	w.fill("Password", apptest.AdminPassword)
	w.fill("Name of this instance", apptest.SiteName)
	w.follow("button", "Create the administrator")
	w.find("heading", apptest.SiteName)
}

// admin walks from any page to a tab and a left menu of the admin pages.
func (w *window) admin(tab, menu string) {
	w.t.Helper()
	w.click("button", "Settings") // the gear
	w.follow("link", "Admin settings")
	w.in("navigation", "Admin").follow("link", tab)
	w.in("navigation", tab).follow("link", menu)
	w.find("heading", menu)
}

// manageKeys walks from any page to the list of API keys, as the guide says.
func (w *window) manageKeys() {
	w.t.Helper()
	w.admin("Settings", "Authentication")
	w.follow("link", "Manage")
	w.find("heading", "API Keys")
}

// createKey fills in the dialog that is open, and returns the key that is shown.
func (w *window) createKey(name, group string) string {
	w.t.Helper()
	w.in("dialog", "Create API Key").fill("Key name", name)
	w.choose("Group", group)
	w.follow("button", "Create")
	return w.keptKey()
}

// keptKey returns the key that the dialog shows, after copying it with its
// button.
func (w *window) keptKey() string {
	w.t.Helper()
	d := w.in("dialog", "Copy and save this API key")
	key := d.field("The API key").value()
	if len(key) != 47 || !strings.HasPrefix(key, "lk_") {
		w.t.Fatalf("the dialog shows the key %q", key)
	}
	pasteboard.Lock() // other tests copy too
	defer pasteboard.Unlock()
	d.click("button", "Copy")
	w.sees("Copied")
	if got := w.copied(); got != key {
		w.t.Fatalf("the clipboard holds %q, want %q", got, key)
	}
	return key
}

// answers checks with what status a key is answered over HTTP.
func answers(t testing.TB, s *apptest.Server, key string, status int) {
	t.Helper()
	if a := s.Do("GET", "/api/user/current", nil, "X-Api-Key", key); a.Status != status {
		t.Fatalf("the key is answered %d %s, want %d", a.Status, a.Body, status)
	}
}

// hides checks that a text is nowhere in the page, not even unseen.
func (w *window) hides(secret string) {
	w.t.Helper()
	html := ask[string](w, `document.documentElement.outerHTML + [...document.querySelectorAll("input")].map((i) => i.value)`)
	if strings.Contains(html, secret) {
		w.t.Fatalf("the page still holds the secret\n%s", w.describe())
	}
}

// TestGuide walks the guide to API keys, from an empty server to a deleted key.
func TestGuide(t *testing.T) {
	together(t)
	shots := newAlbum(t)
	s := apptest.Start(t, shots.options())
	w := open(t, s, "/")

	// An empty instance leads to its set-up.
	if w.path() != "/setup" {
		t.Fatalf("an empty instance shows %s", w.path())
	}
	shots.take(w, "setup")
	w.setUp()
	shots.take(w, "home")

	// "Create an API key", the ten steps.
	x, y := w.find("button", "Settings").place()
	if x < 1200 || y > 60 {
		t.Errorf("the gear is at %v, %v, which is not the upper right", x, y)
	}
	w.click("button", "Settings")
	w.follow("link", "Admin settings")
	w.in("navigation", "Admin").follow("link", "Settings")
	if x, _ := w.in("navigation", "Settings").find("link", "Authentication").place(); x > 300 {
		t.Errorf("the left menu is at %v", x)
	}
	w.in("navigation", "Settings").follow("link", "Authentication")
	w.find("heading", "API Keys 0 API Keys").place() // scrolls to it
	shots.take(w, "settings-authentication")
	w.follow("link", "Manage")
	w.find("heading", "No API keys yet")
	w.followFirst("Create API Key")
	w.in("dialog", "Create API Key").fill("Key name", "nightly-export")
	w.choose("Group", "Administrators")
	shots.take(w, "create-api-key")
	w.follow("button", "Create")
	key := w.keptKey()
	shots.take(w, "copy-api-key")
	w.press("Escape") // must not lose what is shown once
	w.press("Escape")
	w.in("dialog", "Copy and save this API key").follow("link", "Done")
	w.hides(key)

	// The key works, as the examples of the guide use it.
	a := s.Do("GET", "/api/permissions/group", nil, "x-api-key", key)
	if a.Status != http.StatusOK || !strings.Contains(a.Body, "All Users") {
		t.Fatalf("GET /api/permissions/group: %d %s", a.Status, a.Body)
	}

	// Going back does not show it again.
	w.back()
	w.find("heading", "Create API Key")
	w.hides(key)
	w.visit("/")

	// The list.
	w.manageKeys()
	if got, want := w.table("API keys")[0], []string{"Key name", "Group", "Key", "Last modified by", "Last modified on", "State", "Last used", "Actions"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	if got, want := w.row("API keys", "nightly-export")[:5], []string{"nightly-export", "Administrators", key[:7] + "…", "Ada Admin", "just now"}; !slices.Equal(got, want) {
		t.Errorf("row %q, want %q", got, want)
	}

	editing(w, shots, key)
}

// editing goes on with "Editing API keys" and "Deleting API keys".
func editing(w *window, shots album, key string) {
	t, s := w.t, w.s
	w.follow("link", "Edit nightly-export") // the pencil
	d := w.in("dialog", "Edit API Key")
	if name, group, masked := d.field("Key name").value(), d.chosen("Group"), d.field("API Key").value(); name != "nightly-export" || group != "Administrators" || !strings.HasPrefix(masked, key[:7]+"*") {
		t.Errorf("the dialog shows %q, %q, %q", name, group, masked)
	}
	shots.take(w, "edit-api-key")
	d.fill("Key name", "Nightly export")
	d.choose("Group", "All Users")
	w.follow("button", "Save")
	w.sees("The API key was saved.")
	if got := w.row("API keys", "Nightly export"); got[1] != "All Users" {
		t.Errorf("row %q after the change", got)
	}
	answers(t, s, key, http.StatusOK)
	if a := s.Do("GET", "/api/permissions/group", nil, "x-api-key", key); a.Status != http.StatusForbidden {
		t.Errorf("GET /api/permissions/group in All Users: %d", a.Status)
	}

	// Regenerating asks first, and the old key is dead at once.
	w.follow("link", "Edit Nightly export")
	w.follow("link", "Regenerate API Key")
	w.in("dialog", "Regenerate API Key")
	w.sees("You won't be able to recover the old key.", "Nightly export", key[:7])
	shots.take(w, "regenerate-api-key")
	w.follow("link", "No, don't regenerate")
	w.in("dialog", "Edit API Key")
	answers(t, s, key, http.StatusOK)
	w.follow("link", "Regenerate API Key")
	w.follow("button", "Regenerate")
	answers(t, s, key, http.StatusUnauthorized)
	renewed := w.keptKey()
	answers(t, s, renewed, http.StatusOK)

	// Loading the page again does not show it again, nor make another.
	w.reload()
	w.find("table", "API keys")
	w.hides(renewed)
	answers(t, s, renewed, http.StatusOK)

	// Deleting.
	w.manageKeys()
	w.follow("link", "Delete Nightly export") // the trash
	d = w.in("dialog", "Delete API Key")
	w.sees("You won't be able to recover a deleted API key. You'll have to create a new key.", "Nightly export")
	shots.take(w, "delete-api-key")
	d.follow("link", "Cancel")
	answers(t, s, renewed, http.StatusOK)
	w.follow("link", "Delete Nightly export")
	w.follow("button", "Delete API Key")
	w.sees("The API key was deleted.", "No API keys yet")
	answers(t, s, renewed, http.StatusUnauthorized)
}

// TestCopyRefused is a browser that does not let pages write to the clipboard:
// the key is selected, so that the keyboard copies it.
func TestCopyRefused(t *testing.T) {
	s, w := signedIn(t)
	w.refuseClipboard()
	w.visit("/admin/settings/authentication/api-keys/new")
	w.fill("Key name", "by hand")
	w.choose("Group", "All Users")
	w.follow("button", "Create")
	key := w.field("The API key").value()
	w.click("button", "Copy")
	w.sees("The browser does not let this page copy. The text is selected")
	w.press("copy")
	if got := w.copied(); got != key {
		t.Errorf("the clipboard holds %q, want %q", got, key)
	}
	answers(t, s, key, http.StatusOK)
}

// TestGroupDeleted deletes a group with keys: they move to All Users and go on
// working, and the dialog has said so.
func TestGroupDeleted(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	w.admin("People", "Groups")
	w.follow("link", "Create a group")
	w.in("dialog", "Create a group").fill("Group name", "Nightly jobs")
	w.follow("button", "Create")
	w.sees("The group was created.")
	w.manageKeys()
	var keys []string
	for _, name := range []string{"dbt on CI", "nightly-export"} {
		w.followFirst("Create API Key")
		keys = append(keys, w.createKey(name, "Nightly jobs"))
		w.follow("link", "Done")
	}
	w.admin("People", "Groups")
	w.follow("link", "Delete Nightly jobs")
	d := w.in("dialog", "Delete the group Nightly jobs?")
	w.sees("2 API keys move to All Users. They go on working, with the permissions of All Users:", "dbt on CI", "nightly-export", "No people are in this group.")
	d.follow("button", "Delete group")
	w.sees("The group was deleted.")
	for _, key := range keys {
		answers(t, s, key, http.StatusOK)
	}
	w.manageKeys()
	for _, name := range []string{"dbt on CI", "nightly-export"} {
		if got := w.row("API keys", name); got[1] != "All Users" {
			t.Errorf("row %q, want the group All Users", got)
		}
	}
}

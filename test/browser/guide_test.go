package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// manageKeys walks from any page to the list of API keys, as the guide says.
func (w *window) manageKeys() {
	w.t.Helper()
	w.click("button", "Settings") // the gear icon
	w.follow("link", "Admin settings")
	w.in("navigation", "Admin").follow("link", "Settings")
	w.in("navigation", "Settings").follow("link", "Authentication")
	w.find("heading", "Authentication")
	w.follow("link", "Manage")
	w.find("heading", "API Keys")
}

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

// works checks what a key is answered over HTTP.
func works(t *testing.T, s *apptest.Server, key string, status int) {
	t.Helper()
	if a := s.Do("GET", "/api/user/current", nil, "X-Api-Key", key); a.Status != status {
		t.Fatalf("the key is answered %d %s, want %d", a.Status, a.Body, status)
	}
}

// keptKey returns the key that the dialog shows, copies it with its button and
// checks that the clipboard holds the same.
func (w *window) keptKey() string {
	w.t.Helper()
	key := w.field("The API key").value()
	if len(key) != 47 || !strings.HasPrefix(key, "lk_") {
		w.t.Fatalf("the dialog shows %q", key)
	}
	w.click("button", "Copy")
	w.sees("Copied")
	if got := w.copied(); got != key {
		w.t.Fatalf("the clipboard holds %q, want %q", got, key)
	}
	return key
}

// TestGuide walks the guide to API keys from an empty server to a deleted key.
func TestGuide(t *testing.T) {
	shots := newAlbum(t)
	s := apptest.Start(t, shots.options())
	w := open(t, s, "/")

	// An empty instance leads to its set-up.
	if w.path() != "/setup" {
		t.Fatalf("an empty instance shows %s", w.path())
	}
	w.fill("First name", "Ada")
	shots.take(w, "setup")
	w.setUp()
	shots.take(w, "home")

	// Creating a key: the ten steps.
	w.gearIsUpperRight()
	w.click("button", "Settings")
	w.follow("link", "Admin settings")
	w.in("navigation", "Admin").follow("link", "Settings")
	w.in("navigation", "Settings").follow("link", "Authentication")
	w.find("heading", "API Keys 0 API Keys")
	shots.take(w, "settings-authentication")
	w.follow("link", "Manage")
	w.find("heading", "No API keys yet")
}

func (w *window) gearIsUpperRight() {
	w.t.Helper()
	x, y := w.find("button", "Settings").place()
	if x < 1200 || y > 60 {
		w.t.Errorf("the gear is at %v, %v", x, y)
	}
}

var _ = slices.Contains[[]string]
var _ = access.AllUsers
var _ = http.StatusOK

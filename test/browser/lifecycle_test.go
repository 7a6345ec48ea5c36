package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// pageOf is the page of a key.
func pageOf(id int64) string { return fmt.Sprintf("%s/%d", addressOfKeys, id) }

// began starts a server for pictures, with an administrator who is signed in.
func began(t *testing.T) (*apptest.Server, *window, album) {
	t.Helper()
	shots := newAlbum(t)
	s := started(t, shots)
	return s, enter(t, s, apptest.AdminEmail, apptest.AdminPassword), shots
}

// opens unfolds a part of a form.
func (w *window) opens(summary string) {
	w.t.Helper()
	w.click("DisclosureTriangle", summary)
}

// everywhere takes pictures of a page: light, dark and on a narrow screen. The
// documentation has room for the first only. Pictures that nobody looks at are
// not taken; the page must fit the screens all the same.
func (a album) everywhere(w *window, name string) {
	w.t.Helper()
	a.take(w, name)
	if *update {
		return
	}
	if !published() {
		w.size(390, 844)
		w.fits()
		w.size(1280, 900)
		return
	}
	w.colours("dark")
	a.take(w, "dark-"+name)
	w.colours("light")
	w.size(400, 900)
	a.take(w, "narrow-"+name)
	w.size(1280, 900)
}

// status returns what a call with a key is answered.
func status(s *apptest.Server, key, method, path string, body any) int {
	return s.Do(method, path, body, "X-Api-Key", key, "User-Agent", "nightly/2.1").Status
}

// TestRestrictedKey makes a key that only reads, from one network, and looks
// at what its page says of it.
func TestRestrictedKey(t *testing.T) {
	s, w, shots := began(t)
	s.Person("bo@example.com")
	w.visit(addressOfKeys + "/new")
	d := w.in("dialog", "Create API Key")
	d.fill("Key name", "nightly-export")
	d.choose("Group", "Administrators")
	d.opens("More options")
	d.click("checkbox", "Only read")
	d.fill("Description", "Copies all orders at night.")
	d.fill("Owner", "bo@example.com")
	d.fill("Tags", "nightly, finance")
	shots.everywhere(w, "create-restricted-key")
	d.opens("Restrictions")
	d.click("checkbox", "Read people")
	d.click("checkbox", "Read groups")
	d.fill("Only from these addresses", "127.0.0.1, nowhere")
	w.expects("400")
	w.follow("button", "Create")
	d = w.in("dialog", "Create API Key")
	d.faulted("Only from these addresses", `"nowhere" is neither an address nor a network`)
	shots.take(w, "restriction-refused")
	d.fill("Only from these addresses", "127.0.0.0/8")
	w.follow("button", "Create")
	key := w.keptKey()
	w.follow("link", "Open the key's page")
	w.sees("Copies all orders at night.", "bo@example.com", "finance", "nightly", "Safe to delete?")
	w.hides(key)
	if got := status(s, key, "GET", "/api/user", nil); got != http.StatusOK {
		t.Errorf("it reads people: %d", got)
	}
	for _, c := range [][2]string{{"POST", "/api/permissions/group"}, {"GET", "/api/api-key"}} {
		if got := status(s, key, c[0], c[1], map[string]any{"name": "new"}); got != http.StatusForbidden {
			t.Errorf("%s %s: %d, want 403", c[0], c[1], got)
		}
	}
	w.reload()
	shots.everywhere(w, "key-about")
	w.follow("link", "What it may do")
	w.sees("It only reads.", "Only these kinds: groups (read), people (read).", "Only from 127.0.0.0/8.")
	w.opens("As JSON")
	shots.everywhere(w, "key-rights")
	w.click("button", "Copy")
	w.sees("Copied")
	if got := w.copied(); !strings.Contains(got, `"read_only": true`) {
		t.Errorf("the clipboard holds %q", got)
	}

	w.follow("link", "Change")
	w.find("heading", "Restrict nightly-export")
	shots.everywhere(w, "key-restriction")
	w.click("checkbox", "Read groups")
	w.fill("Requests of the rate limit", "2")
	w.fill("Seconds of the rate limit", "3600")
	w.follow("button", "Save and enforce")
	w.sees("The restriction is in force.", "Only these kinds: people (read).", "At most 2 requests in 3,600 seconds.")
	if got := status(s, key, "GET", "/api/permissions/group", nil); got != http.StatusForbidden {
		t.Errorf("it reads groups: %d", got)
	}
}

// TestRotateWithOverlap gives a key a second secret, sees both work, and
// retires the first.
func TestRotateWithOverlap(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	id, old := s.Key("nightly-export", access.AllUsers)
	answers(t, s, old, http.StatusOK)
	w.visit(pageOf(id))
	w.follow("link", "Rotate")
	w.in("dialog", "Rotate nightly-export")
	shots.everywhere(w, "rotate-api-key")
	w.follow("button", "Rotate")
	renewed := w.keptKey()
	w.sees("The old one works until")
	shots.take(w, "rotated-api-key")
	w.follow("link", "Done")
	w.hides(renewed)
	answers(t, s, old, http.StatusOK)
	answers(t, s, renewed, http.StatusOK)
	w.reload()
	rows := w.table("Secrets")
	if len(rows) != 3 || !strings.HasPrefix(rows[1][1], "live") || !strings.HasPrefix(rows[2][1], "retires") || !strings.Contains(rows[2][4], "127.0.0.1") {
		t.Errorf("the secrets are %q", rows)
	}
	shots.everywhere(w, "key-rotating")
	w.follow("link", fmt.Sprintf("Retire %s… now", old[:7]))
	w.in("dialog", "Retire this secret?")
	w.sees("127.0.0.1")
	shots.take(w, "retire-secret")
	w.follow("button", "Retire now")
	w.sees("The secret was retired.")
	answers(t, s, old, http.StatusUnauthorized)
	answers(t, s, renewed, http.StatusOK)

	// The use of the retired secret is news.
	w.eventually("the alarm", func() bool {
		w.visit(addressOfKeys)
		return strings.Contains(ask[string](w, shown), "A retired secret of “nightly-export” was tried")
	})
	shots.everywhere(w, "key-alarm")
	w.follow("link", "Look at the key")
	w.sees("tried just now")
}

// TestDisableKey disables a key with a reason and enables it again.
func TestDisableKey(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	id, key := s.Key("nightly-export", access.AllUsers)
	w.visit(pageOf(id))
	w.follow("link", "Disable")
	w.in("dialog", "Disable nightly-export").fill("Reason", "The export moves to another machine.")
	shots.take(w, "disable-api-key")
	w.follow("button", "Disable")
	w.sees("The API key was disabled.", "The export moves to another machine.")
	answers(t, s, key, http.StatusUnauthorized)
	shots.take(w, "key-disabled")
	w.visit(addressOfKeys)
	if got := w.row("API keys", "nightly-export"); got[5] != "disabled" {
		t.Errorf("row %q, want it disabled", got)
	}
	w.in("navigation", "State").follow("link", "Active")
	w.find("heading", "No API key is like this")
	w.in("navigation", "State").follow("link", "Disabled")
	w.follow("link", "nightly-export")
	w.follow("link", "Enable")
	w.in("dialog", "Enable nightly-export?").follow("button", "Enable")
	w.sees("The API key works again.")
	answers(t, s, key, http.StatusOK)
	w.follow("link", "Delete")
	w.in("dialog", "Delete API Key")
	w.sees("In use", "It was used")
	shots.take(w, "delete-used-key")
	w.follow("button", "Delete API Key")
	w.sees("The API key was deleted.")
	answers(t, s, key, http.StatusUnauthorized)
	w.in("navigation", "State").follow("link", "Deleted")
	w.follow("link", "nightly-export")
	w.sees("This key was deleted")
	w.absent("link", "Rotate")
	shots.take(w, "key-deleted")
}

// calls makes a key busy: some calls answered, some refused.
func calls(s *apptest.Server, key string) {
	for range 12 {
		status(s, key, "GET", "/api/user", nil)
	}
	for range 5 {
		status(s, key, "GET", "/api/permissions/group", nil)
	}
	for range 3 {
		status(s, key, "GET", "/api/user/999999", nil)
	}
}

// TestUsageChart shows what a key did.
func TestUsageChart(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	id, key := s.Key("nightly-export", access.Administrators)
	w.visit(pageOf(id) + "?tab=usage")
	w.sees("0 requests in the last 48 hours")
	shots.take(w, "key-unused")
	calls(s, key)
	w.reload()
	w.sees("20 requests in the last 48 hours", "answered 17", "refused 3", "GET /api/user/{id}", "nightly/2.1", "127.0.0.1")
	shots.everywhere(w, "key-usage")
	w.find("image", "Requests by hour: 20 requests, 17 answered, 3 refused, 0 failed. The table below has the numbers.")
	w.opens("As a table")
	if got := w.table("Requests by hour"); len(got) < 2 {
		t.Errorf("the table of the chart is %q", got)
	}
	w.follow("link", "30 days")
	w.sees("20 requests in the last 30 days")
	if got := w.table("Routes"); len(got) != 4 || got[1][0] != "GET /api/user" || got[1][1] != "12" {
		t.Errorf("the routes are %q", got)
	}
}

// TestTrial puts the narrowest restriction on trial and enforces it.
func TestTrial(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	id, key := s.Key("nightly-export", access.Administrators)
	calls(s, key)
	w.visit(pageOf(id))
	w.follow("link", "Least privilege")
	w.sees("It only reads.", "GET /api/permissions/group, GET /api/user")
	shots.everywhere(w, "key-least")
	w.follow("button", "Run on trial")
	w.sees("The restriction is on trial.", "The key made no requests since then.")
	if got := status(s, key, "GET", "/api/api-key", nil); got != http.StatusOK {
		t.Errorf("a trial refuses: %d", got)
	}
	status(s, key, "GET", "/api/user", nil)
	w.reload()
	w.sees("It would have refused 1 request")
	if got := w.row("What the trial would have refused", "GET /api/api-key"); got[2] != "1" {
		t.Errorf("row %q", got)
	}
	shots.everywhere(w, "key-trial")
	w.follow("link", "Enforce")
	w.in("dialog", "Enforce the restriction on trial?")
	w.sees("During the trial it would have refused 1 request.")
	shots.take(w, "enforce-trial")
	w.follow("button", "Enforce")
	w.sees("The restriction is in force.", "It only reads.")
	if got := status(s, key, "GET", "/api/api-key", nil); got != http.StatusForbidden {
		t.Errorf("what is not allowed any more: %d", got)
	}
	if got := status(s, key, "GET", "/api/user", nil); got != http.StatusOK {
		t.Errorf("what it did before: %d", got)
	}
}

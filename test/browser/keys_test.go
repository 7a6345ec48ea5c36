package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// addressOfKeys is the list of API keys.
const addressOfKeys = "/admin/settings/authentication/api-keys"

// signedIn starts a server with an administrator who is signed in.
func signedIn(t *testing.T) (*apptest.Server, *window) {
	t.Helper()
	s := started(t, album{})
	return s, enter(t, s, apptest.AdminEmail, apptest.AdminPassword)
}

// started returns a server with its first administrator. It has no sample
// database, which would be made anew each time.
func started(t *testing.T, shots album) *apptest.Server {
	t.Helper()
	o := shots.options()
	o.Env = append(o.Env, "LATCHKEY_SAMPLE_DATABASE=false")
	s := apptest.Start(t, o)
	s.Setup()
	return s
}

// enter opens a window in which somebody has signed in. How one does that by
// hand is TestSignIn's.
func enter(t testing.TB, s *apptest.Server, email, password string) *window {
	t.Helper()
	var session struct{ ID string }
	s.Want(200, &session, "POST", "/api/session", map[string]any{"username": email, "password": password}, "User-Agent", agent)
	w := open(t, s, "")
	command(w, network.SetCookie, network.SetCookieParams{Name: "metabase.SESSION", Value: session.ID, URL: s.URL})
	w.visit("/")
	w.find("button", "Settings")
	return w
}

// signIn fills in the page to sign in.
func (w *window) signIn(email, password string) int64 {
	w.t.Helper()
	w.find("heading", "Sign in")
	w.fill("E-mail", email)
	w.fill("Password", password)
	return w.follow("button", "Sign in")
}

// TestKeyNames is what a person may type wrong when creating a key.
func TestKeyNames(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	s.Key("nightly-export", access.AllUsers)
	w.expects("400")
	w.visit(addressOfKeys + "/new")
	w.fill("Key name", "nightly-export")
	w.choose("Group", "Administrators")
	if status := w.follow("button", "Create"); status != http.StatusBadRequest {
		t.Errorf("status %d for a name that is taken", status)
	}
	w.in("dialog", "Create API Key").faulted("Key name", "An API key with this name already exists.")
	if got := w.chosen("Group"); got != "Administrators" {
		t.Errorf("the dialog forgot the group: %q", got)
	}
	w.fill("Key name", "weekly-export")
	w.follow("button", "Create")
	w.keptKey()
	w.follow("link", "Done")
	w.follow("link", "Edit weekly-export")
	w.fill("Key name", "nightly-export")
	w.follow("button", "Save")
	w.in("dialog", "Edit API Key").faulted("Key name", "An API key with this name already exists.")
	w.follow("link", "Cancel")
	w.row("API keys", "weekly-export")
}

// TestDoubleClick creates one key however often one clicks.
func TestDoubleClick(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	w.visit(addressOfKeys + "/new")
	w.fill("Key name", "impatient")
	w.choose("Group", "All Users")
	w.doubleClick("button", "Create")
	key := w.keptKey()
	answers(t, s, key, http.StatusOK)
	w.follow("link", "Done")
	if rows := w.table("API keys"); len(rows) != 2 {
		t.Errorf("the list shows %q, want one key", rows)
	}
}

// TestKeyboard creates, copies and deletes a key without a mouse.
func TestKeyboard(t *testing.T) {
	s, w := signedIn(t)
	w.visit("/")
	w.tabTo("button", "Settings")
	w.press("Enter")
	w.tabTo("link", "Admin settings")
	w.pressed("Enter")
	w.tabTo("link", "Authentication")
	w.pressed("Enter")
	w.tabTo("link", "Manage")
	w.pressed("Enter")
	w.tabTo("link", "Create API Key")
	w.pressed("Enter")
	w.tabTo("textbox", "Key name") // has it already
	w.typed("by keyboard")
	w.tabTo("combobox", "Group")
	w.typed("All Users")
	w.tabTo("button", "Create")
	w.pressed("Enter")
	if e := w.focused(); e.name != "The API key" {
		t.Errorf("the focus is on the %s %q, want the key", e.role, e.name)
	}
	key := w.focused().value()
	w.tabTo("button", "Copy")
	w.press("Enter")
	w.sees("Copied")
	if got := w.copied(); got != key {
		t.Errorf("the clipboard holds %q, want %q", got, key)
	}
	w.press("Escape")
	w.find("dialog", "Copy and save this API key")
	w.tabTo("link", "Done")
	w.pressed("Enter")
	answers(t, s, key, http.StatusOK)

	// Escape leaves the other dialogs, and Enter on what has the focus when one
	// opens destroys nothing.
	w.tabTo("link", "Delete by keyboard")
	w.pressed("Enter")
	if e := w.focused(); e.name != "Cancel" {
		t.Errorf("the focus is on the %s %q, want Cancel", e.role, e.name)
	}
	w.pressed("Escape")
	w.eventually("the focus where it was", func() bool { return w.focused().name == "Delete by keyboard" })
	w.pressed("Enter")
	w.tabTo("button", "Delete API Key")
	w.pressed("Enter")
	w.sees("No API keys yet")
	answers(t, s, key, http.StatusUnauthorized)
}

// TestLongLists searches and pages on the server, and finds a group among
// hundreds.
func TestLongLists(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	for i := range 205 {
		s.Group(fmt.Sprintf("Team %03d", i))
	}
	for i := range 55 {
		s.Key(fmt.Sprintf("robot %02d", i), access.AllUsers)
	}
	w.visit(addressOfKeys)
	w.sees("1–50 of 55")
	w.follow("link", "Next page")
	w.row("API keys", "robot 54")
	w.follow("link", "Page before")
	w.do(w.field("Find an API key").mouse())
	w.typed("bot 33")
	w.listed(2, "row") // the headings are one
	w.row("API keys", "robot 33")
	if got := ask[string](w, `location.search`); got != "?q=bot+33" && got != "?q=bot%2033" {
		t.Errorf("the address is %q", got)
	}
	w.typed("x")
	w.sees("No API key matches “bot 33x”")

	w.visit(addressOfKeys + "/new")
	w.fill("Key name", "chosen")
	w.do(w.field("Find a group").mouse())
	w.typed("204")
	w.click("radio", "Team 204 0 members")
	w.follow("button", "Create")
	w.keptKey()
	w.follow("link", "Done")
	if got := w.row("API keys", "chosen"); got[1] != "Team 204" {
		t.Errorf("row %q", got)
	}
}

// longName is as long as a name may be, with nowhere to break it.
var longName = strings.Repeat("W", 254)

// hostile are names that break pages that are made carelessly.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(2)>`,
	"{{.}} ${7*7} %s <!-- ' \" & &amp;",
	"\u202eevil\u202c اسم المفتاح שם",
	longName,
	strings.Repeat("long name ", 25) + "end",
}

// TestHostileNames shows names that would be markup, or wider than the screen,
// as what they are.
func TestHostileNames(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	paths := []string{
		"/", addressOfKeys, "/admin/people", "/admin/people/groups", "/admin/settings/general", "/admin/people/new", addressOfKeys + "/new",
		addressOfKeys + "?q=%3Cscript%3Ealert(1)%3C/script%3E%22'", "/admin/people?q=%3Cscript%3E",
	}
	for i, name := range hostile {
		group := s.Group(name)
		key, _ := s.Key(name, group)
		var u struct{ ID int64 }
		s.Admin(200, &u, "POST", "/api/user", map[string]any{
			"email": fmt.Sprintf("h%d@example.com", i), "first_name": name, "last_name": name,
			"user_group_memberships": []map[string]any{{"id": access.AllUsers}, {"id": group}},
		})
		if name != longName && name != hostile[1] { // each page once with markup and once with width
			continue
		}
		for _, page := range []string{"edit", "delete", "regenerate"} {
			paths = append(paths, fmt.Sprintf("%s/%d/%s", addressOfKeys, key, page))
		}
		for _, page := range []string{"", "/rename", "/delete", "/add"} {
			paths = append(paths, fmt.Sprintf("/admin/people/groups/%d%s", group, page))
		}
		for _, page := range []string{"", "/reset", "/deactivate", fmt.Sprintf("/groups/%d/leave", group)} {
			paths = append(paths, fmt.Sprintf("/admin/people/user/%d%s", u.ID, page))
		}
	}
	s.Admin(204, nil, "PUT", "/api/setting/site-name", map[string]any{"value": hostile[0] + longName[:60]})
	for _, path := range paths {
		w.visit(path)
		for _, width := range []int64{1280, 400} {
			w.size(width, 900)
			if wide := ask[int64](w, `document.documentElement.scrollWidth`); wide > width {
				t.Errorf("%s is %d wide in a window of %d", path, wide, width)
			}
		}
		if n := ask[int](w, `document.querySelectorAll("img, script:not([src])").length`); n > 0 {
			t.Errorf("%s has markup from a name", path)
		}
	}
	w.size(1280, 900)
	w.visit(addressOfKeys)
	for _, name := range hostile {
		w.row("API keys", strings.Join(strings.Fields(name), " "))
	}
}

package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

const newPassword = "staple battery 77"

// TestSignIn signs out and in again.
func TestSignIn(t *testing.T) {
	together(t)
	_, w := signedIn(t)
	w.expects("401")
	w.click("button", "Settings")
	w.follow("button", "Sign out")
	w.sees("You are signed out.")
	if status := w.signIn(apptest.AdminEmail, "not the password 1"); status != http.StatusUnauthorized {
		t.Errorf("status %d for a wrong password", status)
	}
	w.faulted("Password", "The e-mail address or the password is wrong.")
	if password, email := w.field("Password").value(), w.field("E-mail").value(); password != "" || email != apptest.AdminEmail {
		t.Errorf("the page keeps the password %q and the address %q", password, email)
	}

	w.follow("link", "Forgot your password?")
	w.find("heading", "Forgot your password?")
	w.sees("This server cannot send e-mail", "Ask an administrator.", "latchkey user reset-password")
	w.follow("link", "Back to sign in")
	w.signIn(apptest.AdminEmail, apptest.AdminPassword)
	w.find("heading", apptest.SiteName)

	// A page that asks for signing in is where one gets after it.
	w.click("button", "Settings")
	w.follow("button", "Sign out")
	w.visit("/account/sessions")
	w.signIn(apptest.AdminEmail, apptest.AdminPassword)
	w.find("heading", "Sessions")
}

// TestAccount is what people change about themselves.
func TestAccount(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	s.Person("bo@example.com")
	w.expects("400")
	w.click("button", "Settings")
	w.follow("link", "Account settings")
	w.find("heading", "Profile")
	w.fill("First name", "Augusta")
	w.fill("E-mail", "bo@example.com")
	w.follow("button", "Save")
	w.faulted("E-mail", "already")
	w.fill("E-mail", "augusta@example.com")
	w.follow("button", "Save")
	w.sees("Your profile was saved.")
	if got := w.field("First name").value(); got != "Augusta" {
		t.Errorf("the first name is %q", got)
	}

	// A session elsewhere is seen, and ended.
	other := enter(t, s, "augusta@example.com", apptest.AdminPassword)
	w.follow("link", "Sessions")
	if got, want := w.table("Sessions")[0], []string{"Browser", "Address", "Started", "Last active", "Actions"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	// Three: the one of set-up over the wire, this one and the other.
	if rows := w.table("Sessions"); len(rows) != 4 || !strings.Contains(strings.Join(rows[1], " "), "this one") {
		t.Fatalf("sessions %q", rows)
	}
	others, err := w.named("button", "End this session")
	w.must(err)
	w.loads(others[0].mouse()) // the one that was used last
	w.sees("The session was ended.")
	other.visit("/account/profile")
	other.find("heading", "Sign in")
	w.follow("button", "End all other sessions")
	if rows := w.table("Sessions"); len(rows) != 2 {
		t.Errorf("sessions %q", rows)
	}

	// The password.
	other.signIn("augusta@example.com", apptest.AdminPassword)
	w.follow("link", "Password")
	w.fill("Current password", "not the password 1")
	w.fill("New password", newPassword)
	w.follow("button", "Change the password")
	w.faulted("Current password", "This is not your current password.")
	w.fill("Current password", apptest.AdminPassword)
	w.fill("New password", "password1")
	w.follow("button", "Change the password")
	w.faulted("New password", "Password is too common.")
	w.fill("Current password", apptest.AdminPassword)
	w.fill("New password", newPassword)
	w.follow("button", "Change the password")
	w.sees("Your password was changed. All your other sessions have ended.")
	other.visit("/account/profile")
	other.signIn("augusta@example.com", newPassword)
	other.find("heading", "Profile")
}

// TestPeople is the life of an account in the eyes of an administrator and of
// the person.
func TestPeople(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	s.Group("Analysts")
	s.Group("Nightly jobs")
	w.admin("People", "People")
	w.follow("link", "Invite someone")
	d := w.in("dialog", "Invite someone")
	w.sees("This server cannot send e-mail: it makes a temporary password, which you hand over.")
	d.fill("First name", "Grace")
	d.fill("Last name", "Hopper")
	d.fill("E-mail", "grace@example.com")
	d.click("checkbox", "Analysts 0 members")
	d.follow("button", "Create")
	d = w.in("dialog", "Grace Hopper has been added")
	password := d.field("Temporary password").value()
	func() {
		pasteboard.Lock()
		defer pasteboard.Unlock()
		d.click("button", "Copy")
		w.sees("Copied")
	}()
	d.follow("link", "Done")
	w.hides(password)
	if got := w.row("People", "Grace Hopper"); got[1] != "grace@example.com" || got[2] != "Analysts" || got[3] != "never" {
		t.Errorf("row %q", got)
	}

	grace := enter(t, s, "grace@example.com", password)
	grace.sees("You are signed in as Grace Hopper.", "Analysts")
	grace.click("button", "Settings")
	menu := grace.in("navigation", "Settings")
	menu.find("link", "Account settings")
	menu.absent("link", "Admin settings")
	grace.expects("403")
	grace.visit("/admin/people")
	grace.sees("You don’t have permission to do this")

	// Names, address and groups.
	w.follow("link", "Edit Grace Hopper")
	w.fill("First name", "Rear Admiral Grace")
	w.follow("button", "Save")
	w.sees("The changes were saved.")
	w.choose("Add to a group", "Nightly jobs")
	w.follow("button", "Add to the group")
	w.sees("The person was added to the group.")
	w.follow("link", "Remove from Analysts")
	w.find("dialog", "Remove from Analysts?")
	w.follow("button", "Remove")
	w.sees("The member was removed from the group.")
	grace.visit("/")
	grace.sees("Rear Admiral Grace Hopper", "Nightly jobs")
	grace.lacks("Analysts")

	// Deactivated at once, and let in again.
	w.follow("link", "Deactivate")
	w.find("dialog", "Deactivate Rear Admiral Grace Hopper?")
	w.follow("button", "Deactivate")
	w.sees("The person was deactivated and signed out everywhere.")
	grace.visit("/")
	grace.expects("401")
	grace.signIn("grace@example.com", password)
	grace.sees("Your account is disabled.")
	w.in("navigation", "Status").follow("link", "Deactivated")
	w.follow("button", "Reactivate Rear Admiral Grace Hopper")
	w.sees("The person can sign in again.")

	// A link to choose a new password.
	w.follow("link", "Reset password")
	w.find("dialog", "Reset the password of Rear Admiral Grace Hopper?")
	w.follow("button", "Make the link")
	link := w.in("dialog", "A link for Rear Admiral Grace Hopper").field("Link to set a password").value()
	w.follow("link", "Done")
	w.hides(link)
	path, ok := strings.CutPrefix(link, s.URL)
	if !ok {
		t.Fatalf("the link is %q", link)
	}
	grace.visit(path)
	grace.find("heading", "Choose a new password")
	grace.fill("New password", newPassword)
	grace.follow("button", "Save the password and sign in")
	grace.sees("You are signed in as Rear Admiral Grace Hopper.")
	grace.visit(path)
	grace.sees("This link is no longer valid")
}

// TestGroups creates and renames a group, and adds and removes members.
func TestGroups(t *testing.T) {
	together(t)
	s, w := signedIn(t)
	s.Person("bo@example.com")
	w.admin("People", "Groups")
	if got, want := w.table("Groups")[0], []string{"Group name", "Members", "Actions"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	w.absent("link", "Delete All Users")
	w.absent("link", "Delete Administrators")
	w.expects("400")
	w.follow("link", "Create a group")
	w.in("dialog", "Create a group").fill("Group name", "administrators")
	w.follow("button", "Create")
	w.in("dialog", "Create a group").faulted("Group name", "A group with that name already exists.")
	w.fill("Group name", "Analists")
	w.follow("button", "Create")
	w.find("heading", "Analists")
	w.follow("link", "Rename")
	w.in("dialog", "Rename the group").fill("Group name", "Analysts")
	w.follow("button", "Save")
	w.find("heading", "Analysts")

	w.followFirst("Add someone")
	d := w.in("dialog", "Add someone to Analysts")
	w.do(d.field("Find someone").mouse())
	w.typed("bo@")
	d.listed(1, "listitem")
	w.in("dialog", "Add someone to Analysts").follow("button", "Add bo@example.com")
	w.sees("The person was added to the group.")
	if got := w.table("People in this group"); len(got) != 2 || got[1][1] != "bo@example.com" {
		t.Errorf("members %q", got)
	}
	w.follow("link", "Remove bo@example.com")
	w.find("dialog", "Remove from Analysts?")
	w.follow("button", "Remove")
	w.sees("No people in this group")
}

// TestSettings changes the name of the site.
func TestSettings(t *testing.T) {
	together(t)
	_, w := signedIn(t)
	w.admin("Settings", "General")
	w.fill("Site name", "Data of the North")
	w.fill("Prefix of API keys", "north_")
	w.follow("button", "Save")
	w.sees("The settings were saved.")
	w.find("link", "Data of the North") // in the header
	if got := ask[string](w, `document.title`); !strings.Contains(got, "Data of the North") {
		t.Errorf("the title is %q", got)
	}
	w.expects("400")
	w.fill("Prefix of API keys", "this is no prefix")
	w.follow("button", "Save")
	w.faulted("Prefix of API keys", "")
}

package web_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/people"
)

// user makes a person to test with, who has not chosen a password yet.
func (w *world) user(email string, groups ...int64) people.User {
	w.t.Helper()
	u, err := w.people.Create(w.t.Context(), boss(), people.NewUser{Email: email, Groups: append([]int64{access.AllUsers}, groups...)})
	w.must(err)
	return u
}

var onceField = regexp.MustCompile(`value="([^"]+)"[^>]* data-secret`)

func TestInviteWithoutMail(t *testing.T) {
	w := ready(t)
	b := w.admin()
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	w.must(w.settings.Set(t.Context(), boss(), "admin-email", "help@example.com"))
	const path = "/admin/people/new"
	b.get(path).wants(t, 200, "Invite someone", "temporary password", "Analysts").lacks(t, `value="1"`)
	b.post(path, "token", b.token(path), "email", "nonsense").wants(t, 400, "Value must be a valid email address.", `value="nonsense"`)
	b.post(path, "token", b.token(path), "email", adaEmail).wants(t, 400, "Email address already in use.")
	token := b.token(path)
	form := []string{"token", token, "email", "bo@example.com", "first_name", "Bo", "last_name", "Karlsson", "groups", fmt.Sprint(g.ID)}
	a := b.post(path, form...).wants(t, 200, "Bo Karlsson has been added", "bo@example.com", "Temporary password")
	password := html.UnescapeString(onceField.FindStringSubmatch(a.body)[1])
	b.post(path, form...).wants(t, http.StatusConflict).lacks(t, password)
	b.get("/admin/people").wants(t, 200, "Bo Karlsson", "Analysts", "never").lacks(t, password)
	w.signIn("bo@example.com", password).get("/").wants(t, 200, "What you may do", "All Users, Analysts", "help@example.com")
}

func TestPeopleList(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for i := range 51 {
		w.user(fmt.Sprintf("user%02d@example.com", i))
	}
	b.get("/admin/people").wants(t, 200, "1–50 of 52", "user00@example.com")
	b.get("/admin/people?page=2").wants(t, 200, "51–52 of 52", "Ada Admin", "you</span>")
	b.get("/admin/people?q=USER50").wants(t, 200, "user50@example.com").lacks(t, "user00@")
	b.get("/admin/people?q=nobody").wants(t, 200, "Nobody matches “nobody”")
	b.get("/admin/people?status=deactivated").wants(t, 200, "Nobody is deactivated")
	b.get("/admin/people?status=nonsense").wants(t, 200, "user00@example.com")
}

func TestPerson(t *testing.T) {
	w := ready(t)
	b := w.admin()
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	u := w.user("bo@example.com")
	path := fmt.Sprintf("/admin/people/user/%d", u.ID)
	b.get(path).wants(t, 200, "bo@example.com", "All Users", "Reset password", "Deactivate")
	b.post(path, "email", adaEmail, "first_name", "Bo").wants(t, 400, "Email address already associated to another user.", `value="Bo"`)
	b.post(path, "email", "bo@example.org", "first_name", "Bo", "last_name", "").leads(t, path)
	b.get(path).wants(t, 200, "The changes were saved.", `value="bo@example.org"`)

	b.post(path+"/groups", "group_id", fmt.Sprint(g.ID)).leads(t, path+"#groups")
	b.get(path).wants(t, 200, `aria-label="Remove from Analysts"`).lacks(t, `aria-label="Remove from All Users"`)
	b.post(path+"/groups", "group_id", "1").wants(t, 400, "You cannot add or remove users to/from the 'All Users' group.")
	b.post(path+"/groups", "group_id", "").wants(t, 400)
	leave := fmt.Sprintf("%s/groups/%d/leave", path, g.ID)
	b.get(leave).wants(t, 200, "Remove from Analysts?")
	b.post(leave).leads(t, path+"#groups")
	b.get(path).lacks(t, `aria-label="Remove from Analysts"`)
}

func TestAUserBehindAKeyIsNoPerson(t *testing.T) {
	w := ready(t)
	k := w.key("robot", access.AllUsers)
	path := fmt.Sprintf("/admin/people/user/%d", k.UserID)
	b := w.admin()
	b.get(path).wants(t, 404)
	b.post(path+"/reset", "token", "x").wants(t, 404)
	b.post(path+"/deactivate").wants(t, 404)
}

func TestDeactivateAndReactivate(t *testing.T) {
	w := ready(t)
	b := w.admin()
	theirs := w.person("bo@example.com")
	u, err := w.people.ByEmail(t.Context(), boss(), "bo@example.com")
	w.must(err)
	path := fmt.Sprintf("/admin/people/user/%d", u.ID)
	b.get(path+"/deactivate").wants(t, 200, "is signed out everywhere at once")
	b.post(path+"/deactivate").leads(t, "/admin/people")
	theirs.get("/").leads(t, "/auth/login")
	b.get("/admin/people").lacks(t, "bo@example.com")
	b.get("/admin/people?status=deactivated").wants(t, 200, "bo@example.com", "Reactivate")
	b.get(path).wants(t, 200, "cannot sign in").lacks(t, "Reset password")
	b.post(path+"/reactivate").leads(t, path)
	b.post(path+"/reactivate").wants(t, 400, "Not able to reactivate an active user")
	w.signIn("bo@example.com", adaPassword)
	ada, err := w.people.ByEmail(t.Context(), boss(), adaEmail)
	w.must(err)
	b.post(fmt.Sprintf("/admin/people/user/%d/deactivate", ada.ID)).wants(t, 400, "You cannot remove the last member of the 'Admin' group!")
}

func TestResetLinkForSomebody(t *testing.T) {
	w := ready(t)
	b := w.admin()
	u := w.user("bo@example.com")
	path := fmt.Sprintf("/admin/people/user/%d/reset", u.ID)
	b.get(path).wants(t, 200, "Make the link").lacks(t, "Send the link")
	token := b.token(path)
	a := b.post(path, "token", token, "how", "show").wants(t, 200, "works once, for 48 hours")
	link := html.UnescapeString(onceField.FindStringSubmatch(a.body)[1])
	if !strings.HasPrefix(link, w.URL+"/auth/reset_password/") {
		t.Fatalf("the link is %q", link)
	}
	b.post(path, "token", token, "how", "show").wants(t, http.StatusConflict).lacks(t, link)
	w.browser().post(strings.TrimPrefix(link, w.URL), "password", "another horse 43").leads(t, "/")
	w.signIn("bo@example.com", "another horse 43")
}

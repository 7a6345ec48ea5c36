package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestSetUp(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, path := range []string{"/", "/auth/login", "/admin/people", "/nowhere"} {
		b.get(path).leads(t, "/setup")
	}
	token := b.token("/setup")
	fields := []string{"token", token, "first_name", "Ada", "last_name", "Admin", "email", "not an address", "password", "secret", "site_name", "Example <b>Shop</b>"}
	b.post("/setup", fields...).wants(t, 400, `value="not an address"`, `aria-invalid="true"`, `aria-describedby="hint-email error-email"`).
		lacks(t, `value="secret"`)
	fields[7] = adaEmail
	b.post("/setup", fields...).wants(t, 400, "Password is too common.")
	fields[9] = adaPassword
	b.post("/setup", append([]string{"token", "wrong"}, fields[2:]...)...).wants(t, 400, "Token does not match the setup token.")
	b.post("/setup", fields...).leads(t, "/")
	b.get("/").wants(t, 200, "Next: create your first API key", "Example <b>Shop</b>", "x-api-key: YOUR_API_KEY", w.URL+"/api/permissions/group")
	if strings.Contains(b.get("/").body, "<b>Shop") {
		t.Error("the site name is not escaped")
	}
	b.get("/setup").leads(t, "/")
	other := w.browser()
	other.get("/setup").leads(t, "/")
	other.post("/setup", fields...).leads(t, "/")
}

func TestSignInAndOut(t *testing.T) {
	w := ready(t)
	b := w.browser()
	b.post("/auth/login", "username", adaEmail, "password", "wrong").
		wants(t, 401, "The e-mail address or the password is wrong.", `value="`+adaEmail+`"`, `autofocus aria-invalid="true"`).lacks(t, `value="wrong"`)
	a := b.post("/auth/login", "username", strings.ToUpper(adaEmail), "password", adaPassword, "remember", "yes")
	a.leads(t, "/")
	if set := strings.Join(a.header.Values("Set-Cookie"), "\n"); !strings.Contains(set, "metabase.SESSION=") || !strings.Contains(set, "HttpOnly") {
		t.Errorf("cookies: %s", set)
	}
	b.get("/").wants(t, 200, "Try a key")
	b.get("/auth/logout").wants(t, 404) // nothing changes by a link
	b.get("/").wants(t, 200)
	b.post("/auth/logout").leads(t, "/auth/login")
	b.get("/auth/login").wants(t, 200, "You are signed out.")
	b.get("/auth/login").lacks(t, "You are signed out.") // said once
	b.get("/").leads(t, "/auth/login")
}

func TestFlashShowsOnlyKnownTexts(t *testing.T) {
	w := ready(t)
	b := w.admin()
	r := b.request(http.MethodGet, "/", nil)
	r.Header.Add("Cookie", "latchkey.flash=anything-else")
	b.do(r).wants(t, 200).lacks(t, "anything-else", `class="flash"`)
}

func TestForgottenPasswordWithoutMail(t *testing.T) {
	w := ready(t)
	b := w.browser()
	b.get("/auth/forgot_password").wants(t, 200, "cannot send e-mail", "Ask an administrator", "latchkey user reset-password")
	b.post("/auth/forgot_password", "email", adaEmail).wants(t, 200, "cannot send e-mail").lacks(t, "on its way")
}

func TestResetPassword(t *testing.T) {
	w := ready(t)
	u, err := w.people.ByEmail(t.Context(), boss(), adaEmail)
	w.must(err)
	link, err := w.people.ResetLink(t.Context(), boss(), u.ID)
	w.must(err)
	b := w.browser()
	b.get("/auth/reset_password/1_bogus").wants(t, 200, "no longer valid")
	b.get(link).wants(t, 200, "New password")
	b.post(link, "password", "short").wants(t, 400, "Password is too common.")
	b.post(link, "password", "another horse 43").leads(t, "/")
	b.get("/").wants(t, 200, "Your password was changed.")
	w.browser().get(link).wants(t, 200, "no longer valid")
}

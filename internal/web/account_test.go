package web_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/people"
)

func TestProfile(t *testing.T) {
	w := ready(t)
	b := w.person("bo@example.com")
	b.get("/account").leads(t, "/account/profile")
	b.get("/account/profile").wants(t, 200, `value="bo@example.com"`)
	b.post("/account/profile", "email", adaEmail).wants(t, 400, "Email address already associated to another user.")
	b.post("/account/profile", "email", "bo@example.com", "first_name", "Bo", "is_superuser", "true").leads(t, "/account/profile")
	b.get("/account/profile").wants(t, 200, `value="Bo"`, "Your profile was saved.").lacks(t, "Admin settings")
}

func TestChangePassword(t *testing.T) {
	w := ready(t)
	b, other := w.person("bo@example.com"), w.signIn("bo@example.com", adaPassword)
	b.post("/account/password", "old_password", "wrong", "password", "another horse 43").wants(t, 400, "This is not your current password.", `id="error-old_password"`).lacks(t, "another horse")
	b.post("/account/password", "old_password", adaPassword, "password", "short").wants(t, 400, "Password is too common.")
	b.post("/account/password", "old_password", adaPassword, "password", "another horse 43").leads(t, "/account/password")
	b.get("/account/password").wants(t, 200, "Your password was changed.")
	other.get("/").leads(t, "/auth/login")
	w.signIn("bo@example.com", "another horse 43")
	// Administrators too must know the old one here.
	w.admin().post("/account/password", "old_password", "wrong", "password", "another horse 43").wants(t, 400, "This is not your current password.")
}

func TestSessions(t *testing.T) {
	w := ready(t)
	b, second, third := w.admin(), w.admin(), w.admin()
	b.get("/account/sessions").wants(t, 200, "this one", "127.0.0.1", "End all other sessions", "End this session")
	id := w.otherSession(b)
	b.post(fmt.Sprintf("/account/sessions/%d/end", id)).leads(t, "/account/sessions")
	if a, c := second.get("/").status, third.get("/").status; (a == 303) == (c == 303) {
		t.Errorf("of the two other sessions one must have ended: %d, %d", a, c)
	}
	b.post("/account/sessions/end-others").leads(t, "/account/sessions")
	second.get("/").leads(t, "/auth/login")
	third.get("/").leads(t, "/auth/login")
	b.get("/account/sessions").wants(t, 200, "this one", "All other sessions were ended.").lacks(t, "End all other sessions")
	// Nobody ends the session of somebody else.
	bo := w.person("bo@example.com")
	bo.post(fmt.Sprintf("/account/sessions/%d/end", w.sessionOf(adaEmail)[0].ID)).wants(t, 404)
	b.post(fmt.Sprintf("/account/sessions/%d/end", w.sessionOf(adaEmail)[0].ID)).leads(t, "/auth/login")
}

// sessionOf returns the sessions of a person.
func (w *world) sessionOf(email string) []people.SessionInfo {
	w.t.Helper()
	u, err := w.people.ByEmail(w.t.Context(), boss(), email)
	w.must(err)
	all, err := w.people.Sessions(w.t.Context(), boss(), u.ID)
	w.must(err)
	return all
}

// otherSession returns the id of a session that the page does not mark as its own.
func (w *world) otherSession(b *browser) int64 {
	w.t.Helper()
	body := b.get("/account/sessions").body
	for _, one := range w.sessionOf(adaEmail) {
		row := body[strings.Index(body, fmt.Sprintf(`session-row-%d"`, one.ID)):]
		if end := strings.Index(row, "</tr>"); !strings.Contains(row[:end], "this one") {
			return one.ID
		}
	}
	w.t.Fatal("there is no other session")
	return 0
}

func TestGeneralSettings(t *testing.T) {
	w := ready(t)
	b := w.admin()
	const path = "/admin/settings/general"
	b.get(path).wants(t, 200, "not configured", `value="Latchkey"`, "Europe/Berlin")
	b.post(path, "site-name", "Shop", "site-url", "not a url", "api-key-prefix", "lk_").wants(t, 400, `id="error-site-url"`, `value="not a url"`, `value="Shop"`)
	if got := w.settings.String("site-name"); got != "Latchkey" {
		t.Errorf("half of the form was saved: %q", got)
	}
	b.post(path, "site-name", "Shop", "site-url", "https://data.example.com", "report-timezone", "Europe/Berlin", "api-key-prefix", "shop_",
		"email-smtp-host", "evil.example", "admin-email", "").wants(t, 400)
	b.post(path, "site-name", "Shop", "site-url", "https://data.example.com", "report-timezone", "Europe/Berlin", "api-key-prefix", "shop_", "admin-email", "").leads(t, path)
	b.get(path).wants(t, 200, "The settings were saved.", "<span>Shop</span>", `<option selected>Europe/Berlin`)
	if got := shownKey(t, b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", "k", "group_id", "1")); !strings.HasPrefix(got, "shop_") {
		t.Errorf("the key is %s", got)
	}
	b.post(path, "site-name", "").leads(t, path)
	b.get(path).wants(t, 200, "<span>Latchkey</span>")
}

func TestAuthenticationSettings(t *testing.T) {
	w := ready(t)
	w.must(w.settings.Set(t.Context(), boss(), "session-timeout", map[string]any{"amount": 30, "unit": "minutes"}))
	w.admin().get("/admin/settings/authentication").wants(t, 200, "not used for 30 minutes", "At least 6 characters, with 1 digit")
}

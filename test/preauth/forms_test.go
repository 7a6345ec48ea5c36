package preauth_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// post sends a form as a browser does, and stays where the answer is.
func post(t *testing.T, s *apptest.Server, path string, form url.Values) apptest.Answer {
	t.Helper()
	req, err := http.NewRequest("POST", s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("POST %s: %v", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return apptest.Answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}
}

// typed is what goes into each field of a form, which knows only texts.
func typed() []string {
	return []string{
		"", " ", "\x00", "a\x00b", "\xff\xfe", "\x1f\x7f", "ünïcödé 日本 🗝", "\u202e", "a\r\nSet-Cookie: a=b", "' OR '1'='1' --",
		`"; DROP TABLE users; --`, "$1 ?1 %s {{.}}", "<script>alert(1)</script>", `{"$ne":""}`, "9223372036854775808",
		strings.Repeat("x", 100_000), strings.Repeat("y", 1<<20),
	}
}

// TestForms sends nonsense in every field of the pages before signing in. A
// page may show again what was typed, but no password.
func TestForms(t *testing.T) {
	forms := map[string]url.Values{
		"/auth/login":                         {"username": {"ada@example.com"}, "password": {markedPassword}, "remember": {"on"}, "redirect": {"/"}},
		"/auth/forgot_password":               {"email": {"nobody@example.com"}},
		"/auth/reset_password/" + markedToken: {"password": {markedPassword}},
	}
	setup := map[string]url.Values{
		"/setup": {"email": {"eve@example.com"}, "password": {markedPassword}, "first_name": {"Eve"}, "last_name": {"E"}, "site_name": {"Eve"}, "token": {"wrong"}},
	}
	for _, tt := range []struct {
		kind  dbtest.Kind
		setUp bool
		forms map[string]url.Values
	}{
		{dbtest.SQLite, false, setup},
		{dbtest.SQLite, true, forms},
		{dbtest.PostgreSQL, true, forms},
	} {
		s, _ := start(t, tt.kind, tt.setUp)
		before := stored(s)
		for path, valid := range tt.forms {
			for field := range valid {
				for _, value := range typed() {
					form := url.Values{}
					for k, v := range valid {
						form[k] = v
					}
					form.Set(field, value)
					got := post(t, s, path, form)
					ok := slices.Contains([]int{200, 303, 400, 401, 403, 413}, got.Status)
					if !ok || field != "password" && strings.Contains(got.Body, markedPassword) {
						t.Errorf("POST %s with %s=%.80q: %d %.300s", path, field, value, got.Status, got.Body)
					}
					if to := got.Header.Get("Location"); to != "" && !local(to) {
						t.Errorf("POST %s with %s=%.80q leads to %q", path, field, value, to)
					}
				}
			}
		}
		unharmed(t, s, before)
	}
}

// local reports whether a browser stays on this server.
func local(to string) bool {
	u, err := url.Parse(to)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(to, "/") &&
		!strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\\r\n\t")
}

// TestRedirects: whoever signs in stays on this server, whatever the address
// of the page says.
func TestRedirects(t *testing.T) {
	s, _ := start(t, dbtest.SQLite, true)
	for _, to := range []string{
		"//evil.example.com", "https://evil.example.com", "http:evil.example.com", `/\evil.example.com`, `\\evil.example.com`,
		"/\t/evil.example.com", "/%2f/evil.example.com", "javascript:alert(1)", "data:text/html,a", "///evil.example.com",
		"/./\\evil.example.com", " //evil.example.com", "\x00//evil.example.com", "https:/evil.example.com", "@evil.example.com",
		"/ok?next=//evil.example.com", "/%09/evil.example.com", "/..//evil.example.com", "/account/..//evil.example.com",
	} {
		got := post(t, s, "/auth/login", url.Values{
			"username": {apptest.AdminEmail}, "password": {apptest.AdminPassword}, "redirect": {to},
		})
		if at := got.Header.Get("Location"); got.Status != 303 || !local(at) {
			t.Errorf("signing in with redirect=%q: %d to %q", to, got.Status, at)
		}
		page := s.Do("GET", "/auth/login?"+url.Values{"redirect": {to}}.Encode(), nil, "Cookie", "metabase.SESSION="+s.Session)
		if at := page.Header.Get("Location"); page.Status != 303 || !local(at) {
			t.Errorf("the page with redirect=%q, signed in: %d to %q", to, page.Status, at)
		}
	}
}

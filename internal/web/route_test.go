package web_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/web"
)

// person makes somebody without special rights and signs them in.
func (w *world) person(email string) *browser {
	w.t.Helper()
	_, err := w.people.Create(w.t.Context(), boss(), people.NewUser{Email: email, Password: secret.New(adaPassword)})
	w.must(err)
	return w.signIn(email, adaPassword)
}

// fill puts ids into a path; they exist or not, which must make no difference
// to who is let in.
func fill(path string) string {
	return strings.NewReplacer("{id}", "1", "{group}", "1", "{user}", "1", "{secret}", "1", "{token}", "1_x").Replace(path)
}

func TestEveryRouteKeepsItsPolicy(t *testing.T) {
	w := ready(t)
	anonymous, person := w.browser(), w.person("bo@example.com")
	for _, r := range web.RouteTable() {
		path := fill(r.Path)
		if r.Who != access.Anyone {
			a := send(anonymous, r.Method, path)
			if to := a.header.Get("Location"); a.status != http.StatusSeeOther || !strings.HasPrefix(to, "/auth/login") {
				t.Errorf("%s %s for an anonymous caller: %d to %q, want the sign-in page", r.Method, path, a.status, to)
			}
		}
		if r.Who == access.Admins {
			if a := send(person, r.Method, path); a.status != http.StatusForbidden {
				t.Errorf("%s %s for a person: %d, want 403", r.Method, path, a.status)
			}
		}
	}
}

// Whoever sends a form byte by byte cannot hold a connection for ever.
func TestSlowFormIsCutOff(t *testing.T) {
	w := ready(t)
	for _, path := range []string{"/auth/login", "/admin/people/new", "/nope"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
		w.must(err)
		defer func() { _ = c.Close() }()
		_, err = io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: example.com\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername=")
		w.must(err)
		w.must(c.SetReadDeadline(time.Now().Add(10 * time.Second)))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%s: the connection stays open: %v", path, err)
		}
	}
}

func send(b *browser, method, path string) answer {
	if method == http.MethodPost {
		return b.post(path)
	}
	return b.get(path)
}

func TestAnonymousComesBackAfterSignIn(t *testing.T) {
	w := ready(t)
	b := w.browser()
	a := b.get("/admin/people?q=bo")
	a.leads(t, "/auth/login?redirect="+url.QueryEscape("/admin/people?q=bo"))
	b.get(a.header.Get("Location")).wants(t, 200, `name="redirect" value="/admin/people?q=bo"`)
	b.post("/auth/login", "username", adaEmail, "password", adaPassword, "redirect", "/admin/people?q=bo").leads(t, "/admin/people?q=bo")
	b.get("/auth/login?redirect=/account/profile").leads(t, "/account/profile")
}

func TestNoOpenRedirect(t *testing.T) {
	w := ready(t)
	for _, target := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
		"/\t/evil.example", "http:evil.example", "//evil.example/%2f..", "/%09/evil.example\n", "evil.example", "///evil.example", "/auth/logout"} {
		b := w.browser()
		a := b.post("/auth/login", "username", adaEmail, "password", adaPassword, "redirect", target)
		if to := a.header.Get("Location"); to != "/" && to != "/%09/evil.example" {
			t.Errorf("redirect %q leads to %q", target, to)
		}
	}
}

func TestSearchOfASignedOutPersonLeadsToSignIn(t *testing.T) {
	w := ready(t)
	b := w.browser()
	r := b.request(http.MethodGet, "/admin/people?q=x", nil)
	r.Header.Set("HX-Request", "true")
	a := b.do(r)
	if got := a.header.Get("HX-Redirect"); a.status != http.StatusNoContent || !strings.HasPrefix(got, "/auth/login?") {
		t.Errorf("%d, HX-Redirect %q", a.status, got)
	}
}

func TestPagesTakeNoAPIKeys(t *testing.T) {
	w := ready(t)
	_, text, err := w.keys.Create(t.Context(), boss(), "root", access.Administrators)
	w.must(err)
	b := w.browser()
	r := b.request(http.MethodGet, "/admin/people", nil)
	r.Header.Set("X-Api-Key", text.Reveal())
	b.do(r).leads(t, "/auth/login?redirect=%2Fadmin%2Fpeople")
}

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r := b.request(http.MethodPost, "/admin/people/groups/new", strings.NewReader("name=Evil"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		b.do(r).wants(t, http.StatusForbidden, "sent from another site")
	}
	if _, n := w.groups.Search("evil", 0, 0); n != 0 {
		t.Error("the group was made")
	}
}

func TestHeaders(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for _, path := range []string{"/", "/auth/login", "/admin/settings/authentication/api-keys", "/nowhere"} {
		h := b.get(path).header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: unsafe policy %q", path, csp)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Strict-Transport-Security": "", "Content-Type": "text/html; charset=utf-8"} {
			if got := h.Get(name); path != "/auth/login" && got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	r := b.request(http.MethodGet, "/", nil)
	r.Header.Set("X-Test-Tls", "yes")
	if got := b.do(r).header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS over TLS")
	}
}

func TestAssetsAreKeptByHash(t *testing.T) {
	w := ready(t)
	b := w.browser()
	body := b.get("/auth/login").body
	_, rest, ok := strings.Cut(body, `href="/static/`)
	if !ok {
		t.Fatal("the page has no style sheet")
	}
	path, _, _ := strings.Cut("/static/"+rest, `"`)
	if got := b.get(path).wants(t, 200).header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control of %s is %q", path, got)
	}
	if got := b.get("/static/0/app.css").wants(t, 200).header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("an address of another release is kept: %q", got)
	}
	b.get("/static/0/../../web.go").lacks(t, "package web")
	b.get("/static/0/nothing.css").wants(t, 404)
}

func TestErrorPages(t *testing.T) {
	w := ready(t)
	b := w.admin()
	b.get("/nowhere").wants(t, 404, "This page does not exist")
	b.get("/admin/people/user/999").wants(t, 404, "This page does not exist")
	b.get("/admin/people/groups/abc").wants(t, 404)
	b.get("/admin/settings/authentication/api-keys/0/edit").wants(t, 404)
	w.person("bo@example.com").get("/admin").wants(t, 403, "You don't have permissions to do that.")
}

func TestOwnFailuresShowOnlyAnID(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.db.Close()
	a := b.get("/admin/people").wants(t, 500, "Something went wrong on our side").lacks(t, "sql", "closed")
	_, rest, _ := strings.Cut(a.body, "<code>")
	id, _, _ := strings.Cut(rest, "</code>")
	if len(id) < 8 || !strings.Contains(w.log.String(), id) {
		t.Errorf("the id %q is not in the log:\n%s", id, w.log)
	}
}

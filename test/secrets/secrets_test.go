package secrets_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

type body = map[string]any

// TestNothingTellsASecret is the life of an instance, on both databases.
func TestNothingTellsASecret(t *testing.T) {
	for i, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			post := startMail(t)
			c := begin(t, kind, []string{"text", "json"}[i], post)
			c.bootstrap()
			c.setUp()
			c.keys()
			c.people(post)
			c.ownAPI()
			c.seeds()
			c.commands()
			c.keyCommands()
			c.failures(post)
			if code := c.s.Stop(); code != 0 {
				t.Errorf("stopped with exit code %d", code)
			}
			c.talked()
			c.searchEverything()
		})
	}
}

// made makes up a secret that passes every rule for passwords.
func made(name string) string { return "Marked-" + name + "-" + rand.Text()[:10] + "-42" }

// begin starts an instance that logs all that it can.
func begin(t *testing.T, kind dbtest.Kind, format string, post *mailServer) *scene {
	t.Helper()
	c := &scene{t: t}
	var pepper [32]byte
	_, _ = rand.Read(pepper[:]) // never fails
	smtp := c.learn("SMTP password", made("smtp"))
	c.learn("SMTP credentials", strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("\x00mailer\x00"+smtp)), "="))
	o := apptest.Options{Kind: kind, Env: []string{
		"LATCHKEY_LOG_LEVEL=debug", "LATCHKEY_LOG_REQUESTS=true", "LATCHKEY_LOG_FORMAT=" + format,
		"LATCHKEY_PEPPER=" + c.learn("pepper", base64.StdEncoding.EncodeToString(pepper[:])),
		"LATCHKEY_BOOTSTRAP_KEY=" + c.learn("key of the first start", apikey.NewText("lk_").Reveal()),
		"LATCHKEY_METRICS_TOKEN=" + c.learn("metrics token", made("metrics")),
		"SEEDED_KEY=" + c.learn("key in a variable", foreign("Variable")),
		"LATCHKEY_SITE_URL=http://latchkey.example.com",
		"LATCHKEY_SMTP_HOST=127.0.0.1", fmt.Sprintf("LATCHKEY_SMTP_PORT=%d", post.port), "LATCHKEY_SMTP_SECURITY=none",
		"LATCHKEY_SMTP_USER=mailer", "LATCHKEY_SMTP_PASSWORD=" + smtp, "LATCHKEY_SMTP_FROM=latchkey@example.com",
	}}
	if kind == dbtest.PostgreSQL {
		o.URL = dbtest.Postgres(t)
		u, err := url.Parse(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := u.User.Password()
		c.learn("database password", text)
	}
	c.s = apptest.Start(t, o)
	return c
}

// The people of the scene.
const (
	ada = "ada@example.com"
	bo  = "bo@example.com"
)

func cookie(session string) []string { return []string{"Cookie", "metabase.SESSION=" + session} }

func header(session string) []string { return []string{"X-Metabase-Session", session} }

// signIn signs in by the API and returns the session.
func (c *scene) signIn(name, email, password string) string {
	c.t.Helper()
	return c.show(c.want(200, "POST", "/api/session", body{"username": email, "password": password, "remember": true}), name, sessionPattern)
}

// admin returns the headers of the administrator's session.
func (c *scene) admin() []string { return header(c.s.Session) }

func (c *scene) secret(what string) string {
	c.t.Helper()
	for _, s := range c.secrets {
		if s.what == what {
			return s.text
		}
	}
	c.t.Fatalf("the secret %s was never learned", what)
	return ""
}

// setUp sets the instance up, after some tries that fail.
func (c *scene) setUp() {
	token := c.show(c.want(200, "GET", "/api/session/properties", nil), "setup token", tokenPattern)
	page := c.want(200, "GET", "/setup", nil)
	page.may = append(page.may, token)
	first := c.learn("password of Ada", made("ada"))
	setup := func(token, password string) body {
		return body{"token": token, "user": body{"email": ada, "password": password, "first_name": "Ada"}, "prefs": body{"site_name": "Example"}}
	}
	c.want(400, "POST", "/api/setup", setup("wrong", first))
	c.want(400, "POST", "/api/setup", body{"token": token, "user": body{"email": "nobody", "password": first}, "prefs": body{}})
	c.want(400, "POST", "/api/setup", body{"token": token, "user": []string{first}, "prefs": body{"site_name": "a"}})
	c.s.Session = c.show(c.want(200, "POST", "/api/setup", setup(token, first)), "session of set-up", sessionPattern)
	c.want(403, "POST", "/api/setup", setup(token, first))
	c.want(200, "GET", "/api/session/properties", nil)
	c.want(303, "GET", "/setup", nil)

	wrong := c.learn("wrong password", made("wrong"))
	for range 3 {
		c.want(401, "POST", "/api/session", body{"username": ada, "password": wrong})
	}
	c.want(401, "POST", "/api/session", body{"username": "nobody@example.com", "password": c.learn("password of nobody", made("nobody"))})
	c.want(401, "POST", "/api/session", body{"username": c.learn("password typed as name", made("typed")), "password": wrong})
	c.want(400, "POST", "/api/session", body{"username": ada, "password": []string{wrong}})
	c.want(401, "POST", "/auth/login", url.Values{"username": {ada}, "password": {wrong}})
	second := c.signIn("second session", ada, first)
	c.want(204, "DELETE", "/api/session", nil, header(second)...)
	c.want(401, "GET", "/api/user/current", nil, header(second)...)
	page = c.want(303, "POST", "/auth/login", url.Values{"username": {ada}, "password": {first}, "remember": {"on"}})
	third := c.show(page, "session of the page", sessionPattern)
	for _, path := range []string{"/", "/account/profile", "/account/sessions", "/account/password", "/admin/settings/general", "/admin/settings/authentication"} {
		c.want(200, "GET", path, nil, cookie(third)...)
	}
	c.want(303, "POST", "/auth/logout", url.Values{}, cookie(third)...)
}

// keys makes, uses, misuses and ends keys. The first key of the instance was
// that of the first start.
func (c *scene) keys() {
	create := func(name string, group int) (*saying, string) {
		a := c.want(200, "POST", "/api/api-key", body{"name": name, "group_id": group}, c.admin()...)
		return a, c.show(a, "key "+name, keyPattern)
	}
	_, old := create("export", 2)
	c.want(200, "GET", "/api/user/current", nil, "x-api-key", old)
	list := c.want(200, "GET", "/api/api-key", nil, "x-api-key", old)
	if strings.Contains(list.text, old[8:]) {
		c.t.Error("the list of keys shows more than the beginning of a key")
	}
	regenerated := c.want(200, "PUT", "/api/api-key/2/regenerate", nil, c.admin()...)
	key := c.show(regenerated, "key regenerated", keyPattern)
	c.want(401, "GET", "/api/user/current", nil, "x-api-key", old)
	c.want(200, "GET", "/api/permissions/group", nil, "x-api-key", key)

	// In the wrong places.
	c.call("GET", "/api/user/current?api_key="+key+"&x-api-key="+key, nil)
	c.call("GET", "/api/user/"+key, nil, c.admin()...)
	c.call("GET", "/api/"+key, nil)
	c.call("GET", "/"+key, nil, cookie(c.s.Session)...)
	c.call("GET", "/api/user/current", nil, "Authorization", "Bearer "+key)
	c.call("GET", "/api/user/current", nil, header(key)...)
	c.call("GET", "/api/user/current", nil, cookie(key)...)
	c.call("GET", "/api/user/current", nil, "x-api-key", c.s.Session)
	c.call("GET", "/api/user/current", nil, "x-api-key", key+"0")
	c.call("GET", "/api/user/current", nil, "x-api-key", key, "x-api-key", key)
	c.call("GET", "/api/user/current?limit="+key, nil, c.admin()...).may = []string{key} // it says what is wrong
	c.call("POST", "/api/session/password-check", body{"password": key})
	c.call("DELETE", "/api/session", nil, "x-api-key", key)

	page := c.want(200, "POST", "/admin/settings/authentication/api-keys/new",
		url.Values{"name": {"by page"}, "group_id": {"1"}, "token": {rand.Text()}}, cookie(c.s.Session)...)
	c.show(page, "key by page", keyPattern)
	page = c.want(200, "POST", "/admin/settings/authentication/api-keys/3/regenerate", url.Values{"token": {rand.Text()}}, cookie(c.s.Session)...)
	c.show(page, "key regenerated by page", keyPattern)
	c.want(200, "GET", "/admin/settings/authentication/api-keys", nil, cookie(c.s.Session)...)
	c.want(200, "GET", "/admin/settings/authentication/api-keys/3/edit", nil, cookie(c.s.Session)...)
	c.want(204, "DELETE", "/api/api-key/3", nil, c.admin()...)
	c.want(404, "DELETE", "/api/api-key/3", nil, c.admin()...)
}

// people changes and resets passwords.
func (c *scene) people(post *mailServer) {
	c.want(200, "POST", "/api/user", body{"email": bo, "first_name": "Bo"}, c.admin()...)
	c.show(c.mail(post), "token of the invitation", resetPattern)
	var id int64
	if _, err := fmt.Sscan(strings.Split(c.secret("token of the invitation"), "_")[0], &id); err != nil {
		c.t.Fatal(err)
	}
	path := fmt.Sprintf("/api/user/%d", id)
	first := c.learn("password of Bo", made("bo"))
	c.want(204, "PUT", path+"/password", body{"password": first}, c.admin()...)
	session := c.signIn("session of Bo", bo, first)
	wrong := c.learn("wrong old password", made("old"))
	next := c.learn("next password of Bo", made("next"))
	c.want(400, "PUT", path+"/password", body{"password": next, "old_password": wrong}, header(session)...)
	c.want(400, "PUT", path+"/password", body{"password": body{"$ne": next}, "old_password": []string{wrong}}, header(session)...)
	c.want(400, "PUT", path+"/password", body{"password": c.learn("weak password", "Marked-weak-password"), "old_password": first}, header(session)...)
	c.show(c.want(200, "PUT", path+"/password", body{"password": next, "old_password": first}, header(session)...), "session after the change", sessionPattern)
	c.want(401, "GET", "/api/user/current", nil, header(session)...)
	// A password in a body that does not take one.
	c.want(200, "PUT", path, body{"first_name": "Bo", "password": c.learn("password nobody asked for", made("unasked"))}, c.admin()...)

	c.want(204, "POST", "/api/session/forgot_password", body{"email": bo})
	token := c.show(c.mail(post), "reset token", resetPattern)
	c.want(200, "GET", "/api/session/password_reset_token_valid?token="+token, nil)
	c.want(200, "GET", "/auth/reset_password/"+token, nil)
	c.want(400, "POST", "/api/session/reset_password", body{"token": token, "password": c.secret("weak password")})
	c.want(400, "POST", "/auth/reset_password/"+token, url.Values{"password": {c.secret("weak password")}})
	reset := c.learn("password after the reset", made("reset"))
	c.show(c.want(200, "POST", "/api/session/reset_password", body{"token": token, "password": reset}), "session after the reset", sessionPattern)
	c.want(400, "POST", "/api/session/reset_password", body{"token": token, "password": reset})
	c.want(400, "POST", "/auth/reset_password/"+token, url.Values{"password": {reset}})

	page := c.want(200, "POST", fmt.Sprintf("/admin/people/user/%d/reset", id), url.Values{"token": {rand.Text()}}, cookie(c.s.Session)...)
	shown := c.show(page, "reset token on a page", resetPattern)
	page = c.want(303, "POST", "/auth/reset_password/"+shown, url.Values{"password": {reset}})
	session = c.show(page, "session after the reset on a page", sessionPattern)
	c.want(303, "POST", "/account/password", url.Values{"old_password": {reset}, "password": {next}}, cookie(session)...).may = nil
	last := c.said[len(c.said)-1]
	c.show(last, "session after the change on a page", sessionPattern)

	c.call("PUT", "/api/setting/email-smtp-password", body{"value": c.learn("SMTP password by the API", made("set"))}, c.admin()...)
	c.call("PUT", "/api/setting", body{"email-smtp-password": c.secret("SMTP password by the API")}, c.admin()...)
	c.want(200, "GET", "/api/setting", nil, c.admin()...)
	c.call("GET", "/api/setting/email-smtp-password", nil, c.admin()...)
	c.call("GET", "/api/setting/setup-token", nil, c.admin()...)
	c.want(200, "GET", "/api/session/properties", nil, c.admin()...)
	for _, path := range []string{"/api/user", "/api/user?status=all", "/api/permissions/membership", "/api/docs/openapi.json", "/api/permissions/group/1"} {
		c.want(200, "GET", path, nil, c.admin()...)
	}
}

// mail keeps a message like an answer: its link is all that it may show.
func (c *scene) mail(post *mailServer) *saying {
	c.t.Helper()
	a := &saying{what: "mail", text: post.letter(c.t)}
	c.said = append(c.said, a)
	return a
}

// commands runs the commands beside the server.
func (c *scene) commands() {
	key := c.show(c.run(0, "", "key", "create", "--name", "ci", "--group", "Administrators"), "key by command", keyPattern)
	c.show(c.run(0, "", "key", "create", "--name", "json", "--json"), "key by command in JSON", keyPattern)
	c.run(0, "", "key", "list")
	c.run(0, key+"\n", "key", "verify")
	c.run(0, key+"\n", "key", "verify", "--offline")
	c.run(0, key+"\n", "key", "verify", "--url", c.s.URL)
	c.run(1, key[:46]+"\n", "key", "verify")
	c.run(1, c.secret("key export")+"\n", "key", "verify")
	c.run(1, c.secret("key export")+"\n", "key", "verify", "--url", c.s.URL)
	c.run(1, "", "key", "verify", "--offline", key+"0")
	c.show(c.run(0, "", "user", "reset-password", ada), "reset token by command", resetPattern)
	c.run(0, "", "audit", "verify")
	c.run(0, "", "config")
	c.run(1, "", "config", "--smtp-passwort", c.secret("SMTP password"))
	c.run(2, "", "key", "delete", key)
}

// failures makes the program fail inside while it holds secrets.
func (c *scene) failures(post *mailServer) {
	password, next := c.secret("password of Ada"), c.learn("password that was never set", made("never"))
	reset := c.secret("reset token by command")
	c.breakTable("audit", func() {
		c.call("POST", "/api/session", body{"username": ada, "password": password})
		c.call("POST", "/auth/login", url.Values{"username": {ada}, "password": {password}})
		c.call("POST", "/api/api-key", body{"name": "fails", "group_id": 1}, c.admin()...)
		c.call("PUT", "/api/user/1/password", body{"password": next}, c.admin()...)
		c.call("POST", "/api/session/reset_password", body{"token": reset, "password": next})
		c.call("POST", "/auth/reset_password/"+reset, url.Values{"password": {next}})
		c.call("POST", "/account/password", url.Values{"old_password": {password}, "password": {next}}, cookie(c.s.Session)...)
	})
	c.breakTable("users", func() {
		c.call("POST", "/api/session", body{"username": ada, "password": password})
		c.call("POST", "/api/session/reset_password", body{"token": reset, "password": next})
		c.call("GET", "/api/session/password_reset_token_valid?token="+reset, nil)
		c.call("GET", "/auth/reset_password/"+reset, nil)
		c.call("GET", "/api/user?query="+url.QueryEscape(password), nil, c.admin()...)
	})
	c.breakTable("session", func() {
		unknown := c.learn("session that nobody has", "0b9e5b04-3a0c-4c37-8a63-"+strings.ToLower(fmt.Sprintf("%012x", time.Now().UnixNano()&0xffffffffffff)))
		c.call("GET", "/api/user/current", nil, header(unknown)...)
		c.call("GET", "/admin", nil, cookie(unknown)...)
		c.call("DELETE", "/api/session", nil, header(c.secret("session after the change on a page"))...)
	})
	c.breakTable("api_key", func() {
		c.call("GET", "/api/user/current", nil, "x-api-key", c.secret("key by command in JSON"))
		c.call("GET", "/api/api-key", nil, c.admin()...)
	})
	c.ownFailures()
	c.breakTable("throttle", func() {
		c.call("POST", "/api/session", body{"username": ada, "password": password})
	})
	c.want(200, "GET", "/api/user/current", nil, c.admin()...)
	c.want(200, "GET", "/api/session/password_reset_token_valid?token="+reset, nil)

	<-post.refuse
	post.refuse <- true
	c.want(204, "POST", "/api/session/forgot_password", body{"email": bo})
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(c.s.Log(), "the password is wrong"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Error("that the mail server refuses the password is not in the log")
			break
		}
	}
}

// talked makes sure that the log said what was searched: a line for each
// request, and the causes of the failures.
func (c *scene) talked() {
	log := c.s.Log()
	for _, want := range []string{
		"/api/api-key/{id}/regenerate", "/v1/keys/{id}/rotate", "/v1/self/rotate", "a retired secret of a key was used", "API keys were refused",
		"/auth/reset_password/{token}", "request failed", "page failed", "audit",
	} {
		if !strings.Contains(log, want) {
			c.t.Errorf("the log does not hold %q, so searching it proves little", want)
		}
	}
	for _, a := range c.said {
		if a.status >= 500 && !strings.Contains(a.text, "Internal server error.") && !strings.Contains(a.text, "Something went wrong") &&
			!strings.Contains(a.text, `"The server failed."`) {
			c.t.Errorf("%s: %d with another text:\n%s", a.what, a.status, a.text)
		}
	}
}

// TestUnattendedSecrets gives the secrets of an unattended start in files, and
// makes some of the starts fail.
func TestUnattendedSecrets(t *testing.T) {
	c := &scene{t: t}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	password := c.learn("password of the configuration", made("unattended"))
	token, first := c.learn("metrics token", made("metrics")), c.learn("key of the first start", apikey.NewText("lk_").Reveal())
	seeded, variable := c.learn("key in a file", foreign("File")), c.learn("key in a variable", foreign("Variable"))
	c.s = apptest.Start(t, apptest.Options{Env: []string{
		"LATCHKEY_LOG_LEVEL=debug", "LATCHKEY_ADMIN_EMAIL=" + ada, "LATCHKEY_ADMIN_PASSWORD_FILE=" + file("password", password),
		"LATCHKEY_METRICS_TOKEN_FILE=" + file("metrics", token), "LATCHKEY_BOOTSTRAP_KEY_FILE=" + file("bootstrap", first),
		"LATCHKEY_SEED_FILE=" + file("seed.yaml", "version: 1\npeople: [{email: "+bo+", password_file: "+file("bo", c.learn("password of a seeded person", made("seeded")))+"}]\n"+
			"keys:\n  - {name: by file, secret_file: "+file("key", seeded)+"}\n  - {name: by variable, secret_env: SEEDED_KEY}\n"),
		"SEEDED_KEY=" + variable,
	}})
	c.use(200, seeded)
	c.use(200, variable)
	c.use(401, first) // there are people already
	c.want(200, "GET", "/metrics", nil, "Authorization", "Bearer "+token)
	c.signIn("session of a seeded person", bo, c.secret("password of a seeded person"))
	c.s.Session = c.signIn("session", ada, password)
	c.show(c.want(200, "POST", "/api/api-key", body{"name": "a", "group_id": 2}, c.admin()...), "key", keyPattern)
	c.run(0, "", "config")
	pepper, err := os.ReadFile(filepath.Join(c.s.DataDir, "pepper"))
	if err != nil {
		t.Fatal(err)
	}
	c.learn("pepper", strings.TrimSpace(string(pepper)))
	info, err := os.Stat(filepath.Join(c.s.DataDir, "pepper"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the pepper file: %v, %v, want mode 0600", info.Mode(), err)
	}
	c.want(200, "GET", "/api/setting", nil, c.admin()...)

	c.run(1, "", "key", "list", "--pepper-file", file("pepper", c.learn("wrong pepper", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("wrong", 8))))))
	c.run(1, "", "serve", "--bootstrap-key", c.learn("bad key of the first start", "Marked key with spaces "+rand.Text()))
	c.run(1, "", "serve", "--metrics-token", c.learn("bad metrics token", "Marked token "+rand.Text()))
	c.run(1, "", "serve", "--seed-file", file("bad.yaml", "version: 1\nkeys: [{name: bad, secret: "+seeded+"}]"))
	c.run(1, "", "key", "list", "--pepper", c.learn("bad pepper", "not a pepper at all"))
	url := "postgres://latchkey:" + c.learn("database password", made("database")) + "@127.0.0.1:1/latchkey"
	c.run(1, "", "key", "list", "--database-url", url)
	c.run(1, "", "key", "list", "--database-url", url+"?sslmode=nonsense%zz")
	c.s.Stop()
	c.searchEverything()
}

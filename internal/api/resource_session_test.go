package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/cookie"
	"latchkey/internal/secret"
)

func TestSetup(t *testing.T) {
	const good = `"user":{"email":"ada@example.test","password":"` + adaPassword + `","first_name":"Ada","last_name":null},"prefs":{"site_name":"Acme","site_locale":"es-mx"}`
	const noSite = `map where {:site_name -> <value must be a non-blank string.>`
	const locale = `String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'.`
	const secondTime = "The /api/setup route can only be used to create the first user, however a user currently exists."
	eachEmpty(t, false, func(t *testing.T, in *instance) {
		token, err := in.people.SetupToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in.names["token"] = token
		user := func(user string) string {
			return `{"token":"{token}","user":` + user + `,"prefs":{"site_name":"Acme"}}`
		}
		prefs := func(prefs string) string {
			return `{"token":"{token}","user":{"email":"ada@example.test","password":"` + adaPassword + `"},"prefs":` + prefs + `}`
		}
		in.run(t, []row{
			{name: "wrong token", call: "POST /api/setup", body: `{"token":"foobar",` + good + `}`, status: 400,
				want: invalid("token", "Token does not match the setup token.", `setup token, received: "foobar"`)},
			{name: "no token", call: "POST /api/setup", body: `{` + good + `}`, status: 400,
				want: invalid("token", "Token does not match the setup token.", `missing required key, received: nil`)},
			{name: "null token", call: "POST /api/setup", body: `{"token":null,` + good + `}`, status: 400,
				want: invalid("token", "Token does not match the setup token.", `setup token, received: nil`)},
			{name: "no site name", call: "POST /api/setup", body: prefs(`{}`), status: 400, want: "-",
				has: []string{`"errors":{"prefs":"` + noSite, `"specific-errors":{"prefs":["`}},
			{name: "no prefs", call: "POST /api/setup", body: `{"token":"{token}","user":{"email":"ada@example.test","password":"` + adaPassword + `"}}`, status: 400, want: "-",
				has: []string{`"errors":{"prefs":"` + noSite}},
			{name: "blank site name", call: "POST /api/setup", body: prefs(`{"site_name":" "}`), status: 400, want: "-",
				has: []string{`"errors":{"prefs":{"site_name":"value must be a non-blank string."}}`}},
			{name: "bad locale", call: "POST /api/setup", body: prefs(`{"site_name":"Acme","site_locale":"eng-USA"}`), status: 400,
				want: `{"errors":{"prefs":{"site_locale":"nullable ` + locale + `"}},"specific-errors":{"prefs":{"site_locale":["valid locale, received: \"eng-USA\""]}}}`},
			{name: "bad address", call: "POST /api/setup", body: user(`{"email":"anything","password":"` + adaPassword + `"}`), status: 400,
				want: `{"errors":{"user":{"email":"value must be a valid email address."}},"specific-errors":{"user":{"email":["valid email address, received: \"anything\""]}}}`},
			{name: "weak password", call: "POST /api/setup", body: user(`{"email":"ada@example.test","password":"anything"}`), status: 400,
				want: `{"errors":{"user":{"password":"password is too common."}},"specific-errors":{"user":{"password":["valid password that is not too common, received: \"***\""]}}}`},
			{name: "blank first name", call: "POST /api/setup", body: user(`{"email":"ada@example.test","password":"` + adaPassword + `","first_name":""}`), status: 400,
				want: "-", has: []string{`"errors":{"user":{"first_name":"nullable value must be a non-blank string."}}`}},
			{name: "no user", call: "POST /api/setup", body: `{"token":"{token}","prefs":{"site_name":"Acme"}}`, status: 400, want: "-", has: []string{`"errors":{"user":"map where {:email -> `}},
			{name: "nothing", call: "POST /api/setup", status: 400, want: "-", has: []string{`"token":"Token does`, `"user":"map`, `"prefs":"map`}},
		})
		in.addKey(t, "early", access.Administrators)
		rec := in.do("early", "POST", "/api/setup", in.fill(`{"token":"{token}","allow_tracking":"true","database":null,"invite":{},`+good+`}`))
		if rec.Code != http.StatusOK || !matches(`{"id":"<uuid>"}`, rec.Body.String()) {
			t.Fatalf("set-up with a key: %d %s", rec.Code, rec.Body)
		}
		checkOpened(t, rec, 0)
		in.callers["first"] = [2]string{"Cookie", cookie.Session + "=" + cookiesOf(rec)[cookie.Session].Value}
		in.run(t, []row{
			{name: "the first is an administrator", who: "first", call: "GET /api/user/current", status: 200, want: "-",
				has: []string{`"email":"ada@example.test"`, `"is_superuser":true`, `"group_ids":[1,2]`, `"is_installer":true`, `"last_name":null`, `"common_name":"Ada"`}},
			{name: "prefs", who: "first", call: "GET /api/session/properties", status: 200, want: "-",
				has: []string{`"site-name":"Acme"`, `"site-locale":"es_MX"`, `"admin-email":"ada@example.test"`, `"has-user-setup":true`}, not: []string{`"setup-token"`}},
			{name: "again", call: "POST /api/setup", body: `{"token":"{token}",` + good + `}`, status: 403, want: secondTime},
			{name: "again, wrong token", call: "POST /api/setup", body: `{"token":"foobar",` + good + `}`, status: 400, want: "-", has: []string{`"errors":{"token":`}},
			{name: "again, as administrator", who: "first", call: "POST /api/setup", body: `{"token":"{token}",` + good + `}`, status: 403, want: secondTime},
		})
	})
}

// checkOpened wants the cookies of a new session, with this Max-Age, and an
// answer that no cache keeps.
func checkOpened(t *testing.T, rec *httptest.ResponseRecorder, maxAge int) {
	t.Helper()
	session, timeout := cookiesOf(rec)[cookie.Session], cookiesOf(rec)[cookie.Timeout]
	if session == nil || timeout == nil {
		t.Fatalf("cookies %v", rec.Result().Cookies())
	}
	if !session.HttpOnly || session.Path != "/" || session.SameSite != http.SameSiteLaxMode || session.MaxAge != maxAge || session.Secure {
		t.Errorf("session cookie %v", session)
	}
	if !strings.Contains(rec.Body.String(), session.Value) {
		t.Errorf("the cookie holds %q, the body %s", session.Value, rec.Body)
	}
	if timeout.Value != "alive" || timeout.HttpOnly {
		t.Errorf("timeout cookie %v", timeout)
	}
	if got := rec.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestSignIn(t *testing.T) {
	const refused = `{"errors":{"password":"did not match stored password"}}`
	const blank = "value must be a non-blank string."
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addPerson(t, "cy", boPassword)
		in.run(t, []row{
			{name: "sign in", call: "POST /api/session", body: `{"username":"bo@example.test","password":"` + boPassword + `"}`, status: 200, want: "-", has: []string{`{"id":"`}},
			{name: "any case", call: "POST /api/session", body: `{"username":"BO@Example.Test","password":"` + boPassword + `","remember":"true"}`, status: 200, want: `{"id":"<uuid>"}`},
			{name: "form", call: "POST /api/session", body: `username=bo%40example.test&password=` + boPassword, status: 200, want: `{"id":"<uuid>"}`},
			{name: "wrong password", call: "POST /api/session", body: `{"username":"bo@example.test","password":"nope-nope-1"}`, status: 401, want: refused, not: []string{"nope"}},
			{name: "unknown user", call: "POST /api/session", body: `{"username":"nobody@example.test","password":"` + boPassword + `"}`, status: 401, want: refused},
			{name: "no address", call: "POST /api/session", body: `{"username":"bo","password":"` + boPassword + `"}`, status: 401, want: refused},
			{name: "user of a key", call: "POST /api/session", body: `{"username":"api-key-user@api-key.invalid","password":"x"}`, status: 401, want: refused},
			{name: "no username", call: "POST /api/session", body: `{"password":"` + boPassword + `"}`, status: 400,
				want: invalid("username", blank, "missing required key, received: nil")},
			{name: "blank username", call: "POST /api/session", body: `{"username":" ","password":"` + boPassword + `"}`, status: 400,
				want: invalid("username", blank, `non-blank string, received: " "`)},
			{name: "no password", call: "POST /api/session", body: `{"username":"bo@example.test"}`, status: 400,
				want: invalid("password", blank, "missing required key, received: nil")},
			{name: "blank password", call: "POST /api/session", body: `{"username":"bo@example.test","password":""}`, status: 400,
				want: invalid("password", blank, `should be at least 1 character, received: "***"`, `non-blank string, received: "***"`)},
			{name: "malformed", call: "POST /api/session", body: `{`, status: 400, want: "Malformed JSON in request body."},
			{name: "cy goes", who: "ada", call: "DELETE /api/user/{cy}", status: 200, want: "-"},
			{name: "disabled", call: "POST /api/session", body: `{"username":"cy@example.test","password":"` + boPassword + `"}`, status: 401, want: `{"errors":{"_error":"Your account is disabled."}}`},
			{name: "disabled, wrong password", call: "POST /api/session", body: `{"username":"cy@example.test","password":"x"}`, status: 401, want: refused},
			{name: "google", call: "POST /api/session/google_auth", body: `{"token":"x"}`, status: 400, want: "Google Auth is disabled."},
		})
		checkOpened(t, in.do("", "POST", "/api/session", `{"username":"bo@example.test","password":"`+boPassword+`"}`), 0)
		checkOpened(t, in.do("", "POST", "/api/session", `{"username":"bo@example.test","password":"`+boPassword+`","remember":true}`), 1209600)
		in.clock.Advance(time.Hour)
		in.send(t, row{call: "POST /api/session", body: `{"username":"bo@example.test","password":"` + boPassword + `"}`, status: 200, want: "-"})
		in.send(t, row{who: "bo", call: "GET /api/user/current", status: 200, want: "-",
			has: []string{`"last_login":"2026-01-02T04:04:05Z"`, `"first_login":"` + testStart + `"`}})
	})
}

func TestSignOut(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "anonymous", call: "DELETE /api/session", status: 404, want: "Not found."},
			{name: "with a key", who: "root", call: "DELETE /api/session", status: 404, want: "Not found."},
		})
		for _, bad := range []string{"junk", "8d7bd9c8-4b2b-4f0a-9d5a-000000000000"} {
			if rec := in.do("", "DELETE", "/api/session", "", cookie.SessionHeader, bad); rec.Code != http.StatusNotFound || rec.Body.String() != "Not found." {
				t.Errorf("%s: %d %s", bad, rec.Code, rec.Body)
			}
		}
		rec := in.send(t, row{who: "bo", call: "DELETE /api/session", status: 204})
		for _, name := range []string{cookie.Session, cookie.Embedded, cookie.Timeout} {
			if k := cookiesOf(rec)[name]; k == nil || k.Value != "" || k.Path != "/" || k.Expires.Unix() != 0 {
				t.Errorf("cookie %s: %v", name, k)
			}
		}
		in.run(t, []row{
			{name: "over", who: "bo", call: "GET /api/user/current", status: 401, want: "Unauthenticated"},
			{name: "over for good", who: "bo", call: "DELETE /api/session", status: 404, want: "Not found."},
			{name: "others stay", who: "ada", call: "GET /api/user/current", status: 200, want: "-"},
		})
		in.clock.Advance(15 * 24 * time.Hour)
		in.send(t, row{name: "too old", who: "ada", call: "GET /api/user/current", status: 401, want: "Unauthenticated"})
	})
}

// TestSessionTransport is the order of contract/identity.md 2.5.
func TestSessionTransport(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ada, bo := in.callers["ada"][1], in.callers["bo"][1]
		for _, tt := range []struct {
			name    string
			headers []string
			status  int
			has     string
		}{
			{"cookie", []string{"Cookie", cookie.Session + "=" + bo}, 200, "Bo K"},
			{"cookie before header", []string{"Cookie", cookie.Session + "=" + bo, cookie.SessionHeader, ada}, 200, "Bo K"},
			{"bad cookie hides a good header", []string{"Cookie", cookie.Session + "=x", cookie.SessionHeader, ada}, 401, "Unauthenticated"},
			{"empty cookie does not", []string{"Cookie", cookie.Session + "=", cookie.SessionHeader, ada}, 200, "Ada L"},
			{"other cookies do not", []string{"Cookie", "a=b; " + cookie.Timeout + "=alive", cookie.SessionHeader, ada}, 200, "Ada L"},
			{"empty header", []string{cookie.SessionHeader, ""}, 401, "Unauthenticated"},
		} {
			if rec := in.do("", "GET", "/api/user/current", "", tt.headers...); rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.has) {
				t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
			}
		}
	})
}

func TestForgottenPasswords(t *testing.T) {
	const badToken = `{"errors":{"password":"Invalid reset token"}}`
	const address = "value must be a valid email address."
	eachInstance(t, func(t *testing.T, in *instance) {
		newToken := func() string {
			var id int64
			if _, err := fmt.Sscan(in.names["bo"], &id); err != nil {
				t.Fatal(err)
			}
			link, err := in.people.ResetLink(t.Context(), access.CommandLine(), id)
			if err != nil {
				t.Fatal(err)
			}
			return link[strings.LastIndex(link, "/")+1:]
		}
		in.names["token"] = newToken()
		in.run(t, []row{
			{name: "good enough", call: "POST /api/session/password-check", body: `{"password":"` + newPassword + `"}`, status: 200, want: `{"valid":true}`},
			{name: "common", call: "POST /api/session/password-check", body: `{"password":"password1"}`, status: 400, want: weakPassword},
			{name: "short", call: "POST /api/session/password-check", body: `{"password":"q7"}`, status: 400, want: weakPassword},
			{name: "none", call: "POST /api/session/password-check", body: `{}`, status: 400,
				want: invalid("password", "password is too common.", "missing required key, received: nil")},

			{name: "forgot", call: "POST /api/session/forgot_password", body: `{"email":"bo@example.test"}`, status: 204},
			{name: "forgot, unknown", call: "POST /api/session/forgot_password", body: `{"email":"nobody@example.test"}`, status: 204},
			{name: "forgot, no address", call: "POST /api/session/forgot_password", body: `{"email":"bo"}`, status: 400,
				want: invalid("email", address, `valid email address, received: "bo"`)},
			{name: "forgot, nothing", call: "POST /api/session/forgot_password", status: 400,
				want: invalid("email", address, "missing required key, received: nil")},

			{name: "token", call: "GET /api/session/password_reset_token_valid?token={token}", status: 200, want: `{"valid":true}`},
			{name: "unknown token", call: "GET /api/session/password_reset_token_valid?token={bo}_8d7bd9c8-4b2b-4f0a-9d5a-000000000000", status: 200, want: `{"valid":false}`},
			{name: "malformed token", call: "GET /api/session/password_reset_token_valid?token=x", status: 200, want: `{"valid":false}`},
			{name: "no token", call: "GET /api/session/password_reset_token_valid", status: 400,
				want: invalid("token", "value must be a non-blank string.", "missing required key, received: nil")},

			{name: "reset, bad token", call: "POST /api/session/reset_password", body: `{"token":"x","password":"` + newPassword + `"}`, status: 400, want: badToken},
			{name: "reset, token of another", call: "POST /api/session/reset_password", body: `{"token":"{ada}_8d7bd9c8-4b2b-4f0a-9d5a-000000000000","password":"` + newPassword + `"}`, status: 400, want: badToken},
			{name: "reset, weak password", call: "POST /api/session/reset_password", body: `{"token":"{token}","password":"password1"}`, status: 400, want: weakPassword, not: []string{"{token}"}},
			{name: "reset, no token", call: "POST /api/session/reset_password", body: `{"password":"` + newPassword + `"}`, status: 400,
				want: invalid("token", "value must be a non-blank string.", "missing required key, received: nil")},
			{name: "bo is still in", who: "bo", call: "GET /api/user/current", status: 200, want: "-"},
		})
		rec := in.do("", "POST", "/api/session/reset_password", in.fill(`{"token":"{token}","password":"`+newPassword+`"}`))
		if rec.Code != http.StatusOK || !matches(`{"success":true,"session_id":"<uuid>"}`, rec.Body.String()) {
			t.Fatalf("reset: %d %s", rec.Code, rec.Body)
		}
		checkOpened(t, rec, 0)
		in.run(t, []row{
			{name: "all other sessions are over", who: "bo", call: "GET /api/user/current", status: 401, want: "Unauthenticated"},
			{name: "the token works once", call: "POST /api/session/reset_password", body: `{"token":"{token}","password":"` + newPassword + `"}`, status: 400, want: badToken},
			{name: "and is not valid", call: "GET /api/session/password_reset_token_valid?token={token}", status: 200, want: `{"valid":false}`},
			{name: "the new password works", call: "POST /api/session", body: `{"username":"bo@example.test","password":"` + newPassword + `"}`, status: 200, want: "-"},
			{name: "the old one does not", call: "POST /api/session", body: `{"username":"bo@example.test","password":"` + boPassword + `"}`, status: 401, want: "-"},
		})
		in.names["token"] = newToken()
		in.clock.Advance(48*time.Hour + time.Second)
		in.run(t, []row{
			{name: "too old", call: "POST /api/session/reset_password", body: `{"token":"{token}","password":"` + newPassword + `"}`, status: 400, want: badToken},
			{name: "too old to be valid", call: "GET /api/session/password_reset_token_valid?token={token}", status: 200, want: `{"valid":false}`},
		})
	})
}

// TestThrottle has the statuses and texts of contract/identity.md 2.6; the
// arithmetic is tested in people.
func TestThrottle(t *testing.T) {
	wait := func(field string, seconds int) string {
		return fmt.Sprintf(`{"errors":{%q:"Too many attempts! You must wait %d seconds before trying again."}}`, field, seconds)
	}
	wrong := row{call: "POST /api/session", body: `{"username":"ada@example.test","password":"wrong-0"}`, status: 401, want: `{"errors":{"password":"did not match stored password"}}`}
	right := row{call: "POST /api/session", body: `{"username":"ADA@example.test","password":"` + adaPassword + `"}`, status: 401}
	forgot := row{call: "POST /api/session/forgot_password", body: `{"email":"Nobody@example.test"}`, status: 204}
	reset := row{call: "POST /api/session/reset_password", body: `{"token":"x","password":"` + newPassword + `"}`, status: 400, want: `{"errors":{"password":"Invalid reset token"}}`}
	eachEmpty(t, true, func(t *testing.T, in *instance) {
		in.setUp(t)
		for range 10 {
			in.send(t, wrong)
		}
		right.want = wait("username", 15)
		in.send(t, right)
		right.want = wait("username", 42)
		in.send(t, right)
		in.clock.Advance(2 * time.Hour)
		right.status, right.want = http.StatusOK, `{"id":"<uuid>"}`
		in.send(t, right)
		right.status = http.StatusUnauthorized

		for range 3 {
			in.send(t, forgot)
		}
		refused := forgot
		refused.status, refused.want = http.StatusBadRequest, wait("email", 15)
		in.send(t, refused)
		in.send(t, refused) // a refused call does not count

		for range 10 {
			in.send(t, reset)
		}
		refused = reset
		refused.want = wait("password", 15)
		in.send(t, refused)
	})
}

func TestProperties(t *testing.T) {
	eachEmpty(t, false, func(t *testing.T, in *instance) {
		before := in.properties(t, "")
		if token, ok := before["setup-token"].(string); !ok || len(token) != 36 || before["has-user-setup"] != false {
			t.Errorf("before set-up: setup-token %v, has-user-setup %v", before["setup-token"], before["has-user-setup"])
		}
		in.furnish(t)
		all := in.properties(t, "")
		if token, ok := all["setup-token"]; ok || all["has-user-setup"] != true {
			t.Errorf("after set-up: setup-token %v, has-user-setup %v", token, all["has-user-setup"])
		}
		for _, key := range strings.Fields(`has-user-setup version site-name site-url site-locale application-name available-locales
			available-timezones report-timezone report-timezone-long report-timezone-short start-of-week password-complexity
			enable-password-login google-auth-enabled google-auth-client-id ldap-enabled session-cookies anon-tracking-enabled
			token-features engines custom-formatting email-configured? is-hosted? show-metabase-links help-link loading-message
			map-tile-server-url custom-homepage custom-homepage-dashboard airgap-enabled latchkey-version`) {
			if _, ok := all[key]; !ok {
				t.Errorf("%s is absent", key)
			}
		}
		for _, key := range []string{"admin-email", "api-key-prefix", "email-smtp-host", "email-smtp-password"} {
			if v, ok := all[key]; ok {
				t.Errorf("anonymous callers see %s: %v", key, v)
			}
		}
		checkFacts(t, all)
		for who, sees := range map[string][2]bool{"bo": {true, false}, "reader": {true, false}, "ada": {true, true}, "root": {true, true}} {
			got := in.properties(t, who)
			_, email := got["admin-email"]
			_, prefix := got["api-key-prefix"]
			if [2]bool{email, prefix} != sees {
				t.Errorf("%s sees admin-email %v and api-key-prefix %v", who, email, prefix)
			}
		}
	})
}

// properties returns what a caller sees, and makes sure that the answer is
// cached nowhere as long as it holds the token.
func (in *instance) properties(t *testing.T, who string) map[string]any {
	t.Helper()
	rec := in.send(t, row{who: who, call: "GET /api/session/properties", status: 200, want: "-"})
	var all map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if _, ok := all["setup-token"]; ok && rec.Header().Get("Cache-Control") != "no-store" {
		t.Error("the setup token may be cached")
	}
	return all
}

// checkFacts wants the types that clients rely on.
func checkFacts(t *testing.T, all map[string]any) {
	t.Helper()
	version, _ := all["version"].(map[string]any)
	for _, key := range []string{"tag", "date", "branch", "hash"} {
		if _, ok := version[key].(string); !ok {
			t.Errorf("version.%s = %v", key, version[key])
		}
	}
	if version["tag"] != "v0.62.0" || version["branch"] != "release-x.62.x" || all["latchkey-version"] != "v1.2.3" {
		t.Errorf("version %v, latchkey-version %v", version, all["latchkey-version"])
	}
	features, _ := all["token-features"].(map[string]any)
	for name, v := range features {
		if v != false {
			t.Errorf("token-features.%s = %v", name, v)
		}
	}
	if len(features) == 0 {
		t.Error("no token-features")
	}
	for key, want := range map[string]string{
		"password-complexity": `{"digit":1,"total":6}`, "available-locales": `[["en","English"]]`, "engines": `{}`,
		"email-configured?": `false`, "is-hosted?": `false`, "report-timezone": `null`,
		"report-timezone-long": `"UTC"`, "report-timezone-short": `"UTC"`, "site-url": `"https://data.example.test"`,
	} {
		if b, err := json.Marshal(all[key]); err != nil || string(b) != want {
			t.Errorf("%s = %s, want %s", key, b, want)
		}
	}
	if zones, _ := all["available-timezones"].([]any); len(zones) < 400 {
		t.Errorf("%d time zones", len(zones))
	}
}

// TestReportTimezoneNames has the abbreviation of the zone beside its name.
func TestReportTimezoneNames(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.send(t, row{who: "ada", call: "PUT /api/setting/report-timezone", body: `{"value":"Asia/Tokyo"}`, status: 204})
		in.send(t, row{call: "GET /api/session/properties", status: 200, want: "-",
			has: []string{`"report-timezone":"Asia/Tokyo"`, `"report-timezone-long":"Asia/Tokyo"`, `"report-timezone-short":"JST"`}})
	})
}

// TestBeforeSignIn sends every type of JSON in every field that nobody has to
// sign in for: the answer is never a failure of ours, and never repeats a
// secret.
func TestBeforeSignIn(t *testing.T) {
	const marked = "Marked-S3cret"
	values := []string{
		`null`, `true`, `false`, `0`, `-1`, `1.5`, `1e400`, `123456789012345678901234567890`, `""`, `" "`, `"\u0000"`, `"x\u0000y"`, `"\ud800"`,
		`"%s"`, `"` + strings.Repeat("%s", 300) + `"`, `["%s"]`, `[["%s"]]`, `[]`, `{}`, `{"a":"%s"}`, `{"%s":1}`, `[{"a":{"b":["%s"]}}]`,
		`"a@b.test"`, `"'; DROP TABLE users; --"`, `"{{7*7}}"`,
	}
	bodies := map[string]string{
		"/api/setup token":                     `{"token":@,"user":{"email":"a@b.test","password":"Marked-S3cret1"},"prefs":{"site_name":"x"}}`,
		"/api/setup user":                      `{"token":"x","user":@,"prefs":{"site_name":"x"}}`,
		"/api/setup email":                     `{"token":"x","user":{"email":@,"password":"Marked-S3cret1"},"prefs":{"site_name":"x"}}`,
		"/api/setup password":                  `{"token":"x","user":{"email":"a@b.test","password":@},"prefs":{"site_name":"x"}}`,
		"/api/setup first_name":                `{"token":"x","user":{"email":"a@b.test","password":"Marked-S3cret1","first_name":@,"last_name":@},"prefs":{"site_name":"x"}}`,
		"/api/setup prefs":                     `{"token":"x","user":{"email":"a@b.test","password":"Marked-S3cret1"},"prefs":@}`,
		"/api/setup site_name":                 `{"token":"x","user":{"email":"a@b.test","password":"Marked-S3cret1"},"prefs":{"site_name":@,"site_locale":@}}`,
		"/api/session username":                `{"username":@,"password":"Marked-S3cret1"}`,
		"/api/session password":                `{"username":"bo@example.test","password":@}`,
		"/api/session remember":                `{"username":"bo@example.test","password":"Marked-S3cret1","remember":@}`,
		"/api/session whole":                   `@`,
		"/api/session/password-check password": `{"password":@}`,
		"/api/session/password-check whole":    `@`,
		"/api/session/forgot_password email":   `{"email":@}`,
		"/api/session/reset_password token":    `{"token":@,"password":"Marked-S3cret1"}`,
		"/api/session/reset_password password": `{"token":"x","password":@}`,
		"/api/session/reset_password whole":    `@`,
		"/api/session/google_auth token":       `{"token":@}`,
	}
	mayRepeat := map[string]bool{ // no secrets: names, addresses, a wrong setup token
		"/api/setup token": true, "/api/setup email": true, "/api/setup first_name": true, "/api/setup prefs": true,
		"/api/setup site_name": true, "/api/session username": true, "/api/session remember": true, "/api/session/forgot_password email": true,
	}
	eachInstance(t, func(t *testing.T, in *instance) {
		check := func(what string, rec *httptest.ResponseRecorder) {
			t.Helper()
			what = what[:min(len(what), 80)]
			switch rec.Code {
			case 200, 204, 400, 401, 403:
			default:
				t.Errorf("%s: %d %s", what, rec.Code, rec.Body)
			}
			checkForm(t, rec)
			if got := rec.Body.String(); strings.Contains(got, marked+"1") || strings.Contains(got, marked) && !mayRepeat[strings.SplitN(what, "=", 2)[0]] {
				t.Errorf("%s: the secret is in %s", what, got)
			}
		}
		for name, body := range bodies {
			path, _, _ := strings.Cut(name, " ")
			for _, v := range values {
				v = strings.ReplaceAll(v, "%s", marked)
				check(name+"="+v, in.do("", "POST", path, strings.ReplaceAll(body, "@", v)))
				check(name+"="+v, in.do("", "POST", path, "a="+v))
			}
		}
		for _, q := range []string{"", "?token", "?token=", "?token=%00", "?token=%ff", "?token=a&token=" + marked, "?token[]=x", "?token=" + strings.Repeat(marked, 300), "?token=1_" + marked, "?%zz"} {
			check("password_reset_token_valid"+q, in.do("", "GET", "/api/session/password_reset_token_valid"+q, ""))
		}
		if log := in.log.String(); strings.Contains(log, marked) {
			t.Errorf("the secret is in the log: %s", log)
		}
	})
}

// TestSecretsStayOut makes sure that no password, key or session is in the
// log after a day's work, nor prints by accident.
func TestSecretsStayOut(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		in.send(t, row{who: "bo", call: "PUT /api/user/{bo}/password", body: `{"password":"` + newPassword + `","old_password":"` + boPassword + `"}`, status: 200, want: "-"})
		in.send(t, row{who: "ada", call: "PUT /api/api-key/{reader}/regenerate", status: 200, want: "-"})
		for _, s := range append(in.dead, newPassword) {
			if strings.Contains(in.log.String(), s) {
				t.Errorf("%q is in the log", s)
			}
		}
		if s := fmt.Sprint(secret.New(newPassword)); strings.Contains(s, newPassword) {
			t.Error(s)
		}
	})
}

package preauth_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// raw sends header lines as they are, which no client of HTTP would, and
// returns the answer. An answer that never comes has the status 0: the server
// has hung up.
func raw(t *testing.T, s *apptest.Server, request string, lines ...string) apptest.Answer {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n\r\n",
		request, strings.TrimPrefix(s.URL, "http://"), strings.Join(lines, "\r\n")) // the server may hang up meanwhile
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return apptest.Answer{}
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body) // so it may here
	return apptest.Answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}
}

// TestHeaders sends keys and sessions in every way that a header can be wrong:
// who calls is always the one that the contract says, or nobody.
func TestHeaders(t *testing.T) {
	s, _ := start(t, dbtest.SQLite, true)
	_, key := s.Key("good", 2)
	_, second := s.Key("second", 1)
	bad := "lk_" + strings.Repeat("0", 44)
	other := "3c2d1f1e-0d6e-4f0e-9a43-0c6f5d0f7c11"
	const good, person, nobody = "good", "Ada Admin", ""
	tests := []struct {
		name  string
		lines []string
		who   string // the common name of the user
	}{
		{"lower case", []string{"x-api-key: " + key}, good},
		{"upper case", []string{"X-API-KEY: " + key}, good},
		{"mixed case", []string{"X-Api-Key: " + key}, good},
		{"blanks around it", []string{"x-api-key:   " + key + "  "}, good},
		{"no blank before it", []string{"x-api-key:" + key}, good},

		{"twice the same", []string{"x-api-key: " + key, "x-api-key: " + key}, nobody},
		{"twice in two cases", []string{"x-api-key: " + key, "X-API-KEY: " + second}, nobody},
		{"good and bad", []string{"x-api-key: " + key, "x-api-key: " + bad}, nobody},
		{"bad and good", []string{"x-api-key: " + bad, "x-api-key: " + key}, nobody},
		{"two in one", []string{"x-api-key: " + key + ", " + key}, nobody},
		{"empty", []string{"x-api-key:"}, nobody},
		{"empty and good", []string{"x-api-key:", "x-api-key: " + key}, nobody},
		{"bad", []string{"x-api-key: " + bad}, nobody},
		{"cut", []string{"x-api-key: " + key[:len(key)-1]}, nobody},
		{"longer", []string{"x-api-key: " + key + "0"}, nobody},
		{"other case", []string{"x-api-key: " + strings.ToUpper(key)}, nobody},
		{"in quotes", []string{`x-api-key: "` + key + `"`}, nobody},
		{"with a word before it", []string{"x-api-key: Bearer " + key}, nobody},
		{"as bearer", []string{"Authorization: Bearer " + key}, nobody},
		{"as password", []string{"Authorization: Basic " + key}, nobody},
		{"in another header", []string{"x-metabase-apikey: " + key}, nobody},
		{"with an underscore", []string{"x_api_key: " + key}, nobody},
		{"non-ASCII", []string{"x-api-key: lk_ünïcödé日本🗝" + key}, nobody},
		{"not UTF-8", []string{"x-api-key: lk_\xff\xfe" + key[5:]}, nobody},
		{"percent signs", []string{"x-api-key: %00" + key}, nobody},
		{"as session", []string{"X-Metabase-Session: " + key}, nobody},
		{"as cookie", []string{"Cookie: metabase.SESSION=" + key}, nobody},
		{"long", []string{"x-api-key: " + strings.Repeat("a", 60_000)}, nobody},
		{"many", strings.Split(strings.Repeat("x-api-key: "+bad+"\n", 500)+"x-api-key: "+key, "\n"), nobody},

		{"session", []string{"X-Metabase-Session: " + s.Session}, person},
		{"session cookie", []string{"Cookie: metabase.SESSION=" + s.Session}, person},
		{"session wins over key", []string{"X-Metabase-Session: " + s.Session, "x-api-key: " + key}, person},
		{"cookie wins over key", []string{"Cookie: metabase.SESSION=" + s.Session, "x-api-key: " + key}, person},
		{"session and bad key", []string{"X-Metabase-Session: " + s.Session, "x-api-key: " + bad}, person},
		{"bad session and key", []string{"X-Metabase-Session: " + other, "x-api-key: " + key}, good},
		{"bad cookie and key", []string{"Cookie: metabase.SESSION=" + other, "x-api-key: " + key}, good},
		{"broken cookie and key", []string{"Cookie: metabase.SESSION=\"; ;;=; \x80", "x-api-key: " + key}, good},
		{"bad cookie hides session", []string{"Cookie: metabase.SESSION=" + other, "X-Metabase-Session: " + s.Session}, nobody},
		{"bad session, two keys", []string{"X-Metabase-Session: " + other, "x-api-key: " + key, "x-api-key: " + key}, nobody},
		{"empty cookie and session", []string{"Cookie: metabase.SESSION=", "X-Metabase-Session: " + s.Session}, person},
		{"two cookies, first counts", []string{"Cookie: metabase.SESSION=" + other + "; metabase.SESSION=" + s.Session}, nobody},
		{"session in upper case", []string{"X-Metabase-Session: " + strings.ToUpper(s.Session)}, nobody},
		{"session in braces", []string{"X-Metabase-Session: {" + s.Session + "}"}, nobody},
		{"session as quote", []string{"X-Metabase-Session: ' OR 1=1 --"}, nobody},
		{"session of a megabyte of zeros", []string{"X-Metabase-Session: " + strings.Repeat("0", 60_000)}, nobody},
		{"invented user", []string{"X-Metabase-User-Id: 1", "X-Forwarded-User: ada@example.com", "Remote-User: ada@example.com"}, nobody},
		{"other method in a header", []string{"X-HTTP-Method-Override: DELETE"}, nobody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := raw(t, s, "GET /api/user/current", tt.lines...)
			var user struct {
				Name string `json:"common_name"`
			}
			if got.Status == 200 {
				got.JSON(t, &user)
			}
			if user.Name != tt.who || tt.who == nobody && (got.Status != 401 || got.Body != "Unauthenticated") {
				t.Errorf("got %d %.200s, want %q", got.Status, got.Body, tt.who)
			}
			if strings.Contains(fmt.Sprint(got.Header), key) || strings.Contains(got.Body, key) {
				t.Error("the answer shows the key")
			}
			if pub := raw(t, s, "GET /api/session/properties", tt.lines...); pub.Status != 200 {
				t.Errorf("a public route is answered %d", pub.Status)
			}
		})
	}
}

// TestBrokenHeaders: what is no request any more is refused at the door, and
// the server lives on.
func TestBrokenHeaders(t *testing.T) {
	s, _ := start(t, dbtest.SQLite, true)
	before := stored(s)
	for name, lines := range map[string][]string{
		"a key of a megabyte":     {"x-api-key: lk_" + strings.Repeat("a", 1<<20)},
		"a session of a megabyte": {"X-Metabase-Session: " + strings.Repeat("a", 1<<20)},
		"a cookie of a megabyte":  {"Cookie: " + strings.Repeat("a=b; ", 1<<18)},
		"a megabyte of headers":   strings.Split(strings.Repeat("x-api-key: a\n", 80_000)+"a: b", "\n"),
		"NUL in a key":            {"x-api-key: lk_\x00"},
		"a line feed in a key":    {"x-api-key: lk_\n\n"},
		"a header without name":   {": a"},
		"a header without colon":  {"x-api-key"},
		"a blank in the name":     {"x-api-key : a"},
		"a folded line":           {"x-api-key: lk_\r\n abc"},
		"two lengths":             {"Content-Length: 3", "Content-Length: 4"},
		"a negative length":       {"Content-Length: -1"},
		"length and chunks":       {"Content-Length: 3", "Transfer-Encoding: chunked"},
	} {
		for _, request := range []string{"GET /api/user/current", "POST /api/session"} {
			got := raw(t, s, request, lines...)
			if got.Status != 0 && (got.Status < 400 || got.Status > 499 && got.Status != 501) || inside.MatchString(got.Body) {
				t.Errorf("%s with %s: %d %.200s", request, name, got.Status, got.Body)
			}
		}
	}
	for _, request := range []string{"GET http://evil.example.com/api/user/current", "GET /%", "GET " + strings.Repeat("/a", 40_000), "\x00\x01", "GET /api/../api/user/current"} {
		if got := raw(t, s, request); got.Status >= 500 || got.Status == 200 {
			t.Errorf("%.60q: %d %.200s", request, got.Status, got.Body)
		}
	}
	unharmed(t, s, before)
}

// TestClientAddress: what a client says of its address counts behind a trusted
// proxy only, for the API and for the pages alike. Throttling stands on it.
func TestClientAddress(t *testing.T) {
	for name, tt := range map[string]struct {
		env  []string
		want string
	}{
		"no proxy":      {nil, "127.0.0.1"},
		"trusted proxy": {[]string{"LATCHKEY_TRUSTED_PROXIES=127.0.0.0/8"}, "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			s := apptest.Start(t, apptest.Options{Env: tt.env})
			s.Setup()
			first := len(s.Dump()["session"])
			forwarded := "X-Forwarded-For: 198.51.100.7, 203.0.113.9"
			body := fmt.Sprintf(`{"username":%q,"password":%q}`, apptest.AdminEmail, apptest.AdminPassword)
			if got := rawBody(t, s, "/api/session", "application/json", body, forwarded); got.Status != 200 {
				t.Fatalf("signing in by the API: %d %s", got.Status, got.Body)
			}
			form := url.Values{"username": {apptest.AdminEmail}, "password": {apptest.AdminPassword}}.Encode()
			if got := rawBody(t, s, "/auth/login", "application/x-www-form-urlencoded", form, forwarded); got.Status != 303 {
				t.Fatalf("signing in by the page: %d", got.Status)
			}
			for _, row := range s.Dump()["session"][first:] {
				if !strings.Contains(row, tt.want+"\t") && !strings.Contains(row, tt.want+" ") {
					t.Errorf("the session was opened from another address than %s: %s", tt.want, row)
				}
			}
		})
	}
}

// rawBody posts a body with more header lines.
func rawBody(t *testing.T, s *apptest.Server, path, media, body string, lines ...string) apptest.Answer {
	t.Helper()
	lines = append(lines, "Content-Type: "+media, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
	return raw(t, s, "POST "+path, lines...)
}

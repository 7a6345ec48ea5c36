package preauth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// allowed reports whether a public route may answer so, whatever is sent.
func allowed(status int) bool {
	return slices.Contains([]int{200, 204, 400, 401, 403, 413}, status)
}

// inside is what only the inside of the program says.
var inside = regexp.MustCompile(`(?i)goroutine \d|\.go:\d|panic|runtime error|sqlstate|sqlite|pgx|syntax error|no such (table|column)|stack`)

// longest is how much of an answer a nonsense request is worth. The document
// of all routes and the properties of the instance are longer by themselves.
const longest = 16 << 10

// judge says what is wrong with an answer, or nothing.
func judge(t target, sent string, a apptest.Answer) string {
	if t.own {
		return judgeOwn(t, sent, a)
	}
	public := t.method == "GET" && a.Status == 200
	switch {
	case !allowed(a.Status):
		return fmt.Sprintf("status %d", a.Status)
	case !public && len(a.Body) > longest:
		return fmt.Sprintf("an answer of %d bytes", len(a.Body))
	case !public && inside.MatchString(a.Body) && !inside.MatchString(sent):
		return "it tells of the inside"
	case strings.Contains(a.Body, markedPassword):
		return "it shows the password"
	case strings.Contains(a.Body, markedToken):
		return "it shows the token"
	case t.secret && (shows(a.Body, sent) || strings.Contains(a.Body, markedValue)):
		return "it shows what stood in a secret field"
	}
	return ""
}

// shows reports whether an answer holds a text that was sent.
func shows(body, sent string) bool {
	var v any
	if json.Unmarshal([]byte(sent), &v) != nil {
		return false // what is no JSON was never read
	}
	s, ok := v.(string)
	s = strings.TrimSpace(s)
	return ok && len(s) >= 8 && strings.Contains(body, s[:min(len(s), 64)])
}

// send sends a value in the place of a field.
func send(s *apptest.Server, t target, value, media string) (apptest.Answer, error) {
	path, body := t.path, strings.Replace(t.body, hole, value, 1)
	switch {
	case t.query != "":
		path, body = path+"?"+t.query+"="+value, ""
	case strings.Contains(path, inPath):
		path = strings.Replace(path, inPath, value, 1)
	}
	req, err := http.NewRequest(t.method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return apptest.Answer{}, err
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return apptest.Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return apptest.Answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}, err
}

// start starts an instance without throttling, so that nothing hides behind it.
func start(t testing.TB, kind dbtest.Kind, setUp bool) (s *apptest.Server, token string) {
	t.Helper()
	s = apptest.Start(t, apptest.Options{Kind: kind, Env: []string{"LATCHKEY_DISABLE_SESSION_THROTTLE=true"}})
	var props struct {
		Token string `json:"setup-token"`
	}
	s.Want(200, &props, "GET", "/api/session/properties", nil)
	if setUp {
		s.Setup()
		s.AwaitSample() // it is written beside the requests
		return s, props.Token
	}
	return s, strings.Repeat("0", len(props.Token)) // a right one would set the instance up
}

// stored is all that nonsense must not change. Attempts are counted, and
// refused sign-ins are noted; everything else stays as it is.
func stored(s *apptest.Server) map[string][]string {
	all := s.Dump()
	for _, table := range []string{"throttle", "audit", "sqlite_sequence"} {
		delete(all, table)
	}
	return all
}

// TestNonsense sends everything everywhere: before set-up, and after it on
// both databases.
func TestNonsense(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kind  dbtest.Kind
		setUp bool
	}{
		{"new", dbtest.SQLite, false},
		{"sqlite", dbtest.SQLite, true},
		{"postgres", dbtest.PostgreSQL, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, token := start(t, tt.kind, tt.setUp)
			before := stored(s)
			for _, target := range targets(token) {
				for _, value := range nonsense() {
					try(t, s, target, value)
				}
			}
			unharmed(t, s, before)
		})
	}
}

func try(t *testing.T, s *apptest.Server, to target, value string) {
	t.Helper()
	if value = to.escape(value); to.inAddress() && len(value) > 30_000 {
		return // TestHeaders has long ones
	}
	got, err := send(s, to, value, "application/json")
	if err != nil {
		t.Errorf("%s with %.80q: %v", to, value, err)
	} else if wrong := judge(to, value, got); wrong != "" {
		t.Errorf("%s with %.80q: %s: %d %.300s", to, value, wrong, got.Status, got.Body)
	}
}

// unharmed makes sure that a server works as before, has stored nothing and
// has not failed inside.
func unharmed(t *testing.T, s *apptest.Server, before map[string][]string) {
	t.Helper()
	after := stored(s)
	for table := range maps.Keys(before) {
		was, is := slices.Sorted(slices.Values(before[table])), slices.Sorted(slices.Values(after[table]))
		if !slices.Equal(was, is) {
			t.Errorf("the table %s has changed from\n%s\nto\n%s", table, strings.Join(was, "\n"), strings.Join(is, "\n"))
		}
	}
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
			t.Errorf("the server logged: %.500s", line)
		}
	}
	if got := s.Do("GET", "/api/health", nil); got.Status != 200 {
		t.Errorf("the server is not well afterwards: %d %s", got.Status, got.Body)
	}
	if s.Session != "" {
		s.Want(200, nil, "GET", "/api/user/current", nil, "X-Metabase-Session", s.Session)
	}
}

// TestBodies sends whole bodies that are wrong in themselves, under several
// content types.
func TestBodies(t *testing.T) {
	s, _ := start(t, dbtest.PostgreSQL, true)
	before := stored(s)
	bodies := []string{
		`{"username":"ada@example.com","username":{"$ne":""},"password":"` + markedPassword + `"}`,
		`{"username":["ada@example.com"],"password":["` + markedPassword + `"]}`,
		`{"password":"` + markedPassword + `","password":{"$regex":".*"},"email":"nobody@example.com","token":"` + markedToken + `"}`,
		`[{"username":"ada@example.com","password":"` + markedPassword + `"}]`,
		`{"USERNAME":"ada@example.com","PASSWORD":"` + markedPassword + `"}`,
		"\xef\xbb\xbf{}", "{}{}", "{} garbage", "\x00\x01\x02", "",
		"username=ada%40example.com&username[$ne]=&password=" + markedPassword,
		"username[]=ada%40example.com&password[]=" + markedPassword,
		"username=%00&password=%ff%fe&email=%zz&token=" + markedToken,
		"email=nobody%40example.com&email=x&token=a&token=b&password=" + markedPassword,
		strings.Repeat("a=b&", 50_000), strings.Repeat("&", 100_000), strings.Repeat("username=a&", 20_000),
		"--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nada@example.com\r\n--x--\r\n",
	}
	medias := []string{
		"application/json", "application/json; charset=utf-16", "APPLICATION/JSON", "application/vnd.api+json",
		"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "text/xml",
		"application/json;;;", "\tjson", "", strings.Repeat("a", 5_000) + "/json",
	}
	for _, path := range []string{
		"/api/setup", "/api/session", "/api/session/password-check", "/api/session/forgot_password",
		"/api/session/reset_password", "/api/session/google_auth",
	} {
		for _, body := range bodies {
			for _, media := range medias {
				to := target{method: "POST", path: path, body: hole, secret: true}
				switch path {
				case "/api/setup": // a wrong token is shown, as Metabase does
					body = strings.ReplaceAll(body, markedToken, "wrong")
				case "/api/session/forgot_password", "/api/session/google_auth": // take no secret
					body = strings.NewReplacer(markedToken, "wrong", markedPassword, "wrong").Replace(body)
					to.secret = false
				}
				got, err := send(s, to, body, media)
				if err != nil {
					t.Errorf("%s %q %.80q: %v", path, media, body, err)
					continue
				}
				if wrong := judge(to, body, got); wrong != "" {
					t.Errorf("%s %.40q %.80q: %s: %d %.300s", path, media, body, wrong, got.Status, got.Body)
				}
			}
		}
	}
	unharmed(t, s, before)
}

// TestMethods: no public path answers other methods with a failure, and none
// changes anything by GET.
func TestMethods(t *testing.T) {
	s, token := start(t, dbtest.SQLite, true)
	before := stored(s)
	paths := map[string]bool{}
	for _, to := range targets(token) {
		paths[to.path] = true
	}
	for path := range paths {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "MOVE"} {
			got := s.Do(method, path, nil)
			if got.Status >= 500 || inside.MatchString(got.Body) && got.Status != 200 {
				t.Errorf("%s %s: %d %.200s", method, path, got.Status, got.Body)
			}
		}
	}
	for _, path := range []string{"/api/..%2f..%2fetc/passwd", "/api/session/%00", "/api//session", "/api/%ff", "/static/x/..%2f..%2fgo.mod", "/api/session/properties%00", "/api/user/1%2e"} {
		for _, method := range []string{"GET", "POST"} {
			if got := s.Do(method, path, nil); got.Status >= 500 || inside.MatchString(got.Body) {
				t.Errorf("%s %s: %d %.200s", method, path, got.Status, got.Body)
			}
		}
	}
	unharmed(t, s, before)
}

// FuzzPreAuth puts what the fuzzer makes up into every field. The seeds run
// with every test.
func FuzzPreAuth(f *testing.F) {
	values := nonsense()
	for i, value := range values {
		if len(value) < 10_000 {
			f.Add(uint8(i), uint8(i), []byte(value))
		}
	}
	s, token := start(f, dbtest.SQLite, true)
	all := append(targets(token), ownTargets(s)...)
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(a.String(), b.String()) })
	medias := []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""}
	f.Fuzz(func(t *testing.T, which, media uint8, value []byte) {
		to := all[int(which)%len(all)]
		to.secret = false // the fuzzer soon finds words that every answer has
		value = bytes.ReplaceAll(value, []byte(token), nil)
		if to.inAddress() {
			value = []byte(to.escape(string(value[:min(len(value), 10_000)])))
		}
		got, err := send(s, to, string(value), medias[int(media)%len(medias)])
		if err != nil {
			t.Fatalf("%s with %.80q: %v", to, value, err)
		}
		if wrong := judge(to, string(value), got); wrong != "" {
			t.Fatalf("%s with %q: %s: %d %.300s", to, value, wrong, got.Status, got.Body)
		}
	})
}

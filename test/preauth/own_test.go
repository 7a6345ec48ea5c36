package preauth_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// inAddress reports whether the value stands in the path or the query.
func (t target) inAddress() bool { return t.query != "" || strings.Contains(t.path, inPath) }

// escape writes a value so that it stays in its place.
func (t target) escape(value string) string {
	switch {
	case t.query != "":
		return url.QueryEscape(value)
	case t.inAddress():
		return url.PathEscape(value)
	}
	return value
}

// operation is a route as the document of an API describes it.
type operation struct {
	Policy     struct{ Who string } `json:"x-latchkey-policy"`
	Parameters []struct{ Name, In string }
	Body       *struct{} `json:"requestBody"`
}

// operations returns all routes of an API by method and path.
func operations(s *apptest.Server, document string) map[[2]string]operation {
	var doc struct {
		Paths map[string]map[string]operation
	}
	s.Want(200, &doc, "GET", document, nil)
	all := map[[2]string]operation{}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			all[[2]string{strings.ToUpper(method), path}] = o
		}
	}
	return all
}

// The documents of both APIs.
const (
	ownDocument = "/v1/openapi.json"
	apiDocument = "/api/docs/openapi.json"
)

// fill puts a number in the place of every parameter of a path but one, which
// becomes the hole.
func fill(path, but string) string {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "{"+but+"}":
			part = inPath
		case strings.HasPrefix(part, "{"):
			part = "1"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "/")
}

// ownTargets returns the body, every parameter of the path and every parameter
// of the query of every route under /v1.
func ownTargets(s *apptest.Server) []target {
	var all []target
	for at, o := range operations(s, ownDocument) {
		method, path := at[0], at[1]
		t := target{method: method, own: true, public: o.Policy.Who == "anyone"}
		for _, p := range o.Parameters {
			x := t
			switch p.In {
			case "path":
				x.path = fill(path, p.Name)
			case "query":
				x.path, x.query = fill(path, ""), p.Name
			}
			all = append(all, x)
		}
		t.path, t.body = fill(path, ""), hole
		all = append(all, t)
	}
	return all
}

// problem is the body of every error under /v1.
type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	RequestID                 string `json:"request_id"`
}

// judgeOwn says what is wrong with an answer of /v1, or nothing.
func judgeOwn(t target, sent string, a apptest.Answer) string {
	if a.Status == 200 && t.public {
		return ""
	}
	if !slices.Contains([]int{400, 401, 403, 404, 405, 413, 415}, a.Status) {
		return fmt.Sprintf("status %d", a.Status)
	}
	if !t.public && !t.inAddress() && a.Status != 401 {
		return fmt.Sprintf("status %d: who is not known learns nothing of a route but that", a.Status)
	}
	if len(a.Body) > longest {
		return fmt.Sprintf("an answer of %d bytes", len(a.Body))
	}
	if inside.MatchString(a.Body) && !inside.MatchString(sent) {
		return "it tells of the inside"
	}
	if strings.Contains(a.Body, markedValue) && !t.public {
		return "it shows what was sent"
	}
	return notProblem(a)
}

// notProblem says how an error of /v1 differs from what all are, or nothing.
func notProblem(a apptest.Answer) string {
	var p problem
	switch err := json.Unmarshal([]byte(a.Body), &p); {
	case a.Header.Get("Content-Type") != "application/problem+json":
		return fmt.Sprintf("its Content-Type is %q, want application/problem+json", a.Header.Get("Content-Type"))
	case err != nil:
		return "its body is no JSON: " + err.Error()
	case p.Code == "" || p.Title == "" || p.Detail == "" || p.Type == "":
		return "it has no type, title, code or detail"
	case p.Status != a.Status:
		return fmt.Sprintf("its member status is %d", p.Status)
	case p.RequestID == "" || p.RequestID != a.Header.Get("X-Request-Id"):
		return fmt.Sprintf("its request_id is %q, the header says %q", p.RequestID, a.Header.Get("X-Request-Id"))
	}
	return ""
}

// TestOwnNonsense sends everything to every route under /v1: after set-up, and
// a part of it before that and on PostgreSQL.
func TestOwnNonsense(t *testing.T) {
	few := []string{`null`, `{}`, `[]`, `{"name":{"$ne":""}}`, `"\u0000"`, "\x00", `{`, strings.Repeat("[", 5_000), `9223372036854775808`}
	for _, tt := range []struct {
		name   string
		kind   dbtest.Kind
		setUp  bool
		values []string
	}{
		{"new", dbtest.SQLite, false, few},
		{"sqlite", dbtest.SQLite, true, append(nonsense(), ".", "..", "%", "a/b", "-1", "1.0", "+1", "0x1", "１")},
		{"postgres", dbtest.PostgreSQL, true, few},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := start(t, tt.kind, tt.setUp)
			before := stored(s)
			for _, target := range ownTargets(s) {
				for _, value := range tt.values {
					try(t, s, target, value)
				}
			}
			unharmed(t, s, before)
		})
	}
}

// TestOwnBodies sends bodies under several content types, and with keys,
// sessions and cookies that are none.
func TestOwnBodies(t *testing.T) {
	s, _ := start(t, dbtest.SQLite, true)
	before := stored(s)
	for _, to := range ownTargets(s) {
		if to.inAddress() {
			continue
		}
		for _, media := range []string{"application/json; charset=utf-16", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "application/json;;;", ""} {
			for _, body := range []string{`{"name":"a"}`, "name=a", "", "\x00", "{}{}"} {
				got, err := send(s, to, body, media)
				if err != nil {
					t.Errorf("%s %q %.80q: %v", to, media, body, err)
				} else if wrong := judge(to, body, got); wrong != "" {
					t.Errorf("%s %q %.80q: %s: %d %.300s", to, media, body, wrong, got.Status, got.Body)
				}
			}
		}
		for _, headers := range [][]string{
			{"x-api-key", "lk_" + strings.Repeat("0", 44)}, {"x-api-key", ""}, {"x-api-key", strings.Repeat("a", 60_000)}, {"x-api-key", "' OR 1=1 --"},
			{"x-api-key", "a", "x-api-key", "b"}, {"Authorization", "Bearer " + strings.Repeat("0", 64)}, {"X-Metabase-Session", "' OR 1=1 --"},
			{"Cookie", "metabase.SESSION=" + strings.Repeat("0", 36)}, {"X-Metabase-User-Id", "1"}, {"X-HTTP-Method-Override", "GET"},
		} {
			got := s.Do(to.method, to.path, nil, headers...)
			if wrong := judge(to, "", got); wrong != "" {
				t.Errorf("%s %s with %.80q: %s: %d %.300s", to.method, to.path, headers, wrong, got.Status, got.Body)
			}
		}
	}
	unharmed(t, s, before)
}

// TestOwnMethods calls every path under /v1 with every method, and paths that
// there are not.
func TestOwnMethods(t *testing.T) {
	s, _ := start(t, dbtest.SQLite, true)
	before := stored(s)
	routes := operations(s, ownDocument)
	paths := map[string]bool{}
	for at := range routes {
		paths[at[1]] = true
	}
	for path := range paths {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "MOVE", "get"} {
			declared := method
			if method == "HEAD" {
				declared = "GET"
			}
			o, ok := routes[[2]string{declared, path}]
			want := 405
			switch {
			case method == "OPTIONS":
				want = 204
			case ok && o.Policy.Who == "anyone":
				want = 200
			case ok:
				want = 401
			}
			got := s.Do(method, fill(path, ""), nil)
			if got.Status != want {
				t.Errorf("%s %s: %d, want %d: %.200s", method, path, got.Status, want, got.Body)
			}
			if got.Status == 405 && got.Header.Get("Allow") == "" {
				t.Errorf("%s %s: 405 without the header Allow", method, path)
			}
			if wrong := notProblem(got); got.Status >= 400 && method != "HEAD" && wrong != "" {
				t.Errorf("%s %s: %s: %d %.300s", method, path, wrong, got.Status, got.Body)
			}
		}
	}
	for _, path := range []string{
		"/v1", "/v1/", "/v1/keys/", "/v1/nothing", "/v1/keys/1/2/3", "/v1/keys/1/", "/v1//keys", "/v1/%2e%2e/v1/keys", "/v1/keys%2f1", "/v1/%00", "/v1/%ff",
		"/v1/docs/..%2f..%2fetc/passwd", "/v1/Keys", "/v1/self;a=b", "/v1/" + strings.Repeat("a/", 10_000),
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			got := s.Do(method, path, nil)
			if wrong := notProblem(got); !slices.Contains([]int{400, 401, 404, 405}, got.Status) || wrong != "" || inside.MatchString(got.Body) {
				t.Errorf("%s %.60s: %s: %d %.300s", method, path, wrong, got.Status, got.Body)
			}
		}
	}
	unharmed(t, s, before)
}

// TestAnonymousGetsNothing: nobody who is not known is answered with success
// but on the routes that are declared to answer anybody.
func TestAnonymousGetsNothing(t *testing.T) {
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s, _ := start(t, kind, true)
			s.Key("there", 2) // so that ids name something
			before := stored(s)
			for _, document := range []string{ownDocument, apiDocument} {
				public, closed := 0, 0
				for at, o := range operations(s, document) {
					if o.Policy.Who == "anyone" {
						public++
						continue
					}
					closed++
					for _, body := range []any{nil, map[string]any{}, map[string]any{"name": "a"}} {
						if got := s.Do(at[0], fill(at[1], ""), body); got.Status != 401 {
							t.Errorf("%s %s is for %s and answers nobody in particular with %d %.200s", at[0], at[1], o.Policy.Who, got.Status, got.Body)
						}
					}
				}
				if public == 0 || closed < 20 {
					t.Errorf("%s has %d public routes and %d others, so this test proves little", document, public, closed)
				}
			}
			unharmed(t, s, before)
		})
	}
}

// TestMetrics sends nonsense to the metrics, which are for those who know the
// token.
func TestMetrics(t *testing.T) {
	const token = "0123456789abcdef-metrics"
	s := apptest.Start(t, apptest.Options{Env: []string{"LATCHKEY_METRICS_TOKEN=" + token}})
	s.Setup()
	s.AwaitSample()
	_, key := s.Key("admin", 2)
	before := stored(s)
	values := []string{
		"", "Bearer", "Bearer ", "bearer  " + token, "Bearer " + token[1:], "Bearer " + token + "0", "Bearer " + strings.ToUpper(token),
		"Basic " + token, token, "Bearer " + strings.Repeat("0", 60_000), "Bearer \xff\xfe", "Bearer " + key, "Bearer ' OR 1=1 --", "Digest username=a",
	}
	for _, value := range values {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"} {
			got := s.Do(method, "/metrics", nil, "Authorization", value)
			if got.Status != 401 || strings.Contains(got.Body, "latchkey_") {
				t.Errorf("%s /metrics with %.60q: %d %.200s", method, value, got.Status, got.Body)
			}
		}
	}
	for _, headers := range [][]string{
		{"x-api-key", key}, {"X-Metabase-Session", s.Session}, {"Cookie", "metabase.SESSION=" + s.Session}, {"x-api-key", token},
		{"Authorization", "Bearer a", "Authorization", "Bearer " + token}, {"Proxy-Authorization", "Bearer " + token},
	} {
		if got := s.Do("GET", "/metrics", nil, headers...); got.Status != 401 {
			t.Errorf("GET /metrics with %q: %d", headers[0], got.Status)
		}
	}
	for _, path := range []string{"/metrics?token=" + token, "/metrics?a=" + strings.Repeat("a", 10_000), "/metrics/", "/metrics/x", "/Metrics", "/%6detrics", "//metrics", "/metrics%00", "/v1/metrics", "/api/metrics"} {
		for _, method := range []string{"GET", "POST"} {
			got := s.Do(method, path, nil)
			if got.Status >= 500 || got.Status < 400 && !local(got.Header.Get("Location")) || strings.Contains(got.Body, "latchkey_") || inside.MatchString(got.Body) {
				t.Errorf("%s %.60s: %d %.200s", method, path, got.Status, got.Body)
			}
		}
	}
	if got := s.Do("GET", "/metrics", nil, "Authorization", "Bearer "+token); got.Status != 200 || !strings.Contains(got.Body, "latchkey_build_info") {
		t.Errorf("with the token: %d %.200s", got.Status, got.Body)
	}
	unharmed(t, s, before)
}

package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

const (
	jsonType = "application/json; charset=utf-8"
	textType = "text/plain;charset=utf-8"
)

func TestPipeline(t *testing.T) {
	const unknown = `"API endpoint does not exist."`
	tests := []struct {
		name, method, target, key, body string
		status                          int
		media, want                     string
	}{
		{"list", "GET", "/api/fake", memberKey, "", 200, jsonType, `[]`},
		{"slash", "GET", "/api/fake/", memberKey, "", 200, jsonType, `[]`},
		{"post is 200", "POST", "/api/fake", adminKey, `{"name":"a","group_id":"5"}`, 200, jsonType, `{"id":5,"name":"a"}`},
		{"delete", "DELETE", "/api/fake/5", adminKey, "", 204, "", ``},
		{"bare number", "PUT", "/api/fake/5", adminKey, `{}`, 200, jsonType, `5`},
		{"too large an id", "PUT", "/api/fake/99999999999999999999", adminKey, `{}`, 200, jsonType, `9223372036854775807`},
		{"open route behind the wall", "GET", "/api/fake/open", "", "", 200, jsonType, `"open"`},

		{"anonymous", "GET", "/api/fake", "", "", 401, textType, `Unauthenticated`},
		{"bad key", "GET", "/api/fake", "junk", "", 401, textType, `Unauthenticated`},
		{"anonymous, invalid body", "POST", "/api/fake", "", `{}`, 401, textType, `Unauthenticated`},
		{"anonymous, malformed body", "POST", "/api/fake", "", `{`, 400, textType, `Malformed JSON in request body.`},
		{"anonymous, malformed body, unknown route", "POST", "/api/nowhere", "", `{`, 400, textType, `Malformed JSON in request body.`},
		{"member, invalid body", "POST", "/api/fake", memberKey, `{"name":"a"}`, 400, jsonType,
			`{"errors":{"group_id":"value must be an integer greater than zero."},"specific-errors":{"group_id":["missing required key, received: nil"]}}`},
		{"member", "POST", "/api/fake", memberKey, `{"name":"a","group_id":1}`, 403, textType, `You don't have permissions to do that.`},

		{"id is no number", "PUT", "/api/fake/abc", adminKey, `{}`, 404, jsonType, unknown},
		{"id is no number, anonymous", "PUT", "/api/fake/abc", "", `{}`, 401, textType, `Unauthenticated`},
		{"negative id", "PUT", "/api/fake/-1", adminKey, `{}`, 404, jsonType, unknown},
		{"id 0", "PUT", "/api/fake/0", adminKey, `{}`, 400, jsonType,
			`{"errors":{"id":"value must be an integer greater than zero."},"specific-errors":{"id":["value must be an integer greater than zero., received: 0"]}}`},
		{"wrong method", "PATCH", "/api/fake", adminKey, "", 404, jsonType, unknown},
		{"wrong method, anonymous", "PATCH", "/api/fake", "", "", 401, textType, `Unauthenticated`},
		{"OPTIONS that is no preflight", "OPTIONS", "/api/fake", adminKey, "", 404, jsonType, unknown},
		{"nonsense below the wall", "GET", "/api/fake/a/b/c", "", "", 401, textType, `Unauthenticated`},
		{"Metabase's prefix without a route of ours", "GET", "/api/card/1", "", "", 401, textType, `Unauthenticated`},
		{"the same, signed in", "GET", "/api/card/1", memberKey, "", 404, jsonType, unknown},
		{"unknown prefix", "GET", "/api/nowhere/1", "", "", 404, jsonType, unknown},
		{"unknown prefix, signed in", "GET", "/api/nowhere/1", adminKey, "", 404, jsonType, unknown},
		{"open prefix", "GET", "/api/session/nonsense", "", "", 404, jsonType, unknown},
		{"no prefix", "GET", "/api", "", "", 404, jsonType, unknown},
		{"no prefix, slash", "GET", "/api/", "", "", 404, jsonType, unknown},
		{"unclean path", "GET", "/api/fake//open", adminKey, "", 404, jsonType, unknown},
		{"protected route below an open prefix", "DELETE", "/api/session", "", "", 401, textType, `Unauthenticated`},

		{"paging", "GET", "/api/fake/page?limit=5", memberKey, "", 200, jsonType, `{"Limit":5,"Offset":0}`},
		{"no paging", "GET", "/api/fake/page", memberKey, "", 200, jsonType, `{"Limit":null,"Offset":null}`},
		{"bad limit", "GET", "/api/fake?limit=x", "", "", 400, jsonType,
			`{"cause":"Error parsing paging parameters: limit must be a whole number from 0 up, not \"x\"","data":{"status-code":400},` +
				`"message":"Error parsing paging parameters: limit must be a whole number from 0 up, not \"x\"","trace":[],"via":[]}`},

		{"too large, anonymous", "POST", "/api/session", "", `"` + strings.Repeat("a", 1000) + `"`, 413, textType, `Request body exceeds the maximum size of 1000 bytes.`},
		{"large, signed in", "POST", "/api/fake", adminKey, `{"x":"` + strings.Repeat("a", 1000) + `","name":"a","group_id":5}`, 200, jsonType, `{"id":5,"name":"a"}`},
		{"too large, signed in", "POST", "/api/fake", adminKey, `"` + strings.Repeat("a", 5000) + `"`, 413, textType, `Request body exceeds the maximum size of 5000 bytes.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newWorld(t).call(tt.method, tt.target, tt.body, "X-API-Key", tt.key)
			if rec.Code != tt.status || rec.Body.String() != tt.want || rec.Header().Get("Content-Type") != tt.media {
				t.Errorf("got %d %q\n%s\nwant %d %q\n%s", rec.Code, rec.Header().Get("Content-Type"), rec.Body, tt.status, tt.media, tt.want)
			}
		})
	}
}

// Somebody unknown who sends a body byte by byte cannot hold a connection for
// ever; one who sent it in time keeps the connection.
func TestSlowBodyIsCutOff(t *testing.T) {
	const limit = 300 * time.Millisecond
	w := newWorld(t)
	d := w.deps()
	d.AnonymousBodyTime = limit
	dialect, err := api.New(d)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(dialect)
	defer srv.Close()
	dial := func(text string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err = io.WriteString(c, text); err == nil {
			err = c.SetDeadline(time.Now().Add(10 * time.Second))
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	head := func(media string, length int) string {
		return fmt.Sprintf("POST /api/session HTTP/1.1\r\nHost: example.com\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", media, length)
	}
	for _, media := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=b"} {
		if _, err := io.Copy(io.Discard, dial(head(media, 100)+"{")); err != nil {
			t.Errorf("%s: the connection stays open: %v", media, err)
		}
	}

	const body = `{"username":"a","password":"b"}`
	c := dial(head("application/json", len(body)) + body)
	from := bufio.NewReader(c)
	for range 2 {
		res, err := http.ReadResponse(from, nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("a body that came in time: %v, %v", res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		time.Sleep(2 * limit)
		if _, err := io.WriteString(c, head("application/json", len(body))+body); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFormsWorkLikeJSON(t *testing.T) {
	rec := newWorld(t).call("POST", "/api/fake", "name=a&group_id=5", "X-API-Key", adminKey, "Content-Type", "application/x-www-form-urlencoded")
	if rec.Code != 200 || rec.Body.String() != `{"id":5,"name":"a"}` {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestStarting(t *testing.T) {
	w := newWorld(t)
	w.ready = false
	for _, target := range []string{"/api/fake", "/api/session", "/api/nowhere"} {
		rec := w.call("GET", target, "", "X-API-Key", adminKey)
		if rec.Code != 503 || rec.Body.String() != "Metabase is still initializing. Please sit tight..." {
			t.Errorf("%s: got %d %s", target, rec.Code, rec.Body)
		}
	}
}

func TestHealth(t *testing.T) {
	refused := fault.New(fault.Unavailable, "refused")
	tests := []struct {
		name, target string
		starting     bool
		err          error
		status       int
		want         string
	}{
		{"ready", "/api/health", false, nil, 200, `{"status":"ok"}`},
		{"slash", "/api/health/", false, nil, 200, `{"status":"ok"}`},
		{"starting", "/api/health", true, nil, 503, `{"status":"initializing","progress":0.4}`},
		{"refused", "/api/health", false, refused, 503, `{"status":"Unable to get app-db connection"}`},
		{"failed", "/api/health", false, errors.New("x"), 503, `{"status":"Error getting app-db connection"}`},
		{"live", "/livez", true, errors.New("x"), 200, `ok`},
		{"ready", "/readyz", false, nil, 200, `ok`},
		{"not ready", "/readyz", true, nil, 503, `Metabase is still initializing. Please sit tight...`},
		{"no database", "/readyz", false, refused, 503, `The server cannot answer right now. Please try again.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.ready, w.dbErr, w.authErr = !tt.starting, tt.err, errors.New("no database")
			rec := w.call("GET", tt.target, "")
			if rec.Code != tt.status || rec.Body.String() != tt.want {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestHealthAsksOnceASecond(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.call("GET", "/api/health", "")
	}
	w.clock.Advance(time.Second)
	w.call("GET", "/api/health", "")
	w.call("GET", "/readyz", "")
	if w.pings != 2 {
		t.Errorf("%d pings, want 2", w.pings)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name   string
		change func(d *api.Deps)
		want   string
	}{
		{"nothing", func(d *api.Deps) { *d = api.Deps{} }, "Deps.Authenticate is missing"},
		{"duplicate", func(d *api.Deps) { d.Endpoints = append(d.Endpoints, d.Endpoints[0]) }, "conflicts with pattern"},
		{"no check for a rule", func(d *api.Deps) { d.Rules = nil }, `no rule "setuptoken"`},
		{"no texts for a rule", func(d *api.Deps) {
			d.Rules["zip"] = func(string) bool { return true }
			d.Endpoints = append(d.Endpoints, endpoint.New("POST", "/api/zip", "D", access.Public("docs", access.Read), echo[struct {
				Zip []string `json:"zip" rule:"zip"`
			}]))
		}, `the rule "zip" has no texts`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := w.deps()
			tt.change(&d)
			if _, err := api.New(d); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDocs(t *testing.T) {
	w := newWorld(t)
	page := w.call("GET", "/api/docs", "")
	if page.Code != 200 || !strings.Contains(page.Body.String(), "<code>/api/fake/{id}</code></td><td>Change</td><td>admins</td><td>groups:write</td>") {
		t.Errorf("got %d %s", page.Code, page.Body)
	}
	if csp := page.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") ||
		strings.Contains(page.Body.String(), "<script") || strings.Contains(page.Body.String(), "style=") {
		t.Errorf("policy %q", csp)
	}
	if style := w.call("GET", "/api/docs/style.css", ""); style.Code != 200 || style.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style: got %d", style.Code)
	}
	doc := w.call("GET", "/api/docs/openapi.json", "")
	if doc.Code != 200 || doc.Header().Get("Content-Type") != jsonType || !strings.Contains(doc.Body.String(), `"openapi":"3.1.0"`) {
		t.Errorf("document: got %d", doc.Code)
	}
	if got := len(w.api.Table().Routes()); got != len(w.endpoints())+6 {
		t.Errorf("%d routes in the table", got)
	}
}

func TestContextHook(t *testing.T) {
	w := newWorld(t)
	type key struct{}
	var got any
	d := w.deps()
	d.Context = func(ctx context.Context, c *endpoint.Call) context.Context {
		return context.WithValue(ctx, key{}, c.RequestID)
	}
	d.Endpoints = []endpoint.Endpoint{endpoint.New("GET", "/api/x", "D", access.Public("docs", access.Read),
		func(ctx context.Context, _ *endpoint.Call, _ endpoint.None) (endpoint.None, error) {
			got = ctx.Value(key{})
			return endpoint.None{}, nil
		})}
	var err error
	if w.api, err = api.New(d); err != nil {
		t.Fatal(err)
	}
	rec := w.call("GET", "/api/x", "")
	if got == nil || got != rec.Header().Get("X-Request-Id") {
		t.Errorf("got %v", got)
	}
}

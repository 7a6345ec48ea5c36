package v1_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	v1 "latchkey/internal/v1"
)

func echo[In any](_ context.Context, _ *endpoint.Call, in In) (In, error) { return in, nil }

// get reads a whole answer as a key of Administrators.
func get(t *testing.T, url string) (string, error) {
	t.Helper()
	res := send(t, http.MethodGet, url)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func send(t *testing.T, method, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-API-Key", adminKey)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/v1/fake", "/v1/nowhere", "/v1/openapi.json"} {
		rec := w.call("GET", target, "", "X-API-Key", memberKey)
		for name, value := range map[string]string{
			"Cache-Control":               "no-store",
			"Strict-Transport-Security":   "max-age=31536000",
			"X-Frame-Options":             "DENY",
			"X-Content-Type-Options":      "nosniff",
			"Content-Security-Policy":     "default-src 'none'; frame-ancestors 'none'",
			"Access-Control-Allow-Origin": "",
			"Set-Cookie":                  "",
		} {
			if got := rec.Header().Get(name); got != value {
				t.Errorf("%s %s: got %q, want %q", target, name, got, value)
			}
		}
	}
	rec := w.call("GET", "/v1/fake", "")
	rec.Header().Add("Cache-Control", "public")
	if again := w.call("GET", "/v1/fake", "").Header(); len(again["Cache-Control"]) != 1 {
		t.Errorf("shared headers were written: %v", again)
	}
}

func TestHeadAndOptions(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.api)
	defer srv.Close()
	res := send(t, http.MethodHead, srv.URL+"/v1/fake/7")
	body, err := io.ReadAll(res.Body)
	if err != nil || len(body) > 0 || res.StatusCode != 200 || res.ContentLength != int64(len(`{"id":7,"name":"<x>"}`)) {
		t.Errorf("HEAD: %d, %d bytes, length %d, %v", res.StatusCode, len(body), res.ContentLength, err)
	}
	_ = res.Body.Close()
	for _, tt := range []struct {
		method, target, key string
		status              int
		allow               string
	}{
		{"OPTIONS", "/v1/fake", "", 204, "GET, HEAD, POST, OPTIONS"},
		{"OPTIONS", "/v1/fake/7", "", 204, "GET, HEAD, DELETE, OPTIONS"},
		{"OPTIONS", "/v1/nowhere", "", 404, ""},
		{"PATCH", "/v1/fake/7", adminKey, 405, "GET, HEAD, DELETE, OPTIONS"},
		{"HEAD", "/v1/fake/open", adminKey, 405, "POST, OPTIONS"},
		{"TRACE", "/v1/fake", "", 405, "GET, HEAD, POST, OPTIONS"},
	} {
		rec := w.call(tt.method, tt.target, "", "X-API-Key", tt.key, "Origin", "https://other.example")
		if rec.Code != tt.status || rec.Header().Get("Allow") != tt.allow || rec.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: %d, Allow %q", tt.method, tt.target, rec.Code, rec.Header().Get("Allow"))
		}
	}
}

func TestMediaTypes(t *testing.T) {
	for media, status := range map[string]int{
		"application/json":                  201,
		"Application/JSON; charset=utf-8":   201,
		"application/x-www-form-urlencoded": 415,
		"text/plain":                        415,
		"multipart/form-data; boundary=b":   415,
		"application/problem+json":          415,
		"":                                  415,
	} {
		rec := newWorld(t).call("POST", "/v1/fake", `{"name":"a","group_id":5}`, "X-API-Key", adminKey, "Content-Type", media)
		if rec.Code != status {
			t.Errorf("%q: got %d, want %d", media, rec.Code, status)
		}
		if status == 415 && problem(t, rec).Code != "unsupported-media-type" {
			t.Errorf("%q: another code", media)
		}
	}
}

func TestWritesWithACookie(t *testing.T) {
	const media = "application/json"
	tests := []struct {
		name, method, site string
		headers            []string
		status             int
	}{
		{"our page", "DELETE", "", []string{"Sec-Fetch-Site", "same-origin", "Content-Type", media}, 204},
		{"program", "DELETE", "", []string{"Content-Type", media}, 204},
		{"another site", "DELETE", "", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", media}, 403},
		{"another site of the same domain", "DELETE", "", []string{"Sec-Fetch-Site", "same-site", "Content-Type", media}, 403},
		{"another origin", "DELETE", "", []string{"Origin", "https://other.example", "Content-Type", media}, 403},
		{"the site URL behind a proxy", "DELETE", "https://data.example.com/", []string{"Origin", "https://data.example.com", "Content-Type", media}, 204},
		{"no JSON", "DELETE", "", []string{"Sec-Fetch-Site", "same-origin"}, 415},
		{"form", "DELETE", "", []string{"Content-Type", "text/plain"}, 415},
		{"reading from another site", "GET", "", []string{"Sec-Fetch-Site", "cross-site"}, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.site = tt.site
			rec := w.call(tt.method, "/v1/fake/7", "", append(tt.headers, "Cookie", cookie)...)
			if rec.Code != tt.status {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			if tt.status == 403 && problem(t, rec).Code != "cross-origin" {
				t.Error("another code")
			}
		})
	}
	for _, name := range []string{"X-API-Key", "X-Metabase-Session"} {
		value := map[string]string{"X-API-Key": adminKey, "X-Metabase-Session": "good"}[name]
		rec := newWorld(t).call("DELETE", "/v1/fake/7", "", name, value, "Sec-Fetch-Site", "cross-site", "Origin", "https://other.example")
		if rec.Code != 204 {
			t.Errorf("%s: got %d %s", name, rec.Code, rec.Body)
		}
	}
}

func TestReasonsAndObserver(t *testing.T) {
	tests := []struct {
		name, method, target, key, body string
		status                          int
		reason                          string
		observed                        bool
	}{
		{"allowed", "GET", "/v1/fake", memberKey, "", 200, "", true},
		{"group", "DELETE", "/v1/fake/7", memberKey, "", 403, "group", true},
		{"read-only", "DELETE", "/v1/fake/7", readerKey, "", 403, "read-only", true},
		{"rate limit", "GET", "/v1/fake", limitedKey, "", 429, "rate-limit", true},
		{"no code", "GET", "/v1/fake/fail", memberKey, "", 500, "", true},
		{"not found", "GET", "/v1/nowhere", memberKey, "", 404, "", true},
		{"bad key", "GET", "/v1/fake", "junk", "", 401, "", false},
		{"anonymous", "GET", "/v1/fake", "", "", 401, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			rec := w.call(tt.method, tt.target, tt.body, "X-API-Key", tt.key)
			if rec.Code != tt.status || rec.Header().Get("Latchkey-Reason") != tt.reason {
				t.Errorf("got %d, reason %q", rec.Code, rec.Header().Get("Latchkey-Reason"))
			}
			if tt.reason != "" && problem(t, rec).Code != tt.reason {
				t.Error("the code is not the reason")
			}
			if (len(w.seen) == 1) != tt.observed {
				t.Fatalf("observed %v", w.seen)
			}
			if tt.observed && (w.seen[0].status != tt.status || w.seen[0].reason != tt.reason || !w.seen[0].who.IsKey()) {
				t.Errorf("observed %+v", w.seen[0])
			}
		})
	}
	w := newWorld(t)
	if rec := w.call("GET", "/v1/fake", "", "X-API-Key", limitedKey); rec.Header().Get("Retry-After") != "7" {
		t.Error("the answer lost the headers of authentication")
	}
	if rec := w.call("DELETE", "/v1/fake/7", "", "Cookie", cookie); rec.Header().Get("Latchkey-Reason") != "" || len(w.seen) != 1 {
		t.Error("a person is treated as a key")
	}
}

func TestClientAddressAndRequestID(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("GET", "/v1/fake", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Set("X-Forwarded-For", "1.1.1.1, 198.51.100.7")
	r.Header.Set("X-Request-Id", "abc-1")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if w.from.String() != "198.51.100.7" || rec.Header().Get("X-Request-Id") != "abc-1" {
		t.Errorf("from %v, id %q", w.from, rec.Header().Get("X-Request-Id"))
	}
}

func TestContextHook(t *testing.T) {
	w := newWorld(t)
	type key struct{}
	var got any
	d := w.deps(t)
	d.Context = func(ctx context.Context, c *endpoint.Call) context.Context {
		return context.WithValue(ctx, key{}, c.RequestID)
	}
	d.Endpoints = []endpoint.Endpoint{endpoint.New("GET", "/v1/x", "D", access.Public("docs", access.Read),
		func(ctx context.Context, _ *endpoint.Call, _ endpoint.None) (endpoint.None, error) {
			got = ctx.Value(key{})
			return endpoint.None{}, nil
		})}
	var err error
	if w.api, err = v1.New(d); err != nil {
		t.Fatal(err)
	}
	if rec := w.call("GET", "/v1/x", ""); got == nil || got != rec.Header().Get("X-Request-Id") {
		t.Errorf("got %v", got)
	}
}

// Somebody unknown who sends a body byte by byte cannot hold a connection for ever.
func TestSlowBodyIsCutOff(t *testing.T) {
	w := newWorld(t)
	d := w.deps(t)
	d.AnonymousBodyTime = 200 * time.Millisecond
	handler, err := v1.New(d)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(handler)
	defer srv.Close()
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1/fake/open", io.MultiReader(strings.NewReader("{"), reader))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return // cut off before there was an answer
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode < 400 {
		t.Errorf("got %d", res.StatusCode)
	}
}

package api_test

import (
	"compress/gzip"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	rec := w.call("GET", "/api/fake", "", "X-API-Key", memberKey)
	want := map[string]string{
		"Cache-Control":                     "max-age=0, no-cache, must-revalidate, proxy-revalidate",
		"Expires":                           "Tue, 03 Jul 2001 06:00:00 GMT",
		"Last-Modified":                     "Sun, 22 Nov 2026 10:00:00 GMT",
		"Strict-Transport-Security":         "max-age=31536000",
		"X-Frame-Options":                   "DENY",
		"X-Content-Type-Options":            "nosniff",
		"X-Permitted-Cross-Domain-Policies": "none",
		"Content-Security-Policy":           "default-src 'none'; frame-ancestors 'none'",
		"X-Metabase-Version":                "v0.62.1",
		"Access-Control-Allow-Origin":       "",
		"Set-Cookie":                        "",
		"Etag":                              "",
	}
	for name, value := range want {
		if got := rec.Header().Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	w.clock.Advance(90 * 1e9)
	if got := w.call("GET", "/api/nowhere", "").Header().Get("Last-Modified"); got != "Sun, 22 Nov 2026 10:01:30 GMT" {
		t.Errorf("Last-Modified stands still: %q", got)
	}
}

func TestHandlersCannotSpoilSharedHeaders(t *testing.T) {
	w := newWorld(t)
	rec := w.call("GET", "/api/fake", "")
	rec.Header().Add("Cache-Control", "no-store")
	rec.Header().Set("X-Frame-Options", "x")
	again := w.call("GET", "/api/fake", "").Header()
	if len(again["Cache-Control"]) != 1 || again.Get("X-Frame-Options") != "DENY" {
		t.Errorf("got %v", again)
	}
}

func TestRequestID(t *testing.T) {
	w := newWorld(t)
	one, two := w.call("GET", "/livez", "").Header().Get("X-Request-Id"), w.call("GET", "/livez", "").Header().Get("X-Request-Id")
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(one) || one == two {
		t.Errorf("got %q and %q", one, two)
	}
	tests := []struct {
		peer, id string
		kept     bool
	}{
		{"10.0.0.1:1", "abc-1.2_X", true},
		{"192.0.2.1:1", "abc", false},
		{"10.0.0.1:1", "with space", false},
		{"10.0.0.1:1", strings.Repeat("a", 65), false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/livez", nil)
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Request-Id", tt.id)
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		if got := rec.Header().Get("X-Request-Id"); (got == tt.id) != tt.kept {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

func TestRealAddressReachesAuthentication(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("GET", "/api/fake", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Set("X-Forwarded-For", "1.1.1.1, 198.51.100.7")
	w.api.ServeHTTP(httptest.NewRecorder(), r)
	if w.from.String() != "198.51.100.7" {
		t.Errorf("got %v", w.from)
	}
}

func TestDeviceCookie(t *testing.T) {
	shape := regexp.MustCompile(`^metabase\.DEVICE=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}; Path=/; Max-Age=630720000; HttpOnly(; Secure)?; SameSite=Lax$`)
	tests := []struct {
		name, site, target string
		headers            []string
		tls                bool
		peer               string
		set, secure        bool
	}{
		{name: "plain", set: true},
		{name: "has one", headers: []string{"Cookie", "metabase.DEVICE=x"}},
		{name: "empty one", headers: []string{"Cookie", "metabase.DEVICE="}, set: true},
		{name: "key", headers: []string{"x-api-key", memberKey}},
		{name: "TLS", tls: true, set: true, secure: true},
		{name: "proxy with TLS", peer: "10.0.0.1:1", headers: []string{"X-Forwarded-Proto", "https"}, set: true, secure: true},
		{name: "proxy without TLS", peer: "10.0.0.1:1", headers: []string{"X-Forwarded-Proto", "http"}, site: "https://example.com", set: true},
		{name: "not a proxy", headers: []string{"X-Forwarded-Proto", "https"}, set: true},
		{name: "site URL", site: "https://example.com/", set: true, secure: true},
		{name: "another site URL", site: "https://other.example", set: true},
		{name: "health", target: "/api/health"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.site = tt.site
			if tt.target == "" {
				tt.target = "/api/fake/open"
			}
			r := httptest.NewRequest("GET", tt.target, nil)
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if tt.peer != "" {
				r.RemoteAddr = tt.peer
			}
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			rec := httptest.NewRecorder()
			w.api.ServeHTTP(rec, r)
			got := rec.Header().Get("Set-Cookie")
			if (got != "") != tt.set || tt.set && !shape.MatchString(got) || strings.Contains(got, "Secure") != tt.secure {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestCORS(t *testing.T) {
	tests := []struct {
		name, origin string
		origins      []string
		noLocalhost  bool
		allow        string // "" for none
		others       bool
	}{
		{"no origin", "", []string{"https://a.example"}, false, "", false},
		{"localhost", "http://localhost:8080", nil, false, "http://localhost:8080", true},
		{"127.0.0.1", "http://127.0.0.1", nil, false, "http://127.0.0.1", true},
		{"::1", "http://[::1]:3000", nil, false, "http://[::1]:3000", true},
		{"localhost off", "http://localhost:8080", nil, true, "", false},
		{"looks like localhost", "http://localhost.evil.example", nil, false, "", false},
		{"nothing configured", "https://a.example", nil, false, "", false},
		{"configured", "https://a.example", []string{"https://a.example"}, false, "https://a.example", true},
		{"slash in the setting", "https://a.example", []string{"https://A.example/"}, false, "https://a.example", true},
		{"another one", "https://b.example", []string{"https://a.example"}, false, "", true},
		{"another scheme", "http://a.example", []string{"https://a.example"}, false, "", true},
		{"another port", "https://a.example:8443", []string{"https://a.example"}, false, "", true},
		{"any port", "https://a.example:8443", []string{"https://a.example:*"}, false, "https://a.example:8443", true},
		{"no scheme", "https://a.example", []string{"a.example"}, false, "https://a.example", true},
		{"wildcard", "https://x.a.example", []string{"*.a.example"}, false, "https://x.a.example", true},
		{"wildcard is below", "https://xa.example", []string{"*.a.example"}, false, "", true},
		{"star", "https://x.example", []string{"*"}, false, "https://x.example", true},
		{"null", "null", []string{"https://a.example"}, false, "", true},
		{"with a path", "http://localhost/x", nil, false, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.origins, w.noLocalhost = tt.origins, tt.noLocalhost
			h := w.call("GET", "/api/fake/open", "", "Origin", tt.origin).Header()
			if got := h.Get("Access-Control-Allow-Origin"); got != tt.allow || (h.Get("Vary") == "Origin") != (tt.allow != "") {
				t.Errorf("got %q, Vary %q", got, h.Get("Vary"))
			}
			others := map[string]string{
				"Access-Control-Allow-Headers": "*", "Access-Control-Allow-Methods": "*", "Access-Control-Max-Age": "60",
				"Access-Control-Expose-Headers": "Content-Disposition, X-Metabase-Anti-CSRF-Token, X-Metabase-Version, Mcp-Session-Id",
			}
			for name, value := range others {
				if got := h.Get(name); (got == value) != tt.others || !tt.others && got != "" {
					t.Errorf("%s: %q", name, got)
				}
			}
			if h.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	w := newWorld(t)
	rec := w.call("OPTIONS", "/api/fake", "", "Origin", "http://localhost:1", "Access-Control-Request-Method", "POST")
	if rec.Code != 200 || rec.Body.Len() != 0 || rec.Header().Get("Access-Control-Allow-Methods") != "*" {
		t.Errorf("got %d %q", rec.Code, rec.Body)
	}
	rec = w.call("OPTIONS", "/api/fake", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	if rec.Code != 200 || rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got %d %v", rec.Code, rec.Header())
	}
}

func TestCrossOriginWrites(t *testing.T) {
	const cookie = "metabase.SESSION=good; metabase.DEVICE=x"
	tests := []struct {
		name, method, target string
		headers              []string
		status               int
	}{
		{"own page", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 204},
		{"curl with a cookie", "DELETE", "/api/fake/1", []string{"Cookie", cookie}, 204},
		{"own origin", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Origin", "http://example.com"}, 204},
		{"site URL behind a proxy that rewrites Host", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Origin", "http://metrics.example"}, 204},
		{"another site", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403},
		{"another origin", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Origin", "https://evil.example"}, 403},
		{"sandboxed", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Origin", "null"}, 403},
		{"another port of localhost", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-site"}, 403},
		{"cookie and key", "DELETE", "/api/fake/1", []string{"Cookie", cookie, "X-API-Key", adminKey, "Sec-Fetch-Site", "cross-site"}, 403},
		{"embedded cookie", "DELETE", "/api/fake/1", []string{"Cookie", "metabase.EMBEDDED_SESSION=x", "X-API-Key", adminKey, "Sec-Fetch-Site", "cross-site"}, 403},
		{"key", "DELETE", "/api/fake/1", []string{"X-API-Key", adminKey, "Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"}, 204},
		{"form with a cookie", "POST", "/api/fake", []string{"Cookie", cookie, "Origin", "https://evil.example", "Content-Type", "text/plain"}, 403},
		{"reading", "GET", "/api/fake", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 200},
		{"login from an approved origin", "POST", "/api/session", []string{"Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-site"}, 400},
		{"login from another site", "POST", "/api/session", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.site = "http://metrics.example/"
			if rec := w.call(tt.method, tt.target, "", tt.headers...); rec.Code != tt.status {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestCompression(t *testing.T) {
	big := `"` + strings.Repeat("a", 5000) + `"`
	tests := []struct {
		name, method, target, accept string
		zipped                       bool
		want                         string
	}{
		{"big", "GET", "/api/fake/big", "gzip", true, big},
		{"among others", "GET", "/api/fake/big", "br;q=1, gzip;q=0.5", true, big},
		{"any", "GET", "/api/fake/big", "*", true, big},
		{"refused", "GET", "/api/fake/big", "gzip;q=0", false, big},
		{"refused with zeros", "GET", "/api/fake/big", "gzip; q=0.00", false, big},
		{"not asked", "GET", "/api/fake/big", "br", false, big},
		{"small", "GET", "/api/fake", "gzip", false, `[]`},
		{"nothing", "DELETE", "/api/fake/1", "gzip", false, ``},
		{"stream", "GET", "/api/fake/stream", "gzip", true, "a,b\na,b\na,b\n"},
		{"plain stream", "GET", "/api/fake/stream", "", false, "a,b\na,b\na,b\n"},
		{"error", "GET", "/api/nowhere", "gzip", false, `"API endpoint does not exist."`},
		{"panic", "GET", "/api/fake/panic", "gzip", false, ``},
		{"head", "HEAD", "/api/fake/big", "gzip", false, ``},
	}
	w := newWorld(t)
	server := httptest.NewServer(w.api)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.target, nil)
			r.Header.Set("X-API-Key", adminKey)
			r.Header.Set("Accept-Encoding", tt.accept)
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body := io.Reader(resp.Body)
			if zipped := resp.Header.Get("Content-Encoding") == "gzip"; zipped != tt.zipped || zipped && resp.Header.Get("Vary") != "Accept-Encoding" {
				t.Fatalf("got %v", resp.Header)
			} else if zipped {
				if body, err = gzip.NewReader(body); err != nil {
					t.Fatal(err)
				}
			}
			got, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != "" && string(got) != tt.want {
				t.Errorf("got %d %.100q", resp.StatusCode, got)
			}
		})
	}
}

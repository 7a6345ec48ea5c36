package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"latchkey/internal/server"
)

func TestLogRequests(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /reset/{token}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	mux.HandleFunc("POST /gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	tests := []struct {
		method, path string
		want         []string
	}{
		{"GET", "/reset/very-secret?key=very-secret", []string{`route="GET /reset/{token}"`, "status=200", "bytes=5", "client=192.0.2.1", "method=GET"}},
		{"POST", "/gone", []string{`route="POST /gone"`, "status=204", "bytes=0"}},
		{"GET", "/very-secret", []string{`route=""`, "status=404"}},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		client := func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") }
		h := server.LogRequests(mux, slog.New(slog.NewTextHandler(&out, nil)), client)
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader("very-secret"))
		r.Header.Set("X-Api-Key", "very-secret")
		h.ServeHTTP(httptest.NewRecorder(), r)
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s %s: %q lacks %q", tt.method, tt.path, out.String(), want)
			}
		}
		if strings.Contains(out.String(), "secret") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s %s: %q holds a secret, or is not one line", tt.method, tt.path, out.String())
		}
	}
}

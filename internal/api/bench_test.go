package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/endpoint"
)

const listBytes = 10612 // the list of style.md C3

// hot is an API with one route of ready bytes, and a bare handler that writes
// the same.
func hot(b *testing.B) (kernel, bare http.Handler) {
	b.Helper()
	w := newWorld(b)
	body := endpoint.Ready[[]named](`["` + strings.Repeat("a", listBytes-4) + `"]`)
	who := &access.Principal{Kind: access.ServiceKey, UserID: 2, KeyID: 1, Groups: []int64{1, 2}}
	d := w.deps()
	d.Authenticate = w.authenticate
	d.Endpoints = []endpoint.Endpoint{endpoint.New("GET", "/api/permissions/group", "List", access.Admin("groups", access.Read),
		func(context.Context, *endpoint.Call, endpoint.None) (endpoint.Ready[[]named], error) { return body, nil })}
	kernel, err := api.New(d)
	if err != nil {
		b.Fatal(err)
	}
	_ = who
	bare = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	return kernel, bare
}

// nowhere is a ResponseWriter that costs nothing.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header       { return n.h }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

func BenchmarkKernelAlone(b *testing.B) {
	kernel, _ := hot(b)
	r := httptest.NewRequest("GET", "/api/permissions/group", nil)
	r.Header.Set("X-API-Key", adminKey)
	b.ReportAllocs()
	for b.Loop() {
		kernel.ServeHTTP(nowhere{http.Header{}}, r)
	}
}

// BenchmarkLoopback compares kernel and bare handler behind a real server.
func BenchmarkLoopback(b *testing.B) {
	kernel, bare := hot(b)
	for name, h := range map[string]http.Handler{"kernel": kernel, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(h)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8}}
			r, _ := http.NewRequestWithContext(b.Context(), "GET", server.URL+"/api/permissions/group", nil)
			r.Header.Set("X-API-Key", adminKey)
			for b.Loop() {
				resp, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}

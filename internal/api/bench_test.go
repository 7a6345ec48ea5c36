package api_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
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
	d := w.deps()
	d.Authenticate = w.authenticate
	d.Endpoints = []endpoint.Endpoint{endpoint.New("GET", "/api/permissions/group", "List", access.Admin("groups", access.Read),
		func(context.Context, *endpoint.Call, endpoint.None) (endpoint.Ready[[]named], error) {
			return body, nil
		})}
	kernel, err := api.New(d)
	if err != nil {
		b.Fatal(err)
	}
	bare = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
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

// BenchmarkLoopback compares kernel and bare handler behind a real server, with
// a client that only counts bytes.
func BenchmarkLoopback(b *testing.B) {
	kernel, bare := hot(b)
	for _, h := range []struct {
		name    string
		handler http.Handler
	}{{"kernel", kernel}, {"bare", bare}} {
		b.Run(h.name, func(b *testing.B) {
			server := httptest.NewServer(h.handler)
			defer server.Close()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) { ask(b, server.Listener.Addr().String(), pb) })
		})
	}
}

// ask sends one request after the other. All answers are as long as the first.
func ask(b *testing.B, addr string, pb *testing.PB) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	request := []byte("GET /api/permissions/group HTTP/1.1\r\nHost: x\r\nX-API-Key: " + adminKey + "\r\n\r\n")
	buf := make([]byte, 2*listBytes)
	size := 0
	for pb.Next() {
		if _, err := conn.Write(request); err != nil {
			b.Error(err)
			return
		}
		if size == 0 {
			size = firstAnswer(b, conn, buf)
		} else if _, err := io.ReadFull(conn, buf[:size]); err != nil {
			b.Error(err)
			return
		}
	}
}

// firstAnswer reads an answer and returns its size, header and all.
func firstAnswer(b *testing.B, conn net.Conn, buf []byte) int {
	n := 0
	for {
		more, err := conn.Read(buf[n:])
		n += more
		if err != nil {
			b.Error(err)
			return n
		}
		if head := bytes.Index(buf[:n], []byte("\r\n\r\n")); head >= 0 && n >= head+4+listBytes {
			return n
		}
	}
}

package api

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// zipFrom is the size of a body from which compressing it pays.
const zipFrom = 1024

// exchange is one request and its answer. It stands in for the ResponseWriter,
// knows whether the answer is on its way, and compresses it when the client
// wants that.
type exchange struct {
	call    endpoint.Call
	w       http.ResponseWriter
	api     *API
	started bool // the header is out
	zip     bool // the answer may be compressed; until that is decided, status and held wait
	status  int
	sent    int // the status that the client gets; 0 until the answer begins
	began   time.Time
	held    []byte
	zipper  *gzip.Writer
}

func (a *API) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{w: w, api: a, zip: r.Method != http.MethodHead && takesGzip(r.Header["Accept-Encoding"])}
	c := &x.call
	c.Request, c.Header = r, w.Header()
	if a.deps.Observe != nil {
		x.began = a.deps.Clock.Now()
	}
	var proxied bool
	c.RemoteAddr, proxied = a.deps.Proxies.Client(r)
	c.RequestID = endpoint.RequestID(r, proxied)
	c.Secure = a.deps.Proxies.Secure(r, a.deps.SiteURL())
	a.setHeaders(c)
	a.setCORS(c)
	return x
}

// end sends what is held back, and turns a panic into a 500, or into a broken
// connection when the answer is already on its way.
func (a *API) end(x *exchange) {
	if p := recover(); p != nil {
		if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
			panic(p)
		}
		err := fault.Wrap(fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "serving")
		if x.started {
			x.call.LogFailure(a.deps.Log, err)
			panic(http.ErrAbortHandler)
		}
		x.status, x.sent, x.held = 0, 0, nil
		a.fail(x, err)
	}
	x.finish()
}

// observe tells about the answer to a key.
func (a *API) observe(x *exchange) {
	if a.deps.Observe != nil && x.call.Who.IsKey() {
		a.deps.Observe(&x.call, cmp.Or(x.sent, http.StatusOK), a.deps.Clock.Now().Sub(x.began))
	}
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.call.Header }

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if status >= http.StatusOK && x.sent == 0 {
		x.sent = status
	}
	if x.zip && status >= http.StatusOK {
		x.status = status
		return
	}
	x.started = x.started || status >= http.StatusOK
	x.w.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	switch {
	case x.zipper != nil:
		return x.zipper.Write(b)
	case !x.zip:
		x.started = true
		return x.w.Write(b)
	case len(x.held)+len(b) < zipFrom:
		x.held = append(x.held, b...)
		return len(b), nil
	}
	x.decide(true)
	return x.Write(b)
}

// Flush implements http.Flusher: a stream is compressed from its first byte.
func (x *exchange) Flush() {
	if x.zip {
		x.decide(true)
	}
	if x.zipper != nil {
		_ = x.zipper.Flush() // an error comes back from the next Write
	}
	_ = http.NewResponseController(x.w).Flush()
}

// decide ends the waiting: the header goes out, and what is held with it.
func (x *exchange) decide(compress bool) {
	x.zip = false
	h := x.call.Header
	if compress && compressible(h, x.status) {
		delete(h, "Content-Length")
		h["Content-Encoding"] = []string{"gzip"}
		h.Add("Vary", "Accept-Encoding")
		x.zipper = x.api.zipper()
		x.zipper.Reset(x.w)
	}
	if x.status != 0 {
		x.started = true
		x.w.WriteHeader(x.status)
	}
	if held := x.held; len(held) > 0 {
		x.held = nil
		_, _ = x.Write(held) // an error comes back from the next Write
	}
	x.started = x.started || x.zipper != nil
}

func (x *exchange) finish() {
	if x.zip && (x.status != 0 || len(x.held) > 0) {
		x.decide(false)
	}
	if x.zipper != nil {
		_ = x.zipper.Close() // the client went away
		x.api.zippers.Put(x.zipper)
		x.zipper = nil
	}
}

func (a *API) zipper() *gzip.Writer {
	if z, ok := a.zippers.Get().(*gzip.Writer); ok {
		return z
	}
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for unknown levels only
	return z
}

// compressible reports whether a body is worth compressing: texts are, and
// nothing that is packed already.
func compressible(h http.Header, status int) bool {
	if status == http.StatusNoContent || status == http.StatusNotModified || h.Get("Content-Encoding") != "" {
		return false
	}
	media := h.Get("Content-Type")
	return strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/json")
}

// takesGzip reads Accept-Encoding.
func takesGzip(lines []string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(strings.TrimSpace(item), ";")
			if name == "gzip" || name == "*" {
				return strings.TrimRight(strings.TrimSpace(weight), "0.") != "q="
			}
		}
	}
	return false
}

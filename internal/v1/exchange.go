package v1

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// exchange is one request and its answer. It stands in for the ResponseWriter
// and knows whether the answer is on its way.
type exchange struct {
	call   endpoint.Call
	w      http.ResponseWriter
	start  time.Time
	status int   // 0 until the header is out
	broken error // why a stream ended early
}

func (a *API) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{w: w, start: a.deps.Clock.Now()}
	c := &x.call
	c.Request, c.Header = r, w.Header()
	var proxied bool
	c.RemoteAddr, proxied = a.deps.Proxies.Client(r)
	c.RequestID = endpoint.RequestID(r, proxied)
	c.Secure = a.deps.Proxies.Secure(r, a.deps.SiteURL())
	for i := range a.headers {
		c.Header[a.headers[i].name] = a.headers[i].value
	}
	c.Header["X-Request-Id"] = []string{c.RequestID}
	return x
}

// end turns a panic into a 500, and tells the observer.
func (a *API) end(x *exchange) {
	defer func() {
		if a.deps.Observe != nil && x.call.Who.IsKey() {
			a.deps.Observe(&x.call, x.status, a.deps.Clock.Now().Sub(x.start))
		}
	}()
	if p := recover(); p != nil {
		a.rescue(x, p)
	}
}

func (a *API) rescue(x *exchange, p any) {
	if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
		panic(p)
	}
	a.fail(x, fault.Wrap(fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "serving"))
}

// breakOff notes why a Responder could not write all of its answer, so that it
// ends as a problem or, when a part is out, as a broken connection.
func breakOff(w http.ResponseWriter, err error) {
	if x, ok := w.(*exchange); ok {
		x.broken = err
	}
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.call.Header }

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK {
		x.status = status
	}
	x.w.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.w.Write(b)
}

// headers are those that every answer bears. They are slices that all answers
// share, so nobody may write into them; Set and Add of http.Header do not.
type headers []struct {
	name  string
	value []string
}

func newHeaders() headers {
	one := func(s string) []string { return []string{s} }
	return headers{
		{"Cache-Control", one("no-store")},
		{"Strict-Transport-Security", one("max-age=31536000")},
		{"X-Frame-Options", one("DENY")},
		{"X-Content-Type-Options", one("nosniff")},
		{"Content-Security-Policy", one("default-src 'none'; frame-ancestors 'none'")},
	}
}

func setAllow(h http.Header, methods []string) {
	h.Set("Allow", strings.Join(append(methods, http.MethodOptions), ", "))
}

// readQuery reads the query. Paging is refused on a route that has none, and a
// query that is not well encoded anywhere: without the condition that a caller
// meant, the answer would be about something else.
func readQuery(c *endpoint.Call, rt *endpoint.Route) error {
	if _, err := url.ParseQuery(c.Request.URL.RawQuery); err != nil {
		return fault.Field("query", "Encode the query: %%25 for a percent sign, %%26 for an ampersand, %%3B for a semicolon.")
	}
	if err := c.ReadQuery(); err != nil || !c.Page.On() {
		return err
	}
	return rt.CheckPaging(c)
}

// readBody reads a body, which must be of a media type that the route takes.
func (a *API) readBody(x *exchange, rt *endpoint.Route) error {
	c := &x.call
	if c.Request.ContentLength == 0 || c.Request.Body == http.NoBody {
		return nil
	}
	if !takes(rt, c.Request) {
		return &mediaError{rt.Media()}
	}
	limit := a.deps.MaxBody
	switch {
	case c.Who == nil:
		limit = a.deps.MaxAnonymousBody
		until := time.Now().Add(a.deps.AnonymousBodyTime)          // the machine's clock: connections know no other
		_ = http.NewResponseController(x.w).SetReadDeadline(until) // no connection, no deadline
	case rt.Bulky():
		limit = a.deps.MaxBulkBody
	}
	return c.ReadBody(x, limit)
}

// takes reports whether a body is declared to be of a media type that the
// route takes.
func takes(rt *endpoint.Route, r *http.Request) bool {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	media = strings.TrimSpace(media)
	return slices.ContainsFunc(rt.Media(), func(m string) bool { return strings.EqualFold(m, media) })
}

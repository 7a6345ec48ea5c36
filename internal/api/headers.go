package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"latchkey/internal/endpoint"
)

// headers are those that every answer bears (contract/identity.md 0.9). They
// are slices that all answers share, so nobody may write into them; Set and
// Add of http.Header do not.
type headers []struct {
	name  string
	value []string
}

// policyAPI is the content security policy of answers that are no pages.
const policyAPI = "default-src 'none'; frame-ancestors 'none'"

func newHeaders(version string) headers {
	one := func(s string) []string { return []string{s} }
	return headers{
		{"Cache-Control", one("max-age=0, no-cache, must-revalidate, proxy-revalidate")},
		{"Expires", one("Tue, 03 Jul 2001 06:00:00 GMT")},
		{"Strict-Transport-Security", one("max-age=31536000")},
		{"X-Frame-Options", one("DENY")},
		{"X-Content-Type-Options", one("nosniff")},
		{"X-Permitted-Cross-Domain-Policies", one("none")},
		{"Content-Security-Policy", one(policyAPI)},
		{"X-Metabase-Version", one(version)},
	}
}

func (a *API) setHeaders(c *endpoint.Call) {
	for i := range a.headers {
		c.Header[a.headers[i].name] = a.headers[i].value
	}
	c.Header["Last-Modified"] = a.lastModified()
	c.Header["X-Request-Id"] = []string{c.RequestID}
}

// stamp is a second, as the Last-Modified header writes it.
type stamp struct {
	second int64
	value  []string
}

// lastModified is now, formatted once a second.
func (a *API) lastModified() []string {
	now := a.deps.Clock.Now()
	if s := a.modified.Load(); s != nil && s.second == now.Unix() {
		return s.value
	}
	s := &stamp{second: now.Unix(), value: []string{now.UTC().Format(http.TimeFormat)}}
	a.modified.Store(s)
	return s.value
}

// The cookie that tells devices apart, and how long it lives.
const (
	deviceCookie = "metabase.DEVICE"
	deviceAge    = 20 * 365 * 24 * time.Hour
)

// setDevice gives a browser its device cookie. Requests with a key get none.
func (a *API) setDevice(c *endpoint.Call) {
	if len(c.Request.Header[keyHeader]) > 0 || hasCookie(c.Request, deviceCookie) {
		return
	}
	c.SetCookie(&http.Cookie{
		Name: deviceCookie, Value: newUUID(), Path: "/", MaxAge: int(deviceAge.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Secure,
	})
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func hasCookie(r *http.Request, name string) bool {
	for _, k := range r.CookiesNamed(name) {
		if k.Value != "" {
			return true
		}
	}
	return false
}

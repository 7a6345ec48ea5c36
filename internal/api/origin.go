package api

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// The names of what a caller shows (contract/identity.md 1.3, 2.5).
const (
	keyHeader       = "X-Api-Key"
	sessionCookie   = "metabase.SESSION"
	embeddedSession = "metabase.EMBEDDED_SESSION"
)

// exposed are the headers that scripts of other origins may read.
const exposed = "Content-Disposition, X-Metabase-Anti-CSRF-Token, X-Metabase-Version, Mcp-Session-Id"

// setCORS writes the headers of contract/identity.md 0.9. It never allows
// credentials, so another origin can act with a key or header only.
func (a *API) setCORS(c *endpoint.Call) {
	origin := c.Request.Header.Get("Origin")
	if origin == "" {
		return
	}
	approved := a.approves(origin)
	if !approved && len(a.deps.CORSOrigins()) == 0 {
		return
	}
	h := c.Header
	if approved {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Allow-Methods", "*")
	h.Set("Access-Control-Expose-Headers", exposed)
	h.Set("Access-Control-Max-Age", "60")
}

// isPreflight reports whether a browser asks what another origin may send.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// approves reports whether scripts of an origin may read our answers.
func (a *API) approves(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" {
		return false
	}
	if !a.deps.DisableCORSLocalhost() && isLoopback(u.Hostname()) {
		return true
	}
	for _, allowed := range a.deps.CORSOrigins() {
		if matchesOrigin(u, allowed) {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr == netip.IPv6Loopback())
}

// matchesOrigin compares with an entry of the setting: "*", or an origin whose
// scheme may be left out, whose host may begin with "*." and whose port may be "*".
func matchesOrigin(u *url.URL, allowed string) bool {
	if allowed == "*" {
		return true
	}
	scheme, rest, ok := strings.Cut(strings.ToLower(strings.TrimSuffix(allowed, "/")), "://")
	if !ok {
		scheme, rest = u.Scheme, scheme
	}
	host, anyPort := strings.CutSuffix(rest, ":*")
	got := strings.ToLower(u.Host)
	if anyPort {
		got = strings.TrimSuffix(got, ":"+u.Port())
	}
	if domain, wild := strings.CutPrefix(host, "*."); wild {
		return scheme == u.Scheme && strings.HasSuffix(got, "."+domain)
	}
	return scheme == u.Scheme && got == host
}

// checkOrigin refuses writes that another site makes a browser send. A request
// with a session cookie must come from our own pages; one without cookie and
// key (such as a login) may also come from an approved origin. A key or session
// in a header is nothing that a browser adds by itself. Programs, which send
// neither Origin nor Sec-Fetch-Site, pass.
func (a *API) checkOrigin(c *endpoint.Call) error {
	r := c.Request
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	cookie := hasCookie(r, sessionCookie) || hasCookie(r, embeddedSession)
	if !cookie && len(r.Header[keyHeader]) > 0 || a.crossing.Check(r) == nil {
		return nil
	}
	origin := r.Header.Get("Origin")
	if endpoint.OwnOrigin(origin, a.deps.SiteURL()) || !cookie && a.approves(origin) {
		return nil
	}
	return fault.New(fault.Forbidden, textCrossOrigin)
}

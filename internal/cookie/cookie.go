// Package cookie reads and writes the cookies of a person's session, under
// the names that Metabase's clients know (contract/identity.md 2.5).
//
// Owns: names and attributes. Does not own: sessions (people) or when a
// request is secure (the handlers know).
package cookie

import (
	"net/http"
	"time"

	"latchkey/internal/clock"
	"latchkey/internal/secret"
)

// The names of the cookies, and of the header that stands in for the first.
const (
	Session       = "metabase.SESSION"
	Timeout       = "metabase.TIMEOUT"
	Embedded      = "metabase.EMBEDDED_SESSION"
	Device        = "metabase.DEVICE"
	SessionHeader = "X-Metabase-Session"
)

// Jar knows the instance's rules for session cookies.
type Jar struct {
	MaxAge      time.Duration // how long a remembered session lasts
	SessionOnly func() bool   // setting session-cookies: end with the browser
	// Timeout is how long a session may rest, 0 for ever (setting session-timeout).
	Timeout func() time.Duration
	Clock   clock.Clock
}

// minTimeout is the least life of the timeout cookie (contract/identity.md 2.5).
const minTimeout = time.Minute

// Set returns the cookies of a new session. secure says whether the request
// came by TLS; remember, whether the session outlives the browser.
func (j Jar) Set(token secret.Text, remember, secure bool) []*http.Cookie {
	session := &http.Cookie{
		Name: Session, Value: token.Reveal(), Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure,
	}
	timeout := &http.Cookie{
		Name: Timeout, Value: "alive", Path: "/",
		SameSite: http.SameSiteLaxMode, Secure: secure,
	}
	if rest := j.Timeout(); rest > 0 {
		timeout.Expires = j.Clock.Now().Add(max(rest, minTimeout))
	}
	if !j.SessionOnly() {
		if timeout.Expires.IsZero() {
			timeout.MaxAge = int(j.MaxAge / time.Second)
		}
		if remember {
			session.MaxAge = int(j.MaxAge / time.Second)
		}
	}
	return []*http.Cookie{session, timeout}
}

// Clear returns the cookies that end a session in the browser.
func (j Jar) Clear() []*http.Cookie {
	var out []*http.Cookie
	for _, name := range []string{Session, Embedded, Timeout} {
		out = append(out, &http.Cookie{Name: name, Path: "/", Expires: time.Unix(0, 0).UTC(), MaxAge: -1})
	}
	return out
}

// Token returns the session token that a request carries: the cookie's if it
// is not empty, else the header's. The first one present counts; a bad cookie
// hides a good header.
func Token(r *http.Request) string {
	if len(r.Header["Cookie"]) > 0 {
		if c, err := r.Cookie(Session); err == nil && c.Value != "" {
			return c.Value
		}
	}
	return r.Header.Get(SessionHeader)
}

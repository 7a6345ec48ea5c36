package cookie_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"latchkey/internal/clock"
	"latchkey/internal/cookie"
	"latchkey/internal/secret"
)

func TestSet(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name                          string
		sessionOnly, remember, secure bool
		rest                          time.Duration
		session, timeout              string
	}{
		{"plain", false, false, false, 0,
			"metabase.SESSION=t; Path=/; HttpOnly; SameSite=Lax", "metabase.TIMEOUT=alive; Path=/; Max-Age=1209600; SameSite=Lax"},
		{"remembered, by TLS", false, true, true, 0,
			"metabase.SESSION=t; Path=/; Max-Age=1209600; HttpOnly; Secure; SameSite=Lax", "metabase.TIMEOUT=alive; Path=/; Max-Age=1209600; Secure; SameSite=Lax"},
		{"session cookies beat remember", true, true, false, 0,
			"metabase.SESSION=t; Path=/; HttpOnly; SameSite=Lax", "metabase.TIMEOUT=alive; Path=/; SameSite=Lax"},
		{"rest of an hour", false, false, false, time.Hour,
			"metabase.SESSION=t; Path=/; HttpOnly; SameSite=Lax", "metabase.TIMEOUT=alive; Path=/; Expires=Sun, 22 Nov 2026 13:00:00 GMT; SameSite=Lax"},
		{"rest below a minute", true, false, false, time.Second,
			"metabase.SESSION=t; Path=/; HttpOnly; SameSite=Lax", "metabase.TIMEOUT=alive; Path=/; Expires=Sun, 22 Nov 2026 12:01:00 GMT; SameSite=Lax"},
	} {
		jar := cookie.Jar{
			MaxAge: 14 * 24 * time.Hour, Clock: clock.NewFake(now),
			SessionOnly: func() bool { return c.sessionOnly }, Timeout: func() time.Duration { return c.rest },
		}
		got := jar.Set(secret.New("t"), c.remember, c.secure)
		if len(got) != 2 || got[0].String() != c.session || got[1].String() != c.timeout {
			t.Errorf("%s:\n%v\nwant\n%s\n%s", c.name, got, c.session, c.timeout)
		}
	}
}

func TestClear(t *testing.T) {
	got := cookie.Jar{}.Clear()
	for i, name := range []string{"metabase.SESSION", "metabase.EMBEDDED_SESSION", "metabase.TIMEOUT"} {
		want := name + "=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
		if got[i].String() != want {
			t.Errorf("%s, want %s", got[i], want)
		}
	}
}

func TestToken(t *testing.T) {
	for _, c := range []struct{ cookie, header, want string }{
		{"", "", ""}, {"metabase.SESSION=c", "", "c"}, {"", "h", "h"},
		{"metabase.SESSION=c", "h", "c"}, {"metabase.SESSION=", "h", "h"}, {"other=x", "h", "h"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if c.cookie != "" {
			r.Header.Set("Cookie", c.cookie)
		}
		if c.header != "" {
			r.Header.Set("x-metabase-session", c.header)
		}
		if got := cookie.Token(r); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

type body = map[string]any

// eachPair runs a test with two nodes on one PostgreSQL, and with two on one
// directory with SQLite, as they are for a moment while one replaces the other.
func eachPair(t *testing.T, f func(t *testing.T, a, b *apptest.Server)) {
	t.Run(string(dbtest.PostgreSQL), func(t *testing.T) {
		t.Parallel()
		a, b := pair(t)
		f(t, a, b)
	})
	t.Run(string(dbtest.SQLite), func(t *testing.T) {
		t.Parallel()
		a := apptest.Start(t, apptest.Options{})
		a.Setup()
		b := apptest.Start(t, apptest.Options{DataDir: a.DataDir})
		b.Session = a.Session
		f(t, a, b)
	})
}

// key is a key as /v1 shows it when it is made.
type key struct {
	ID   int64
	Text string `json:"key"`
	path string
}

// newKey makes a key by /v1. A restriction that is nil is left out.
func newKey(s *apptest.Server, fields body) key {
	fields["name"] = "key of " + time.Now().Format(time.StampNano)
	if r, ok := fields["restriction"].(body); ok && r == nil {
		delete(fields, "restriction")
	}
	var k key
	s.Admin(201, &k, "POST", "/v1/keys", fields)
	k.path = fmt.Sprintf("/v1/keys/%d", k.ID)
	return k
}

// atOnce makes sure that a text works on a node with the first call.
func atOnce(t *testing.T, what string, s *apptest.Server, text string) {
	t.Helper()
	if got := s.Do("GET", groups, nil, "x-api-key", text); got.Status != 200 {
		t.Errorf("%s does not work on the other node at once: %d %s", what, got.Status, got.Body)
	}
}

// refused waits until a key is refused on a node, and looks at the reason that
// it is told. A key that is bad is told none and gets the 401 of everybody.
func refused(t *testing.T, what string, s *apptest.Server, status int, reason, text string) {
	t.Helper()
	last := becomes(t, what, s, status, "GET", groups, "x-api-key", text)
	if got := last.Header.Get("Latchkey-Reason"); got != reason {
		t.Errorf("%s: the header Latchkey-Reason is %q, want %q", what, got, reason)
	}
	if status == 401 && last.Body != "Unauthenticated" {
		t.Errorf("%s: the body is not that of everybody who is not known: %s", what, last.Body)
	}
}

// awayFromMidnight waits until the day of UTC does not end within a minute:
// limits by the day begin anew then.
func awayFromMidnight() {
	now := time.Now().UTC()
	if left := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now); left < time.Minute {
		time.Sleep(left + time.Second)
	}
}

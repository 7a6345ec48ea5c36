package usage_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/usage"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC) }

// each runs a test on one node with each database, whose clock is the fake one.
func each(t *testing.T, o usage.Options, f func(t *testing.T, s *usage.Service, d *db.DB, c *clock.Fake)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		d := p.Open(t, dbtest.WithClock(c))
		f(t, usage.New(d, nil, o), d, c)
	})
}

// use is a plain successful call of key 7 with secret 70.
func use(at time.Time, change ...func(*usage.Use)) *usage.Use {
	u := &usage.Use{
		KeyID: 7, SecretID: 70, Route: "GET /api/user/{id}", Status: 200,
		Addr: netip.MustParseAddr("192.0.2.7"), Agent: "probe/1", RequestID: "r", At: at, Took: 3 * time.Millisecond,
	}
	for _, f := range change {
		f(u)
	}
	return u
}

func status(n int) func(*usage.Use) { return func(u *usage.Use) { u.Status = n } }

func key(n int64) func(*usage.Use) { return func(u *usage.Use) { u.KeyID, u.SecretID = n, n*10 } }

func flush(t *testing.T, s *usage.Service) {
	t.Helper()
	if err := s.FlushNow(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func counts(t *testing.T, s *usage.Service, keyID, want int64) {
	t.Helper()
	if n, err := s.Count(t.Context(), keyID, start().Add(-time.Hour)); err != nil || n != want {
		t.Errorf("key %d: %d requests, %v, want %d", keyID, n, err, want)
	}
}

// breakTable takes a table away until the returned function puts it back.
func breakTable(t *testing.T, d *db.DB, name string) (mend func()) {
	t.Helper()
	rename := func(from, to string) {
		if _, err := d.Exec(context.WithoutCancel(t.Context()), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename(name, name+"_away")
	return func() { rename(name+"_away", name) }
}

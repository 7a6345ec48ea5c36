package people_test

import (
	"testing"
	"time"

	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

func TestCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sessions := func(want int64) {
			t.Helper()
			if n, err := w.CountSessions(t.Context()); n != want || err != nil {
				t.Errorf("%d sessions, %v; want %d", n, err, want)
			}
		}
		sessions(0)
		w.admin()
		w.signIn("ada@example.com")
		sessions(2)
		w.clock.Advance(15 * 24 * time.Hour)
		sessions(0)

		for range 10 {
			if _, err := w.SignIn(t.Context(), "ada@example.com", secret.New("wrong"), false); fault.Is(err, fault.TooMany) {
				t.Fatal(err)
			}
		}
		if n := w.Throttled(); n != 0 {
			t.Errorf("%d sign-ins throttled before there were too many", n)
		}
		_, err := w.SignIn(t.Context(), "ada@example.com", secret.New("wrong"), false)
		if n := w.Throttled(); n != 1 || !fault.Is(err, fault.TooMany) {
			t.Errorf("%d sign-ins throttled, %v; want 1", n, err)
		}
		if err := w.ForgotPassword(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		if n := w.Throttled(); n != 1 {
			t.Errorf("%d: other attempts count as sign-ins", n)
		}
	})
}

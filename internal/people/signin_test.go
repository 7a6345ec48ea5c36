package people_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

const (
	textWrong = "password: did not match stored password"
	textOff   = "_error: Your account is disabled."
)

func throttled(field string, seconds int) string {
	return fmt.Sprintf("%s: Too many attempts! You must wait %d seconds before trying again.", field, seconds)
}

// from returns a context of a request from the address.
func from(t *testing.T, addr string) context.Context {
	return audit.WithOrigin(t.Context(), audit.Origin{RemoteAddr: addr, UserAgent: "test"})
}

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		bo := w.person(names("Bo", "K"))
		if _, err := w.Create(ctx, ada, names("Invited", "")); err != nil {
			t.Fatal(err)
		}
		key := w.keyUser("a key")
		if err := w.Deactivate(ctx, ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		keyRow, err := w.Get(ctx, ada, key)
		if err != nil {
			t.Fatal(err)
		}
		tests := []struct{ name, username, password, want string }{
			{"right", "ada@example.com", good, ""},
			{"any case", "ADA@Example.com", good, ""},
			{"wrong", "ada@example.com", "nope", textWrong},
			{"other case of the password", "ada@example.com", strings.ToUpper(good), textWrong},
			{"empty", "ada@example.com", "", textWrong},
			{"unknown", "eve@example.com", good, textWrong},
			{"no address", "x", good, textWrong},
			{"null byte", "ada@example.com\x00", good, textWrong},
			{"not UTF-8", "\xff@example.com", good, textWrong},
			{"long", strings.Repeat("a", 100_000), good, textWrong},
			{"inactive", "bo@example.com", good, textOff},
			{"inactive, wrong", "bo@example.com", "nope", textWrong},
			{"without a password", "invited@example.com", "", textWrong},
			{"key", keyRow.Email, "", textWrong},
		}
		for _, tt := range tests {
			n, err := w.SignIn(ctx, tt.username, secret.New(tt.password), true)
			if tt.want != "" {
				t.Log(tt.name)
				wantFault(t, err, fault.Unauthenticated, tt.want)
				continue
			}
			if err != nil || !n.Remember || n.UserID != ada.UserID || !n.ExpiresAt.Equal(start().Add(14*24*time.Hour)) {
				t.Errorf("%s: %+v, %v", tt.name, n, err)
			}
		}
	})
}

func TestSignInIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.admin()
		w.clock.Advance(time.Hour)
		if _, err := w.SignIn(t.Context(), "ada@example.com", secret.New(good), false); err != nil {
			t.Fatal(err)
		}
		u, err := w.Get(t.Context(), who, who.UserID)
		if err != nil || !u.FirstLogin.Equal(start()) || !u.LastLogin.Equal(start().Add(time.Hour)) {
			t.Errorf("first login %v, last login %v, %v", u.FirstLogin, u.LastLogin, err)
		}
		want := []string{"session.create ada@example.com", "session.create ada@example.com"}
		if got := w.actions("session"); !slices.Equal(got, want) {
			t.Errorf("audit = %v, want %v", got, want)
		}
	})
}

// TestSignInThrottle holds the waits of the contract: 15, 42, 78 seconds, and
// that refused tries count.
func TestSignInThrottle(t *testing.T) {
	eachPair(t, func(t *testing.T, w, other *world) {
		ctx := from(t, "192.0.2.1:1000")
		w.admin()
		wrong := secret.New("nope")
		for range 10 {
			_, err := w.SignIn(ctx, "ada@example.com", wrong, false)
			wantFault(t, err, fault.Unauthenticated, textWrong)
		}
		for _, seconds := range []int{15, 42, 78} {
			_, err := other.SignIn(ctx, "ADA@example.com", secret.New(good), false) // another node, the right password
			wantFault(t, err, fault.TooMany, throttled("username", seconds))
		}
		if _, err := w.SignIn(ctx, "bo@example.com", wrong, false); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("another name: %v", err)
		}
		w.clock.Advance(119 * time.Second) // 13 counted: 15 s × 4^1.5 = 120 s
		_, err := w.SignIn(ctx, "ada@example.com", secret.New(good), false)
		wantFault(t, err, fault.TooMany, throttled("username", 1))
		w.clock.Advance(168 * time.Second) // 14 counted: 167.7 s
		if _, err := w.SignIn(ctx, "ada@example.com", secret.New(good), false); err != nil {
			t.Errorf("after the wait: %v", err)
		}
		if _, err := w.SignIn(ctx, "ada@example.com", secret.New(good), false); err != nil {
			t.Errorf("a success must not make the next one wait: %v", err)
		}
		w.clock.Advance(time.Hour)
		for range 10 {
			_, err := w.SignIn(ctx, "ada@example.com", wrong, false)
			wantFault(t, err, fault.Unauthenticated, textWrong) // the hour is over: counted anew
		}
	})
}

func TestSignInThrottleByAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		for i := range 50 {
			_, err := w.SignIn(from(t, "[2001:db8::1]:1"), fmt.Sprintf("u%d@example.com", i), secret.New("nope"), false)
			wantFault(t, err, fault.Unauthenticated, textWrong)
		}
		_, err := w.SignIn(from(t, "[2001:db8::2]:2"), "ada@example.com", secret.New(good), false)
		wantFault(t, err, fault.TooMany, throttled("username", 15))
		if _, err := w.SignIn(from(t, "[2001:db8:0:1::1]:1"), "ada@example.com", secret.New(good), false); err != nil {
			t.Errorf("another network: %v", err)
		}
	})
}

// TestSignInThrottleIsBounded shows that a flood stops writing, and that the
// wait ends after an hour at the latest.
func TestSignInThrottleIsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		for range 200 {
			_, err := w.SignIn(t.Context(), "ada@example.com", secret.New("nope"), false)
			if err == nil {
				t.Fatal("signed in")
			}
		}
		most, err := db.One(t.Context(), w.d, db.Scalar[int], "SELECT max(attempts) FROM throttle")
		if err != nil || most != 50 {
			t.Errorf("attempts = %d, %v, want 50", most, err)
		}
		w.clock.Advance(time.Hour)
		w.signIn("ada@example.com")
		stored, err := db.All(t.Context(), w.d, db.Scalar[string], "SELECT bucket FROM throttle")
		if err != nil || strings.Contains(fmt.Sprint(stored), "ada") {
			t.Errorf("buckets = %v, %v, want no names", stored, err)
		}
		w.clock.Advance(time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, _ := db.One(t.Context(), w.d, db.Scalar[int], "SELECT count(*) FROM throttle"); n != 0 {
			t.Errorf("%d old buckets are left", n)
		}
	})
}

// TestSignInThrottleHoldsUnderConcurrency sends many guesses at once from two
// nodes: no more than the threshold get as far as the password.
func TestSignInThrottleHoldsUnderConcurrency(t *testing.T) {
	eachPair(t, func(t *testing.T, one, two *world) {
		one.admin()
		var tried, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				node := one
				if i%2 == 1 {
					node = two
				}
				switch _, err := node.SignIn(t.Context(), "ada@example.com", secret.New("nope"), false); {
				case fault.Is(err, fault.Unauthenticated):
					tried.Add(1)
				case fault.Is(err, fault.TooMany):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if tried.Load() != 10 || refused.Load() != 20 {
			t.Errorf("%d tried and %d refused, want 10 and 20", tried.Load(), refused.Load())
		}
	})
}

func TestRefusedSignInsAreCountedNotListed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.admin()
		try := func() {
			t.Helper()
			_, err := w.SignIn(from(t, "192.0.2.7:1"), "ada@example.com", secret.New("nope"), false)
			wantFault(t, err, fault.Unauthenticated, textWrong)
		}
		refused := func() []any {
			records, err := w.log.List(t.Context(), audit.Filter{ObjectKind: "user", ObjectID: who.UserID})
			if err != nil {
				t.Fatal(err)
			}
			out := []any{}
			for _, r := range records {
				if r.Action == "session.refused" {
					out = append(out, r.Details["attempts"])
				}
			}
			return out
		}
		for _, step := range []struct {
			tries int
			wait  time.Duration
			want  string
		}{
			{1, 0, "[1]"},
			{4, 0, "[1]"},
			{0, 30 * time.Second, "[1]"},
			{1, 30 * time.Second, "[1 5]"},
			{0, time.Minute, "[1 5]"},
			{2, 0, "[1 5 2]"},
		} {
			for range step.tries {
				try()
			}
			w.clock.Advance(step.wait)
			if _, err := w.SignIn(t.Context(), "eve@example.com", secret.New("x"), false); err == nil {
				t.Error("signed in")
			}
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(refused()); got != step.want {
				t.Errorf("%+v: %v", step, got)
			}
		}
		want := []string{"session.refused ada@example.com", "session.refused unknown account"}
		if got := slices.Compact(slices.Sorted(slices.Values(w.actions("session.refused")))); !slices.Equal(got, want) {
			t.Errorf("entries about %v, want %v", got, want)
		}
	})
}

func TestOldHashIsReplacedAtSignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.admin()
		// argon2id of "correct horse 1" with 8 KiB and one pass.
		const old = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$nTZG91xNQfAsGdqGBGKiXWE4v4bmm1zVi586cAAMmJE"
		hash := func() string {
			h, err := db.One(t.Context(), w.d, db.Scalar[string], "SELECT password_hash FROM users WHERE id = ?1", who.UserID)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		const want = "$argon2id$v=19$m=19456,t=2,p=1$"
		if got := hash(); !strings.HasPrefix(got, want) {
			t.Errorf("hash = %q, want %q…", got, want)
		}
		if _, err := w.d.Exec(t.Context(), "UPDATE users SET password_hash = ?1", old); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := w.SignIn(t.Context(), "ada@example.com", secret.New("correct horse 1"), false); err != nil {
				t.Fatal(err)
			}
			if got := hash(); !strings.HasPrefix(got, want) {
				t.Errorf("hash = %q, want it replaced", got)
			}
		}
		for _, broken := range []string{"x", "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$c2FsdA", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdA$c2FsdA"} {
			if _, err := w.d.Exec(t.Context(), "UPDATE users SET password_hash = ?1", broken); err != nil {
				t.Fatal(err)
			}
			if _, err := w.SignIn(t.Context(), "ada@example.com", secret.New(good), false); !fault.Is(err, fault.Internal) {
				t.Errorf("%q: %v, want Internal", broken, err)
			}
		}
	}, realHashes)
}

// TestManyAtOnce shows that waiting for a turn to hash is bounded, and ends
// with the request.
func TestManyAtOnce(t *testing.T) {
	c := clock.NewFake(start())
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite, dbtest.WithClock(c)), c, unthrottled, realHashes, func(o *people.Options) { o.HashConcurrency = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var turnedAway, cancelled, tried atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			// Names that are no address read nothing, so all wait at the hash.
			switch _, err := w.SignIn(ctx, "eve", secret.New("nope"), false); {
			case errors.Is(err, context.Canceled):
				cancelled.Add(1)
			case fault.Is(err, fault.Unavailable):
				turnedAway.Add(1)
			case fault.Is(err, fault.Unauthenticated):
				if tried.Add(1) == 3 {
					cancel()
				}
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if turnedAway.Load() == 0 || tried.Load() < 3 || cancelled.Load() < 10 {
		t.Errorf("%d tried, %d turned away, %d cancelled", tried.Load(), turnedAway.Load(), cancelled.Load())
	}
}

package people_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

func TestSessionTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		token, who := w.session("ada@example.com")
		if who.Name != "Ada Lovelace" || who.Kind != access.Person || who.SessionID == 0 || !who.IsAdmin() {
			t.Errorf("principal = %+v", who)
		}
		stored, err := db.All(t.Context(), w.d, db.Scalar[[]byte], "SELECT token_hash FROM session")
		if err != nil || len(stored) != 2 || slices.ContainsFunc(stored, func(h []byte) bool { return strings.Contains(string(h), token.Reveal()) }) {
			t.Errorf("stored = %q, %v, want hashes", stored, err)
		}
		for _, junk := range []string{"", "x", strings.ToUpper(token.Reveal()), "{" + token.Reveal() + "}", token.Reveal() + "\x00",
			strings.ReplaceAll(token.Reveal(), "-", ""), "00000000-0000-4000-8000-000000000000", strings.Repeat("é", 18)} {
			if p, err := w.Session(t.Context(), junk); p != nil || err != nil {
				t.Errorf("%q: %v, %v, want nobody", junk, p, err)
			}
		}
	})
}

// TestWarmSessionReadsNothing closes the database under a session.
func TestWarmSessionReadsNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		token, who := w.session("ada@example.com")
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.d.Close()
		if again := w.principal(token); again != who {
			t.Errorf("principal = %p, want the same %p", again, who)
		}
		allocs := testing.AllocsPerRun(100, func() { w.principal(token) })
		if allocs > 1 {
			t.Errorf("%v allocations, want at most 1", allocs)
		}
	})
}

func TestSessionFollowsItsPerson(t *testing.T) {
	eachPair(t, func(t *testing.T, w, other *world) {
		ctx := t.Context()
		ada := w.admin()
		w.person(names("Bo", "K"))
		token, bo := w.session("bo@example.com")
		onOther := func() *access.Principal {
			t.Helper()
			if err := other.d.CatchUp(ctx); err != nil {
				t.Fatal(err)
			}
			return other.principal(token)
		}
		if p := onOther(); p == nil || p.IsAdmin() {
			t.Fatalf("on the other node: %+v", p)
		}
		if _, err := w.Update(ctx, ada, bo.UserID, people.Change{IsAdmin: opt.Of(true), LastName: opt.Of("L")}); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*access.Principal{w.principal(token), onOther()} {
			if !p.IsAdmin() || p.Name != "Bo L" || p.SessionID != bo.SessionID {
				t.Errorf("after a change: %+v", p)
			}
		}
		if err := w.Deactivate(ctx, ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		if w.principal(token) != nil || onOther() != nil {
			t.Error("an inactive person is signed in")
		}
		if _, err := w.Reactivate(ctx, ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		if w.principal(token) != nil || onOther() != nil {
			t.Error("the session came back")
		}
	})
}

func TestSessionEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		bo := w.person(names("Bo", "K"))
		one, _ := w.session("bo@example.com")
		two, second := w.session("bo@example.com")

		wantFault(t, w.SignOut(ctx, secret.New("junk")), fault.NotFound, textNotFound)
		if err := w.SignOut(ctx, one); err != nil {
			t.Fatal(err)
		}
		wantFault(t, w.SignOut(ctx, one), fault.NotFound, textNotFound)
		if w.principal(one) != nil || w.principal(two) == nil {
			t.Error("the wrong session ended")
		}

		wantFault(t, w.EndSession(ctx, bo, ada.UserID, ada.SessionID), fault.Forbidden, textForbidden)
		wantFault(t, w.EndSession(ctx, bo, bo.UserID, ada.SessionID), fault.NotFound, textNotFound)
		wantFault(t, w.EndSession(ctx, nil, bo.UserID, 1), fault.Unauthenticated, "Unauthenticated")
		if err := w.EndSession(ctx, ada, bo.UserID, bo.SessionID); err != nil {
			t.Fatal(err)
		}

		three, _ := w.session("bo@example.com")
		if err := w.EndOtherSessions(ctx, second, bo.UserID); err != nil {
			t.Fatal(err)
		}
		if w.principal(two) == nil || w.principal(three) != nil {
			t.Error("EndOtherSessions ended the wrong ones")
		}
		wantFault(t, w.EndOtherSessions(ctx, nil, bo.UserID), fault.Unauthenticated, "Unauthenticated")
		wantFault(t, w.EndAllSessions(ctx, bo, ada.UserID), fault.Forbidden, textForbidden)
		wantFault(t, w.EndAllSessions(ctx, ada, 999), fault.NotFound, textNotFound)
		if err := w.EndAllSessions(ctx, ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		if w.principal(two) != nil {
			t.Error("a session is left")
		}
		want := []string{"session.end bo@example.com", "session.end bo@example.com", "session.end bo@example.com", "session.end bo@example.com"}
		if got := w.actions("session.end"); !slices.Equal(got, want) {
			t.Errorf("audit = %v, want %v", got, want)
		}
	})
}

func TestSessionExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := w.admin()
		token, _ := w.session("ada@example.com")
		w.clock.Advance(2*time.Hour - time.Microsecond)
		if w.principal(token) == nil {
			t.Error("the session ended early")
		}
		w.clock.Advance(time.Microsecond)
		if w.principal(token) != nil {
			t.Error("the session outlives its age")
		}
		wantFault(t, w.SignOut(t.Context(), token), fault.NotFound, textNotFound)
		if list, err := w.Sessions(t.Context(), who, who.UserID); err != nil || len(list) != 0 {
			t.Errorf("sessions = %v, %v, want none", list, err)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, _ := db.One(t.Context(), w.d, db.Scalar[int], "SELECT count(*) FROM session"); n != 0 {
			t.Errorf("%d expired rows are left", n)
		}
	}, func(o *people.Options) { o.SessionMaxAge = 2 * time.Hour })
}

// TestSessionRests holds the setting session-timeout, on a node that has not
// seen the session for long while another has.
func TestSessionRests(t *testing.T) {
	eachPair(t, func(t *testing.T, w, other *world) {
		ctx := t.Context()
		w.admin()
		if err := w.settings.Set(ctx, w.root, "session-timeout", map[string]any{"amount": 10, "unit": "minutes"}); err != nil {
			t.Fatal(err)
		}
		if err := other.d.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		token, _ := w.session("ada@example.com")
		for range 4 {
			if w.principal(token) == nil {
				t.Fatal("a session in use ended")
			}
			w.clock.Advance(6 * time.Minute)
		}
		if w.principal(token) == nil {
			t.Fatal("a session in use ended")
		}
		if err := w.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if other.principal(token) == nil {
			t.Fatal("the session ended on a node that had not seen it")
		}
		for range 3 {
			w.clock.Advance(6 * time.Minute)
			w.principal(token)
		}
		if err := w.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if other.principal(token) == nil {
			t.Error("the other node did not ask when the session was last seen")
		}
		if err := other.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(11*time.Minute + time.Second)
		if w.principal(token) != nil || other.principal(token) != nil {
			t.Error("a session that rested is valid")
		}
	})
}

func TestSessionsAreListed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		n, err := w.SignIn(from(t, "192.0.2.1:5"), "ada@example.com", secret.New(good), false)
		if err != nil {
			t.Fatal(err)
		}
		who := w.principal(n.Token)
		w.clock.Advance(time.Hour)
		w.principal(n.Token)
		list, err := w.Sessions(t.Context(), who, who.UserID)
		if err != nil || len(list) != 2 {
			t.Fatalf("sessions = %+v, %v, want 2", list, err)
		}
		want := people.SessionInfo{
			ID: n.ID, CreatedAt: start(), LastSeenAt: start().Add(time.Hour), ExpiresAt: n.ExpiresAt,
			RemoteAddr: "192.0.2.1:5", UserAgent: "test", Current: true,
		}
		if list[0] != want {
			t.Errorf("first = %+v\nwant    %+v", list[0], want)
		}
		bo := w.person(names("Bo", "K"))
		_, err = w.Sessions(t.Context(), bo, who.UserID)
		wantFault(t, err, fault.Forbidden, textForbidden)
	})
}

// TestCloseWritesWhatIsInMemory stands for a server that stops.
func TestCloseWritesWhatIsInMemory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		token, who := w.session("ada@example.com")
		for range 2 {
			if _, err := w.SignIn(t.Context(), "ada@example.com", secret.New("nope"), false); err == nil {
				t.Fatal("signed in")
			}
		}
		w.clock.Advance(50 * time.Second)
		w.principal(token)
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen, err := db.One(t.Context(), w.d, db.Scalar[int64], "SELECT last_seen_at FROM session WHERE id = ?1", who.SessionID)
		if err != nil || seen != start().Add(50*time.Second).UnixMicro() {
			t.Errorf("last seen = %d, %v", seen, err)
		}
		if got := w.actions("session.refused"); len(got) != 1 {
			t.Errorf("refused sign-ins = %v, want one entry", got)
		}
	})
}

func TestRunSweepsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		w.clock.Advance(15 * 24 * time.Hour)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		deadline := time.Now().Add(10 * time.Second)
		for {
			n, err := db.One(t.Context(), w.d, db.Scalar[int], "SELECT count(*) FROM session")
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the expired session is still there")
			}
			time.Sleep(time.Millisecond)
		}
		stop()
		<-ended
	})
}

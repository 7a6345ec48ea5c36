package people_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

const textBadToken = "password: Invalid reset token"

const resetPath = "/auth/reset_password/"

func tokenIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, resetPath)
	if !found {
		t.Fatalf("no link in %q", text)
	}
	return rest[:strings.IndexAny(rest+"\n", "\n\"<")]
}

func (w *world) site(url string) {
	w.t.Helper()
	if err := w.settings.Set(w.t.Context(), w.root, "site-url", url); err != nil {
		w.t.Fatal(err)
	}
}

func TestResetLink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		token, bo := w.session(w.person(names("Bo", "K")).Email)
		_, err := w.ResetLink(ctx, bo, bo.UserID)
		wantFault(t, err, fault.Forbidden, textForbidden)
		for _, id := range []int64{999, w.keyUser("a key")} {
			_, err = w.ResetLink(ctx, ada, id)
			wantFault(t, err, fault.NotFound, textNotFound)
		}
		_, err = w.ResetLinkFor(ctx, w.root, "eve@example.com", "http://x")
		wantFault(t, err, fault.NotFound, textNotFound)

		old, err := w.ResetLinkFor(ctx, w.root, "BO@example.com", "http://127.0.0.1:3000/")
		if err != nil || !strings.HasPrefix(old, "http://127.0.0.1:3000"+resetPath) {
			t.Fatalf("link = %q, %v", old, err)
		}
		w.site("https://data.example.com")
		link, err := w.ResetLink(ctx, ada, bo.UserID)
		if err != nil || !strings.HasPrefix(link, "https://data.example.com"+resetPath) {
			t.Fatalf("link = %q, %v", link, err)
		}
		if valid, err := w.ResetTokenValid(ctx, tokenIn(t, old)); valid || err != nil {
			t.Errorf("the link before = %v, %v, want over", valid, err)
		}
		if valid, err := w.ResetTokenValid(ctx, tokenIn(t, link)); !valid || err != nil {
			t.Fatalf("the link = %v, %v, want valid", valid, err)
		}
		_, err = w.ResetPassword(ctx, tokenIn(t, link), secret.New("weak"))
		wantFault(t, err, fault.Invalid, textCommon)
		n, err := w.ResetPassword(ctx, tokenIn(t, link), secret.New(better))
		if err != nil || w.principal(n.Token).UserID != bo.UserID {
			t.Fatalf("reset: %+v, %v", n, err)
		}
		if w.principal(token) != nil {
			t.Error("a session outlives the reset")
		}
		_, err = w.ResetPassword(ctx, tokenIn(t, link), secret.New(good))
		wantFault(t, err, fault.Invalid, textBadToken)
		if _, err := w.SignIn(ctx, "bo@example.com", secret.New(better), false); err != nil {
			t.Error(err)
		}
		used, err := w.log.List(ctx, audit.Filter{Action: "user.password", ActorID: bo.UserID})
		if err != nil || len(used) != 1 || used[0].Details["after"] != "user.reset-request" {
			t.Errorf("the link's use: %+v, %v", used, err)
		}
		want := []string{"user.reset-request bo@example.com", "user.reset-request bo@example.com"}
		if got := w.actions("user.reset"); !slices.Equal(got, want) {
			t.Errorf("audit = %v, want %v", got, want)
		}
	})
}

// An administrator who has a link sent is named in the audit log, and uses up
// none of the tries of whoever forgot the password.
func TestSendResetLink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, ada := t.Context(), w.admin()
		_, bo := w.session(w.person(names("Bo", "K")).Email)
		wantFault(t, w.SendResetLink(ctx, ada, bo.UserID), fault.Unavailable,
			"No link can be sent: e-mail needs a mail server and the public address of this instance.")
		w.box.on.Store(true)
		w.site("https://data.example.com")
		wantFault(t, w.SendResetLink(ctx, bo, bo.UserID), fault.Forbidden, textForbidden)
		wantFault(t, w.SendResetLink(ctx, ada, w.keyUser("a key")), fault.NotFound, textNotFound)
		const times = 5 // more than the tries of who forgot
		for range times {
			if err := w.SendResetLink(ctx, ada, bo.UserID); err != nil {
				t.Fatal(err)
			}
		}
		sent := w.box.messages()
		if len(sent) != times || sent[0].To != "bo@example.com" {
			t.Fatalf("%d messages, the first to %q", len(sent), sent[0].To)
		}
		records, err := w.log.List(ctx, audit.Filter{ObjectKind: "user", ObjectID: bo.UserID})
		if err != nil {
			t.Fatal(err)
		}
		last := records[len(records)-1]
		if last.Action != "user.reset-request" || last.UserID != ada.UserID {
			t.Errorf("last entry %+v, want a request by %d", last, ada.UserID)
		}
		if err := w.ForgotPassword(ctx, "bo@example.com"); err != nil {
			t.Errorf("the person's own request: %v", err)
		}
	})
}

func TestResetTokensThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		link, err := w.ResetLink(ctx, ada, ada.UserID)
		if err != nil {
			t.Fatal(err)
		}
		token := tokenIn(t, link)
		id, uuid, _ := strings.Cut(token, "_")
		for _, bad := range []string{
			"", "_", "1_", "x", "null", "{}", "[]", "1", "-1_" + uuid, "+1_" + uuid, "0_" + uuid, "2_" + uuid, "01_" + uuid, id + "__" + uuid,
			"99999999999999999999_" + uuid, " " + token, token + " ", token + "\x00", strings.ToUpper(token), id + "_{" + uuid + "}",
			id + "_00000000-0000-4000-8000-000000000000", "1 OR 1=1_" + uuid, `{"$ne":1}_` + uuid, strings.Repeat("1", 1_000_000), "\xff_" + uuid,
		} {
			if valid, err := w.ResetTokenValid(ctx, bad); valid || err != nil {
				t.Errorf("%.60q = %v, %v, want invalid", bad, valid, err)
			}
			_, err := w.ResetPassword(ctx, bad, secret.New(better))
			wantFault(t, err, fault.Invalid, textBadToken)
		}
		w.clock.Advance(48*time.Hour - time.Microsecond)
		if valid, _ := w.ResetTokenValid(ctx, token); !valid {
			t.Error("the token ended early")
		}
		w.clock.Advance(time.Microsecond)
		_, err = w.ResetPassword(ctx, token, secret.New(better))
		wantFault(t, err, fault.Invalid, textBadToken)
	}, unthrottled)
}

// TestWhatEndsAResetLink holds everything that must make an unused link void.
func TestWhatEndsAResetLink(t *testing.T) {
	tests := map[string]func(ctx context.Context, w *world, id int64) error{
		"a new password": func(ctx context.Context, w *world, id int64) error {
			_, err := w.SetPassword(ctx, w.root, id, secret.New(better), secret.Text{})
			return err
		},
		"a new address": func(ctx context.Context, w *world, id int64) error {
			_, err := w.Update(ctx, w.root, id, people.Change{Email: opt.Of("new@example.com")})
			return err
		},
		"deactivation": func(ctx context.Context, w *world, id int64) error {
			if err := w.Deactivate(ctx, w.root, id); err != nil {
				return err
			}
			_, err := w.Reactivate(ctx, w.root, id)
			return err
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.admin()
				bo := w.person(names("Bo", "K"))
				link, err := w.ResetLink(t.Context(), w.root, bo.UserID)
				if err != nil {
					t.Fatal(err)
				}
				if err := end(t.Context(), w, bo.UserID); err != nil {
					t.Fatal(err)
				}
				_, err = w.ResetPassword(t.Context(), tokenIn(t, link), secret.New(good))
				wantFault(t, err, fault.Invalid, textBadToken)
			})
		})
	}
}

func TestResetTokenIsUsedOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, one, two *world) {
		ada := one.admin()
		link, err := one.ResetLink(t.Context(), ada, ada.UserID)
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				node := one
				if i%2 == 1 {
					node = two
				}
				if _, err := node.ResetPassword(t.Context(), tokenIn(t, link), secret.New(better)); err == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("the token was taken %d times", won.Load())
		}
	})
}

func TestForgotPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := from(t, "192.0.2.1:1")
		ada := w.admin()
		off := w.person(names("Off", ""))
		if err := w.Deactivate(ctx, ada, off.UserID); err != nil {
			t.Fatal(err)
		}
		wantFault(t, w.ForgotPassword(ctx, "x"), fault.Invalid, "email: value must be a valid email address.")
		w.box.on.Store(true)
		w.site("https://data.example.com")
		for _, email := range []string{"eve@example.com", "off@example.com", "Ada@Example.com"} {
			if err := w.ForgotPassword(ctx, email); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(t.Context()); err != nil { // waits for what runs after the answers
			t.Fatal(err)
		}
		sent := w.box.messages()
		if len(sent) != 1 || sent[0].To != "ada@example.com" {
			t.Fatalf("sent = %+v, want one to ada", sent)
		}
		if _, err := w.ResetPassword(ctx, tokenIn(t, sent[0].Text), secret.New(better)); err != nil {
			t.Error(err)
		}
		if got := w.actions("user.reset"); !slices.Equal(got, []string{"user.reset-request ada@example.com"}) {
			t.Errorf("audit = %v", got)
		}
	})
}

// TestForgotPasswordWithoutMail answers as ever and changes nothing: neither a
// mail server alone nor a public address alone is enough to send a link.
func TestForgotPasswordWithoutMail(t *testing.T) {
	for _, mail := range []bool{true, false} {
		each(t, func(t *testing.T, w *world) {
			w.admin()
			w.box.on.Store(mail)
			if !mail {
				w.site("https://data.example.com")
			}
			link, err := w.ResetLink(t.Context(), w.root, 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.ForgotPassword(t.Context(), "ada@example.com"); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sent := w.box.messages(); len(sent) != 0 {
				t.Errorf("sent = %+v", sent)
			}
			if valid, err := w.ResetTokenValid(t.Context(), tokenIn(t, link)); !valid || err != nil {
				t.Errorf("the link made by hand = %v, %v, want valid", valid, err)
			}
		})
	}
}

// TestForgotPasswordThrottle: refused calls do not count, so it stays 15 s.
func TestForgotPasswordThrottle(t *testing.T) {
	eachPair(t, func(t *testing.T, w, other *world) {
		ctx := from(t, "192.0.2.1:1")
		for _, email := range []string{"eve@example.com", "EVE@example.com", "Eve@example.com"} {
			if err := w.ForgotPassword(ctx, email); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			wantFault(t, other.ForgotPassword(ctx, "eve@example.com"), fault.TooMany, throttled("email", 15))
		}
		w.clock.Advance(15 * time.Second)
		if err := w.ForgotPassword(ctx, "eve@example.com"); err != nil {
			t.Error(err)
		}
		wantFault(t, w.ForgotPassword(ctx, "eve@example.com"), fault.TooMany, throttled("email", 42))
	})
}

func TestResetPasswordThrottle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := from(t, "192.0.2.1:1")
		for range 10 {
			_, err := w.ResetPassword(ctx, "x", secret.New(better))
			wantFault(t, err, fault.Invalid, textBadToken)
		}
		_, err := w.ResetPassword(ctx, "x", secret.New(better))
		wantFault(t, err, fault.TooMany, throttled("password", 15))
		_, err = w.ResetPassword(from(t, "192.0.2.2:1"), "x", secret.New(better))
		wantFault(t, err, fault.Invalid, textBadToken)
	})
}

func TestInvitation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		w.box.on.Store(true)
		w.site("https://data.example.com")
		if _, err := w.Create(ctx, ada, people.NewUser{Email: "ADA@example.com"}); err == nil {
			t.Fatal("created twice")
		}
		w.person(names("Bo", "")) // with a password: not invited
		u, err := w.Create(ctx, ada, names("Cy", ""))
		if err != nil || u.HasPassword {
			t.Fatalf("created %+v, %v", u, err)
		}
		sent := w.box.messages()
		if len(sent) != 1 || sent[0].To != "cy@example.com" || !strings.Contains(sent[0].Subject, "Ada Lovelace") {
			t.Fatalf("sent = %+v, want one to cy", sent)
		}
		n, err := w.ResetPassword(ctx, tokenIn(t, sent[0].Text), secret.New(better))
		if err != nil || n.UserID != u.ID {
			t.Errorf("invited person chose a password: %+v, %v", n, err)
		}
		if _, err := w.Create(ctx, access.CommandLine(), names("Di", "")); err != nil {
			t.Fatal(err)
		}
		if sent := w.box.messages(); len(sent) != 2 || strings.Contains(sent[1].Subject, "command line") {
			t.Errorf("sent = %+v", sent)
		}
	})
}

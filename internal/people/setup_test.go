package people_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

func setup(token string) people.Setup {
	return people.Setup{
		Token: secret.New(token), Email: "Ada@Example.com", Password: secret.New(good),
		FirstName: ptr("Ada"), SiteName: "Acme", SiteLocale: ptr("es-mx"),
	}
}

const textSecondSetup = "The /api/setup route can only be used to create the first user, however a user currently exists."

func TestSetup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		if done, err := w.HasSetup(ctx); err != nil || done {
			t.Fatalf("set up = %v, %v, want not", done, err)
		}
		token, err := w.SetupToken(ctx)
		if err != nil || len(token) != 36 {
			t.Fatalf("token = %q, %v", token, err)
		}
		if again, _ := w.SetupToken(ctx); again != token {
			t.Error("the token changed")
		}
		n, err := w.Setup(ctx, setup(token))
		if err != nil {
			t.Fatal(err)
		}
		who := w.principal(n.Token)
		if who == nil || who.UserID != 1 || !who.IsAdmin() || who.Email != "ada@example.com" {
			t.Errorf("first person = %+v", who)
		}
		for key, want := range map[string]string{"site-name": "Acme", "admin-email": "ada@example.com", "site-locale": "es_MX"} {
			if got := w.settings.String(key); got != want {
				t.Errorf("%s = %q, want %q", key, got, want)
			}
		}
		if after, err := w.SetupToken(ctx); err != nil || after != "" {
			t.Errorf("token after set-up = %q, %v, want none", after, err)
		}
		if done, err := w.HasSetup(ctx); err != nil || !done {
			t.Errorf("set up = %v, %v, want so", done, err)
		}
		_, err = w.Setup(ctx, setup(token))
		wantFault(t, err, fault.Forbidden, textSecondSetup)
		_, err = w.Setup(ctx, setup("wrong"))
		wantFault(t, err, fault.Invalid, "token: Token does not match the setup token.")
		if got := w.actions("setup"); !slices.Equal(got, []string{"setup.complete ada@example.com"}) {
			t.Errorf("audit = %v", got)
		}
	})
}

func TestSetupRefusesWrongInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token, err := w.SetupToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			change func(*people.Setup)
			want   string
		}{
			{func(s *people.Setup) { s.Token = secret.Text{} }, "token: Token does not match the setup token."},
			{func(s *people.Setup) { s.Token = secret.New(strings.ToUpper(token)) }, "token: Token does not match the setup token."},
			{func(s *people.Setup) { s.Email = "anything" }, "email: value must be a valid email address."},
			{func(s *people.Setup) { s.Password = secret.New("password1") }, "password: password is too common."},
			{func(s *people.Setup) { s.Password = secret.Text{} }, "password: password is too common."},
			{func(s *people.Setup) { s.FirstName = ptr(" ") }, "first_name: nullable value must be a non-blank string."},
			{func(s *people.Setup) { s.SiteName = " " }, "site_name: value must be a non-blank string."},
			{func(s *people.Setup) { s.SiteName = "a\x00b" }, "site_name: value must not contain control characters."},
			{func(s *people.Setup) { s.SiteName = strings.Repeat("x", 255) }, "site_name: value must be at most 254 characters long."},
			{func(s *people.Setup) { s.SiteLocale = ptr("eng-USA") },
				"site_locale: nullable String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'."},
		}
		for _, tt := range tests {
			in := setup(token)
			tt.change(&in)
			_, err := w.Setup(t.Context(), in)
			wantFault(t, err, fault.Invalid, tt.want)
		}
		if done, err := w.HasSetup(t.Context()); err != nil || done {
			t.Errorf("set up = %v, %v, want not", done, err)
		}
	})
}

func TestSetupHasOneWinner(t *testing.T) {
	eachPair(t, func(t *testing.T, one, two *world) {
		ctx := t.Context()
		token, err := one.SetupToken(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if other, err := two.SetupToken(ctx); err != nil || other != token {
			t.Fatalf("the other node's token = %q, %v, want the same", other, err)
		}
		var failed []error
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				in := setup(token)
				in.Email = string(rune('a'+i)) + "@example.com"
				node := one
				if i%2 == 1 {
					node = two
				}
				if _, err := node.Setup(ctx, in); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, err)
				}
			})
		}
		all.Wait()
		if len(failed) != 3 {
			t.Fatalf("%d of 4 set-ups failed, want 3: %v", len(failed), failed)
		}
		for _, err := range failed {
			wantFault(t, err, fault.Forbidden, textSecondSetup)
		}
		users, total, err := one.List(ctx, one.root, people.Filter{})
		if err != nil || total != 1 || users[0].ID != 1 {
			t.Errorf("persons = %v, %d, %v, want one with id 1", users, total, err)
		}
		for _, node := range []*world{one, two} {
			if left, err := node.SetupToken(ctx); err != nil || left != "" {
				t.Errorf("token = %q, %v, want none on every node", left, err)
			}
		}
	})
}

func TestSetupTokenOfAnotherNodeCountsAtOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, one, two *world) {
		token, err := one.SetupToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := two.CheckSetupToken(secret.New(token)); err != nil {
			t.Error(err)
		}
		wantFault(t, two.CheckSetupToken(secret.Text{}), fault.Invalid, "token: Token does not match the setup token.")
	})
}

// The first page of a new instance is often asked for by many at once: the
// token is made once, and nobody waits for a connection that waits for them.
func TestSetupTokenForManyAtOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, one, two *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		const callers = 80 // many more than there are connections
		tokens, errs := make([]string, callers), make([]error, callers)
		var all sync.WaitGroup
		for i := range callers {
			w := []*world{one, two}[i%2]
			all.Go(func() { tokens[i], errs[i] = w.SetupToken(ctx) })
		}
		all.Wait()
		for i := range callers {
			if errs[i] != nil || tokens[i] == "" || tokens[i] != tokens[0] {
				t.Fatalf("caller %d got %q, %v; another %q", i, tokens[i], errs[i], tokens[0])
			}
		}
	})
}

func TestSetupAfterKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		key := w.keyUser("made before", access.Administrators)
		if done, err := w.HasSetup(ctx); err != nil || done {
			t.Fatalf("set up = %v, %v: a key is no person", done, err)
		}
		who := w.admin()
		if who.UserID == key {
			t.Fatal("the person has the key's id")
		}
		facts, err := w.Facts(ctx, who)
		if err != nil || !facts.IsInstaller || facts.HasInvitedSecondUser {
			t.Errorf("facts = %+v, %v, want the installer alone", facts, err)
		}
		other := w.person(names("Bo", "K"))
		if facts, _ = w.Facts(ctx, who); !facts.HasInvitedSecondUser {
			t.Error("the second person is not seen")
		}
		if facts, _ = w.Facts(ctx, other); facts != (people.Facts{}) {
			t.Errorf("facts of the second = %+v, want none", facts)
		}
	})
}

func TestSetupUnattended(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		wantFault(t, w.SetupUnattended(ctx, "ada@example.com", secret.Text{}, ""), fault.Invalid, "password: password is too common.")
		wantFault(t, w.SetupUnattended(ctx, "ada", secret.New(good), ""), fault.Invalid, "email: value must be a valid email address.")
		who := w.admin()
		u, err := w.Get(ctx, who, who.UserID)
		if err != nil || *u.FirstName != "Ada" || *u.LastName != "Lovelace" || !u.IsAdmin {
			t.Errorf("first person = %+v, %v", u, err)
		}
		if err := w.SetupUnattended(ctx, "eve@example.com", secret.New("weak"), "Eve"); err != nil {
			t.Errorf("a second time: %v, want nothing", err)
		}
		if _, total, _ := w.List(ctx, who, people.Filter{}); total != 1 {
			t.Errorf("persons = %d, want 1", total)
		}
	})
}

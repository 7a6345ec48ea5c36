package people_test

import (
	"slices"
	"testing"

	"latchkey/internal/fault"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

const (
	textCommon = "password: password is too common."
	better     = "anythingUP34??"
)

func TestSetPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		bo, cy, off := w.person(names("Bo", "K")), w.person(names("Cy", "M")), w.person(names("Off", ""))
		key := w.keyUser("a key")
		if err := w.Deactivate(ctx, ada, off.UserID); err != nil {
			t.Fatal(err)
		}
		refused := []struct {
			name     string
			as       int64
			id       int64
			old, new string
			kind     fault.Kind
			want     string
		}{
			{"another person", bo.UserID, cy.UserID, good, better, fault.Forbidden, textForbidden},
			{"unknown, as a person", bo.UserID, 999, good, better, fault.Forbidden, textForbidden},
			{"unknown", ada.UserID, 999, "", better, fault.NotFound, textNotFound},
			{"inactive", ada.UserID, off.UserID, "", better, fault.NotFound, textNotFound},
			{"key", ada.UserID, key, "", better, fault.NotFound, textNotFound},
			{"weak", bo.UserID, bo.UserID, good, "password1", fault.Invalid, textCommon},
			{"none", bo.UserID, bo.UserID, good, "", fault.Invalid, textCommon},
			{"weak, as an administrator", ada.UserID, bo.UserID, "", "abc", fault.Invalid, textCommon},
			{"wrong old", bo.UserID, bo.UserID, "nope", better, fault.Invalid, "old_password: Invalid password"},
			{"no old", bo.UserID, bo.UserID, "", better, fault.Invalid, "old_password: Invalid password"},
		}
		for _, tt := range refused {
			who := bo
			if tt.as == ada.UserID {
				who = ada
			}
			_, err := w.SetPassword(ctx, who, tt.id, secret.New(tt.new), secret.New(tt.old))
			t.Log(tt.name)
			wantFault(t, err, tt.kind, tt.want)
		}
		_, err := w.SetPassword(ctx, nil, bo.UserID, secret.New(better), secret.New(good))
		wantFault(t, err, fault.Unauthenticated, "Unauthenticated")

		first, _ := w.session("bo@example.com")
		second, _ := w.session("bo@example.com")
		n, err := w.SetPassword(ctx, bo, bo.UserID, secret.New(better), secret.New(good))
		if err != nil || n == nil || w.principal(n.Token).UserID != bo.UserID {
			t.Fatalf("own password: %+v, %v, want a new session", n, err)
		}
		if w.principal(first) != nil || w.principal(second) != nil {
			t.Error("a session outlives the password")
		}
		if _, err := w.SignIn(ctx, "bo@example.com", secret.New(good), false); err == nil {
			t.Error("the old password still signs in")
		}
		if n, err = w.SetPassword(ctx, ada, bo.UserID, secret.New(good), secret.Text{}); err != nil || n != nil {
			t.Errorf("another's password: %+v, %v, want no session", n, err)
		}
		if n, err = w.SetPassword(ctx, ada, ada.UserID, secret.New(better), secret.Text{}); err != nil || n == nil {
			t.Errorf("an administrator's own: %+v, %v", n, err)
		}
		ada = w.principal(n.Token)
		_, err = w.ChangePassword(ctx, ada, secret.New(good), secret.New("nope"))
		wantFault(t, err, fault.Invalid, "old_password: Invalid password")
		_, err = w.ChangePassword(ctx, nil, secret.New(good), secret.New(better))
		wantFault(t, err, fault.Unauthenticated, "Unauthenticated")
		if n, err = w.ChangePassword(ctx, ada, secret.New(good), secret.New(better)); err != nil || n == nil {
			t.Errorf("an administrator's own, with the old one: %+v, %v", n, err)
		}
		if n, err = w.SetPassword(ctx, w.root, ada.UserID, secret.New(good), secret.Text{}); err != nil || n != nil {
			t.Errorf("by the command line: %+v, %v", n, err)
		}
		want := []string{"user.password bo@example.com", "user.password bo@example.com", "user.password ada@example.com", "user.password ada@example.com", "user.password ada@example.com"}
		if got := w.actions("user.password"); !slices.Equal(got, want) {
			t.Errorf("audit = %v, want %v", got, want)
		}
	})
}

func TestOldPasswordCannotBeGuessed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		bo := w.person(names("Bo", "K"))
		for range 10 {
			_, err := w.SetPassword(t.Context(), bo, bo.UserID, secret.New(better), secret.New("nope"))
			wantFault(t, err, fault.Invalid, "old_password: Invalid password")
		}
		_, err := w.SetPassword(t.Context(), bo, bo.UserID, secret.New(better), secret.New(good))
		wantFault(t, err, fault.TooMany, throttled("old_password", 15))
	})
}

func TestPasswordPolicy(t *testing.T) {
	policies := map[string]*people.PasswordPolicy{
		"weak":      people.NewPasswordPolicy(people.Weak, 0),
		"normal":    people.NewPasswordPolicy("", 0),
		"strong":    people.NewPasswordPolicy(people.Strong, 0),
		"weak 3":    people.NewPasswordPolicy(people.Weak, 3),
		"normal 12": people.NewPasswordPolicy(people.Normal, 12),
	}
	tests := []struct {
		policy, password string
		want             bool
	}{
		{"weak", "12345", false},
		{"weak", "123456", true},
		{"weak", "ключик", true}, // characters, not bytes
		{"weak", "ключ!", false},
		{"weak", "\xff\xff\xff\xff\xff\xff", false},
		{"normal", "anythingUP12!!", true},
		{"normal", "toucan", false},
		{"normal", "tou4n", false},
		{"normal", "toucan4x", true},
		{"normal", "password1", false},
		{"normal", "PassWord1", false},
		{"normal", "passw0rd", false},
		{"normal", "1q2w3e4r", false},
		{"normal", "1qaz2wsx", false},
		{"normal", "qwerty123", false},
		{"normal", "12345678", false},
		{"normal", "dragon99", false},
		{"normal", "Summer2026!", false},
		{"normal", "summer2126", true},
		{"normal", "dragon99x", true},
		{"strong", "Aa1!aA", false},
		{"strong", "Aa1!aA22", true},
		{"strong", "aa1!aa22", false},
		{"strong", "AA1!AA22", false},
		{"strong", "AaaA1122", false},
		{"strong", "AaaA!!!!", false},
		{"strong", "ÄäaA1!zz", true},
		{"weak 3", "abc", true},
		{"weak 3", "ab", false},
		{"normal 12", "toucan4x", false},
		{"normal 12", "toucan4xtoucan", true},
	}
	for _, tt := range tests {
		if got := policies[tt.policy].Valid(secret.New(tt.password)); got != tt.want {
			t.Errorf("%s: %q = %v, want %v", tt.policy, tt.password, got, tt.want)
		}
	}
	if got := policies["normal 12"].Counts(); got["total"] != 12 || got["digit"] != 1 || len(got) != 2 {
		t.Errorf("counts = %v", got)
	}
}

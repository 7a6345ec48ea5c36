package setting_test

import (
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/setting"
)

func TestOnlyAdministrators(t *testing.T) {
	s := sqlite(t, nil)
	calls := map[string]func(who *access.Principal) error{
		"All":     func(who *access.Principal) error { _, err := s.All(t.Context(), who); return err },
		"Get":     func(who *access.Principal) error { _, _, err := s.Get(t.Context(), who, "bogus"); return err },
		"Set":     func(who *access.Principal) error { return s.Set(t.Context(), who, "bogus", "x") },
		"SetMany": func(who *access.Principal) error { return s.SetMany(t.Context(), who, map[string]any{"bogus": 1}) },
	}
	for name, call := range calls {
		if err := call(nil); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s by nobody: %v", name, err)
		}
		if err := call(member()); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s by a member: %v", name, err)
		}
	}
	if err := s.Set(t.Context(), access.CommandLine(), "site-name", "Acme"); err != nil {
		t.Errorf("by the command line: %v", err)
	}
}

func TestVisible(t *testing.T) {
	s := sqlite(t, setting.Overrides{"email-smtp-password": "[hidden]"})
	if err := s.SetInternal(t.Context(), "setup-token", "not to be seen"); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		key                     string
		anonymous, member, admn bool
	}{
		{"site-name", true, true, true},
		{"report-timezone", true, true, true},
		{"admin-email", false, true, true},
		{"api-key-prefix", false, false, true},
		{"setup-token", false, false, false},
		{"email-smtp-password", false, false, false},
	}
	for _, c := range cases {
		for _, p := range []struct {
			name string
			who  *access.Principal
			want bool
		}{{"nobody", nil, c.anonymous}, {"a member", member(), c.member}, {"an administrator", admin(), c.admn}} {
			if _, got := s.Visible(p.who)[c.key]; got != p.want {
				t.Errorf("%s for %s: %v", c.key, p.name, got)
			}
		}
	}
	if v, ok := s.Visible(nil)["report-timezone"]; v != nil || !ok {
		t.Errorf("a value that is not set must be there as nil: %v %v", v, ok)
	}
}

func TestInternalSettingsAreUnknownToClients(t *testing.T) {
	s := sqlite(t, nil)
	if err := s.SetInternal(t.Context(), "setup-token", "t"); err != nil || s.String("setup-token") != "t" {
		t.Fatalf("%v %q", err, s.String("setup-token"))
	}
	if _, _, err := s.Get(t.Context(), admin(), "setup-token"); message(t, err, "") != "Unknown setting: :setup-token" {
		t.Errorf("Get: %v", err)
	}
	if err := s.Set(t.Context(), admin(), "setup-token", "x"); message(t, err, "") != "Unknown setting: :setup-token" {
		t.Errorf("Set: %v", err)
	}
	items, err := s.All(t.Context(), admin())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Key == "setup-token" {
			t.Errorf("All lists %+v", it)
		}
	}
	if err := s.SetInternal(t.Context(), "bogus", "x"); !fault.Is(err, fault.Internal) {
		t.Errorf("SetInternal of an unknown key: %v", err)
	}
	if err := s.SetInternal(t.Context(), "site-locale", "eng-USA"); message(t, err, "site-locale") == "" {
		t.Errorf("SetInternal of a wrong value: %v", err)
	}
}

// TestSecretIsMasked sets a secret the only way there is, from inside.
func TestSecretIsMasked(t *testing.T) {
	s := sqlite(t, nil)
	if err := s.SetInternal(t.Context(), "email-smtp-password", "not to be seen"); err != nil {
		t.Fatal(err)
	}
	if v, set, err := s.Get(t.Context(), admin(), "email-smtp-password"); v != "**********" || !set || err != nil {
		t.Errorf("%v %v %v", v, set, err)
	}
}

// A restricted key changes no setting by which it could get more, or by which
// the proof of what it did would go.
func TestRestrictedKeysDoNotChangeGuards(t *testing.T) {
	limits, err := access.Restriction{Scopes: []string{"settings:write"}}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	key := &access.Principal{Kind: access.ServiceKey, UserID: 3, KeyID: 1, Groups: []int64{access.AllUsers, access.Administrators}, Limits: limits}
	s := sqlite(t, nil)
	for name, value := range map[string]any{
		"site-url": "https://elsewhere.example.com", "embedding-app-origins-sdk": "https://elsewhere.example.com",
		"session-timeout": nil, "session-cookies": true, "disable-cors-on-localhost": false, "audit-retention-days": 1,
	} {
		for how, err := range map[string]error{
			"Set":     s.Set(t.Context(), key, name, value),
			"SetMany": s.SetMany(t.Context(), key, map[string]any{"site-name": "Example", name: value}),
		} {
			if f := fault.As(err); f == nil || f.Kind != fault.Forbidden || f.Code != "protected-setting" {
				t.Errorf("%s %s: %v, want protected-setting", how, name, err)
			}
		}
	}
	if s.String("site-name") == "Example" {
		t.Error("a refused change of several settings changed one")
	}
	if err := s.Set(t.Context(), key, "site-name", "Example"); err != nil {
		t.Errorf("another setting: %v", err)
	}
}

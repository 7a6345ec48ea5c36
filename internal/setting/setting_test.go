package setting_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/setting"
)

func admin() *access.Principal {
	return &access.Principal{Kind: access.Person, UserID: 1, Name: "Ada", Groups: []int64{access.AllUsers, access.Administrators}}
}

func member() *access.Principal {
	return &access.Principal{Kind: access.ServiceKey, UserID: 2, KeyID: 7, Name: "robot", Groups: []int64{access.AllUsers}}
}

func open(t *testing.T, d *db.DB, env setting.Overrides) *setting.Service {
	t.Helper()
	s, err := setting.New(t.Context(), d, audit.New(d), env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sqlite(t *testing.T, env setting.Overrides) *setting.Service {
	t.Helper()
	return open(t, dbtest.Open(t, dbtest.SQLite), env)
}

// message returns the one text of a fault, whether of the whole or of a field.
func message(t *testing.T, err error, field string) string {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid {
		t.Fatalf("got %v, want an Invalid fault", err)
	}
	if field == "" {
		return f.Message
	}
	return f.Fields[field]
}

func TestSetAndReset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		s := open(t, d, nil)
		if got := s.String("site-name"); got != "Latchkey" {
			t.Fatalf("default %q", got)
		}
		steps := []struct {
			value any
			want  string
			set   bool
		}{
			{"Acme", "Acme", true},
			{"  Acme  ", "Acme", true},
			{"Acme & Söhne", "Acme & Söhne", true},
			{"Latchkey", "Latchkey", false},
			{"Acme", "Acme", true},
			{nil, "Latchkey", false},
			{nil, "Latchkey", false},
		}
		for _, step := range steps {
			if err := s.Set(ctx, admin(), "site-name", step.value); err != nil {
				t.Fatal(err)
			}
			value, set, err := s.Get(ctx, admin(), "site_name")
			if err != nil || set != step.set || set && value != step.want || s.String("site-name") != step.want {
				t.Errorf("after %v: Get %v, %v, %v; String %q", step.value, value, set, err, s.String("site-name"))
			}
		}
		if again := open(t, d, nil); again.String("site-name") != "Latchkey" {
			t.Errorf("a second start reads %q", again.String("site-name"))
		}
	})
}

func TestKindsSurviveStorage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, nil)
		err := s.SetMany(t.Context(), admin(), map[string]any{
			"custom-homepage": true, "custom-homepage-dashboard": float64(12),
			"custom-formatting":         map[string]any{"type/Temporal": map[string]any{"date_style": "D MMMM, YYYY"}},
			"embedding-app-origins-sdk": []any{"https://a.example.com", "https://B.example.com:8443/"},
			"session-timeout":           map[string]any{"amount": float64(2), "unit": "hours", "extra": 1},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*setting.Service{s, open(t, d, nil)} {
			if !s.Bool("custom-homepage") || s.Int("custom-homepage-dashboard") != 12 {
				t.Errorf("home page: %v %v", s.Bool("custom-homepage"), s.Int("custom-homepage-dashboard"))
			}
			if got := s.Value("custom-formatting").(map[string]any)["type/Temporal"]; !reflect.DeepEqual(got, map[string]any{"date_style": "D MMMM, YYYY"}) {
				t.Errorf("formatting: %v", got)
			}
			if got := s.Items("embedding-app-origins-sdk"); !reflect.DeepEqual(got, []string{"https://a.example.com", "https://b.example.com:8443"}) {
				t.Errorf("origins: %q", got)
			}
			if got := s.Timeout(); got != 2*time.Hour {
				t.Errorf("timeout: %v", got)
			}
			if got, _ := json.Marshal(s.Value("session-timeout")); string(got) != `{"amount":2,"unit":"hours"}` {
				t.Errorf("timeout: %s", got)
			}
		}
	})
}

func TestAuditOfChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		s := open(t, d, nil)
		for _, v := range []any{"Acme", "Acme", nil, nil} {
			if err := s.Set(ctx, admin(), "site-name", v); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SetInternal(ctx, "setup-token", "not to be seen"); err != nil {
			t.Fatal(err)
		}
		got, err := audit.New(d).List(ctx, audit.Filter{})
		if err != nil || len(got) != 2 {
			t.Fatalf("%d entries (%v), want one for each change that changed something", len(got), err)
		}
		first := got[0]
		if first.Action != "setting.update" || first.ObjectKind != "setting" || first.ObjectName != "site-name" || first.UserID != 1 {
			t.Errorf("entry %+v", first)
		}
		if !reflect.DeepEqual(first.Details, map[string]any{"old": nil, "new": "Acme"}) || !reflect.DeepEqual(got[1].Details, map[string]any{"old": "Acme", "new": nil}) {
			t.Errorf("details %v, %v", first.Details, got[1].Details)
		}
	})
}

func TestAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		s := open(t, d, nil)
		err := s.SetMany(ctx, admin(), map[string]any{"site_name": "Acme", "start-of-week": "someday", "admin-email": 5})
		f := fault.As(err)
		if f == nil || f.Kind != fault.Invalid || len(f.Fields) != 2 || f.Fields["start-of-week"] == "" || f.Fields["admin-email"] != "value must be a string." {
			t.Errorf("fault %v", err)
		}
		if err := s.SetMany(ctx, admin(), map[string]any{"site-name": "Acme", "bogus": 1}); message(t, err, "") != "Unknown setting: :bogus" {
			t.Errorf("fault %v", err)
		}
		if n := d.Applied(); s.String("site-name") != "Latchkey" || n != 0 {
			t.Errorf("something was stored: %q, change %d", s.String("site-name"), n)
		}
		if err := s.SetMany(ctx, admin(), nil); err != nil {
			t.Errorf("nothing to do: %v", err)
		}
		if err := s.SetMany(ctx, admin(), map[string]any{"site_name": "Acme", "start-of-week": "monday"}); err != nil || s.String("start-of-week") != "monday" || s.String("site-name") != "Acme" {
			t.Errorf("both: %v %q", err, s.String("site-name"))
		}
	})
}

func TestRollbackLeavesMemoryAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, nil)
		fail := errors.New("later step failed")
		err := d.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.SetInternal(ctx, "site-name", "Acme"); err != nil {
				return err
			}
			return fail
		})
		if !errors.Is(err, fail) || s.String("site-name") != "Latchkey" {
			t.Errorf("%v, %q", err, s.String("site-name"))
		}
		err = d.InTx(t.Context(), func(ctx context.Context) error { return s.SetInternal(ctx, "site-name", "Acme") })
		if err != nil || s.String("site-name") != "Acme" {
			t.Errorf("%v, %q", err, s.String("site-name"))
		}
	})
}

// Stored asks the database, also for what memory has not heard of: a change in
// the same transaction, and one of another node.
func TestStored(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		s, other := open(t, p.Open(t), nil), p.Open(t)
		there := open(t, other, nil)
		if v, err := s.Stored(t.Context(), "site-name"); v != nil || err != nil {
			t.Errorf("nothing is stored: %v, %v", v, err)
		}
		err := other.InTx(t.Context(), func(ctx context.Context) error {
			if err := there.SetInternal(ctx, "site-name", "Acme"); err != nil {
				return err
			}
			if v, err := there.Stored(ctx, "site-name"); v != "Acme" || err != nil {
				t.Errorf("in the transaction: %v, %v", v, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := s.Stored(t.Context(), "site-name"); v != "Acme" || err != nil || s.String("site-name") != "Latchkey" {
			t.Errorf("on another node: %v, %v; in memory %q", v, err, s.String("site-name"))
		}
		if _, err := s.Stored(t.Context(), "nope"); err == nil {
			t.Error("a setting that does not exist was read")
		}
	})
}

func TestOtherNodesFollow(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		there := p.Open(t)
		here, other := open(t, p.Open(t), nil), open(t, there, nil)
		if err := here.Set(t.Context(), admin(), "site-name", "Acme"); err != nil {
			t.Fatal(err)
		}
		if err := there.CatchUp(t.Context()); err != nil || other.String("site-name") != "Acme" {
			t.Errorf("%v, %q", err, other.String("site-name"))
		}
	})
}

// TestUnreadableTable shows that memory which could not be brought up to date
// heals with a later read, without another change.
func TestUnreadableTable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		s := open(t, d, nil)
		if err := s.Set(ctx, admin(), "site-name", "Acme"); err != nil {
			t.Fatal(err)
		}
		exec := func(q string) {
			t.Helper()
			if _, err := d.Exec(ctx, q); err != nil {
				t.Fatal(err)
			}
		}
		exec("ALTER TABLE setting RENAME TO away")
		if err := d.InTx(ctx, func(ctx context.Context) error { return d.Record(ctx, db.ChangedSetting, 0) }); err != nil {
			t.Fatal(err)
		}
		if got := s.String("site-name"); got != "Acme" {
			t.Errorf("without the table: %q", got)
		}
		exec(`UPDATE away SET value = '"Later"'`)
		exec("ALTER TABLE away RENAME TO setting")
		if got := s.String("site-name"); got != "Later" {
			t.Errorf("with the table again: %q", got)
		}
	})
}

func TestStoredValues(t *testing.T) {
	for _, c := range []struct{ key, value, wrong string }{
		{"left-by-another-version", "1", ""},
		{"site-name", "oops", "setting site-name: its stored value is not JSON"},
		{"site-name", "5", "setting site-name: stored value must be a string"},
	} {
		d := dbtest.Open(t, dbtest.SQLite)
		if _, err := d.Exec(t.Context(), "INSERT INTO setting (key, value, updated_at) VALUES (?1, ?2, 0)", c.key, c.value); err != nil {
			t.Fatal(err)
		}
		_, err := setting.New(t.Context(), d, audit.New(d), nil)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s=%s: %v", c.key, c.value, err)
		}
	}
}

func TestConfiguredSettings(t *testing.T) {
	s := sqlite(t, setting.Overrides{
		"site-url": "https://data.example.com/", "session-cookies": true, "session-timeout": nil, "site-name": nil,
		"embedding-app-origins-sdk": []string{"https://app.example.com"}, "email-smtp-password": "[hidden]",
	})
	if s.String("site-url") != "https://data.example.com" || !s.Bool("session-cookies") || s.Timeout() != 0 || s.String("site-name") != "Latchkey" || len(s.Items("embedding-app-origins-sdk")) != 1 {
		t.Errorf("in force: %v", s.Visible(admin()))
	}
	if _, set, err := s.Get(t.Context(), admin(), "site-url"); set || err != nil {
		t.Errorf("Get: set %v, %v", set, err)
	}
	items, err := s.All(t.Context(), admin())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Key == "site-url" && (!it.IsEnv || it.Value != nil || it.EnvName != "LATCHKEY_SITE_URL" || it.Default != "Using value of env var $LATCHKEY_SITE_URL") {
			t.Errorf("item %+v", it)
		}
	}
	err = s.Set(t.Context(), admin(), "site-url", "https://elsewhere.example.com")
	if want := "site-url is set by the configuration (LATCHKEY_SITE_URL) and can only be changed there."; message(t, err, "") != want {
		t.Errorf("Set: %v", err)
	}
	if err := s.SetInternal(t.Context(), "site-url", "https://stored.example.com"); err != nil || s.String("site-url") != "https://data.example.com" {
		t.Errorf("a stored value came before the configured one: %v %q", err, s.String("site-url"))
	}
}

func TestWrongConfiguration(t *testing.T) {
	for _, c := range []struct {
		env  setting.Overrides
		want string
	}{
		{setting.Overrides{"site-url": "data.example.com"}, "LATCHKEY_SITE_URL: value must be a web address, such as https://data.example.com."},
		{setting.Overrides{"bogus": 1}, `setting "bogus": there is no such setting`},
	} {
		d := dbtest.Open(t, dbtest.SQLite)
		if _, err := setting.New(t.Context(), d, audit.New(d), c.env); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestReadsDoNotAllocate(t *testing.T) {
	s := sqlite(t, nil)
	if n := testing.AllocsPerRun(100, func() {
		_ = s.String("site-name")
		_ = s.Bool("enable-password-login")
		_ = s.Int("custom-homepage-dashboard")
		_ = s.Items("embedding-app-origins-sdk")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := sqlite(t, nil)
	done := make(chan error)
	for _, name := range []string{"a", "b"} {
		go func() {
			var err error
			for range 20 {
				err = errors.Join(err, s.Set(t.Context(), admin(), "site-name", name))
				_ = s.Visible(nil)
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := s.String("site-name"); got != "a" && got != "b" {
		t.Errorf("%q", got)
	}
}

package setting_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/setting"
)

func TestTable(t *testing.T) {
	form := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, d := range setting.Definitions() {
		if seen[d.Key] || !form.MatchString(d.Key) {
			t.Errorf("key %q is double or not kebab-case", d.Key)
		}
		seen[d.Key] = true
		if d.Description == "" || d.Kind == "" || d.Visibility == 0 {
			t.Errorf("%s lacks a description, kind or visibility", d.Key)
		}
		if d.Variable != "" && !strings.HasPrefix(d.Variable, "LATCHKEY_") {
			t.Errorf("%s is set by %s", d.Key, d.Variable)
		}
	}
	// contract/identity.md 2.1, without what the api layer computes
	for _, key := range strings.Fields(`site-name site-url site-locale application-name report-timezone start-of-week
		enable-password-login google-auth-enabled google-auth-client-id ldap-enabled session-cookies anon-tracking-enabled
		custom-formatting show-metabase-links help-link loading-message map-tile-server-url custom-homepage
		custom-homepage-dashboard airgap-enabled`) {
		if !seen[key] {
			t.Errorf("%s is missing", key)
		}
	}
}

// TestDefaultsPassTheirChecks sends every default back as a client would.
func TestDefaultsPassTheirChecks(t *testing.T) {
	s := sqlite(t, nil)
	items, err := s.All(t.Context(), admin())
	if err != nil || !slices.IsSortedFunc(items, func(a, b setting.Item) int { return strings.Compare(a.Key, b.Key) }) {
		t.Fatalf("not in the order of their keys (%v)", err)
	}
	fixed := map[string]bool{}
	for _, d := range setting.Definitions() {
		fixed[d.Key] = d.ReadOnly()
	}
	for _, it := range items {
		if it.Value != nil || it.IsEnv {
			t.Errorf("%+v of a new instance has a value", it)
		}
		err := s.Set(t.Context(), admin(), it.Key, it.Default)
		if fixed[it.Key] {
			if m := message(t, err, ""); !strings.HasPrefix(m, it.Key+" cannot be changed") || !strings.Contains(m, it.EnvName) {
				t.Errorf("read-only %s: %v", it.Key, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s does not take its default %v: %v", it.Key, it.Default, err)
		}
		if got := s.Value(it.Key); !reflect.DeepEqual(got, it.Default) {
			t.Errorf("%s is %#v, want its default %#v", it.Key, got, it.Default)
		}
	}
}

func TestChecks(t *testing.T) {
	long := strings.Repeat("é", 254)
	const (
		blank   = "value must be a non-blank string."
		text    = "value must be a string."
		boolean = "value must be a boolean ('true' or 'false')."
		addr    = "value must be a web address, such as https://data.example.com."
		mail    = "value must be a valid email address."
		loc     = "String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'."
		zone    = "value must be the name of a time zone, such as UTC or Europe/Berlin."
		prefix  = "value must be 2 to 8 letters, such as lk or mb."
		path    = "value must be a path within this instance, such as /collection/6."
		tile    = "value must be a web address with {z}, {x} and {y}."
		help    = "value must be a web address, or mailto: with an e-mail address."
		period  = "value must be at least one minute and at most ten years."
		days    = "value must be a number of days up to 36500, or 0 for ever."
		whole   = "value must be an integer."
		shape   = "value must have an amount (an integer) and a unit (seconds, minutes or hours)."
	)
	cases := []struct {
		key   string
		value any
		want  any    // the value in force
		wrong string // or the fault
	}{
		{"site-name", long, long, ""},
		{"site-name", long + "x", nil, "value must have at most 254 characters."},
		{"site-name", " \t", nil, blank},
		{"site-name", "", nil, blank},
		{"site-name", 5.0, nil, text},
		{"site-name", []any{}, nil, text},
		{"site-name", "a\nb", nil, "value must not contain control characters."},
		{"site-name", "a\x00b", nil, "value must not contain control characters."},
		{"site-name", "a\xffb", nil, "value must not contain control characters."},

		{"site-url", "https://Data.example.com:8443/base//", "https://Data.example.com:8443/base", ""},
		{"site-url", "http://localhost:3000/", "http://localhost:3000", ""},
		{"site-url", "", nil, ""},
		{"site-url", "data.example.com", nil, addr},
		{"site-url", "javascript://alert(1)", nil, addr},
		{"site-url", "ftp://example.com", nil, addr},
		{"site-url", "https://user:pw@example.com", nil, addr},
		{"site-url", "https://example.com/?a=1", nil, addr},
		{"site-url", "https://example.com/#a", nil, addr},
		{"site-url", "https://exa mple.com", nil, addr},
		{"site-url", "https://", nil, addr},

		{"site-locale", "es-mx", "es_MX", ""},
		{"site-locale", "DE", "de", ""},
		{"site-locale", "eng-USA", nil, loc},
		{"site-locale", "xx", nil, loc},
		{"site-locale", "en_", nil, loc},
		{"site-locale", "en_XX", nil, loc},
		{"site-locale", "a ", nil, loc},

		{"report-timezone", "Europe/Berlin", "Europe/Berlin", ""},
		{"report-timezone", "UTC", "UTC", ""},
		{"report-timezone", nil, nil, ""},
		{"report-timezone", "Local", nil, zone},
		{"report-timezone", "../etc/passwd", nil, zone},
		{"report-timezone", "Europe/Atlantis", nil, zone},
		{"report-timezone", "europe/berlin", nil, zone},

		{"admin-email", "ada@example.test", "ada@example.test", ""},
		{"admin-email", "Ada <ada@example.test>", nil, mail},
		{"admin-email", "ada@example.test\r\nBcc: eve@example.test", nil, mail},
		{"admin-email", "nobody", nil, mail},

		{"api-key-prefix", "mb", "mb_", ""},
		{"api-key-prefix", "acme_", "acme_", ""},
		{"api-key-prefix", "a", nil, prefix},
		{"api-key-prefix", "ninechars", nil, prefix},
		{"api-key-prefix", "k3y", nil, prefix},
		{"api-key-prefix", "lk__", nil, prefix},

		{"enable-password-login", true, true, ""},
		{"enable-password-login", "TRUE", true, ""},
		{"enable-password-login", false, nil, "cannot be turned off while there is no other way for people to sign in."},
		{"enable-password-login", "no", nil, boolean},
		{"enable-password-login", 1.0, nil, boolean},
		{"anon-tracking-enabled", "false", false, ""},
		{"anon-tracking-enabled", true, nil, "cannot be turned on: Latchkey sends no usage data to anybody."},

		{"start-of-week", "monday", "monday", ""},
		{"start-of-week", "Monday", nil, "value must be one of: sunday, monday, tuesday, wednesday, thursday, friday, saturday."},
		{"loading-message", "running-query", "running-query", ""},

		{"custom-formatting", map[string]any{"a": 1.0}, map[string]any{"a": 1.0}, ""},
		{"custom-formatting", []any{}, nil, "value must be a JSON object."},
		{"custom-formatting", "{}", nil, "value must be a JSON object."},
		{"custom-formatting", map[string]any{"a": strings.Repeat("x", 70_000)}, nil, "value is too large."},

		{"custom-homepage-dashboard", "12", 12, ""},
		{"custom-homepage-dashboard", 0.0, nil, "value must be an integer greater than zero."},
		{"custom-homepage-dashboard", 1.5, nil, "value must be an integer."},
		{"custom-homepage-dashboard", 1e300, nil, "value must be an integer."},
		{"custom-homepage-dashboard", true, nil, "value must be an integer."},

		{"audit-retention-days", "365", 365, ""},
		{"audit-retention-days", 36_500.0, 36_500, ""},
		{"audit-retention-days", 0.0, 0, ""},
		{"audit-retention-days", nil, 0, ""},
		{"audit-retention-days", "", nil, whole},
		{"audit-retention-days", -1.0, nil, days},
		{"audit-retention-days", 36_501.0, nil, days},
		{"audit-retention-days", 0.5, nil, whole},
		{"audit-retention-days", "a year", nil, whole},

		{"landing-page", "collection/6", "/collection/6", ""},
		{"landing-page", "/dashboard/1?a=b#c", "/dashboard/1?a=b#c", ""},
		{"landing-page", "", "", ""},
		{"landing-page", "//evil.example.com", nil, path},
		{"landing-page", `/\evil.example.com`, nil, path},
		{"landing-page", "https://evil.example.com", nil, path},
		{"landing-page", "javascript:alert(1)", nil, path},

		{"map-tile-server-url", "https://tiles.example.com/{z}/{x}/{y}@2x.png?k=1", "https://tiles.example.com/{z}/{x}/{y}@2x.png?k=1", ""},
		{"map-tile-server-url", "https://tiles.example.com/", nil, tile},
		{"map-tile-server-url", "/tiles/{z}/{x}/{y}", nil, tile},

		{"help-link", "custom", "custom", ""},
		{"help-link-custom-destination", "mailto:help@example.com", "mailto:help@example.com", ""},
		{"help-link-custom-destination", "https://help.example.com/a?b=c", "https://help.example.com/a?b=c", ""},
		{"help-link-custom-destination", "javascript:alert(1)", nil, help},
		{"help-link-custom-destination", "mailto:nobody", nil, help},

		{"embedding-app-origins-sdk", "https://a.example.com, http://localhost:8080 https://A.example.com/", "https://a.example.com http://localhost:8080", ""},
		{"embedding-app-origins-sdk", []any{}, "", ""},
		{"embedding-app-origins-sdk", "*", nil, `"*" is not an origin such as https://app.example.com.`},
		{"embedding-app-origins-sdk", "https://*.example.com", nil, `"https://*.example.com" is not an origin such as https://app.example.com.`},
		{"embedding-app-origins-sdk", "https://a.example.com/path", nil, `"https://a.example.com/path" is not an origin such as https://app.example.com.`},
		{"embedding-app-origins-sdk", []any{1.0}, nil, "value must be a list of strings."},
		{"embedding-app-origins-sdk", 1.0, nil, "value must be a list of strings, or a string with items separated by blanks."},

		{"session-timeout", map[string]any{"amount": "90", "unit": "seconds"}, map[string]any{"amount": 90.0, "unit": "seconds"}, ""},
		{"session-timeout", map[string]any{"amount": 59.0, "unit": "seconds"}, nil, period},
		{"session-timeout", map[string]any{"amount": -5.0, "unit": "hours"}, nil, period},
		{"session-timeout", map[string]any{"amount": 2e9, "unit": "hours"}, nil, period},
		{"session-timeout", map[string]any{"amount": 5.0, "unit": "weeks"}, nil, shape},
		{"session-timeout", map[string]any{}, nil, shape},
		{"session-timeout", 30.0, nil, "value must be a JSON object."},
	}
	s := sqlite(t, nil)
	for _, c := range cases {
		err := s.Set(t.Context(), admin(), c.key, c.value)
		switch {
		case c.wrong != "":
			if got := message(t, err, "value"); got != c.wrong {
				t.Errorf("%s=%#v: got %q, want %q", c.key, c.value, got, c.wrong)
			}
		case err != nil || !reflect.DeepEqual(s.Value(c.key), c.want):
			t.Errorf("%s=%#v: %#v, %v", c.key, c.value, s.Value(c.key), err)
		}
	}
}

func TestTimezones(t *testing.T) {
	all := setting.Timezones()
	if len(all) < 400 || !slices.IsSorted(all) {
		t.Fatalf("%d time zones, sorted %v", len(all), slices.IsSorted(all))
	}
	for _, name := range all {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLocales(t *testing.T) {
	for _, l := range setting.Locales() {
		if got, ok := setting.ParseLocale(l[0]); got != l[0] || !ok {
			t.Errorf("%v is not in its normal form", l)
		}
	}
}

func TestFeatures(t *testing.T) {
	f := setting.Features()
	for _, name := range []string{"advanced_permissions", "audit_app", "hosting", "whitelabel"} {
		if on, ok := f[name]; on || !ok {
			t.Errorf("%s: %v %v", name, on, ok)
		}
	}
	f["hosting"] = true
	if setting.Features()["hosting"] {
		t.Error("callers share one map")
	}
}

package config

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	tests := []struct {
		environ string
		got     func(*Config) any
		want    string
	}{
		{"LISTEN=:0", func(c *Config) any { return c.Listen }, ":0"},
		{"LISTEN=[::1]:3000", func(c *Config) any { return c.Listen }, "[::1]:3000"},
		{"LOG_LEVEL=WARN", func(c *Config) any { return c.LogLevel }, "WARN"},
		{"LOG_FORMAT=json", func(c *Config) any { return c.LogFormat }, "json"},
		{"LOG_REQUESTS=yes", func(c *Config) any { return c.LogRequests }, "true"},
		{"TRUSTED_PROXIES=10.1.2.3/8 ::1,192.0.2.7", func(c *Config) any { return c.TrustedProxies }, "[10.0.0.0/8 ::1/128 192.0.2.7/32]"},
		{"TRUSTED_PROXIES=::ffff:192.0.2.7", func(c *Config) any { return c.TrustedProxies }, "[192.0.2.7/32]"},
		{"SITE_URL=https://data.example.com/latchkey/", func(c *Config) any { return c.SiteURL }, "https://data.example.com/latchkey"},
		{"KEY_PREFIX=mb", func(c *Config) any { return c.KeyPrefix }, "mb_"},
		{"KEY_PREFIX=mb_", func(c *Config) any { return c.KeyPrefix }, "mb_"},
		{"SMTP_PORT=465", func(c *Config) any { return c.SMTP.Port }, "465"},
		{"SMTP_SECURITY=TLS", func(c *Config) any { return c.SMTP.Security }, "tls"},
		{"SMTP_FROM=Latchkey <latchkey@example.com>", func(c *Config) any { return c.SMTP.From }, "Latchkey <latchkey@example.com>"},
		{"SESSION_MAX_AGE=60", func(c *Config) any { return c.SessionMaxAge }, "1h0m0s"},
		{"SESSION_TIMEOUT=5", func(c *Config) any { return c.SessionTimeout }, "5m0s"},
		{"PASSWORD_COMPLEXITY=strong", func(c *Config) any { return c.PasswordComplexity }, "strong"},
		{"PASSWORD_LENGTH=12", func(c *Config) any { return c.PasswordLength }, "12"},
		{"MAX_UNAUTHENTICATED_BODY=2048", func(c *Config) any { return c.MaxUnauthenticatedBody }, "2048"},
		{"MAX_UNAUTHENTICATED_BODY=2 MiB", func(c *Config) any { return c.MaxUnauthenticatedBody }, "2097152"},
		{"MAX_UNAUTHENTICATED_BODY=10kb", func(c *Config) any { return c.MaxUnauthenticatedBody }, "10000"},
		{"CORS_ORIGINS=https://App.example.com/,http://localhost:8080", func(c *Config) any { return c.CORSOrigins }, "[https://app.example.com http://localhost:8080]"},
		{"DISABLE_CORS_ON_LOCALHOST=1", func(c *Config) any { return c.DisableCORSOnLocalhost }, "true"},
		{"DATABASE_URL=postgresql://ann@db.example.com/x", func(c *Config) any { return c.DatabaseURL.Reveal() }, "postgresql://ann@db.example.com/x"},
		{"METRICS_LISTEN=[::1]:9464", func(c *Config) any { return c.MetricsListen }, "[::1]:9464"},
		{"SEED_FILE=seed.yaml", func(c *Config) any { return c.SeedFile }, "seed.yaml"},
		{"BOOTSTRAP_KEY=0123456789abcdef0123456789abcdef", func(c *Config) any { return c.BootstrapKey.Reveal() }, "0123456789abcdef0123456789abcdef"},
		{"BOOTSTRAP_MINUTES=5", func(c *Config) any { return c.BootstrapLife }, "5m0s"},
		{"METRICS_TOKEN=0123456789abcdef", func(c *Config) any { return c.MetricsToken.Reveal() }, "0123456789abcdef"},
		{"SHUTDOWN_TIMEOUT=1m", func(c *Config) any { return c.ShutdownTimeout }, "1m0s"},
		{"ARGON2_MAX_CONCURRENT=4", func(c *Config) any { return c.Argon2MaxConcurrent }, "4"},
		{"SESSION_COOKIES=on", func(c *Config) any { return c.SessionCookies }, "true"},
		{"DISABLE_SESSION_THROTTLE=true", func(c *Config) any { return c.DisableSessionThrottle }, "true"},
	}
	for _, tt := range tests {
		c, err := load(t, "", nil, []string{Prefix + tt.environ})
		if err != nil {
			t.Errorf("%s: %v", tt.environ, err)
		} else if got := fmt.Sprint(tt.got(c)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.environ, got, tt.want)
		}
	}
}

// Each option stores into its own field: a table row copied from another would
// change the field of that one.
func TestEveryOptionStores(t *testing.T) {
	samples := map[Kind]string{
		Address: "127.0.0.1:9", Path: "there", Text: "lkx", Email: "ann@example.com", Number: "7", Minutes: "7", Duration: "7s",
		Bytes: "7KiB", Switch: "true", List: "https://app.example.com", URL: "https://app.example.com",
		"debug|info|warn|error": "error", "text|json": "json", "none|starttls|tls": "none", "weak|normal|strong": "weak",
	}
	seen := map[string]string{}
	for i, o := range Options() {
		c := &Config{}
		sample := samples[o.Kind]
		switch {
		case o.Secret:
			sample = goodSecret(o.Name)
		case o.Name == "trusted-proxies":
			sample = "10.0.0.1"
		}
		if err := options(c)[i].set(sample); err != nil {
			t.Errorf("%s: %v", o.Name, err)
			continue
		}
		field := contents(c)
		if field == contents(&Config{}) {
			t.Errorf("%s stores nothing", o.Name)
		}
		if other, ok := seen[field]; ok {
			t.Errorf("%s and %s store into the same field", o.Name, other)
		}
		seen[field] = o.Name
	}
}

// contents writes all fields, secrets too.
func contents(c *Config) string {
	s := fmt.Sprintf("%+v", *c)
	for _, o := range Options() {
		s += " " + secretsOf(c)[o.Name].Reveal() + ";"
	}
	return s
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Options() {
		for _, n := range o.spellings() {
			if seen[n] {
				t.Errorf("%s stands twice in the table", n)
			}
			seen[n] = true
		}
		if o.Help == "" || !strings.HasSuffix(o.Help, ".") && !strings.HasSuffix(o.Help, ")") || o.Kind == "" || o.Group == "" || o.set == nil {
			t.Errorf("%s is incomplete: %+v", o.Name, o)
		}
		if o.Secret && o.Default != "" {
			t.Errorf("%s is a secret with a default", o.Name)
		}
	}
}

func TestPepperText(t *testing.T) {
	raw := []byte(strings.Repeat("\xfb\xff\x01k", 8))
	for name, s := range map[string]string{
		"hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)),
		"base64": base64.StdEncoding.EncodeToString(raw), "no padding": base64.RawStdEncoding.EncodeToString(raw),
		"url": base64.RawURLEncoding.EncodeToString(raw), "space": " " + base64.StdEncoding.EncodeToString(raw) + "\n",
	} {
		if b, err := pepperBytes(s); err != nil || string(b) != string(raw) || pepper(s) != nil {
			t.Errorf("%s: %x, %v, %v", name, b, err, pepper(s))
		}
	}
	for _, s := range []string{"", "short", hex.EncodeToString(raw[:31]), "not base64 at all, nor hex; and long enough to be one"} {
		if pepper(s) == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestSamePepperTwice(t *testing.T) {
	_, err := load(t, "", nil, []string{"LATCHKEY_PEPPER=" + goodSecret("pepper"), "LATCHKEY_PEPPER_PREVIOUS=" + strings.ToUpper(goodSecret("pepper"))})
	if err == nil || !strings.HasPrefix(err.Error(), "LATCHKEY_PEPPER_PREVIOUS: is the same as pepper") {
		t.Fatalf("got %v", err)
	}
}

func TestPrint(t *testing.T) {
	file := write(t, "pw", marked)
	c, err := load(t, "site-name: \"a\\nb\"\n", []string{"--listen=:0", "--smtp-user=ann"},
		[]string{"LATCHKEY_DATABASE_URL=" + goodSecret("database-url"), "LATCHKEY_SMTP_PASSWORD_FILE=" + file})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	out := strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == ' ' }), " ")
	for _, want := range []string{
		"OPTION VALUE FROM\n", "listen :0 --listen\n", "database-url [hidden] LATCHKEY_DATABASE_URL\n", "log-level info default\n",
		"smtp-password [hidden] LATCHKEY_SMTP_PASSWORD_FILE (" + file + ")\n", `site-name "a\nb" `, "pepper (the file pepper in the data directory, made at first start) default\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	for _, all := range []string{b.String(), fmt.Sprintf("%v %+v %#v", c, c, *c)} {
		if strings.Contains(all, marked) {
			t.Errorf("the secret is shown:\n%s", all)
		}
	}
}

// The reference in docs is the table. UPDATE_DOCS=1 writes it anew.
func TestReference(t *testing.T) {
	const path, begin, end = "../../docs/configuration.md", "<!-- options: made from the table in internal/config -->\n", "<!-- /options -->"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost its marks %s and %s", path, begin, end)
	}
	want := head + begin + Markdown() + end + tail
	if want == string(b) {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s does not hold the table of options; run: UPDATE_DOCS=1 go test ./internal/config", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

package config

import (
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/secret"
)

// load reads args and environ, with a YAML file first when yaml is not empty.
func load(t *testing.T, yaml string, args, environ []string) (*Config, error) {
	t.Helper()
	if yaml != "" {
		args = append([]string{"--config", write(t, "latchkey.yaml", yaml)}, args...)
	}
	c, _, err := Load(args, environ, io.Discard)
	return c, err
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	c, rest, err := Load(nil, nil, io.Discard)
	if err != nil || len(rest) != 0 {
		t.Fatalf("Load = rest %q, %v", rest, err)
	}
	checks := map[string]bool{
		"listen":                   c.Listen == "127.0.0.1:3000",
		"data-dir":                 c.DataDir == "./latchkey-data",
		"database-url":             c.DatabaseURL.Empty(),
		"log-level":                c.LogLevel == slog.LevelInfo,
		"log-format":               c.LogFormat == "text",
		"key-prefix":               c.KeyPrefix == "lk_",
		"pepper":                   c.Pepper.Empty() && c.PepperFile == "latchkey-data/pepper",
		"session-max-age":          c.SessionMaxAge == 14*24*time.Hour,
		"session-timeout":          c.SessionTimeout == 0,
		"password-complexity":      c.PasswordComplexity == "normal",
		"max-unauthenticated-body": c.MaxUnauthenticatedBody == 1<<20,
		"argon2-max-concurrent":    c.Argon2MaxConcurrent == 2,
		"shutdown-timeout":         c.ShutdownTimeout == 20*time.Second,
		"smtp":                     c.SMTP.Port == 587 && c.SMTP.Security == "starttls" && c.SMTP.Host == "",
	}
	for name, ok := range checks {
		if !ok {
			t.Errorf("%s has the wrong default: %+v", name, c)
		}
	}
	for _, o := range Options() {
		if c.IsSet(o.Name) || c.From(o.Name) != "default" {
			t.Errorf("%s counts as set: %q", o.Name, c.From(o.Name))
		}
	}
}

func TestPrecedence(t *testing.T) {
	const yaml = "listen: 127.0.0.1:1\nsite_name: File\nkey-prefix: mb\n"
	c, err := load(t, yaml, []string{"--listen=127.0.0.1:3"}, []string{"LATCHKEY_LISTEN=127.0.0.1:2", "LATCHKEY_SITE_NAME=Variable"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:3" || c.From("listen") != "--listen" {
		t.Errorf("listen = %s from %s, want the flag's", c.Listen, c.From("listen"))
	}
	if c.SiteName != "Variable" || c.From("site-name") != "LATCHKEY_SITE_NAME" {
		t.Errorf("site-name = %s from %s, want the variable's", c.SiteName, c.From("site-name"))
	}
	if c.KeyPrefix != "mb_" || !strings.HasSuffix(c.From("key-prefix"), "latchkey.yaml:3 (key-prefix)") || !c.IsSet("key-prefix") {
		t.Errorf("key-prefix = %s from %s, want the file's", c.KeyPrefix, c.From("key-prefix"))
	}
}

func TestConfigFileFromVariable(t *testing.T) {
	path := write(t, "latchkey.yaml", "# nothing but\nsite-name: Here\ntrusted-proxies: [10.0.0.0/8, 127.0.0.1]\nsmtp-host:\n")
	c, err := load(t, "", nil, []string{"LATCHKEY_CONFIG=" + path})
	if err != nil || c.SiteName != "Here" || len(c.TrustedProxies) != 2 || c.IsSet("smtp-host") || c.ConfigFile != path {
		t.Fatalf("got %+v, %v", c, err)
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, yaml := range []string{"\n", "# only a comment\n", "~\n", "---\n"} {
		if _, err := load(t, yaml, nil, nil); err != nil {
			t.Errorf("%q: %v", yaml, err)
		}
	}
}

func TestEmptyVariableIsNotSet(t *testing.T) {
	c, err := load(t, "", nil, []string{"LATCHKEY_DATABASE_URL=", "LATCHKEY_LISTEN=", "LATCHKEY_PEPPER_FILE="})
	if err != nil || c.Listen != "127.0.0.1:3000" || c.IsSet("listen") {
		t.Fatalf("got %+v, %v", c, err)
	}
}

func TestVariablesForOthers(t *testing.T) {
	environ := []string{
		"LATCHKEY_API_KEY=x", "LATCHKEY_URL=http://127.0.0.1:3000", "PATH=/bin", "LATCHKEYS=1",
		"LATCHKEY_PORT=tcp://10.0.0.1:3000", "LATCHKEY_SERVICE_HOST=10.0.0.1", "LATCHKEY_SERVICE_PORT=3000", "LATCHKEY_SERVICE_PORT_HTTP=3000",
		"LATCHKEY_PORT_3000_TCP=tcp://10.0.0.1:3000", "LATCHKEY_PORT_3000_TCP_PROTO=tcp", "LATCHKEY_PORT_3000_TCP_PORT=3000", "LATCHKEY_PORT_3000_TCP_ADDR=10.0.0.1",
	}
	if _, err := load(t, "", nil, environ); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	for _, o := range Options() {
		if !o.Secret {
			continue
		}
		t.Run(o.Name, func(t *testing.T) {
			path := write(t, "secret", goodSecret(o.Name)+"\n")
			partners := []string{"LATCHKEY_ADMIN_EMAIL=ann@example.com", "LATCHKEY_SMTP_USER=ann"}
			if o.Name != "admin-password" {
				partners = partners[1:]
			}
			ways := map[string]func() (*Config, error){
				"flag":        func() (*Config, error) { return load(t, "", []string{"--" + o.Name + "-file", path}, partners) },
				"variable":    func() (*Config, error) { return load(t, "", nil, append(partners, o.Variable()+"_FILE="+path)) },
				"file":        func() (*Config, error) { return load(t, o.Name+"-file: "+path+"\n", nil, partners) },
				"file with _": func() (*Config, error) { return load(t, o.Name+"_file: "+path+"\n", nil, partners) },
				"plain flag":  func() (*Config, error) { return load(t, "", []string{"--" + o.Name, goodSecret(o.Name)}, partners) },
				"plain variable": func() (*Config, error) {
					return load(t, "", nil, append(partners, o.Variable()+"="+goodSecret(o.Name)))
				},
			}
			for way, load := range ways {
				c, err := load()
				if err != nil {
					t.Errorf("%s: %v", way, err)
					continue
				}
				if got := secretsOf(c)[o.Name].Reveal(); got != goodSecret(o.Name) {
					t.Errorf("%s: got %q", way, got)
				}
			}
		})
	}
}

// marked stands in every secret of the tests, so that a leak can be found.
const marked = "0123456789abcdefmarked0secret0"

func goodSecret(option string) string {
	switch option {
	case "database-url":
		return "postgres://ann:" + marked + "@db.example.com:5432/latchkey"
	case "pepper", "pepper-previous":
		return strings.Repeat("0123456789abcdef", 4)
	case "bootstrap-key":
		return marked + marked
	}
	return marked
}

func secretsOf(c *Config) map[string]secret.Text {
	return map[string]secret.Text{
		"database-url": c.DatabaseURL, "pepper": c.Pepper, "pepper-previous": c.PepperPrevious,
		"admin-password": c.AdminPassword, "smtp-password": c.SMTP.Password,
		"metrics-token": c.MetricsToken, "bootstrap-key": c.BootstrapKey,
	}
}

func TestPepperFile(t *testing.T) {
	path := write(t, "pepper", goodSecret("pepper"))
	c, err := load(t, "", nil, []string{"LATCHKEY_PEPPER_FILE=" + path})
	if err != nil || c.PepperFile != path || c.Pepper.Empty() {
		t.Errorf("from file: %q, %v", c.PepperFile, err)
	}
	c, err = load(t, "", []string{"--pepper", goodSecret("pepper")}, nil)
	if err != nil || c.PepperFile != "" || c.Pepper.Empty() {
		t.Errorf("as text: %q, %v", c.PepperFile, err)
	}
}

func TestFlagOverFileOfSecret(t *testing.T) {
	path := write(t, "pw", "from file")
	c, err := load(t, "", []string{"--smtp-password-file", path, "--smtp-user=ann"}, []string{"LATCHKEY_SMTP_PASSWORD=from variable"})
	if err != nil || c.SMTP.Password.Reveal() != "from file" {
		t.Fatalf("got %v", err)
	}
}

func TestArguments(t *testing.T) {
	var group string
	var force bool
	cmd := Command{Name: "key create", Flags: func(fs *flag.FlagSet) {
		fs.StringVar(&group, "group", "", "`name` of the group")
		fs.BoolVar(&force, "force", false, "do not ask")
	}}
	args := []string{"one", "--group", "Readers", "-force", "two", "--data-dir=/d", "--trusted-proxies=10.0.0.1", "--trusted-proxies", "10.0.0.2", "-", "--", "--three"}
	c, rest, err := cmd.Load(args, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if group != "Readers" || !force || c.DataDir != "/d" || len(c.TrustedProxies) != 2 {
		t.Errorf("group %q, force %v, config %+v", group, force, c)
	}
	if want := []string{"one", "two", "-", "--three"}; !slices.Equal(rest, want) {
		t.Errorf("rest = %q, want %q", rest, want)
	}
}

func TestHelp(t *testing.T) {
	cmd := Command{Name: "key create", Args: "<name>", About: "Make an API key.", Flags: func(fs *flag.FlagSet) {
		fs.String("group", "All Users", "`name` of the group that the key joins")
	}}
	for _, arg := range []string{"-h", "--help", "-help"} {
		var out strings.Builder
		_, _, err := cmd.Load([]string{"x", arg}, []string{"LATCHKEY_WRONG=1"}, &out)
		if !errors.Is(err, flag.ErrHelp) {
			t.Fatalf("%s: %v", arg, err)
		}
		for _, want := range []string{"Usage: latchkey key create [flags] <name>\n", "Make an API key.", "--group name", "Default: All Users.", "--data-dir path", "--database-url-file path", "latchkey config --help"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", arg, want, out.String())
			}
		}
		if strings.Contains(out.String(), "--smtp-host") {
			t.Errorf("%s: lists options that the command has no use for", arg)
		}
	}
	var out strings.Builder
	_, _, _ = Load([]string{"-h"}, nil, &out)
	for _, o := range Options() {
		if !strings.Contains(out.String(), "  "+o.Flag()+" ") {
			t.Errorf("help does not list %s", o.Flag())
		}
	}
}

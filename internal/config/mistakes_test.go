package config

import (
	"strings"
	"testing"
)

// Every mistake is one line that names the culprit and says what to do.
func TestMistakes(t *testing.T) {
	tests := []struct {
		name    string
		yaml    string
		args    []string
		environ []string
		want    string // with PATH for the YAML file
	}{
		{"flag", "", []string{"--lisen", ":1"}, nil, `--lisen: there is no such flag; did you mean --listen?`},
		{"flag by another name", "", []string{"-port=80"}, nil, `--port: there is no such flag; did you mean --listen?`},
		{"far flag", "", []string{"--quux"}, nil, `--quux: there is no such flag; remove it, or see latchkey config --help for all`},
		{"flag without value", "", []string{"--listen"}, nil, `--listen: needs a value; write --listen=<value>`},
		{"variable", "", nil, []string{"LATCHKEY_DATADIR=x"}, `LATCHKEY_DATADIR: there is no such variable; did you mean LATCHKEY_DATA_DIR?`},
		{"variable in small letters", "", nil, []string{"LATCHKEY_listen=:1"}, `LATCHKEY_listen: there is no such variable; did you mean LATCHKEY_LISTEN?`},
		{"port variable", "", nil, []string{"LATCHKEY_PORT=3000"}, `LATCHKEY_PORT: there is no such variable; did you mean LATCHKEY_LISTEN?`},
		{"file of what is no secret", "", nil, []string{"LATCHKEY_LISTEN_FILE=x"}, `LATCHKEY_LISTEN_FILE: there is no such variable; did you mean LATCHKEY_LISTEN?`},
		{"key", "site-nam: x\n", nil, nil, `PATH:1 (site-nam): there is no such option; did you mean site-name?`},
		{"config in config", "config: x.yaml\n", nil, nil, `PATH:1 (config): a configuration file cannot name another; remove it`},
		{"key twice", "site-name: x\nsite_name: y\n", nil, nil, `PATH:2 (site_name): is set twice; keep one`},
		{"nested", "listen:\n  port: 1\n", nil, nil, `PATH:1 (listen): takes a plain value, not a nested block`},
		{"list for one", "listen: [a, b]\n", nil, nil, `PATH:1 (listen): takes one value, not a list`},
		{"not a mapping", "- listen\n", nil, nil, `PATH: is not a list of options; write lines such as listen: 127.0.0.1:3000`},
		{"two documents", "site-name: x\n---\nsite-name: y\n", nil, nil, `PATH: holds more than one document; remove what follows the line ---`},
		{"broken", "a: : b\n", nil, nil, `PATH: is not YAML: go-yaml load error in scanner at L1.C4: mapping values are not allowed in this context`},
		{"no config file", "", []string{"--config=gone.yaml"}, nil, `--config: cannot read the configuration file: open gone.yaml: no such file or directory`},
		{"both", "", nil, []string{"LATCHKEY_SMTP_PASSWORD=a", "LATCHKEY_SMTP_PASSWORD_FILE=b"}, `LATCHKEY_SMTP_PASSWORD and LATCHKEY_SMTP_PASSWORD_FILE are both set; keep one`},
		{"no secret file", "", nil, []string{"LATCHKEY_PEPPER_FILE=gone"}, `LATCHKEY_PEPPER_FILE: cannot read the secret: open gone: no such file or directory`},
		{"empty secret file", "", nil, []string{"LATCHKEY_PEPPER_FILE=/dev/null"}, `LATCHKEY_PEPPER_FILE: /dev/null is empty; write the secret into it`},
		{"endless secret file", "", nil, []string{"LATCHKEY_PEPPER_FILE=/dev/zero"}, `LATCHKEY_PEPPER_FILE: /dev/zero is too long for a secret`},
		{"listen", "", []string{"--listen", "3000"}, nil, `--listen: "3000" is not host:port; write 127.0.0.1:3000, or :3000 for all addresses`},
		{"empty listen", "", []string{"--listen="}, nil, `--listen: "" is not host:port; write 127.0.0.1:3000, or :3000 for all addresses`},
		{"empty data-dir", "", []string{"--data-dir="}, nil, `--data-dir: is empty`},
		{"log-level", "log-level: loud\n", nil, nil, `PATH:1 (log-level): "loud" is not known; write debug, info, warn or error`},
		{"trusted-proxies", "", nil, []string{"LATCHKEY_TRUSTED_PROXIES=10.0.0.0/8, ten"}, `LATCHKEY_TRUSTED_PROXIES: "ten" is not an address or network; write 10.0.0.7 or 10.0.0.0/8`},
		{"site-url", "", nil, []string{"LATCHKEY_SITE_URL=data.example.com"}, `LATCHKEY_SITE_URL: "data.example.com" is not a web address; write https://data.example.com`},
		{"key-prefix", "", nil, []string{"LATCHKEY_KEY_PREFIX=a_b"}, `LATCHKEY_KEY_PREFIX: "a_b" is not a key prefix; write 2 to 8 letters, such as lk_ or mb_`},
		{"smtp-port", "", nil, []string{"LATCHKEY_SMTP_PORT=many"}, `LATCHKEY_SMTP_PORT: "many" is not a whole number from 1 to 65535`},
		{"smtp-host", "", nil, []string{"LATCHKEY_SMTP_HOST=smtp.example.com:25"}, `LATCHKEY_SMTP_HOST: "smtp.example.com:25" is not a host name; write smtp.example.com, and the port as smtp-port`},
		{"session-max-age", "", nil, []string{"LATCHKEY_SESSION_MAX_AGE=0"}, `LATCHKEY_SESSION_MAX_AGE: "0" is not a whole number from 1 to 5256000, in minutes`},
		{"session-cookies", "", []string{"--session-cookies=maybe"}, nil, `--session-cookies: "maybe" is neither true nor false`},
		{"password-length", "", nil, []string{"LATCHKEY_PASSWORD_LENGTH=3"}, `LATCHKEY_PASSWORD_LENGTH: "3" is neither 0 nor a whole number from 6 to 128`},
		{"body", "", nil, []string{"LATCHKEY_MAX_UNAUTHENTICATED_BODY=lots"}, `LATCHKEY_MAX_UNAUTHENTICATED_BODY: "lots" is not a size from 1024 to 1073741824 bytes; write 1048576, 512KiB or 1MiB`},
		{"cors", "", nil, []string{"LATCHKEY_CORS_ORIGINS=*"}, `LATCHKEY_CORS_ORIGINS: "*" is not an origin; write https://app.example.com, without a path or *`},
		{"shutdown", "", nil, []string{"LATCHKEY_SHUTDOWN_TIMEOUT=20"}, `LATCHKEY_SHUTDOWN_TIMEOUT: "20" is not a time of at most an hour; write 20s or 1m30s`},
		{"metrics-listen", "", nil, []string{"LATCHKEY_METRICS_LISTEN=9464"}, `LATCHKEY_METRICS_LISTEN: "9464" is not host:port; write 127.0.0.1:3000, or :3000 for all addresses`},
		{"metrics by another name", "", nil, []string{"LATCHKEY_METRICS_PORT=9464"}, `LATCHKEY_METRICS_PORT: there is no such variable; did you mean LATCHKEY_METRICS_LISTEN?`},
		{"metrics where the rest is", "", nil, []string{"LATCHKEY_LISTEN=:80", "LATCHKEY_METRICS_LISTEN=:80"}, `LATCHKEY_METRICS_LISTEN: is the same as listen; choose another port, or leave it out and set LATCHKEY_METRICS_TOKEN_FILE`},
		{"bootstrap-key", "", nil, []string{"LATCHKEY_BOOTSTRAP_KEY=thirty-one-letters-and-no-more-"}, `LATCHKEY_BOOTSTRAP_KEY: is not a key of 32 to 254 letters, digits and signs without spaces; make one with: latchkey key generate`},
		{"metrics-token", "", nil, []string{"LATCHKEY_METRICS_TOKEN=fifteen-letters"}, `LATCHKEY_METRICS_TOKEN: is not a token of 16 or more letters, digits and signs without spaces; make one with: openssl rand -hex 32`},
		{"admin-email", "", nil, []string{"LATCHKEY_ADMIN_EMAIL=ann"}, `LATCHKEY_ADMIN_EMAIL: "ann" is not an e-mail address; write somebody@example.com`},
		{"admin without password", "", nil, []string{"LATCHKEY_ADMIN_EMAIL=ann@example.com"}, `LATCHKEY_ADMIN_EMAIL: needs a password; set LATCHKEY_ADMIN_PASSWORD_FILE`},
		{"password without admin", "", nil, []string{"LATCHKEY_ADMIN_PASSWORD=x"}, `LATCHKEY_ADMIN_PASSWORD: needs an address; set LATCHKEY_ADMIN_EMAIL`},
		{"mail without sender", "", nil, []string{"LATCHKEY_SMTP_HOST=smtp.example.com"}, `LATCHKEY_SMTP_HOST: needs a sender; set LATCHKEY_SMTP_FROM`},
		{"all at once", "", nil, []string{"LATCHKEY_LOG_FORMAT=xml", "LATCHKEY_SMTP_PORT=0"}, "LATCHKEY_LOG_FORMAT: \"xml\" is not known; write text or json\nLATCHKEY_SMTP_PORT: \"0\" is not a whole number from 1 to 65535"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, args := "", tt.args
			if tt.yaml != "" {
				path = write(t, "latchkey.yaml", tt.yaml)
				args = append([]string{"--config", path}, args...)
			}
			_, err := load(t, "", args, tt.environ)
			if want := strings.ReplaceAll(tt.want, "PATH", path); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// No error repeats a secret, however it was given.
func TestMistakesHideSecrets(t *testing.T) {
	bad := map[string][]string{
		"database-url":    {marked, "mysql://ann:" + marked + "@db.example.com/x", "postgres://ann:" + marked + "%zz@db.example.com/x"},
		"pepper":          {marked, "é" + marked},
		"pepper-previous": {marked},
		"admin-password":  {marked},
		"smtp-password":   {marked},
		"metrics-token":   {"é" + marked, marked + " "},
		"bootstrap-key":   {marked, "é" + marked + marked},
	}
	for _, o := range Options() {
		if o.Secret && len(bad[o.Name]) == 0 {
			t.Errorf("no bad value for %s", o.Name)
		}
		for _, s := range bad[o.Name] {
			file := write(t, "secret", s)
			for way, run := range map[string]func() error{
				"flag":     func() error { _, err := load(t, "", []string{o.Flag(), s}, nil); return err },
				"variable": func() error { _, err := load(t, "", nil, []string{o.Variable() + "=" + s}); return err },
				"file":     func() error { _, err := load(t, "", nil, []string{o.Variable() + "_FILE=" + file}); return err },
				"yaml":     func() error { _, err := load(t, o.Name+": \""+s+"\"\n", nil, nil); return err },
				"twice":    func() error { _, err := load(t, o.Name+": \""+s+"\"\n"+o.Name+": \""+s+"\"\n", nil, nil); return err },
				"nested":   func() error { _, err := load(t, o.Name+": {\""+s+"\": \""+s+"\"}\n", nil, nil); return err },
				"unknown":  func() error { _, err := load(t, "", []string{o.Flag() + "x=" + s}, nil); return err },
			} {
				err := run()
				if err == nil {
					t.Errorf("%s by %s: %q was taken", o.Name, way, s)
				} else if strings.Contains(err.Error(), marked) {
					t.Errorf("%s by %s shows the secret: %v", o.Name, way, err)
				}
			}
		}
	}
}

func TestSuggest(t *testing.T) {
	commands := []string{"serve", "key", "user", "seed", "backup", "restore", "doctor", "version", "config"}
	for word, want := range map[string]string{
		"serv": "serve", "sevre": "serve", "SERVE": "serve", "usr": "user", "restor": "restore", "kye": "key", "frobnicate": "", "": "", "x": "",
	} {
		if got := Suggest(word, commands); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

// Whatever a file holds, reading it ends in options or in an error.
func FuzzFile(f *testing.F) {
	for _, s := range []string{"listen: :1\n", "trusted-proxies: [10.0.0.1]\n", "a: &x [*x]\n", "? {a: b}\n: c\n", "<<: {listen: x}\n", "--- |\n x\n", "%TAG ! x\n---\na: b\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		c, err := load(t, content, nil, nil)
		if (c == nil) == (err == nil) {
			t.Errorf("Load = %v, %v", c, err)
		}
	})
}

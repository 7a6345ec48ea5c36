package clients_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// mb is Metabase's own command line client with a profile directory of its
// own, so that it sees no profile of the person who runs the tests.
type mb struct {
	t    *testing.T
	path string
	env  []string
}

func newMB(t *testing.T) mb {
	t.Helper()
	home := t.TempDir()
	return mb{t: t, path: installed(t, "mb"), env: []string{
		"PATH=" + searchPath(t), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "MB_CLI_DISABLE_KEYRING=1",
	}}
}

// ran is how a run ended.
type ran struct {
	code           int
	stdout, stderr string
}

// run runs mb with nothing on standard input.
func (m mb) run(args ...string) ran {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), m.path, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = m.env, &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		m.t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// want runs mb, demands success and decodes its JSON answer into out.
func (m mb) want(out any, args ...string) {
	m.t.Helper()
	r := m.run(append(args, "--json")...)
	if r.code != 0 {
		m.t.Fatalf("mb %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), out); err != nil {
		m.t.Fatalf("mb %s: %v\n%s", strings.Join(args, " "), err, r.stdout)
	}
}

// refused runs mb and demands an exit code and a text on standard error.
func (m mb) refused(code int, text string, args ...string) {
	m.t.Helper()
	if r := m.run(args...); r.code != code || !strings.Contains(r.stderr, text) {
		m.t.Errorf("mb %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), r.code, code, text, r.stdout, r.stderr)
	}
}

// profile is what mb says of a stored login.
type profile struct {
	Profile       string
	URL           string
	Present       bool
	Authenticated bool
	Status        string
	Method        string
	User          *struct {
		ID      int64
		Name    string
		IsAdmin bool
	}
	Version *struct {
		Tag   string
		Major int
	}
	LastFailure *struct{ Kind, Reason string }
}

// check says whether the profile is that of the key "ci", whose user has an id
// from 2 up, at a server of the release that all clients agree on.
func (p profile) check(t *testing.T, url string) {
	t.Helper()
	switch {
	case p.Profile != "default" || p.URL != url:
		t.Errorf("profile %q at %q", p.Profile, p.URL)
	case p.User == nil || p.User.Name != "ci" || !p.User.IsAdmin || p.User.ID < 2:
		t.Errorf("user %+v", p.User)
	case p.Version == nil || p.Version.Major != 62 || !strings.HasPrefix(p.Version.Tag, "v0.62."):
		t.Errorf("version %+v", p.Version)
	}
}

// TestMB walks through a first day with mb on one server: each step stands on
// those before it.
func TestMB(t *testing.T) {
	m := newMB(t)
	s := apptest.Start(t, apptest.Options{})
	m.setup(t, s)
	id, key := s.Key("ci", access.Administrators)
	for _, step := range []struct {
		name string
		run  func(*testing.T, mb, *apptest.Server)
	}{
		{"a wrong key is refused and not saved", wrongKey},
		{"login", func(t *testing.T, m mb, s *apptest.Server) {
			var p profile
			m.want(&p, "auth", "login", "--url", s.URL, "--api-key", key)
			p.check(t, s.URL)
			if !p.Authenticated {
				t.Error("the key was not verified")
			}
		}},
		{"status", func(t *testing.T, m mb, s *apptest.Server) {
			var p profile
			m.want(&p, "auth", "status")
			p.check(t, s.URL)
			if !p.Present || p.LastFailure != nil {
				t.Errorf("present %v, last failure %v", p.Present, p.LastFailure)
			}
		}},
		{"list", func(t *testing.T, m mb, s *apptest.Server) {
			p := m.onlyProfile()
			p.check(t, s.URL)
			if !p.Authenticated || p.Status != "ok" {
				t.Errorf("authenticated %v, status %q", p.Authenticated, p.Status)
			}
		}},
		{"settings", settings},
		{"a key without permission", plainKey},
		{"a deleted key is refused", func(t *testing.T, m mb, s *apptest.Server) {
			s.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", id), nil)
			if p := m.onlyProfile(); p.Authenticated || p.Status != "auth-failed" || p.LastFailure == nil {
				t.Errorf("%+v", p)
			}
			m.refused(2, "Invalid or unauthorized API key", "auth", "login", "--url", s.URL, "--api-key", key)
			m.refused(1, "", "setting", "get", "site-name")
		}},
	} {
		if !t.Run(step.name, func(t *testing.T) { m.t = t; step.run(t, m, s) }) {
			return
		}
	}
}

// setup makes the first administrator with mb, which asks for a credential
// before it starts although set-up needs none.
func (m mb) setup(t *testing.T, s *apptest.Server) {
	t.Helper()
	var props struct {
		Token string `json:"setup-token"`
	}
	s.Want(200, &props, "GET", "/api/session/properties", nil)
	body, err := json.Marshal(map[string]any{
		"token": props.Token,
		"user":  map[string]any{"email": apptest.AdminEmail, "password": apptest.AdminPassword, "first_name": "Ada", "last_name": "Admin"},
		"prefs": map[string]any{"site_name": apptest.SiteName},
	})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"setup", "--url", s.URL, "--api-key", "dummy-not-a-key", "--body", string(body)}
	var session struct{ ID string }
	m.want(&session, args...)
	s.Session = session.ID
	s.Admin(200, nil, "GET", "/api/user/current", nil)
	if r := m.run(args...); r.code == 0 {
		t.Error("a second mb setup was let through")
	}
}

func wrongKey(t *testing.T, m mb, s *apptest.Server) {
	for _, key := range []string{"wrong", "lk_" + strings.Repeat("0", 44), "mb_" + strings.Repeat("A", 43) + "="} {
		m.refused(2, "Invalid or unauthorized API key", "auth", "login", "--url", s.URL, "--api-key", key)
	}
	var p profile
	m.want(&p, "auth", "status")
	if p.Present {
		t.Errorf("a refused key was saved: %+v", p)
	}
}

// onlyProfile asks the server about all stored logins, of which there is one.
func (m mb) onlyProfile() profile {
	m.t.Helper()
	var list struct {
		Data  []profile
		Total int
	}
	m.want(&list, "auth", "list")
	if list.Total != 1 || len(list.Data) != 1 {
		m.t.Fatalf("%+v", list)
	}
	return list.Data[0]
}

// setting is a row of mb setting list.
type setting struct {
	Key     string
	Value   any
	EnvName string `json:"env_name"`
}

func settings(t *testing.T, m mb, s *apptest.Server) {
	var list struct {
		Data  []setting
		Total int
	}
	m.want(&list, "setting", "list", "--max-bytes", "0")
	found := false
	for _, row := range list.Data {
		found = found || row.Key == "site-name" && row.Value == apptest.SiteName
	}
	if !found || list.Total != len(list.Data) {
		t.Errorf("%d of %d settings, the name of the site among them: %v", len(list.Data), list.Total, found)
	}
	var one setting
	m.want(&one, "setting", "get", "site-name")
	if one.Value != apptest.SiteName {
		t.Errorf("site-name is %v", one.Value)
	}
	m.want(&one, "setting", "set", "site-name", `"New"`)
	m.want(&one, "setting", "get", "site-name")
	if one.Value != "New" {
		t.Errorf("site-name is %v after it was set", one.Value)
	}
	m.refused(2, "unknown setting:", "setting", "get", "no-such-setting")
	m.refused(2, "unknown setting:", "setting", "set", "no-such-setting", "1")
}

// plainKey uses another profile: a key that is good but may not change the
// instance.
func plainKey(t *testing.T, m mb, s *apptest.Server) {
	_, key := s.Key("plain", access.AllUsers)
	var p profile
	m.want(&p, "auth", "login", "--profile", "plain", "--url", s.URL, "--api-key", key)
	if p.User == nil || p.User.Name != "plain" || p.User.IsAdmin {
		t.Errorf("user %+v", p.User)
	}
	if r := m.run("setting", "list", "--profile", "plain"); r.code == 0 {
		t.Errorf("a key of All Users lists the settings:\n%s", r.stdout)
	}
	m.want(&p, "auth", "logout", "--profile", "plain")
}

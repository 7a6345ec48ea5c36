package peers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

func hashAtRest(t *testing.T) {
	data, peppers := t.TempDir(), t.TempDir()
	pepper := func(name, text string) string {
		path := filepath.Join(peppers, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "LATCHKEY_PEPPER_FILE=" + path
	}
	one, two := strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)
	h := startIn(t, data, pepper("one", one))
	h.Setup()
	k := h.admins(nil)
	h.works(k, true)
	h.Stop()
	sum := sha256.Sum256([]byte(k.Key))
	never := map[string]string{
		"the text": k.Key, "its SHA-256": string(sum[:]), "its SHA-256 in hex": hex.EncodeToString(sum[:]), "the pepper": one,
	}
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for what, text := range never {
			if strings.Contains(string(b), text) {
				t.Errorf("%s is in %s", what, filepath.Base(path))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(h.Log(), k.Key) {
		t.Error("the text is in the log")
	}
	// Who has the database has nothing without the pepper, which is kept apart.
	verify := func(pepper string) (string, error) {
		cmd := exec.CommandContext(t.Context(), apptest.Binary(t), "key", "verify", "--data-dir", data)
		cmd.Env = []string{pepper, "LATCHKEY_API_KEY=" + k.Key}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := verify(pepper("one", one)); err != nil {
		t.Errorf("the key does not work with its pepper: %s", out)
	}
	if out, err := verify(pepper("two", two)); err == nil {
		t.Errorf("the key works with another pepper: %s", out)
	}
}

var form = regexp.MustCompile(`^lk_[0-9A-Za-z]{44}$`)

func keyFormat(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	if !form.MatchString(k.Key) || len(k.Key) != 47 {
		t.Errorf("a key of %d characters has not the form %s", len(k.Key), form)
	}
	dir := t.TempDir()
	seed := filepath.Join(dir, "config.yml")
	foreign := "mb_made-up-key-of-a-test"
	text := "version: 1\nconfig:\n  api-keys:\n    - {name: Moved, key: " + foreign + ", creator: " + apptest.AdminEmail + ", group: admin}\n"
	if err := os.WriteFile(seed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, "LATCHKEY_KEY_PREFIX=mb_")
	if k := m.admins(nil); !strings.HasPrefix(k.Key, "mb_") || len(k.Key) != 47 {
		t.Errorf("with the prefix mb_ a key begins with %.3s and has %d characters", k.Key, len(k.Key))
	}
	if code, _, stderr := m.Run("", "seed", "apply", seed); code != 0 {
		t.Fatalf("seed apply: %s", stderr)
	}
	soon(t, "a key that was made elsewhere works", func() bool {
		return m.call(key{Key: foreign}, "GET", "/api/api-key", nil).Status == 200
	})
}

func checksum(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	offline := func(text string) int {
		cmd := exec.CommandContext(t.Context(), apptest.Binary(t), "key", "verify", "--offline")
		cmd.Env, cmd.Dir = []string{"LATCHKEY_API_KEY=" + text}, t.TempDir()
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode()
	}
	if offline(k.Key) != 0 {
		t.Error("a good key is refused offline")
	}
	for i := 3; i < len(k.Key); i += 4 { // every fourth, for the time it takes
		other := byte('A')
		if k.Key[i] == other {
			other = 'B'
		}
		typo := k.Key[:i] + string(other) + k.Key[i+1:]
		if offline(typo) == 0 {
			t.Errorf("a mistake at %d passes offline", i)
		}
		if got := h.call(key{Key: typo}, "GET", "/api/user/current", nil).Status; got != 401 {
			t.Errorf("a mistake at %d is answered %d", i, got)
		}
	}
	if offline(k.Key[:46]) == 0 || offline("") == 0 {
		t.Error("a part of a key passes offline")
	}
}

func showOnce(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	if k.Key == "" {
		t.Fatal("a key is not shown when it is made")
	}
	one := fmt.Sprintf("/v1/keys/%d", k.ID)
	for _, path := range []string{"/v1/keys", one, one + "/secrets", "/api/api-key", "/v1/audit"} {
		if strings.Contains(h.asAdmin("GET", path, nil).Body, k.Key) {
			t.Errorf("GET %s shows the text of a key", path)
		}
	}
	for _, path := range []string{"/admin/settings/authentication/api-keys", fmt.Sprintf("/admin/settings/authentication/api-keys/%d", k.ID)} {
		if strings.Contains(h.page(path), k.Key) {
			t.Errorf("the page %s shows the text of a key", path)
		}
	}
	if _, stdout, _ := h.Run("", "key", "show", fmt.Sprint(k.ID), "--json"); strings.Contains(stdout, k.Key) {
		t.Error("the command line shows the text of a key")
	}
}

func preSeed(t *testing.T) {
	program := func(stdin string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), apptest.Binary(t), args...)
		cmd.Stdin, cmd.Dir, cmd.Env = strings.NewReader(stdin), t.TempDir(), []string{"LC_ALL=C"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("latchkey %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	text := program("", "key", "generate")
	hash := program(text, "seed", "hash")
	file := filepath.Join(t.TempDir(), "seed.yaml")
	write := func(name string) {
		seed := "version: 1\ngroups: [{name: Reporting}]\nkeys:\n  - {name: " + name + ", groups: [Reporting], restriction: {read_only: true}, hash: \"" + hash + "\"}\n"
		if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Nightly")
	h := startIn(t, t.TempDir(), "LATCHKEY_SEED_FILE="+file) // nobody has been here
	k := key{Key: text}
	h.works(k, true)
	h.want(h.call(k, "POST", "/api/permissions/group", body{"name": "x"}), 403, "group")
	if code, stdout, _ := h.Run("", "seed", "apply", file); code != 0 || !strings.Contains(stdout, "0 created, 0 updated, 0 removed") {
		t.Errorf("the same file again: %d %s", code, stdout)
	}
	if err := os.WriteFile(file, []byte("version: 1\ngroups: [{name: Reporting}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := h.Run("", "seed", "diff", file); code != 1 || !strings.Contains(stdout, `- key "Nightly"`) {
		t.Errorf("drift is not reported: %d %s", code, stdout)
	}
	h.works(k, true) // and nothing is removed unasked
	if code, _, _ := h.Run("", "seed", "apply", file, "--prune"); code != 0 {
		t.Error("seed apply --prune failed")
	}
	soon(t, "the pruned key ends", func() bool { return h.call(k, "GET", "/api/user/current", nil).Status == 401 })
}

func adminUI(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	const keys = "/admin/settings/authentication/api-keys"
	foreign := regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)
	for path, want := range map[string]string{
		keys: k.Name, keys + "/new": "<form", fmt.Sprintf("%s/%d", keys, k.ID): k.Name, fmt.Sprintf("%s/%d/rotate", keys, k.ID): "<form",
		"/admin/settings/authentication/key-policies": "<main", "/admin/audit": "api-key.create", "/admin/explain": "<form", "/account/api-keys": "<main",
	} {
		page := h.page(path)
		if !strings.Contains(page, want) {
			t.Errorf("the page %s lacks %q", path, want)
		}
		if found := foreign.FindString(page); found != "" {
			t.Errorf("the page %s loads from elsewhere: %s", path, found)
		}
		if a := h.Do("GET", path, nil, "X-API-Key", k.Key); a.Status != 303 {
			t.Errorf("a key opens the page %s: %d", path, a.Status)
		}
	}
}

func commandLine(t *testing.T) {
	h := start(t)
	run := func(want string, args ...string) string {
		t.Helper()
		code, stdout, stderr := h.Run("", args...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("latchkey %s: %d %s%s, want %q", strings.Join(args, " "), code, stdout, stderr, want)
		}
		return strings.TrimSpace(stdout)
	}
	text := run("lk_", "key", "create", "--name", "ci", "--group", "Administrators", "--tag", "build", "--expires", "90d", "--read-only")
	k := key{Key: text, Name: "ci"}
	soon(t, "the running server takes the key", func() bool { return h.call(k, "GET", "/api/user", nil).Status == 200 })
	run("ci", "key", "list", "--tag", "build")
	run(`"restriction":{"read_only":true}`, "key", "show", "ci", "--json")
	run("right", "key", "verify", "--offline", text)
	run("", "key", "disable", "ci", "--reason", "a test")
	soon(t, "the running server refuses the key", func() bool { return h.call(k, "GET", "/api/user", nil).Status == 401 })
	run("", "key", "enable", "ci")
	run("lk_", "key", "rotate", "ci", "--overlap", "1d")
	run("retiring", "key", "secrets", "ci")
	run("", "key", "policy", "set", "--max-days", "365", "--dry-run")
	run("", "key", "delete", "1")
	run("the chain is whole", "audit", "verify")
	run("api-key.delete", "audit", "list")
}

// document is as much of an OpenAPI document as is looked at.
type document struct {
	OpenAPI string
	Paths   map[string]map[string]json.RawMessage
}

func openAPI(t *testing.T) {
	h := start(t)
	var routes struct{ Routes []struct{ Route string } }
	h.Want(200, &routes, "GET", "/v1/vocabulary", nil)
	for _, place := range []string{"/v1/openapi.json", "/api/docs/openapi.json"} {
		var doc document
		h.Want(200, &doc, "GET", place, nil)
		if !strings.HasPrefix(doc.OpenAPI, "3.") || len(doc.Paths) == 0 {
			t.Errorf("%s is no document of OpenAPI: %q", place, doc.OpenAPI)
		}
		for _, r := range routes.Routes {
			method, path, _ := strings.Cut(r.Route, " ")
			own := strings.HasPrefix(path, "/v1/")
			if own == (place == "/v1/openapi.json") && doc.Paths[path][strings.ToLower(method)] == nil {
				t.Errorf("%s lacks %s", place, r.Route)
			}
		}
	}
	if a := h.Do("GET", "/v1/docs", nil); a.Status != 200 || !strings.Contains(a.Body, "/v1/keys") {
		t.Errorf("the readable form is answered %d", a.Status)
	}
}

func versioned(t *testing.T) {
	h := start(t)
	k := h.admins(body{"scopes": []string{"keys:read"}})
	h.problem(h.Do("GET", "/v1/keys", nil), 401, "unauthenticated")
	h.problem(h.call(k, "POST", "/v1/keys", body{"name": "x"}), 403, "scope")
	h.problem(h.asAdmin("GET", "/v1/keys/999", nil), 404, "not-found")
	h.problem(h.asAdmin("GET", "/v1/nothing", nil), 404, "no-route")
	h.problem(h.asAdmin("PUT", "/v1/keys", body{}), 405, "method-not-allowed")
	h.problem(h.asAdmin("POST", "/v1/keys", body{"name": "x", "nonsense": "y"}), 400, "invalid") // a typo is no wish
	h.problem(h.asAdmin("GET", "/v1/keys?tga=x", nil), 400, "invalid")
	if a := h.asAdmin("GET", "/v1/keys/999", nil); a.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a problem is sent as %q", a.Header.Get("Content-Type"))
	}
	// The compatible API beside it keeps its own words.
	if a := h.Do("GET", "/api/api-key", nil); a.Status != 401 || a.Body != "Unauthenticated" {
		t.Errorf("under /api an anonymous caller is answered %d %q", a.Status, a.Body)
	}
	if a := h.asAdmin("POST", "/api/api-key", body{"name": "x", "group_id": 1, "unknown": true}); a.Status != 200 {
		t.Errorf("under /api an unknown member is answered %d", a.Status)
	}
}

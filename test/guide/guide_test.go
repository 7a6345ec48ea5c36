// Package guide_test runs the examples of docs/api-keys.md as they stand there,
// apart from the key, against the built binary on the port they name.
package guide_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// The examples name the default port, so no test may run beside this one.
const address = "127.0.0.1:3000"

// example returns the code of the docs page in a language that begins with a
// text.
func example(t *testing.T, language, text string) string {
	t.Helper()
	root, err := apptest.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "api-keys.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(page), "\n```") {
		code, ok := strings.CutPrefix(part, language+"\n")
		if i%2 == 1 && ok && strings.HasPrefix(code, text) {
			return code + "\n"
		}
	}
	t.Fatalf("docs/api-keys.md has no %s example that begins with %q", language, text)
	return ""
}

// takePort waits until no other run of the tests holds the port, and keeps it
// for this one.
func takePort(t *testing.T) {
	t.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("latchkey-test-port-3000-%d.lock", os.Getuid()))
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			var l net.Listener
			if l, err = net.Listen("tcp", address); err == nil {
				_ = l.Close()
				return
			}
			_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the examples need port 3000; stop the program that uses it (%v)", err)
		}
	}
}

// program demands a program, by the name of its Debian package.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	}
	return path
}

// output runs a program in an empty directory and returns what it printed.
func output(t *testing.T, env []string, path string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &errs
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}, env...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	return out.String()
}

func TestGuide(t *testing.T) {
	takePort(t)
	s := apptest.Start(t, apptest.Options{Listen: address})
	s.Setup()
	s.Group("Reporting")
	_, admin := s.Key("admin", access.Administrators)
	_, plain := s.Key("plain", access.AllUsers)

	t.Run("curl", func(t *testing.T) { curl(t, admin) })
	t.Run("curl without permission", func(t *testing.T) {
		script := strings.Replace(example(t, "sh", "curl "), "YOUR_API_KEY", plain, 1)
		if got := runCurl(t, script); got != "You don't have permissions to do that." {
			t.Errorf("%q", got)
		}
	})
	t.Run("curl with a wrong key", func(t *testing.T) {
		if got := runCurl(t, example(t, "sh", "curl ")); got != "Unauthenticated" {
			t.Errorf("%q", got)
		}
	})
	t.Run("JavaScript", func(t *testing.T) { javaScript(t, admin) })
}

func runCurl(t *testing.T, script string) string {
	t.Helper()
	program(t, "curl", "curl")
	// bash reads no file of its own here, and curl prints no progress to a
	// file: what is printed is the answer.
	return output(t, nil, program(t, "bash", "bash"), "--noprofile", "--norc", "-c", script)
}

func curl(t *testing.T, key string) {
	script := strings.Replace(example(t, "sh", "curl "), "YOUR_API_KEY", key, 1)
	const named = "'http://localhost:3000/"
	if strings.Count(script, named) != 1 {
		t.Fatalf("the example does not name localhost:\n%s", script)
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		answer := runCurl(t, strings.Replace(script, "localhost", host, 1))
		var groups []struct {
			ID          int64
			Name        string
			MemberCount *int `json:"member_count"`
		}
		if err := json.Unmarshal([]byte(answer), &groups); err != nil {
			t.Fatalf("%s: %v\n%s", host, err, answer)
		}
		names := map[string]int64{}
		for _, g := range groups {
			names[g.Name] = g.ID
			if g.MemberCount == nil {
				t.Errorf("%s: group %s has no member_count", host, g.Name)
			}
		}
		if len(groups) != 3 || names["All Users"] != 1 || names["Administrators"] != 2 || names["Reporting"] < 3 {
			t.Errorf("%s: %s", host, answer)
		}
	}
}

// javaScript runs the example as it stands, and in the words of Metabase's
// guide, whose code it is.
func javaScript(t *testing.T, key string) {
	node := program(t, "node", "nodejs")
	export := strings.TrimSpace(strings.Replace(example(t, "sh", "export "), "YOUR_API_KEY", key, 1))
	name, value, ok := strings.Cut(strings.TrimPrefix(export, "export "), "=")
	if !ok {
		t.Fatal(export)
	}
	code := example(t, "js", "// The key")
	for _, product := range []string{"Latchkey", "Metabase"} {
		file := filepath.Join(t.TempDir(), "api-test.js")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(code, "Latchkey", product)), 0o600); err != nil {
			t.Fatal(err)
		}
		got := output(t, []string{name + "=" + strings.Trim(value, `"`)}, node, file)
		for _, want := range []string{"Groups in your " + product + ": [", "name: 'All Users'", "name: 'Administrators'", "name: 'Reporting'"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in:\n%s", want, got)
			}
		}
	}
}

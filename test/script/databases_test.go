package script_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// TestCommandsBesideServer runs the commands that change things while a server
// has the same database open: it takes the changes within a second.
func TestCommandsBesideServer(t *testing.T) {
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := apptest.Start(t, apptest.Options{Kind: kind})
			s.Setup()
			key := strings.TrimSpace(run(t, s, `^lk_\w{44}\n$`, "key", "create", "--name", "ci", "--group", "Administrators"))
			s.Want(200, nil, "GET", "/api/api-key", nil, "X-Api-Key", key)
			run(t, s, `\n1 +ci +Administrators +`, "key", "list")
			run(t, s, `works: key "ci", groups All Users, Administrators\n$`, "key", "verify", key)
			run(t, s, `works at `+regexp.QuoteMeta(s.URL)+`: key "ci"\n$`, "key", "verify", key, "--url", s.URL)
			run(t, s, `^http://127.0.0.1:3000/auth/reset_password/`, "user", "reset-password", apptest.AdminEmail)
			run(t, s, `^Key 1 is deleted.\n$`, "key", "delete", "1")
			for begin := time.Now(); s.Do("GET", "/api/api-key", nil, "X-Api-Key", key).Status != 401; time.Sleep(5 * time.Millisecond) {
				if time.Since(begin) > time.Second {
					t.Fatal("the deleted key works after a second")
				}
			}
			run(t, s, `^\d+ entries, the chain is whole\nhead \d+:[0-9a-f]{64}\n$`, "audit", "verify")
		})
	}
}

// run runs a command that must succeed and print what the pattern says.
func run(t *testing.T, s *apptest.Server, pattern string, args ...string) string {
	t.Helper()
	code, out, errs := s.Run("", args...)
	if code != 0 || !regexp.MustCompile(pattern).MatchString(out) {
		t.Fatalf("latchkey %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

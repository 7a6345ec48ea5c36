package seed

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/apikey"
	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// each runs a test with each database.
func each(t *testing.T, f func(t *testing.T, k dbtest.Kind)) {
	for _, k := range dbtest.Kinds() {
		t.Run(string(k), func(t *testing.T) { f(t, k) })
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hashed returns a seed file that knows a key by its hash alone.
func hashed(t *testing.T, text, more string) string {
	t.Helper()
	d, err := digest(text)
	if err != nil {
		t.Fatal(err)
	}
	return `version: 1
groups: [{name: Reporting}]
people: [{email: ada@example.com, groups: [Administrators]}]
keys:
  - {name: Nightly export, groups: [Administrators, Reporting], owner: ada@example.com, restriction: {read_only: true}, hash: "` + d.String() + `"}
` + more
}

// current asks who the caller is, and demands a status.
func current(s *apptest.Server, status int, text string) {
	s.Want(status, nil, "GET", "/api/user/current", nil, "X-Api-Key", text)
}

// table returns how many rows a table has.
func table(s *apptest.Server, name string) int { return len(s.Dump()[name]) }

func TestSeedAtStart(t *testing.T) {
	each(t, func(t *testing.T, k dbtest.Kind) {
		text := apikey.NewText("lk_").Reveal()
		file := write(t, "seed.yaml", hashed(t, text, ""))
		s := apptest.Start(t, apptest.Options{Kind: k, Env: []string{"LATCHKEY_SEED_FILE=" + file}})
		current(s, 200, text)
		s.Want(403, nil, "POST", "/api/permissions/group", map[string]any{"name": "x"}, "X-Api-Key", text)
		if strings.Contains(s.Log(), text) {
			t.Error("the key is in the log")
		}
		for name, rows := range s.Dump() {
			if strings.Contains(strings.Join(rows, "\n"), text) {
				t.Errorf("the key is in the table %s", name)
			}
		}
		audit, changes := table(s, "audit"), table(s, "change_log")
		s.Stop()

		s = apptest.Start(t, apptest.Options{Kind: k, DataDir: s.DataDir, URL: s.DBURL, Env: []string{"LATCHKEY_SEED_FILE=" + file}})
		current(s, 200, text)
		if a, c := table(s, "audit"), table(s, "change_log"); a != audit || c != changes {
			t.Errorf("the second start left traces: %d and %d rows, then %d and %d", audit, changes, a, c)
		}
	})
}

func TestDriftAndPrune(t *testing.T) {
	each(t, func(t *testing.T, k dbtest.Kind) {
		text := apikey.NewText("lk_").Reveal()
		s := apptest.Start(t, apptest.Options{Kind: k})
		s.Setup()
		file := write(t, "seed.yaml", hashed(t, text, "  - {name: Old, hash: "+digestText(t)+"}\n"))
		want := func(code int, in string, args ...string) {
			t.Helper()
			got, out, errs := s.Run("", append([]string{"seed"}, args...)...)
			if got != code || !strings.Contains(out+errs, in) {
				t.Errorf("seed %v: %d\n%s%s", args, got, out, errs)
			}
		}
		want(1, `+ key "Nightly export"`, "diff", file)
		want(0, "3 created", "apply", file)
		await(t, s, 200, text)
		want(0, "", "diff", file)
		if err := os.WriteFile(file, []byte(hashed(t, text, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		want(1, `- key "Old": is gone from the file and stays`, "diff", file)
		want(0, "0 removed", "apply", file)
		want(0, "1 removed", "apply", "--prune", file)
		want(0, "", "diff", file)

		// Another secret is a rotation: the key stays the same, its old text ends.
		next := apikey.NewText("lk_").Reveal()
		if err := os.WriteFile(file, []byte(hashed(t, next, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		want(0, `~ key "Nightly export": secret replaced`, "apply", file)
		await(t, s, 401, text)
		current(s, 200, next)

		// What an administrator has ended does not come back.
		var keys []struct {
			ID   int64
			Name string
		}
		s.Admin(200, &keys, "GET", "/api/api-key", nil)
		s.Admin(204, nil, "DELETE", "/api/api-key/"+strconv.FormatInt(keys[0].ID, 10), nil)
		want(0, `! key "Nightly export": was deleted here`, "apply", file)
		current(s, 401, next)
	})
}

func TestNodesStartAtOnce(t *testing.T) {
	text := apikey.NewText("lk_").Reveal()
	file := write(t, "seed.yaml", hashed(t, text, ""))
	url, pepper := dbtest.Postgres(t), "LATCHKEY_PEPPER="+strings.Repeat("0123456789abcdef", 4)
	first := make([]*apptest.Server, 3)
	dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}
	var all sync.WaitGroup
	for i := range first {
		all.Go(func() {
			first[i] = apptest.Start(t, apptest.Options{Kind: dbtest.PostgreSQL, URL: url, DataDir: dirs[i], Env: []string{"LATCHKEY_SEED_FILE=" + file, pepper}})
		})
	}
	all.Wait()
	made := 0
	for _, s := range first {
		current(s, 200, text)
		made += strings.Count(s.Log(), "the seed file was applied")
	}
	if made != 3 {
		t.Errorf("%d things were made, want 3", made)
	}
}

func TestBootstrapKey(t *testing.T) {
	each(t, func(t *testing.T, k dbtest.Kind) {
		text := apikey.NewText("lk_").Reveal()
		env := []string{"LATCHKEY_BOOTSTRAP_KEY=" + text}
		s := apptest.Start(t, apptest.Options{Kind: k, Env: env})
		s.Want(200, nil, "POST", "/api/permissions/group", map[string]any{"name": "Reporting"}, "X-Api-Key", text)
		s.Setup()
		current(s, 401, text)
		s.Stop()
		s = apptest.Start(t, apptest.Options{Kind: k, DataDir: s.DataDir, URL: s.DBURL, Env: env})
		current(s, 401, text)
	})
}

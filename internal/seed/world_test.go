package seed_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/seed"
	"latchkey/internal/setting"
	"latchkey/internal/usage"
)

var root = access.CommandLine()

// world is one node with the domain put together.
type world struct {
	*seed.Service
	t        *testing.T
	db       *db.DB
	clock    *clock.Fake
	settings *setting.Service
	groups   *group.Service
	people   *people.Service
	keys     *apikey.Service
	verifier *apikey.Verifier
}

func start() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// words are some routes that a restriction may name.
func words() *access.Vocabulary {
	return access.NewVocabulary(access.DeclaredRoute{Route: "GET /api/user/{id}", Policy: access.Policy{Scope: access.Scope{Resource: "people", Verb: access.Read}}, Names: []string{"people"}})
}

func node(t *testing.T, p dbtest.Place, c *clock.Fake) *world {
	t.Helper()
	w := &world{t: t, clock: c, db: p.Open(t, dbtest.WithClock(c))}
	ctx, quiet, log := t.Context(), slog.New(slog.DiscardHandler), audit.New(w.db)
	peppers, err := apikey.OpenPeppers(ctx, w.db, apikey.PepperSource{Text: secret.New(strings.Repeat("0123456789abcdef", 4))})
	if err != nil {
		t.Fatal(err)
	}
	if w.settings, err = setting.New(ctx, w.db, log, nil); err != nil {
		t.Fatal(err)
	}
	if w.groups, err = group.New(ctx, w.db, log, quiet); err != nil {
		t.Fatal(err)
	}
	w.people = people.New(people.Deps{DB: w.db, Audit: log, Groups: w.groups, Settings: w.settings, Mail: mail.New(mail.Config{}), Log: quiet, Options: people.Options{CheapHashes: true}})
	use := usage.New(w.db, quiet, usage.Options{})
	w.keys = apikey.New(apikey.Deps{
		DB: w.db, Audit: log, People: w.people, Groups: w.groups, Usage: use, Peppers: peppers,
		Prefix: func() string { return "lk_" }, Vocabulary: words, HasSetting: w.settings.Has,
	})
	w.verifier = apikey.NewVerifier(w.db, peppers, w.people.Subjects(), use, quiet)
	w.Service = seed.New(seed.Deps{DB: w.db, Groups: w.groups, People: w.people, Keys: w.keys})
	return w
}

// each runs a test on both databases.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) { f(t, node(t, p, clock.NewFake(start()))) })
}

// The texts of keys, plainly made up.
const (
	textA = "made-up-secret-of-key-a-0123456789"
	textB = "made-up-secret-of-key-b-0123456789"
	pass  = "correct horse 42"
)

// environ is the environment that the tests' files are read with.
var environ = []string{"KEY_A=" + textA, "KEY_B=" + textB, "PASSWORD=" + pass, "SHORT=elevenchars", "MB=mb_prod1-made-up-key", "MB2=mb_prod2-made-up-key"}

func parse(t *testing.T, text string) *seed.File {
	t.Helper()
	f, err := seed.Parse("seed.yaml", strings.NewReader(text), environ)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// apply applies a file and returns the steps that are no "unchanged", as text.
func (w *world) apply(text string, o seed.Options) string {
	w.t.Helper()
	file := parse(w.t, text)
	planned, err := w.Plan(w.t.Context(), file, o)
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	steps, err := w.Apply(w.t.Context(), file, o)
	if err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	if lines(planned) != lines(steps) {
		w.t.Errorf("planned\n%s\ndone\n%s", lines(planned), lines(steps))
	}
	return lines(seed.Drift(steps))
}

func lines(steps []seed.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return strings.Join(out, "\n")
}

// check verifies a key and demands a reason.
func (w *world) check(text string, want apikey.Reason) *access.Principal {
	w.t.Helper()
	c, err := w.verifier.Verify(w.t.Context(), text, netip.MustParseAddr("127.0.0.1"))
	if err != nil || c.Reason != want {
		w.t.Errorf("%s…: %v, %v; want %v", text[:7], c.Reason, err, want)
	}
	return c.Principal
}

// traces counts what changes leave: audit entries, change-log rows, rows of seeds.
func (w *world) traces() [3]int {
	w.t.Helper()
	var out [3]int
	for i, table := range []string{"audit", "change_log", "seed_item"} {
		n, err := db.One(w.t.Context(), w.db, db.Scalar[int], "SELECT count(*) FROM "+table)
		if err != nil {
			w.t.Fatal(err)
		}
		out[i] = n
	}
	return out
}

func (w *world) key(name string) apikey.Key {
	w.t.Helper()
	list, _, err := w.keys.List(w.t.Context(), root, apikey.Filter{Query: name})
	if err != nil || len(list) != 1 {
		w.t.Fatalf("key %q: %d keys, %v", name, len(list), err)
	}
	return list[0]
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", what, got, want)
	}
}

func (w *world) person(email string) int64 {
	w.t.Helper()
	u, err := w.people.ByEmail(w.t.Context(), root, email)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.ID
}

func (w *world) group(name string) int64 {
	for _, g := range w.groups.Snapshot().ByName {
		if g.Name == name {
			return g.ID
		}
	}
	w.t.Fatalf("there is no group %q", name)
	return 0
}

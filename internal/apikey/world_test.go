package apikey_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/setting"
	"latchkey/internal/usage"
)

const day = 24 * time.Hour

var (
	admin = access.CommandLine()
	here  = netip.MustParseAddr("192.0.2.7")

	// start is when fake clocks begin: a Monday.
	start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
)

// node is one process's view of a database.
type node struct {
	db       *db.DB
	clock    *clock.Fake // nil where the machine's clock runs
	log      *audit.Log
	lines    *lines
	groups   *group.Service
	people   *people.Service
	usage    *usage.Service
	keys     *apikey.Service
	verifier *apikey.Verifier
}

func randomPepper() secret.Text {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return secret.New(hex.EncodeToString(b))
}

// vocabulary is some routes that restrictions may name.
func vocabulary() *access.Vocabulary {
	return access.NewVocabulary(
		access.DeclaredRoute{Route: "GET /api/user", Policy: access.Admin("people", access.Read)},
		access.DeclaredRoute{
			Route: "PUT /api/user/{id}", Policy: access.Admin("people", access.Write).Naming("people", "id"),
			Names: []string{"people"}, Fields: []string{"first_name", "last_name"},
		},
		access.DeclaredRoute{Route: "GET /api/permissions/group", Policy: access.Admin("groups", access.Read)},
		access.DeclaredRoute{
			Route: "GET /api/member", Policy: access.Admin("people", access.Read).Touching("groups"), Names: []string{"people", "groups"},
			Instead: []string{"groups"}, Extra: []access.Scope{{Resource: "groups", Verb: access.Read}},
		},
		access.DeclaredRoute{Route: "POST /api/api-key", Policy: access.Admin("keys", access.Write), Fields: []string{"name"}},
	)
}

func open(t *testing.T, d *db.DB, src apikey.PepperSource) *node {
	t.Helper()
	n := &node{db: d, log: audit.New(d), lines: &lines{}}
	ctx, quiet := t.Context(), slog.New(slog.DiscardHandler)
	peppers, err := apikey.OpenPeppers(ctx, d, src)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := setting.New(ctx, d, n.log, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n.groups, err = group.New(ctx, d, n.log, quiet); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(n.lines, nil))
	n.people = people.New(people.Deps{DB: d, Audit: n.log, Groups: n.groups, Settings: settings, Mail: mail.New(mail.Config{}), Log: quiet, Options: people.Options{CheapHashes: true}})
	n.usage = usage.New(d, quiet, usage.Options{})
	n.keys = apikey.New(apikey.Deps{
		DB: d, Audit: n.log, People: n.people, Groups: n.groups, Usage: n.usage, Peppers: peppers,
		Prefix:     func() string { return settings.String("api-key-prefix") },
		Vocabulary: vocabulary, HasSetting: func(name string) bool { return name == "site-name" }, Log: log,
	})
	n.verifier = apikey.NewVerifier(d, peppers, n.people.Subjects(), n.usage, log)
	return n
}

// each runs the test on both databases, by a clock that the test moves.
func each(t *testing.T, f func(t *testing.T, n *node)) {
	eachPlace(t, func(t *testing.T, at func(t *testing.T) *node) { f(t, at(t)) })
}

// eachPlace is each for tests with several nodes, or one that starts again.
func eachPlace(t *testing.T, f func(t *testing.T, node func(t *testing.T) *node)) {
	dbtest.EachPlace(t, func(t *testing.T, place dbtest.Place) {
		src, clk := apikey.PepperSource{Text: randomPepper()}, clock.NewFake(start)
		f(t, func(t *testing.T) *node {
			n := open(t, place.Open(t, dbtest.WithClock(clk)), src)
			n.clock = clk
			return n
		})
	})
}

func (n *node) create(t *testing.T, name string, groupID int64) (apikey.Key, string) {
	t.Helper()
	return n.make(t, apikey.Draft{Name: name, Groups: []int64{groupID}})
}

func (n *node) make(t *testing.T, d apikey.Draft) (apikey.Key, string) {
	t.Helper()
	k, text, err := n.keys.Make(t.Context(), admin, d)
	if err != nil {
		t.Fatal(err)
	}
	return k, text.Reveal()
}

func (n *node) get(t *testing.T, id int64) apikey.Key {
	t.Helper()
	k, err := n.keys.GetAny(t.Context(), admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (n *node) group(t *testing.T, name string) int64 {
	t.Helper()
	g, err := n.groups.Create(t.Context(), admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

// person makes a person and returns them as signed in.
func (n *node) person(t *testing.T, name string, groups ...int64) *access.Principal {
	t.Helper()
	u, err := n.people.Create(t.Context(), admin, people.NewUser{
		Email: strings.ToLower(name) + "@example.com", FirstName: &name, Groups: append([]int64{access.AllUsers}, groups...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return n.signedIn(t, u.ID)
}

func (n *node) signedIn(t *testing.T, id int64) *access.Principal {
	t.Helper()
	s, err := n.people.Subjects().Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return &access.Principal{Kind: access.Person, UserID: id, Name: s.Name, Email: s.Email, Groups: s.Groups}
}

// check verifies a text from here and demands a reason.
func (n *node) check(t *testing.T, what, text string, want apikey.Reason) *access.Principal {
	t.Helper()
	return n.checkFrom(t, what, text, here, want).Principal
}

func (n *node) checkFrom(t *testing.T, what, text string, from netip.Addr, want apikey.Reason) apikey.Check {
	t.Helper()
	c, err := n.verifier.Verify(t.Context(), text, from)
	if err != nil || c.Reason != want || (c.Principal != nil) != (want == apikey.Accepted) {
		t.Errorf("%s: %v, %v, %v; want %v", what, c.Principal, c.Reason, err, want)
	}
	return c
}

func (n *node) sweep(t *testing.T) {
	t.Helper()
	if err := n.keys.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (n *node) setPolicy(t *testing.T, groupID int64, p apikey.Policy) {
	t.Helper()
	if _, _, err := n.keys.SetPolicy(t.Context(), admin, groupID, p, apikey.Existing{}); err != nil {
		t.Fatal(err)
	}
}

// actions returns what the audit log says of an object, oldest first, and
// proves that the log is whole.
func (n *node) actions(t *testing.T, kind string, id int64) []string {
	t.Helper()
	entries := n.entries(t, kind, id)
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Action
	}
	return out
}

func (n *node) entries(t *testing.T, kind string, id int64) []audit.Record {
	t.Helper()
	entries, err := n.log.List(t.Context(), audit.Filter{ObjectKind: kind, ObjectID: id})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func wantActions(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the audit log says %q, want %q", got, want)
	}
}

func wantFault(t *testing.T, what string, err error, k fault.Kind, text string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != k || !strings.Contains(f.Error(), text) {
		t.Errorf("%s: %v, want %v with %q", what, err, k, text)
	}
}

// wantCode demands a fault with a code, and at a field if one is named.
func wantCode(t *testing.T, what string, err error, code, field string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Code != code || field != "" && f.Fields[field] == "" {
		t.Errorf("%s: %v, want the code %s at %q", what, err, code, field)
	}
}

func wantTime(t *testing.T, what string, got *time.Time, want time.Time) {
	t.Helper()
	switch {
	case want.IsZero() && got == nil:
	case got == nil || !got.Equal(want):
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func at(d time.Duration) time.Time { return start.Add(d) }

func end(d time.Duration) opt.Value[time.Time] { return opt.Of(at(d)) }

func ptr[T any](v T) *T { return &v }

// as returns a caller who is a key with a restriction.
func (n *node) as(t *testing.T, text string) *access.Principal {
	t.Helper()
	p := n.check(t, "the calling key", text, apikey.Accepted)
	if p == nil {
		t.Fatal("the calling key is refused")
	}
	return p
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, string(b))
	return len(b), nil
}

func (l *lines) with(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for _, s := range l.list {
		if strings.Contains(s, part) {
			count++
		}
	}
	return count
}

// scalar reads one value from the database.
func scalar[T any](t *testing.T, n *node, q string, args ...any) T {
	t.Helper()
	v, err := db.One(t.Context(), n.db, db.Scalar[T], q, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (n *node) exec(t *testing.T, q string, args ...any) {
	t.Helper()
	if _, err := n.db.Exec(t.Context(), q, args...); err != nil {
		t.Fatal(err)
	}
}

// touch makes the node read a key anew.
func (n *node) touch(t *testing.T, keyID int64) {
	t.Helper()
	err := n.db.InTx(t.Context(), func(ctx context.Context) error { return n.db.Record(ctx, db.ChangedKey, keyID) })
	if err != nil {
		t.Fatal(err)
	}
}

func groupsOf(k apikey.Key) string {
	var names []string
	for _, g := range k.Groups {
		names = append(names, g.Name)
	}
	return fmt.Sprint(names)
}

func supplied(text string) secret.Text { return secret.New(text) }

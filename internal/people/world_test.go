package people_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/setting"
)

// good is a password that every policy allows.
const good = "anythingUP12!!"

// outbox is a mailer that keeps what it is given.
type outbox struct {
	on   atomic.Bool
	mu   sync.Mutex
	sent []mail.Message
}

func (o *outbox) Configured() bool { return o.on.Load() }

func (o *outbox) Queue(m mail.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m)
	return nil
}

func (o *outbox) messages() []mail.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sent)
}

// world is one node with all that people needs.
type world struct {
	*people.Service
	t        testing.TB
	d        *db.DB
	clock    *clock.Fake
	log      *audit.Log
	groups   *group.Service
	settings *setting.Service
	box      *outbox
	root     *access.Principal
}

// newWorld puts a node together on a database whose clock is the fake one.
func newWorld(t testing.TB, d *db.DB, c *clock.Fake, opts ...func(*people.Options)) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: c, log: audit.New(d), box: &outbox{}, root: access.CommandLine()}
	var err error
	if w.settings, err = setting.New(t.Context(), d, w.log, nil); err != nil {
		t.Fatal(err)
	}
	if w.groups, err = group.New(t.Context(), d, w.log, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	o := people.Options{CheapHashes: true}
	for _, set := range opts {
		set(&o)
	}
	w.Service = people.New(people.Deps{DB: d, Audit: w.log, Groups: w.groups, Settings: w.settings, Mail: w.box, Options: o})
	t.Cleanup(func() { // as the server stops: after the last request, before the database
		if err := w.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// each runs a test on one node with each database.
func each(t *testing.T, f func(t *testing.T, w *world), opts ...func(*people.Options)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		f(t, newWorld(t, p.Open(t, dbtest.WithClock(c)), c, opts...))
	})
}

// eachPair runs a test on two nodes that share each database and the clock.
func eachPair(t *testing.T, f func(t *testing.T, one, two *world), opts ...func(*people.Options)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		f(t, newWorld(t, p.Open(t, dbtest.WithClock(c)), c, opts...), newWorld(t, p.Open(t, dbtest.WithClock(c)), c, opts...))
	})
}

// realHashes is for the tests of hashing itself.
func realHashes(o *people.Options) { o.CheapHashes = false }

func unthrottled(o *people.Options) { o.DisableThrottle = true }

func ptr(s string) *string { return &s }

func names(first, last string) people.NewUser {
	n := people.NewUser{Email: strings.ToLower(first) + "@example.com", FirstName: &first}
	if last != "" {
		n.LastName = &last
	}
	return n
}

// admin sets the instance up and returns its first person.
func (w *world) admin() *access.Principal {
	w.t.Helper()
	if err := w.SetupUnattended(w.t.Context(), "ada@example.com", secret.New(good), "Ada Lovelace"); err != nil {
		w.t.Fatal(err)
	}
	return w.signIn("ada@example.com")
}

// person makes a person with the password good and signs it in.
func (w *world) person(n people.NewUser) *access.Principal {
	w.t.Helper()
	n.Password = secret.New(good)
	if _, err := w.Create(w.t.Context(), w.root, n); err != nil {
		w.t.Fatal(err)
	}
	return w.signIn(n.Email)
}

func (w *world) signIn(email string) *access.Principal {
	w.t.Helper()
	_, who := w.session(email)
	return who
}

func (w *world) session(email string) (secret.Text, *access.Principal) {
	w.t.Helper()
	n, err := w.SignIn(w.t.Context(), email, secret.New(good), false)
	if err != nil {
		w.t.Fatal(err)
	}
	who := w.principal(n.Token)
	if who == nil {
		w.t.Fatal("a new session is not valid")
	}
	return n.Token, who
}

func (w *world) principal(token secret.Text) *access.Principal {
	w.t.Helper()
	who, err := w.Session(w.t.Context(), token.Reveal())
	if err != nil {
		w.t.Fatal(err)
	}
	return who
}

// keyUser makes a user as package apikey does.
func (w *world) keyUser(name string, groups ...int64) int64 {
	w.t.Helper()
	var id int64
	err := w.d.InTx(w.t.Context(), func(ctx context.Context) error {
		var err error
		if id, err = w.CreateKeyUser(ctx, name); err != nil {
			return err
		}
		_, err = w.groups.SetForUser(ctx, w.root, id, append([]int64{access.AllUsers}, groups...))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// actions returns the audit log, oldest first, as action and object name.
func (w *world) actions(prefix string) []string {
	w.t.Helper()
	if _, err := w.log.Verify(w.t.Context()); err != nil {
		w.t.Error(err)
	}
	records, err := w.log.List(w.t.Context(), audit.Filter{Limit: audit.MaxLimit})
	if err != nil {
		w.t.Fatal(err)
	}
	out := []string{}
	for _, r := range records {
		if strings.HasPrefix(r.Action, prefix) {
			out = append(out, r.Action+" "+r.ObjectName)
		}
	}
	return out
}

// wantFault checks kind and text: the message, or "field: text" of the only field.
func wantFault(t *testing.T, err error, kind fault.Kind, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v: %s", kind, text)
	}
	f := fault.As(err)
	got := f.Message
	if len(f.Fields) > 0 {
		parts := []string{}
		for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
			parts = append(parts, field+": "+f.Fields[field])
		}
		got = strings.Join(parts, "; ")
	}
	if f.Kind != kind || got != text {
		t.Errorf("got  %v: %s (%v)\nwant %v: %s", f.Kind, got, err, kind, text)
	}
}

const (
	textForbidden = "You don't have permissions to do that."
	textNotFound  = "Not found."
	textAllUsers  = "You cannot add or remove users to/from the 'All Users' group."
	textLastAdmin = "You cannot remove the last member of the 'Admin' group!"
)

package bulk_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/bulk"
	"latchkey/internal/clock"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/endpoint"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/setting"
)

var admin = access.CommandLine()

// world is the service over the real domain. There are the groups Analysts and
// Writers and the people ada (an administrator), bo and cy.
type world struct {
	t       *testing.T
	db      *db.DB
	clock   *clock.Fake
	groups  *group.Service
	people  *people.Service
	content *content.Service
	bulk    *bulk.Service
	ids     map[string]int64
}

// each runs a test on both databases.
func each(t *testing.T, f func(w *world)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		w := open(t, p)
		for _, name := range []string{"Analysts", "Writers"} {
			g, err := w.groups.Create(t.Context(), admin, name)
			check(t, err)
			w.ids[name] = g.ID
		}
		for name, groups := range map[string][]int64{"ada": {1, 2}, "bo": {1, w.ids["Analysts"]}, "cy": {1}} {
			u, err := w.people.Create(t.Context(), admin, people.NewUser{Email: name + "@example.com", Groups: groups})
			check(t, err)
			w.ids[name] = u.ID
		}
		f(w)
	})
}

// open puts the domain together over a place.
func open(t *testing.T, p dbtest.Place) *world {
	t.Helper()
	clk := clock.NewFake(time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC))
	w := &world{t: t, clock: clk, db: p.Open(t, dbtest.WithClock(clk)), ids: map[string]int64{}}
	record, log := audit.New(w.db), slog.New(slog.DiscardHandler)
	settings, err := setting.New(t.Context(), w.db, record, setting.Overrides{})
	check(t, err)
	w.groups, err = group.New(t.Context(), w.db, record, log)
	check(t, err)
	w.people = people.New(people.Deps{DB: w.db, Audit: record, Groups: w.groups, Settings: settings, Mail: mail.New(mail.Config{}), Options: people.Options{CheapHashes: true}})
	t.Cleanup(func() { check(t, w.people.Close(context.WithoutCancel(t.Context()))) })
	singles, err := endpoint.Compile(api.Endpoints(api.Services{People: w.people, Groups: w.groups, Settings: settings, Mail: mail.New(mail.Config{})}), api.Rules(w.people))
	check(t, err)
	w.content, err = content.New(t.Context(), w.db, record, log)
	check(t, err)
	w.content.KnowGroups(func(ctx context.Context, id int64) (bool, error) {
		name, err := w.groups.Name(ctx, id)
		return name != "", err
	})
	w.bulk = bulk.New(bulk.Deps{DB: w.db, Groups: w.groups, People: w.people, Content: w.content, Plan: api.Single(singles, w.groups)})
	return w
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do runs operations, which must be in order.
func (w *world) do(who *access.Principal, req bulk.Request, ops ...bulk.Operation) *bulk.Report {
	w.t.Helper()
	check(w.t, bulk.CheckOperations(ops))
	r, _, err := w.bulk.Do(w.t.Context(), who, ops, req)
	check(w.t, err)
	return r
}

// key is an administrator's key with a restriction.
func (w *world) key(r access.Restriction) *access.Principal {
	w.t.Helper()
	limits, err := r.Compile()
	check(w.t, err)
	return &access.Principal{Kind: access.ServiceKey, UserID: w.ids["ada"], KeyID: 7, Name: "key", Groups: []int64{1, 2}, Limits: limits}
}

func (w *world) join(group, user string) bulk.Operation {
	return bulk.Operation{Op: bulk.AddMembership, Group: bulk.Target{ID: w.ids[group]}, User: bulk.Target{ID: w.ids[user]}}
}

func (w *world) leave(group, user string) bulk.Operation {
	o := w.join(group, user)
	o.Op = bulk.RemoveMembership
	return o
}

// is compares the statuses and codes of a report: "ok failed:already-member".
func (w *world) is(what string, r *bulk.Report, want string) {
	w.t.Helper()
	got := make([]string, len(r.Results))
	for i, res := range r.Results {
		if got[i] = string(res.Status); res.Status == bulk.Failed {
			got[i] += ":" + res.Word()
		}
		if res.Index != i {
			w.t.Errorf("%s: result %d has the index %d", what, i, res.Index)
		}
	}
	if s := strings.Join(got, " "); s != want {
		w.t.Errorf("%s: got %q, want %q", what, s, want)
	}
}

// contents is all that calls may change, as text.
func (w *world) contents() string {
	w.t.Helper()
	var b strings.Builder
	for _, q := range []string{
		"SELECT id, email, coalesce(first_name, '-'), updated_at FROM users ORDER BY id",
		"SELECT id, name, member_count, updated_at FROM permission_group ORDER BY id",
		"SELECT id, group_id, user_id, 0 FROM membership ORDER BY id",
		"SELECT id, action, details, at FROM audit ORDER BY id",
		"SELECT seq, kind, id, at FROM change_log ORDER BY seq",
	} {
		rows, err := db.All(w.t.Context(), w.db, func(r db.Row) (string, error) {
			var v [4]any
			err := r.Scan(&v[0], &v[1], &v[2], &v[3])
			return fmt.Sprint(v), err
		}, q)
		check(w.t, err)
		b.WriteString(strings.Join(rows, "\n") + "\n\n")
	}
	return b.String()
}

func (w *world) members(group string) int64 {
	w.t.Helper()
	g, ok := w.groups.Snapshot().ByID(w.ids[group])
	if !ok {
		w.t.Fatalf("no group %s", group)
	}
	return g.MemberCount
}

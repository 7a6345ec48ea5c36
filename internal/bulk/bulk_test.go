package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/bulk"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

func atomic() bulk.Request        { return bulk.Request{Mode: bulk.Atomic} }
func eachItem() bulk.Request      { return bulk.Request{Mode: bulk.Each} }
func ref(name string) bulk.Target { return bulk.Target{Ref: name} }

func newGroup(name, ref string) bulk.Operation {
	return bulk.Operation{Op: bulk.CreateGroup, Name: name, Ref: ref}
}

func newPerson(email, ref string, groups ...bulk.Target) bulk.Operation {
	return bulk.Operation{Op: bulk.CreatePerson, Email: email, Ref: ref, Groups: groups}
}

func TestAtomicIsAllOrNothing(t *testing.T) {
	each(t, func(w *world) {
		before := w.contents()
		r := w.do(admin, atomic(), newGroup("New", ""), w.join("Writers", "bo"), w.join("Writers", "bo"), newGroup("Other", ""))
		w.is("a failure", r, "not-run not-run failed:already-member not-run")
		if r.Broken == nil || *r.Broken != 2 || r.Committed() {
			t := w.t
			t.Errorf("broken %v, committed %v", r.Broken, r.Committed())
		}
		if after := w.contents(); after != before {
			w.t.Errorf("a failed call changed something:\n%s\n%s", before, after)
		}
		r = w.do(admin, atomic(), newGroup("New", "g"), newPerson("di@example.com", "p", ref("g")),
			bulk.Operation{Op: bulk.AddMembership, Group: ref("g"), User: bulk.Target{ID: w.ids["bo"]}}, w.join("Writers", "bo"), w.leave("Analysts", "bo"))
		w.is("all", r, "ok ok ok ok ok")
		w.ids["New"] = r.Results[0].ID
		if n := w.members("New"); n != 2 {
			w.t.Errorf("New has %d members", n)
		}
		if u, err := w.people.Get(w.t.Context(), admin, r.Results[1].ID); err != nil || u.Email != "di@example.com" {
			w.t.Errorf("%+v, %v", u, err)
		}
		if w.members("Writers") != 1 || w.members("Analysts") != 0 {
			w.t.Error("counts are wrong")
		}
	})
}

func TestEachGoesOn(t *testing.T) {
	each(t, func(w *world) {
		r := w.do(admin, eachItem(),
			newGroup("New", "g"), newGroup("new", "again"), w.join("Writers", "bo"), w.join("Writers", "bo"), w.join("Writers", "cy"),
			bulk.Operation{Op: bulk.AddMembership, Group: ref("again"), User: bulk.Target{ID: w.ids["bo"]}},
			newPerson("bo@example.com", ""), newPerson("no address", ""), newPerson("di@example.com", "p", ref("g")),
			bulk.Operation{Op: bulk.RemoveMembership, Group: ref("g"), User: ref("p")},
			bulk.Operation{Op: bulk.RemoveMembership, Group: bulk.Target{ID: 2}, User: bulk.Target{ID: w.ids["ada"]}})
		w.is("each", r, "ok failed:invalid ok failed:already-member ok failed:ref-failed failed:invalid failed:invalid ok ok failed:invalid")
		if !r.Committed() || r.Count(bulk.OK) != 5 || w.members("Writers") != 2 {
			w.t.Errorf("%+v", r)
		}
		if text := fault.As(r.Results[6].Err()).Fields["email"]; !strings.Contains(text, "already in use") {
			w.t.Errorf("field %q", text)
		}
	})
}

func TestDryRunChangesNothing(t *testing.T) {
	each(t, func(w *world) {
		ops := []bulk.Operation{newGroup("New", "g"), newGroup("New", ""), newPerson("di@example.com", "p", ref("g")), w.join("Writers", "bo"),
			{Op: bulk.AddMembership, Group: ref("g"), User: bulk.Target{ID: w.ids["bo"]}}, w.leave("Writers", "cy")}
		for _, mode := range []bulk.Mode{bulk.Atomic, bulk.Each} {
			before := w.contents()
			r := w.do(admin, bulk.Request{Mode: mode, DryRun: true}, ops...)
			w.is(string(mode), r, "ok failed:invalid ok ok ok failed:not-found")
			for _, res := range r.Results {
				if res.ID != 0 {
					w.t.Errorf("%+v has the id of something that is not there", res)
				}
			}
			if after := w.contents(); after != before || r.Committed() {
				w.t.Errorf("a dry run changed something:\n%s\n%s", before, after)
			}
			if _, ok := w.groups.Snapshot().ByID(r.Results[0].ID); ok {
				w.t.Error("memory knows a group that is not there")
			}
		}
	})
}

// A restricted key may do in one call what it may do in single ones, and no more.
func TestRestrictedKeys(t *testing.T) {
	each(t, func(w *world) {
		id := func(name string) string { return fmt.Sprint(w.ids[name]) }
		for name, tt := range map[string]struct {
			r    access.Restriction
			want string
		}{
			"scope":     {access.Restriction{Scopes: []string{"memberships:write"}}, "ok failed:scope failed:scope ok failed:protected-admin"},
			"no scope":  {access.Restriction{Scopes: []string{"people:write", "passwords:write"}}, "failed:scope failed:scope ok failed:scope failed:scope"},
			"read only": {access.Restriction{ReadOnly: true}, "failed:read-only failed:read-only failed:read-only failed:read-only failed:read-only"},
			"group":     {access.Restriction{Resources: map[string][]string{"groups": {id("Writers")}}}, "ok failed:resource ok failed:resource failed:resource"},
			"person":    {access.Restriction{Resources: map[string][]string{"people": {id("cy")}}}, "failed:resource ok failed:resource failed:resource failed:resource"},
			"routes":    {access.Restriction{Routes: []string{"POST /api/permissions/group"}}, "failed:route ok failed:route failed:route failed:route"},
			"fields":    {access.Restriction{Fields: map[string][]string{"people": {"first_name"}}}, "ok ok failed:field ok failed:protected-admin"},
			"unread":    {access.Restriction{}, "ok ok ok ok ok"},
		} {
			r := w.do(w.key(tt.r), bulk.Request{Mode: bulk.Each, DryRun: true},
				w.join("Writers", "bo"), newGroup("New", ""), newPerson("di@example.com", ""), w.leave("Analysts", "bo"),
				bulk.Operation{Op: bulk.AddMembership, Group: bulk.Target{ID: 2}, User: bulk.Target{ID: w.ids["bo"]}})
			w.is(name, r, tt.want)
		}
		plain := &access.Principal{Kind: access.Person, UserID: w.ids["bo"], Groups: []int64{1}}
		w.is("a plain person", w.do(plain, eachItem(), w.join("Writers", "bo"), newGroup("New", "")), "failed:group failed:group")
		closed := w.key(access.Restriction{})
		closed.Limits = access.Closed()
		w.is("unreadable", w.do(closed, eachItem(), w.join("Writers", "bo")), "failed:restriction-unreadable")
		trying := w.key(access.Restriction{})
		trying.Trial = w.key(access.Restriction{ReadOnly: true}).Limits
		_, trial, err := w.bulk.Do(w.t.Context(), trying, []bulk.Operation{newGroup("Tried", "")}, atomic())
		if err != nil || trial == nil || trial.Code != access.CodeReadOnly {
			w.t.Errorf("trial %+v, %v", trial, err)
		}
	})
}

func TestCheckOperations(t *testing.T) {
	many := make([]bulk.Operation, bulk.MaxSteps+1)
	for i := range many {
		many[i] = newGroup("x", "")
	}
	invited := make([]bulk.Operation, 201)
	for i := range invited {
		invited[i] = bulk.Operation{Op: bulk.CreatePerson, Invite: true}
	}
	join := func(group, user bulk.Target) bulk.Operation {
		return bulk.Operation{Op: bulk.AddMembership, Group: group, User: user}
	}
	for field, ops := range map[string][]bulk.Operation{
		"operations":                 many,
		"invite":                     invited,
		"operations.0.group_id":      {join(ref("g"), bulk.Target{ID: 1}), newGroup("x", "g")},
		"operations.1.user_id":       {newGroup("x", "g"), join(bulk.Target{ID: 3}, ref("g"))},
		"operations.1.group_id":      {newPerson("x", "p"), join(ref("p"), bulk.Target{ID: 1})},
		"operations.1.ref":           {newGroup("x", "g"), newGroup("y", "g")},
		"operations.1.id":            {newGroup("x", "g"), {Op: bulk.Archive, Kind: "card", Item: ref("g")}},
		"operations.1.collection_id": {newGroup("x", "g"), {Op: bulk.Move, Kind: "card", Collection: ref("g")}},
		"operations.0.ref":           {{Op: bulk.AddMembership, Ref: "m"}},
		"operations.0.group_ids":     {newPerson("x", "", bulk.Target{ID: 3}, ref("g"))},
	} {
		if err := bulk.CheckOperations(ops); fault.As(err) == nil || fault.As(err).Fields[field] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := bulk.CheckOperations(nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing: %v", err)
	}
	if err := bulk.CheckOperations(many[:bulk.MaxSteps]); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
}

// A caller who goes away undoes a call in the mode atomic, and ends one in the
// mode each after the step under way.
func TestCallersWhoGoAway(t *testing.T) {
	each(t, func(w *world) {
		var ops []bulk.Operation
		for i := range 600 {
			ops = append(ops, newGroup(fmt.Sprintf("g%d", i), ""))
		}
		before := w.contents()
		ctx, leave := context.WithCancel(w.t.Context())
		req := bulk.Request{Mode: bulk.Atomic, Key: "a", Progress: func(done, _ int, _ []bulk.Result) {
			if done == 300 {
				leave()
			}
		}}
		if _, _, err := w.bulk.Do(ctx, admin, ops, req); !errors.Is(err, context.Canceled) {
			w.t.Errorf("atomic: %v", err)
		}
		if w.contents() != before {
			w.t.Error("a call that was left changed something")
		}
		ctx, leave = context.WithCancel(w.t.Context())
		req = bulk.Request{Mode: bulk.Each, Key: "b", Progress: func(int, int, []bulk.Result) { leave() }}
		r, _, err := w.bulk.Do(ctx, admin, ops, req)
		if err != nil || !r.Stopped || r.Count(bulk.OK) == 0 || r.Count(bulk.NotRun) == 0 {
			w.t.Fatalf("each: %v, %d done, %d not", err, r.Count(bulk.OK), r.Count(bulk.NotRun))
		}
		// The same call again goes on where it stopped.
		req.Progress = nil
		r, _, err = w.bulk.Do(w.t.Context(), admin, ops, req)
		if err != nil || r.Count(bulk.OK) != 600 || r.Replayed {
			w.t.Errorf("again: %v, %d done", err, r.Count(bulk.OK))
		}
	})
}

func TestIdempotency(t *testing.T) {
	each(t, func(w *world) {
		req := bulk.Request{Mode: bulk.Atomic, Key: "k", Print: [32]byte{1}}
		first := w.do(admin, req, newGroup("New", ""))
		after := w.contents()
		again := w.do(admin, req, newGroup("New", ""))
		if first.Replayed || !again.Replayed || again.Results[0].ID != first.Results[0].ID || w.contents() != after {
			w.t.Errorf("first %+v, again %+v", first, again)
		}
		other := req
		other.Print[0] = 2
		_, _, err := w.bulk.Do(w.t.Context(), admin, []bulk.Operation{newGroup("Other", "")}, other)
		if fault.As(err) == nil || fault.As(err).Code != "idempotency-key-reused" || !fault.Is(err, fault.Conflict) {
			w.t.Errorf("another call: %v", err)
		}
		// Keys are apart by caller.
		w.is("another caller", w.do(w.key(access.Restriction{}), other, newGroup("Other", "")), "ok")
		// A failed call is answered alike, until the day is over.
		req.Key = "failing"
		for _, replayed := range []bool{false, true} {
			r := w.do(admin, req, newGroup("New", ""))
			w.is("failing", r, "failed:invalid")
			if r.Replayed != replayed || r.Broken == nil {
				w.t.Errorf("%+v", r)
			}
		}
		w.clock.Advance(24 * time.Hour)
		if r := w.do(admin, req, newGroup("Newer", "")); r.Replayed || r.Broken != nil {
			w.t.Errorf("after a day: %+v", r)
		}
	})
}

func TestIdempotencyOfCallsAtOnce(t *testing.T) {
	each(t, func(w *world) {
		started, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		req := bulk.Request{Mode: bulk.Each, Key: "k"}
		var ops []bulk.Operation
		for i := range 400 {
			ops = append(ops, newGroup(fmt.Sprintf("g%d", i), ""))
		}
		go func() {
			slow, once := req, false
			slow.Progress = func(int, int, []bulk.Result) {
				if !once {
					once = true
					close(started)
					<-goOn
				}
			}
			_, _, err := w.bulk.Do(w.t.Context(), admin, ops, slow)
			ended <- err
		}()
		<-started
		if _, _, err := w.bulk.Do(w.t.Context(), admin, ops, req); fault.As(err) == nil || fault.As(err).Code != "idempotency-in-progress" {
			w.t.Errorf("at once: %v", err)
		}
		close(goOn)
		check(w.t, <-ended)
		if r := w.do(admin, req, ops...); !r.Replayed || r.Count(bulk.OK) != 400 {
			w.t.Errorf("afterwards: %+v", r)
		}
	})
}

// An answer outlives the process, and a call that died with its process goes
// on where it was.
func TestIdempotencyAcrossRestarts(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		w := open(t, p)
		req := bulk.Request{Mode: bulk.Each, Key: "k"}
		ops := []bulk.Operation{newGroup("a", "a"), newGroup("b", ""), newPerson("di@example.com", "", ref("a"))}
		first := w.do(admin, req, ops...)
		w = open(t, p)
		if r := w.do(admin, req, ops...); !r.Replayed || r.Results[2].ID != first.Results[2].ID {
			t.Errorf("after a restart: %+v", r)
		}
		died, leave := context.WithCancel(t.Context())
		req = bulk.Request{Mode: bulk.Each, Key: "l", Progress: func(int, int, []bulk.Result) { leave() }}
		ops = append(ops, make([]bulk.Operation, 300)...)
		ops[0], ops[1], ops[2] = newGroup("c", "c"), newGroup("d", ""), newPerson("ed@example.com", "e", ref("c"))
		for i := 3; i < len(ops); i++ {
			ops[i] = newGroup(fmt.Sprintf("g%d", i), "")
		}
		ops[len(ops)-1] = bulk.Operation{Op: bulk.RemoveMembership, Group: ref("c"), User: ref("e")}
		_, _, err := w.bulk.Do(died, admin, ops, req)
		check(t, err)
		_, err = w.db.Exec(t.Context(), "UPDATE bulk_call SET state = 'running' WHERE name = 'l'") // as if the process had died
		check(t, err)
		w, req.Progress = open(t, p), nil
		if _, _, err := w.bulk.Do(t.Context(), admin, ops, req); fault.As(err) == nil || fault.As(err).Code != "idempotency-in-progress" {
			t.Errorf("before the lease has run out: %v", err)
		}
		w.clock.Advance(3 * time.Minute)
		r := w.do(admin, req, ops...)
		if r.Count(bulk.OK) != len(ops) {
			t.Errorf("%d of %d done", r.Count(bulk.OK), len(ops))
		}
	})
}

// Many memberships take one short transaction.
func TestBulkIsFast(t *testing.T) {
	p := dbtest.NewPlace(t, dbtest.SQLite)
	w := open(t, p)
	const n = bulk.MaxSteps
	_, err := w.db.Exec(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO users (id, kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
		SELECT 1000 + i, 'person', 'p' || i || '@example.com', '', '', '', 0, 0 FROM n`, n)
	check(t, err)
	g, err := w.groups.Create(t.Context(), admin, "large")
	check(t, err)
	ops := make([]bulk.Operation, n)
	for i := range ops {
		ops[i] = bulk.Operation{Op: bulk.AddMembership, Group: bulk.Target{ID: g.ID}, User: bulk.Target{ID: int64(1001 + i)}}
	}
	start := time.Now()
	r := w.do(admin, bulk.Request{Mode: bulk.Atomic, Key: "k"}, ops...)
	t.Logf("%d memberships in %v", n, time.Since(start))
	if r.Count(bulk.OK) != n {
		t.Errorf("%d done", r.Count(bulk.OK))
	}
	start = time.Now()
	for i := range ops {
		ops[i].Op = bulk.RemoveMembership
	}
	if r := w.do(w.key(access.Restriction{Scopes: []string{"memberships:write"}}), atomic(), ops...); r.Count(bulk.OK) != n {
		t.Errorf("%d done", r.Count(bulk.OK))
	}
	t.Logf("%d ended by a restricted key in %v", n, time.Since(start))
	if size, err := db.One(t.Context(), w.db, db.Scalar[int], "SELECT length(answer) FROM bulk_call"); err != nil || size > 200_000 {
		t.Errorf("the answer takes %d bytes, %v", size, err)
	}
}

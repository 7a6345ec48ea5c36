package apikey_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
)

// Clocks that jump do not revive an expired key: not in this process, not
// after a start, not on another node. Only a new end given by hand does.
func TestClockJumpsDoNotReviveAnExpiredKey(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		n, ctx := node(t), t.Context()
		k, text := n.make(t, apikey.Draft{Name: "k", ExpiresAt: end(day)})
		n.check(t, "before its end", text, apikey.Accepted)
		n.clock.Advance(day - time.Microsecond)
		n.check(t, "at the last moment", text, apikey.Accepted)
		n.clock.Advance(time.Microsecond)
		n.check(t, "at its end", text, apikey.ExpiredKey)
		n.clock.Advance(-time.Hour)
		n.check(t, "after a jump back", text, apikey.ExpiredKey)
		n.touch(t, k.ID)
		n.check(t, "read anew before the end was noted", text, apikey.ExpiredKey)
		n.clock.Advance(time.Hour)
		n.sweep(t)
		n.sweep(t)
		if got := n.get(t, k.ID); got.ExpiredAt == nil || got.State(start) != apikey.Expired {
			t.Errorf("noted %+v", got)
		}
		n.clock.Advance(-time.Hour)
		n.touch(t, k.ID)
		n.check(t, "read anew after a jump back", text, apikey.ExpiredKey)
		again := node(t)
		again.check(t, "after a start", text, apikey.ExpiredKey)
		again.sweep(t)
		again.check(t, "after a start and its housekeeping", text, apikey.ExpiredKey)
		if _, err := n.keys.Update(ctx, admin, k.ID, apikey.Change{Name: opt.Of("renamed")}); err != nil {
			t.Fatal(err)
		}
		n.check(t, "renamed", text, apikey.ExpiredKey)
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.expire", "api-key.update")
		if e := n.entries(t, "api-key", k.ID)[1]; e.Kind != "system" {
			t.Errorf("who ended it: %+v", e.Actor)
		}

		k, err := n.keys.Update(ctx, admin, k.ID, apikey.Change{ExpiresAt: end(3 * day)})
		if err != nil || k.ExpiredAt != nil {
			t.Fatalf("%+v, %v", k, err)
		}
		n.check(t, "with a new end", text, apikey.Accepted)
		n.clock.Advance(3 * day)
		n.sweep(t)
		n.check(t, "after its new end", text, apikey.ExpiredKey)
	})
}

// Several nodes do the housekeeping at the same time, and each thing is done once.
func TestSweepOnSeveralNodes(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		a, b := node(t), node(t)
		var ids []int64
		for _, name := range []string{"one", "two", "three"} {
			k, _ := a.make(t, apikey.Draft{Name: name, ExpiresAt: end(2 * day)})
			ids = append(ids, k.ID)
			a.rotate(t, k.ID, apikey.Overlap{Until: ptr(at(day))})
			if _, err := a.keys.Disable(t.Context(), admin, k.ID, "x", ptr(at(day))); err != nil {
				t.Fatal(err)
			}
		}
		a.clock.Advance(2 * day)
		var all sync.WaitGroup
		for _, n := range nodes(a, b, a, b) {
			all.Go(func() { n.sweep(t) })
		}
		all.Wait()
		for _, id := range ids {
			got := a.actions(t, "api-key", id)
			slices.Sort(got)
			wantActions(t, got, "api-key.create", "api-key.disable", "api-key.enable", "api-key.expire", "api-key.rotate", "api-key.secret-retire")
		}
		if got := a.lines.with("will come to its end") + b.lines.with("will come to its end"); got != 0 {
			t.Errorf("%d warnings of ends that have passed", got)
		}
	})
}

// Each warning is given once, on one node, and again after a new end.
func TestWarningsBeforeTheEnd(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		a, b := node(t), node(t)
		ada := a.person(t, "Ada")
		k, _ := a.make(t, apikey.Draft{Name: "nightly", OwnerID: ada.UserID, ExpiresAt: end(100 * day)})
		a.make(t, apikey.Draft{Name: "for ever"})
		want := func(what string, days, n int) {
			t.Helper()
			a.sweep(t)
			b.sweep(t)
			if got := a.lines.with("will come to its end") + b.lines.with("will come to its end"); got != n {
				t.Errorf("%s: %d warnings, want %d", what, got, n)
			}
			if stored := scalar[*int](t, a, "SELECT warned_days FROM api_key WHERE id = ?1", k.ID); days == 0 && stored != nil || days > 0 && (stored == nil || *stored != days) {
				t.Errorf("%s: stored %v, want %d", what, stored, days)
			}
		}
		want("100 days before", 0, 0)
		a.clock.Advance(70 * day)
		want("30 days before", 30, 1)
		a.clock.Advance(20 * day)
		want("10 days before", 30, 1)
		a.clock.Advance(5 * day)
		want("5 days before", 7, 2)
		if got := a.lines.with("name=nightly owner=Ada"); got != 2 {
			t.Errorf("the log does not name the key and its owner: %q", a.lines.list)
		}
		a.clock.Advance(4*day + time.Hour)
		want("a day before", 1, 3)
		if _, err := a.keys.Update(t.Context(), admin, k.ID, apikey.Change{ExpiresAt: end(120 * day)}); err != nil {
			t.Fatal(err)
		}
		want("with a new end", 30, 4)
	})
}

func TestRunDoesTheHousekeepingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		k, _ := n.make(t, apikey.Draft{Name: "k", ExpiresAt: end(day)})
		n.clock.Advance(day)
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { n.keys.Run(ctx) })
		for deadline := time.Now().Add(5 * time.Second); n.get(t, k.ID).ExpiredAt == nil && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		stop()
		done.Wait()
		if n.get(t, k.ID).ExpiredAt == nil {
			t.Error("the end was not noted within 5 seconds")
		}
		if n.lines.with("housekeeping") != 0 {
			t.Errorf("the log says %q", n.lines.list)
		}
	})
}

// A bootstrap key is gone when a person is an administrator, or when its time
// is over: not only expired, so that nobody gives it a new end.
func TestBootstrapKeyEndsItself(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		draft := func(name string) apikey.Draft {
			return apikey.Draft{Name: name, Groups: []int64{access.Administrators}, Source: apikey.SourceBootstrap, ExpiresAt: end(2 * time.Hour)}
		}
		_, text := n.make(t, draft("first"))
		n.sweep(t)
		n.check(t, "before set-up", text, apikey.Accepted)
		ada := n.person(t, "Ada")
		n.sweep(t)
		n.check(t, "a person who is no administrator", text, apikey.Accepted)
		late, lateText := n.make(t, apikey.Draft{Name: "late", Groups: []int64{access.Administrators}, Source: apikey.SourceBootstrap, ExpiresAt: end(time.Hour)})
		n.clock.Advance(time.Hour)
		n.check(t, "at its end", lateText, apikey.ExpiredKey)
		n.sweep(t)
		n.check(t, "after its end", lateText, apikey.DeletedKey)
		wantActions(t, n.actions(t, "api-key", late.ID), "api-key.create", "api-key.delete")
		if e := n.entries(t, "api-key", late.ID)[1]; e.Kind != "system" || e.Details["reason"] != "its time is over" {
			t.Errorf("the audit log says %+v", e)
		}
		kept, keptText := n.create(t, "kept", access.Administrators)
		if _, err := n.groups.AddMember(t.Context(), admin, access.Administrators, ada.UserID); err != nil {
			t.Fatal(err)
		}
		n.sweep(t)
		n.check(t, "a person is an administrator", text, apikey.DeletedKey)
		n.check(t, "a key that people made", keptText, apikey.Accepted)
		if n.get(t, kept.ID).DeletedAt != nil {
			t.Error("a key that people made was deleted")
		}
	})
}

// EndBootstrap joins the transaction that sets the instance up: both or none.
func TestEndBootstrapJoinsATransaction(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		_, text := n.make(t, apikey.Draft{Name: "b", Groups: []int64{access.Administrators}, Source: apikey.SourceBootstrap})
		for _, fails := range []bool{true, false} {
			err := n.db.InTx(t.Context(), func(ctx context.Context) error {
				if err := n.keys.EndBootstrap(ctx, "set-up is done"); err != nil {
					return err
				}
				if fails {
					return context.Canceled
				}
				return nil
			})
			if (err != nil) != fails {
				t.Fatal(err)
			}
			n.check(t, "bootstrap key", text, map[bool]apikey.Reason{true: apikey.Accepted, false: apikey.DeletedKey}[fails])
		}
	})
}

// nodes is a list of nodes where "node" is the function that makes one.
func nodes(list ...*node) []*node { return list }

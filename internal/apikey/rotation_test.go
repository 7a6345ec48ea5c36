package apikey_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/usage"
)

func (n *node) rotate(t *testing.T, id int64, o apikey.Overlap) (apikey.Key, string) {
	t.Helper()
	k, text, err := n.keys.Rotate(t.Context(), admin, id, o)
	if err != nil {
		t.Fatal(err)
	}
	return k, text.Reveal()
}

// uses counts one request with a secret, as the APIs do.
func (n *node) uses(t *testing.T, c apikey.Check, from netip.Addr) {
	t.Helper()
	n.usage.Record(&usage.Use{
		KeyID: c.KeyID, SecretID: c.SecretID, Route: "GET /api/user", Status: 200, Addr: from, Agent: "test", At: n.clock.Now(),
	})
}

func TestRotationWithOverlap(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		n, ctx := node(t), t.Context()
		k, first := n.create(t, "k", access.AllUsers)
		k, second := n.rotate(t, k.ID, apikey.Overlap{Until: ptr(at(3 * day))})
		if k.Prefix != second[:7] {
			t.Errorf("the prefix shown is %s, want the newest text's %s", k.Prefix, second[:7])
		}
		old := n.checkFrom(t, "old text during the overlap", first, here, apikey.Accepted)
		fresh := n.checkFrom(t, "new text", second, here, apikey.Accepted)
		if old.KeyID != k.ID || fresh.KeyID != k.ID || old.SecretID == fresh.SecretID || !old.RetiresAt.Equal(at(3*day)) || !fresh.RetiresAt.IsZero() {
			t.Errorf("old %+v, new %+v", old, fresh)
		}
		elsewhere := netip.MustParseAddr("198.51.100.1")
		n.uses(t, old, here)
		n.uses(t, fresh, elsewhere)
		if by, err := n.usage.BySecret(ctx, k.ID); err != nil || by[old.SecretID].Addr != here || by[fresh.SecretID].Addr != elsewhere {
			t.Errorf("last use by secret %+v, %v", by, err)
		}
		_, _, err := n.keys.Rotate(ctx, admin, k.ID, apikey.Overlap{Until: ptr(at(5 * day))})
		wantFault(t, "a third live secret", err, fault.Conflict, "two live secrets")
		wantCode(t, "a third live secret", err, "rotation-under-way", "")

		n.clock.Advance(3 * day)
		n.check(t, "old text after the overlap, before it is noted", first, apikey.Retired)
		n.sweep(t)
		n.check(t, "old text after the overlap", first, apikey.Retired)
		n.clock.Advance(-2 * day)
		n.check(t, "old text after the clock jumped back", first, apikey.Retired)
		n.check(t, "new text still", second, apikey.Accepted)
		_, third := n.rotate(t, k.ID, apikey.Overlap{Until: ptr(n.clock.Now().Add(day))})
		n.check(t, "the second text, in its overlap", second, apikey.Accepted)
		n.check(t, "the third text", third, apikey.Accepted)
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.rotate", "api-key.secret-retire", "api-key.rotate")

		again := node(t)
		again.check(t, "the first text after a start", first, apikey.Retired)
		again.check(t, "the second text after a start", second, apikey.Accepted)
	})
}

func TestRegenerateEndsAllSecrets(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		k, first := n.create(t, "k", access.AllUsers)
		_, second := n.rotate(t, k.ID, apikey.Overlap{SilentDays: 5})
		_, third, err := n.keys.Regenerate(t.Context(), admin, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		n.check(t, "first text", first, apikey.Retired)
		n.check(t, "second text", second, apikey.Retired)
		n.check(t, "third text", third.Reveal(), apikey.Accepted)
		secrets, err := n.keys.Secrets(t.Context(), admin, k.ID)
		if err != nil || len(secrets) != 3 || !secrets[0].Live(start) || secrets[1].Live(start) || secrets[2].Live(start) {
			t.Errorf("secrets %+v, %v", secrets, err)
		}
		_, fourth := n.rotate(t, k.ID, apikey.Overlap{})
		n.check(t, "third text, replaced without overlap", third.Reveal(), apikey.Retired)
		n.check(t, "fourth text", fourth, apikey.Accepted)
	})
}

func TestOverlapThatIsRefused(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, text := n.create(t, "k", access.AllUsers)
		for name, c := range map[string]struct {
			o     apikey.Overlap
			field string
		}{
			"in the past": {apikey.Overlap{Until: ptr(start)}, "overlap_until"},
			"negative":    {apikey.Overlap{SilentDays: -1}, "silent_days"},
			"too long":    {apikey.Overlap{SilentDays: 366}, "silent_days"},
		} {
			_, _, err := n.keys.Rotate(ctx, admin, k.ID, c.o)
			if f := fault.As(err); f == nil || f.Fields[c.field] == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
		n.setPolicy(t, apikey.Instance, apikey.Policy{MaxOverlapDays: 7})
		_, _, err := n.keys.Rotate(ctx, admin, k.ID, apikey.Overlap{Until: ptr(at(8 * day))})
		wantCode(t, "longer than the policy allows", err, "policy-max-overlap", "overlap_until")
		n.check(t, "after refused rotations", text, apikey.Accepted)
		n.rotate(t, k.ID, apikey.Overlap{SilentDays: 300})
		c := n.checkFrom(t, "silence has the date of the policy", text, here, apikey.Accepted)
		if !c.RetiresAt.Equal(at(7 * day)) {
			t.Errorf("the old text ends at %v, want after 7 days", c.RetiresAt)
		}
	})
}

// A secret that is to end after some days of silence ends that long after the
// rotation or its own last use, whichever is later.
func TestSilenceRetiresASecret(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		used, usedText := n.create(t, "used", access.AllUsers)
		quiet, quietText := n.create(t, "quiet", access.AllUsers)
		n.uses(t, n.checkFrom(t, "before", quietText, here, apikey.Accepted), here)
		n.clock.Advance(20 * day)
		n.rotate(t, used.ID, apikey.Overlap{SilentDays: 5})
		n.rotate(t, quiet.ID, apikey.Overlap{SilentDays: 5})
		n.sweep(t)
		n.check(t, "a use long before the rotation is no silence after it", quietText, apikey.Accepted)

		n.clock.Advance(4 * day)
		n.uses(t, n.checkFrom(t, "used", usedText, here, apikey.Accepted), here)
		if err := n.usage.FlushNow(ctx); err != nil {
			t.Fatal(err)
		}
		n.sweep(t)
		n.check(t, "4 days of silence", quietText, apikey.Accepted)
		n.clock.Advance(day)
		n.sweep(t)
		n.check(t, "5 days of silence", quietText, apikey.Retired)
		n.check(t, "used yesterday", usedText, apikey.Accepted)
		n.clock.Advance(4 * day)
		n.sweep(t)
		n.check(t, "5 days after its last use", usedText, apikey.Retired)
		last := n.entries(t, "api-key", used.ID)
		if e := last[len(last)-1]; e.Action != "api-key.secret-retire" || e.Details["reason"] != "not used for 5 days" || e.Kind != "system" {
			t.Errorf("the audit log says %+v", e)
		}
	})
}

func TestRotating(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		var ids []int64
		for _, o := range []apikey.Overlap{{}, {Until: ptr(at(day))}, {SilentDays: 3}, {Until: ptr(at(time.Hour)), SilentDays: 3}} {
			k, _ := n.create(t, fmt.Sprint("k", len(ids)), access.AllUsers)
			n.rotate(t, k.ID, o)
			ids = append(ids, k.ID)
		}
		want := func(what string, want ...bool) {
			t.Helper()
			got, err := n.keys.Rotating(t.Context(), admin, ids)
			for i, id := range ids {
				if err != nil || got[id] != want[i] {
					t.Errorf("%s: key %d: %v, %v", what, i, got[id], err)
				}
			}
		}
		want("at once", false, true, true, true)
		n.clock.Advance(2 * time.Hour)
		want("after hours", false, true, true, false)
	})
}

func TestRetireSecret(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, first := n.create(t, "k", access.AllUsers)
		_, second := n.rotate(t, k.ID, apikey.Overlap{Until: ptr(at(day))})
		old := n.checkFrom(t, "old", first, here, apikey.Accepted).SecretID
		other, _ := n.create(t, "other", access.AllUsers)
		wantFault(t, "secret of another key", n.keys.RetireSecret(ctx, admin, other.ID, old), fault.NotFound, "Not found.")
		for range 2 {
			if err := n.keys.RetireSecret(ctx, admin, k.ID, old); err != nil {
				t.Fatal(err)
			}
		}
		n.check(t, "retired by hand", first, apikey.Retired)
		n.check(t, "the other secret", second, apikey.Accepted)
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.rotate", "api-key.secret-retire")
	})
}

// watch lets the node write down alarms until the test calls stop.
func (n *node) watch(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { n.keys.Watch(ctx, n.verifier) })
	return func() { cancel(); done.Wait() }
}

// logs waits for lines of the log, which are written after the commit that
// others see.
func (n *node) logs(t *testing.T, part string, want int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for n.lines.with(part) < want && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if got := n.lines.with(part); got != want {
		t.Errorf("%d lines with %q in the log, want %d", got, part, want)
	}
}

// alarms waits for a number of alarms in the audit log.
func (n *node) alarms(t *testing.T, keyID int64, want int) {
	t.Helper()
	count := func() int {
		have := 0
		for _, a := range n.actions(t, "api-key", keyID) {
			if a == "api-key.retired-secret-used" {
				have++
			}
		}
		return have
	}
	deadline := time.Now().Add(5 * time.Second)
	for count() < want && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if have := count(); have != want {
		t.Errorf("%d alarms, want %d", have, want)
	}
}

func TestRetiredSecretRaisesAnAlarm(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		n, ctx := node(t), t.Context()
		k, first := n.create(t, "nightly", access.AllUsers)
		other, otherText := n.create(t, "other", access.AllUsers)
		last, lastText := n.create(t, "last", access.AllUsers)
		for _, id := range []int64{k.ID, other.ID, last.ID} {
			n.rotate(t, id, apikey.Overlap{})
		}
		defer n.watch(t)()
		for range 50 {
			n.check(t, "retired", first, apikey.Retired)
		}
		n.check(t, "retired", otherText, apikey.Retired) // comes after the others
		n.alarms(t, other.ID, 1)
		n.alarms(t, k.ID, 1)
		if got := n.verifier.RetiredUses(); got != 51 {
			t.Errorf("%d uses of retired secrets are counted, want 51", got)
		}
		entries := n.entries(t, "api-key", k.ID)
		if e := entries[len(entries)-1]; e.Kind != "system" || e.RemoteAddr != here.String() || e.Details["key_prefix"] != first[:7] {
			t.Errorf("the audit log says %+v", e)
		}
		n.logs(t, "a retired secret of a key was used", 2)

		second := node(t)
		defer second.watch(t)()
		second.check(t, "within the hour, on another node", first, apikey.Retired)
		second.check(t, "comes after it", lastText, apikey.Retired)
		n.alarms(t, last.ID, 1)
		n.clock.Advance(time.Hour)
		second.check(t, "an hour later, on another node", otherText, apikey.Retired)
		n.alarms(t, other.ID, 2)
		n.alarms(t, k.ID, 1)

		list, err := n.keys.RecentAlarms(ctx, admin, start)
		if err != nil || len(list) != 3 || list[0].Key.ID != other.ID || list[2].Key.ID != k.ID || !list[2].Secret.TriedAt.Equal(start) {
			t.Errorf("%d alarms, %v", len(list), err)
		}
		if list, err = n.keys.RecentAlarms(ctx, admin, at(time.Minute)); err != nil || len(list) != 1 {
			t.Errorf("%d alarms of the last minutes, %v", len(list), err)
		}
		_, err = n.keys.RecentAlarms(ctx, n.person(t, "Ada"), start)
		wantFault(t, "alarms for everybody", err, fault.Forbidden, "")
	})
}

// A clock that jumps back revives no secret whose overlap was seen to end.
func TestClockRevivesNoSecret(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		k, old := n.create(t, "k", access.AllUsers)
		if _, _, err := n.keys.Rotate(t.Context(), admin, k.ID, apikey.Overlap{Until: ptr(at(time.Hour))}); err != nil {
			t.Fatal(err)
		}
		n.check(t, "within the overlap", old, apikey.Accepted)
		n.clock.Advance(2 * time.Hour)
		n.check(t, "after the overlap", old, apikey.Retired)
		n.clock.Advance(-2 * time.Hour)
		n.check(t, "after a jump back", old, apikey.Retired)
		n.touch(t, k.ID)
		n.check(t, "read anew", old, apikey.Retired)
	})
}

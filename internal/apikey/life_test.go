package apikey_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func TestCreateWithEverything(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		a, b := n.group(t, "Analysts"), n.group(t, "Builders")
		ada, bob := n.person(t, "Ada"), n.person(t, "Bob")
		restriction := access.Restriction{Scopes: []string{"people:read"}, Resources: map[string][]string{"people": {fmt.Sprint(ada.UserID)}}}
		k, text := n.make(t, apikey.Draft{
			Name: "export", Description: " nightly\r\nexport ", Groups: []int64{b, a}, OwnerID: ada.UserID, SuccessorID: bob.UserID,
			Tags: []string{"prod", "etl", "prod"}, Restriction: restriction, ExpiresAt: end(30 * day), Source: apikey.SourceSeed,
		})
		if k.Kind != apikey.KindService || k.Description != "nightly\nexport" || groupsOf(k) != "[Analysts Builders]" || k.Group.ID != a ||
			k.Owner.Name != "Ada" || k.Successor.Name != "Bob" || !slices.Equal(k.Tags, []string{"etl", "prod"}) ||
			!k.Restriction.Equal(restriction) || k.Source != "seed" || k.State(start) != apikey.Active {
			t.Errorf("created %+v", k)
		}
		wantTime(t, "end", k.ExpiresAt, at(30*day))
		c := n.checkFrom(t, "new key", text, here, apikey.Accepted)
		live, err := n.keys.Secrets(ctx, admin, k.ID)
		if err != nil || len(live) != 1 || c.KeyID != k.ID || c.SecretID != live[0].ID || c.Principal.SecretID != live[0].ID || !c.ExpiresAt.Equal(at(30*day)) {
			t.Errorf("check %+v, secrets %+v, %v", c, live, err)
		}
		if p := c.Principal; !p.InGroup(a) || !p.InGroup(b) || !p.Limits.Narrows() {
			t.Errorf("principal %+v", p)
		}

		k, err = n.keys.Update(ctx, admin, k.ID, apikey.Change{
			Description: opt.Of("new"), Groups: opt.Of([]int64{b}), OwnerID: opt.Of(bob.UserID), SuccessorID: opt.Null[int64](),
			Tags: opt.Of([]string{"x"}), ExpiresAt: opt.Null[time.Time](),
		})
		if err != nil || k.Description != "new" || groupsOf(k) != "[Builders]" || k.Owner.Name != "Bob" || k.Successor.ID != 0 ||
			!slices.Equal(k.Tags, []string{"x"}) || k.ExpiresAt != nil {
			t.Errorf("updated %+v, %v", k, err)
		}
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.update")
		last := n.entries(t, "api-key", k.ID)[1].Details
		if before, ok := last["previous"].(map[string]any); !ok || before["owner"] != "Ada" || before["description"] != "nightly\nexport" {
			t.Errorf("the audit log says %v", last)
		}
		if _, err := n.keys.Update(ctx, admin, k.ID, apikey.Change{Description: opt.Of("new")}); err != nil {
			t.Error(err)
		}
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.update")
	})
}

func TestDraftsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ada := n.person(t, "Ada")
		gone := n.person(t, "Gone")
		if err := n.people.Deactivate(t.Context(), admin, gone.UserID); err != nil {
			t.Fatal(err)
		}
		before := scalar[int](t, n, "SELECT (SELECT count(*) FROM api_key) + (SELECT count(*) FROM users) + (SELECT count(*) FROM audit)")
		for name, c := range map[string]struct {
			d     apikey.Draft
			field string
			code  string
		}{
			"long description":  {apikey.Draft{Description: strings.Repeat("x", 2001)}, "description", ""},
			"long tag":          {apikey.Draft{Tags: []string{strings.Repeat("x", 51)}}, "tags", ""},
			"blank tag":         {apikey.Draft{Tags: []string{" "}}, "tags", ""},
			"many tags":         {apikey.Draft{Tags: strings.Split(strings.Repeat("ab,cd,ef,", 7), ",")[:21]}, "tags", ""},
			"unknown owner":     {apikey.Draft{OwnerID: 999}, "owner_id", "unknown-person"},
			"inactive owner":    {apikey.Draft{OwnerID: gone.UserID}, "owner_id", "unknown-person"},
			"unknown successor": {apikey.Draft{SuccessorID: 999}, "successor_id", "unknown-person"},
			"own successor":     {apikey.Draft{OwnerID: ada.UserID, SuccessorID: ada.UserID}, "successor_id", ""},
			"end in the past":   {apikey.Draft{ExpiresAt: end(-time.Second)}, "expires_at", "in-the-past"},
			"unknown scope":     {apikey.Draft{Restriction: access.Restriction{Scopes: []string{"people:fly"}}}, "restriction.scopes", ""},
			"unknown route":     {apikey.Draft{Restriction: access.Restriction{Routes: []string{"GET /nowhere"}}}, "restriction.routes", ""},
			"unknown field":     {apikey.Draft{Restriction: access.Restriction{Fields: map[string][]string{"people": {"age"}}}}, "restriction.fields.people", ""},
			"missing resource":  {apikey.Draft{Restriction: access.Restriction{Resources: map[string][]string{"groups": {"77"}}}}, "restriction.resources", "unknown-resource"},
			"unknown setting":   {apikey.Draft{Restriction: access.Restriction{Resources: map[string][]string{"settings": {"x"}}}}, "restriction.resources", "unknown-resource"},
			"short text":        {apikey.Draft{Supplied: supplied("short")}, "key", ""},
		} {
			if c.d.Name == "" {
				c.d.Name = "refused"
			}
			if name == "many tags" {
				for i := range c.d.Tags {
					c.d.Tags[i] = fmt.Sprint("tag", i)
				}
			}
			_, _, err := n.keys.Make(t.Context(), admin, c.d)
			f := fault.As(err)
			if f == nil || f.Kind != fault.Invalid || f.Fields[c.field] == "" || f.Code != c.code {
				t.Errorf("%s: %v, want Invalid at %s with the code %q", name, err, c.field, c.code)
			}
		}
		if after := scalar[int](t, n, "SELECT (SELECT count(*) FROM api_key) + (SELECT count(*) FROM users) + (SELECT count(*) FROM audit)"); after != before {
			t.Errorf("refused drafts left %d rows", after-before)
		}
	})
}

// A deleted key stays as a row, so that its history has a name; its own name
// is free at once.
func TestDeletedKeyStaysInHistory(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, text := n.create(t, "export", access.Administrators)
		n.check(t, "before", text, apikey.Accepted)
		if err := n.keys.Delete(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		again, _ := n.create(t, "export", access.AllUsers)
		if again.ID <= k.ID || again.UserID == k.UserID {
			t.Errorf("ids were used again: %+v", again)
		}
		old := n.get(t, k.ID)
		if old.DeletedAt == nil || old.State(start) != apikey.Deleted || old.Name != "export" {
			t.Errorf("deleted key %+v", old)
		}
		_, err := n.keys.Get(ctx, admin, k.ID)
		wantFault(t, "get", err, fault.NotFound, "Not found.")
		list, total, err := n.keys.List(ctx, admin, apikey.Filter{State: apikey.Deleted})
		if err != nil || total != 1 || list[0].ID != k.ID {
			t.Errorf("deleted keys: %v, %v", list, err)
		}
		if _, total, _ = n.keys.List(ctx, admin, apikey.Filter{}); total != 1 {
			t.Errorf("%d keys are listed", total)
		}
		digest, err := apikey.DigestOf(supplied(text))
		if err != nil {
			t.Fatal(err)
		}
		found, x, err := n.keys.Find(ctx, admin, digest.Sum)
		if err != nil || found.ID != k.ID || x.Live(start) {
			t.Errorf("found %+v, %+v, %v", found, x, err)
		}
		calls := map[string]func() error{
			"update":  func() error { _, err := n.keys.Update(ctx, admin, k.ID, apikey.Change{}); return err },
			"rotate":  func() error { _, _, err := n.keys.Rotate(ctx, admin, k.ID, apikey.Overlap{}); return err },
			"disable": func() error { _, err := n.keys.Disable(ctx, admin, k.ID, "x", nil); return err },
			"enable":  func() error { _, err := n.keys.Enable(ctx, admin, k.ID); return err },
			"retire":  func() error { return n.keys.RetireSecret(ctx, admin, k.ID, x.ID) },
			"delete":  func() error { return n.keys.Delete(ctx, admin, k.ID) },
		}
		for name, call := range calls {
			wantFault(t, name, call(), fault.NotFound, "Not found.")
		}
	})
}

func TestDisableAndEnable(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		n := node(t)
		ctx := t.Context()
		k, text := n.create(t, "export", access.AllUsers)
		for reason, until := range map[string]time.Time{"": {}, " ": {}, strings.Repeat("x", 501): {}, "too late": start} {
			var end *time.Time
			if !until.IsZero() {
				end = &until
			}
			if _, err := n.keys.Disable(ctx, admin, k.ID, reason, end); !fault.Is(err, fault.Invalid) {
				t.Errorf("reason %.10q until %v: %v", reason, end, err)
			}
		}
		k, err := n.keys.Disable(ctx, admin, k.ID, " leaked? ", nil)
		if err != nil || k.DisabledReason != "leaked?" || k.State(start) != apikey.Disabled || k.DisabledBy.Name != "command line" {
			t.Fatalf("%+v, %v", k, err)
		}
		n.check(t, "disabled", text, apikey.DisabledKey)
		n.clock.Advance(400 * day)
		n.sweep(t)
		n.check(t, "disabled without an end", text, apikey.DisabledKey)
		if k, err = n.keys.Enable(ctx, admin, k.ID); err != nil || k.DisabledAt != nil || k.DisabledReason != "" {
			t.Fatalf("%+v, %v", k, err)
		}
		if _, err = n.keys.Enable(ctx, admin, k.ID); err != nil {
			t.Error(err)
		}
		n.check(t, "enabled", text, apikey.Accepted)

		if _, err = n.keys.Disable(ctx, admin, k.ID, "for a day", ptr(n.clock.Now().Add(day))); err != nil {
			t.Fatal(err)
		}
		n.check(t, "disabled for a day", text, apikey.DisabledKey)
		n.clock.Advance(day)
		n.check(t, "after the day", text, apikey.Accepted)
		n.sweep(t)
		n.sweep(t)
		if k := n.get(t, k.ID); k.DisabledAt != nil {
			t.Errorf("still disabled: %+v", k)
		}
		wantActions(t, n.actions(t, "api-key", k.ID),
			"api-key.create", "api-key.disable", "api-key.enable", "api-key.disable", "api-key.enable")
		last := n.entries(t, "api-key", k.ID)[4]
		if last.Kind != "system" || last.Details["reason"] != "the time is over" {
			t.Errorf("the audit log says %+v", last)
		}
		n.clock.Advance(-day)
		n.check(t, "after the clock jumped back", text, apikey.Accepted)
	})
}

// The reasons come in one order: of several that hold, the first is told.
func TestOrderOfReasons(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		elsewhere := netip.MustParseAddr("198.51.100.1")
		k, text := n.make(t, apikey.Draft{Name: "k", ExpiresAt: end(2 * day), Restriction: access.Restriction{
			Addresses: []string{"192.0.2.0/24"}, Hours: &access.Hours{Days: []string{"mon"}},
			RateLimit: &access.RateLimit{Requests: 1, Seconds: 3600}, Quota: &access.Quota{Requests: 3, Period: "day"},
		}})
		n.checkFrom(t, "from the wrong address", text, elsewhere, apikey.WrongAddress)
		n.check(t, "the one request of the hour", text, apikey.Accepted)
		n.check(t, "above the rate", text, apikey.RateLimited)
		n.checkFrom(t, "the address comes before the rate", text, elsewhere, apikey.WrongAddress)
		n.clock.Advance(day)
		n.check(t, "on Tuesday", text, apikey.OutsideHours)
		n.checkFrom(t, "the address comes before the hours", text, elsewhere, apikey.WrongAddress)
		err := n.db.InTx(ctx, func(ctx context.Context) error { return n.people.DeactivateKeyUser(ctx, k.UserID) })
		if err != nil {
			t.Fatal(err)
		}
		n.checkFrom(t, "the user is inactive", text, elsewhere, apikey.Inactive)
		if _, err := n.keys.Disable(ctx, admin, k.ID, "x", nil); err != nil {
			t.Fatal(err)
		}
		n.checkFrom(t, "disabled", text, elsewhere, apikey.DisabledKey)
		n.clock.Advance(day)
		n.checkFrom(t, "expired", text, elsewhere, apikey.ExpiredKey)
		if _, _, err := n.keys.Rotate(ctx, admin, k.ID, apikey.Overlap{}); err != nil {
			t.Fatal(err)
		}
		n.checkFrom(t, "retired", text, elsewhere, apikey.Retired)
		if err := n.keys.Delete(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		n.checkFrom(t, "deleted", text, elsewhere, apikey.DeletedKey)
	})
}

func TestByStateAndExpiring(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		n.create(t, "active", access.AllUsers)
		off, _ := n.create(t, "disabled", access.AllUsers)
		gone, _ := n.create(t, "deleted", access.AllUsers)
		for name, d := range map[string]time.Duration{"hours": 12 * time.Hour, "days": 5 * day, "weeks": 20 * day, "year": 300 * day, "over": time.Hour} {
			n.make(t, apikey.Draft{Name: name, ExpiresAt: end(d)})
		}
		if _, err := n.keys.Disable(ctx, admin, off.ID, "x", nil); err != nil {
			t.Fatal(err)
		}
		if err := n.keys.Delete(ctx, admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		n.clock.Advance(2 * time.Hour)
		for range 2 { // before and after the end is noted
			states, err := n.keys.ByState(ctx)
			if err != nil || fmt.Sprint(states) != "map[active:5 deleted:1 disabled:1 expired:1]" {
				t.Errorf("states %v, %v", states, err)
			}
			var got []int64
			for _, within := range []time.Duration{day, 7 * day, 30 * day} {
				c, err := n.keys.Expiring(ctx, within)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c)
			}
			if !slices.Equal(got, []int64{1, 2, 3}) {
				t.Errorf("within a day, a week and a month %v", got)
			}
			n.sweep(t)
		}
	})
}

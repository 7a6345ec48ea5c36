package apikey_test

import (
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// A restricted key never makes, changes or takes over a key that may do more
// than itself.
func TestRestrictedKeysMakeNoWiderKeys(t *testing.T) {
	own := access.Restriction{Scopes: []string{"keys:read", "keys:write", "people:read"}, Addresses: []string{"192.0.2.0/24"}}
	narrower := access.Restriction{Scopes: []string{"people:read"}, Addresses: []string{"192.0.2.7"}}
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		admins := []int64{access.Administrators}
		self, text := n.make(t, apikey.Draft{Name: "maker", Groups: admins, Restriction: own})
		wide, wideText := n.make(t, apikey.Draft{Name: "wide", Groups: admins})
		who := n.as(t, text)

		k, _, err := n.keys.Make(ctx, who, apikey.Draft{Name: "inherits"})
		if err != nil || !k.Restriction.Equal(own) {
			t.Errorf("without a restriction of its own: %+v, %v", k.Restriction, err)
		}
		if k, _, err = n.keys.Make(ctx, who, apikey.Draft{Name: "narrower", Restriction: narrower}); err != nil || !k.Restriction.Equal(narrower) {
			t.Errorf("narrower: %+v, %v", k.Restriction, err)
		}
		_, _, err = n.keys.Make(ctx, who, apikey.Draft{Name: "admin", Groups: admins})
		wantCode(t, "make an administrator", err, access.CodeProtectedAdmin, "")
		_, err = n.keys.Update(ctx, who, k.ID, apikey.Change{Groups: opt.Of(admins)})
		wantCode(t, "move to the administrators", err, access.CodeProtectedAdmin, "")
		for name, r := range map[string]access.Restriction{
			"another scope":      {Scopes: []string{"groups:read"}, Addresses: []string{"192.0.2.7"}},
			"all scopes":         {ReadOnly: true, Addresses: []string{"192.0.2.7"}},
			"everywhere":         {Scopes: []string{"people:read"}},
			"from a wider place": {Scopes: []string{"people:read"}, Addresses: []string{"192.0.0.0/16"}},
		} {
			_, _, err := n.keys.Make(ctx, who, apikey.Draft{Name: name, Restriction: r})
			wantCode(t, "make: "+name, err, "wider-than-caller", "")
			_, err = n.keys.SetRestriction(ctx, who, k.ID, r)
			wantCode(t, "restrict: "+name, err, "wider-than-caller", "")
			_, err = n.keys.SetRestriction(ctx, who, self.ID, r)
			wantCode(t, "restrict itself: "+name, err, "wider-than-caller", "")
		}
		for name, id := range map[string]int64{"taking a restriction away": k.ID, "taking its own away": self.ID} {
			_, err := n.keys.SetRestriction(ctx, who, id, access.Restriction{})
			wantCode(t, name, err, "wider-than-caller", "")
		}
		secrets, err := n.keys.Secrets(ctx, admin, wide.ID)
		if err != nil {
			t.Fatal(err)
		}
		for name, call := range map[string]func() error{
			"update":     func() error { _, err := n.keys.Update(ctx, who, wide.ID, apikey.Change{Name: opt.Of("x")}); return err },
			"regenerate": func() error { _, _, err := n.keys.Regenerate(ctx, who, wide.ID); return err },
			"rotate":     func() error { _, _, err := n.keys.Rotate(ctx, who, wide.ID, apikey.Overlap{}); return err },
			"enable":     func() error { _, err := n.keys.Enable(ctx, who, wide.ID); return err },
			"restrict":   func() error { _, err := n.keys.SetRestriction(ctx, who, wide.ID, narrower); return err },
			"trial":      func() error { _, err := n.keys.SetTrial(ctx, who, wide.ID, narrower); return err },
		} {
			wantCode(t, name, call(), "wider-than-caller", "")
		}
		n.check(t, "the wider key", wideText, apikey.Accepted)
		// To end a key gives nothing, so it is never refused.
		if err := n.keys.RetireSecret(ctx, who, wide.ID, secrets[0].ID); err != nil {
			t.Errorf("retiring a wider key's secret: %v", err)
		}
		n.check(t, "the wider key, retired", wideText, apikey.Retired)
		if _, err := n.keys.Disable(ctx, who, wide.ID, "found in a log", nil); err != nil {
			t.Errorf("disabling a wider key: %v", err)
		}
		if err := n.keys.Delete(ctx, who, wide.ID); err != nil {
			t.Errorf("deleting a wider key: %v", err)
		}
		if _, _, err := n.keys.Rotate(ctx, who, self.ID, apikey.Overlap{Until: ptr(at(day))}); err != nil {
			t.Errorf("rotating itself: %v", err)
		}
	})
}

// A restricted key must not enable a wider key by disabling it anew, until soon.
func TestRestrictedKeysEnableNothing(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		_, text := n.make(t, apikey.Draft{
			Name: "maker", Groups: []int64{access.Administrators}, Restriction: access.Restriction{Scopes: []string{"keys:write"}},
		})
		wide, wideText := n.create(t, "wide", access.Administrators)
		who := n.as(t, text)
		disable := func(who *access.Principal, until *time.Time) error {
			_, err := n.keys.Disable(ctx, who, wide.ID, "found in a log", until)
			return err
		}
		if err := disable(who, ptr(at(day))); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "an earlier end", disable(who, ptr(at(time.Hour))), "wider-than-caller", "")
		if err := disable(who, ptr(at(2*day))); err != nil {
			t.Errorf("a later end: %v", err)
		}
		if err := disable(who, nil); err != nil {
			t.Errorf("no end: %v", err)
		}
		wantCode(t, "an end where there is none", disable(who, ptr(at(time.Hour))), "wider-than-caller", "")
		n.clock.Advance(3 * day)
		n.sweep(t)
		n.check(t, "disabled for good", wideText, apikey.DisabledKey)
		if err := disable(admin, ptr(at(4*day))); err != nil {
			t.Errorf("an administrator gives an end: %v", err)
		}
	})
}

// A restriction takes effect at once, on trial it only reports, and a trial can
// be put in force.
func TestRestrictTrialEnforce(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, text := n.create(t, "k", access.Administrators)
		write := &access.Request{Policy: access.Admin("people", access.Write), Route: "PUT /api/user/{id}"}
		judge := func(what string) access.Verdict {
			t.Helper()
			v := access.Judge(n.check(t, what, text, apikey.Accepted), write)
			return v
		}
		trial := access.Restriction{ReadOnly: true}
		if _, err := n.keys.SetTrial(ctx, admin, k.ID, trial); err != nil {
			t.Fatal(err)
		}
		n.touch(t, k.ID)
		if v := judge("on trial"); v.Err != nil || v.Trial == nil || v.Trial.Code != access.CodeReadOnly {
			t.Errorf("on trial: %+v", v)
		}
		_, err := n.keys.SetTrial(ctx, admin, k.ID, access.Restriction{})
		wantFault(t, "an empty trial", err, fault.Invalid, "restricts something")
		k, err = n.keys.EnforceTrial(ctx, admin, k.ID)
		if err != nil || !k.Restriction.Equal(trial) || k.Trial != nil {
			t.Fatalf("%+v, %v", k, err)
		}
		if v := judge("in force"); v.Err == nil || v.Trial != nil {
			t.Errorf("in force: %+v", v)
		}
		_, err = n.keys.EnforceTrial(ctx, admin, k.ID)
		wantCode(t, "nothing on trial", err, "no-trial", "")
		_, err = n.keys.SetTrial(ctx, admin, k.ID, access.Restriction{Scopes: []string{"people:read"}})
		wantCode(t, "a trial that is wider", err, "trial-wider", "restriction")
		if _, err = n.keys.SetRestriction(ctx, admin, k.ID, access.Restriction{}); err != nil {
			t.Fatal(err)
		}
		if v := judge("taken away"); v.Err != nil {
			t.Errorf("taken away: %+v", v)
		}
		if _, err = n.keys.SetTrial(ctx, admin, k.ID, trial); err != nil {
			t.Fatal(err)
		}
		if k, err = n.keys.EndTrial(ctx, admin, k.ID); err != nil || k.Trial != nil || k.TrialSince != nil {
			t.Errorf("%+v, %v", k, err)
		}
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.trial", "api-key.restrict", "api-key.restrict", "api-key.trial", "api-key.trial-end")
	})
}

// What a restricted key makes or changes does not outlive it, and it only makes
// policies stricter.
func TestRestrictedKeysDoNotReachBeyondTheirEnd(t *testing.T) {
	own := access.Restriction{Scopes: []string{"keys:write", "policies:write"}}
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		self, text := n.make(t, apikey.Draft{Name: "maker", Groups: []int64{access.Administrators}, Restriction: own, ExpiresAt: opt.Of(at(10 * day))})
		who := n.as(t, text)
		k, _, err := n.keys.Make(ctx, who, apikey.Draft{Name: "child"})
		if err != nil || k.ExpiresAt == nil || !k.ExpiresAt.Equal(*self.ExpiresAt) {
			t.Errorf("a child without an end of its own ends at %v, %v; want %v", k.ExpiresAt, err, self.ExpiresAt)
		}
		_, _, err = n.keys.Make(ctx, who, apikey.Draft{Name: "later", ExpiresAt: opt.Of(at(11 * day))})
		wantCode(t, "a child that ends later", err, "beyond-caller", "expires_at")
		_, _, err = n.keys.Make(ctx, who, apikey.Draft{Name: "never", ExpiresAt: opt.Null[time.Time]()})
		wantCode(t, "a child that never ends", err, "beyond-caller", "expires_at")
		for _, id := range []int64{self.ID, k.ID} {
			_, err = n.keys.Update(ctx, who, id, apikey.Change{ExpiresAt: opt.Null[time.Time]()})
			wantCode(t, "taking an end away", err, "beyond-caller", "expires_at")
		}
		if _, err := n.keys.Update(ctx, who, k.ID, apikey.Change{ExpiresAt: opt.Of(at(day))}); err != nil {
			t.Errorf("an earlier end: %v", err)
		}

		if _, _, err := n.keys.SetPolicy(ctx, who, apikey.Instance, apikey.Policy{MaxDays: 90}, apikey.Existing{}); err != nil {
			t.Errorf("a stricter policy: %v", err)
		}
		for name, p := range map[string]apikey.Policy{
			"a longer life": {MaxDays: 91}, "no limit": {}, "personal keys": {MaxDays: 90, AllowPersonal: true}, "rotating itself": {MaxDays: 90, SelfRotate: true},
		} {
			_, _, err := n.keys.SetPolicy(ctx, who, apikey.Instance, p, apikey.Existing{})
			wantCode(t, name, err, "wider-than-caller", "")
		}
		wantCode(t, "no policy", n.keys.RemovePolicy(ctx, who, apikey.Instance), "wider-than-caller", "")
	})
}

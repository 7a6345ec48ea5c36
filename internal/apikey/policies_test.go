package apikey_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// The strictest limit of the instance's policy and of all groups of a key
// holds, however the key is made.
func TestPolicyBoundsTheLifeOfKeys(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		g := n.group(t, "Contractors")
		n.setPolicy(t, apikey.Instance, apikey.Policy{DefaultDays: 90, MaxDays: 365})
		n.setPolicy(t, g, apikey.Policy{MaxDays: 30})
		for name, c := range map[string]struct {
			groups []int64
			want   opt.Value[time.Time]
			end    time.Time
			code   string
		}{
			"default":              {nil, opt.Value[time.Time]{}, at(90 * day), ""},
			"default of the group": {[]int64{g}, opt.Value[time.Time]{}, at(30 * day), ""},
			"at the maximum":       {nil, end(365 * day), at(365 * day), ""},
			"beyond the maximum":   {nil, end(366 * day), time.Time{}, "policy-max-days"},
			"beyond the group's":   {[]int64{access.Administrators, g}, end(31 * day), time.Time{}, "policy-max-days"},
			"never":                {nil, opt.Null[time.Time](), time.Time{}, "policy-max-days"},
			"shorter":              {[]int64{g}, end(time.Hour), at(time.Hour), ""},
		} {
			k, _, err := n.keys.Make(ctx, admin, apikey.Draft{Name: name, Groups: c.groups, ExpiresAt: c.want})
			if c.code != "" {
				wantCode(t, name, err, c.code, "expires_at")
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wantTime(t, name, k.ExpiresAt, c.end)
		}
		k, _, err := n.keys.Create(ctx, admin, "as the Metabase dialect makes it", g)
		if err != nil {
			t.Fatal(err)
		}
		wantTime(t, "Metabase dialect", k.ExpiresAt, at(30*day))
		digest, err := apikey.DigestOf(supplied("a-text-that-is-long-enough-to-be-digested"))
		if err != nil {
			t.Fatal(err)
		}
		k, _ = n.make(t, apikey.Draft{Name: "by digest", Digest: &digest})
		wantTime(t, "by digest", k.ExpiresAt, at(90*day))

		_, err = n.keys.Update(ctx, admin, k.ID, apikey.Change{ExpiresAt: opt.Null[time.Time]()})
		wantCode(t, "update to never", err, "policy-max-days", "expires_at")
		if k, err = n.keys.Update(ctx, admin, k.ID, apikey.Change{Groups: opt.Of([]int64{g})}); err != nil {
			t.Fatal(err)
		}
		wantTime(t, "moved to a stricter group", k.ExpiresAt, at(30*day))
		if k, err = n.keys.Update(ctx, admin, k.ID, apikey.Change{Name: opt.Of("renamed")}); err != nil {
			t.Fatal(err)
		}
		wantTime(t, "a change of the name", k.ExpiresAt, at(30*day))
	})
}

func TestPoliciesAreKept(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx, g := t.Context(), n.group(t, "Builders")
		if p, err := n.keys.PolicyOf(ctx, admin, g); err != nil || p.GroupID != g || p.MaxDays != 0 {
			t.Errorf("a policy that was never set: %+v, %v", p, err)
		}
		_, err := n.keys.PolicyOf(ctx, admin, 999)
		wantFault(t, "policy of an unknown group", err, fault.NotFound, "Not found.")
		want := apikey.Policy{DefaultDays: 7, MaxDays: 30, MaxOverlapDays: 3, RateLimit: &access.RateLimit{Requests: 5, Seconds: 10}, SelfRotate: true}
		n.setPolicy(t, g, want)
		n.setPolicy(t, g, want) // changes nothing
		n.setPolicy(t, apikey.Instance, apikey.Policy{SelfRevoke: true})
		all, err := n.keys.Policies(ctx, admin)
		if err != nil || len(all) != 2 || all[0].GroupID != apikey.Instance || !all[0].SelfRevoke || all[1].GroupID != g ||
			all[1].RateLimit.Requests != 5 || !all[1].SelfRotate || all[1].MaxDays != 30 || !all[1].UpdatedAt.Equal(start) {
			t.Errorf("policies %+v, %v", all, err)
		}
		wantActions(t, n.actions(t, "key-policy", g), "key-policy.update")
		n.setPolicy(t, g, apikey.Policy{MaxDays: 60})
		if err := n.keys.RemovePolicy(ctx, admin, g); err != nil {
			t.Fatal(err)
		}
		wantFault(t, "remove it again", n.keys.RemovePolicy(ctx, admin, g), fault.NotFound, "Not found.")
		entries := n.entries(t, "key-policy", g)
		if len(entries) != 3 || entries[1].Details["previous"].(map[string]any)["max_days"] != 30.0 || entries[2].Action != "key-policy.delete" || entries[2].ObjectName != "Builders" {
			t.Errorf("the audit log says %+v", entries)
		}
		n.setPolicy(t, g, want)
		if err := n.groups.Delete(ctx, admin, g); err != nil {
			t.Fatal(err)
		}
		if all, err = n.keys.Policies(ctx, admin); err != nil || len(all) != 1 {
			t.Errorf("the policy of a deleted group stays: %+v, %v", all, err)
		}
	})
}

func TestPoliciesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		rate := func(requests, seconds int64) apikey.Policy {
			return apikey.Policy{RateLimit: &access.RateLimit{Requests: requests, Seconds: seconds}}
		}
		for name, c := range map[string]struct {
			group int64
			p     apikey.Policy
			e     apikey.Existing
			field string
		}{
			"negative default":       {0, apikey.Policy{DefaultDays: -1}, apikey.Existing{}, "default_days"},
			"eleven years":           {0, apikey.Policy{MaxDays: 3651}, apikey.Existing{}, "max_days"},
			"overlap of years":       {0, apikey.Policy{MaxOverlapDays: 3651}, apikey.Existing{}, "max_overlap_days"},
			"default beyond the max": {0, apikey.Policy{DefaultDays: 31, MaxDays: 30}, apikey.Existing{}, "default_days"},
			"no requests":            {0, rate(0, 60), apikey.Existing{}, "rate_limit"},
			"too many requests":      {0, rate(1_000_001, 60), apikey.Existing{}, "rate_limit"},
			"no time":                {0, rate(1, 0), apikey.Existing{}, "rate_limit"},
			"two days":               {0, rate(1, 86_401), apikey.Existing{}, "rate_limit"},
			"unknown group":          {999, apikey.Policy{}, apikey.Existing{}, "group_id"},
			"end in the past":        {0, apikey.Policy{MaxDays: 1}, apikey.Existing{Cap: true, From: ptr(at(-day))}, "from"},
		} {
			_, _, err := n.keys.SetPolicy(ctx, admin, c.group, c.p, c.e)
			_, previewErr := n.keys.Preview(ctx, admin, c.group, c.p, c.e)
			for _, err := range []error{err, previewErr} {
				if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Fields[c.field] == "" {
					t.Errorf("%s: %v, want Invalid at %s", name, err, c.field)
				}
			}
		}
		for name, who := range map[string]*access.Principal{"nobody": nil, "somebody": n.person(t, "Ada")} {
			_, all := n.keys.Policies(ctx, who)
			_, one := n.keys.PolicyOf(ctx, who, 0)
			_, _, set := n.keys.SetPolicy(ctx, who, 0, apikey.Policy{}, apikey.Existing{})
			_, preview := n.keys.Preview(ctx, who, 0, apikey.Policy{}, apikey.Existing{})
			for _, err := range []error{all, one, set, preview, n.keys.RemovePolicy(ctx, who, 0)} {
				if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.Unauthenticated) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	})
}

// problems returns violators as name:problem:days until the new end.
func problems(v apikey.Violators) string {
	out := []string{}
	for _, x := range v.List {
		s := x.Key.Name + " " + x.Problem
		if x.NewEnd != nil {
			s += fmt.Sprintf(" %d", x.NewEnd.Sub(start)/day)
		}
		out = append(out, s)
	}
	return fmt.Sprintf("%d: %q", v.Total, out)
}

func TestViolatorsAreShownBeforeAPolicyIsInForce(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		g := n.group(t, "Analysts")
		ada := n.person(t, "Ada", access.Administrators)
		n.setPolicy(t, apikey.Instance, apikey.Policy{AllowPersonal: true})
		if _, _, err := n.keys.MakePersonal(ctx, ada, apikey.Draft{Name: "laptop", ExpiresAt: end(110 * day)}); err != nil {
			t.Fatal(err)
		}
		n.clock.Advance(20 * day)
		n.make(t, apikey.Draft{Name: "for ever"})
		n.make(t, apikey.Draft{Name: "long", Groups: []int64{g}, ExpiresAt: end(200 * day)})
		n.make(t, apikey.Draft{Name: "at the border", ExpiresAt: end(120 * day)})
		n.make(t, apikey.Draft{Name: "short", ExpiresAt: end(30 * day)})
		rotated, _ := n.make(t, apikey.Draft{Name: "rotated", Groups: []int64{g}, ExpiresAt: end(50 * day)})
		n.rotate(t, rotated.ID, apikey.Overlap{Until: ptr(at(40 * day))})
		gone, _ := n.make(t, apikey.Draft{Name: "gone"})
		if err := n.keys.Delete(ctx, admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		n.make(t, apikey.Draft{Name: "over", ExpiresAt: end(21 * day)})
		n.clock.Advance(day)
		p := apikey.Policy{MaxDays: 100, MaxOverlapDays: 14}
		want := `4: ["for ever policy-max-days" "long policy-max-days" "laptop personal-not-allowed" "rotated overlap"]`
		v, err := n.keys.Preview(ctx, admin, apikey.Instance, p, apikey.Existing{})
		if err != nil || problems(v) != want {
			t.Errorf("violators %s, %v; want %s", problems(v), err, want)
		}
		for _, x := range v.List {
			if x.Detail == "" {
				t.Errorf("%s: no detail", x.Key.Name)
			}
		}
		v, err = n.keys.Preview(ctx, admin, g, p, apikey.Existing{})
		if want := `2: ["long policy-max-days" "rotated overlap"]`; err != nil || problems(v) != want {
			t.Errorf("violators in the group %s, %v; want %s", problems(v), err, want)
		}
		before := n.actions(t, "key-policy", apikey.Instance)
		_, set, err := n.keys.SetPolicy(ctx, admin, apikey.Instance, p, apikey.Existing{})
		if err != nil || problems(set) != want {
			t.Errorf("what SetPolicy says is %s, %v", problems(set), err)
		}
		if after := n.actions(t, "key-policy", apikey.Instance); len(after) != len(before)+1 {
			t.Errorf("the audit log says %q", after)
		}
		long, _, _ := n.keys.List(ctx, admin, apikey.Filter{Query: "long"})
		wantTime(t, "without a cap keys stay as they are", long[0].ExpiresAt, at(200*day))
	})
}

func TestPolicyCapsKeysThatAreThere(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		n.person(t, "Ada", access.Administrators)
		old, oldText := n.make(t, apikey.Draft{Name: "old"})
		young := map[string]apikey.Key{}
		n.clock.Advance(90 * day)
		for name, d := range map[string]time.Duration{"young": 300 * day, "fine": 100 * day} {
			young[name], _ = n.make(t, apikey.Draft{Name: name, ExpiresAt: end(d)})
		}
		p := apikey.Policy{MaxDays: 30}
		want := `2: ["old policy-max-days 91" "young policy-max-days 120"]`
		v, err := n.keys.Preview(ctx, admin, apikey.Instance, p, apikey.Existing{Cap: true})
		if err != nil || problems(v) != want {
			t.Errorf("preview %s, %v; want %s", problems(v), err, want)
		}
		if v, err = n.keys.Preview(ctx, admin, apikey.Instance, p, apikey.Existing{Cap: true, From: ptr(at(150 * day))}); err != nil ||
			problems(v) != `2: ["old policy-max-days 150" "young policy-max-days 150"]` {
			t.Errorf("preview with a date %s, %v", problems(v), err)
		}
		n.check(t, "before", oldText, apikey.Accepted)
		if _, v, err = n.keys.SetPolicy(ctx, admin, apikey.Instance, p, apikey.Existing{Cap: true}); err != nil || problems(v) != want {
			t.Errorf("set %s, %v; want %s", problems(v), err, want)
		}
		wantTime(t, "old key", n.get(t, old.ID).ExpiresAt, at(91*day))
		wantTime(t, "young key", n.get(t, young["young"].ID).ExpiresAt, at(120*day))
		wantTime(t, "fine key", n.get(t, young["fine"].ID).ExpiresAt, at(100*day))
		wantActions(t, n.actions(t, "api-key", old.ID), "api-key.create", "api-key.update")
		if e := n.entries(t, "api-key", old.ID)[1]; e.Details["reason"] != "policy" {
			t.Errorf("the audit log says %+v", e)
		}
		c := n.checkFrom(t, "capped", oldText, here, apikey.Accepted)
		if !c.ExpiresAt.Equal(at(91 * day)) {
			t.Errorf("the check says the key ends at %v", c.ExpiresAt)
		}
		n.clock.Advance(day)
		n.check(t, "after its new end", oldText, apikey.ExpiredKey)
	})
}

// Where no person is an administrator, a policy must leave one full key of an
// administrator as it is.
func TestPolicyNeverLocksOutTheLastAdministrator(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		root, _ := n.create(t, "root", access.Administrators)
		n.make(t, apikey.Draft{Name: "reader", Groups: []int64{access.Administrators}, Restriction: access.Restriction{ReadOnly: true}, ExpiresAt: end(day)})
		p, e := apikey.Policy{MaxDays: 30}, apikey.Existing{Cap: true}
		lockout := func(what string) {
			t.Helper()
			before := len(n.actions(t, "key-policy", apikey.Instance))
			_, _, err := n.keys.SetPolicy(ctx, admin, apikey.Instance, p, e)
			_, previewErr := n.keys.Preview(ctx, admin, apikey.Instance, p, e)
			for _, err := range []error{err, previewErr} {
				wantFault(t, what, err, fault.Conflict, "no person is one")
				wantCode(t, what, err, "last-admin", "")
			}
			if after := len(n.actions(t, "key-policy", apikey.Instance)); after != before || n.get(t, root.ID).ExpiresAt != nil {
				t.Errorf("%s: something was changed", what)
			}
		}
		lockout("the one full key of an administrator")
		ada := n.person(t, "Ada", access.Administrators)
		n.person(t, "Bob")
		if err := n.db.InTx(ctx, func(ctx context.Context) error { // the rules refuse it for the last administrator of all only
			return n.people.Deactivate(ctx, admin, ada.UserID)
		}); err != nil {
			t.Fatal(err)
		}
		lockout("the person is not active")
		if _, v, err := n.keys.SetPolicy(ctx, admin, n.group(t, "Analysts"), p, e); err != nil || v.Total != 0 {
			t.Errorf("a group without that key: %v, %v", v, err)
		}
		if _, v, err := n.keys.SetPolicy(ctx, admin, apikey.Instance, p, apikey.Existing{}); err != nil || v.Total != 1 {
			t.Errorf("without a cap: %v, %v", v, err)
		}
		if _, err := n.people.Reactivate(ctx, admin, ada.UserID); err != nil {
			t.Fatal(err)
		}
		if _, err := n.groups.AddMember(ctx, admin, access.Administrators, ada.UserID); err != nil {
			t.Fatal(err)
		}
		if _, v, err := n.keys.SetPolicy(ctx, admin, apikey.Instance, p, e); err != nil || v.Total != 1 {
			t.Errorf("with an active person: %v, %v", v, err)
		}
		wantTime(t, "the key has its end", n.get(t, root.ID).ExpiresAt, at(30*day))
	})
}

// A policy with many violators shows the first thousand and says how many
// there are.
func TestManyViolators(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		n.person(t, "Ada", access.Administrators)
		n.create(t, "template", access.AllUsers)
		n.exec(t, `INSERT INTO api_key (kind, user_id, name, name_key, prefix, created_at, updated_at)
			WITH RECURSIVE seq (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM seq WHERE i < 1500)
			SELECT 'service', k.user_id, 'k' || i, 'k' || i, 'lk_xxxx', k.created_at, k.created_at FROM seq, api_key k`)
		e := apikey.Existing{Cap: true}
		_, v, err := n.keys.SetPolicy(t.Context(), admin, apikey.Instance, apikey.Policy{MaxDays: 10}, e)
		if err != nil || v.Total != 1501 || len(v.List) != 1000 {
			t.Fatalf("%d of %d violators, %v", len(v.List), v.Total, err)
		}
		if left := scalar[int](t, n, "SELECT count(*) FROM api_key WHERE expires_at IS NULL"); left != 0 {
			t.Errorf("%d keys have no end", left)
		}
		if entries := scalar[int](t, n, "SELECT count(*) FROM audit WHERE action = 'api-key.update'"); entries != 1501 {
			t.Errorf("%d entries in the audit log", entries)
		}
	})
}

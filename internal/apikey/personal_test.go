package apikey_test

import (
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// personal makes a personal key of a person.
func (n *node) personal(t *testing.T, who *access.Principal, d apikey.Draft) (apikey.Key, string) {
	t.Helper()
	k, text, err := n.keys.MakePersonal(t.Context(), who, d)
	if err != nil {
		t.Fatal(err)
	}
	return k, text.Reveal()
}

func TestPersonalKeysNeedThePolicy(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx, g := t.Context(), n.group(t, "Analysts")
		ada, bob := n.person(t, "Ada", g), n.person(t, "Bob")
		allowed := func(what string, who *access.Principal, want bool) {
			t.Helper()
			ok, err := n.keys.PersonalAllowed(ctx, who)
			if err != nil || ok != want {
				t.Errorf("%s: %v, %v", what, ok, err)
			}
		}
		allowed("by default", ada, false)
		_, _, err := n.keys.MakePersonal(ctx, ada, apikey.Draft{Name: "laptop"})
		wantCode(t, "by default", err, "personal-keys-off", "")
		n.setPolicy(t, g, apikey.Policy{AllowPersonal: true, MaxDays: 10})
		allowed("by the group", ada, true)
		allowed("of somebody else", bob, false)
		k, text := n.personal(t, ada, apikey.Draft{Name: "laptop", OwnerID: bob.UserID, Source: apikey.SourceSeed})
		if k.Kind != apikey.KindPersonal || k.UserID != ada.UserID || k.Owner.Name != "Ada" || k.Source != "" || k.CreatedBy.Name != "Ada" {
			t.Errorf("made %+v", k)
		}
		wantTime(t, "the policy of the person's groups holds, chosen or not", k.ExpiresAt, at(10*day))
		_, err = n.keys.UpdateOwn(ctx, ada, k.ID, apikey.Change{ExpiresAt: end(11 * day)})
		wantCode(t, "a later end", err, "policy-max-days", "expires_at")
		n.check(t, "allowed", text, apikey.Accepted)
		n.setPolicy(t, g, apikey.Policy{})
		n.check(t, "no longer allowed", text, apikey.Inactive)
		n.setPolicy(t, access.AllUsers, apikey.Policy{AllowPersonal: true})
		n.check(t, "allowed to everybody", text, apikey.Accepted)

		key := n.as(t, text)
		for name, who := range map[string]*access.Principal{"a personal key": key, "the command line": admin, "nobody": nil} {
			_, _, err := n.keys.MakePersonal(ctx, who, apikey.Draft{Name: "x"})
			if !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("made by %s: %v", name, err)
			}
		}
	})
}

// The ceiling of a personal key is the person, within the groups that were
// chosen: it loses what the person loses, at once, and never has more.
func TestCeilingOfPersonalKeys(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		a, b := n.group(t, "Analysts"), n.group(t, "Builders")
		n.setPolicy(t, apikey.Instance, apikey.Policy{AllowPersonal: true})
		ada := n.person(t, "Ada", a, b, access.Administrators)
		n.person(t, "Bob", access.Administrators)
		_, none := n.personal(t, ada, apikey.Draft{Name: "no group"})
		_, one := n.personal(t, ada, apikey.Draft{Name: "one", Groups: []int64{a}})
		two, both := n.personal(t, ada, apikey.Draft{Name: "two", Groups: []int64{b, a, access.AllUsers}})
		_, root := n.personal(t, ada, apikey.Draft{Name: "root", Groups: []int64{access.Administrators}})
		if groupsOf(two) != "[Analysts Builders]" {
			t.Errorf("groups %s", groupsOf(two))
		}
		_, _, err := n.keys.MakePersonal(ctx, ada, apikey.Draft{Name: "x", Groups: []int64{n.group(t, "Others")}})
		wantCode(t, "a group the person is not in", err, "not-a-member", "group_ids")

		p := n.check(t, "no group", none, apikey.Accepted)
		if p.Kind != access.PersonalKey || p.UserID != ada.UserID || p.Name != "Ada" || p.IsAdmin() || p.InGroup(a) || p.InGroup(b) {
			t.Errorf("no group: %+v", p)
		}
		if p = n.check(t, "one", one, apikey.Accepted); !p.InGroup(a) || p.InGroup(b) || p.IsAdmin() {
			t.Errorf("one: %+v", p)
		}
		if p = n.check(t, "root", root, apikey.Accepted); !p.IsAdmin() {
			t.Errorf("root: %+v", p)
		}
		for _, g := range []int64{a, access.Administrators} {
			if err := n.groups.RemoveMember(ctx, admin, g, ada.UserID); err != nil {
				t.Fatal(err)
			}
		}
		n.check(t, "one, when its group is left", one, apikey.Inactive)
		n.check(t, "root, when its group is left", root, apikey.Inactive)
		n.check(t, "no group", none, apikey.Accepted)
		if p = n.check(t, "two, when one of its groups is left", both, apikey.Accepted); p.InGroup(a) || !p.InGroup(b) {
			t.Errorf("two: %+v", p)
		}
		if _, err := n.groups.AddMember(ctx, admin, a, ada.UserID); err != nil {
			t.Fatal(err)
		}
		n.check(t, "one, when the person is back", one, apikey.Accepted)
		if err := n.groups.Delete(ctx, admin, a); err != nil {
			t.Fatal(err)
		}
		n.check(t, "one, when its group is gone", one, apikey.Inactive)
	})
}

func TestPersonalKeysAreTheirPersons(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		n.setPolicy(t, apikey.Instance, apikey.Policy{AllowPersonal: true})
		ada, bob := n.person(t, "Ada"), n.person(t, "Bob")
		k, text := n.personal(t, ada, apikey.Draft{Name: "laptop"})
		n.personal(t, bob, apikey.Draft{Name: "laptop"}) // names are each person's own
		_, _, err := n.keys.MakePersonal(ctx, ada, apikey.Draft{Name: "laptop"})
		wantCode(t, "the same name twice", err, "name-taken", "name")
		n.create(t, "laptop", access.AllUsers)
		if list, err := n.keys.ListOwn(ctx, ada); err != nil || len(list) != 1 || list[0].ID != k.ID {
			t.Errorf("own keys %+v, %v", list, err)
		}
		if list, total, err := n.keys.List(ctx, admin, apikey.Filter{Kind: apikey.KindPersonal}); err != nil || total != 2 || list[0].Kind != apikey.KindPersonal {
			t.Errorf("an administrator sees %d, %v", total, err)
		}
		calls := map[string]func(who *access.Principal) error{
			"get": func(who *access.Principal) error { _, err := n.keys.GetOwn(ctx, who, k.ID); return err },
			"update": func(who *access.Principal) error {
				_, err := n.keys.UpdateOwn(ctx, who, k.ID, apikey.Change{})
				return err
			},
			"restrict": func(who *access.Principal) error {
				_, err := n.keys.RestrictOwn(ctx, who, k.ID, access.Restriction{})
				return err
			},
			"rotate": func(who *access.Principal) error {
				_, _, err := n.keys.RotateOwn(ctx, who, k.ID, apikey.Overlap{})
				return err
			},
			"end": func(who *access.Principal) error { return n.keys.EndOwn(ctx, who, k.ID) },
		}
		for name, call := range calls {
			wantFault(t, name+" somebody else's", call(bob), fault.NotFound, "Not found.")
			if err := call(n.as(t, text)); !fault.Is(err, fault.Forbidden) {
				t.Errorf("%s by the key itself: %v", name, err)
			}
		}
		if got, err := n.keys.UpdateOwn(ctx, ada, k.ID, apikey.Change{Name: opt.Of("desk"), OwnerID: opt.Of(bob.UserID)}); err != nil || got.Name != "desk" || got.Owner.ID != ada.UserID {
			t.Errorf("update: %+v, %v", got, err)
		}
		if u := n.signedIn(t, ada.UserID); u.Name != "Ada" {
			t.Errorf("renaming a key renamed its person: %s", u.Name)
		}
		_, fresh, err := n.keys.RotateOwn(ctx, ada, k.ID, apikey.Overlap{})
		if err != nil {
			t.Fatal(err)
		}
		n.check(t, "rotated by its person", fresh.Reveal(), apikey.Accepted)
		if err := n.keys.EndOwn(ctx, ada, k.ID); err != nil {
			t.Fatal(err)
		}
		n.check(t, "ended by its person", fresh.Reveal(), apikey.DeletedKey)
		if u := n.signedIn(t, ada.UserID); !u.InGroup(access.AllUsers) {
			t.Error("the person went with the key")
		}
	})
}

// Keys of a person who is deactivated: personal ones are off at once and stay
// off; service keys go to the successor or to the review list.
func TestKeysOfADeactivatedPerson(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		n.setPolicy(t, apikey.Instance, apikey.Policy{AllowPersonal: true})
		ada, bob, cleo := n.person(t, "Ada"), n.person(t, "Bob"), n.person(t, "Cleo")
		laptop, text := n.personal(t, ada, apikey.Draft{Name: "laptop"})
		passed, passedText := n.make(t, apikey.Draft{Name: "passed on", OwnerID: ada.UserID, SuccessorID: bob.UserID})
		review, reviewText := n.make(t, apikey.Draft{Name: "review", OwnerID: ada.UserID})
		late, _ := n.make(t, apikey.Draft{Name: "successor gone", OwnerID: ada.UserID, SuccessorID: cleo.UserID})
		n.check(t, "before", text, apikey.Accepted)
		for _, who := range []*access.Principal{cleo, ada} {
			if err := n.people.Deactivate(ctx, admin, who.UserID); err != nil {
				t.Fatal(err)
			}
		}
		n.check(t, "personal key of a deactivated person", text, apikey.DisabledKey)
		n.check(t, "service key that was passed on", passedText, apikey.Accepted)
		n.check(t, "service key on the review list", reviewText, apikey.Accepted)
		if k := n.get(t, passed.ID); k.Owner.Name != "Bob" || k.Successor.ID != 0 || k.ReviewSince != nil {
			t.Errorf("passed on: %+v", k)
		}
		for _, k := range []apikey.Key{review, late} {
			if got := n.get(t, k.ID); got.Owner.Name != "Ada" || got.ReviewSince == nil {
				t.Errorf("%s: %+v", k.Name, got)
			}
		}
		if _, total, err := n.keys.List(ctx, admin, apikey.Filter{Review: true}); err != nil || total != 2 {
			t.Errorf("%d keys on the review list, %v", total, err)
		}
		wantActions(t, n.actions(t, "api-key", passed.ID), "api-key.create", "api-key.pass-on")
		wantActions(t, n.actions(t, "api-key", review.ID), "api-key.create", "api-key.review")
		wantActions(t, n.actions(t, "api-key", laptop.ID), "api-key.create", "api-key.disable")

		if _, err := n.keys.Update(ctx, admin, late.ID, apikey.Change{OwnerID: opt.Of(bob.UserID), SuccessorID: opt.Of[int64](0)}); err != nil {
			t.Fatal(err)
		}
		if k := n.get(t, late.ID); k.ReviewSince != nil || k.Owner.Name != "Bob" {
			t.Errorf("with a new owner: %+v", k)
		}
		if _, err := n.people.Reactivate(ctx, admin, ada.UserID); err != nil {
			t.Fatal(err)
		}
		if k := n.get(t, review.ID); k.ReviewSince != nil {
			t.Errorf("when the owner is back: %+v", k)
		}
		n.check(t, "personal key of a person who is back", text, apikey.DisabledKey)
		if _, err := n.keys.Enable(ctx, admin, laptop.ID); err != nil {
			t.Fatal(err)
		}
		n.check(t, "enabled by an administrator", text, apikey.Accepted)
	})
}

func TestKeysActOnThemselvesAsThePolicyAllows(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, text := n.create(t, "k", n.group(t, "Analysts"))
		who := n.as(t, text)
		got, live, policy, err := n.keys.Self(ctx, who)
		if err != nil || got.ID != k.ID || len(live) != 1 || policy.SelfRotate || policy.SelfRevoke {
			t.Errorf("%+v, %+v, %+v, %v", got, live, policy, err)
		}
		_, _, err = n.keys.RotateSelf(ctx, who, apikey.Overlap{})
		wantCode(t, "rotate", err, "policy-self", "")
		wantCode(t, "revoke", n.keys.RevokeSelf(ctx, who), "policy-self", "")
		_, _, _, err = n.keys.Self(ctx, n.person(t, "Ada"))
		wantCode(t, "a person", err, "key-only", "")

		n.setPolicy(t, k.Group.ID, apikey.Policy{SelfRotate: true})
		_, fresh, err := n.keys.RotateSelf(ctx, who, apikey.Overlap{Until: ptr(at(day))})
		if err != nil {
			t.Fatal(err)
		}
		n.check(t, "the old text", text, apikey.Accepted)
		wantCode(t, "revoke, when only rotation is allowed", n.keys.RevokeSelf(ctx, who), "policy-self", "")
		n.setPolicy(t, apikey.Instance, apikey.Policy{SelfRevoke: true})
		if err := n.keys.RevokeSelf(ctx, n.as(t, fresh.Reveal())); err != nil {
			t.Fatal(err)
		}
		n.check(t, "revoked", fresh.Reveal(), apikey.DeletedKey)
		entries := n.entries(t, "api-key", k.ID)
		if e := entries[len(entries)-1]; e.Kind != "api-key" || e.KeyID != k.ID {
			t.Errorf("who revoked it: %+v", e.Actor)
		}
	})
}

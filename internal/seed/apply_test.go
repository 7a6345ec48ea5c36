package seed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/seed"
)

const full = `
version: 1
groups: [{name: Reporting}, {name: Sales}]
people:
  - {email: ada@example.com, first_name: Ada, groups: [Administrators], password_env: PASSWORD}
  - {email: bo@example.com, first_name: Bo, last_name: K, groups: [Reporting]}
policies:
  - {group: Reporting, max_days: 400}
keys:
  - name: Nightly export
    description: Writes the report.
    groups: [Reporting]
    owner: ada@example.com
    successor: bo@example.com
    tags: [night, etl]
    expires_at: 2027-06-30T00:00:00Z
    restriction: {read_only: true, resources: {groups: [Reporting], people: [bo@example.com]}}
    secret_env: KEY_A
`

func TestApply(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		same(t, "first", w.apply(full, seed.Options{}), `+ group "Reporting"
+ group "Sales"
+ person "ada@example.com": groups: Administrators
+ person "bo@example.com": groups: Reporting
+ policy "Reporting": max_days: none → 400
+ key "Nightly export": groups: Reporting`)
		p := w.check(textA, apikey.Accepted)
		k := w.key("Nightly export")
		bo, reporting := w.person("bo@example.com"), w.group("Reporting")
		if k.Owner.Name != "Ada" || k.Successor.ID != bo || strings.Join(k.Tags, " ") != "etl night" || k.Source != apikey.SourceSeed ||
			k.ExpiresAt.Year() != 2027 || p.Limits == nil || fmt.Sprint(k.Restriction.Resources) != fmt.Sprintf("map[groups:[%d] people:[%d]]", reporting, bo) {
			t.Errorf("key %+v", k)
		}
		if _, err := w.people.SignIn(t.Context(), "ada@example.com", secret.New(pass), false); err != nil {
			t.Error(err)
		}
		if done, _ := w.people.HasSetup(t.Context()); !done || w.settings.String("admin-email") != "ada@example.com" {
			t.Error("set-up is not over")
		}
		before := w.traces()
		w.clock.Advance(time.Hour)
		same(t, "second", w.apply(full, seed.Options{}), "")
		same(t, "with prune and adopt", w.apply(full, seed.Options{Prune: true, Adopt: true}), "")
		if now := w.traces(); now != before {
			t.Errorf("the same file left traces: %v, then %v", before, now)
		}
	})
}

// A file that changed changes what it made before, and nothing else.
func TestChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(full, seed.Options{})
		id := w.key("Nightly export").ID
		changed := strings.NewReplacer("first_name: Bo, last_name: K, groups: [Reporting]", "first_name: Bob, groups: [Sales]",
			"max_days: 400", "max_days: 500, self_rotate: true", "groups: [Reporting]\n    owner: ada@example.com\n    successor: bo@example.com", "groups: [Sales, Reporting]\n    owner: bo@example.com\n    successor: ''",
			"Writes the report.", "Writes it.",
			"[night, etl]", "[night]", "2027-06-30", "2027-07-01", "read_only: true", "read_only: false", "KEY_A", "KEY_B").Replace(full)
		same(t, "changed", w.apply(changed, seed.Options{}), `~ person "bo@example.com": first_name: Bo → Bob; groups: Reporting → Sales
~ policy "Reporting": max_days: 400 → 500; self_rotate: false → true
~ key "Nightly export": description changed; groups: Reporting → Reporting, Sales; owner: Ada → bo@example.com; successor: Bob K → none; tags: etl, night → night; expires_at: 2027-06-30T00:00:00Z → 2027-07-01T00:00:00Z; restriction changed; secret replaced`)
		w.check(textA, apikey.Retired)
		w.check(textB, apikey.Accepted)
		if k := w.key("Nightly export"); k.ID != id {
			t.Errorf("another key: %d, not %d", k.ID, id)
		}
		same(t, "again", w.apply(changed, seed.Options{}), "")
	})
}

// What an entry does not name is not the file's: people may set it by hand.
func TestAbsentMembersAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const file = "version: 1\npeople: [{email: ada@example.com, groups: [Administrators]}]\nkeys: [{name: plain, secret_env: KEY_A}]\n"
		w.apply(file, seed.Options{})
		k := w.key("plain")
		change := apikey.Change{Description: opt.Of("by hand"), OwnerID: opt.Of(w.person("ada@example.com")), Tags: opt.Of([]string{"x"}), Groups: opt.Of([]int64{2}),
			ExpiresAt: opt.Of(start().Add(time.Hour))}
		if _, err := w.keys.Update(t.Context(), root, k.ID, change); err != nil {
			t.Fatal(err)
		}
		if _, err := w.keys.SetRestriction(t.Context(), root, k.ID, access.Restriction{ReadOnly: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.keys.Disable(t.Context(), root, k.ID, "leaked", nil); err != nil {
			t.Fatal(err)
		}
		same(t, "after changes by hand", w.apply(file, seed.Options{}), "")
		w.check(textA, apikey.DisabledKey)
	})
}

func TestDriftIsMended(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(full, seed.Options{})
		ctx := t.Context()
		if _, err := w.groups.Rename(ctx, root, w.group("Reporting"), "Reports"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.people.Update(ctx, root, w.person("bo@example.com"), people.Change{Email: opt.Of("bob@example.com")}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.keys.Update(ctx, root, w.key("Nightly").ID, apikey.Change{Name: opt.Of("Daily export")}); err != nil {
			t.Fatal(err)
		}
		same(t, "drift", w.apply(full, seed.Options{}), `~ group "Reporting": name: Reports → Reporting
~ person "bo@example.com": email: bob@example.com → bo@example.com
~ key "Nightly export": name: Daily export → Nightly export`)
		same(t, "again", w.apply(full, seed.Options{}), "")
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(full, seed.Options{})
		hand, _, err := w.keys.Create(t.Context(), root, "by hand", w.group("Reporting"))
		if err != nil {
			t.Fatal(err)
		}
		const rest = "version: 1\ngroups: [{name: Sales}]\npeople: [{email: ada@example.com}]\n"
		same(t, "without", w.apply(rest, seed.Options{}), `- key "Nightly export": is gone from the file and stays (--prune removes it)
- policy "Reporting": is gone from the file and stays (--prune removes it)
- person "bo@example.com": is gone from the file and stays (--prune removes it)
- group "Reporting": is gone from the file and stays (--prune removes it)`)
		w.check(textA, apikey.Accepted)
		same(t, "with", w.apply(rest, seed.Options{Prune: true}), `- key "Nightly export": deleted
- policy "Reporting": deleted
- person "bo@example.com": deactivated
- group "Reporting": deleted`)
		w.check(textA, apikey.DeletedKey)
		same(t, "again", w.apply(rest, seed.Options{Prune: true}), "")
		if k, err := w.keys.Get(t.Context(), root, hand.ID); err != nil || k.DeletedAt != nil {
			t.Errorf("what was made by hand: %+v, %v", k, err)
		}
		// What was pruned comes back as far as it may: its secret does not.
		same(t, "back", w.apply(full, seed.Options{}), `+ group "Reporting"
! person "bo@example.com": is deactivated and stays so (--adopt takes them back)
+ policy "Reporting": max_days: none → 400
! key "Nightly export": was deleted here, and its secret never works again: take the entry out, or give it a new secret`)
	})
}

// A key that has another name in the file is the same key, by its secret, and
// a group is the same group in any case of letters.
func TestRenamedInTheFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(full, seed.Options{})
		id := w.key("Nightly").ID
		next := strings.NewReplacer("name: Nightly export", "name: Daily export", "{name: Reporting}", "{name: REPORTING}").Replace(full)
		same(t, "renamed", w.apply(next, seed.Options{Prune: true}), `~ group "REPORTING": name: Reporting → REPORTING
~ key "Daily export": name: Nightly export → Daily export`)
		if k := w.key("Daily"); k.ID != id {
			t.Errorf("another key: %d, not %d", k.ID, id)
		}
		w.check(textA, apikey.Accepted)
		same(t, "again", w.apply(next, seed.Options{Prune: true}), "")
	})
}

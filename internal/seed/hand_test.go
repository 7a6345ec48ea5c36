package seed_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/seed"
)

// admin makes the first administrator by hand.
func (w *world) admin() {
	w.t.Helper()
	if err := w.people.SetupUnattended(w.t.Context(), "ada@example.com", secret.New(pass), "Ada"); err != nil {
		w.t.Fatal(err)
	}
}

func TestMadeByHand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.admin()
		g, err := w.groups.Create(ctx, root, "Reporting")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.people.Create(ctx, root, people.NewUser{Email: "bo@example.com"}); err != nil {
			t.Fatal(err)
		}
		k, text, err := w.keys.Create(ctx, root, "Nightly export", g.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.keys.SetPolicy(ctx, root, 0, apikey.Policy{MaxDays: 900}, apikey.Existing{}); err != nil {
			t.Fatal(err)
		}
		const file = `
version: 1
groups: [{name: reporting}]
people: [{email: ada@example.com}, {email: bo@example.com, groups: [Reporting]}]
policies: [{instance: true, max_days: 800}]
keys: [{name: Nightly export, secret_env: KEY_A}]
`
		before := w.traces()
		want := `! person "bo@example.com": made by hand and left as it is (--adopt takes it over); groups: All Users → Reporting
! policy "(instance)": made by hand and left as it is (--adopt takes it over); max_days: 900 → 800
! key "Nightly export": made by hand and left as it is (--adopt takes it over); secret replaced`
		same(t, "left", w.apply(file, seed.Options{Prune: true}), want)
		if now := w.traces(); now != before {
			t.Errorf("traces: %v, then %v", before, now)
		}
		w.check(text.Reveal(), apikey.Accepted)
		same(t, "adopted", w.apply(file, seed.Options{Adopt: true}), `~ group "reporting": name: Reporting → reporting
~ person "bo@example.com": groups: All Users → reporting
~ policy "(instance)": max_days: 900 → 800; 1 key does not fulfil it; latchkey key policy set --dry-run lists it
~ key "Nightly export": secret replaced`)
		w.check(text.Reveal(), apikey.Retired)
		if p := w.check(textA, apikey.Accepted); p.KeyID != k.ID {
			t.Errorf("another key: %+v", p)
		}
		same(t, "again", w.apply(file, seed.Options{}), "")
	})
}

// What somebody ended by hand stays ended, whatever the file says.
func TestEndedByHand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.apply(full, seed.Options{})
		k := w.key("Nightly")
		_, text, err := w.keys.Rotate(ctx, root, k.ID, apikey.Overlap{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.people.Deactivate(ctx, root, w.person("bo@example.com")); err != nil {
			t.Fatal(err)
		}
		same(t, "rotated", w.apply(full, seed.Options{}), `! person "bo@example.com": is deactivated and stays so (--adopt takes them back)
! key "Nightly export": the successor bo@example.com is deactivated, so the key keeps whom it has: name another; its secret was retired here, and an ended secret never works again: give the entry a new one`)
		w.check(textA, apikey.Retired)
		w.check(text.Reveal(), apikey.Accepted)
		if err := w.keys.Delete(ctx, root, k.ID); err != nil {
			t.Fatal(err)
		}
		same(t, "deleted", w.apply(full, seed.Options{Adopt: true}), `~ person "bo@example.com": reactivated
! key "Nightly export": was deleted here, and its secret never works again: take the entry out, or give it a new secret`)
		w.check(textA, apikey.DeletedKey)
		same(t, "new secret", w.apply(strings.Replace(full, "KEY_A", "KEY_B", 1), seed.Options{}), `+ key "Nightly export": groups: Reporting`)
		w.check(textB, apikey.Accepted)
	})
}

// An error names the line, and nothing at all is changed.
func TestErrorsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		if _, _, err := w.keys.Create(t.Context(), root, "other", 1); err != nil {
			t.Fatal(err)
		}
		const head = "version: 1\ngroups: [{name: New}]\npeople: [{email: bo@example.com}]\n"
		before := w.traces()
		for _, tt := range []struct{ text, want string }{
			{"keys:\n- name: x\n  groups: [Reporting]\n  secret_env: KEY_A", `seed.yaml:5: key "x": there is no group "Reporting"; name it under groups in this file`},
			{"keys:\n- name: x\n  owner: eve@example.com\n  secret_env: KEY_A", `seed.yaml:5: key "x": the owner eve@example.com is nobody here; name them under people in this file`},
			{"keys:\n- name: x\n  secret_env: SHORT", `seed.yaml:5: key "x": invalid; key: a key must have 12 to 254 characters`},
			{"keys:\n- name: x\n  secret_env: KEY_A\n  restriction: {scopes: [people:eat]}", `seed.yaml:5: key "x": invalid; restriction.scopes`},
			{"keys:\n- name: x\n  secret_env: KEY_A\n  restriction: {resources: {groups: [Nix]}}", `restriction.resources.groups: there is no group "Nix"`},
			{"keys:\n- name: x\n  secret_env: KEY_A\n  restriction: {resources: {people: [eve@example.com]}}", `restriction.resources.people: the person eve@example.com`},
			{"keys:\n- name: x\n  secret_env: KEY_A\n  restriction: {resources: {keys: [nix]}}", `restriction.resources.keys: there is no key "nix"`},
			{"keys:\n- name: x\n  secret_env: KEY_A\n  restriction: {resources: {groups: [99]}}", `There is nothing of the kind groups with the id 99.`},
			{"keys:\n- name: x\n  secret_env: KEY_A\n  expires_at: 2020-01-01", `seed.yaml:5: key "x": invalid; expires_at: The end must be in the future.`},
			{"policies: [{group: Nix, max_days: 1}]", `seed.yaml:4: policy "Nix": there is no group "Nix"`},
			{"policies: [{instance: true, max_days: 99999}]", `seed.yaml:4: policy "(instance)": invalid; max_days`},
			{"keys:\n- {name: x, secret_env: KEY_A}\n- {name: y, owner: ada@example.com, successor: ada@example.com, secret_env: KEY_B}", `seed.yaml:6: key "y": invalid; successor_id`},
		} {
			_, err := w.Apply(t.Context(), parse(t, head+tt.text), seed.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\ngot  %v\nwant %s", tt.text, err, tt.want)
			}
		}
		if now := w.traces(); now != before || len(w.groups.Snapshot().ByName) != 2 {
			t.Errorf("traces: %v, then %v; groups %v", before, now, w.groups.Snapshot().ByName)
		}
	})
}

func TestFirstPeopleNeedAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const file = "version: 1\npeople:\n- {email: bo@example.com}\n"
		_, err := w.Apply(t.Context(), parse(t, file), seed.Options{})
		if err == nil || !strings.Contains(err.Error(), "seed.yaml:3: the instance has no people yet, and none of these is in Administrators") {
			t.Errorf("got %v", err)
		}
		if done, _ := w.people.HasSetup(t.Context()); done {
			t.Error("set-up is over")
		}
		// The last administrator does not go with a prune.
		w.apply("version: 1\npeople: [{email: bo@example.com, groups: [Administrators]}]", seed.Options{})
		_, err = w.Apply(t.Context(), parse(t, "version: 1"), seed.Options{Prune: true})
		if err == nil || !strings.Contains(err.Error(), `person "bo@example.com" is gone from the file: invalid: You cannot remove the last member`) {
			t.Errorf("got %v", err)
		}
	})
}

// A plan changes nothing, also not in memory.
func TestPlan(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		before := w.traces()
		steps, err := w.Plan(t.Context(), parse(t, full), seed.Options{})
		if err != nil || len(seed.Drift(steps)) != 6 {
			t.Fatalf("%v, %v", steps, err)
		}
		if now := w.traces(); now != before || len(w.groups.Snapshot().ByName) != 2 {
			t.Errorf("traces: %v, then %v", before, now)
		}
		if done, _ := w.people.HasSetup(t.Context()); done {
			t.Error("set-up is over")
		}
	})
}

// Of several nodes that start at once, one does it, and the others find
// nothing to do.
func TestNodesAtOnce(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		nodes := []*world{node(t, p, c), node(t, p, c), node(t, p, c)}
		made := make([]int, len(nodes))
		var all sync.WaitGroup
		for i, w := range nodes {
			file := parse(t, full)
			all.Go(func() {
				steps, err := w.Apply(t.Context(), file, seed.Options{})
				if err != nil {
					t.Errorf("node %d: %v", i, err)
				}
				made[i] = len(seed.Drift(steps))
			})
		}
		all.Wait()
		if n := made[0] + made[1] + made[2]; n != 6 {
			t.Errorf("made %v", made)
		}
	})
}

func TestExpiresInDays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const file = "version: 1\nkeys: [{name: x, secret_env: KEY_A, expires_in_days: 30}]"
		w.apply(file, seed.Options{})
		if k := w.key("x"); !k.ExpiresAt.Equal(start().Add(30 * 24 * time.Hour)) {
			t.Errorf("ends %v", k.ExpiresAt)
		}
		w.clock.Advance(time.Hour)
		same(t, "later", w.apply(file, seed.Options{}), "")
	})
}

// Keys whose texts begin alike both work, unlike in Metabase.
func TestMetabase(t *testing.T) {
	const file = `
version: 1
config:
  settings: {site-name: x}
  users: []
  api-keys:
    - {name: ETL key, key: "{{ env MB }}", creator: Ada@example.com, group: admin}
    - {name: Other, key: "{{env MB2}}", creator: ada@example.com, group: all-users}
`
	each(t, func(t *testing.T, w *world) {
		_, err := w.Apply(t.Context(), parse(t, file), seed.Options{})
		if err == nil || !strings.Contains(err.Error(), `seed.yaml:7: key "ETL key": User with email Ada@example.com not found`) {
			t.Errorf("got %v", err)
		}
		w.admin()
		same(t, "made", w.apply(file, seed.Options{}), "+ key \"ETL key\": groups: Administrators\n+ key \"Other\": groups: All Users")
		if p := w.check("mb_prod1-made-up-key", apikey.Accepted); !p.IsAdmin() {
			t.Error("no administrator")
		}
		w.check("mb_prod2-made-up-key", apikey.Accepted)
		if k := w.key("ETL"); k.CreatedBy.Name != "Ada" || k.UpdatedBy.Name != "Ada" {
			t.Errorf("made by %+v", k.CreatedBy)
		}
		// A name that is there is left as it is, also with another text.
		same(t, "again", w.apply(strings.Replace(file, "{{ env MB }}", "mb_something-else-", 1), seed.Options{}), "")
		if ignored := strings.Join(parse(t, file).Ignored, " "); ignored != "config.settings config.users" {
			t.Errorf("ignored %s", ignored)
		}
		if _, err := w.people.Create(t.Context(), root, people.NewUser{Email: "bo@example.com"}); err != nil {
			t.Fatal(err)
		}
		_, err = w.Apply(t.Context(), parse(t, strings.NewReplacer("ETL key", "Third", "Ada@example.com", "bo@example.com", "{{ env MB }}", "mb_a-third-text").Replace(file)), seed.Options{})
		if err == nil || !strings.Contains(err.Error(), "User with email bo@example.com is not an admin") {
			t.Errorf("got %v", err)
		}
	})
}

func TestBootstrap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for i := range 2 {
			made, err := w.Bootstrap(ctx, secret.New(textA), time.Hour)
			if err != nil || made != (i == 0) {
				t.Errorf("start %d: %v, %v", i, made, err)
			}
		}
		if p := w.check(textA, apikey.Accepted); !p.IsAdmin() {
			t.Error("no administrator")
		}
		w.clock.Advance(time.Hour)
		w.check(textA, apikey.ExpiredKey)
		if made, err := w.Bootstrap(ctx, secret.New(textB), time.Hour); made || err != nil {
			t.Errorf("it came back: %v, %v", made, err)
		}
	})
}

func TestBootstrapEndsWithSetup(t *testing.T) {
	for name, finish := range map[string]func(w *world){
		"by hand":   func(w *world) { w.admin() },
		"by a seed": func(w *world) { w.apply(strings.Replace(full, "KEY_A", "KEY_B", 1), seed.Options{}) },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				if made, err := w.Bootstrap(t.Context(), secret.New(textA), time.Hour); !made || err != nil {
					t.Fatalf("%v, %v", made, err)
				}
				finish(w)
				w.check(textA, apikey.DeletedKey)
				if made, err := w.Bootstrap(t.Context(), secret.New(textA), time.Hour); made || err != nil {
					t.Errorf("it came back: %v, %v", made, err)
				}
			})
		})
	}
}

// TestNoSecretIsStored looks for the texts of keys and passwords in what a
// seed writes.
func TestNoSecretIsStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(full, seed.Options{})
		for _, q := range []string{"SELECT details FROM audit", "SELECT object_name FROM audit", "SELECT name FROM seed_item", "SELECT prefix FROM api_key_secret"} {
			stored, err := db.All(t.Context(), w.db, db.Scalar[string], q)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(stored, "\n"); strings.Contains(all, textA) || strings.Contains(all, pass) {
				t.Errorf("%s holds a secret", q)
			}
		}
	})
}

// Somebody who leaves must not stop the next start: their keys have passed on,
// and stay with whom they have.
func TestOwnerLeaves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file := strings.NewReplacer("owner: ada", "owner: bo", "successor: bo", "successor: ada").Replace(full)
		w.apply(file, seed.Options{})
		if err := w.people.Deactivate(t.Context(), root, w.person("bo@example.com")); err != nil {
			t.Fatal(err)
		}
		same(t, "without Bo", w.apply(file, seed.Options{}), `! person "bo@example.com": is deactivated and stays so (--adopt takes them back)
! key "Nightly export": the owner bo@example.com is deactivated, so the key keeps whom it has: name another`)
		if k := w.key("Nightly"); k.Owner.Name != "Ada" {
			t.Errorf("owner %+v", k.Owner)
		}
		w.check(textA, apikey.Accepted)
		_, err := w.Apply(t.Context(), parse(t, "version: 1\nkeys: [{name: x, owner: bo@example.com, secret_env: KEY_B}]"), seed.Options{})
		if err == nil || !strings.Contains(err.Error(), "the owner bo@example.com is deactivated") {
			t.Errorf("got %v", err)
		}
	})
}

// A key that was ended by giving it an early end does not come back with the
// next start.
func TestEndedByHandStaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		const file = `
version: 1
keys: [{name: K, secret_env: KEY_A, expires_at: 2030-01-01T00:00:00Z}]
`
		w.apply(file, seed.Options{})
		_, err := w.keys.Update(t.Context(), root, w.key("K").ID, apikey.Change{ExpiresAt: opt.Of(w.clock.Now().Add(time.Minute))})
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Hour)
		before := w.traces()
		same(t, "expired", w.apply(file, seed.Options{}), `! key "K": has come to its end, and stays so (--adopt gives it the end of the file)`)
		if now := w.traces(); now != before {
			t.Errorf("traces: %v, then %v", before, now)
		}
		w.check(textA, apikey.ExpiredKey)
		same(t, "adopted", w.apply(file, seed.Options{Adopt: true}), `~ key "K": expires_at: 2026-11-22T12:01:00Z → 2030-01-01T00:00:00Z`)
		w.check(textA, apikey.Accepted)
	})
}

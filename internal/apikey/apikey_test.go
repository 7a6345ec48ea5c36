package apikey_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

func TestLife(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx, g := t.Context(), n.group(t, "Analysts")
		k, text := n.create(t, "nightly-export", g)
		if k.Group.Name != "Analysts" || k.Masked() != text[:7]+strings.Repeat("*", 40) || k.UpdatedBy.Name != "command line" {
			t.Errorf("created %+v", k)
		}
		p := n.check(t, "new key", text, apikey.Accepted)
		if p.KeyID != k.ID || p.UserID != k.UserID || p.Name != "nightly-export" || !p.InGroup(g) || p.IsAdmin() || p.Kind != access.ServiceKey {
			t.Errorf("principal %+v", p)
		}
		if !strings.HasSuffix(p.Email, "@api-key.invalid") {
			t.Errorf("address %s", p.Email)
		}

		k, err := n.keys.Update(ctx, admin, k.ID, apikey.Change{Name: opt.Of("weekly"), GroupID: opt.Of(access.Administrators)})
		if err != nil || k.Name != "weekly" || k.Group.Name != "Administrators" {
			t.Fatalf("update: %+v, %v", k, err)
		}
		if p := n.check(t, "moved key", text, apikey.Accepted); !p.IsAdmin() || p.InGroup(g) || p.Name != "weekly" {
			t.Errorf("after the move: %+v", p)
		}
		before := k
		if k, err = n.keys.Update(ctx, admin, k.ID, apikey.Change{Name: opt.Null[string]()}); err != nil || !reflect.DeepEqual(k, before) {
			t.Errorf("empty update: %+v, %v", k, err)
		}

		k, fresh, err := n.keys.Regenerate(ctx, admin, k.ID)
		if err != nil || fresh.Reveal() == text || k.Name != "weekly" {
			t.Fatalf("regenerate: %+v, %v", k, err)
		}
		n.check(t, "old text", text, apikey.Retired)
		n.check(t, "new text", fresh.Reveal(), apikey.Accepted)

		if err := n.keys.Delete(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		n.check(t, "deleted key", fresh.Reveal(), apikey.DeletedKey)
		wantFault(t, "second delete", n.keys.Delete(ctx, admin, k.ID), fault.NotFound, "Not found.")
		_, _, err = n.keys.Regenerate(ctx, admin, k.ID)
		wantFault(t, "regenerate a deleted key", err, fault.NotFound, "Not found.")
		if _, again := n.create(t, "weekly", access.AllUsers); again == "" {
			t.Error("deleting did not free the name")
		}
		entries, err := n.log.List(ctx, audit.Filter{ObjectKind: "api-key", ObjectID: k.ID})
		if err != nil || len(entries) != 4 {
			t.Errorf("%d audit entries, want create, update, regenerate, delete (%v)", len(entries), err)
		}
		if _, err := n.log.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestRefusedInputChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, _ := n.create(t, "taken", access.AllUsers)
		other, _ := n.create(t, "other", access.AllUsers)
		rows := func() string {
			s, err := db.One(ctx, n.db, func(r db.Row) (string, error) {
				var c [4]int
				err := r.Scan(&c[0], &c[1], &c[2], &c[3])
				return fmt.Sprint(c), err
			}, "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM membership), (SELECT count(*) FROM api_key), (SELECT count(*) FROM audit)")
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		before := rows()
		for name, text := range map[string]string{
			"taken": "An API key with this name already exists.", "": "non-blank", "  ": "non-blank",
			strings.Repeat("x", 255): "at most 254", "a\x00": "control",
		} {
			_, _, err := n.keys.Create(ctx, admin, name, access.AllUsers)
			wantFault(t, fmt.Sprintf("create %q", name), err, fault.Invalid, text)
			_, err = n.keys.Update(ctx, admin, other.ID, apikey.Change{Name: opt.Of(name)})
			wantFault(t, fmt.Sprintf("rename to %q", name), err, fault.Invalid, text)
		}
		_, _, err := n.keys.Create(ctx, admin, "lost", 999)
		wantFault(t, "unknown group", err, fault.Invalid, "Cannot add")
		_, err = n.keys.Update(ctx, admin, k.ID, apikey.Change{Name: opt.Of("half"), GroupID: opt.Of[int64](999)})
		wantFault(t, "rename and unknown group", err, fault.Invalid, "Cannot add")
		if got, err := n.keys.Get(ctx, admin, k.ID); err != nil || got.Name != "taken" {
			t.Errorf("a refused update left %+v, %v", got, err)
		}
		if after := rows(); after != before {
			t.Errorf("rows before %s, after %s", before, after)
		}
	})
}

func TestDeletedGroupMovesItsKeys(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx, g := t.Context(), n.group(t, "Analysts")
		k, text := n.create(t, "export", g)
		n.create(t, "elsewhere", access.AllUsers)
		n.check(t, "before", text, apikey.Accepted)
		counts, err := n.keys.CountByGroup(ctx, admin, []int64{g, access.Administrators})
		if err != nil || counts[g] != 1 || counts[access.AllUsers] != 2 || counts[access.Administrators] != 0 {
			t.Errorf("counts %v, %v", counts, err)
		}
		if err := n.groups.Delete(ctx, admin, g); err != nil {
			t.Fatal(err)
		}
		if p := n.check(t, "after", text, apikey.Accepted); p.InGroup(g) || !p.InGroup(access.AllUsers) {
			t.Errorf("groups %v", p.Groups)
		}
		if k, err = n.keys.Get(ctx, admin, k.ID); err != nil || k.Group.ID != access.AllUsers {
			t.Errorf("shown group %+v, %v", k.Group, err)
		}
		entries, err := n.log.List(ctx, audit.Filter{ObjectKind: "api-key", ObjectID: k.ID})
		if err != nil || entries[len(entries)-1].Action != "api-key.move" {
			t.Errorf("the move is not in the audit log: %v", err)
		}
	})
}

// The last administrator may be a key, and deleting it must still be possible.
func TestDeleteTheOnlyAdminKey(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		k, text := n.create(t, "bootstrap", access.Administrators)
		if err := n.keys.Delete(t.Context(), admin, k.ID); err != nil {
			t.Fatal(err)
		}
		n.check(t, "deleted", text, apikey.DeletedKey)
		if g, _ := n.groups.Snapshot().ByID(access.Administrators); g.MemberCount != 0 {
			t.Errorf("%d administrators are counted", g.MemberCount)
		}
	})
}

func TestListSearchPage(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx, g := t.Context(), n.group(t, "Analysts")
		var texts []string
		for i, name := range []string{"beta", "Alpha", "émile", "alphabet", "100%"} {
			_, text := n.create(t, name, []int64{g, access.AllUsers}[i%2])
			texts = append(texts, text)
		}
		names := func(f apikey.Filter) string {
			keys, total, err := n.keys.List(ctx, admin, f)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, k := range keys {
				out = append(out, k.Name)
			}
			return fmt.Sprint(strings.Join(out, " "), " of ", total)
		}
		for _, c := range []struct {
			f    apikey.Filter
			want string
		}{
			{apikey.Filter{}, "100% Alpha alphabet beta émile of 5"},
			{apikey.Filter{ByAge: true}, "beta Alpha émile alphabet 100% of 5"},
			{apikey.Filter{Limit: 2, Offset: 1}, "Alpha alphabet of 5"},
			{apikey.Filter{Limit: 2, Offset: 9}, " of 5"},
			{apikey.Filter{Query: "ALPHA", Limit: 1}, "Alpha of 2"},
			{apikey.Filter{Query: "ÉM"}, "émile of 1"},
			{apikey.Filter{Query: "0%"}, "100% of 1"},
			{apikey.Filter{Query: "be\x00t\xff"}, "alphabet beta of 2"},
			{apikey.Filter{Query: texts[0][:7]}, "beta of 1"},
			{apikey.Filter{GroupID: g}, "100% beta émile of 3"},
			{apikey.Filter{GroupID: g, Query: "a", Limit: 5}, "beta of 1"},
		} {
			if got := names(c.f); got != c.want {
				t.Errorf("%+v: %q, want %q", c.f, got, c.want)
			}
		}
		if c, err := n.keys.Count(ctx, admin); err != nil || c != 5 {
			t.Errorf("count %d, %v", c, err)
		}
	})
}

func TestOnlyAdmins(t *testing.T) {
	n := open(t, dbtest.Open(t, dbtest.SQLite), apikey.PepperSource{Text: randomPepper()})
	ctx, plain := t.Context(), &access.Principal{Kind: access.ServiceKey, UserID: 9, Groups: []int64{access.AllUsers}}
	for who, want := range map[*access.Principal]fault.Kind{plain: fault.Forbidden, nil: fault.Unauthenticated} {
		calls := map[string]func() error{
			"list":       func() error { _, _, err := n.keys.List(ctx, who, apikey.Filter{}); return err },
			"count":      func() error { _, err := n.keys.Count(ctx, who); return err },
			"by group":   func() error { _, err := n.keys.CountByGroup(ctx, who, nil); return err },
			"get":        func() error { _, err := n.keys.Get(ctx, who, 1); return err },
			"create":     func() error { _, _, err := n.keys.Create(ctx, who, "x", 1); return err },
			"update":     func() error { _, err := n.keys.Update(ctx, who, 1, apikey.Change{}); return err },
			"regenerate": func() error { _, _, err := n.keys.Regenerate(ctx, who, 1); return err },
			"delete":     func() error { return n.keys.Delete(ctx, who, 1) },
			"rotating":   func() error { _, err := n.keys.Rotating(ctx, who, nil); return err },
			"policy for": func() error { _, err := n.keys.PolicyFor(ctx, who, nil); return err },
			"supply":     func() error { _, err := n.keys.Supply(ctx, who, 1, apikey.Draft{}); return err },
			"get any":    func() error { _, err := n.keys.GetAny(ctx, who, 1); return err },
			"make":       func() error { _, _, err := n.keys.Make(ctx, who, apikey.Draft{Name: "x"}); return err },
			"disable":    func() error { _, err := n.keys.Disable(ctx, who, 1, "x", nil); return err },
			"enable":     func() error { _, err := n.keys.Enable(ctx, who, 1); return err },
			"rotate":     func() error { _, _, err := n.keys.Rotate(ctx, who, 1, apikey.Overlap{}); return err },
			"secrets":    func() error { _, err := n.keys.Secrets(ctx, who, 1); return err },
			"retire":     func() error { return n.keys.RetireSecret(ctx, who, 1, 1) },
			"restrict":   func() error { _, err := n.keys.SetRestriction(ctx, who, 1, access.Restriction{}); return err },
			"trial":      func() error { _, err := n.keys.SetTrial(ctx, who, 1, access.Restriction{}); return err },
			"end trial":  func() error { _, err := n.keys.EndTrial(ctx, who, 1); return err },
			"enforce":    func() error { _, err := n.keys.EnforceTrial(ctx, who, 1); return err },
			"verdict":    func() error { _, err := n.keys.Verdict(ctx, who, 1); return err },
			"suggest":    func() error { _, err := n.keys.Suggest(ctx, who, 1, time.Time{}); return err },
			"find":       func() error { _, _, err := n.keys.Find(ctx, who, [32]byte{}); return err },
			"alarms":     func() error { _, err := n.keys.RecentAlarms(ctx, who, time.Time{}); return err },
		}
		for name, call := range calls {
			if err := call(); !fault.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
}

func TestRefusalsAreTold(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		_, text := n.create(t, "k", access.AllUsers)
		n.check(t, "junk", "nonsense", apikey.Malformed)
		n.check(t, "typo", text[:46]+"!", apikey.Malformed)
		other := open(t, dbtest.Open(t, dbtest.SQLite), apikey.PepperSource{Text: randomPepper()})
		other.check(t, "key of another instance", text, apikey.Unknown)
		n.check(t, "good", text, apikey.Accepted)
		if c := n.verifier.Counts(); c["malformed"] != 2 || c["accepted"] != 1 {
			t.Errorf("counts %v", c)
		}
	})
}

// A database that is away is an error, never a refusal or an acceptance.
func TestDatabaseAway(t *testing.T) {
	n := open(t, dbtest.Open(t, dbtest.SQLite), apikey.PepperSource{Text: randomPepper()})
	_, cold := n.create(t, "cold", access.AllUsers)
	n.db.Close()
	if c, err := n.verifier.Verify(t.Context(), cold, here); c.Principal != nil || err == nil {
		t.Errorf("%v, %v: want an error", c, err)
	}
}

func TestPepperRotation(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place dbtest.Place) {
		ctx, old, fresh := t.Context(), randomPepper(), randomPepper()
		first := open(t, place.Open(t), apikey.PepperSource{Text: old})
		_, text := first.create(t, "k", access.AllUsers)

		if _, err := apikey.OpenPeppers(ctx, first.db, apikey.PepperSource{Text: fresh}); err == nil || !strings.Contains(err.Error(), "LATCHKEY_PEPPER_PREVIOUS_FILE") {
			t.Errorf("a wrong pepper: %v", err)
		}
		missing := apikey.PepperSource{File: filepath.Join(t.TempDir(), "pepper")}
		if _, err := apikey.OpenPeppers(ctx, first.db, missing); err == nil || !strings.Contains(err.Error(), "is missing") {
			t.Errorf("a missing pepper: %v", err)
		}

		stranded := func(src apikey.PepperSource) int {
			t.Helper()
			p, err := apikey.OpenPeppers(ctx, first.db, src)
			if err != nil {
				t.Fatal(err)
			}
			n, err := p.Stranded(ctx, first.db)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		both := open(t, place.Open(t), apikey.PepperSource{Text: fresh, Previous: old})
		if a, b := stranded(apikey.PepperSource{Text: fresh, Previous: old}), stranded(apikey.PepperSource{Text: fresh}); a != 0 || b != 1 {
			t.Errorf("before its use the key is stranded with both peppers %d times, with the new one alone %d times; want 0 and 1", a, b)
		}
		both.check(t, "stored under the previous pepper", text, apikey.Accepted)
		if n := stranded(apikey.PepperSource{Text: fresh}); n != 0 {
			t.Errorf("%d keys are stranded after their use", n)
		}
		after := open(t, place.Open(t), apikey.PepperSource{Text: fresh})
		after.check(t, "moved to the new pepper by its use", text, apikey.Accepted)
	})
}

// A key that many use at the moment of a rotation works for all of them,
// whichever of them moves it to the new pepper.
func TestPepperRotationUnderLoad(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place dbtest.Place) {
		old, fresh := randomPepper(), randomPepper()
		first := open(t, place.Open(t), apikey.PepperSource{Text: old})
		both := open(t, place.Open(t), apikey.PepperSource{Text: fresh, Previous: old})
		for range 10 {
			_, text := first.create(t, rand.Text(), access.AllUsers)
			var all sync.WaitGroup
			for range 40 {
				all.Go(func() { both.check(t, "while it moves to the new pepper", text, apikey.Accepted) })
			}
			all.Wait()
		}
	})
}

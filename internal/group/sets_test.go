package group_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
)

func TestSetsOfMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), service(t, d)
		one, _ := s.Create(ctx, admin, "one")
		two, err := s.Create(ctx, admin, "two")
		if err != nil {
			t.Fatal(err)
		}
		ada, bo, cy := user(t, d, s, "ada", access.Administrators), user(t, d, s, "bo", one.ID), user(t, d, s, "cy")
		if err := deactivate(t, d, s, cy); err != nil {
			t.Fatal(err)
		}
		pairs := []group.Pair{
			{GroupID: one.ID, UserID: ada}, {GroupID: one.ID, UserID: bo}, {GroupID: two.ID, UserID: cy}, {GroupID: one.ID, UserID: ada},
			{GroupID: access.AllUsers, UserID: bo}, {GroupID: 999, UserID: bo}, {GroupID: two.ID, UserID: 999}, {GroupID: access.Administrators, UserID: bo},
		}
		ids, refused, err := s.AddMembers(ctx, admin, pairs)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"", "already a member", "", "already a member", "All Users", "non-tenant", "non-tenant", ""} {
			if want != "" {
				wantFault(t, fmt.Sprint("add ", i), refused[i], fault.Invalid, want)
			}
			if (want == "") != (ids[i] > 0 && refused[i] == nil) {
				t.Errorf("add %d: id %d, %v", i, ids[i], refused[i])
			}
		}
		counted(t, d, s)
		if got := count(t, s, one.ID); got != 2 {
			t.Errorf("one has %d members, want 2", got)
		}
		refused, err = s.RemoveMembers(ctx, admin, []group.Pair{
			{GroupID: access.Administrators, UserID: ada}, {GroupID: access.Administrators, UserID: bo}, {GroupID: one.ID, UserID: bo},
			{GroupID: one.ID, UserID: bo}, {GroupID: two.ID, UserID: cy}, {GroupID: two.ID, UserID: 999}, {GroupID: access.AllUsers, UserID: bo},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []fault.Kind{-1, fault.Invalid, -1, fault.NotFound, -1, fault.NotFound, fault.Invalid} {
			if want == -1 && refused[i] != nil || want != -1 && !fault.Is(refused[i], want) {
				t.Errorf("remove %d: %v, want %v", i, refused[i], want)
			}
		}
		counted(t, d, s)
		_, _, err = s.AddMembers(ctx, plain, pairs)
		wantFault(t, "by a plain person", err, fault.Forbidden, "")
	})
}

func TestSetsProtectAdministrators(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	s := service(t, d)
	bo := user(t, d, s, "bo")
	limits, err := access.Restriction{Scopes: []string{"memberships:write"}}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	key := &access.Principal{Kind: access.ServiceKey, KeyID: 1, Groups: []int64{1, 2}, Limits: limits}
	_, refused, err := s.AddMembers(t.Context(), key, []group.Pair{{GroupID: access.Administrators, UserID: bo}})
	if err != nil || !fault.Is(refused[0], fault.Forbidden) {
		t.Errorf("%v, %v", refused, err)
	}
}

// One entry for each group and one transaction: thousands take no time.
func TestSetsAreFast(t *testing.T) {
	const n = 10_000
	d := dbtest.Open(t, dbtest.SQLite)
	ctx, s := t.Context(), service(t, d)
	g, err := s.Create(ctx, admin, "large")
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Exec(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO users (id, kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
		SELECT 1000 + i, 'person', 'p' || i || '@example.com', '', '', '', 0, 0 FROM n`, n)
	if err != nil {
		t.Fatal(err)
	}
	pairs := make([]group.Pair, n)
	for i := range pairs {
		pairs[i] = group.Pair{GroupID: g.ID, UserID: int64(1001 + i)}
	}
	start := time.Now()
	_, refused, err := s.AddMembers(ctx, admin, pairs)
	if err != nil || slices.ContainsFunc(refused, func(err error) bool { return err != nil }) {
		t.Fatal(err)
	}
	t.Logf("%d memberships in %v", n, time.Since(start))
	if got := count(t, s, g.ID); got != n {
		t.Errorf("%d members, want %d", got, n)
	}
	entries, err := db.One(ctx, d, db.Scalar[int], "SELECT count(*) FROM audit WHERE action = 'membership.add'")
	if err != nil || entries != 1 {
		t.Errorf("%d entries, want 1: %v", entries, err)
	}
	counted(t, d, s)
}

package group_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
)

var (
	admin = access.CommandLine()
	plain = &access.Principal{Kind: access.Person, UserID: 99, Groups: []int64{access.AllUsers}}
)

func service(t *testing.T, d *db.DB) *group.Service {
	t.Helper()
	s, err := group.New(t.Context(), d, audit.New(d), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// user makes a bare row of the table that people owns.
func user(t *testing.T, d *db.DB, s *group.Service, name string, groups ...int64) int64 {
	t.Helper()
	var id int64
	err := d.InTx(t.Context(), func(ctx context.Context) error {
		var err error
		id, err = d.Insert(ctx, `INSERT INTO users (kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
			VALUES ('person', ?1, ?1, ?1, ?1, ?2, ?2) RETURNING id`, name+"@example.com", d.Now(ctx))
		if err != nil {
			return err
		}
		_, err = s.SetForUser(ctx, admin, id, append([]int64{access.AllUsers}, groups...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func deactivate(t *testing.T, d *db.DB, s *group.Service, id int64) error {
	t.Helper()
	return d.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := d.Exec(ctx, "UPDATE users SET active = FALSE WHERE id = ?1", id); err != nil {
			return err
		}
		return s.ActiveChanged(ctx, id, false)
	})
}

func count(t *testing.T, s *group.Service, id int64) int64 {
	t.Helper()
	g, ok := s.Snapshot().ByID(id)
	if !ok {
		t.Fatalf("no group %d", id)
	}
	return g.MemberCount
}

// counted compares the kept counts with a count of the rows.
func counted(t *testing.T, d *db.DB, s *group.Service) {
	t.Helper()
	for _, g := range s.Snapshot().ByName {
		n, err := db.One(t.Context(), d, db.Scalar[int64], `SELECT count(*) FROM membership m
			JOIN users u ON u.id = m.user_id WHERE m.group_id = ?1 AND u.active`, g.ID)
		if err != nil || n != g.MemberCount {
			t.Errorf("group %s: kept count %d, rows %d, %v", g.Name, g.MemberCount, n, err)
		}
	}
}

func wantFault(t *testing.T, what string, err error, k fault.Kind, text string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != k || !strings.Contains(f.Error(), text) {
		t.Errorf("%s: %v, want %v with %q", what, err, k, text)
	}
}

func TestCreateRenameDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), service(t, d)
		g, err := s.Create(ctx, admin, "Analysts")
		if err != nil || g.ID != 3 || len(g.EntityID) != 21 {
			t.Fatalf("create: %+v, %v", g, err)
		}
		for name, text := range map[string]string{
			"analysts": "already exists", "ALL USERS": "already exists", "": "non-blank", " \t": "non-blank",
			strings.Repeat("é", 256): "at most 255", "a\x00b": "control",
		} {
			_, err := s.Create(ctx, admin, name)
			wantFault(t, fmt.Sprintf("create %q", name), err, fault.Invalid, text)
		}
		if g, err = s.Rename(ctx, admin, g.ID, "ANALYSTS"); err != nil || g.Name != "ANALYSTS" {
			t.Errorf("case-only rename: %+v, %v", g, err)
		}
		_, err = s.Rename(ctx, admin, access.AllUsers, "Everybody")
		wantFault(t, "rename All Users", err, fault.Invalid, "You cannot edit or delete the 'All Users' permissions group!")
		if _, err = s.Rename(ctx, admin, access.AllUsers, "All Users"); err != nil {
			t.Errorf("rename to the same name: %v", err)
		}
		_, err = s.Rename(ctx, admin, 999, "x")
		wantFault(t, "rename unknown", err, fault.NotFound, "Not found.")
		wantFault(t, "delete Administrators", s.Delete(ctx, admin, access.Administrators), fault.Invalid, "'Administrators'")
		wantFault(t, "delete unknown", s.Delete(ctx, admin, 999), fault.NotFound, "Not found.")
		if err := s.Delete(ctx, admin, g.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, admin, g.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("get after delete: %v", err)
		}
	})
}

func TestMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), service(t, d)
		g, err := s.Create(ctx, admin, "Analysts")
		if err != nil {
			t.Fatal(err)
		}
		ada, bo := user(t, d, s, "ada", access.Administrators), user(t, d, s, "bo", g.ID)
		if got := count(t, s, g.ID); got != 1 {
			t.Errorf("%d members, want 1", got)
		}
		_, err = s.AddMember(ctx, admin, g.ID, bo)
		wantFault(t, "twice", err, fault.Invalid, "already a member")
		_, err = s.AddMember(ctx, admin, access.AllUsers, bo)
		wantFault(t, "All Users", err, fault.Invalid, "'All Users' group")
		_, err = s.AddMember(ctx, admin, 999, bo)
		wantFault(t, "unknown group", err, fault.Invalid, "Cannot add")
		_, err = s.AddMember(ctx, admin, g.ID, 999)
		wantFault(t, "unknown user", err, fault.Invalid, "Cannot add")
		id, err := s.AddMember(ctx, admin, g.ID, ada)
		if err != nil {
			t.Fatal(err)
		}
		counted(t, d, s)

		wantFault(t, "unknown membership, plain user", s.RemoveMembership(ctx, plain, 999), fault.NotFound, "")
		wantFault(t, "membership, plain user", s.RemoveMembership(ctx, plain, id), fault.Forbidden, "")
		if err := s.RemoveMembership(ctx, admin, id); err != nil {
			t.Error(err)
		}
		wantFault(t, "last admin", s.RemoveMember(ctx, admin, access.Administrators, ada), fault.Invalid, "last member of the 'Admin' group")
		wantFault(t, "deactivate the last admin", deactivate(t, d, s, ada), fault.Invalid, "last member")
		wantFault(t, "clear Administrators", s.Clear(ctx, admin, access.Administrators), fault.Invalid, "Invalid Request.")
		wantFault(t, "clear All Users", s.Clear(ctx, admin, access.AllUsers), fault.Invalid, "'All Users' group")
		if err := deactivate(t, d, s, bo); err != nil {
			t.Error(err)
		}
		if got := count(t, s, g.ID); got != 0 {
			t.Errorf("%d active members after deactivation, want 0", got)
		}
		counted(t, d, s)
		m, err := s.Memberships(ctx, admin)
		if err != nil || len(m[bo]) != 2 || len(m[ada]) != 2 {
			t.Errorf("memberships: %v, %v", m, err)
		}
		if err := s.Clear(ctx, admin, g.ID); err != nil {
			t.Error(err)
		}
		if groups, err := s.OfUser(ctx, bo); err != nil || !cmp.Equal(groups, []int64{1}) {
			t.Errorf("after clear: %v, %v", groups, err)
		}
	})
}

func TestOnlyAdmins(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	ctx, s := t.Context(), service(t, d)
	for who, want := range map[*access.Principal]fault.Kind{plain: fault.Forbidden, nil: fault.Unauthenticated} {
		calls := map[string]func() error{
			"get":         func() error { _, err := s.Get(ctx, who, 1); return err },
			"create":      func() error { _, err := s.Create(ctx, who, "x"); return err },
			"rename":      func() error { _, err := s.Rename(ctx, who, 1, "x"); return err },
			"delete":      func() error { return s.Delete(ctx, who, 1) },
			"add":         func() error { _, err := s.AddMember(ctx, who, 2, 1); return err },
			"remove":      func() error { return s.RemoveMember(ctx, who, 2, 1) },
			"clear":       func() error { return s.Clear(ctx, who, 2) },
			"memberships": func() error { _, err := s.Memberships(ctx, who); return err },
		}
		for name, call := range calls {
			if err := call(); !fault.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
	if r, err := audit.New(d).Verify(ctx); r.Entries != 0 || err != nil {
		t.Errorf("refused calls left %d entries, %v", r.Entries, err)
	}
}

func TestDeleteTellsHooksAndMembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), service(t, d)
		g, err := s.Create(ctx, admin, "Analysts")
		if err != nil {
			t.Fatal(err)
		}
		bo := user(t, d, s, "bo", g.ID)
		var changed []int64
		d.Subscribe(func(cs []db.Change) {
			for _, c := range cs {
				if c.Kind == db.ChangedUser {
					changed = append(changed, c.ID)
				}
			}
		})
		fail := true
		s.OnDelete(func(_ context.Context, _ *access.Principal, gone group.Group) error {
			if fail {
				return fault.New(fault.Conflict, "hook refuses %s", gone.Name)
			}
			return nil
		})
		wantFault(t, "refusing hook", s.Delete(ctx, admin, g.ID), fault.Conflict, "Analysts")
		if count(t, s, g.ID) != 1 {
			t.Error("a refused delete changed the group")
		}
		fail = false
		if err := s.Delete(ctx, admin, g.ID); err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(changed, []int64{bo}) {
			t.Errorf("members told: %v, want %d", changed, bo)
		}
	})
}

func TestSearch(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	ctx, s := t.Context(), service(t, d)
	for _, n := range []string{"beta", "Alpha", "Émile", "alphabet"} {
		if _, err := s.Create(ctx, admin, n); err != nil {
			t.Fatal(err)
		}
	}
	names := func(q string, limit, offset int) (out []string) {
		page, _ := s.Search(q, limit, offset)
		for _, g := range page {
			out = append(out, g.Name)
		}
		return out
	}
	for _, c := range []struct {
		q             string
		limit, offset int
		want          []string
	}{
		{"", 0, 0, []string{"Administrators", "All Users", "Alpha", "alphabet", "beta", "Émile"}},
		{"ALPHA", 0, 0, []string{"Alpha", "alphabet"}},
		{"émile", 0, 0, []string{"Émile"}},
		{"", 2, 1, []string{"All Users", "Alpha"}},
		{"", 2, 99, nil},
		{"nothing", 0, 0, nil},
	} {
		if got := names(c.q, c.limit, c.offset); !cmp.Equal(got, c.want) {
			t.Errorf("search %q limit %d offset %d: %v, want %v", c.q, c.limit, c.offset, got, c.want)
		}
	}
}

// Two services on one database: the second sees what the first did.
func TestSnapshotFollowsOtherNodes(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		here, there := p.Open(t), p.Open(t)
		a, b := service(t, here), service(t, there)
		g, err := a.Create(t.Context(), admin, "Analysts")
		if err != nil {
			t.Fatal(err)
		}
		user(t, here, a, "bo", g.ID)
		if err := there.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.Snapshot().ByName, b.Snapshot().ByName); diff != "" {
			t.Errorf("the nodes differ:\n%s", diff)
		}
		if err := a.Delete(t.Context(), admin, g.ID); err != nil {
			t.Fatal(err)
		}
		if err := there.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.Snapshot().ByID(g.ID); ok {
			t.Error("the other node still knows the deleted group")
		}
		before := b.Snapshot().Version
		if err := there.CatchUp(t.Context()); err != nil || b.Snapshot().Version != before {
			t.Errorf("the version moved without a change (%v)", err)
		}
	})
}

func TestAuditChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s, log := audit.WithOrigin(t.Context(), audit.Origin{RemoteAddr: "192.0.2.7", RequestID: "r1"}), service(t, d), audit.New(d)
		for _, n := range []string{"a", "b", "c"} {
			if _, err := s.Create(ctx, admin, n); err != nil {
				t.Fatal(err)
			}
		}
		recs, err := log.List(ctx, audit.Filter{ObjectKind: "group"})
		if err != nil || len(recs) != 3 || recs[0].Action != "group.create" || recs[0].RemoteAddr != "192.0.2.7" {
			t.Fatalf("%+v, %v", recs, err)
		}
		if r, err := log.Verify(ctx); r.Entries != 3 || err != nil {
			t.Errorf("verify: %d, %v", r.Entries, err)
		}
		for _, c := range []struct{ forge, mend, want string }{
			{"UPDATE audit SET object_name = 'z' WHERE id = 2", "UPDATE audit SET object_name = 'b' WHERE id = 2", "entry 2 was changed"},
			{"UPDATE audit SET id = 99 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 99", "entry 2 is missing"},
		} {
			if _, err := d.Exec(ctx, c.forge); err != nil {
				t.Fatal(err)
			}
			if _, err := log.Verify(ctx); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.forge, err, c.want)
			}
			if _, err := d.Exec(ctx, c.mend); err != nil {
				t.Fatal(err)
			}
		}
	})
}

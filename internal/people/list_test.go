package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/people"
)

func emails(users []people.User) string {
	out := []string{}
	for _, u := range users {
		name, _, _ := strings.Cut(u.Email, "@")
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin() // Ada Lovelace
		make := func(email string, first, last *string, groups ...int64) people.User {
			u, err := w.Create(ctx, ada, people.NewUser{
				Email: email + "@example.com", FirstName: first, LastName: last, Groups: append([]int64{access.AllUsers}, groups...),
			})
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		g, err := w.groups.Create(ctx, ada, "Analysts")
		if err != nil {
			t.Fatal(err)
		}
		make("bo2", ptr("bo"), ptr("B"), g.ID)
		make("bo1", ptr("Bo"), ptr("a_100%"))
		make("nameless", nil, nil)
		make("adam", ptr("Adam"), nil, g.ID)
		off := make("off", ptr("Öff"), ptr("Ö"), g.ID)
		if err := w.Deactivate(ctx, ada, off.ID); err != nil {
			t.Fatal(err)
		}
		w.keyUser("bo key", g.ID)

		tests := []struct {
			f     people.Filter
			want  string
			total int
		}{
			{people.Filter{}, "nameless ada adam bo1 bo2", 5},
			{people.Filter{Status: "nonsense"}, "nameless ada adam bo1 bo2", 5},
			{people.Filter{Status: people.Deactivated}, "off", 1},
			{people.Filter{Status: people.All}, "nameless ada adam bo1 bo2 off", 6},
			{people.Filter{Limit: 2}, "nameless ada", 5},
			{people.Filter{Limit: 2, Offset: 3}, "bo1 bo2", 5},
			{people.Filter{Limit: 2, Offset: 9}, "", 5},
			{people.Filter{Offset: 4}, "bo2", 5},
			{people.Filter{Query: "BO"}, "bo1 bo2", 2},
			{people.Filter{Query: "ada"}, "ada adam", 2},
			{people.Filter{Query: "lovel"}, "ada", 1},
			{people.Filter{Query: "LESS@exam"}, "nameless", 1},
			{people.Filter{Query: "0%"}, "bo1", 1},
			{people.Filter{Query: "a_1"}, "bo1", 1},
			{people.Filter{Query: "o_"}, "", 0},
			{people.Filter{Query: `\`}, "", 0},
			{people.Filter{Query: "ö", Status: people.All}, "off", 1},
			{people.Filter{Query: "\x00\xff"}, "nameless ada adam bo1 bo2", 5},
			{people.Filter{GroupID: g.ID}, "adam bo2", 2},
			{people.Filter{GroupID: g.ID, Status: people.All, Limit: 2}, "adam bo2", 3},
			{people.Filter{GroupID: g.ID, Query: "b"}, "bo2", 1},
			{people.Filter{GroupID: 999}, "", 0},
		}
		for _, tt := range tests {
			users, total, err := w.List(ctx, ada, tt.f)
			if err != nil || emails(users) != tt.want || total != tt.total {
				t.Errorf("%+v: %q, %d, %v, want %q, %d", tt.f, emails(users), total, err, tt.want, tt.total)
			}
		}
		users, _, _ := w.List(ctx, ada, people.Filter{})
		if !slices.Equal(users[1].Groups, []int64{1, 2}) || !users[1].IsAdmin || !slices.Equal(users[2].Groups, []int64{1, g.ID}) {
			t.Errorf("groups are wrong: %+v", users[1:3])
		}
		bo := w.person(names("Zed", "Z"))
		_, _, err = w.List(ctx, bo, people.Filter{})
		wantFault(t, err, fault.Forbidden, textForbidden)

		found, total, err := w.Recipients(ctx, bo, people.Page{})
		if err != nil || emails(found) != "nameless adam bo1 bo2 ada zed" || total != 6 {
			t.Errorf("recipients = %q, %d, %v", emails(found), total, err)
		}
		if found, total, _ = w.Recipients(ctx, bo, people.Page{Limit: 1, Offset: 5}); emails(found) != "zed" || total != 6 {
			t.Errorf("recipients = %q, %d", emails(found), total)
		}
		_, _, err = w.Recipients(ctx, nil, people.Page{})
		wantFault(t, err, fault.Unauthenticated, "Unauthenticated")
	})
}

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		bo := w.person(names("Bo", "K"))
		off := w.person(names("Off", ""))
		if err := w.Deactivate(ctx, ada, off.UserID); err != nil {
			t.Fatal(err)
		}
		w.keyUser("alpha key")
		show := func(members []people.Member) string {
			out := []string{}
			for _, m := range members {
				if m.MembershipID == 0 || m.GroupID != access.AllUsers || len(m.Groups) == 0 {
					t.Errorf("incomplete: %+v", m)
				}
				out = append(out, m.CommonName)
			}
			return strings.Join(out, ", ")
		}
		tests := []struct {
			query string
			page  people.Page
			want  string
			total int
		}{
			{"", people.Page{}, "Ada Lovelace, alpha key, Bo K", 3},
			{"", people.Page{Limit: 1, Offset: 1}, "alpha key", 3},
			{"A", people.Page{Limit: 2}, "Ada Lovelace, alpha key", 3}, // "bo@example.com" has an a
			{"alpha", people.Page{}, "alpha key", 1},
			{"x", people.Page{Limit: 5, Offset: 9}, "", 2},
		}
		for _, tt := range tests {
			members, total, err := w.Members(ctx, ada, access.AllUsers, tt.query, tt.page)
			if err != nil || show(members) != tt.want || total != tt.total {
				t.Errorf("%q %+v: %q, %d, %v, want %q, %d", tt.query, tt.page, show(members), total, err, tt.want, tt.total)
			}
		}
		_, _, err := w.Members(ctx, ada, 999, "", people.Page{})
		wantFault(t, err, fault.NotFound, textNotFound)
		_, _, err = w.Members(ctx, bo, access.AllUsers, "", people.Page{})
		wantFault(t, err, fault.Forbidden, textForbidden)
	})
}

// crowd makes many persons in All Users, every tenth inactive, in two statements.
func crowd(tb testing.TB, d *db.DB, n int) {
	tb.Helper()
	numbers := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
	for _, q := range []string{
		numbers + `INSERT INTO users (kind, email, first_name, last_name, sort_name, sort_last, search_text, active, date_joined, updated_at)
			SELECT 'person', 'u' || i || '@example.com', 'First' || (i % 977), 'Last' || i,
				'first' || (i % 977) || 'last' || i, 'last' || i, 'first' || (i % 977) || ' last' || i || ' u' || i || '@example.com',
				i % 10 <> 0, 0, 0 FROM n`,
		`INSERT INTO membership (group_id, user_id) SELECT 1, id FROM users WHERE ?1 > 0`,
		`UPDATE permission_group SET member_count = (SELECT count(*) FROM users WHERE active = TRUE) WHERE id = 1 AND ?1 > 0`,
	} {
		if _, err := d.Exec(tb.Context(), q, n); err != nil {
			tb.Fatal(err)
		}
	}
}

// TestMembersOfALargeGroup takes the other way through the tables.
func TestMembersOfALargeGroup(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		d := p.Open(t, dbtest.WithClock(c))
		crowd(t, d, 6000)
		w := newWorld(t, d, c)
		all, total, err := w.Members(t.Context(), w.root, access.AllUsers, "", people.Page{})
		if err != nil || len(all) != 5400 || total != 5400 {
			t.Fatalf("members = %d of %d, %v", len(all), total, err)
		}
		page, total, err := w.Members(t.Context(), w.root, access.AllUsers, "", people.Page{Limit: 50, Offset: 5000})
		if err != nil || total != 5400 || len(page) != 50 {
			t.Fatalf("page = %d of %d, %v", len(page), total, err)
		}
		for i := range page {
			if page[i].ID != all[5000+i].ID {
				t.Fatalf("row %d is user %d, want %d", i, page[i].ID, all[5000+i].ID)
			}
		}
	})
}

func BenchmarkLists(b *testing.B) {
	for _, k := range dbtest.Kinds() {
		d := dbtest.Open(b, k)
		crowd(b, d, 100_000)
		w := newWorld(b, d, clock.NewFake(start()))
		for name, f := range map[string]func() error{
			"page": func() error {
				_, _, err := w.List(b.Context(), w.root, people.Filter{Limit: 50, Offset: 1000})
				return err
			},
			"all": func() error {
				_, _, err := w.List(b.Context(), w.root, people.Filter{Status: people.All, Limit: 50})
				return err
			},
			"search": func() error {
				_, _, err := w.List(b.Context(), w.root, people.Filter{Query: "last9999", Limit: 50})
				return err
			},
			"recipient": func() error { _, _, err := w.Recipients(b.Context(), w.root, people.Page{Limit: 50}); return err },
			"group": func() error {
				_, _, err := w.List(b.Context(), w.root, people.Filter{GroupID: 1, Limit: 50})
				return err
			},
			"members": func() error {
				_, _, err := w.Members(b.Context(), w.root, 1, "", people.Page{Limit: 50, Offset: 1000})
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s/%s", k, name), func(b *testing.B) {
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

package audit

import (
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/db"
)

// TestPlans holds which index SQLite walks for a filter, and that entries come
// out of it in their order unless few are chosen.
func TestPlans(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	l, day := New(d), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		f    Filter
		want string
		sort bool
	}{
		{"all", Filter{}, "SCAN audit", false},
		{"page", Filter{Before: 9}, "SEARCH audit USING COVERING INDEX audit_by_name (id<?)", false},
		{"object", Filter{ObjectKind: "group", ObjectID: 5}, "COVERING INDEX audit_by_object (object_kind=? AND object_id=?)", false},
		{"kind of object", Filter{ObjectKind: "group"}, "COVERING INDEX audit_by_object_kind (object_kind=?)", false},
		{"actor", Filter{ActorID: 7, Before: 9}, "COVERING INDEX audit_by_actor (actor_id=? AND id<?)", false},
		{"kind of actor", Filter{ActorKind: "system"}, "COVERING INDEX audit_by_actor_kind (actor_kind=?)", false},
		{"action", Filter{Action: "a.b"}, "COVERING INDEX audit_by_action (action=?)", false},
		{"area", Filter{Action: "a.", Before: 9}, "INDEX audit_by_area (area=? AND id<?)", false},
		{"two", Filter{Action: "a.b", ActorKind: "person"}, "INDEX audit_by_action (action=?)", false},
		{"time", Filter{From: day, To: day}, "COVERING INDEX audit_by_time (at>? AND at<?)", true},
		{"key, made by it", Filter{KeyID: 3}, "COVERING INDEX audit_by_key (actor_key=?)", true},
		{"key, about it", Filter{KeyID: 3}, "COVERING INDEX audit_by_object (object_kind=? AND object_id=?)", true},
		{"query", Filter{Query: "ada"}, "COVERING INDEX audit_by_name", false},
	} {
		c.f.Newest = true
		q, err := l.plan(t.Context(), c.f, 100)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := db.All(t.Context(), d, func(r db.Row) (string, error) {
			var id, parent, unused int
			var text string
			err := r.Scan(&id, &parent, &unused, &text)
			return text, err
		}, "EXPLAIN QUERY PLAN "+q.text, q.args...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, q.text)
		}
		plan := strings.Join(steps, "\n")
		if !strings.Contains(plan, c.want) || (!c.sort && strings.Contains(plan, "TEMP B-TREE")) {
			t.Errorf("%s: %s\n%s\nwant %s", c.name, q.text, plan, c.want)
		}
	}
}

// TestLeader shows that the filter which lets the fewest through leads,
// whichever it is.
func TestLeader(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, at := New(d), d.Now(t.Context())
		for _, e := range []Entry{{Action: "a.b", ObjectKind: "x"}, {Action: "a.b", ObjectKind: "x"}, {Action: "a.c", ObjectKind: "y"}} {
			if err := l.Append(t.Context(), Actor{Kind: "person", UserID: 1}, e); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			f    Filter
			want string
		}{
			{Filter{ActorID: 1, Action: "a.c"}, "action = ?"},
			{Filter{ActorKind: "person", Action: "a.b", ObjectKind: "y"}, "object_kind = ?"},
			{Filter{ActorID: 1, To: at.Add(-time.Hour)}, "at < ?"},
			{Filter{ActorID: 2, From: at.Add(-time.Hour)}, "actor_id = ?"},
			{Filter{KeyID: 5, Action: "a."}, "actor_key = ?"},
		} {
			got, err := l.leader(t.Context(), c.f.filters())
			if err != nil || got == nil || got.lead[0] != c.want {
				t.Errorf("%+v: %+v, %v, want %s", c.f, got, err, c.want)
			}
		}
	})
}

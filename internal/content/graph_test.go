package content_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// text writes a graph as "group:collection=level …".
func text(g content.Graph) string {
	var b strings.Builder
	g.Walk(func(group int64, levels []access.CollectionLevel) {
		for i, level := range levels {
			if level != access.NoCollection {
				fmt.Fprintf(&b, "%d:%d=%s ", group, g.Places[i], level)
			}
		}
	})
	return strings.TrimSpace(b.String())
}

func (w *world) graph() content.Graph {
	w.t.Helper()
	g, err := w.Graph(w.t.Context(), admin, content.Default)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) force(grants ...content.Grant) error {
	_, err := w.UpdateGraph(w.t.Context(), admin, content.GraphChange{Force: true, Grants: grants})
	return err
}

func TestGraph(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.KnowGroups(func(_ context.Context, id int64) (bool, error) { return id < 10, nil })
		a := w.collection("A", access.RootCollection) // 2, granted as the root is
		b := w.collection("B", a.ID)
		want(t, w.force(content.Grant{CollectionID: a.ID, GroupID: 12, Level: access.View}), fault.Invalid)
		want(t, w.force(content.Grant{CollectionID: 99, GroupID: 5, Level: access.View}), fault.Invalid)
		want(t, w.force(content.Grant{CollectionID: a.ID, GroupID: access.Administrators, Level: access.View}), fault.Invalid)
		if got, now := w.graph(), "1:0=curate 1:2=curate 1:3=curate 2:0=curate 2:2=curate 2:3=curate"; text(got) != now || got.Revision != 2 {
			t.Errorf("%s in revision %d", text(got), got.Revision)
		}
		audited := w.entries()
		if err := w.force(
			content.Grant{CollectionID: a.ID, GroupID: 5, Level: access.View}, content.Grant{CollectionID: b.ID, GroupID: 5, Level: access.Curate},
			content.Grant{CollectionID: access.RootCollection, GroupID: 1, Level: access.NoCollection},
		); err != nil {
			t.Fatal(err)
		}
		if got, now := w.graph(), "1:2=curate 1:3=curate 2:0=curate 2:2=curate 2:3=curate 5:2=view 5:3=curate"; text(got) != now || got.Revision != 3 {
			t.Errorf("%s in revision %d", text(got), got.Revision)
		}
		if err := w.force(content.Grant{CollectionID: a.ID, GroupID: 5, Level: access.View}); err != nil || w.graph().Revision != 3 || w.entries() != audited+1 {
			t.Errorf("what changes nothing: %v, revision %d, %d entries", err, w.graph().Revision, w.entries()-audited)
		}
		_, err := w.UpdateGraph(t.Context(), admin, content.GraphChange{Revision: opt.Of(int64(2))})
		want(t, err, fault.Conflict)
		who := w.person("eve", 5)
		_, err = w.UpdateGraph(t.Context(), who, content.GraphChange{Force: true})
		want(t, err, fault.Forbidden)
		_, err = w.Graph(t.Context(), who, content.Default)
		want(t, err, fault.Forbidden)
		w.KnowGroups(func(_ context.Context, id int64) (bool, error) { return id != 5, nil })
		if got := text(w.graph()); strings.Contains(got, "5:") {
			t.Errorf("a group that is gone: %s", got)
		}
	})
}

// entries counts the audit log.
func (w *world) entries() int {
	w.t.Helper()
	n, err := db.One(w.t.Context(), w.db, db.Scalar[int], "SELECT count(*) FROM audit")
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestGrantsOfASubtree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, other := w.collection("A", access.RootCollection), w.collection("Other", access.RootCollection)
		b := w.collection("B", a.ID)
		c := w.collection("C", b.ID)
		if _, err := w.change(b.ID, archive(true)); err != nil {
			t.Fatal(err)
		}
		set := func(id, group int64, level access.CollectionLevel) error {
			return w.SetGrants(t.Context(), admin, []content.Grant{{CollectionID: id, GroupID: group, Level: level}}, true)
		}
		if err := set(a.ID, 1, access.View); err != nil {
			t.Fatal(err)
		}
		levels, err := w.Levels(t.Context(), admin, []int64{1, 2, 5}, []int64{0, a.ID, b.ID, c.ID, other.ID, 99})
		if got, want := fmt.Sprint(levels), "[[curate curate none] [view curate none] [view curate none] [view curate none] [curate curate none] [none none none]]"; err != nil || got != want {
			t.Errorf("%s, %v", got, err)
		}
		if err := set(access.RootCollection, 1, access.NoCollection); err != nil {
			t.Fatal(err)
		}
		bo := w.person("bo")
		if r := w.Collections().Reach(bo, access.View); r.Root || len(r.IDs) > 0 {
			t.Errorf("%+v", r)
		}
		want(t, set(99, 1, access.View), fault.NotFound)
		want(t, set(access.TrashCollection, 1, access.View), fault.Invalid)
		want(t, set(a.ID, access.Administrators, access.View), fault.Invalid)
		_, err = w.Levels(t.Context(), bo, nil, nil)
		want(t, err, fault.Forbidden)
	})
}

func TestPersonalCollectionsHaveNoGrants(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bo, key := w.person("bo"), &access.Principal{Kind: access.ServiceKey, UserID: 77, KeyID: 1, Groups: []int64{1}}
		own, err := w.OwnPersonal(t.Context(), bo)
		again, err2 := w.OwnPersonal(t.Context(), bo)
		if err != nil || err2 != nil || own == 0 || own != again {
			t.Fatalf("%d, %d, %v, %v", own, again, err, err2)
		}
		if id, err := w.OwnPersonal(t.Context(), key); id != 0 || err != nil {
			t.Errorf("a key has %d, %v", id, err)
		}
		inside, err := w.CreateCollection(t.Context(), bo, content.NewCollection{Name: "Inside", ParentID: own})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []int64{own, inside.ID} {
			err := w.SetGrants(t.Context(), admin, []content.Grant{{CollectionID: id, GroupID: 1, Level: access.View}}, false)
			want(t, err, fault.Invalid)
			if level, _ := w.Collections().Level(t.Context(), w.person(fmt.Sprintf("cy%d", id)), id); level != access.NoCollection {
				t.Errorf("others may %s in %d", level, id)
			}
		}
		if got := text(w.graph()); got != "1:0=curate 2:0=curate" || w.graph().Revision != 0 {
			t.Errorf("%s", got)
		}
	})
}

// Other nodes follow a change of grants alone.
func TestGrantsReachOtherNodes(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		one, two := newWorld(t, p.Open(t)), newWorld(t, p.Open(t))
		a := one.collection("A", access.RootCollection)
		one.grant(a.ID, 5, access.View)
		one.grant(access.RootCollection, 5, access.Curate)
		if err := two.db.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := text(two.graph()), text(one.graph()); got != want || !strings.Contains(got, "5:0=curate 5:2=view") {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// stored returns the grants as they are in the database: of the root, and of
// the collections in order of their ids.
func (w *world) stored() string {
	w.t.Helper()
	texts, err := db.All(w.t.Context(), w.db, db.Scalar[string],
		"SELECT grants FROM (SELECT 0 AS id, grants FROM collection_root WHERE namespace = '' UNION ALL SELECT id, grants FROM collection WHERE id > 1) g ORDER BY id")
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(texts, " | ")
}

func (w *world) deleteGroup(id int64) {
	w.t.Helper()
	err := w.db.InTx(w.t.Context(), func(ctx context.Context) error { return w.GroupDeleted(ctx, admin, id, "Some group") })
	if err != nil {
		w.t.Fatal(err)
	}
}

// The grants of a group go with it: from the database, and from the memory of
// every node, without a new revision.
func TestGrantsGoWithTheirGroup(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		one := newWorld(t, p.Open(t))
		a, b, c := one.collection("A", access.RootCollection), one.collection("B", access.RootCollection), one.collection("C", access.RootCollection)
		one.grant(access.RootCollection, 15, access.View)
		for _, group := range []int64{5, 15, 51} {
			one.grant(a.ID, group, access.View)
			one.grant(b.ID, group, access.Curate)
		}
		one.grant(access.RootCollection, 5, access.Curate)
		one.grant(c.ID, access.AllUsers, access.NoCollection)
		one.grant(c.ID, 5, access.Curate)
		two := newWorld(t, p.Open(t))
		revision, audited := one.graph().Revision, one.entries()

		one.deleteGroup(5)
		if got, want := one.stored(), "1c 15r | 1c 15r 51r | 1c 15c 51c | "; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if err := two.db.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, w := range []*world{one, two} {
			if got := text(w.graph()); strings.Contains(got, " 5:") || !strings.Contains(got, "15:0=view 15:2=view 15:3=curate 51:2=view 51:3=curate") {
				t.Errorf("%s", got)
			}
			if level := access.LevelOf(&access.Principal{Groups: []int64{5}}, w.Collections().Root(content.Default)); level != access.NoCollection {
				t.Errorf("a group that is gone: %s", level)
			}
		}
		if now := one.graph().Revision; now != revision || one.entries() != audited+1 {
			t.Errorf("revision %d, then %d; %d entries, then %d", revision, now, audited, one.entries())
		}
		one.deleteGroup(77)
		if one.entries() != audited+1 {
			t.Error("a group without grants is in the audit log")
		}
	})
}

// BenchmarkGraph reads a graph of 10,000 groups and 1,000 collections, all
// different, and changes one of its ten million grants.
func BenchmarkGraph(b *testing.B) {
	const groups, places = 10_000, 1_000
	d := dbtest.Open(b, dbtest.SQLite)
	w := newWorld(b, d)
	for i := range places {
		w.collection(fmt.Sprint("c", i), access.RootCollection)
	}
	ids := w.graph().Places[1:]
	err := d.InTx(b.Context(), func(ctx context.Context) error {
		for i, id := range ids {
			var grants strings.Builder
			for g := range groups {
				fmt.Fprintf(&grants, "%d%c ", g+10, "rc"[(g+i)%2])
			}
			if _, err := d.Exec(ctx, "UPDATE collection SET grants = ?2 WHERE id = ?1", id, strings.TrimSpace(grants.String())); err != nil {
				return err
			}
			if err := d.Record(ctx, db.ChangedGrants, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("walk", func(b *testing.B) {
		before := cpu(b)
		for b.Loop() {
			n := 0
			w.graph().Walk(func(_ int64, levels []access.CollectionLevel) { n += len(levels) })
			if n < groups*places {
				b.Fatal(n)
			}
		}
		b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
	})
	b.Run("change one", func(b *testing.B) {
		level := access.View
		before := cpu(b)
		for b.Loop() {
			level = access.View + access.Curate - level
			if err := w.force(content.Grant{CollectionID: ids[500], GroupID: 5000, Level: level}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
	})
	b.Run("delete a group", func(b *testing.B) {
		group, before := int64(1000), cpu(b)
		for b.Loop() {
			w.deleteGroup(group)
			group++
		}
		b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
	})
}

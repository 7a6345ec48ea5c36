package access_test

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
)

// grove is random collections, and the source from which they are read.
type grove struct {
	folders []*access.Folder
	roots   map[string]*access.Grants
}

func (g *grove) Roots(context.Context) (map[string]*access.Grants, error) { return g.roots, nil }

func (g *grove) Folders(_ context.Context, tops ...int64) ([]*access.Folder, error) {
	if len(tops) == 0 {
		return g.folders, nil
	}
	return slices.DeleteFunc(slices.Clone(g.folders), func(f *access.Folder) bool {
		return !slices.ContainsFunc(tops, func(id int64) bool { return f.ID == id || f.Under(id) })
	}), nil
}

func (g *grove) Grants(_ context.Context, ids []int64) (map[int64]*access.Grants, error) {
	out := map[int64]*access.Grants{}
	for _, f := range g.folders {
		if slices.Contains(ids, f.ID) {
			out[f.ID] = f.Grants
		}
	}
	return out, nil
}

// grants are those of the groups 1 and 3 to 5.
func (w world) grants() *access.Grants {
	levels := map[int64]access.CollectionLevel{}
	for _, group := range []int64{1, 3, 4, 5} {
		levels[group] = access.CollectionLevel(w.IntN(3))
	}
	return (*access.Grants)(nil).With(levels)
}

// grove makes a tree of collections with ids from 2 on; some are personal ones
// of the users 1 to 3, with what lies in them.
func (w world) grove() *grove {
	g := &grove{roots: map[string]*access.Grants{"": w.grants()}}
	g.folders = append(g.folders, &access.Folder{ID: access.TrashCollection})
	for id := int64(2); id < int64(4+w.IntN(12)); id++ {
		f := &access.Folder{ID: id, Grants: w.grants()}
		switch parent := g.folders[w.IntN(len(g.folders))]; {
		case w.IntN(4) == 0:
			f.Owner, f.Personal = 1+w.Int64N(3), true
		case parent.ID != access.TrashCollection && w.IntN(3) > 0:
			f.Path, f.Owner = append(slices.Clone(parent.Path), parent.ID), parent.Owner
		}
		g.folders = append(g.folders, f)
	}
	return g
}

// member is somebody in some groups, or a key, which may be bound to some of
// the collections.
func (w world) member(t *testing.T) *access.Principal {
	t.Helper()
	who := &access.Principal{Kind: access.Person, UserID: 1 + w.Int64N(4), Groups: []int64{1}}
	for group := int64(2); group <= 5; group++ {
		if w.IntN(4) == 0 {
			who.Groups = append(who.Groups, group)
		}
	}
	if w.half() {
		who.Kind, who.KeyID = access.PersonalKey, 1
		who.Limits = compile(t, access.Restriction{Resources: map[string][]string{"collections": some(w, []string{"2", "3", "4", "5", "root"})}})
	}
	return who
}

// mayDo says slowly what somebody may do in a collection: the root is nil.
func (g *grove) mayDo(who *access.Principal, f *access.Folder) access.CollectionLevel {
	if f != nil && f.ID == access.TrashCollection {
		return access.View
	}
	if names := who.Limits.Restriction().Resources["collections"]; names != nil && !bound(names, f) {
		return access.NoCollection
	}
	if slices.Contains(who.Groups, access.Administrators) {
		return access.Curate
	}
	grants := g.roots[""]
	if f != nil {
		if f.Owner == who.UserID {
			return access.Curate
		}
		if f.Owner != 0 {
			return access.NoCollection
		}
		grants = f.Grants
	}
	best := access.NoCollection
	for _, group := range who.Groups {
		grants.Each(func(other int64, level access.CollectionLevel) {
			if other == group && level > best {
				best = level
			}
		})
	}
	return best
}

// bound reports whether a folder is one of those that a key names, or lies in
// one. The root stands for everything but personal collections.
func bound(names []string, f *access.Folder) bool {
	if f == nil {
		return slices.Contains(names, "root")
	}
	if slices.Contains(names, "root") && f.Owner == 0 {
		return true
	}
	return slices.ContainsFunc(append(slices.Clone(f.Path), f.ID), func(id int64) bool {
		return slices.Contains(names, strconv.FormatInt(id, 10))
	})
}

// Level and Reach agree with a slow and simple model, for persons and for keys
// that are bound to collections.
func TestLevelsOfCollections(t *testing.T) {
	w, d := newWorld(11), dbtest.Open(t, dbtest.SQLite)
	for range 300 {
		g := w.grove()
		cols, err := access.NewCollections(t.Context(), d, g, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			who := w.member(t)
			for _, need := range []access.CollectionLevel{access.View, access.Curate} {
				checkReach(t, g, cols, who, need)
			}
		}
	}
}

func checkReach(t *testing.T, g *grove, cols *access.Collections, who *access.Principal, need access.CollectionLevel) {
	t.Helper()
	reach := cols.Reach(who, need)
	if got := reach.Has(access.RootCollection); got != (g.mayDo(who, nil) >= need) {
		t.Fatalf("the root, %s: %v for %+v, %+v", need, got, who, who.Limits.Restriction())
	}
	for _, f := range g.folders {
		want := g.mayDo(who, f)
		if got, err := cols.Level(t.Context(), who, f.ID); got != want || err != nil {
			t.Fatalf("%+v: %s, %v, want %s for %+v, %+v", f, got, err, want, who, who.Limits.Restriction())
		}
		if f.ID != access.TrashCollection && reach.Has(f.ID) != (want >= need) {
			t.Fatalf("%+v: reach for %s is %v for %+v", f, need, reach.Has(f.ID), who)
		}
	}
}

// A binding never gives a level, and neither does adding collections to one
// take any away.
func TestBindingNeverWidens(t *testing.T) {
	w := newWorld(12)
	for range rounds / 10 {
		g, who := w.grove(), w.member(t)
		free := *who
		free.Limits = nil
		for _, f := range g.folders {
			if access.LevelOf(who, f) > access.LevelOf(&free, f) {
				t.Fatalf("%+v: %+v", f, who)
			}
		}
		closed := free
		closed.Limits = access.Closed()
		for _, f := range g.folders {
			if access.LevelOf(&closed, f) != access.NoCollection || access.LevelOf(nil, f) != access.NoCollection {
				t.Fatalf("%+v is open to nobody's key", f)
			}
		}
	}
}

func TestGrantsAreReadAsTheyAreWritten(t *testing.T) {
	w := newWorld(13)
	for range 500 {
		g := w.grants()
		back, err := access.ParseGrants(g.String())
		if err != nil || back.String() != g.String() {
			t.Fatalf("%q became %q, %v", g, back, err)
		}
		table := access.NewTable([]*access.Grants{g})
		for group := range int64(8) {
			if table.Row(group)[0] != g.Of(group) || g.Level([]int64{group}) != g.Of(group) {
				t.Fatalf("%q at %d", g, group)
			}
		}
		if more := g.With(map[int64]access.CollectionLevel{4: access.NoCollection, 9: access.View, access.Administrators: access.Curate}); more.Of(4) != access.NoCollection ||
			more.Of(9) != access.View || more.Of(access.Administrators) != access.NoCollection || more.Of(5) != g.Of(5) {
			t.Fatalf("%q became %q", g, more)
		}
	}
	for _, bad := range []string{"x", "1", "1w", "r", "5r 1c", "0r", "-1r", "1rr", "1r5c\t", "9999999999999999999r"} {
		if _, err := access.ParseGrants(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

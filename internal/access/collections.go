package access

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/db"
)

// CollectionSource reads collections from the database. Package content is one.
type CollectionSource interface {
	// Roots returns the grants of the root of every namespace.
	Roots(ctx context.Context) (map[string]*Grants, error)
	// Folders returns all collections, or with tops those collections and all
	// that lies in them.
	Folders(ctx context.Context, tops ...int64) ([]*Folder, error)
	// Grants returns who may do what in some collections.
	Grants(ctx context.Context, ids []int64) (map[int64]*Grants, error)
}

// Collections holds all collections with their grants, and follows the change
// log. It is safe for concurrent use.
type Collections struct {
	source  CollectionSource
	log     *slog.Logger
	current atomic.Pointer[forest]
	mu      sync.Mutex // one writer of current
	stale   atomic.Bool
}

// forest is all collections at one moment. It is immutable.
type forest struct {
	byID  map[int64]*Folder
	roots map[string]*Folder
}

// NewCollections returns the collections of a database, read into memory.
func NewCollections(ctx context.Context, d *db.DB, source CollectionSource, log *slog.Logger) (*Collections, error) {
	c := &Collections{source: source, log: log}
	if err := c.refresh(ctx, changedFolders{all: true}); err != nil {
		return nil, err
	}
	d.Subscribe(c.apply)
	return c, nil
}

// collectionsLimit is how long memory may take to be read anew.
const collectionsLimit = 30 * time.Second

// changedFolders is what of the collections has changed.
type changedFolders struct {
	all    bool
	tops   []int64 // with all that lies in them
	grants []int64 // who may do what in them, and nothing else
	roots  bool    // the grants of the roots
	groups []int64 // that are gone, with their grants
}

// changesOf reads the change log.
func changesOf(changes []db.Change) changedFolders {
	var out changedFolders
	for _, change := range changes {
		switch {
		case change.Kind == db.Reset:
			out.all = true
		case change.Kind == db.ChangedGrants && change.ID != RootCollection:
			out.grants = append(out.grants, change.ID)
		case change.Kind == db.ChangedGrants, change.Kind == db.ChangedCollection && change.ID == RootCollection:
			out.roots = true
		case change.Kind == db.ChangedCollection:
			out.tops = append(out.tops, change.ID)
		case change.Kind == db.DroppedGrants:
			out.groups = append(out.groups, change.ID)
		}
	}
	return out
}

func (f changedFolders) none() bool {
	return !f.all && !f.roots && len(f.tops) == 0 && len(f.grants) == 0 && len(f.groups) == 0
}

func (c *Collections) apply(changes []db.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what := changesOf(changes)
	what.all = what.all || c.stale.Load()
	if what.none() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectionsLimit)
	defer cancel()
	if err := c.refresh(ctx, what); err != nil {
		c.stale.Store(true)
		c.log.Error("collections in memory are stale; they are read again on the next use", slog.Any("error", err))
		return
	}
	c.stale.Store(false)
}

// refresh reads what has changed anew.
func (c *Collections) refresh(ctx context.Context, what changedFolders) error {
	old := c.current.Load()
	next := &forest{}
	var err error
	if next.roots, err = c.readRoots(ctx, old, what); err != nil {
		return err
	}
	if next.byID, err = c.readFolders(ctx, old, what); err != nil {
		return err
	}
	c.current.Store(next.dropping(what.groups))
	return nil
}

func (c *Collections) readRoots(ctx context.Context, old *forest, what changedFolders) (map[string]*Folder, error) {
	if !what.all && !what.roots {
		return old.roots, nil
	}
	roots, err := c.source.Roots(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the roots of collections: %w", err)
	}
	out := make(map[string]*Folder, len(roots))
	for namespace, grants := range roots {
		out[namespace] = &Folder{ID: RootCollection, Namespace: namespace, Grants: grants}
	}
	return out, nil
}

func (c *Collections) readFolders(ctx context.Context, old *forest, what changedFolders) (map[int64]*Folder, error) {
	if what.all {
		what.tops = nil
	} else if len(what.tops) == 0 && len(what.grants) == 0 {
		return old.byID, nil
	}
	var folders []*Folder
	var err error
	if what.all || len(what.tops) > 0 {
		slices.Sort(what.tops)
		if folders, err = c.source.Folders(ctx, slices.Compact(what.tops)...); err != nil {
			return nil, fmt.Errorf("read collections: %w", err)
		}
	}
	var out map[int64]*Folder
	if what.all {
		out = make(map[int64]*Folder, len(folders))
	} else {
		out = old.without(what.tops)
	}
	for _, f := range folders {
		out[f.ID] = f
	}
	if what.all || len(what.grants) == 0 {
		return out, nil
	}
	return out, c.readGrants(ctx, out, what.grants)
}

// readGrants replaces the grants of some collections.
func (c *Collections) readGrants(ctx context.Context, folders map[int64]*Folder, ids []int64) error {
	grants, err := c.source.Grants(ctx, ids)
	if err != nil {
		return fmt.Errorf("read grants: %w", err)
	}
	for id, g := range grants {
		if f := folders[id]; f != nil {
			changed := *f
			changed.Grants = g
			folders[id] = &changed
		}
	}
	return nil
}

// without returns a new map that lacks the collections and what lies in them.
func (f *forest) without(tops []int64) map[int64]*Folder {
	out := maps.Clone(f.byID)
	if len(tops) == 0 {
		return out
	}
	gone := make(map[int64]bool, len(tops))
	for _, id := range tops {
		gone[id] = true
	}
	for id, folder := range f.byID {
		if gone[id] || slices.ContainsFunc(folder.Path, func(p int64) bool { return gone[p] }) {
			delete(out, id)
		}
	}
	return out
}

// dropping returns the forest without the grants of some groups. Collections
// that shared their grants share them again.
func (f *forest) dropping(groups []int64) *forest {
	if len(groups) == 0 {
		return f
	}
	none := make(map[int64]CollectionLevel, len(groups))
	for _, id := range groups {
		none[id] = NoCollection
	}
	next := map[*Grants]*Grants{}
	without := func(folder *Folder) *Folder {
		if folder.Grants.Level(groups) == NoCollection {
			return folder
		}
		if next[folder.Grants] == nil {
			next[folder.Grants] = folder.Grants.With(none)
		}
		changed := *folder
		changed.Grants = next[folder.Grants]
		return &changed
	}
	out := &forest{byID: make(map[int64]*Folder, len(f.byID)), roots: make(map[string]*Folder, len(f.roots))}
	for id, folder := range f.byID {
		out.byID[id] = without(folder)
	}
	for namespace, folder := range f.roots {
		out.roots[namespace] = without(folder)
	}
	return out
}

func (c *Collections) forest() *forest {
	if c.stale.Load() {
		c.apply(nil)
	}
	return c.current.Load()
}

// Folder returns a collection. The id RootCollection gives the root for
// questions and dashboards. One that is not in memory is looked up in the
// database, and so is every one inside a transaction that has changed
// something; nil is none.
func (c *Collections) Folder(ctx context.Context, id int64) (*Folder, error) {
	now := c.forest()
	if id == RootCollection {
		return now.root(""), nil
	}
	if f := now.byID[id]; f != nil && !db.Pending(ctx) || id < 0 {
		return f, nil
	}
	list, err := c.source.Folders(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read collection %d: %w", id, err)
	}
	for _, f := range list {
		if f.ID == id {
			return f, nil
		}
	}
	return nil, nil
}

// Root returns the root of a namespace.
func (c *Collections) Root(namespace string) *Folder { return c.forest().root(namespace) }

func (f *forest) root(namespace string) *Folder {
	if r := f.roots[namespace]; r != nil {
		return r
	}
	return &Folder{ID: RootCollection, Namespace: namespace}
}

// Level returns what a principal may do in a collection, NoCollection for one
// that does not exist.
func (c *Collections) Level(ctx context.Context, who *Principal, id int64) (CollectionLevel, error) {
	f, err := c.Folder(ctx, id)
	if f == nil || err != nil {
		return NoCollection, err
	}
	return levelIn(who, f), nil
}

// LevelOf returns what a principal may do in a collection that is at hand.
func LevelOf(who *Principal, f *Folder) CollectionLevel { return levelIn(who, f) }

// Under returns the collections that lie in one, at any depth, in no order.
func (c *Collections) Under(ctx context.Context, id int64) ([]*Folder, error) {
	if db.Pending(ctx) {
		all, err := c.source.Folders(ctx, id)
		return slices.DeleteFunc(all, func(f *Folder) bool { return f.ID == id }), err
	}
	var out []*Folder
	for _, f := range c.forest().byID {
		if f.Under(id) {
			out = append(out, f)
		}
	}
	return out, nil
}

// All returns all collections but the roots, in no order.
func (c *Collections) All() []*Folder {
	return slices.Collect(maps.Values(c.forest().byID))
}

// Reach is the collections in which a principal has at least some level. It is
// for queries about many things at once.
type Reach struct {
	Everything bool    // all collections, those of persons too
	Root       bool    // the root, when not Everything
	IDs        []int64 // sorted; the Trash is never among them
}

// Reach returns where a principal has at least the level.
func (c *Collections) Reach(who *Principal, level CollectionLevel) Reach {
	if who.IsAdmin() && !BoundToCollections(who) {
		return Reach{Everything: true, Root: true}
	}
	now := c.forest()
	r := Reach{Root: levelIn(who, now.root("")) >= level}
	for id, f := range now.byID {
		if id != TrashCollection && levelIn(who, f) >= level {
			r.IDs = append(r.IDs, id)
		}
	}
	slices.Sort(r.IDs)
	return r
}

// Has reports whether the reach includes a collection.
func (r Reach) Has(id int64) bool {
	if r.Everything || id == RootCollection {
		return r.Everything || r.Root
	}
	_, ok := slices.BinarySearch(r.IDs, id)
	return ok
}

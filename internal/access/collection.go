package access

import (
	"slices"
	"strconv"

	"latchkey/internal/fault"
)

// Ids of collections that every instance has.
const (
	RootCollection  int64 = 0 // "Our analytics"; it has no row, and is null or "root" on the wire
	TrashCollection int64 = 1 // (contract/clients.md, exact values)
)

// CollectionLevel is what a principal may do with a collection and with what
// lies in it. A higher level includes the lower ones.
type CollectionLevel int8

// The levels of a collection.
const (
	NoCollection CollectionLevel = iota // it is as if it were not there
	View                                // see the collection and what lies in it, and run its questions
	Curate                              // make, change, move and archive what lies in it, and the collection
)

var collectionLevels = [...]string{NoCollection: "none", View: "view", Curate: "curate"}

// String returns the stable name of the level.
func (l CollectionLevel) String() string {
	if l < NoCollection || l > Curate {
		return "none"
	}
	return collectionLevels[l]
}

// ParseCollectionLevel reads none, view or curate.
func ParseCollectionLevel(s string) (CollectionLevel, bool) {
	i := slices.Index(collectionLevels[:], s)
	return CollectionLevel(max(i, 0)), i >= 0
}

// Folder is what decisions need to know of a collection. It is immutable.
type Folder struct {
	ID        int64
	Path      []int64 // ids of the collections that it lies in, the outermost first
	Namespace string  // "" for questions and dashboards, "snippets"
	Owner     int64   // whose personal collection it is or lies in; 0 for none
	Personal  bool    // it is a personal collection itself
	Archived  bool
	Grants    *Grants
}

// Parent returns the id of the collection that it lies in.
func (f *Folder) Parent() int64 {
	if len(f.Path) == 0 {
		return RootCollection
	}
	return f.Path[len(f.Path)-1]
}

// Under reports whether the folder lies in the collection, at any depth.
func (f *Folder) Under(id int64) bool { return slices.Contains(f.Path, id) }

// levelIn decides what a principal may do in a collection: nothing beyond a
// key's binding, everything for administrators, in a personal collection
// everything for its person and nothing for others, and otherwise what the
// groups may (contract/content-data.md 2.7 to 2.11). Everybody sees the Trash,
// and nobody writes into it: what it lists is decided item by item, by where
// each lay.
func levelIn(who *Principal, f *Folder) CollectionLevel {
	switch {
	case who == nil || who.Limits.Unreadable():
		return NoCollection
	case f.ID == TrashCollection:
		return View
	case !who.Limits.reaches(f):
		return NoCollection
	case who.IsAdmin():
		return Curate
	case f.Owner != 0 && f.Owner == who.UserID:
		return Curate
	case f.Owner != 0:
		return NoCollection
	}
	return f.Grants.Level(who.Groups)
}

// ForbiddenIn is the fault of who lacks a level in a collection: what a key is
// bound to refuses when its groups would allow it.
func ForbiddenIn(who *Principal, f *Folder, need CollectionLevel) error {
	if who == nil || who.Limits.collections() == nil || who.Limits.reaches(f) {
		return Forbidden()
	}
	free := *who
	free.Limits = nil
	if levelIn(&free, f) < need {
		return Forbidden()
	}
	return Elsewhere(KindCollections)
}

// BeyondCollection returns why the binding of a key to collections refuses
// something that lies in the folder, or nil.
func BeyondCollection(who *Principal, f *Folder, need CollectionLevel, about Ref) *Refusal {
	if fault.As(ForbiddenIn(who, f, need)).Code != CodeResource {
		return nil
	}
	return elsewhere(KindCollections, about.Kind+" "+about.ID+" does not lie in the collections that are listed")
}

// RootName is how a restriction names the root collection.
const RootName = "root"

// reaches reports whether the limits are bound to no collections, or to one
// that is the folder or that it lies in. The root does not stand for personal
// collections.
func (l *Limits) reaches(f *Folder) bool {
	b := l.collections()
	if b == nil || b.items[RootName] && f.Owner == 0 {
		return true
	}
	if b.items[strconv.FormatInt(f.ID, 10)] {
		return true
	}
	for _, id := range f.Path {
		if b.items[strconv.FormatInt(id, 10)] {
			return true
		}
	}
	return false
}

// collections returns the binding to collections, nil without one.
func (l *Limits) collections() *binding {
	if l == nil {
		return nil
	}
	for i := range l.resources {
		if l.resources[i].kind == KindCollections {
			return &l.resources[i]
		}
	}
	return nil
}

// BoundToCollections reports whether a restriction binds who to some
// collections, so that what is about all of them is not for it.
func BoundToCollections(who *Principal) bool {
	return who != nil && (who.Limits.collections() != nil || who.Limits.Unreadable())
}

// MayWrite reports whether the restriction of a key, if any, lets it write a
// field of a kind: for what a call changes without saying so.
func MayWrite(who *Principal, kind, field string) bool {
	if who == nil || who.Limits == nil {
		return true
	}
	for i := range who.Limits.fields {
		if b := &who.Limits.fields[i]; b.kind == kind {
			return b.covers(field)
		}
	}
	return !who.Limits.closed
}

// MayChange reports whether the restriction of a key, if any, leaves it calls
// that change a resource of a kind: for what answers tell their readers.
// Decisions are made call by call (Judge).
func MayChange(who *Principal, kind string, id int64) bool {
	if who == nil || who.Limits == nil {
		return true
	}
	l := who.Limits
	if l.closed || l.from.ReadOnly || l.scopes != nil && !l.scopes[Scope{kind, Write}] {
		return false
	}
	return kind == KindCollections || l.sees(kind, strconv.FormatInt(id, 10)) // those of collections are Level's
}

// MayDelete is MayChange for deleting: a key that may write single fields of a
// kind deletes nothing of it.
func MayDelete(who *Principal, kind string, id int64) bool {
	return MayChange(who, kind, id) && (who == nil || who.Limits == nil ||
		!slices.ContainsFunc(who.Limits.fields, func(b binding) bool { return b.kind == kind }))
}

package content

import (
	"cmp"
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// CollectionFilter says which collections to list.
type CollectionFilter struct {
	Namespace string
	Archived  bool // those in the trash, and the Trash, in place of the others
	Personal  bool // personal collections only
	NotOthers bool // without the personal collections of other people
	AndTrash  bool // the Trash beside those that are not in it
}

// ListCollections returns the collections that who may see, the one of a type
// last, then by name (contract/content-data.md 2.2). Somebody who lists them
// for the first time gets a personal one. Only what lies in the default
// namespace is in the trash.
func (s *Service) ListCollections(ctx context.Context, who *access.Principal, q CollectionFilter) ([]Folder, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	if _, err := s.OwnPersonal(ctx, who); err != nil {
		return nil, err
	}
	rows, err := db.All(ctx, s.db, scanCollection, selectCollections+
		" WHERE i.kind = 'collection' AND (i.archived = ?2 OR i.id = 1) AND i.namespace = ?1 ORDER BY i.name_key, i.id", q.Namespace, q.Archived)
	if err != nil {
		return nil, fault.Wrap(err, "read collections")
	}
	out := rows[:0]
	for _, f := range rows {
		if f.Access, err = s.cols.Folder(ctx, f.ID); err != nil {
			return nil, fault.Wrap(err, "find collection")
		}
		if f.Access != nil && q.wants(f, who) && access.LevelOf(who, f.Access) >= access.View {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b Folder) int { return cmp.Compare(typeOrder(a), typeOrder(b)) })
	return out, nil
}

func (q CollectionFilter) wants(f Folder, who *access.Principal) bool {
	switch {
	case f.ID == access.TrashCollection:
		return (q.Archived || q.AndTrash) && !q.Personal
	case f.Archived != q.Archived:
		return false
	case q.Personal && (f.PersonalOwner == 0 || who.Kind == access.ServiceKey):
		return false // such a key has none, whatever its groups see (contract/clients.md 14)
	case q.NotOthers && f.Access.Owner != 0 && f.Access.Owner != who.UserID:
		return false
	}
	return true
}

// typeOrder puts plain collections before the Trash.
func typeOrder(f Folder) int {
	if f.Type == nil {
		return 0
	}
	return 1
}

// Ancestors returns the collections that a collection lies in and that who may
// see, the outermost first (contract/content-data.md 2.1).
func (s *Service) Ancestors(ctx context.Context, who *access.Principal, f Folder) ([]Folder, error) {
	byID, err := s.CollectionsByID(ctx, s.EffectivePath(ctx, who, f.Access))
	if err != nil {
		return nil, err
	}
	out := make([]Folder, 0, len(byID))
	for _, id := range f.Access.Path {
		if a, ok := byID[id]; ok {
			out = append(out, a)
		}
	}
	return out, nil
}

// EffectivePath returns the ids of the collections that a collection lies in
// and that who may see, so that nobody learns of hidden ones.
func (s *Service) EffectivePath(ctx context.Context, who *access.Principal, f *access.Folder) []int64 {
	var out []int64
	for _, id := range f.Path {
		if level, err := s.cols.Level(ctx, who, id); err == nil && level >= access.View {
			out = append(out, id)
		}
	}
	return out
}

// Path returns ids as a location is written: "/" or "/4/12/".
func Path(ids []int64) string { return path(ids) }

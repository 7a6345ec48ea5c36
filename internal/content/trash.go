package content

import (
	"context"

	"github.com/google/uuid"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// archiveFolder puts a collection with all that lies in it into the trash, in
// statements about sets, so that 10,000 items take one moment. What was there
// already keeps its own state (contract/content-data.md 2.7).
func (s *Service) archiveFolder(ctx context.Context, who *access.Principal, f Folder) error {
	if err := personal(f); err != nil {
		return err
	}
	if err := s.all(ctx, who, f.Access, isArchived); err != nil {
		return err
	}
	operation, now := uuid.NewString(), s.db.Now(ctx)
	from, to := below(f.Access)
	_, err := s.db.Exec(ctx, `UPDATE item SET archived = TRUE, archived_directly = (id = ?1), archive_operation = ?2, updated_at = ?3
		WHERE kind = 'collection' AND archived = FALSE
		AND (id = ?1 OR id IN (SELECT id FROM collection WHERE path >= ?4 AND path < ?5))`, f.ID, operation, now, from, to)
	if err != nil {
		return fault.Wrap(err, "archive collections")
	}
	n, err := s.updateMany(ctx, who, ManyChange{Archived: opt.Of(true)}, `UPDATE item SET archived = TRUE, updated_at = ?2
		WHERE kind <> 'collection' AND archived = FALSE AND `+inOperation+" RETURNING no", operation, now)
	if err != nil {
		return err
	}
	if err := s.db.Record(ctx, db.ChangedCollection, f.ID); err != nil {
		return err
	}
	return s.record(ctx, who, f.Item, "archive", map[string]any{"items": n})
}

// inOperation is the condition that an item lies in a collection that was
// archived by the operation ?1.
const inOperation = `collection_id IN (SELECT id FROM item WHERE kind = 'collection' AND archive_operation = ?1)`

// wentWith is the condition that an item is the collection ?3, or one below it
// with paths from ?4 to ?5, that was archived by the operation ?1. Those below
// that were put into the trash by themselves have another operation, and what
// else the operation archived lies elsewhere: both stay where they are.
const wentWith = `kind = 'collection' AND archive_operation = ?1
	AND (id = ?3 OR id IN (SELECT id FROM collection WHERE path >= ?4 AND path < ?5))`

// binned are the dashboards that were put into the trash by themselves; the
// questions that live in them stay there with them.
const binned = `SELECT id FROM item WHERE kind = 'dashboard' AND archived_directly AND archived_directly = TRUE`

// restoreFolder takes a collection with what went there with it out of the
// trash, to its old place or to another.
func (s *Service) restoreFolder(ctx context.Context, who *access.Principal, f Folder, to opt.Value[int64]) error {
	parent := to.Or(access.RootCollection)
	if !to.Set {
		parent = f.Parent()
	}
	target, err := s.restorable(ctx, who, f, to.Set, parent)
	if err != nil {
		return err
	}
	if parent != f.Parent() {
		if err := s.relocate(ctx, f, target); err != nil {
			return err
		}
	}
	now := s.db.Now(ctx)
	from, below := below(&access.Folder{ID: f.ID, Path: target.ownPath()})
	n, err := s.updateMany(ctx, who, ManyChange{Archived: opt.Of(false)}, `UPDATE item SET archived = FALSE, updated_at = ?2
		WHERE kind <> 'collection' AND archived = TRUE AND archived_directly = FALSE
		AND collection_id IN (SELECT id FROM item WHERE `+wentWith+`) AND (dashboard_id = 0 OR dashboard_id NOT IN (`+binned+`)) RETURNING no`,
		f.Operation, now, f.ID, from, below)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `UPDATE item SET archived = FALSE, archived_directly = FALSE, archive_operation = NULL, updated_at = ?2
		WHERE `+wentWith, f.Operation, now, f.ID, from, below)
	if err != nil {
		return fault.Wrap(err, "restore collections")
	}
	if err := s.db.Record(ctx, db.ChangedCollection, f.ID); err != nil {
		return err
	}
	return s.record(ctx, who, f.Item, "restore", map[string]any{"items": n, "parent_id": parent})
}

// place is a collection as the parent of others.
type place struct{ *access.Folder }

// ownPath returns the path of what lies directly in it.
func (p place) ownPath() []int64 {
	if p.ID == access.RootCollection {
		return nil
	}
	return append(append([]int64{}, p.Path...), p.ID)
}

// restorable decides whether a collection may come back to a parent.
func (s *Service) restorable(ctx context.Context, who *access.Principal, f Folder, chosen bool, parent int64) (place, error) {
	target, err := s.cols.Folder(ctx, parent)
	if parent == access.RootCollection {
		target = s.cols.Root(f.Namespace)
	}
	switch {
	case err != nil:
		return place{}, fault.Wrap(err, "find collection")
	case target == nil, target.Archived, target.ID == access.TrashCollection, target.ID == f.ID, target.Under(f.ID), target.Namespace != f.Namespace:
		return place{}, invalid()
	case !chosen && !f.ArchivedDirectly:
		return place{}, access.Forbidden()
	case chosen && access.LevelOf(who, target) < access.Curate:
		return place{}, access.ForbiddenIn(who, target, access.Curate)
	}
	together, err := s.operation(ctx, f.Operation)
	if err != nil {
		return place{}, err
	}
	return place{target}, s.all(ctx, who, f.Access, func(child *access.Folder) bool { return !together[child.ID] })
}

// operation returns the collections that were archived together.
func (s *Service) operation(ctx context.Context, name string) (map[int64]bool, error) {
	ids, err := db.All(ctx, s.db, db.Scalar[int64], "SELECT id FROM item WHERE kind = 'collection' AND archive_operation = ?1", name)
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, fault.Wrap(err, "read what was archived together")
}

// CanRestore reports whether who may take an item out of the trash to its old
// place (contract/content-data.md 2.1).
func (s *Service) CanRestore(ctx context.Context, who *access.Principal, i Item) bool {
	if !i.InTrash() || !access.MayChange(who, kindOf(i), i.ID) || !access.MayWrite(who, kindOf(i), "archived") {
		return false
	}
	if i.Kind != Collection {
		f, err := s.cols.Folder(ctx, max(i.CollectionID, 0))
		return err == nil && f != nil && !f.Archived && s.CanWrite(ctx, who, i)
	}
	f, err := s.cols.Folder(ctx, i.ID)
	if err != nil || f == nil {
		return false
	}
	_, err = s.restorable(ctx, who, Folder{Item: i, Access: f}, false, f.Parent())
	return err == nil
}

// CanDelete reports whether who may remove an item for ever: administrators a
// collection of questions and dashboards, everybody who may write it something
// else, out of the trash only (contract/content-data.md 2.1, 2.8).
func (s *Service) CanDelete(ctx context.Context, who *access.Principal, i Item) bool {
	if i.Kind == Collection && (!who.IsAdmin() || i.Namespace != Default) {
		return false
	}
	return i.Archived && s.CanWrite(ctx, who, i) && access.MayDelete(who, kindOf(i), i.ID)
}

// moveFolder puts a collection with all that lies in it into another.
func (s *Service) moveFolder(ctx context.Context, who *access.Principal, f Folder, to int64) error {
	if err := personal(f); err != nil {
		return err
	}
	if err := s.all(ctx, who, f.Access, isArchived); err != nil {
		return err
	}
	target, err := s.folder(ctx, to)
	if to == access.RootCollection {
		target = s.cols.Root(f.Namespace)
	}
	switch {
	case err != nil:
		return err
	case target.ID == f.ID || target.Under(f.ID):
		return fault.New(fault.Invalid, "You cannot move a Collection into itself or into one of its descendants.")
	case access.LevelOf(who, target) < access.Curate:
		return access.ForbiddenIn(who, target, access.Curate)
	case target.Archived, target.Namespace != f.Namespace:
		return invalid()
	}
	if err := s.relocate(ctx, f, place{target}); err != nil {
		return err
	}
	return s.record(ctx, who, f.Item, "move", map[string]any{"previous": f.Parent(), "new": to})
}

// relocate rewrites the paths of a collection and of all that lies in it.
// Inside a personal collection nothing is granted to groups; what leaves one
// gets the grants of its new parent (contract/content-data.md 2.7).
func (s *Service) relocate(ctx context.Context, f Folder, to place) error {
	from, until := below(f.Access)
	moved := to.ownPath()
	next, _ := below(&access.Folder{ID: f.ID, Path: moved})
	if _, err := s.db.Exec(ctx, "UPDATE collection SET path = ?4 || substr(path, ?3) WHERE path >= ?1 AND path < ?2",
		from, until, len(from)+1, next); err != nil {
		return fault.Wrap(err, "move collections")
	}
	if _, err := s.db.Exec(ctx, "UPDATE collection SET path = ?2 WHERE id = ?1", f.ID, path(moved)); err != nil {
		return fault.Wrap(err, "move collection")
	}
	if _, err := s.db.Exec(ctx, "UPDATE item SET collection_id = ?2, updated_at = ?3 WHERE no = ?1", f.No, to.ID, s.db.Now(ctx)); err != nil {
		return fault.Wrap(err, "move collection")
	}
	if (f.Access.Owner != 0) != (to.Owner != 0) {
		if err := s.regrant(ctx, f, to, next); err != nil {
			return err
		}
	}
	return s.db.Record(ctx, db.ChangedCollection, f.ID)
}

// regrant gives what crosses the border of a personal collection the grants of
// its new place.
func (s *Service) regrant(ctx context.Context, f Folder, to place, from string) error {
	grants := ""
	if to.Owner == 0 {
		grants = to.Grants.String()
	}
	_, err := s.db.Exec(ctx, "UPDATE collection SET grants = ?4 WHERE id = ?1 OR path >= ?2 AND path < ?3",
		f.ID, from, from[:len(from)-1]+"0", grants)
	if err != nil {
		return fault.Wrap(err, "write grants")
	}
	if to.Owner != 0 {
		return nil
	}
	return s.bump(ctx, f.Namespace)
}

// DeleteCollection removes a collection from the trash for ever, with all that
// lies in it; collections in it that were put into the trash by themselves
// move up to its parent first (contract/content-data.md 2.8). It returns
// Forbidden unless who is an administrator, NotFound, and Invalid for what is
// not in the trash or can never be deleted.
func (s *Service) DeleteCollection(ctx context.Context, who *access.Principal, id int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		f, err := s.collectionToWrite(ctx, who, id)
		if err != nil {
			return err
		}
		switch {
		case f.PersonalOwner != 0:
			return fault.New(fault.Invalid, "Personal collections cannot be deleted.")
		case f.Namespace != Default:
			return fault.New(fault.Invalid, "Only collections in the default or tenant namespaces can be deleted.")
		case !f.Archived:
			return fault.New(fault.Invalid, "Collection must be trashed before deletion.")
		}
		if err := s.saveDirectlyArchived(ctx, f); err != nil {
			return err
		}
		return s.purge(ctx, who, f)
	})
}

// saveDirectlyArchived moves collections that were put into the trash by
// themselves out of one that is about to be deleted.
func (s *Service) saveDirectlyArchived(ctx context.Context, f Folder) error {
	from, to := below(f.Access)
	list, err := db.All(ctx, s.db, scanCollection, selectCollections+
		" WHERE c.path >= ?1 AND c.path < ?2 AND i.archived_directly ORDER BY length(c.path)", from, to)
	if err != nil {
		return fault.Wrap(err, "read archived collections")
	}
	parent, err := s.folder(ctx, f.Parent())
	if err != nil {
		return err
	}
	saved := map[int64]bool{}
	for _, child := range list {
		if child.Access, err = s.folder(ctx, child.ID); err != nil {
			return err
		}
		if inAny(child.Access.Path, saved) {
			continue // it went with the one that it lies in
		}
		saved[child.ID] = true
		if err := s.relocate(ctx, child, place{parent}); err != nil {
			return err
		}
	}
	return nil
}

func inAny(path []int64, ids map[int64]bool) bool {
	for _, id := range path {
		if ids[id] {
			return true
		}
	}
	return false
}

// purge deletes the rows of a collection, of those below and of all that lies
// in them; the rows of other packages go with them.
func (s *Service) purge(ctx context.Context, who *access.Principal, f Folder) error {
	from, to := below(f.Access)
	n, err := s.db.Exec(ctx, `DELETE FROM item WHERE kind <> 'collection' AND (collection_id = ?1
		OR collection_id IN (SELECT id FROM collection WHERE path >= ?2 AND path < ?3))`, f.ID, from, to)
	if err != nil {
		return fault.Wrap(err, "delete items")
	}
	_, err = s.db.Exec(ctx, `DELETE FROM item WHERE kind = 'collection'
		AND (id = ?1 OR id IN (SELECT id FROM collection WHERE path >= ?2 AND path < ?3))`, f.ID, from, to)
	if err != nil {
		return fault.Wrap(err, "delete collections")
	}
	if err := s.db.Record(ctx, db.ChangedCollection, f.ID); err != nil {
		return err
	}
	return s.record(ctx, who, f.Item, "delete", map[string]any{"items": n})
}

package content

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// textDashboardQuestion refuses to move a question away from the dashboard that
// it lives in (contract/content-data.md 3.4).
const textDashboardQuestion = "Invalid Dashboard Question: Cannot manually set `collection_id` on a Dashboard Question"

// ManyError says which of many items could not be changed.
type ManyError struct {
	Index int // in the list that was given
	Err   error
}

// Error implements error.
func (e *ManyError) Error() string { return e.Err.Error() }

// Unwrap returns the fault of the item.
func (e *ManyError) Unwrap() error { return e.Err }

// ArchiveMany puts items into the trash, or with false takes them out of it to
// their old places, in one transaction and in statements about sets. Each is
// decided as it would be alone; the first that may not be changed stops all,
// with a *ManyError. What is as it should be stays unchanged. It returns how
// many changed.
func (s *Service) ArchiveMany(ctx context.Context, who *access.Principal, refs []Ref, archived bool) (int, error) {
	verb := "restore"
	if archived {
		verb = "archive"
	}
	return s.many(ctx, who, refs, verb, manyStep{
		folder: func(ctx context.Context, f Folder) error {
			_, err := s.UpdateCollection(ctx, who, f.ID, CollectionChange{Archived: opt.Of(archived)})
			return err
		},
		stays: func(i Item) bool { return i.Archived == archived },
		check: func(ctx context.Context, i Item) error {
			if archived {
				return nil
			}
			return s.placeable(ctx, who, max(i.CollectionID, 0), i.Namespace)
		},
		set: "archived = ?1, archived_directly = ?1", arg: archived, left: ManyChange{Archived: opt.Of(archived)},
	})
}

// MoveMany moves items into a collection. It is ArchiveMany for places; what
// is in the trash is not moved.
func (s *Service) MoveMany(ctx context.Context, who *access.Principal, refs []Ref, to int64) (int, error) {
	return s.many(ctx, who, refs, "move", manyStep{
		folder: func(ctx context.Context, f Folder) error {
			if f.Archived {
				return invalid()
			}
			_, err := s.UpdateCollection(ctx, who, f.ID, CollectionChange{ParentID: opt.Of(to), Archived: opt.Of(false)})
			return err
		},
		stays: func(i Item) bool { return i.CollectionID == to && !i.Archived },
		check: func(ctx context.Context, i Item) error {
			if i.Archived {
				return invalid()
			}
			if i.DashboardID != 0 {
				return fault.New(fault.Invalid, textDashboardQuestion)
			}
			return s.placeable(ctx, who, to, i.Namespace)
		},
		set: "position = NULL, collection_id = ?1", arg: to, left: ManyChange{CollectionID: opt.Of(to), Unpinned: true},
		details: map[string]any{"collection_id": to},
	})
}

// DeleteMany removes items for ever: collections out of the trash only, by
// administrators (DeleteCollection), other items also when they are not there.
func (s *Service) DeleteMany(ctx context.Context, who *access.Principal, refs []Ref) (int, error) {
	return s.many(ctx, who, refs, "delete", manyStep{
		folder: func(ctx context.Context, f Folder) error { return s.DeleteCollection(ctx, who, f.ID) },
		stays:  func(Item) bool { return false },
		check:  func(context.Context, Item) error { return nil },
	})
}

// manyStep is what many does with each item.
type manyStep struct {
	folder  func(ctx context.Context, f Folder) error
	stays   func(i Item) bool
	check   func(ctx context.Context, i Item) error
	set     string // of the UPDATE, with ?1; empty deletes
	arg     any
	left    ManyChange // what set makes of an item
	details map[string]any
}

// done stands for an item that was named before in the same list.
var done = Item{No: -1}

func (s *Service) many(ctx context.Context, who *access.Principal, refs []Ref, verb string, step manyStep) (int, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return 0, err
	}
	n := 0
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		items, err := s.known(ctx, refs)
		if err != nil {
			return err
		}
		var chosen []Item
		for at, ref := range refs {
			changes, err := s.choose(ctx, who, items, ref, step)
			if err != nil {
				return &ManyError{at, err}
			}
			if changes && ref.Kind != Collection {
				chosen = append(chosen, items[ref])
				items[ref] = done // named twice, it changes once
			}
			if changes {
				n++
			}
		}
		return s.applyMany(ctx, who, chosen, verb, step)
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// known reads the items that refs name; those that do not exist are absent.
func (s *Service) known(ctx context.Context, refs []Ref) (map[Ref]Item, error) {
	byKind := map[Kind][]int64{}
	for _, ref := range refs {
		byKind[ref.Kind] = append(byKind[ref.Kind], ref.ID)
	}
	out := make(map[Ref]Item, len(refs))
	for kind, ids := range byKind {
		found, err := s.ByIDs(ctx, kind, ids)
		if err != nil {
			return nil, err
		}
		for id, i := range found {
			out[Ref{kind, id}] = i
		}
	}
	return out, nil
}

// choose decides about one item, and changes it at once when it is a
// collection. It reports whether it changes.
func (s *Service) choose(ctx context.Context, who *access.Principal, items map[Ref]Item, ref Ref, step manyStep) (bool, error) {
	if ref.Kind == Collection {
		f, err := s.collectionToWrite(ctx, who, ref.ID)
		if err != nil {
			return false, err
		}
		if step.stays(f.Item) {
			return false, nil
		}
		return true, step.folder(ctx, f)
	}
	i, ok := items[ref]
	switch {
	case !ok:
		return false, notFound()
	case i.No == done.No:
		return false, nil
	}
	if err := s.RequireItem(ctx, who, i, access.Curate); err != nil {
		return false, err
	}
	if step.stays(i) {
		return false, nil
	}
	return true, step.check(ctx, i)
}

// applyMany changes the items that are no collections, in sets.
func (s *Service) applyMany(ctx context.Context, who *access.Principal, items []Item, verb string, step manyStep) error {
	if len(items) == 0 {
		return nil
	}
	entries := make([]audit.Entry, len(items))
	nos := make([]int64, len(items))
	var dashboards []int64
	for at, i := range items {
		nos[at] = i.No
		entries[at] = audit.Entry{
			Action: string(i.Kind) + "." + verb, ObjectKind: string(i.Kind), ObjectID: i.ID, ObjectName: i.Name, Details: step.details,
		}
		if i.Kind == Dashboard {
			dashboards = append(dashboards, i.ID)
		}
	}
	if err := s.writeMany(ctx, who, nos, dashboards, step); err != nil {
		return err
	}
	return s.audit.AppendAll(ctx, who.Actor(), entries)
}

// writeMany writes the rows. The questions that live in a dashboard go with it.
func (s *Service) writeMany(ctx context.Context, who *access.Principal, nos, dashboards []int64, step manyStep) error {
	for chunk := range slices.Chunk(nos, 10_000) {
		if step.set == "" {
			if _, err := s.db.Exec(ctx, "DELETE FROM item WHERE "+s.db.In("no", 1), db.IDs(chunk)); err != nil {
				return fault.Wrap(err, "delete items")
			}
			continue
		}
		_, err := s.updateMany(ctx, who, step.left, "UPDATE item SET "+step.set+`, updated_at = ?3, edited_by = ?4, edited_key = ?5,
			edited_at = ?3 WHERE `+s.db.In("no", 2)+" RETURNING no", step.arg, db.IDs(chunk), s.db.Now(ctx), UserOrNull(who), nameKey(who.Name))
		if err != nil {
			return err
		}
	}
	if len(dashboards) == 0 {
		return nil
	}
	if step.set == "" {
		_, err := s.db.Exec(ctx, "DELETE FROM item WHERE "+s.db.In("dashboard_id", 1), db.IDs(dashboards))
		return fault.Wrap(err, "delete questions of dashboards")
	}
	_, err := s.updateMany(ctx, who, ManyChange{Archived: step.left.Archived, CollectionID: step.left.CollectionID}, `UPDATE item SET
		archived = (SELECT d.archived FROM item d WHERE d.kind = 'dashboard' AND d.id = item.dashboard_id),
		collection_id = (SELECT d.collection_id FROM item d WHERE d.kind = 'dashboard' AND d.id = item.dashboard_id), updated_at = ?2
		WHERE archived_directly = FALSE AND `+s.db.In("dashboard_id", 1)+" RETURNING no", db.IDs(dashboards), s.db.Now(ctx))
	return err
}

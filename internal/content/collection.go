package content

import (
	"context"
	"database/sql"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// TypeTrash is the type of the one Trash.
const TypeTrash = "trash"

// maxSlug is the longest slug, in characters (contract/content-data.md 2.1).
const maxSlug = 510

// Folder is a collection: the shared record with its particulars, and what
// package access knows of it.
type Folder struct {
	Item
	Slug          string
	Type          *string // TypeTrash
	PersonalOwner int64   // whose personal collection it is, else 0
	Location      string  // "/4/12/": the collections that it lies in
	Access        *access.Folder
}

// Parent returns the id of the collection that it lies in.
func (f Folder) Parent() int64 { return f.Access.Parent() }

// NewCollection is a collection to be made.
type NewCollection struct {
	Name        string
	Description *string
	ParentID    int64             // RootCollection too
	Namespace   opt.Value[string] // that of the parent when absent
}

const selectCollections = `SELECT ` + itemColumns + `, c.slug, c.type, c.personal_owner, c.path
	FROM item i JOIN collection c ON c.item = i.no`

func scanCollection(r db.Row) (Folder, error) {
	var f Folder
	var kind sql.NullString
	var owner sql.NullInt64
	var err error
	f.Item, err = ScanItem(tail{r, []any{&f.Slug, &kind, &owner, &f.Location}})
	if kind.Valid {
		f.Type = &kind.String
	}
	f.PersonalOwner = owner.Int64
	return f, err
}

// tail scans more columns behind those that a scan function knows.
type tail struct {
	row  db.Row
	more []any
}

// Scan implements db.Row.
func (t tail) Scan(dest ...any) error { return t.row.Scan(append(dest, t.more...)...) }

// collection reads one collection. It returns NotFound.
func (s *Service) collection(ctx context.Context, id int64) (Folder, error) {
	f, err := db.One(ctx, s.db, scanCollection, selectCollections+" WHERE c.id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return f, notFound()
	}
	if err != nil {
		return f, fault.Wrap(err, "read collection")
	}
	f.Access, err = s.folder(ctx, id)
	return f, err
}

// Collection returns a collection that who may see. It returns NotFound before
// Forbidden.
func (s *Service) Collection(ctx context.Context, who *access.Principal, id int64) (Folder, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Folder{}, err
	}
	f, err := s.collection(ctx, id)
	if err != nil {
		return f, err
	}
	return f, s.RequireItem(ctx, who, f.Item, access.View)
}

// collectionToWrite is Collection for one that who wants to change.
func (s *Service) collectionToWrite(ctx context.Context, who *access.Principal, id int64) (Folder, error) {
	f, err := s.Collection(ctx, who, id)
	if err != nil {
		return f, err
	}
	return f, s.RequireItem(ctx, who, f.Item, access.Curate)
}

// CreateCollection makes a collection. Its parent's grants become its own, and
// the graph of the namespace gets a new revision, except inside personal
// collections (contract/content-data.md 2.6). It returns NotFound, Forbidden
// and Invalid.
func (s *Service) CreateCollection(ctx context.Context, who *access.Principal, n NewCollection) (Folder, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Folder{}, err
	}
	var out Folder
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		parent, namespace, err := s.parentOf(ctx, n)
		if err != nil {
			return err
		}
		item, err := s.Create(ctx, who, NewItem{
			Kind: Collection, Model: ModelCollection, Name: n.Name, Description: n.Description,
			CollectionID: n.ParentID, Namespace: namespace,
		})
		if err != nil {
			return err
		}
		f := &access.Folder{ID: item.ID, Namespace: namespace, Owner: parent.Owner, Grants: parent.Grants}
		if parent.ID != access.RootCollection {
			f.Path = append(append(f.Path, parent.Path...), parent.ID)
		}
		if parent.Owner != 0 {
			f.Grants = nil
		}
		if err := s.insertFolder(ctx, item, f, nil); err != nil {
			return err
		}
		if err := s.db.Record(ctx, db.ChangedCollection, item.ID); err != nil {
			return err
		}
		if f.Owner == 0 {
			if err := s.bump(ctx, namespace); err != nil {
				return err
			}
		}
		out, err = s.collection(ctx, item.ID)
		return err
	})
	return out, err
}

// parentOf returns the parent of a new collection, and its namespace.
func (s *Service) parentOf(ctx context.Context, n NewCollection) (*access.Folder, string, error) {
	if space := n.Namespace.Or(Default); space != Default && space != Snippets {
		return nil, "", fault.Field("namespace", "There is no namespace %q; leave it out, or write %q.", space, Snippets)
	}
	if n.ParentID == access.RootCollection {
		return s.cols.Root(n.Namespace.Or(Default)), n.Namespace.Or(Default), nil
	}
	parent, err := s.folder(ctx, n.ParentID)
	if err != nil {
		return nil, "", err
	}
	if n.Namespace.Set && n.Namespace.Or(Default) != parent.Namespace {
		return nil, "", fault.Field("location", "Collection must be in the same namespace as its parent")
	}
	return parent, parent.Namespace, nil
}

func (s *Service) insertFolder(ctx context.Context, i Item, f *access.Folder, owner any) error {
	_, err := s.db.Exec(ctx, `INSERT INTO collection (id, item, path, slug, personal_owner, grants) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
		i.ID, i.No, path(f.Path), naming.Slug(i.Name, maxSlug), owner, f.Grants.String())
	return fault.Wrap(err, "write collection")
}

// bump gives the permission graph of a namespace a new revision.
func (s *Service) bump(ctx context.Context, namespace string) error {
	_, err := s.db.Exec(ctx, "UPDATE collection_root SET revision = revision + 1 WHERE namespace = ?1", namespace)
	return fault.Wrap(err, "count revisions of the graph")
}

// CollectionChange is what to change of a collection; what is absent stays.
type CollectionChange struct {
	Name        opt.Value[string] // null is ignored
	Description opt.Value[string]
	ParentID    opt.Value[int64] // null is the root; with Archived true it is ignored
	Archived    opt.Value[bool]
}

// UpdateCollection renames, moves, archives or restores a collection, all in
// one transaction, where Metabase keeps the new name when the rest fails
// (contract/content-data.md 2.7). It returns NotFound, Forbidden and Invalid.
func (s *Service) UpdateCollection(ctx context.Context, who *access.Principal, id int64, c CollectionChange) (Folder, error) {
	var out Folder
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		f, err := s.collectionToWrite(ctx, who, id)
		if err != nil {
			return err
		}
		if err := s.rename(ctx, who, f, c); err != nil {
			return err
		}
		archived := c.Archived.Or(f.Archived)
		switch {
		case archived && !f.Archived:
			err = s.archiveFolder(ctx, who, f)
		case !archived && f.Archived:
			err = s.restoreFolder(ctx, who, f, c.ParentID)
		case !f.Archived && c.ParentID.Set && c.ParentID.Or(access.RootCollection) != f.Parent():
			err = s.moveFolder(ctx, who, f, c.ParentID.Or(access.RootCollection))
		}
		if err != nil {
			return err
		}
		out, err = s.collection(ctx, id)
		return err
	})
	return out, err
}

// rename changes the texts of a collection.
func (s *Service) rename(ctx context.Context, who *access.Principal, f Folder, c CollectionChange) error {
	next, err := s.changed(ctx, who, f.Item, Change{Name: c.Name, Description: c.Description})
	if err != nil {
		return err
	}
	if f.PersonalOwner != 0 && next.Name != f.Name {
		return fault.New(fault.Invalid, "You cannot operate on a Personal Collection.")
	}
	if len(differences(f.Item, next)) == 0 {
		return nil
	}
	if _, err := s.db.Exec(ctx, `UPDATE item SET name = ?2, name_key = ?3, description = ?4, updated_at = ?5,
		edited_by = ?6, edited_key = ?7, edited_at = ?5 WHERE no = ?1`,
		f.No, next.Name, nameKey(next.Name), next.Description, s.db.Now(ctx), UserOrNull(who), nameKey(who.Name)); err != nil {
		return fault.Wrap(err, "rename collection")
	}
	if _, err := s.db.Exec(ctx, "UPDATE collection SET slug = ?2 WHERE id = ?1", f.ID, naming.Slug(next.Name, maxSlug)); err != nil {
		return fault.Wrap(err, "write slug")
	}
	return s.record(ctx, who, next, "update", differences(f.Item, next))
}

// all refuses who lacks a level in a collection or in one of those that lie
// in it, unless skip leaves it out.
func (s *Service) all(ctx context.Context, who *access.Principal, f *access.Folder, skip func(*access.Folder) bool) error {
	if access.LevelOf(who, f) < access.Curate {
		return access.ForbiddenIn(who, f, access.Curate)
	}
	children, err := s.cols.Under(ctx, f.ID)
	if err != nil {
		return fault.Wrap(err, "find what lies in a collection")
	}
	for _, child := range children {
		if !skip(child) && access.LevelOf(who, child) < access.Curate {
			return access.Forbidden()
		}
	}
	return nil
}

func isArchived(f *access.Folder) bool { return f.Archived }

// personal refuses what nobody may do with a personal collection.
func personal(f Folder) error {
	if f.PersonalOwner != 0 {
		return fault.New(fault.Invalid, "You cannot operate on a Personal Collection.")
	}
	return nil
}

// CollectionsByID returns collections by id, whoever asks: for packages that
// show where something lies that was decided already.
func (s *Service) CollectionsByID(ctx context.Context, ids []int64) (map[int64]Folder, error) {
	out := make(map[int64]Folder, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	list, err := db.All(ctx, s.db, scanCollection, selectCollections+" WHERE "+s.db.In("c.id", 1), db.IDs(ids))
	if err != nil {
		return nil, fault.Wrap(err, "read collections")
	}
	for _, f := range list {
		if f.Access, err = s.folder(ctx, f.ID); err != nil {
			return nil, err
		}
		out[f.ID] = f
	}
	return out, nil
}

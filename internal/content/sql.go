package content

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

func itoa(id int64) string { return strconv.FormatInt(id, 10) }

const itemColumns = `i.no, i.kind, i.id, i.model, i.name, i.description, i.entity_id, i.collection_id, i.dashboard_id,
	i.namespace, i.position, i.archived, i.archived_directly, i.archive_operation, i.creator_id, i.created_at, i.updated_at,
	i.edited_by, i.edited_at, i.used_at, i.view_count`

// Columns are the columns of the item i that ScanItem reads, for packages that
// join their own to them.
const Columns = itemColumns

const selectItems = "SELECT " + itemColumns + " FROM item i"

// ScanItem reads the columns of Columns.
func ScanItem(r db.Row) (Item, error) {
	var i Item
	var description, operation sql.NullString
	var collection, position, creator, editor, edited sql.NullInt64
	err := r.Scan(&i.No, &i.Kind, &i.ID, &i.Model, &i.Name, &description, &i.EntityID, &collection, &i.DashboardID,
		&i.Namespace, &position, &i.Archived, &i.ArchivedDirectly, &operation, &creator, db.Time(&i.CreatedAt), db.Time(&i.UpdatedAt),
		&editor, &edited, db.NullTime(&i.UsedAt), &i.ViewCount)
	if err != nil {
		return i, err
	}
	if description.Valid {
		i.Description = &description.String
	}
	if position.Valid {
		i.Position = &position.Int64
	}
	i.CollectionID = Nowhere
	if collection.Valid {
		i.CollectionID = collection.Int64
	}
	if edited.Int64 > 0 {
		err = db.Time(&i.EditedAt).Scan(edited.Int64)
	}
	i.Operation, i.CreatorID, i.EditedBy = operation.String, creator.Int64, editor.Int64
	return i, err
}

// one reads an item. It returns NotFound.
func (s *Service) one(ctx context.Context, ref Ref) (Item, error) {
	i, err := db.One(ctx, s.db, ScanItem, selectItems+" WHERE i.kind = ?1 AND i.id = ?2", string(ref.Kind), ref.ID)
	if errors.Is(err, db.ErrNone) {
		return i, notFound()
	}
	return i, fault.Wrap(err, "read item")
}

// ByIDs returns the items of a kind with the ids, by id, whoever asks: for
// packages that show what belongs to something that was decided already.
func (s *Service) ByIDs(ctx context.Context, kind Kind, ids []int64) (map[int64]Item, error) {
	out := make(map[int64]Item, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	err := db.Each(ctx, s.db, ScanItem, func(i Item) error { out[i.ID] = i; return nil },
		selectItems+" WHERE i.kind = ?1 AND "+s.db.In("i.id", 2), string(kind), db.IDs(ids))
	return out, fault.Wrap(err, "read items")
}

// OfDashboard returns the questions that live in a dashboard, but for those in
// the trash, by name, whoever asks.
func (s *Service) OfDashboard(ctx context.Context, id int64) ([]Item, error) {
	list, err := db.All(ctx, s.db, ScanItem, selectItems+" WHERE i.dashboard_id = ?1 AND i.archived = FALSE ORDER BY i.name_key, i.id", id)
	return list, fault.Wrap(err, "read questions of a dashboard")
}

// ByEntity returns the id of the item with an entity id. It returns NotFound.
func (s *Service) ByEntity(ctx context.Context, kind Kind, entityID string) (int64, error) {
	id, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT id FROM item WHERE entity_id = ?1 AND kind = ?2", entityID, string(kind))
	if errors.Is(err, db.ErrNone) {
		return 0, notFound()
	}
	return id, fault.Wrap(err, "read entity id")
}

// ByEntities returns the items of a kind with the entity ids, by entity id,
// whoever asks.
func (s *Service) ByEntities(ctx context.Context, kind Kind, entityIDs []string) (map[string]Item, error) {
	out := make(map[string]Item, len(entityIDs))
	err := db.Each(ctx, s.db, ScanItem, func(i Item) error { out[i.EntityID] = i; return nil },
		selectItems+" WHERE i.kind = ?1 AND "+s.db.InTexts("i.entity_id", 2), string(kind), db.Texts(entityIDs))
	return out, fault.Wrap(err, "read entity ids")
}

// nextIDs takes n new ids of a kind and returns the first.
func (s *Service) nextIDs(ctx context.Context, kind Kind, n int) (int64, error) {
	last, err := s.db.Insert(ctx, "UPDATE item_sequence SET last = last + ?2 WHERE kind = ?1 RETURNING last", string(kind), n)
	return last - int64(n) + 1, fault.Wrap(err, "take ids")
}

const selectFolders = `SELECT c.id, c.path, i.namespace, c.personal_owner, i.archived, c.grants
	FROM collection c JOIN item i ON i.no = c.item`

// source is the collections as package access reads them.
type source struct{ db *db.DB }

// Roots implements access.CollectionSource.
func (s source) Roots(ctx context.Context) (map[string]*access.Grants, error) {
	out := map[string]*access.Grants{}
	type root struct{ namespace, grants string }
	err := db.Each(ctx, s.db, func(r db.Row) (v root, err error) { return v, r.Scan(&v.namespace, &v.grants) }, func(v root) error {
		var err error
		out[v.namespace], err = access.ParseGrants(v.grants)
		return err
	}, "SELECT namespace, grants FROM collection_root")
	return out, err
}

// Folders implements access.CollectionSource.
func (s source) Folders(ctx context.Context, tops ...int64) ([]*access.Folder, error) {
	b := folderBuilder{grants: map[string]*access.Grants{}, owners: map[int64]int64{}}
	var err error
	if len(tops) == 0 {
		err = db.Each(ctx, s.db, scanFolder, b.add, selectFolders+" ORDER BY c.path")
	} else {
		err = b.below(ctx, s.db, tops)
	}
	if err != nil {
		return nil, err
	}
	return b.finish(ctx, s.db)
}

// Grants implements access.CollectionSource.
func (s source) Grants(ctx context.Context, ids []int64) (map[int64]*access.Grants, error) {
	out := make(map[int64]*access.Grants, len(ids))
	err := db.Each(ctx, s.db, func(r db.Row) (v folderRow, err error) { return v, r.Scan(&v.folder.ID, &v.grants) }, func(v folderRow) error {
		var err error
		out[v.folder.ID], err = access.ParseGrants(v.grants)
		return err
	}, "SELECT id, grants FROM collection WHERE "+s.db.In("id", 1), db.IDs(ids))
	return out, err
}

type folderRow struct {
	folder access.Folder
	path   string
	grants string
	owner  sql.NullInt64
}

func scanFolder(r db.Row) (folderRow, error) {
	var v folderRow
	err := r.Scan(&v.folder.ID, &v.path, &v.folder.Namespace, &v.owner, &v.folder.Archived, &v.grants)
	return v, err
}

// folderBuilder makes folders of rows. Collections with the same grants share
// them: most have those of the collection that they were made in.
type folderBuilder struct {
	folders  []*access.Folder
	seen     map[int64]bool
	grants   map[string]*access.Grants // by text, but for long ones
	last     *access.Grants            // the last long one
	lastText string
	owners   map[int64]int64 // by personal collection
}

func (b *folderBuilder) add(v folderRow) error {
	f := v.folder
	for word := range strings.SplitSeq(strings.Trim(v.path, "/"), "/") {
		if word == "" {
			continue
		}
		id, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return fmt.Errorf("path of collection %d: %w", f.ID, err)
		}
		f.Path = append(f.Path, id)
	}
	var err error
	if f.Grants, err = b.read(v.grants); err != nil {
		return fmt.Errorf("collection %d: %w", f.ID, err)
	}
	if v.owner.Valid {
		f.Owner, f.Personal = v.owner.Int64, true
		b.owners[f.ID] = f.Owner
	}
	b.folders = append(b.folders, &f)
	return nil
}

// longGrants is the length of a text of grants from which only the last one is
// remembered: a thousand of those that name ten thousand groups are 70 MB.
const longGrants = 256

// read reads the grants of a collection.
func (b *folderBuilder) read(text string) (*access.Grants, error) {
	if g, ok := b.grants[text]; ok {
		return g, nil
	}
	if text == b.lastText && b.last != nil {
		return b.last, nil
	}
	g, err := access.ParseGrants(text)
	if err != nil {
		return nil, err
	}
	if len(text) < longGrants {
		b.grants[text] = g
	} else {
		b.lastText, b.last = text, g
	}
	return g, nil
}

// below reads some collections with what lies in them.
func (b *folderBuilder) below(ctx context.Context, d *db.DB, tops []int64) error {
	b.seen = map[int64]bool{}
	once := func(v folderRow) error {
		if b.seen[v.folder.ID] {
			return nil
		}
		b.seen[v.folder.ID] = true
		return b.add(v)
	}
	if err := db.Each(ctx, d, scanFolder, once, selectFolders+" WHERE "+d.In("c.id", 1), db.IDs(tops)); err != nil {
		return err
	}
	for _, top := range b.folders[:len(b.folders):len(b.folders)] {
		from, to := below(top)
		if err := db.Each(ctx, d, scanFolder, once, selectFolders+" WHERE c.path >= ?1 AND c.path < ?2", from, to); err != nil {
			return err
		}
	}
	return nil
}

// finish gives every folder the owner of the personal collection that it lies in.
func (b *folderBuilder) finish(ctx context.Context, d *db.DB) ([]*access.Folder, error) {
	var missing []int64
	for _, f := range b.folders {
		if len(f.Path) > 0 {
			if _, known := b.owners[f.Path[0]]; !known {
				missing = append(missing, f.Path[0])
				b.owners[f.Path[0]] = 0
			}
		}
	}
	if len(missing) > 0 {
		err := db.Each(ctx, d, func(r db.Row) (v [2]int64, err error) { return v, r.Scan(&v[0], &v[1]) },
			func(v [2]int64) error { b.owners[v[0]] = v[1]; return nil },
			"SELECT id, personal_owner FROM collection WHERE personal_owner IS NOT NULL AND "+d.In("id", 1), db.IDs(missing))
		if err != nil {
			return nil, err
		}
	}
	for _, f := range b.folders {
		if !f.Personal && len(f.Path) > 0 {
			f.Owner = b.owners[f.Path[0]]
		}
	}
	return b.folders, nil
}

// Where returns a condition that holds for items in the collections of a
// reach, with its argument. expr is the column of the collection and n the
// number of the placeholder.
func (s *Service) Where(r access.Reach, expr string, n int) (cond, arg string) {
	if r.Everything {
		return fmt.Sprintf("CAST(?%d AS text) IS NOT NULL", n), "[]"
	}
	ids := r.IDs
	if r.Root {
		ids = append([]int64{access.RootCollection}, ids...)
	}
	return s.db.In(expr, n), db.IDs(ids)
}

package content

import (
	"context"
	"fmt"
	"log/slog"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// Service holds the rules of content.
type Service struct {
	db    *db.DB
	audit *audit.Log
	log   *slog.Logger
	cols  *access.Collections

	knowsGroup func(ctx context.Context, id int64) (bool, error)
	seen       func(who *access.Principal, ref Ref)                                              // told of views; may be nil
	onMany     func(ctx context.Context, who *access.Principal, nos []int64, c ManyChange) error // may be nil
}

// New returns the service with all collections in memory.
func New(ctx context.Context, d *db.DB, log *audit.Log, logger *slog.Logger) (*Service, error) {
	cols, err := access.NewCollections(ctx, d, source{d}, logger)
	if err != nil {
		return nil, err
	}
	every := func(context.Context, int64) (bool, error) { return true, nil }
	return &Service{db: d, audit: log, log: logger, cols: cols, knowsGroup: every}, nil
}

// Collections returns the collections on which decisions stand.
func (s *Service) Collections() *access.Collections { return s.cols }

// folder returns an existing collection for a placement. It returns NotFound.
func (s *Service) folder(ctx context.Context, id int64) (*access.Folder, error) {
	f, err := s.cols.Folder(ctx, id)
	if err == nil && f == nil {
		err = notFound()
	}
	return f, err
}

// Require refuses who has less than a level in a collection. It returns
// NotFound for a collection that does not exist, and Forbidden.
func (s *Service) Require(ctx context.Context, who *access.Principal, collectionID int64, level access.CollectionLevel) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	f, err := s.folder(ctx, collectionID)
	if err != nil {
		return err
	}
	if access.LevelOf(who, f) < level {
		return access.ForbiddenIn(who, f, level)
	}
	return nil
}

// LevelOf returns what who may do with an item: what they may do in the
// collection where it lies. Snippets lie in a root of their own.
func (s *Service) LevelOf(ctx context.Context, who *access.Principal, i Item) (access.CollectionLevel, error) {
	f, err := s.home(ctx, i)
	if f == nil || err != nil {
		return access.NoCollection, err
	}
	return access.LevelOf(who, f), nil
}

// RequireItem refuses who has less than a level over an item that is at hand.
// It returns Forbidden.
func (s *Service) RequireItem(ctx context.Context, who *access.Principal, i Item, level access.CollectionLevel) error {
	f, err := s.home(ctx, i)
	switch {
	case err != nil:
		return fault.Wrap(err, "decide")
	case f == nil:
		return access.Forbidden()
	case access.LevelOf(who, f) < level:
		return access.ForbiddenIn(who, f, level)
	}
	return nil
}

// Get returns an item that who may see. It returns NotFound before Forbidden
// (contract/content-data.md 1.2).
func (s *Service) Get(ctx context.Context, who *access.Principal, ref Ref) (Item, error) {
	return s.get(ctx, who, ref, access.View)
}

// GetToWrite is Get for an item that who wants to change.
func (s *Service) GetToWrite(ctx context.Context, who *access.Principal, ref Ref) (Item, error) {
	return s.get(ctx, who, ref, access.Curate)
}

func (s *Service) get(ctx context.Context, who *access.Principal, ref Ref, level access.CollectionLevel) (Item, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Item{}, err
	}
	i, err := s.one(ctx, ref)
	if err != nil {
		return i, err
	}
	return i, s.RequireItem(ctx, who, i, level)
}

// CanWrite reports whether who may change an item, as answers tell: by what
// their groups may, and a key's restriction leaves.
func (s *Service) CanWrite(ctx context.Context, who *access.Principal, i Item) bool {
	level, err := s.LevelOf(ctx, who, i)
	return err == nil && level == access.Curate && access.MayChange(who, kindOf(i), i.ID)
}

// kindOf returns what package access calls an item: cards, dashboards and so on.
func kindOf(i Item) string { return string(i.Kind) + "s" }

// Create makes the shared record of an item, inside the transaction in which
// the caller writes its particulars. It returns NotFound for an unknown
// collection, Forbidden, and Invalid for a bad name, an archived collection or
// one of another namespace.
func (s *Service) Create(ctx context.Context, who *access.Principal, n NewItem) (Item, error) {
	if err := CheckName(n.Name); err != nil {
		return Item{}, err
	}
	if err := CheckDescription(n.Description); err != nil {
		return Item{}, err
	}
	if err := CheckPosition(n.Position); err != nil {
		return Item{}, err
	}
	if err := s.placeable(ctx, who, n.CollectionID, n.Namespace); err != nil {
		return Item{}, err
	}
	i, err := s.insert(ctx, who, n)
	if err != nil {
		return i, err
	}
	if i.Position != nil {
		if err := s.makeRoom(ctx, i); err != nil {
			return i, err
		}
	}
	return i, s.record(ctx, who, i, "create", map[string]any{"collection_id": i.CollectionID})
}

// placeable refuses a collection that who may not put things into.
func (s *Service) placeable(ctx context.Context, who *access.Principal, id int64, namespace string) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	f := s.cols.Root(namespace)
	if id != access.RootCollection {
		var err error
		if f, err = s.folder(ctx, id); err != nil {
			return err
		}
	}
	switch {
	case access.LevelOf(who, f) < access.Curate:
		return access.ForbiddenIn(who, f, access.Curate)
	case f.Archived, f.Namespace != namespace:
		return invalid()
	}
	return nil
}

// insert writes the row of an item that was decided already.
func (s *Service) insert(ctx context.Context, who *access.Principal, n NewItem) (Item, error) {
	id, err := s.nextIDs(ctx, n.Kind, 1)
	if err != nil {
		return Item{}, err
	}
	if n.EntityID == "" {
		n.EntityID = naming.EntityID()
	}
	now := s.db.Now(ctx)
	var collection any
	if n.CollectionID != Nowhere {
		collection = n.CollectionID
	}
	_, err = s.db.Insert(ctx, `INSERT INTO item (kind, id, model, rank, name, name_key, description, entity_id, collection_id,
		dashboard_id, namespace, position, creator_id, created_at, updated_at, edited_by, edited_key, edited_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?13, ?15, ?14) RETURNING no`,
		string(n.Kind), id, string(n.Model), ranks[n.Model], n.Name, nameKey(n.Name), n.Description, n.EntityID, collection,
		n.DashboardID, n.Namespace, n.Position, UserOrNull(who), now, nameKey(who.Name))
	if db.IsUnique(err) {
		return Item{}, fault.Field("entity_id", "An item with this entity id exists already.")
	}
	if err != nil {
		return Item{}, fault.Wrap(err, "write item")
	}
	return s.one(ctx, Ref{n.Kind, id})
}

// record writes the audit entry of a change of one item.
func (s *Service) record(ctx context.Context, who *access.Principal, i Item, verb string, details map[string]any) error {
	return s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: string(i.Kind) + "." + verb, ObjectKind: string(i.Kind), ObjectID: i.ID, ObjectName: i.Name, Details: details,
	})
}

// Update changes an item that is no collection, inside the caller's
// transaction when it has particulars to write. Archiving discards a new
// collection, restoring may bring one (contract/content-data.md 3.4). What is
// as it was stays unchanged. It returns NotFound, Forbidden and Invalid.
func (s *Service) Update(ctx context.Context, who *access.Principal, ref Ref, c Change) (Item, error) {
	var out Item
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.GetToWrite(ctx, who, ref)
		if err != nil {
			return err
		}
		next, err := s.changed(ctx, who, old, c)
		if err != nil {
			return err
		}
		out, err = s.save(ctx, who, old, next, c.Touch)
		return err
	})
	return out, err
}

// changed returns the item as the change wants it.
func (s *Service) changed(ctx context.Context, who *access.Principal, i Item, c Change) (Item, error) {
	if c.Name.Set && !c.Name.Null {
		if err := CheckName(c.Name.V); err != nil {
			return i, err
		}
		i.Name = c.Name.V
	}
	if c.Description.Set {
		i.Description = textOf(c.Description)
		if err := CheckDescription(i.Description); err != nil {
			return i, err
		}
	}
	if c.Position.Set {
		was := deref(i.Position)
		i.Position = c.Position.Ptr()
		if err := CheckPosition(i.Position); err != nil && deref(i.Position) != was {
			return i, err
		}
	}
	if c.Model.Set {
		i.Model = c.Model.V
	}
	if c.DashboardID.Set {
		i.DashboardID = c.DashboardID.Or(0)
	}
	return s.placed(ctx, who, i, c)
}

// placed applies what the change says about the trash and the collection.
func (s *Service) placed(ctx context.Context, who *access.Principal, i Item, c Change) (Item, error) {
	to, moves := i.CollectionID, false
	if c.CollectionID.Set {
		to = c.CollectionID.Or(access.RootCollection)
		moves = to != i.CollectionID
	}
	switch archive := c.Archived; {
	case archive.Set && !archive.Null && archive.V && !i.Archived:
		i.Archived, i.ArchivedDirectly = true, true
		return i, nil
	case archive.Set && !archive.Null && archive.V:
		return i, nil
	case archive.Set && !archive.Null && i.Archived:
		i.Archived, i.ArchivedDirectly, i.CollectionID = false, false, to
		return i, s.placeable(ctx, who, to, i.Namespace)
	}
	if !moves {
		return i, nil
	}
	i.CollectionID = to
	return i, s.placeable(ctx, who, to, i.Namespace)
}

func textOf(v opt.Value[string]) *string {
	if v.Null {
		return nil
	}
	return &v.V
}

// save writes what has changed of an item, with its audit entry.
func (s *Service) save(ctx context.Context, who *access.Principal, old, next Item, touch bool) (Item, error) {
	details := differences(old, next)
	if len(details) == 0 && !touch {
		return old, nil
	}
	next.UpdatedAt = s.db.Now(ctx)
	_, err := s.db.Exec(ctx, `UPDATE item SET name = ?2, name_key = ?3, description = ?4, collection_id = ?5, dashboard_id = ?6,
		position = ?7, archived = ?8, archived_directly = ?9, model = ?10, rank = ?11, updated_at = ?12,
		edited_by = ?13, edited_key = ?14, edited_at = ?12 WHERE no = ?1`,
		next.No, next.Name, nameKey(next.Name), next.Description, next.CollectionID, next.DashboardID,
		next.Position, next.Archived, next.ArchivedDirectly, string(next.Model), ranks[next.Model], next.UpdatedAt,
		UserOrNull(who), nameKey(who.Name))
	if err != nil {
		return old, fault.Wrap(err, "write item")
	}
	if err := s.renumber(ctx, old, next); err != nil {
		return old, err
	}
	if err := s.followDashboard(ctx, who, old, next); err != nil {
		return old, err
	}
	if err := s.record(ctx, who, next, verbOf(old, next), details); err != nil {
		return old, err
	}
	return s.one(ctx, next.Ref())
}

// followDashboard lets the questions that live in a dashboard go with it, into
// the trash and out of it, and to another collection (contract/content-data.md
// 4.3).
func (s *Service) followDashboard(ctx context.Context, who *access.Principal, old, next Item) error {
	if old.Kind != Dashboard || old.Archived == next.Archived && old.CollectionID == next.CollectionID {
		return nil
	}
	c := ManyChange{Archived: opt.Of(next.Archived), CollectionID: opt.Of(next.CollectionID)}
	_, err := s.updateMany(ctx, who, c, `UPDATE item SET collection_id = ?2, archived = ?3, updated_at = ?4
		WHERE dashboard_id = ?1 AND archived_directly = FALSE RETURNING no`, next.ID, next.CollectionID, next.Archived, s.db.Now(ctx))
	return err
}

// UserOrNull is who acts as it is stored; the command line is nobody.
func UserOrNull(who *access.Principal) any {
	if who.UserID == 0 {
		return nil
	}
	return who.UserID
}

// differences names what changes of the shared record, for the audit log.
func differences(old, next Item) map[string]any {
	d := map[string]any{}
	add := func(name string, before, after any) {
		if fmt.Sprint(before) != fmt.Sprint(after) {
			d[name] = map[string]any{"previous": before, "new": after}
		}
	}
	add("name", old.Name, next.Name)
	add("description", deref(old.Description), deref(next.Description))
	add("collection_id", old.CollectionID, next.CollectionID)
	add("dashboard_id", old.DashboardID, next.DashboardID)
	add("position", deref(old.Position), deref(next.Position))
	add("archived", old.Archived, next.Archived)
	add("model", old.Model, next.Model)
	return d
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// verbOf is the word of the audit log for a change.
func verbOf(old, next Item) string {
	switch {
	case next.Archived && !old.Archived:
		return "archive"
	case old.Archived && !next.Archived:
		return "restore"
	case old.CollectionID != next.CollectionID:
		return "move"
	}
	return "update"
}

// Delete removes an item that is no collection for ever, with all that refers
// to it. It need not be in the trash (contract/content-data.md 3.5). It
// returns NotFound and Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, ref Ref) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		i, err := s.GetToWrite(ctx, who, ref)
		if err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM item WHERE no = ?1", i.No); err != nil {
			return fault.Wrap(err, "delete item")
		}
		if i.Kind == Dashboard { // the questions that live in it
			if _, err := s.db.Exec(ctx, "DELETE FROM item WHERE dashboard_id = ?1", i.ID); err != nil {
				return fault.Wrap(err, "delete questions of a dashboard")
			}
		}
		return s.record(ctx, who, i, "delete", map[string]any{"collection_id": i.CollectionID})
	})
}

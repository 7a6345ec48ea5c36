package group

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
)

// DeleteHook runs in the transaction that deletes a group, before its
// memberships go.
type DeleteHook func(ctx context.Context, who *access.Principal, g Group) error

// Service holds the rules of groups and memberships.
type Service struct {
	db       *db.DB
	audit    *audit.Log
	log      *slog.Logger
	onDelete []DeleteHook

	current atomic.Pointer[Snapshot]
	mu      sync.Mutex // one writer of current
	stale   atomic.Bool
}

// New returns the service with all groups in memory.
func New(ctx context.Context, d *db.DB, log *audit.Log, logger *slog.Logger) (*Service, error) {
	s := &Service{db: d, audit: log, log: logger}
	groups, err := s.selectAll(ctx)
	if err != nil {
		return nil, err
	}
	s.current.Store(newSnapshot(1, groups))
	d.Subscribe(s.apply)
	return s, nil
}

// OnDelete adds a hook. It must be called while the server is put together.
func (s *Service) OnDelete(f DeleteHook) { s.onDelete = append(s.onDelete, f) }

// refreshLimit is how long memory may take to be read anew: a database that
// hangs must not hold up every commit of this node for ever.
const refreshLimit = 5 * time.Second

// apply follows the change log.
func (s *Service) apply(changes []db.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int64
	reset := s.stale.Load()
	for _, c := range changes {
		switch c.Kind {
		case db.ChangedGroup:
			ids = append(ids, c.ID)
		case db.Reset:
			reset = true
		}
	}
	if len(ids) == 0 && !reset {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), refreshLimit)
	defer cancel()
	if err := s.refresh(ctx, ids, reset); err != nil {
		s.stale.Store(true)
		s.log.Error("groups in memory are stale; they are read again on the next use", slog.Any("error", err))
		return
	}
	s.stale.Store(false)
}

func (s *Service) refresh(ctx context.Context, ids []int64, all bool) error {
	old := s.current.Load()
	if all {
		groups, err := s.selectAll(ctx)
		if err != nil {
			return err
		}
		s.current.Store(newSnapshot(old.Version+1, groups))
		return nil
	}
	rows, err := s.selectByID(ctx, ids)
	if err != nil {
		return err
	}
	s.current.Store(old.with(ids, rows))
	return nil
}

// Snapshot returns all groups as they are now.
func (s *Service) Snapshot() *Snapshot {
	if s.stale.Load() {
		s.apply(nil)
	}
	return s.current.Load()
}

// Search returns a page of the groups whose name contains the query in any
// case, in order of name, and how many there are. A limit of 0 means all.
func (s *Service) Search(query string, limit, offset int) ([]Group, int) {
	all := s.Snapshot().ByName
	if q := nameKey(query); q != "" {
		hits := []Group{}
		for _, g := range all {
			if strings.Contains(nameKey(g.Name), q) {
				hits = append(hits, g)
			}
		}
		all = hits
	}
	total := len(all)
	all = all[min(max(offset, 0), total):]
	if limit > 0 {
		all = all[:min(limit, len(all))]
	}
	return all, total
}

// Get returns a group. It returns a Forbidden fault unless who is an
// administrator, and NotFound.
func (s *Service) Get(_ context.Context, who *access.Principal, id int64) (Group, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Group{}, err
	}
	g, ok := s.Snapshot().ByID(id)
	if !ok {
		return Group{}, notFound()
	}
	return g, nil
}

func notFound() error { return fault.New(fault.NotFound, "Not found.") }

// Name returns the name of a group, "" for one that is gone. It asks the
// database about a group that another node made a moment ago.
func (s *Service) Name(ctx context.Context, id int64) (string, error) {
	if g, ok := s.Snapshot().ByID(id); ok {
		return g.Name, nil
	}
	g, err := s.selectOne(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return g.Name, err
}

// Create makes a group. It returns Invalid when the name is blank, too long or
// taken in any case (contract/identity.md 3.3), and Forbidden.
func (s *Service) Create(ctx context.Context, who *access.Principal, name string) (Group, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Group{}, err
	}
	if err := naming.Check("name", name, maxName); err != nil {
		return Group{}, err
	}
	var g Group
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		now := s.db.Now(ctx)
		g = Group{Name: name, EntityID: naming.EntityID(), CreatedAt: now, UpdatedAt: now}
		var err error
		g.ID, err = s.db.Insert(ctx, `INSERT INTO permission_group (name, name_key, entity_id, created_at, updated_at)
			VALUES (?1, ?2, ?3, ?4, ?4) RETURNING id`, name, nameKey(name), g.EntityID, now)
		if err != nil {
			return nameFault(err)
		}
		return s.changed(ctx, who, g, "group.create", nil)
	})
	return g, err
}

// nameFault turns the failure of the unique name into the contract's text.
func nameFault(err error) error {
	if db.IsUnique(err) {
		return fault.New(fault.Invalid, textNameTaken)
	}
	return fault.Wrap(err, "write group")
}

// changed writes the audit entry and the change-log row of a group.
func (s *Service) changed(ctx context.Context, who *access.Principal, g Group, action string, details map[string]any) error {
	err := s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: action, ObjectKind: "group", ObjectID: g.ID, ObjectName: g.Name, Details: details,
	})
	if err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedGroup, g.ID)
}

// Rename changes a group's name. It returns NotFound, Invalid for a magic
// group or a name that another group has, and Forbidden. A rename to the same
// name changes nothing; one that only changes the case is allowed, where
// Metabase refuses it (contract/identity.md 3.4).
func (s *Service) Rename(ctx context.Context, who *access.Principal, id int64, name string) (Group, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Group{}, err
	}
	if err := naming.Check("name", name, maxName); err != nil {
		return Group{}, err
	}
	var g Group
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		var err error
		if g, err = s.selectOne(ctx, id); err != nil {
			return err
		}
		if g.Name == name {
			return nil
		}
		if g.Magic != "" {
			return magicFault(g)
		}
		old := g.Name
		g.Name, g.UpdatedAt = name, s.db.Now(ctx)
		_, err = s.db.Exec(ctx, "UPDATE permission_group SET name = ?2, name_key = ?3, updated_at = ?4 WHERE id = ?1",
			id, name, nameKey(name), g.UpdatedAt)
		if err != nil {
			return nameFault(err)
		}
		return s.changed(ctx, who, g, "group.rename", map[string]any{"previous": old, "new": name})
	})
	return g, err
}

// Delete removes a group and its memberships; users and the keys they stand
// behind stay, with All Users (contract/identity.md 1.6). It returns NotFound,
// Invalid for a magic group, and Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, id int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		g, err := s.selectOne(ctx, id)
		if err != nil {
			return err
		}
		if g.Magic != "" {
			return magicFault(g)
		}
		for _, hook := range s.onDelete {
			if err := hook(ctx, who, g); err != nil {
				return err
			}
		}
		if err := s.dropMembers(ctx, g.ID); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM permission_group WHERE id = ?1", id); err != nil {
			return fault.Wrap(err, "delete group")
		}
		return s.changed(ctx, who, g, "group.delete", map[string]any{"members": g.MemberCount})
	})
}

// dropMembers removes all memberships of a group and tells the change log
// whose access changed.
func (s *Service) dropMembers(ctx context.Context, groupID int64) error {
	_, err := s.db.Exec(ctx, `INSERT INTO change_log (at, kind, id)
		SELECT ?2, ?3, user_id FROM membership WHERE group_id = ?1`, groupID, s.db.Now(ctx), db.ChangedUser)
	if err != nil {
		return fault.Wrap(err, "record members")
	}
	if _, err := s.db.Exec(ctx, "DELETE FROM membership WHERE group_id = ?1", groupID); err != nil {
		return fault.Wrap(err, "delete memberships")
	}
	return nil
}

// Clear removes all members of a group; the group stays. Administrators
// cannot be cleared (contract/identity.md 3.6).
func (s *Service) Clear(ctx context.Context, who *access.Principal, groupID int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		g, err := s.selectOne(ctx, groupID)
		if err != nil {
			return err
		}
		if g.Magic == MagicAdmin {
			return fault.New(fault.Invalid, "Invalid Request.")
		}
		if err := protected(groupID); err != nil {
			return err
		}
		if err := s.dropMembers(ctx, groupID); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "UPDATE permission_group SET member_count = 0 WHERE id = ?1", groupID); err != nil {
			return fault.Wrap(err, "count members")
		}
		return s.changed(ctx, who, g, "membership.remove", map[string]any{"cleared": true, "members": g.MemberCount})
	})
}

func (s *Service) selectOne(ctx context.Context, id int64) (Group, error) {
	g, err := db.One(ctx, s.db, scanGroup, selectGroups+" WHERE id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return g, notFound()
	}
	return g, fault.Wrap(err, "read group")
}

func (s *Service) selectAll(ctx context.Context) ([]Group, error) {
	groups, err := db.All(ctx, s.db, scanGroup, selectGroups)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return groups, nil
}

// selectByID reads the groups with the ids; those that are gone are absent.
func (s *Service) selectByID(ctx context.Context, ids []int64) (map[int64]Group, error) {
	out := map[int64]Group{}
	for chunk := range chunks(ids) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		rows, err := db.All(ctx, s.db, scanGroup, selectGroups+" WHERE id IN "+db.List(1, len(args)), args...)
		if err != nil {
			return nil, fmt.Errorf("read groups: %w", err)
		}
		for _, g := range rows {
			out[g.ID] = g
		}
	}
	return out, nil
}

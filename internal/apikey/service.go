package apikey

import (
	"context"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/naming"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// Service holds the rules of keys.
type Service struct {
	db     *db.DB
	audit  *audit.Log
	people *people.Service
	groups *group.Service
	pepper *Pepper
	prefix func() string
}

// Deps is what the service stands on.
type Deps struct {
	DB      *db.DB
	Audit   *audit.Log
	People  *people.Service
	Groups  *group.Service
	Peppers Peppers
	Prefix  func() string // what new keys begin with, such as lk_
}

// New returns the service and lets it say what becomes of keys when a group goes.
func New(d Deps) *Service {
	s := &Service{
		db: d.DB, audit: d.Audit, people: d.People, groups: d.Groups,
		pepper: d.Peppers.Current, prefix: d.Prefix,
	}
	d.Groups.OnDelete(s.groupDeleted)
	return s
}

// Create makes a key in a group and returns its text, which cannot be had
// again. It returns Invalid when the name is blank, too long or taken, or the
// group unknown (contract/identity.md 1.5), and Forbidden.
func (s *Service) Create(ctx context.Context, who *access.Principal, name string, groupID int64) (Key, secret.Text, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	if err := naming.Check("name", name, maxName); err != nil {
		return Key{}, secret.Text{}, err
	}
	text := newText(s.prefix())
	var key Key
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.nameFree(ctx, name, 0); err != nil {
			return err
		}
		userID, err := s.people.CreateKeyUser(ctx, name)
		if err != nil {
			return err
		}
		if _, err := s.groups.SetForUser(ctx, who, userID, []int64{access.AllUsers, groupID}); err != nil {
			return err
		}
		id, err := s.insert(ctx, who, userID, name, text)
		if err != nil {
			return err
		}
		if key, err = s.one(ctx, id); err != nil {
			return err
		}
		return s.changed(ctx, who, key, "api-key.create", map[string]any{
			"group": key.Group.Name, "key_prefix": key.Prefix, "user_id": userID,
		})
	})
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return key, text, nil
}

// Update changes a key's name or group; an empty change changes nothing. It
// returns NotFound, Invalid as Create does, and Forbidden.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	if name, ok := c.Name.Get(); ok {
		if err := naming.Check("name", name, maxName); err != nil {
			return Key{}, err
		}
	}
	var key Key
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		renamed, err := s.rename(ctx, old, c)
		if err != nil {
			return err
		}
		moved, err := s.move(ctx, who, old, c)
		if err != nil {
			return err
		}
		if !renamed && !moved {
			key = old
			return nil
		}
		if err := s.stamp(ctx, who, id); err != nil {
			return err
		}
		if key, err = s.one(ctx, id); err != nil {
			return err
		}
		return s.changed(ctx, who, key, "api-key.update", map[string]any{
			"previous": map[string]any{"name": old.Name, "group": old.Group.Name},
			"new":      map[string]any{"name": key.Name, "group": key.Group.Name},
		})
	})
	return key, err
}

func (s *Service) rename(ctx context.Context, old Key, c Change) (bool, error) {
	name, ok := c.Name.Get()
	if !ok || name == old.Name {
		return false, nil
	}
	if err := s.nameFree(ctx, name, old.ID); err != nil {
		return false, err
	}
	if err := s.people.RenameKeyUser(ctx, old.UserID, name); err != nil {
		return false, err
	}
	return true, s.setName(ctx, old.ID, name)
}

func (s *Service) move(ctx context.Context, who *access.Principal, old Key, c Change) (bool, error) {
	groupID, ok := c.GroupID.Get()
	if !ok {
		return false, nil
	}
	return s.groups.SetForUser(ctx, who, old.UserID, []int64{access.AllUsers, groupID})
}

// Regenerate replaces the text of a key and returns the new one, which cannot
// be had again. The old text is dead when the call returns. It returns
// NotFound and Forbidden.
func (s *Service) Regenerate(ctx context.Context, who *access.Principal, id int64) (Key, secret.Text, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	var key Key
	var text secret.Text
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		text = newText(s.prefix())
		if err := s.setText(ctx, who, id, text); err != nil {
			return err
		}
		if key, err = s.one(ctx, id); err != nil {
			return err
		}
		return s.changed(ctx, who, key, "api-key.regenerate", map[string]any{
			"previous": map[string]any{"key_prefix": old.Prefix}, "new": map[string]any{"key_prefix": key.Prefix},
		})
	})
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return key, text, nil
}

// Delete ends a key for ever; the user behind it stays, inactive, so that what
// it made stays attributable. It returns NotFound and Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, id int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		key, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM api_key WHERE id = ?1", id); err != nil {
			return fault.Wrap(err, "delete key")
		}
		if err := s.people.DeactivateKeyUser(ctx, key.UserID); err != nil {
			return err
		}
		return s.changed(ctx, who, key, "api-key.delete", map[string]any{
			"group": key.Group.Name, "key_prefix": key.Prefix, "user_id": key.UserID,
		})
	})
}

// groupDeleted says in the audit log which keys a deleted group moves to All
// Users. They go on working (contract/identity.md 1.6).
func (s *Service) groupDeleted(ctx context.Context, who *access.Principal, g group.Group) error {
	keys, err := s.list(ctx, Filter{GroupID: g.ID})
	if err != nil {
		return err
	}
	for _, k := range keys {
		err := s.changed(ctx, who, k, "api-key.move", map[string]any{
			"previous": map[string]any{"group": g.Name}, "new": map[string]any{"group": "All Users"}, "reason": "group deleted",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// changed writes the audit entry and the change-log row of a key.
func (s *Service) changed(ctx context.Context, who *access.Principal, k Key, action string, details map[string]any) error {
	err := s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: action, ObjectKind: "api-key", ObjectID: k.ID, ObjectName: k.Name, Details: details,
	})
	if err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedKey, k.ID)
}

// Get returns a key. It returns NotFound and Forbidden.
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.one(ctx, id)
}

func (s *Service) one(ctx context.Context, id int64) (Key, error) {
	k, err := db.One(ctx, s.db, scanKey, selectKeys+" WHERE k.id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return k, fault.New(fault.NotFound, "Not found.")
	}
	if err != nil {
		return k, fault.Wrap(err, "read key")
	}
	k.Group.Name, err = s.groups.Name(ctx, k.Group.ID)
	return k, err
}

// List returns the keys that match and how many there are without paging.
func (s *Service) List(ctx context.Context, who *access.Principal, f Filter) ([]Key, int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, 0, err
	}
	keys, err := s.list(ctx, f)
	if err != nil || (f.Limit == 0 && f.Offset == 0) {
		return keys, len(keys), err
	}
	n, err := s.count(ctx, f)
	return keys, n, err
}

// InGroup returns the keys that belong to a group, by name.
func (s *Service) InGroup(ctx context.Context, who *access.Principal, groupID int64) ([]Key, error) {
	keys, _, err := s.List(ctx, who, Filter{GroupID: groupID})
	return keys, err
}

// Count returns how many keys there are.
func (s *Service) Count(ctx context.Context, who *access.Principal) (int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return 0, err
	}
	return s.count(ctx, Filter{})
}

// CountByGroup returns how many keys belong to each of the groups. All Users
// counts all keys.
func (s *Service) CountByGroup(ctx context.Context, who *access.Principal, groupIDs []int64) (map[int64]int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	return s.countByGroup(ctx, groupIDs)
}

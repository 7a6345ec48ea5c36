package apikey

import (
	"context"
	"errors"
	"log/slog"
	"maps"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/people"
	"latchkey/internal/secret"
	"latchkey/internal/usage"
)

// Service holds the rules of keys.
type Service struct {
	db       *db.DB
	audit    *audit.Log
	people   *people.Service
	groups   *group.Service
	usage    *usage.Service
	pepper   *Pepper
	previous *Pepper
	prefix   func() string
	words    func() *access.Vocabulary
	settings func(name string) bool
	exists   func(ctx context.Context, kind string, id int64) (bool, error)
	log      *slog.Logger
}

// Deps is what the service stands on. All but Exists and Log are needed.
type Deps struct {
	DB      *db.DB
	Audit   *audit.Log
	People  *people.Service
	Groups  *group.Service
	Usage   *usage.Service
	Peppers Peppers
	Prefix  func() string // what new keys begin with, such as lk_

	// Vocabulary returns what restrictions may name. It is asked when a
	// restriction is written, when all routes are known.
	Vocabulary func() *access.Vocabulary
	// HasSetting reports whether there is a setting of the name.
	HasSetting func(name string) bool
	// Exists, when given, reports whether there is a resource of a kind that
	// this package knows nothing of: content, connected databases.
	Exists func(ctx context.Context, kind string, id int64) (bool, error)
	Log    *slog.Logger // nil means no log
}

// New returns the service and lets it say what becomes of keys when a group or
// a person goes.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		db: d.DB, audit: d.Audit, people: d.People, groups: d.Groups, usage: d.Usage,
		pepper: d.Peppers.Current, previous: d.Peppers.Previous, prefix: d.Prefix,
		words: d.Vocabulary, settings: d.HasSetting, exists: d.Exists, log: d.Log,
	}
	d.Groups.OnDelete(s.groupDeleted)
	d.People.OnDeactivate(s.ownerGone)
	d.People.OnReactivate(s.ownerBack)
	d.People.OnSetup(func(ctx context.Context, _ *access.Principal, _ int64) error {
		return s.EndBootstrap(ctx, "the instance is set up")
	})
	return s
}

// Create makes a service key in one group, as the Metabase dialect does:
// everything else is as the policy says. It returns its text, which cannot be
// had again. It returns Invalid when the name is blank, too long or taken, or
// the group unknown (contract/identity.md 1.5), and Forbidden.
func (s *Service) Create(ctx context.Context, who *access.Principal, name string, groupID int64) (Key, secret.Text, error) {
	return s.Make(ctx, who, Draft{Name: name, Groups: []int64{groupID}})
}

// Make makes a service key and returns its text, which cannot be had again.
// It returns Invalid for input that is wrong or that the policy forbids, and
// Forbidden.
func (s *Service) Make(ctx context.Context, who *access.Principal, d Draft) (Key, secret.Text, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	var key Key
	var m material
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		k, err := s.checkDraft(ctx, who, d, Key{Kind: KindService})
		if err != nil {
			return err
		}
		if m, err = s.material(d); err != nil {
			return err
		}
		if k.UserID, err = s.people.CreateKeyUser(ctx, k.Name); err != nil {
			return err
		}
		groups := append([]int64{access.AllUsers}, d.Groups...)
		if _, err := s.groups.SetForUser(ctx, who, k.UserID, groups); err != nil {
			return err
		}
		key, err = s.store(ctx, who, k, m)
		return err
	})
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return key, m.text, nil
}

// store writes a checked key with its first secret, and says so.
func (s *Service) store(ctx context.Context, who *access.Principal, k Key, m material) (Key, error) {
	id, err := s.insert(ctx, who, k)
	if err != nil {
		return Key{}, err
	}
	if _, err := s.addSecret(ctx, who, id, m); err != nil {
		return Key{}, err
	}
	key, err := s.one(ctx, id)
	if err != nil {
		return Key{}, err
	}
	return key, s.changed(ctx, who, key, "api-key.create", key.facts())
}

// facts is what the audit log says of a new key.
func (k Key) facts() map[string]any {
	f := map[string]any{"group": k.Group.Name, "key_prefix": k.Prefix, "user_id": k.UserID}
	if k.Kind == KindPersonal {
		f["kind"] = string(k.Kind)
	}
	if len(k.Groups) > 1 {
		f["groups"] = names(k.Groups)
	}
	if !k.Restriction.IsZero() {
		f["restriction"] = k.Restriction
	}
	if k.ExpiresAt != nil {
		f["expires_at"] = k.ExpiresAt
	}
	if k.Owner.ID != 0 {
		f["owner"] = k.Owner.Name
	}
	if k.Source != "" {
		f["source"] = k.Source
	}
	return f
}

func names(refs []Ref) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Name
	}
	return out
}

// Regenerate replaces the text of a key at once and returns the new one, which
// cannot be had again. The old text is dead when the call returns. It returns
// NotFound and Forbidden.
func (s *Service) Regenerate(ctx context.Context, who *access.Principal, id int64) (Key, secret.Text, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.replace(ctx, who, id, "api-key.regenerate", Overlap{})
}

// Delete ends a key for ever. Its row stays, and so does the user behind a
// service key, inactive, so that what it did stays attributable. It returns
// NotFound and Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, id int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		key, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		return s.end(ctx, who, key, "api-key.delete", nil)
	})
}

// end deletes a key inside the caller's transaction.
func (s *Service) end(ctx context.Context, who *access.Principal, key Key, action string, why map[string]any) error {
	if err := s.stamp(ctx, who, key.ID); err != nil {
		return err
	}
	return s.endBy(ctx, who.Actor(), key, action, why)
}

func (s *Service) endBy(ctx context.Context, who audit.Actor, key Key, action string, why map[string]any) error {
	if _, err := s.db.Exec(ctx, "UPDATE api_key SET deleted_at = ?2, review_since = NULL WHERE id = ?1", key.ID, s.db.Now(ctx)); err != nil {
		return fault.Wrap(err, "delete key")
	}
	if err := s.retireAll(ctx, key.ID); err != nil {
		return err
	}
	details := map[string]any{"group": key.Group.Name, "key_prefix": key.Prefix, "user_id": key.UserID}
	maps.Copy(details, why)
	if key.Kind == KindService {
		if err := s.people.DeactivateKeyUser(ctx, key.UserID); err != nil {
			return err
		}
	}
	return s.changedBy(ctx, who, key, action, details)
}

// groupDeleted says in the audit log which keys a deleted group moves to All
// Users, and drops the group's policy. The keys go on working
// (contract/identity.md 1.6).
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
	return s.dropPolicy(ctx, who, g.ID, g.Name, map[string]any{"reason": "group deleted"})
}

// changed writes the audit entry and the change-log row of a key.
func (s *Service) changed(ctx context.Context, who *access.Principal, k Key, action string, details map[string]any) error {
	return s.changedBy(ctx, who.Actor(), k, action, details)
}

func (s *Service) changedBy(ctx context.Context, who audit.Actor, k Key, action string, details map[string]any) error {
	err := s.audit.Append(ctx, who, audit.Entry{
		Action: action, ObjectKind: "api-key", ObjectID: k.ID, ObjectName: k.Name, Details: details,
	})
	if err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedKey, k.ID)
}

// Get returns a key that is not deleted. It returns NotFound and Forbidden.
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.one(ctx, id)
}

// GetAny returns a key, also a deleted one. It returns NotFound and Forbidden.
func (s *Service) GetAny(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.any(ctx, id)
}

func (s *Service) one(ctx context.Context, id int64) (Key, error) {
	k, err := s.any(ctx, id)
	if err == nil && k.DeletedAt != nil {
		return Key{}, notFound()
	}
	return k, err
}

func notFound() error { return fault.New(fault.NotFound, "Not found.") }

func (s *Service) any(ctx context.Context, id int64) (Key, error) {
	k, err := db.One(ctx, s.db, scanKey, selectKeys+" WHERE k.id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return k, notFound()
	}
	if err != nil {
		return k, fault.Wrap(err, "read key")
	}
	one := []Key{k}
	err = s.addGroups(ctx, one)
	return one[0], err
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

// Count returns how many service keys there are.
func (s *Service) Count(ctx context.Context, who *access.Principal) (int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return 0, err
	}
	return s.count(ctx, Filter{})
}

// CountOf returns how many keys match a filter. It returns Forbidden.
func (s *Service) CountOf(ctx context.Context, who *access.Principal, f Filter) (int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return 0, err
	}
	return s.count(ctx, f)
}

// CountByGroup returns how many service keys belong to each of the groups. All
// Users counts all.
func (s *Service) CountByGroup(ctx context.Context, who *access.Principal, groupIDs []int64) (map[int64]int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	return s.countByGroup(ctx, groupIDs)
}

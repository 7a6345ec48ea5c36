package apikey

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// Update changes a key; an empty change changes nothing. It returns NotFound,
// Invalid as Make does, and Forbidden.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.update(ctx, who, id, c)
}

func (s *Service) update(ctx context.Context, who *access.Principal, id int64, c Change) (Key, error) {
	var key Key
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		if err := within(who, old); err != nil {
			return err
		}
		want, err := s.checkChange(ctx, who, old, c)
		if err != nil {
			return err
		}
		moved, err := s.move(ctx, who, old, want)
		if err != nil {
			return err
		}
		if !moved && reflect.DeepEqual(old, want) {
			key = old
			return nil
		}
		if err := s.write(ctx, who, old, want); err != nil {
			return err
		}
		if key, err = s.one(ctx, id); err != nil {
			return err
		}
		before, after := difference(old, key)
		return s.changed(ctx, who, key, "api-key.update", map[string]any{"previous": before, "new": after})
	})
	return key, err
}

// move gives a service key its groups.
func (s *Service) move(ctx context.Context, who *access.Principal, old, want Key) (bool, error) {
	if old.Kind != KindService || slices.Equal(ids(old.Groups), ids(want.Groups)) {
		return false, nil
	}
	return s.groups.SetForUser(ctx, who, old.UserID, append([]int64{access.AllUsers}, ids(want.Groups)...))
}

// write stores what an update may change.
func (s *Service) write(ctx context.Context, who *access.Principal, old, k Key) error {
	if k.Name != old.Name && k.Kind == KindService {
		if err := s.people.RenameKeyUser(ctx, k.UserID, k.Name); err != nil {
			return err
		}
	}
	_, err := s.db.Exec(ctx, `UPDATE api_key SET name = ?2, name_key = ?3, description = ?4, owner_id = ?5, successor_id = ?6,
		tags = ?7, chosen_groups = ?8, expires_at = ?9, expired_at = ?10, review_since = ?11, warned_days = CASE WHEN ?12 THEN NULL ELSE warned_days END
		WHERE id = ?1`,
		k.ID, k.Name, strings.ToLower(k.Name), k.Description, orNull(k.Owner.ID), orNull(k.Successor.ID),
		packed(k.Tags), packed(ids(k.chosen())), k.ExpiresAt, k.ExpiredAt, k.ReviewSince, !sameTime(k.ExpiresAt, old.ExpiresAt))
	if err != nil {
		return fault.Wrap(err, "write key")
	}
	return s.stamp(ctx, who, k.ID)
}

// difference returns what the audit log says of a change: the name and group
// always, the rest where it differs.
func difference(old, k Key) (before, after map[string]any) {
	before = map[string]any{"name": old.Name, "group": old.Group.Name}
	after = map[string]any{"name": k.Name, "group": k.Group.Name}
	for _, f := range []struct {
		name     string
		old, new any
	}{
		{"groups", names(old.Groups), names(k.Groups)},
		{"description", old.Description, k.Description},
		{"owner", old.Owner.Name, k.Owner.Name},
		{"successor", old.Successor.Name, k.Successor.Name},
		{"tags", old.Tags, k.Tags},
		{"expires_at", old.ExpiresAt, k.ExpiresAt},
	} {
		if !reflect.DeepEqual(f.old, f.new) && (f.name != "groups" || len(old.Groups) > 1 || len(k.Groups) > 1) {
			before[f.name], after[f.name] = f.old, f.new
		}
	}
	return before, after
}

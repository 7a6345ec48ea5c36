package people

import (
	"context"

	"github.com/google/uuid"

	"latchkey/internal/access"
	"latchkey/internal/db"
)

// CreateKeyUser makes the active user that stands behind a new API key, inside
// the caller's transaction: named like the key, in All Users, without a
// password (contract/identity.md 1.2). The caller checks the name, sets
// further groups and writes the audit entry.
func (s *Service) CreateKeyUser(ctx context.Context, name string) (int64, error) {
	empty := ""
	return s.insert(ctx, nil, draft{
		kind: KindKey, email: "api-key-user-" + uuid.NewString() + "@api-key.invalid",
		first: &name, last: &empty, groups: []int64{access.AllUsers},
	})
}

// RenameKeyUser gives the user behind an API key the key's new name, inside
// the caller's transaction. It returns NotFound for any other user.
func (s *Service) RenameKeyUser(ctx context.Context, userID int64, name string) error {
	u, err := s.keyUser(ctx, userID)
	if err != nil {
		return err
	}
	u.FirstName = &name
	if err := s.writeNames(ctx, u, false); err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedUser, userID)
}

// DeactivateKeyUser makes the user behind a deleted API key inactive, inside
// the caller's transaction; the row stays, so that what the key made stays
// attributable. The last administrator may go this way, since a key must
// always be revocable. It returns NotFound for any other user.
func (s *Service) DeactivateKeyUser(ctx context.Context, userID int64) error {
	u, err := s.keyUser(ctx, userID)
	if err != nil || !u.Active {
		return err
	}
	if err := s.setActive(ctx, userID, false); err != nil {
		return err
	}
	if err := s.groups.KeyEnded(ctx, userID); err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedUser, userID)
}

func (s *Service) keyUser(ctx context.Context, userID int64) (User, error) {
	u, err := s.userByID(ctx, userID)
	if err == nil && u.Kind != KindKey {
		return u, notFound()
	}
	return u, err
}

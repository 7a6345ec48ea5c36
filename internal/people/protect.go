package people

import (
	"context"
	"slices"

	"latchkey/internal/access"
)

// protectAdmin refuses a restricted key that would change an administrator.
// Others pass without a look at the database.
func (s *Service) protectAdmin(ctx context.Context, who *access.Principal, id int64) error {
	if !access.ProtectsAdmins(who) {
		return nil
	}
	groups, err := s.groups.OfUser(ctx, id)
	if err == nil && slices.Contains(groups, access.Administrators) {
		return access.ProtectedAdmin()
	}
	return err
}

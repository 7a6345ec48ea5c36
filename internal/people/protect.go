package people

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/fault"
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

// credentialsByKey refuses a personal key that would change how its own person
// signs in: whoever found the key could keep what it opens beyond its end.
func credentialsByKey(who *access.Principal, id int64) error {
	if who.Kind == access.PersonalKey && who.UserID == id {
		return fault.Coded(fault.Forbidden, "person-only", "A personal key cannot change its person's e-mail address or password: sign in to do that.")
	}
	return nil
}

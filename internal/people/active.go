package people

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Deactivate makes a person inactive and ends the person's sessions and reset
// link; memberships stay, and what hangs on OnDeactivate is done. One that is
// inactive stays so, and the user behind an API key stays as it is: both
// succeed (contract/identity.md 1.2, 2.7). It
// returns Forbidden unless who is an administrator, NotFound, and Invalid for
// the last administrator.
func (s *Service) Deactivate(ctx context.Context, who *access.Principal, id int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		u, err := s.userByID(ctx, id)
		if err != nil || !u.Active || u.Kind != KindPerson {
			return err
		}
		if err := s.protectAdmin(ctx, who, id); err != nil {
			return err
		}
		if err := s.setActive(ctx, id, false); err != nil {
			return err
		}
		if err := s.groups.ActiveChanged(ctx, id, false); err != nil {
			return err
		}
		if err := s.endSessions(ctx, id, 0); err != nil {
			return err
		}
		if err := s.changed(ctx, who.Actor(), "user.deactivate", u, nil); err != nil {
			return err
		}
		return run(ctx, s.onDeactivate, who, id)
	})
}

// Reactivate makes an inactive person active again, with the memberships of
// before except Administrators (contract/identity.md 2.7). It returns
// Forbidden unless who is an administrator; NotFound, also for the user behind
// an API key; and Invalid for an active person.
func (s *Service) Reactivate(ctx context.Context, who *access.Principal, id int64) (User, error) {
	if err := access.RequireAdmin(who); err != nil {
		return User{}, err
	}
	var u User
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.userByID(ctx, id)
		switch {
		case err != nil:
			return err
		case old.Kind != KindPerson:
			return notFound()
		case old.Active:
			return fault.New(fault.Invalid, "Not able to reactivate an active user")
		}
		if err := s.protectAdmin(ctx, who, id); err != nil {
			return err
		}
		groups := slices.DeleteFunc(old.Groups, func(g int64) bool { return g == access.Administrators })
		if _, err := s.groups.SetForUser(ctx, who, id, groups); err != nil {
			return err
		}
		if err := s.setActive(ctx, id, true); err != nil {
			return err
		}
		if err := s.groups.ActiveChanged(ctx, id, true); err != nil {
			return err
		}
		if u, err = s.userByID(ctx, id); err != nil {
			return err
		}
		if err := s.changed(ctx, who.Actor(), "user.reactivate", u, nil); err != nil {
			return err
		}
		return run(ctx, s.onReactivate, who, id)
	})
	return u, err
}

// setActive writes the flag and what goes with it.
func (s *Service) setActive(ctx context.Context, id int64, active bool) error {
	now := s.db.Now(ctx)
	var deactivated any
	if !active {
		deactivated = now
	}
	_, err := s.db.Exec(ctx, `UPDATE users SET active = ?2, deactivated_at = ?3, updated_at = ?4,
		reset_hash = NULL, reset_at = NULL WHERE id = ?1`, id, active, deactivated, now)
	return fault.Wrap(err, "write user")
}

// endSessions ends all sessions of a person but one, on every node; 0 keeps none.
func (s *Service) endSessions(ctx context.Context, userID, keep int64) error {
	if _, err := s.db.Exec(ctx, "DELETE FROM session WHERE user_id = ?1 AND id <> ?2", userID, keep); err != nil {
		return fault.Wrap(err, "end sessions")
	}
	return s.db.Record(ctx, db.ChangedSession, userID)
}

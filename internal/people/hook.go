package people

import (
	"context"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// hook is what another package does when a person changes.
type hook = func(ctx context.Context, who *access.Principal, userID int64) error

// OnDeactivate adds a function that is called for every person who is made
// inactive, in the same transaction, after the audit entry; its error undoes
// all of it. Several are called in the order in which they were added. It must
// be called before the first request.
func (s *Service) OnDeactivate(f func(ctx context.Context, who *access.Principal, userID int64) error) {
	s.onDeactivate = append(s.onDeactivate, f)
}

// OnReactivate is OnDeactivate for persons who are made active again.
func (s *Service) OnReactivate(f func(ctx context.Context, who *access.Principal, userID int64) error) {
	s.onReactivate = append(s.onReactivate, f)
}

// OnRename is OnDeactivate for persons who are called something else.
func (s *Service) OnRename(f func(ctx context.Context, who *access.Principal, userID int64) error) {
	s.onRename = append(s.onRename, f)
}

// OnSetup adds a function that is called in the transaction that makes the
// first person. It must be called before the first request.
func (s *Service) OnSetup(f func(ctx context.Context, who *access.Principal, userID int64) error) {
	s.onSetup = append(s.onSetup, f)
}

func run(ctx context.Context, hooks []hook, who *access.Principal, userID int64) error {
	for _, h := range hooks {
		if err := h(ctx, who, userID); err != nil {
			return err
		}
	}
	return nil
}

// Active reports whether there is an active person with the id. It joins the
// caller's transaction, and asks for no principal: it is for packages that
// refer to persons, not for answers to anybody.
func (s *Service) Active(ctx context.Context, userID int64) (bool, error) {
	_, active, err := s.ref(ctx, userID)
	return active, err
}

// Exists reports whether there is a user with the id, a person or one behind a
// key, who may be inactive. It is for the same callers as Active.
func (s *Service) Exists(ctx context.Context, userID int64) (bool, error) {
	n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM users WHERE id = ?1", userID)
	return n > 0, fault.Wrap(err, "read user")
}

// Ref returns the name that people see of a person, who may be inactive, and
// false when there is no such person. It is for the same callers as Active.
func (s *Service) Ref(ctx context.Context, userID int64) (name string, ok bool, err error) {
	u, _, err := s.ref(ctx, userID)
	return u.CommonName, u.ID != 0, err
}

// ref returns what is known of a person, the zero value when there is none.
func (s *Service) ref(ctx context.Context, userID int64) (u User, active bool, err error) {
	c, err := db.One(ctx, s.db, scanCredentials, selectCredentials+" WHERE u.id = ?1 AND u.kind = '"+KindPerson+"'", userID)
	if errors.Is(err, db.ErrNone) {
		return User{}, false, nil
	}
	return c.user, c.user.Active, fault.Wrap(err, "read person")
}

package people

import (
	"context"
	"errors"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// oldPasswordsPerUser is how often the old password may be wrong. The contract
// says nothing; without it, whoever finds an open session could guess on.
const oldPasswordsPerUser = 10

// SetPassword gives a person a new password and ends all the person's sessions
// and reset link; one who changes the own password gets a new session
// (contract/identity.md 2.7). Administrators need no old password, not even
// for themselves. It returns Forbidden unless who is that person or an
// administrator; Invalid at "password" for one that the policy refuses and at
// "old_password" for a wrong one; TooMany at "old_password"; NotFound for an
// unknown or inactive person and the user behind an API key; and Unavailable.
func (s *Service) SetPassword(ctx context.Context, who *access.Principal, id int64, password, old secret.Text) (*NewSession, error) {
	if err := access.RequireSelfOrAdmin(who, id); err != nil {
		return nil, err
	}
	return s.setPassword(ctx, who, id, password, old, !who.IsAdmin())
}

// ChangePassword gives somebody a new password of their own choice, as
// SetPassword does, but everybody needs the old one, administrators too: the
// pages ask for it, so that whoever finds an open session cannot keep it. It
// returns the faults of SetPassword.
func (s *Service) ChangePassword(ctx context.Context, who *access.Principal, password, old secret.Text) (*NewSession, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	return s.setPassword(ctx, who, who.UserID, password, old, true)
}

// setPassword is SetPassword for somebody who may; asked says whether the old
// password is needed.
func (s *Service) setPassword(ctx context.Context, who *access.Principal, id int64, password, old secret.Text, asked bool) (*NewSession, error) {
	if err := credentialsByKey(who, id); err != nil {
		return nil, err
	}
	if !s.policy.Valid(password) {
		return nil, weakPassword()
	}
	c, err := s.activePerson(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.protectAdmin(ctx, who, id); err != nil {
		return nil, err
	}
	if asked {
		if err := s.checkOld(ctx, c, old); err != nil {
			return nil, err
		}
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	var session *NewSession
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		now, err := s.activePerson(ctx, id)
		if err != nil {
			return err
		}
		if asked && now.hash != c.hash {
			return wrongOld()
		}
		if err := s.replacePassword(ctx, who.Actor(), now.user, hash, nil); err != nil || who.UserID != id {
			return err
		}
		n, err := s.open(ctx, now.user, map[string]any{"after": "user.password"})
		session = &n
		return err
	})
	return session, err
}

func wrongOld() error { return fault.Field("old_password", "Invalid password") }

// checkOld compares the old password.
func (s *Service) checkOld(ctx context.Context, c credentials, old secret.Text) error {
	made, err := s.throttle.attempt(ctx, "old_password", true,
		newBucket("old-password", strconv.FormatInt(c.user.ID, 10), oldPasswordsPerUser))
	if err != nil {
		return err
	}
	match, _, err := s.hasher.verify(ctx, c.hash, old)
	if err != nil {
		return err
	}
	if !match {
		return wrongOld()
	}
	return s.throttle.forgive(ctx, made)
}

// activePerson returns the credentials of an active person, or NotFound.
func (s *Service) activePerson(ctx context.Context, id int64) (credentials, error) {
	c, err := db.One(ctx, s.db, scanCredentials, selectCredentials+
		" WHERE u.id = ?1 AND u.active = TRUE AND u.kind = '"+KindPerson+"'", id)
	if errors.Is(err, db.ErrNone) {
		return c, notFound()
	}
	return c, fault.Wrap(err, "read credentials")
}

// replacePassword writes a new hash and ends what the old one opened. details
// says what the person had to show for it.
func (s *Service) replacePassword(ctx context.Context, actor audit.Actor, u User, hash string, details map[string]any) error {
	_, err := s.db.Exec(ctx, `UPDATE users SET password_hash = ?2, updated_at = ?3, reset_hash = NULL, reset_at = NULL
		WHERE id = ?1`, u.ID, hash, s.db.Now(ctx))
	if err != nil {
		return fault.Wrap(err, "write password hash")
	}
	if err := s.endSessions(ctx, u.ID, 0); err != nil {
		return err
	}
	return s.changed(ctx, actor, "user.password", u, details)
}

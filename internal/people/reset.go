package people

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/mail"
	"latchkey/internal/secret"
)

// resetAge is how long a reset link works (contract/identity.md 2.3).
const resetAge = 48 * time.Hour

// Thresholds of reset links (contract/identity.md 2.6).
const (
	forgotPerEmail   = 3
	forgotPerAddress = 50
	resetPerAddress  = 10
)

// ForgotPassword sends a reset link to an active person. Every well-formed
// address gets the same answer in the same time, because the work is done
// after the answer. Without mail nothing is sent: an administrator makes a
// link with ResetLink. It returns Invalid at the field "email" for an address
// that is none, and TooMany there.
func (s *Service) ForgotPassword(ctx context.Context, email string) error {
	email, err := cleanEmail(email)
	if err != nil {
		return err
	}
	_, err = s.throttle.attempt(ctx, "email", false,
		newBucket("forgot", email, forgotPerEmail), fromAddress(ctx, "forgot", forgotPerAddress))
	if err != nil {
		return err
	}
	s.errand(ctx, "send a reset link", func(ctx context.Context) error { return s.sendResetLink(ctx, email) })
	return nil
}

func (s *Service) sendResetLink(ctx context.Context, email string) error {
	if !s.canMail() {
		return nil
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		c, err := s.credentials(ctx, email)
		if err != nil || !c.user.Active {
			return err
		}
		return s.mailResetLink(ctx, audit.Anonymous(), c.user)
	})
}

// canMail reports whether a message with a link can be sent: links in mail
// need the public address, which is never taken from a request.
func (s *Service) canMail() bool {
	if !s.mail.Configured() {
		return false
	}
	if s.settings.String("site-url") == "" {
		s.log.Warn("e-mail is configured, but no link can be sent: set site-url to the public address of this instance")
		return false
	}
	return true
}

// post queues a message once the transaction has committed.
func (s *Service) post(ctx context.Context, m mail.Message) {
	db.AfterCommit(ctx, func() {
		if err := s.mail.Queue(m); err != nil {
			s.log.Error("e-mail was not sent", slog.Any("error", err))
		}
	})
}

// ResetLink makes a link with which a person chooses a new password, to be
// passed on by hand; the person's link before ends. It begins with the path
// when the setting site-url is empty. It returns Forbidden unless who is an
// administrator or the command line, and NotFound for an unknown or inactive
// person and the user behind an API key.
func (s *Service) ResetLink(ctx context.Context, who *access.Principal, userID int64) (string, error) {
	if err := access.RequireAdmin(who); err != nil {
		return "", err
	}
	var link string
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		c, err := s.activePerson(ctx, userID)
		if err == nil {
			err = s.protectAdmin(ctx, who, userID)
		}
		if err != nil {
			return err
		}
		if link, err = s.newResetLink(ctx, userID); err != nil {
			return err
		}
		return s.note(ctx, who.Actor(), "user.reset-request", c.user, nil)
	})
	return link, err
}

// SendResetLink sends a person a link to choose a new password, as an
// administrator's doing: it counts as no attempt of somebody who forgot theirs.
// It returns the faults of ResetLink, and Unavailable when no link can be sent.
func (s *Service) SendResetLink(ctx context.Context, who *access.Principal, userID int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	if !s.canMail() {
		return fault.New(fault.Unavailable, "No link can be sent: e-mail needs a mail server and the public address of this instance.")
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		c, err := s.activePerson(ctx, userID)
		if err == nil {
			err = s.protectAdmin(ctx, who, userID)
		}
		if err != nil {
			return err
		}
		return s.mailResetLink(ctx, who.Actor(), c.user)
	})
}

// mailResetLink makes a link for a person and sends it, with the audit entry,
// once the transaction has committed.
func (s *Service) mailResetLink(ctx context.Context, actor audit.Actor, u User) error {
	link, err := s.newResetLink(ctx, u.ID)
	if err != nil {
		return err
	}
	s.post(ctx, mail.PasswordReset(mail.Reset{
		To: u.Email, SiteName: s.settings.String("site-name"), Link: link, ValidFor: resetAge,
	}))
	return s.note(ctx, actor, "user.reset-request", u, nil)
}

// ResetLinkFor is ResetLink for the person with an e-mail address, in any case
// of letters. The link begins with base when the setting site-url is empty.
func (s *Service) ResetLinkFor(ctx context.Context, who *access.Principal, email, base string) (string, error) {
	u, err := s.ByEmail(ctx, who, email)
	if err != nil {
		return "", err
	}
	link, err := s.ResetLink(ctx, who, u.ID)
	if strings.HasPrefix(link, "/") {
		link = strings.TrimSuffix(base, "/") + link
	}
	return link, err
}

// newResetLink stores the hash of a new token and returns the link with it.
func (s *Service) newResetLink(ctx context.Context, userID int64) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fault.Wrap(err, "make reset token")
	}
	token := strconv.FormatInt(userID, 10) + "_" + id.String()
	sum := sha256.Sum256([]byte(token))
	_, err = s.db.Exec(ctx, "UPDATE users SET reset_hash = ?2, reset_at = ?3 WHERE id = ?1", userID, sum[:], s.db.Now(ctx))
	return strings.TrimSuffix(s.settings.String("site-url"), "/") + "/auth/reset_password/" + token, fault.Wrap(err, "write reset token")
}

// ResetTokenValid reports whether a reset token would be taken now.
func (s *Service) ResetTokenValid(ctx context.Context, token string) (bool, error) {
	_, err := s.resetOwner(ctx, token)
	if fault.Is(err, fault.Invalid) {
		return false, nil
	}
	return err == nil, err
}

// ResetPassword gives the person whom a reset token names a new password, ends
// the token and all sessions of that person, and signs the person in. It
// returns TooMany at the field "password" before anything is looked at,
// Invalid there for a token that is malformed, unknown, used or too old, and
// for a password that the policy refuses; and Unavailable.
func (s *Service) ResetPassword(ctx context.Context, token string, password secret.Text) (NewSession, error) {
	if _, err := s.throttle.attempt(ctx, "password", false, fromAddress(ctx, "reset", resetPerAddress)); err != nil {
		return NewSession{}, err
	}
	if _, err := s.resetOwner(ctx, token); err != nil {
		return NewSession{}, err
	}
	hash, err := s.newHash(ctx, password)
	if err != nil {
		return NewSession{}, err
	}
	var session NewSession
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		u, err := s.resetOwner(ctx, token)
		if err != nil {
			return err
		}
		if err := s.replacePassword(ctx, actorOf(u), u, hash, map[string]any{"after": "user.reset-request"}); err != nil {
			return err
		}
		session, err = s.open(ctx, u, map[string]any{"after": "user.reset-request"})
		return err
	})
	return session, err
}

// resetOwner returns the active person whom a token that is good now names.
func (s *Service) resetOwner(ctx context.Context, token string) (User, error) {
	invalid := fault.Field("password", "Invalid reset token")
	id, ok := parseResetToken(token)
	if !ok {
		return User{}, invalid
	}
	r, err := db.One(ctx, s.db, scanReset, `SELECT reset_hash, reset_at FROM users
		WHERE id = ?1 AND reset_hash IS NOT NULL AND active = TRUE AND kind = '`+KindPerson+"'", id)
	if errors.Is(err, db.ErrNone) {
		return User{}, invalid
	}
	if err != nil {
		return User{}, fault.Wrap(err, "read reset token")
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], r.hash) != 1 || s.db.Now(ctx).Sub(r.at) >= resetAge {
		return User{}, invalid
	}
	c, err := s.activePerson(ctx, id)
	return c.user, err
}

type reset struct {
	hash []byte
	at   time.Time
}

func scanReset(r db.Row) (reset, error) {
	var v reset
	err := r.Scan(&v.hash, db.Time(&v.at))
	return v, err
}

// parseResetToken returns the user id of a token: <user id>_<uuid>.
func parseResetToken(token string) (int64, bool) {
	number, id, ok := strings.Cut(token, "_")
	if !ok || len(id) != 36 || uuid.Validate(id) != nil || strings.Trim(number, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n, err == nil && n > 0
}

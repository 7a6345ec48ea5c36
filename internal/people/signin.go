package people

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/google/uuid"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// Thresholds of sign-in (contract/identity.md 2.6).
const (
	signInsPerName    = 10
	signInsPerAddress = 50
)

// textWrongPassword is the one answer to an unknown user and a wrong password
// (contract/identity.md 2.3).
const textWrongPassword = "did not match stored password"

// credentials is what signing in needs to know of a person.
type credentials struct {
	user User
	hash string // "" when there is none
}

// SignIn makes a session for a person. The user name is the e-mail address, in
// any case of letters. It returns TooMany at the field "username" before the
// password is looked at; Unauthenticated at "password" for an unknown user and
// a wrong password alike, after the same time, and at "_error" for the right
// password of an inactive person (contract/identity.md 2.3, 2.6); and
// Unavailable when too many sign in at once. The session lives as long with
// remember as without; only its cookie does not.
func (s *Service) SignIn(ctx context.Context, username string, password secret.Text, remember bool) (NewSession, error) {
	name := strings.ToLower(username)
	session, u, err := s.signIn(ctx, name, password, map[string]any{"remember": remember})
	if err != nil {
		s.countThrottled(err)
		s.refused(ctx, name, u, err)
	}
	session.Remember = remember
	return session, err
}

// signIn is SignIn; it also returns whose address it is, once that is known.
func (s *Service) signIn(ctx context.Context, name string, password secret.Text, details map[string]any) (NewSession, User, error) {
	made, err := s.throttle.attempt(ctx, "username", true,
		newBucket("login", name, signInsPerName), fromAddress(ctx, "login", signInsPerAddress))
	if err != nil {
		return NewSession{}, User{}, err
	}
	c, err := s.credentials(ctx, name)
	if err != nil {
		return NewSession{}, User{}, err
	}
	match, stale, err := s.hasher.verify(ctx, c.hash, password)
	if err != nil {
		return NewSession{}, c.user, err
	}
	if !match {
		return NewSession{}, c.user, unauthenticated("password", textWrongPassword)
	}
	if !c.user.Active {
		return NewSession{}, c.user, unauthenticated("_error", "Your account is disabled.")
	}
	rehashed := c.hash
	if stale {
		if rehashed, err = s.hasher.hash(ctx, password); err != nil {
			return NewSession{}, c.user, err
		}
	}
	session, err := s.admit(ctx, c, rehashed, made, details)
	return session, c.user, err
}

func unauthenticated(field, text string) error {
	return &fault.Error{Kind: fault.Unauthenticated, Fields: map[string]string{field: text}}
}

// credentials returns what is stored for an address; the zero value, with
// which no password matches, for an unknown one.
func (s *Service) credentials(ctx context.Context, email string) (credentials, error) {
	if !ValidEmail(email) {
		return credentials{}, nil
	}
	c, err := db.One(ctx, s.db, scanCredentials, selectCredentials+" WHERE u.email = ?1 AND u.kind = '"+KindPerson+"'", email)
	if errors.Is(err, db.ErrNone) {
		return credentials{}, nil
	}
	return c, fault.Wrap(err, "read credentials")
}

const selectCredentials = `SELECT u.id, u.kind, u.email, u.first_name, u.last_name, u.active,
	coalesce(u.password_hash, '') FROM users u`

func scanCredentials(r db.Row) (credentials, error) {
	var c credentials
	u := &c.user
	err := r.Scan(&u.ID, &u.Kind, &u.Email, &u.FirstName, &u.LastName, &u.Active, &c.hash)
	u.CommonName = commonName(u.FirstName, u.LastName, u.Email)
	return c, err
}

// admit makes the session of a person whose password was right, unless the
// person or the password changed meanwhile.
func (s *Service) admit(ctx context.Context, c credentials, hash string, made claim, details map[string]any) (NewSession, error) {
	var session NewSession
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		now, err := db.One(ctx, s.db, scanCredentials, selectCredentials+" WHERE u.id = ?1", c.user.ID)
		if err != nil {
			return fault.Wrap(err, "read credentials")
		}
		if !now.user.Active || now.hash != c.hash {
			return unauthenticated("password", textWrongPassword)
		}
		if hash != c.hash {
			if _, err := s.db.Exec(ctx, "UPDATE users SET password_hash = ?2 WHERE id = ?1", c.user.ID, hash); err != nil {
				return fault.Wrap(err, "write password hash")
			}
		}
		if err := s.throttle.forgive(ctx, made); err != nil {
			return err
		}
		session, err = s.open(ctx, now.user, details)
		return err
	})
	return session, err
}

// open writes a new session with its audit entry and the time of the sign-in,
// in a transaction. details says how the person came in.
func (s *Service) open(ctx context.Context, u User, details map[string]any) (NewSession, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return NewSession{}, fault.Wrap(err, "make session token")
	}
	now, origin := s.db.Now(ctx), audit.OriginOf(ctx)
	n := NewSession{Token: secret.New(id.String()), UserID: u.ID, ExpiresAt: now.Add(s.maxAge)}
	sum := sha256.Sum256([]byte(n.Token.Reveal()))
	n.ID, err = s.db.Insert(ctx, `INSERT INTO session (user_id, token_hash, created_at, last_seen_at, expires_at, remote_addr, user_agent)
		VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6) RETURNING id`,
		u.ID, sum[:], now, n.ExpiresAt, clean(origin.RemoteAddr), clean(origin.UserAgent))
	if err != nil {
		return NewSession{}, fault.Wrap(err, "write session")
	}
	_, err = s.db.Exec(ctx, "UPDATE users SET last_login = ?2, first_login = coalesce(first_login, ?2) WHERE id = ?1", u.ID, now)
	if err != nil {
		return NewSession{}, fault.Wrap(err, "write sign-in")
	}
	return n, s.audit.Append(ctx, actorOf(u), audit.Entry{
		Action: "session.create", ObjectKind: "session", ObjectID: n.ID, ObjectName: u.Email,
		Details: details,
	})
}

// actorOf returns a person as the audit log names one who just signed in.
func actorOf(u User) audit.Actor {
	return audit.Actor{Kind: access.Person.String(), UserID: u.ID, Name: u.CommonName}
}

// maxOrigin is how much of what a client says of itself is kept, in bytes.
const maxOrigin = 400

// clean makes what a client sent fit to be stored.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), maxOrigin)], ""), "\x00", "")
}

// SignOut ends the session with the token. It returns NotFound when there is
// none (contract/identity.md 2.3).
func (s *Service) SignOut(ctx context.Context, token secret.Text) error {
	h, ok := hashOf(token.Reveal())
	if !ok {
		return notFound()
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		v, err := s.sessions.load(ctx, h)
		if errors.Is(err, db.ErrNone) || (err == nil && !s.db.Now(ctx).Before(v.expires)) {
			return notFound()
		}
		if err != nil {
			return fault.Wrap(err, "read session")
		}
		u, err := s.userByID(ctx, v.userID)
		if err != nil {
			return err
		}
		return s.end(ctx, actorOf(u), u, v.id)
	})
}

// end ends one session of a user.
func (s *Service) end(ctx context.Context, actor audit.Actor, u User, sessionID int64) error {
	if _, err := s.db.Exec(ctx, "DELETE FROM session WHERE id = ?1", sessionID); err != nil {
		return fault.Wrap(err, "end session")
	}
	err := s.audit.Append(ctx, actor, audit.Entry{
		Action: "session.end", ObjectKind: "session", ObjectID: sessionID, ObjectName: u.Email,
	})
	if err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedSession, u.ID)
}

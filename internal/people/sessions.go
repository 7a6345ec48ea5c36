package people

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// SessionInfo is a session as its person sees it.
type SessionInfo struct {
	ID         int64
	CreatedAt  time.Time
	LastSeenAt time.Time // up to a minute behind
	ExpiresAt  time.Time
	RemoteAddr string
	UserAgent  string
	Current    bool // the session that asks
}

// Sessions returns the live sessions of a user, the latest used first. It
// returns Forbidden unless who is that user or an administrator.
func (s *Service) Sessions(ctx context.Context, who *access.Principal, userID int64) ([]SessionInfo, error) {
	if err := access.RequireSelfOrAdmin(who, userID); err != nil {
		return nil, err
	}
	if err := s.flushSeen(ctx); err != nil {
		return nil, err
	}
	list, err := db.All(ctx, s.db, scanSession, `SELECT id, created_at, last_seen_at, expires_at, remote_addr, user_agent
		FROM session WHERE user_id = ?1 AND expires_at > ?2 ORDER BY last_seen_at DESC, id DESC`, userID, s.db.Now(ctx))
	for i := range list {
		list[i].Current = list[i].ID == who.SessionID
	}
	return list, fault.Wrap(err, "list sessions")
}

func scanSession(r db.Row) (SessionInfo, error) {
	var v SessionInfo
	err := r.Scan(&v.ID, db.Time(&v.CreatedAt), db.Time(&v.LastSeenAt), db.Time(&v.ExpiresAt), &v.RemoteAddr, &v.UserAgent)
	return v, err
}

// EndSession ends one session of a user. It returns Forbidden unless who is
// that user or an administrator, and NotFound.
func (s *Service) EndSession(ctx context.Context, who *access.Principal, userID, sessionID int64) error {
	if err := access.RequireSelfOrAdmin(who, userID); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT id FROM session WHERE id = ?1 AND user_id = ?2", sessionID, userID)
		if errors.Is(err, db.ErrNone) {
			return notFound()
		}
		if err != nil {
			return fault.Wrap(err, "read session")
		}
		u, err := s.userByID(ctx, userID)
		if err == nil {
			err = s.protectAdmin(ctx, who, userID)
		}
		if err != nil {
			return err
		}
		return s.end(ctx, who.Actor(), u, sessionID)
	})
}

// EndAllSessions ends all sessions of a user, the one that asks included. It
// returns Forbidden unless who is that user or an administrator, and NotFound.
func (s *Service) EndAllSessions(ctx context.Context, who *access.Principal, userID int64) error {
	return s.endMany(ctx, who, userID, 0)
}

// EndOtherSessions is EndAllSessions without the session that asks.
func (s *Service) EndOtherSessions(ctx context.Context, who *access.Principal, userID int64) error {
	if who == nil {
		return access.Unauthenticated()
	}
	return s.endMany(ctx, who, userID, who.SessionID)
}

func (s *Service) endMany(ctx context.Context, who *access.Principal, userID, keep int64) error {
	if err := access.RequireSelfOrAdmin(who, userID); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		u, err := s.userByID(ctx, userID)
		if err == nil {
			err = s.protectAdmin(ctx, who, userID)
		}
		if err != nil {
			return err
		}
		if err := s.endSessions(ctx, userID, keep); err != nil {
			return err
		}
		return s.audit.Append(ctx, who.Actor(), audit.Entry{
			Action: "session.end", ObjectKind: "user", ObjectID: u.ID, ObjectName: u.Email, Details: map[string]any{"kept": keep != 0},
		})
	})
}

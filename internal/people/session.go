package people

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// sessionsKept bounds memory: about 300 bytes each.
const sessionsKept = 100_000

type tokenHash [sha256.Size]byte

// sessions is the sessions that were used lately. Nothing is kept by the token
// itself, only by its hash.
type sessions struct {
	db    *db.DB
	cache *access.Cache[tokenHash, *session]

	mu   sync.Mutex
	seen map[int64]time.Time // by session id; what is to be written
}

// session is a stored session in memory.
type session struct {
	id      int64
	userID  int64
	expires time.Time
	seen    atomic.Int64 // when it was last used, in microseconds
	queued  atomic.Int64 // the last of those that is written, or is in sessions.seen
	latest  atomic.Pointer[standing]
}

// standing is a principal and the subject that it was made of.
type standing struct {
	subject   *access.Subject
	principal *access.Principal
}

func newSessions(d *db.DB) *sessions {
	s := &sessions{db: d, seen: map[int64]time.Time{}}
	s.cache = access.NewCache(sessionsKept, s.load)
	d.Subscribe(s.apply)
	return s
}

// apply follows the change log.
func (s *sessions) apply(changes []db.Change) {
	for _, c := range changes {
		switch {
		case c.Kind == db.Reset, c.Kind == db.ChangedSession && c.ID == 0:
			s.cache.Clear()
		case c.Kind == db.ChangedSession:
			s.cache.DropWhere(func(_ tokenHash, v *session) bool { return v.userID == c.ID })
		}
	}
}

func (s *sessions) load(ctx context.Context, h tokenHash) (*session, error) {
	return db.One(ctx, s.db, func(r db.Row) (*session, error) {
		var v session
		var seen time.Time
		err := r.Scan(&v.id, &v.userID, db.Time(&v.expires), db.Time(&seen))
		v.seen.Store(seen.UnixMicro())
		v.queued.Store(seen.UnixMicro())
		return &v, err
	}, "SELECT id, user_id, expires_at, last_seen_at FROM session WHERE token_hash = ?1", h[:])
}

// hashOf returns the stored form of a session token, and false for what is
// none: a session token is a UUID in its usual form.
func hashOf(token string) (tokenHash, bool) {
	if len(token) != 36 || uuid.Validate(token) != nil {
		return tokenHash{}, false
	}
	return sha256.Sum256([]byte(token)), true
}

// Session returns the person whose session has the token, or nil when there is
// no such session, it has expired or rested too long, or the person is
// inactive. A session that was used lately is answered from memory. It must
// not be called inside a transaction.
func (s *Service) Session(ctx context.Context, token string) (*access.Principal, error) {
	h, ok := hashOf(token)
	if !ok {
		return nil, nil
	}
	v, err := s.live(ctx, h)
	if err != nil || v == nil {
		return nil, err
	}
	subject, err := s.subjects.Get(ctx, v.userID)
	if err != nil {
		return nil, fault.Wrap(err, "read the person of a session")
	}
	if subject == nil || !subject.Active || subject.Kind != access.Person {
		return nil, nil
	}
	s.sessions.used(v, s.db.Now(ctx))
	return v.principal(subject), nil
}

// live returns the session with the hash, nil when it is over. One that rested
// too long by this node's memory is read again, because another node may have
// seen it since.
func (s *Service) live(ctx context.Context, h tokenHash) (*session, error) {
	now, rest := s.db.Now(ctx), s.settings.Timeout()
	if v, ok := s.sessions.cache.Lookup(h); ok {
		if !now.Before(v.expires) {
			return nil, nil
		}
		if !v.rested(now, rest) {
			return v, nil
		}
		s.sessions.cache.Drop(h)
	}
	v, err := s.sessions.cache.Get(ctx, h)
	if errors.Is(err, db.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, "read session")
	}
	if rest > 0 {
		rest += unwritten
	}
	if !now.Before(v.expires) || v.rested(now, rest) {
		return nil, nil
	}
	return v, nil
}

// unwritten is how far the stored time of a session's last use may lie behind.
const unwritten = 2 * sweepGap

func (v *session) rested(now time.Time, limit time.Duration) bool {
	return limit > 0 && now.Sub(time.UnixMicro(v.seen.Load())) > limit
}

// principal returns the principal of a session, the same one until its person
// changes.
func (v *session) principal(subject *access.Subject) *access.Principal {
	if l := v.latest.Load(); l != nil && l.subject == subject {
		return l.principal
	}
	p := &access.Principal{
		Kind: access.Person, UserID: subject.UserID, SessionID: v.id, Name: subject.Name,
		Email: subject.Email, Locale: subject.Locale, Groups: subject.Groups,
	}
	v.latest.Store(&standing{subject, p})
	return p
}

// used notes that a session was used; it is written by the next sweep, at most
// once a sweep.
func (s *sessions) used(v *session, now time.Time) {
	v.seen.Store(now.UnixMicro())
	last := v.queued.Load()
	if now.UnixMicro()-last < sweepGap.Microseconds() || !v.queued.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[v.id] = now
}

// flushSeen writes when sessions were last used.
func (s *Service) flushSeen(ctx context.Context) error {
	s.sessions.mu.Lock()
	seen := s.sessions.seen
	s.sessions.seen = map[int64]time.Time{}
	s.sessions.mu.Unlock()
	if len(seen) == 0 {
		return nil
	}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		for id, at := range seen {
			_, err := s.db.Exec(ctx, "UPDATE session SET last_seen_at = ?2 WHERE id = ?1 AND last_seen_at < ?2", id, at)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return fault.Wrap(err, "write when sessions were last seen")
}

// pruneSessions removes expired sessions. Memory needs no word of it: it knows
// when they expire.
func (s *Service) pruneSessions(ctx context.Context) error {
	_, err := s.db.Exec(ctx, "DELETE FROM session WHERE expires_at <= ?1", s.db.Now(ctx))
	return fault.Wrap(err, "prune sessions")
}

// NewSession is a session that was just made. Its token is shown once, to its
// person.
type NewSession struct {
	ID        int64
	Token     secret.Text // a UUID
	UserID    int64
	ExpiresAt time.Time
	Remember  bool // the cookie is to outlive the browser: the person asked for it at sign-in
}

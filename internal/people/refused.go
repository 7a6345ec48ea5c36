package people

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"latchkey/internal/audit"
)

// refusals counts the sign-ins that were refused for each person, so that
// somebody who tries for hours leaves an entry a minute in the audit log, not
// one for each try. Tries for unknown addresses leave none.
type refusals struct {
	mu sync.Mutex
	of map[int64]*refusal // by user id
}

type refusal struct {
	user    User
	origin  audit.Origin // of the last one
	pending int          // not in the audit log yet
	written time.Time    // when the last entry was
}

// refusalGap is the least time between two entries about one person.
const refusalGap = time.Minute

// take returns what is to be written and counts anew.
func (r *refusal) take(now time.Time) refusal {
	out := *r
	r.pending, r.written = 0, now
	return out
}

// refused notes that a sign-in was refused and returns the fault for it. A
// failure to note it is logged: the sign-in stays refused.
func (s *Service) refused(ctx context.Context, u User, cause error) error {
	if u.ID == 0 {
		return cause
	}
	now := s.db.Now(ctx)
	s.refusals.mu.Lock()
	r := s.refusals.of[u.ID]
	if r == nil {
		r = &refusal{}
		s.refusals.of[u.ID] = r
	}
	r.user, r.origin = u, audit.OriginOf(ctx)
	r.pending++
	if now.Sub(r.written) < refusalGap {
		s.refusals.mu.Unlock()
		return cause
	}
	entry := r.take(now)
	s.refusals.mu.Unlock()
	if err := s.writeRefusal(ctx, entry); err != nil {
		s.log.Error("a refused sign-in is not in the audit log", slog.Int64("user", u.ID), slog.Any("error", err))
	}
	return cause
}

// flushRefusals writes the counts whose minute is over, or all.
func (s *Service) flushRefusals(ctx context.Context, all bool) error {
	now := s.db.Now(ctx)
	var due []refusal
	s.refusals.mu.Lock()
	for id, r := range s.refusals.of {
		over := now.Sub(r.written) >= refusalGap
		if r.pending > 0 && (over || all) {
			due = append(due, r.take(now))
		} else if over {
			delete(s.refusals.of, id)
		}
	}
	s.refusals.mu.Unlock()
	var failed []error
	for _, r := range due {
		failed = append(failed, s.writeRefusal(ctx, r))
	}
	return errors.Join(failed...)
}

func (s *Service) writeRefusal(ctx context.Context, r refusal) error {
	ctx = audit.WithOrigin(context.WithoutCancel(ctx), r.origin)
	return s.db.InTx(ctx, func(ctx context.Context) error {
		return s.note(ctx, audit.Actor{Kind: "anonymous", Name: "anonymous"}, "session.refused", r.user,
			map[string]any{"attempts": r.pending})
	})
}

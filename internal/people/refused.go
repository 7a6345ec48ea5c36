package people

import (
	"context"
	"errors"
	"sync"
	"time"

	"latchkey/internal/audit"
)

// refusals counts the sign-ins that were refused for each person, so that
// somebody who tries for hours leaves an entry a minute in the audit log, not
// one for each try. Tries for unknown addresses leave none. Entries are written
// by Sweep and not at once: that would take time only for addresses that exist.
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

// add counts one.
func (r *refusals) add(u User, from audit.Origin) {
	if u.ID == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.of[u.ID]
	if v == nil {
		v = &refusal{}
		r.of[u.ID] = v
	}
	v.user, v.origin = u, from
	v.pending++
}

// due returns what is to be written now and counts that anew.
func (r *refusals) due(now time.Time, all bool) []refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []refusal
	for id, v := range r.of {
		over := now.Sub(v.written) >= refusalGap
		if v.pending > 0 && (over || all) {
			out = append(out, *v)
			v.pending, v.written = 0, now
		} else if over {
			delete(r.of, id)
		}
	}
	return out
}

// flushRefusals writes the counts whose minute is over, or all.
func (s *Service) flushRefusals(ctx context.Context, all bool) error {
	var failed []error
	for _, r := range s.refusals.due(s.db.Now(ctx), all) {
		from := audit.WithOrigin(ctx, r.origin)
		failed = append(failed, s.db.InTx(from, func(ctx context.Context) error {
			return s.note(ctx, audit.Actor{Kind: "anonymous", Name: "anonymous"}, "session.refused", r.user,
				map[string]any{"attempts": r.pending})
		}))
	}
	return errors.Join(failed...)
}

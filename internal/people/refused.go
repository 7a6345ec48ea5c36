package people

import (
	"context"
	"errors"
	"sync"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/fault"
)

// refusals counts the sign-ins that were refused, for each person and, where
// nobody has the name that was given, for each network, so that somebody who
// tries for hours leaves an entry a minute in the audit log, not one for each
// try. Names that nobody has are not kept: people type passwords where names
// belong. Entries are written by Sweep and not at once: that would take time
// only now and then, which would tell who exists.
type refusals struct {
	mu      sync.Mutex
	of      map[tried]*refusal
	unknown int // how many of them are of nobody
}

// tried is what refusals are counted for: a person, or a network.
type tried struct {
	userID  int64
	network string // "" with a user, and for all networks that are too many to tell apart
}

type refusal struct {
	user    User         // the zero value is nobody
	origin  audit.Origin // of the last one
	pending map[string]int
	written time.Time // when the last entry was
}

const (
	// refusalGap is the least time between two entries about one person or network.
	refusalGap = time.Minute
	// networksApart is how many networks that try unknown names are told apart,
	// so that a flood from everywhere writes little.
	networksApart = 20
)

// The reasons of refusal, as the audit log names them.
const (
	refusedPassword  = "wrong_password"
	refusedInactive  = "inactive"
	refusedThrottled = "throttled"
)

// refused counts a sign-in that ended with err, when that is a refusal. u is
// whose address was given, the zero value while that is not known.
func (s *Service) refused(ctx context.Context, name string, u User, err error) {
	reason := refusedPassword
	switch {
	case fault.Is(err, fault.TooMany):
		reason = refusedThrottled
		if c, err := s.credentials(ctx, name); err == nil {
			u = c.user
		}
	case !fault.Is(err, fault.Unauthenticated):
		return
	case fault.As(err).Fields["_error"] != "":
		reason = refusedInactive
	}
	s.refusals.add(u, network(ctx), reason, audit.OriginOf(ctx))
}

// add counts one.
func (r *refusals) add(u User, network, reason string, from audit.Origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := tried{userID: u.ID}
	if u.ID == 0 {
		key.network = network
	}
	if _, known := r.of[key]; !known && u.ID == 0 && r.unknown >= networksApart {
		key.network = ""
	}
	v := r.of[key]
	if v == nil {
		v = &refusal{pending: map[string]int{}}
		r.of[key] = v
		if u.ID == 0 {
			r.unknown++
		}
	}
	v.user, v.origin = u, from
	v.pending[reason]++
}

// due returns what is to be written now and counts that anew. What it returns
// stays in the map for a minute at least.
func (r *refusals) due(now time.Time, all bool) map[tried]refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[tried]refusal{}
	for key, v := range r.of {
		over := now.Sub(v.written) >= refusalGap
		if len(v.pending) > 0 && (over || all) {
			out[key] = *v
			v.pending, v.written = map[string]int{}, now
		} else if over {
			delete(r.of, key)
			if key.userID == 0 {
				r.unknown--
			}
		}
	}
	return out
}

// flushRefusals writes the counts whose minute is over, or all.
func (s *Service) flushRefusals(ctx context.Context, all bool) error {
	var failed []error
	for key, r := range s.refusals.due(s.db.Now(ctx), all) {
		if err := s.audit.Append(audit.WithOrigin(ctx, r.origin), audit.Anonymous(), r.entry(key)); err != nil {
			s.refusals.putBack(key, r)
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// putBack counts again what could not be written.
func (r *refusals) putBack(key tried, old refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.of[key]
	v.written = old.written
	for reason, n := range old.pending {
		v.pending[reason] += n
	}
}

// entry says how many there were since the last entry, and why.
func (r refusal) entry(key tried) audit.Entry {
	e := audit.Entry{
		Action: "session.refused", ObjectKind: "user", ObjectID: r.user.ID, ObjectName: r.user.Email,
		Details: map[string]any{},
	}
	total := 0
	for reason, n := range r.pending {
		e.Details[reason] = n
		total += n
	}
	e.Details["attempts"] = total
	if r.user.ID == 0 {
		e.ObjectName = "unknown account"
		e.Details["networks"] = "one"
		if key.network == "" {
			e.Details["networks"] = "several"
		}
	}
	return e
}

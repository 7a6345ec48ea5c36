package people

import (
	"context"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// CountSessions returns how many sessions of all people have not expired. It
// is for the metrics and tells nothing of anybody, so it asks for no principal.
func (s *Service) CountSessions(ctx context.Context) (int64, error) {
	n, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT count(*) FROM session WHERE expires_at > ?1", s.db.Now(ctx))
	return n, fault.Wrap(err, "count sessions")
}

// Throttled returns how many sign-ins this node refused since its start
// because too many had been tried.
func (s *Service) Throttled() uint64 { return s.throttled.Load() }

// countThrottled counts a sign-in that was refused so.
func (s *Service) countThrottled(err error) {
	if fault.Is(err, fault.TooMany) {
		s.throttled.Add(1)
	}
}

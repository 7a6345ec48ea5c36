package content

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// OnSeen names the function that is told when somebody looks at something. It
// must be named while the server is put together.
func (s *Service) OnSeen(f func(who *access.Principal, ref Ref)) { s.seen = f }

// Saw tells that who looks at an item that they were shown. It writes nothing.
func (s *Service) Saw(who *access.Principal, ref Ref) {
	if s.seen != nil {
		s.seen(who, ref)
	}
}

// Viewed counts how often items were looked at. It is no change of access data
// and is written apart from the requests that looked.
func (s *Service) Viewed(ctx context.Context, views map[Ref]int64) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for ref, n := range views {
			_, err := s.db.Exec(ctx, "UPDATE item SET view_count = view_count + ?4, used_at = ?3 WHERE kind = ?1 AND id = ?2",
				string(ref.Kind), ref.ID, s.db.Now(ctx), n)
			if err != nil {
				return fault.Wrap(err, "count views")
			}
		}
		return nil
	})
}

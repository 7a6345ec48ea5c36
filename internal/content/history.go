package content

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// ManyChange is what a change of many items at once made of each of them. What
// is absent stayed as it was.
type ManyChange struct {
	Archived     opt.Value[bool]
	CollectionID opt.Value[int64]
	Unpinned     bool // they are pinned no more
}

// OnMany names the function that keeps what a change of many items at once left
// of each in their histories, in the transaction of the change. It must be named
// while the server is put together.
func (s *Service) OnMany(f func(ctx context.Context, who *access.Principal, nos []int64, c ManyChange) error) {
	s.onMany = f
}

// updateMany runs an UPDATE of items that ends in RETURNING no, and lets their
// histories know. It returns how many items changed.
func (s *Service) updateMany(ctx context.Context, who *access.Principal, c ManyChange, q string, args ...any) (int, error) {
	nos, err := db.All(ctx, s.db, db.Scalar[int64], q, args...)
	if err != nil || len(nos) == 0 || s.onMany == nil {
		return len(nos), fault.Wrap(err, "change items")
	}
	return len(nos), s.onMany(ctx, who, nos, c)
}

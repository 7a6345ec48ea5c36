package content

import "context"

// Snapshot runs f, whose reads of content all see one state, whatever others
// change meanwhile. It is for what is put together of several reads; f changes
// nothing.
func (s *Service) Snapshot(ctx context.Context, f func(ctx context.Context) error) error {
	return s.db.Snapshot(ctx, f)
}

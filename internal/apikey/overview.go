package apikey

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Rotating returns which of the keys have a secret that works only for the
// rest of an overlap. It returns Forbidden.
func (s *Service) Rotating(ctx context.Context, who *access.Principal, keyIDs []int64) (map[int64]bool, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	out := map[int64]bool{}
	for part := range slices.Chunk(keyIDs, 500) {
		args := []any{s.db.Now(ctx)}
		for _, id := range part {
			args = append(args, id)
		}
		err := db.Each(ctx, s.db, db.Scalar[int64], func(id int64) error { out[id] = true; return nil },
			`SELECT DISTINCT key_id FROM api_key_secret WHERE retired_at IS NULL AND (retire_at > ?1 OR (retire_at IS NULL AND silent_days IS NOT NULL))
			AND key_id IN `+db.List(2, len(part)), args...)
		if err != nil {
			return nil, fault.Wrap(err, "read secrets that are being replaced")
		}
	}
	return out, nil
}

// PolicyFor returns what holds for a service key of some groups. It returns
// Forbidden.
func (s *Service) PolicyFor(ctx context.Context, who *access.Principal, groups []int64) (Policy, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Policy{}, err
	}
	return policyFor(ctx, s.db, groups)
}

package apikey

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// Supply gives a key the text of a draft, or the digest of one, in place of
// its own, which ends at once. Nothing else of the draft counts. It returns
// NotFound, Forbidden, and Invalid for a text that is too short, too long, or
// in use here, also in the past.
func (s *Service) Supply(ctx context.Context, who *access.Principal, id int64, d Draft) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	if d.Digest == nil && d.Supplied.Empty() {
		return Key{}, fault.Field("key", "Give the text of the key, or its digest.")
	}
	m, err := s.material(d)
	if err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error {
		if err := holds(who, old); err != nil {
			return err
		}
		if err := s.retireAll(ctx, id); err != nil {
			return err
		}
		if _, err := s.addSecret(ctx, who, id, m); err != nil {
			return err
		}
		if err := s.stamp(ctx, who, id); err != nil {
			return err
		}
		return s.changed(ctx, who, old, "api-key.rotate", map[string]any{"previous_prefix": old.Prefix, "key_prefix": m.prefix, "supplied": true})
	})
}

// NewText makes the text of a key that is stored nowhere yet, for seed files.
// The prefix is that of the instance, such as lk_.
func NewText(prefix string) secret.Text { return newText(prefix) }

package apikey

import (
	"context"
	"crypto/sha256"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Find returns the key and the secret that the SHA-256 digest of a text
// belongs to, also when they have ended, so that nobody needs to send a leaked
// text to learn what it did. It returns NotFound for a text that never was a
// key here, and Forbidden.
func (s *Service) Find(ctx context.Context, who *access.Principal, sum [sha256.Size]byte) (Key, Secret, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, Secret{}, err
	}
	x, err := s.secretByMAC(ctx, sum)
	if errors.Is(err, db.ErrNone) {
		return Key{}, Secret{}, fault.Coded(fault.NotFound, "unknown-key", "No key of this instance has or had this text.")
	}
	if err != nil {
		return Key{}, Secret{}, fault.Wrap(err, "look up key")
	}
	k, err := s.any(ctx, x.KeyID)
	return k, x, err
}

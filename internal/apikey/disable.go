package apikey

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// Disable stops a key, for a reason that people can read, until a time or
// until it is enabled. A restricted key may stop also those that may do more,
// for that gives it nothing; it may not give such a key that is stopped already
// an earlier end of that. It returns NotFound, Forbidden, and Invalid for an end
// that has passed or a reason that is missing or too long.
func (s *Service) Disable(ctx context.Context, who *access.Principal, id int64, reason string, until *time.Time) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.setDisabled(ctx, who, id, reason, until)
}

func (s *Service) setDisabled(ctx context.Context, who *access.Principal, id int64, reason string, until *time.Time) (Key, error) {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return Key{}, fault.Field("reason", "Say why: whoever finds the key disabled will want to know.")
	case n > maxReason || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return Key{}, fault.Field("reason", "The reason can have at most %d characters.", maxReason)
	}
	var key Key
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		if until != nil && !until.After(s.db.Now(ctx)) {
			return fieldFault("in-the-past", "until", "The end must be in the future.")
		}
		if endsSooner(old, until) {
			if err := within(who, old); err != nil {
				return err
			}
		}
		if err := s.disable(ctx, who, old, reason, until); err != nil {
			return err
		}
		key, err = s.one(ctx, id)
		return err
	})
	return key, err
}

// endsSooner reports whether a disabled key would work again earlier than it
// does now, which is to enable it.
func endsSooner(k Key, until *time.Time) bool {
	return k.DisabledAt != nil && until != nil && (k.DisabledUntil == nil || until.Before(*k.DisabledUntil))
}

// disable stops a key, inside the caller's transaction.
func (s *Service) disable(ctx context.Context, who *access.Principal, k Key, reason string, until *time.Time) error {
	_, err := s.db.Exec(ctx, "UPDATE api_key SET disabled_at = ?2, disabled_until = ?3, disabled_reason = ?4, disabled_by = ?5 WHERE id = ?1",
		k.ID, s.db.Now(ctx), until, reason, by(who))
	if err != nil {
		return fault.Wrap(err, "disable key")
	}
	if err := s.stamp(ctx, who, k.ID); err != nil {
		return err
	}
	facts := map[string]any{"reason": reason}
	if until != nil {
		facts["until"] = until
	}
	return s.changed(ctx, who, k, "api-key.disable", facts)
}

// Enable lets a disabled key work again. One that is not disabled stays as it
// is. It returns NotFound and Forbidden.
func (s *Service) Enable(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error {
		if old.DisabledAt == nil {
			return nil
		}
		if err := s.clearDisabled(ctx, id); err != nil {
			return err
		}
		if err := s.stamp(ctx, who, id); err != nil {
			return err
		}
		return s.changed(ctx, who, old, "api-key.enable", map[string]any{"previous": map[string]any{"reason": old.DisabledReason}})
	})
}

func (s *Service) clearDisabled(ctx context.Context, id int64) error {
	_, err := s.db.Exec(ctx, "UPDATE api_key SET disabled_at = NULL, disabled_until = NULL, disabled_reason = '', disabled_by = NULL WHERE id = ?1", id)
	return fault.Wrap(err, "enable key")
}

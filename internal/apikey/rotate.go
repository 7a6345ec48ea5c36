package apikey

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// Overlap says how long the secret that is replaced goes on working. The zero
// value means that it ends at once. With both, what comes first counts.
type Overlap struct {
	Until      *time.Time // it ends then
	SilentDays int        // it ends after so many days without use
}

func (o Overlap) none() bool { return o.Until == nil && o.SilentDays == 0 }

// maxSilent bounds the silence that retires a secret, in days.
const maxSilent = 365

// Rotate gives a key a new text, which is returned and cannot be had again,
// and lets the old one work for the overlap, so that programs can be changed
// over one by one. It returns NotFound, Forbidden, Invalid for an overlap that
// has passed or that the policy forbids, and Conflict while a rotation is
// under way.
func (s *Service) Rotate(ctx context.Context, who *access.Principal, id int64, o Overlap) (Key, secret.Text, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.replace(ctx, who, id, "api-key.rotate", o)
}

// replace gives a key a new text; the old ones end with the overlap.
func (s *Service) replace(ctx context.Context, who *access.Principal, id int64, action string, o Overlap) (Key, secret.Text, error) {
	var key Key
	var m material
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		if err := within(who, old); err != nil {
			return err
		}
		if err := holds(who, old); err != nil {
			return err
		}
		if o, err = s.checkOverlap(ctx, old, o); err != nil {
			return err
		}
		if err := s.wane(ctx, old, o); err != nil {
			return err
		}
		m = s.freshMaterial()
		if _, err := s.addSecret(ctx, who, id, m); err != nil {
			return err
		}
		if err := s.stamp(ctx, who, id); err != nil {
			return err
		}
		if key, err = s.one(ctx, id); err != nil {
			return err
		}
		return s.changed(ctx, who, key, action, o.facts(old, key))
	})
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return key, m.text, nil
}

// facts is what the audit log says of a rotation.
func (o Overlap) facts(old, k Key) map[string]any {
	f := map[string]any{"previous_prefix": old.Prefix, "key_prefix": k.Prefix}
	if o.Until != nil {
		f["old_secret_until"] = o.Until
	}
	if o.SilentDays > 0 {
		f["old_secret_silent_days"] = o.SilentDays
	}
	return f
}

// checkOverlap applies the policy to an overlap.
func (s *Service) checkOverlap(ctx context.Context, k Key, o Overlap) (Overlap, error) {
	if o.none() {
		return o, nil
	}
	now := s.db.Now(ctx)
	if o.Until != nil && !o.Until.After(now) {
		return o, fieldFault("in-the-past", "overlap_until", "The end of the overlap must be in the future.")
	}
	if o.SilentDays < 0 || o.SilentDays > maxSilent {
		return o, fault.Field("silent_days", "The silence must be 1 to %d days.", maxSilent)
	}
	policy, err := s.policyOfKey(ctx, k)
	if err != nil || policy.MaxOverlapDays == 0 {
		return o, err
	}
	last := now.Add(time.Duration(policy.MaxOverlapDays) * day)
	if o.Until != nil && o.Until.After(last.Add(time.Minute)) {
		return o, fieldFault("policy-max-overlap", "overlap_until",
			"The policy lets two secrets overlap for at most %d days: choose a date up to %s.", policy.MaxOverlapDays, last.Format(time.DateOnly))
	}
	if o.Until == nil {
		o.Until = &last
	}
	return o, nil
}

// wane lets the live secrets of a key end: at once, or with an overlap.
func (s *Service) wane(ctx context.Context, k Key, o Overlap) error {
	if o.none() {
		return s.retireAll(ctx, k.ID)
	}
	live, err := s.live(ctx, k.ID)
	if err != nil {
		return err
	}
	if len(live) > 1 {
		return fault.Coded(fault.Conflict, "rotation-under-way",
			"This key has two live secrets already: retire the older one first, or rotate without overlap.")
	}
	_, err = s.db.Exec(ctx, "UPDATE api_key_secret SET retire_at = ?2, silent_days = ?3 WHERE key_id = ?1 AND retired_at IS NULL",
		k.ID, o.Until, orNull(int64(o.SilentDays)))
	return fault.Wrap(err, "write secret")
}

// Secrets returns the secrets of a key, newest first, also those that ended.
// It returns NotFound and Forbidden.
func (s *Service) Secrets(ctx context.Context, who *access.Principal, id int64) ([]Secret, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	if _, err := s.any(ctx, id); err != nil {
		return nil, err
	}
	return s.secrets(ctx, id)
}

// RetireSecret ends one secret of a key at once. One that has ended stays so.
// The last live one can be retired too: the key then works no more until it is
// rotated. It returns NotFound and Forbidden.
func (s *Service) RetireSecret(ctx context.Context, who *access.Principal, id, secretID int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		key, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		return s.retire(ctx, who.Actor(), key, secretID, "asked for")
	})
}

// retire ends one secret, inside the caller's transaction.
func (s *Service) retire(ctx context.Context, who audit.Actor, key Key, secretID int64, why string) error {
	all, err := s.secrets(ctx, key.ID)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.ID != secretID {
			continue
		}
		if x.RetiredAt != nil {
			return nil
		}
		if _, err := s.db.Exec(ctx, "UPDATE api_key_secret SET retired_at = ?2 WHERE id = ?1", secretID, s.db.Now(ctx)); err != nil {
			return fault.Wrap(err, "retire secret")
		}
		return s.changedBy(ctx, who, key, "api-key.secret-retire", map[string]any{"key_prefix": x.Prefix, "secret_id": secretID, "reason": why})
	}
	return notFound()
}

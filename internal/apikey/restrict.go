package apikey

import (
	"context"
	"encoding/json"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// SetRestriction gives a key a restriction in place of the one it has; the
// zero value takes it away. It returns NotFound, Forbidden and, for what a
// restriction cannot be, Invalid.
func (s *Service) SetRestriction(ctx context.Context, who *access.Principal, id int64, r access.Restriction) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error { return s.restrict(ctx, who, old, r) })
}

// edit runs a change of one key in a transaction, if the caller may change the
// key, and returns it as it is then.
func (s *Service) edit(ctx context.Context, who *access.Principal, id int64, change func(ctx context.Context, old Key) error) (Key, error) {
	var key Key
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.one(ctx, id)
		if err != nil {
			return err
		}
		if err := within(who, old); err != nil {
			return err
		}
		if err := change(ctx, old); err != nil {
			return err
		}
		key, err = s.one(ctx, id)
		return err
	})
	return key, err
}

// restrict writes a restriction, inside the caller's transaction. A trial that
// is not narrower any more ends with it.
func (s *Service) restrict(ctx context.Context, who *access.Principal, old Key, r access.Restriction) error {
	if _, restricted := restrictionOf(who); restricted && r.IsZero() {
		return wider()
	}
	r, err := s.checkRestriction(ctx, who, r)
	if err != nil || r.Equal(old.Restriction) && !old.Unreadable {
		return err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return fault.Wrap(err, "restriction")
	}
	if _, err := s.db.Exec(ctx, "UPDATE api_key SET restriction = ?2 WHERE id = ?1", old.ID, string(raw)); err != nil {
		return fault.Wrap(err, "write restriction")
	}
	if old.Trial != nil && !old.Trial.Within(r) {
		if err := s.writeTrial(ctx, old.ID, nil); err != nil {
			return err
		}
	}
	if err := s.stamp(ctx, who, old.ID); err != nil {
		return err
	}
	return s.changed(ctx, who, old, "api-key.restrict", map[string]any{
		"previous": map[string]any{"restriction": old.Restriction}, "new": map[string]any{"restriction": r},
	})
}

// SetTrial puts a restriction on trial: it refuses nothing, and the evidence
// shows what it would have refused. It must be within the restriction that the
// key has. It returns NotFound, Forbidden and Invalid.
func (s *Service) SetTrial(ctx context.Context, who *access.Principal, id int64, r access.Restriction) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error {
		if r.IsZero() {
			return fault.Field("restriction", "A trial needs a restriction that restricts something.")
		}
		r, err := s.checkRestriction(ctx, who, r)
		if err != nil {
			return err
		}
		if !r.Within(old.Restriction) {
			return fieldFault("trial-wider", "restriction", "The restriction on trial must allow no more than the key's restriction does.")
		}
		if err := s.writeTrial(ctx, id, &r); err != nil {
			return err
		}
		if err := s.usage.ForgetTrial(ctx, id); err != nil {
			return err
		}
		return s.changed(ctx, who, old, "api-key.trial", map[string]any{"restriction": r})
	})
}

// EndTrial takes a restriction off trial. A key without one stays as it is. It
// returns NotFound and Forbidden.
func (s *Service) EndTrial(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error {
		if old.TrialSince == nil {
			return nil
		}
		if err := s.writeTrial(ctx, id, nil); err != nil {
			return err
		}
		return s.changed(ctx, who, old, "api-key.trial-end", nil)
	})
}

// EnforceTrial makes the restriction on trial the restriction of the key. It
// returns NotFound, Forbidden, and Conflict when nothing is on trial.
func (s *Service) EnforceTrial(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error {
		if old.Trial == nil {
			return fault.Coded(fault.Conflict, "no-trial", "This key has no restriction on trial: start one first.")
		}
		if err := s.restrict(ctx, who, old, *old.Trial); err != nil {
			return err
		}
		return s.writeTrial(ctx, id, nil)
	})
}

// writeTrial stores what is on trial; nil is nothing.
func (s *Service) writeTrial(ctx context.Context, id int64, r *access.Restriction) error {
	var raw, at any
	if r != nil {
		b, err := json.Marshal(r)
		if err != nil {
			return fault.Wrap(err, "restriction")
		}
		raw, at = string(b), s.db.Now(ctx)
	}
	_, err := s.db.Exec(ctx, "UPDATE api_key SET trial = ?2, trial_at = ?3 WHERE id = ?1", id, raw, at)
	return fault.Wrap(err, "write trial")
}

package apikey

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// requireKey refuses everybody but keys.
func requireKey(who *access.Principal) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	if !who.IsKey() {
		return fault.Coded(fault.Forbidden, "key-only", "Only a key can do this to itself: send the request with its X-Api-Key header.")
	}
	return nil
}

// Self returns the key that calls, its live secrets and what its policy
// allows it to do to itself. It returns Forbidden for everybody but keys.
func (s *Service) Self(ctx context.Context, who *access.Principal) (Key, []Secret, Policy, error) {
	if err := requireKey(who); err != nil {
		return Key{}, nil, Policy{}, err
	}
	k, err := s.one(ctx, who.KeyID)
	if err != nil {
		return k, nil, Policy{}, err
	}
	live, err := s.live(ctx, k.ID)
	if err != nil {
		return k, nil, Policy{}, err
	}
	policy, err := policyFor(ctx, s.db, who.Groups)
	return k, live, policy, err
}

// selfAllowed returns the fault of a key that its policy does not allow to do
// something to itself.
func selfAllowed(ok bool, doing string) error {
	if ok {
		return nil
	}
	return fault.Coded(fault.Forbidden, "policy-self", "The policy does not let this key %s itself: ask an administrator.", doing)
}

// RotateSelf gives the key that calls a new text, if its policy allows. It
// returns Forbidden otherwise, and what Rotate does.
func (s *Service) RotateSelf(ctx context.Context, who *access.Principal, o Overlap) (Key, secret.Text, error) {
	_, _, policy, err := s.Self(ctx, who)
	if err == nil {
		err = selfAllowed(policy.SelfRotate, "rotate")
	}
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.replace(ctx, who, who.KeyID, "api-key.rotate", o)
}

// RevokeSelf ends the key that calls for ever, if its policy allows. It
// returns Forbidden otherwise.
func (s *Service) RevokeSelf(ctx context.Context, who *access.Principal) error {
	_, _, policy, err := s.Self(ctx, who)
	if err == nil {
		err = selfAllowed(policy.SelfRevoke, "end")
	}
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		key, err := s.one(ctx, who.KeyID)
		if err != nil {
			return err
		}
		return s.end(ctx, who, key, "api-key.delete", map[string]any{"reason": "revoked by itself"})
	})
}

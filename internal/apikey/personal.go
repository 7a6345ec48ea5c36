package apikey

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// PersonalAllowed reports whether a person may make keys for themselves.
func (s *Service) PersonalAllowed(ctx context.Context, who *access.Principal) (bool, error) {
	p, err := s.PersonalPolicy(ctx, who)
	return p.AllowPersonal, err
}

// PersonalPolicy returns what holds for the keys that the person who calls
// makes for themselves: the policies of all their groups, chosen or not.
func (s *Service) PersonalPolicy(ctx context.Context, who *access.Principal) (Policy, error) {
	if err := requirePerson(who); err != nil {
		return Policy{}, err
	}
	return policyFor(ctx, s.db, who.Groups)
}

// requirePerson refuses everybody but a person who is signed in: a key that
// makes personal keys would outlive its own end.
func requirePerson(who *access.Principal) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	if who.Kind != access.Person {
		return fault.Coded(fault.Forbidden, "person-only", "Personal keys are managed by people who are signed in, not by keys.")
	}
	return nil
}

// MakePersonal makes a key with which a program acts as the person who calls,
// in the groups of theirs that the draft names. It returns its text, which
// cannot be had again. It returns Forbidden when the policy does not allow
// personal keys, and Invalid as Make does or for a group the person is not in.
func (s *Service) MakePersonal(ctx context.Context, who *access.Principal, d Draft) (Key, secret.Text, error) {
	if err := requirePerson(who); err != nil {
		return Key{}, secret.Text{}, err
	}
	var key Key
	m := s.freshMaterial()
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		policy, err := policyFor(ctx, s.db, who.Groups)
		if err != nil {
			return err
		}
		if !policy.AllowPersonal {
			return fault.Coded(fault.Forbidden, "personal-keys-off", "Personal keys are not allowed for you: ask an administrator to allow them in the policy for keys.")
		}
		base := Key{Kind: KindPersonal, UserID: who.UserID, Owner: Ref{ID: who.UserID}}
		d.OwnerID, d.SuccessorID, d.Source = who.UserID, 0, ""
		k, err := s.checkDraft(ctx, who, d, base)
		if err != nil {
			return err
		}
		if err := checkChosen(who.Groups, d.Groups); err != nil {
			return err
		}
		k.Groups = groupRefs(d.Groups)
		// The policy of every group of the person holds, chosen or not.
		if k.ExpiresAt, err = policy.expiry(d.ExpiresAt, s.db.Now(ctx)); err != nil {
			return err
		}
		key, err = s.store(ctx, who, k, m)
		return err
	})
	if err != nil {
		return Key{}, secret.Text{}, err
	}
	return key, m.text, nil
}

// checkChosen refuses groups that the person is not in.
func checkChosen(own, chosen []int64) error {
	for _, id := range chosen {
		if !slices.Contains(own, id) {
			return fieldFault("not-a-member", "group_ids", "You are not a member of the group with the id %d: choose among your own groups.", id)
		}
	}
	return nil
}

// groupRefs returns groups in order, without All Users, which every key has.
func groupRefs(list []int64) []Ref {
	var out []Ref
	for _, id := range slices.Compact(slices.Sorted(slices.Values(list))) {
		if id != access.AllUsers {
			out = append(out, Ref{ID: id})
		}
	}
	return out
}

// own returns a personal key of the person who calls. Keys of others do not
// exist for them.
func (s *Service) own(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	if err := requirePerson(who); err != nil {
		return Key{}, err
	}
	k, err := s.one(ctx, id)
	if err == nil && (k.Kind != KindPersonal || k.UserID != who.UserID) {
		return Key{}, notFound()
	}
	return k, err
}

// ListOwn returns the personal keys of the person who calls, by name.
func (s *Service) ListOwn(ctx context.Context, who *access.Principal) ([]Key, error) {
	if err := requirePerson(who); err != nil {
		return nil, err
	}
	return s.list(ctx, Filter{Kind: KindPersonal, UserID: who.UserID})
}

// GetOwn returns one personal key of the person who calls. It returns NotFound.
func (s *Service) GetOwn(ctx context.Context, who *access.Principal, id int64) (Key, error) {
	return s.own(ctx, who, id)
}

// UpdateOwn changes a personal key of the person who calls, as Update does.
// Its owner stays.
func (s *Service) UpdateOwn(ctx context.Context, who *access.Principal, id int64, c Change) (Key, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return Key{}, err
	}
	if list, ok := c.Groups.Get(); ok {
		if err := checkChosen(who.Groups, list); err != nil {
			return Key{}, err
		}
	}
	c.OwnerID.Set, c.SuccessorID.Set, c.GroupID.Set = false, false, false
	return s.update(ctx, who, id, c)
}

// RestrictOwn restricts a personal key of the person who calls.
func (s *Service) RestrictOwn(ctx context.Context, who *access.Principal, id int64, r access.Restriction) (Key, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return Key{}, err
	}
	return s.edit(ctx, who, id, func(ctx context.Context, old Key) error { return s.restrict(ctx, who, old, r) })
}

// RotateOwn gives a personal key of the person who calls a new text, as Rotate
// does.
func (s *Service) RotateOwn(ctx context.Context, who *access.Principal, id int64, o Overlap) (Key, secret.Text, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return Key{}, secret.Text{}, err
	}
	return s.replace(ctx, who, id, "api-key.rotate", o)
}

// EndOwn ends a personal key of the person who calls for ever.
func (s *Service) EndOwn(ctx context.Context, who *access.Principal, id int64) error {
	if _, err := s.own(ctx, who, id); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		key, err := s.own(ctx, who, id)
		if err != nil {
			return err
		}
		return s.end(ctx, who, key, "api-key.delete", nil)
	})
}

package apikey

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// checkDraft returns the key that a draft describes, ready to be stored. kind
// and user come with the base.
func (s *Service) checkDraft(ctx context.Context, who *access.Principal, d Draft, k Key) (Key, error) {
	if err := naming.Check("name", d.Name, maxName); err != nil {
		return k, err
	}
	k.Name, k.Source = d.Name, d.Source
	if err := s.nameFree(ctx, k, k.Name); err != nil {
		return k, err
	}
	var err error
	if k.Description, err = description(d.Description); err != nil {
		return k, err
	}
	if k.Tags, err = tags(d.Tags); err != nil {
		return k, err
	}
	if err := s.checkOwners(ctx, &k, d.OwnerID, d.SuccessorID); err != nil {
		return k, err
	}
	if k.Restriction, err = s.checkRestriction(ctx, who, d.Restriction); err != nil {
		return k, err
	}
	policy, err := policyFor(ctx, s.db, d.Groups)
	if err != nil {
		return k, err
	}
	if k.ExpiresAt, err = policy.expiry(d.ExpiresAt, s.db.Now(ctx)); err != nil {
		return k, err
	}
	k.ExpiresAt, err = s.notBeyond(ctx, who, k.ExpiresAt, d.ExpiresAt.Set)
	return k, err
}

// checkChange returns the key as it shall be after a change.
func (s *Service) checkChange(ctx context.Context, who *access.Principal, old Key, c Change) (Key, error) {
	k := old
	if name, ok := c.Name.Get(); ok && name != old.Name {
		if err := naming.Check("name", name, maxName); err != nil {
			return k, err
		}
		if err := s.nameFree(ctx, old, name); err != nil {
			return k, err
		}
		k.Name = name
	}
	var err error
	if text, ok := c.Description.Get(); ok {
		if k.Description, err = description(text); err != nil {
			return k, err
		}
	}
	if list, ok := c.Tags.Get(); ok {
		if k.Tags, err = tags(list); err != nil {
			return k, err
		}
	}
	if c.OwnerID.Set || c.SuccessorID.Set {
		if err := s.checkOwners(ctx, &k, idAfter(c.OwnerID, old.Owner.ID), idAfter(c.SuccessorID, old.Successor.ID)); err != nil {
			return k, err
		}
		if k.Owner != old.Owner && k.Owner.ID != 0 {
			k.ReviewSince = nil
		}
	}
	k.Groups = c.groups(k.Groups)
	return k, s.checkEnd(ctx, who, old, &k, c.ExpiresAt)
}

// idAfter is the new value of an id that null empties.
func idAfter(c opt.Value[int64], old int64) int64 {
	if !c.Set {
		return old
	}
	return c.V
}

// groups returns the groups that a change asks for, without All Users, or the
// old ones.
func (c Change) groups(old []Ref) []Ref {
	var want []int64
	if id, ok := c.GroupID.Get(); ok {
		want = []int64{id}
	}
	if list, ok := c.Groups.Get(); ok {
		want = list
	}
	refs := groupRefs(want)
	if want == nil || slices.Equal(ids(refs), ids(old)) {
		return old
	}
	return refs
}

// checkEnd sets the end of a key: what is asked for, or, when the groups
// change, at most what their policy allows.
func (s *Service) checkEnd(ctx context.Context, who *access.Principal, old Key, k *Key, want opt.Value[time.Time]) error {
	moved := !slices.Equal(ids(old.Groups), ids(k.Groups))
	if !want.Set && !moved {
		return nil
	}
	policy, err := s.policyOfKey(ctx, *k)
	if err != nil {
		return err
	}
	now := s.db.Now(ctx)
	if want.Set {
		if k.ExpiresAt, err = policy.expiry(want, now); err != nil {
			return err
		}
		k.ExpiredAt = nil // a new end given by hand is what revives a key, and nothing else does
		if !laterThan(old.ExpiresAt, k.ExpiresAt) {
			return nil
		}
		k.ExpiresAt, err = s.notBeyond(ctx, who, k.ExpiresAt, true)
		return err
	}
	if policy.MaxDays > 0 {
		last := now.Add(time.Duration(policy.MaxDays) * day)
		if k.ExpiresAt == nil || k.ExpiresAt.After(last) {
			k.ExpiresAt = &last
		}
	}
	return nil
}

// laterThan reports whether an end is later than the old one; nil is never.
func laterThan(old, end *time.Time) bool {
	return old != nil && (end == nil || end.After(*old))
}

func sameTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// checkOwners sets the owner and the successor, who must be active people.
func (s *Service) checkOwners(ctx context.Context, k *Key, ownerID, successorID int64) error {
	var err error
	if k.Owner, err = s.person(ctx, "owner_id", ownerID, k.Owner); err != nil {
		return err
	}
	if k.Successor, err = s.person(ctx, "successor_id", successorID, k.Successor); err != nil {
		return err
	}
	if k.Successor.ID != 0 && k.Successor.ID == k.Owner.ID {
		return fault.Field("successor_id", "The successor must be somebody else than the owner.")
	}
	return nil
}

// person returns an active person; who was there already may stay.
func (s *Service) person(ctx context.Context, field string, id int64, old Ref) (Ref, error) {
	if id == 0 || id == old.ID {
		return Ref{ID: id, Name: old.Name}, nil
	}
	name, found, err := s.people.Ref(ctx, id)
	if err != nil {
		return Ref{}, err
	}
	active := false
	if found {
		if active, err = s.people.Active(ctx, id); err != nil {
			return Ref{}, err
		}
	}
	if !active {
		return Ref{}, fieldFault("unknown-person", field, "There is no active person with the id %d.", id)
	}
	return Ref{ID: id, Name: name}, nil
}

// description bounds a text of several lines.
func description(s string) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fault.Field("description", "The description must be text.")
	}
	if utf8.RuneCountInString(s) > maxDescription {
		return "", fault.Field("description", "The description can have at most %d characters.", maxDescription)
	}
	return s, nil
}

// tags returns tags trimmed, sorted and without repetition.
func tags(list []string) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, t := range list {
		if err := naming.Check("tags", strings.TrimSpace(t), maxTag); err != nil {
			return nil, err
		}
		out = append(out, strings.TrimSpace(t))
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > maxTags {
		return nil, fault.Field("tags", "A key can have at most %d tags.", maxTags)
	}
	return out, nil
}

// checkRestriction returns a restriction in its canonical form. A restricted
// key gives what it makes no more than it has itself: its own restriction when
// none is given. It returns Invalid for what does not exist, and Forbidden for
// what is wider.
func (s *Service) checkRestriction(ctx context.Context, who *access.Principal, r access.Restriction) (access.Restriction, error) {
	if own, ok := restrictionOf(who); ok {
		if r.IsZero() {
			return own, nil
		}
		if !r.Within(own) {
			return r, wider()
		}
	}
	if r.IsZero() {
		return r, nil
	}
	if err := r.Validate(s.words()); err != nil {
		return r, err
	}
	r = r.Canonical()
	return r, s.resourcesExist(ctx, r)
}

// restrictionOf returns the restriction of a key that acts.
func restrictionOf(who *access.Principal) (access.Restriction, bool) {
	if who == nil || who.Limits == nil {
		return access.Restriction{}, false
	}
	return who.Limits.Restriction(), true
}

// wider is the fault of a key that would give more than it has.
func wider() error {
	return fault.Coded(fault.Forbidden, "wider-than-caller", "This key may not give another key more than it has itself.")
}

// within refuses a restricted key that would change a key which may do more
// than itself: it could take that key over.
func within(who *access.Principal, k Key) error {
	own, restricted := restrictionOf(who)
	if restricted && k.ID != who.KeyID && !k.Restriction.Within(own) {
		return wider()
	}
	return nil
}

// holds refuses everybody but its person a new text of a personal key: who has
// it acts as that person.
func holds(who *access.Principal, k Key) error {
	if k.Kind == KindPersonal && who.UserID != k.UserID {
		return fault.Coded(fault.Forbidden, "not-your-key", "Only %s can rotate this personal key, for it acts as them. You can disable or delete it.", k.Owner.Name)
	}
	return nil
}

// resourcesExist refuses a restriction that names what is not there.
func (s *Service) resourcesExist(ctx context.Context, r access.Restriction) error {
	for _, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		for _, id := range r.Resources[kind] {
			found, err := s.resourceExists(ctx, kind, id)
			if err != nil {
				return err
			}
			if !found {
				return fieldFault("unknown-resource", "restriction.resources", "There is nothing of the kind %s with the id %s.", kind, id)
			}
		}
	}
	return nil
}

func (s *Service) resourceExists(ctx context.Context, kind, id string) (bool, error) {
	if kind == "settings" {
		return s.settings(id), nil
	}
	if kind == access.KindCollections && id == access.RootName {
		return true, nil
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return false, nil //nolint:nilerr // what is no number is nobody's id
	}
	switch kind {
	case "people":
		return s.people.Exists(ctx, n)
	case "groups":
		name, err := s.groups.Name(ctx, n) // also one that this transaction made
		return name != "", err
	case "policies":
		name, err := s.policyName(ctx, n) // the instance and every group can have one
		return name != "", err
	case "memberships":
		_, err := s.groups.MembershipOf(ctx, n)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		}
		return err == nil, err
	case "keys":
		_, err := s.one(ctx, n)
		if fault.Is(err, fault.NotFound) {
			return false, nil
		}
		return err == nil, err
	}
	if s.exists == nil {
		return false, nil
	}
	return s.exists(ctx, kind, n)
}

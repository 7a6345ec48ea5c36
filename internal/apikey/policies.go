package apikey

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// The bounds of what a policy may say.
const (
	maxPolicyDays     = 3650
	maxPolicyRequests = 1_000_000
	maxPolicySeconds  = 86_400
)

// Policies returns all policies: the instance's first, then by group id. It
// returns Forbidden.
func (s *Service) Policies(ctx context.Context, who *access.Principal) ([]Policy, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	return allPolicies(ctx, s.db)
}

// PolicyOf returns the policy of one group, or of the instance. One that was
// never set says nothing. It returns NotFound for an unknown group, and
// Forbidden.
func (s *Service) PolicyOf(ctx context.Context, who *access.Principal, groupID int64) (Policy, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Policy{}, err
	}
	p, err := s.storedPolicy(ctx, groupID)
	if !errors.Is(err, db.ErrNone) {
		return p, fault.Wrap(err, "read policy")
	}
	name, err := s.policyName(ctx, groupID)
	if err == nil && name == "" {
		err = notFound()
	}
	return Policy{GroupID: groupID}, err
}

// storedPolicy returns db.ErrNone when there is none.
func (s *Service) storedPolicy(ctx context.Context, groupID int64) (Policy, error) {
	return db.One(ctx, s.db, scanPolicy, selectPolicies+" WHERE p.group_id = ?1", groupID)
}

// policyName names what a policy is about; "" is a group that is not there
// (the table is group's, only read here).
func (s *Service) policyName(ctx context.Context, groupID int64) (string, error) {
	if groupID == Instance {
		return "instance", nil
	}
	name, err := db.One(ctx, s.db, db.Scalar[string], "SELECT name FROM permission_group WHERE id = ?1", groupID)
	if errors.Is(err, db.ErrNone) {
		return "", nil
	}
	return name, fault.Wrap(err, "read group")
}

// policyOfKey returns what holds for a key: the policies of its groups, and
// for a personal key those of all groups of the person, chosen or not.
func (s *Service) policyOfKey(ctx context.Context, k Key) (Policy, error) {
	groups := ids(k.Groups)
	if k.Kind == KindPersonal {
		var err error
		if groups, err = s.groups.OfUser(ctx, k.UserID); err != nil {
			return Policy{}, err
		}
	}
	return policyFor(ctx, s.db, groups)
}

// SetPolicy puts a policy for the keys of a group, or of the instance, in
// force, and returns the keys that do not fulfil it, as Preview does. Keys
// that are there stay as they are unless e says otherwise. It returns Invalid,
// Forbidden, and Conflict when it would end the last key of an administrator
// while no person is one.
func (s *Service) SetPolicy(ctx context.Context, who *access.Principal, groupID int64, p Policy, e Existing) (Policy, Violators, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Policy{}, Violators{}, err
	}
	var out Policy
	var found Violators
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		x, err := s.prospect(ctx, groupID, p, e)
		if err != nil {
			return err
		}
		if access.ProtectsAdmins(who) && x.new.loosens(x.old) {
			return wider()
		}
		if found, err = s.violators(ctx, x); err != nil {
			return err
		}
		capped, err := s.capAll(ctx, who, x)
		if err != nil {
			return err
		}
		if err := s.writePolicy(ctx, who, x, capped); err != nil {
			return err
		}
		out, err = s.storedPolicy(ctx, groupID)
		return fault.Wrap(err, "read policy")
	})
	return out, found, err
}

// writePolicy stores a policy that differs from the one in force.
func (s *Service) writePolicy(ctx context.Context, who *access.Principal, x *prospect, capped int) error {
	if x.stored && capped == 0 && reflect.DeepEqual(x.old.rules(), x.new.rules()) {
		return nil
	}
	rules, err := json.Marshal(x.new)
	if err != nil {
		return fault.Wrap(err, "policy")
	}
	_, err = s.db.Exec(ctx, `INSERT INTO key_policy (group_id, rules, updated_at, updated_by) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (group_id) DO UPDATE SET rules = excluded.rules, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		x.new.GroupID, string(rules), x.now, by(who))
	if err != nil {
		return fault.Wrap(err, "write policy")
	}
	facts := map[string]any{"new": x.new}
	if x.stored {
		facts["previous"] = x.old
	}
	if capped > 0 {
		facts["keys_given_an_end"] = capped
	}
	return s.policyChanged(ctx, who, "key-policy.update", x.new.GroupID, x.name, facts)
}

// rules is the policy without who set it when.
func (p Policy) rules() Policy {
	p.GroupID, p.UpdatedAt, p.UpdatedBy = 0, time.Time{}, Ref{}
	return p
}

// RemovePolicy takes the policy of a group, or of the instance, out of force.
// It returns NotFound when there is none, and Forbidden.
func (s *Service) RemovePolicy(ctx context.Context, who *access.Principal, groupID int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.storedPolicy(ctx, groupID); errors.Is(err, db.ErrNone) {
			return notFound()
		}
		name, err := s.policyName(ctx, groupID)
		if err != nil {
			return err
		}
		return s.dropPolicy(ctx, who, groupID, name, map[string]any{})
	})
}

// dropPolicy takes out a policy, if there is one, inside the caller's
// transaction.
func (s *Service) dropPolicy(ctx context.Context, who *access.Principal, groupID int64, name string, facts map[string]any) error {
	old, err := s.storedPolicy(ctx, groupID)
	if errors.Is(err, db.ErrNone) {
		return nil
	}
	if err != nil {
		return fault.Wrap(err, "read policy")
	}
	if access.ProtectsAdmins(who) && (Policy{}).loosens(old) {
		return wider()
	}
	if _, err := s.db.Exec(ctx, "DELETE FROM key_policy WHERE group_id = ?1", groupID); err != nil {
		return fault.Wrap(err, "delete policy")
	}
	facts["previous"] = old
	return s.policyChanged(ctx, who, "key-policy.delete", groupID, name, facts)
}

// policyChanged writes the audit entry and the change-log row of a policy.
func (s *Service) policyChanged(ctx context.Context, who *access.Principal, action string, groupID int64, name string, facts map[string]any) error {
	err := s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: action, ObjectKind: "key-policy", ObjectID: groupID, ObjectName: name, Details: facts,
	})
	if err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedPolicy, groupID)
}

// check refuses what a policy cannot say.
func (p Policy) check() error {
	wrong := map[string]string{}
	for field, n := range map[string]int{"default_days": p.DefaultDays, "max_days": p.MaxDays, "max_overlap_days": p.MaxOverlapDays} {
		if n < 0 || n > maxPolicyDays {
			wrong[field] = "Choose 0 to 3650 days; 0 means that there is no rule."
		}
	}
	if wrong["default_days"] == "" && p.MaxDays > 0 && p.DefaultDays > p.MaxDays {
		wrong["default_days"] = "The default must not be longer than the longest life that is allowed."
	}
	if r := p.RateLimit; r != nil && (r.Requests < 1 || r.Requests > maxPolicyRequests || r.Seconds < 1 || r.Seconds > maxPolicySeconds) {
		wrong["rate_limit"] = "Choose 1 to 1000000 requests in 1 to 86400 seconds, or leave the limit out."
	}
	if len(wrong) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Fields: wrong}
}

package apikey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Existing says what a policy does to the keys that are there already.
type Existing struct {
	// Cap gives every key that lives longer than the policy allows an earlier
	// end: max_days after it was made, but not before From.
	Cap  bool
	From *time.Time // nil means a day from now
}

// The problems that keys have with a policy.
const (
	ProblemMaxDays  = "policy-max-days"      // no end, or one that is too late
	ProblemPersonal = "personal-not-allowed" // the person may have no such key any more
	ProblemOverlap  = "overlap"              // an old secret works for too long
)

// Violator is a key that does not fulfil a policy.
type Violator struct {
	Key     Key
	Problem string
	Detail  string
	NewEnd  *time.Time // the end that the key is given; nil when it stays as it is
}

// Violators are the keys that do not fulfil a policy.
type Violators struct {
	Total int        // all of them
	List  []Violator // by problem and key id, at most 1,000
}

const maxViolators = 1000

// Preview returns the keys that would not fulfil a policy, and changes
// nothing. It returns what SetPolicy does.
func (s *Service) Preview(ctx context.Context, who *access.Principal, groupID int64, p Policy, e Existing) (Violators, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Violators{}, err
	}
	x, err := s.prospect(ctx, groupID, p, e)
	if err != nil {
		return Violators{}, err
	}
	return s.violators(ctx, x)
}

// prospect is a policy that is not in force yet.
type prospect struct {
	name     string // of the group
	old, new Policy
	stored   bool     // there is an old one
	others   []Policy // of other groups
	now      time.Time
	last     time.Time // the latest end that it allows a key
	cap      bool
	floor    time.Time // the earliest end that it gives a key
}

// prospect checks a policy and what it shall do to the keys that are there.
func (s *Service) prospect(ctx context.Context, groupID int64, p Policy, e Existing) (*prospect, error) {
	p.GroupID = groupID
	if err := p.check(); err != nil {
		return nil, err
	}
	x := &prospect{new: p, now: s.db.Now(ctx), cap: e.Cap}
	x.last = x.now.Add(time.Duration(p.MaxDays)*day + time.Minute) // the minute is that of Policy.expiry
	x.floor = x.now.Add(day)
	if e.From != nil {
		x.floor = e.From.UTC().Truncate(time.Microsecond)
		if x.floor.Before(x.now.Add(-time.Minute)) {
			return nil, fieldFault("in-the-past", "from", "The first end must not be in the past.")
		}
	}
	var err error
	if x.name, err = s.policyName(ctx, groupID); err != nil {
		return nil, err
	}
	if x.name == "" {
		return nil, fieldFault("unknown-group", "group_id", "There is no group with the id %d.", groupID)
	}
	if x.old, err = s.storedPolicy(ctx, groupID); err != nil && !errors.Is(err, db.ErrNone) {
		return nil, fault.Wrap(err, "read policy")
	}
	x.stored = err == nil
	all, err := allPolicies(ctx, s.db)
	if err != nil {
		return nil, err
	}
	x.others = slices.DeleteFunc(all, func(o Policy) bool { return o.GroupID == groupID })
	return x, s.keepsAdmin(ctx, x)
}

// ofAll reports whether a policy of the group holds for all keys.
func ofAll(groupID int64) bool { return groupID == Instance || groupID == access.AllUsers }

// covered chooses the keys that the policy is about: those in its group, and
// the personal keys of its members. Keys that have ended are out.
func (x *prospect) covered() *condition {
	c := &condition{}
	c.and("k.deleted_at IS NULL AND k.expired_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > " + c.arg(x.now) + ")")
	if !ofAll(x.new.GroupID) {
		c.and("k.user_id IN (SELECT m.user_id FROM membership m WHERE m.group_id = " + c.arg(x.new.GroupID) + ")")
	}
	return c
}

// tooLong chooses the keys that live longer than the policy allows.
func (x *prospect) tooLong() *condition {
	c := x.covered()
	c.and("(k.expires_at IS NULL OR k.expires_at > " + c.arg(x.last) + ")")
	return c
}

// overlapping chooses the keys whose old secret works longer than the policy allows.
func (x *prospect) overlapping() *condition {
	c := x.covered()
	last := x.now.Add(time.Duration(x.new.MaxOverlapDays)*day + time.Minute)
	c.and(`k.id IN (SELECT x.key_id FROM api_key_secret x WHERE x.retired_at IS NULL
		AND (x.retire_at > ` + c.arg(last) + ` OR (x.retire_at IS NULL AND x.silent_days IS NOT NULL)))`)
	return c
}

// disallowed chooses the personal keys of people who may have none any more.
// It returns nil when there can be none.
func (x *prospect) disallowed() *condition {
	if !x.old.AllowPersonal || x.new.AllowPersonal {
		return nil
	}
	c := x.covered()
	c.and("k.kind = 'personal'")
	for _, p := range x.others {
		switch {
		case !p.AllowPersonal:
		case ofAll(p.GroupID):
			return nil
		default:
			c.and("k.user_id NOT IN (SELECT m.user_id FROM membership m WHERE m.group_id = " + c.arg(p.GroupID) + ")")
		}
	}
	return c
}

// violators finds the keys that do not fulfil the policy.
func (s *Service) violators(ctx context.Context, x *prospect) (Violators, error) {
	out := Violators{List: []Violator{}}
	add := func(c *condition, describe func(k Key) Violator) error {
		n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM api_key k"+c.text(), c.args...)
		if err != nil {
			return fault.Wrap(err, "count violators of a policy")
		}
		out.Total += n
		room := maxViolators - len(out.List)
		if n == 0 || room == 0 {
			return nil
		}
		keys, err := db.All(ctx, s.db, scanKey, selectKeys+c.text()+fmt.Sprintf(" ORDER BY k.id LIMIT %d", room), c.args...)
		if err != nil {
			return fault.Wrap(err, "read violators of a policy")
		}
		err = s.addGroups(ctx, keys)
		for _, k := range keys {
			out.List = append(out.List, describe(k))
		}
		return err
	}
	if x.new.MaxDays > 0 {
		if err := add(x.tooLong(), x.describeEnd); err != nil {
			return out, err
		}
	}
	if c := x.disallowed(); c != nil {
		if err := add(c, describePersonal); err != nil {
			return out, err
		}
	}
	if x.new.MaxOverlapDays > 0 {
		return out, add(x.overlapping(), x.describeOverlap)
	}
	return out, nil
}

func (x *prospect) describeEnd(k Key) Violator {
	v := Violator{Key: k, Problem: ProblemMaxDays, NewEnd: x.newEnd(k.CreatedAt, k.ExpiresAt), Detail: "It never ends."}
	if k.ExpiresAt != nil {
		v.Detail = fmt.Sprintf("It ends on %s, which is more than %d days from now.", k.ExpiresAt.Format(time.DateOnly), x.new.MaxDays)
	}
	return v
}

func describePersonal(k Key) Violator {
	return Violator{Key: k, Problem: ProblemPersonal, Detail: k.Owner.Name + " may no longer have personal keys, so it stops working."}
}

func (x *prospect) describeOverlap(k Key) Violator {
	return Violator{Key: k, Problem: ProblemOverlap, Detail: fmt.Sprintf("Its old secret works for more than %d days from now.", x.new.MaxOverlapDays)}
}

// newEnd is the end that the policy gives a key which lives too long; nil when
// the key stays as it is.
func (x *prospect) newEnd(created time.Time, ends *time.Time) *time.Time {
	if !x.cap || x.new.MaxDays == 0 || ends != nil && !ends.After(x.last) {
		return nil
	}
	end := created.Add(time.Duration(x.new.MaxDays) * day)
	if end.Before(x.floor) {
		end = x.floor
	}
	if ends != nil && !end.Before(*ends) {
		return nil
	}
	return &end
}

// keepsAdmin refuses a policy that would lock everybody out: where no active
// person is an administrator, one working key that may do all an administrator
// may must keep the end it has.
func (s *Service) keepsAdmin(ctx context.Context, x *prospect) error {
	if !x.cap || x.new.MaxDays == 0 {
		return nil
	}
	person, err := s.adminPerson(ctx)
	if err != nil || person {
		return err
	}
	keys, err := s.list(ctx, Filter{GroupID: access.Administrators, State: Active})
	if err != nil {
		return err
	}
	ending := false
	for _, k := range keys {
		covered := ofAll(x.new.GroupID) || slices.Contains(ids(k.Groups), x.new.GroupID)
		switch {
		case k.Restriction.Narrows():
		case covered && x.newEnd(k.CreatedAt, k.ExpiresAt) != nil:
			ending = true
		default:
			return nil
		}
	}
	if !ending {
		return nil
	}
	return fault.Coded(fault.Conflict, "last-admin",
		"This would end the last key of an administrator, and no person is one: make a person an administrator first, or leave the keys that are there as they are.")
}

// adminPerson reports whether an active person is an administrator (the tables
// are group's and people's, only read here).
func (s *Service) adminPerson(ctx context.Context) (bool, error) {
	n, err := db.One(ctx, s.db, db.Scalar[int], `SELECT count(*) FROM membership m JOIN users u ON u.id = m.user_id
		WHERE m.group_id = ?1 AND u.kind = 'person' AND u.active`, access.Administrators)
	return n > 0, fault.Wrap(err, "count administrators")
}

func scanCapped(r db.Row) (Key, error) {
	var k Key
	err := r.Scan(&k.ID, &k.Name, db.Time(&k.CreatedAt), db.NullTime(&k.ExpiresAt))
	return k, err
}

// capAll gives the keys that live too long their new end, and returns how many
// those are. Only the audit log needs a statement for each.
func (s *Service) capAll(ctx context.Context, who *access.Principal, x *prospect) (int, error) {
	if !x.cap || x.new.MaxDays == 0 {
		return 0, nil
	}
	c := x.tooLong()
	life, floor := c.arg(int64(x.new.MaxDays)*int64(day/time.Microsecond)), c.arg(x.floor)
	end := "CASE WHEN k.created_at + " + life + " > " + floor + " THEN k.created_at + " + life + " ELSE " + floor + " END"
	c.and("(k.expires_at IS NULL OR k.expires_at > " + end + ")")
	keys, err := db.All(ctx, s.db, scanCapped, "SELECT k.id, k.name, k.created_at, k.expires_at FROM api_key k"+c.text()+" ORDER BY k.id", c.args...)
	if err != nil || len(keys) == 0 {
		return 0, fault.Wrap(err, "read keys that live too long")
	}
	set := "UPDATE api_key AS k SET expires_at = " + end + ", warned_days = NULL, updated_at = " + c.arg(x.now) + ", updated_by = " + c.arg(by(who))
	if _, err := s.db.Exec(ctx, set+c.text(), c.args...); err != nil {
		return 0, fault.Wrap(err, "give keys an end")
	}
	for _, k := range keys {
		err := s.changed(ctx, who, k, "api-key.update", map[string]any{
			"previous": map[string]any{"expires_at": k.ExpiresAt},
			"new":      map[string]any{"expires_at": x.newEnd(k.CreatedAt, k.ExpiresAt)},
			"reason":   "policy", "policy": x.name,
		})
		if err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}

package apikey

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Instance is the group id under which the policy of the whole instance stands.
const Instance int64 = 0

const day = 24 * time.Hour

// Policy is the rule for the keys of the instance or of one group. Of several
// that apply to a key, the strictest limit holds, and what one of them permits
// is permitted.
type Policy struct {
	GroupID        int64             `json:"-"`
	DefaultDays    int               `json:"default_days,omitempty"`     // life of a key whose maker names none; 0 means none
	MaxDays        int               `json:"max_days,omitempty"`         // longest life from now; 0 means no limit
	MaxOverlapDays int               `json:"max_overlap_days,omitempty"` // longest overlap of a rotation; 0 means no limit
	RateLimit      *access.RateLimit `json:"rate_limit,omitempty"`       // for each key
	AllowPersonal  bool              `json:"allow_personal,omitempty"`   // people may make keys for themselves
	SelfRotate     bool              `json:"self_rotate,omitempty"`      // a key may rotate itself
	SelfRevoke     bool              `json:"self_revoke,omitempty"`      // a key may end itself

	UpdatedAt time.Time `json:"-"`
	UpdatedBy Ref       `json:"-"`

	rates []access.RateLimit // of several policies together: all of them hold
}

// selectPolicies reads policies of the table p.
const selectPolicies = `SELECT p.group_id, p.rules, p.updated_at, p.updated_by, u.first_name, u.last_name, u.email
	FROM key_policy p LEFT JOIN users u ON u.id = p.updated_by`

func scanPolicy(r db.Row) (Policy, error) {
	var p Policy
	var id int64
	var rules string
	var at time.Time
	var by actor
	if err := r.Scan(append([]any{&id, &rules, db.Time(&at)}, by.targets()...)...); err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(rules), &p); err != nil {
		return p, err
	}
	p.GroupID, p.UpdatedAt, p.UpdatedBy = id, at, by.maker()
	return p, nil
}

// policyFor returns what holds for a key of the groups: the instance's policy
// and those of All Users and of the groups together.
func policyFor(ctx context.Context, d *db.DB, groups []int64) (Policy, error) {
	all, err := allPolicies(ctx, d)
	if err != nil {
		return Policy{}, err
	}
	return combine(all, groups), nil
}

func allPolicies(ctx context.Context, d *db.DB) ([]Policy, error) {
	all, err := db.All(ctx, d, scanPolicy, selectPolicies+" ORDER BY p.group_id")
	return all, fault.Wrap(err, "read policies")
}

// combine merges the policies that apply to a key of the groups.
func combine(all []Policy, groups []int64) Policy {
	applies := map[int64]bool{Instance: true, access.AllUsers: true}
	for _, id := range groups {
		applies[id] = true
	}
	var out Policy
	for _, p := range all {
		if !applies[p.GroupID] {
			continue
		}
		out.DefaultDays = shorter(out.DefaultDays, p.DefaultDays)
		out.MaxDays = shorter(out.MaxDays, p.MaxDays)
		out.MaxOverlapDays = shorter(out.MaxOverlapDays, p.MaxOverlapDays)
		out.RateLimit = slower(out.RateLimit, p.RateLimit)
		if p.RateLimit != nil && !slices.Contains(out.rates, *p.RateLimit) {
			out.rates = append(out.rates, *p.RateLimit)
		}
		out.AllowPersonal = out.AllowPersonal || p.AllowPersonal
		out.SelfRotate = out.SelfRotate || p.SelfRotate
		out.SelfRevoke = out.SelfRevoke || p.SelfRevoke
	}
	return out
}

// shorter returns the smaller of two limits, of which 0 is none.
func shorter(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// loosens reports whether the policy allows anything that the old one does
// not. A restricted key may only make policies stricter.
func (p Policy) loosens(old Policy) bool {
	longer := func(now, was int) bool { return shorter(now, was) != now }
	return longer(p.DefaultDays, old.DefaultDays) || longer(p.MaxDays, old.MaxDays) || longer(p.MaxOverlapDays, old.MaxOverlapDays) ||
		old.RateLimit != nil && (p.RateLimit == nil || *p.RateLimit != *old.RateLimit && slower(p.RateLimit, old.RateLimit) != p.RateLimit) ||
		p.AllowPersonal && !old.AllowPersonal || p.SelfRotate && !old.SelfRotate || p.SelfRevoke && !old.SelfRevoke
}

// slower returns the rate that lets fewer requests through in the long run.
func slower(a, b *access.RateLimit) *access.RateLimit {
	if a == nil || b != nil && b.Requests*a.Seconds < a.Requests*b.Seconds {
		return b
	}
	return a
}

// textLifetime says what a policy demands of the end of a key.
const textLifetime = "The policy lets keys live for at most %d days: choose a date up to %s."

// expiry returns the end of a key's life: what was asked for, or what the
// policy says when nothing was. It returns Invalid for an end that has passed
// or that the policy does not allow.
func (p Policy) expiry(want opt.Value[time.Time], now time.Time) (*time.Time, error) {
	var last *time.Time
	if p.MaxDays > 0 {
		t := now.Add(time.Duration(p.MaxDays) * day)
		last = &t
	}
	switch end, given := want.Get(); {
	case !want.Set && p.DefaultDays > 0 && (p.MaxDays == 0 || p.DefaultDays < p.MaxDays):
		t := now.Add(time.Duration(p.DefaultDays) * day)
		return &t, nil
	case !want.Set:
		return last, nil
	case given && !end.After(now):
		return nil, fieldFault("in-the-past", "expires_at", "The end must be in the future.")
	case last != nil && (!given || end.After(last.Add(time.Minute))):
		return nil, fieldFault("policy-max-days", "expires_at", textLifetime, p.MaxDays, last.Format(time.DateOnly))
	case given:
		end = end.UTC().Truncate(time.Microsecond)
		return &end, nil
	}
	return nil, nil
}

// textBeyond tells a restricted key that something would live longer than itself.
const textBeyond = "This key ends on %s, and what it makes or changes cannot end later: choose an earlier date."

// notBeyond bounds an end by that of the restricted key that acts: what is
// asked for must not be later, and what is not asked for is at most that.
func (s *Service) notBeyond(ctx context.Context, who *access.Principal, end *time.Time, asked bool) (*time.Time, error) {
	if _, restricted := restrictionOf(who); !restricted {
		return end, nil
	}
	own, err := s.one(ctx, who.KeyID)
	switch {
	case err != nil:
		return nil, err
	case own.ExpiresAt == nil || end != nil && !end.After(*own.ExpiresAt):
		return end, nil
	case asked:
		return nil, fieldFault("beyond-caller", "expires_at", textBeyond, own.ExpiresAt.Format(time.DateOnly))
	}
	return own.ExpiresAt, nil
}

// fieldFault is an Invalid fault at one field, with a code for programs.
func fieldFault(code, field, format string, args ...any) *fault.Error {
	f := fault.Field(field, format, args...)
	f.Code = code
	return f
}

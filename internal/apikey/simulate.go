package apikey

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// Simulation is a check of a key without its text: whether a live secret of it
// would be accepted from an address at a time.
type Simulation struct {
	Principal *access.Principal // who would act; nil when the key's user is not active
	Accepted  bool
	Reason    Reason // why not
	Steps     []access.Step
}

// Simulate runs the checks of Verify for a key, without counting anything.
// It returns NotFound for a key that never was, and Forbidden unless who is an
// administrator or the key itself.
func (v *Verifier) Simulate(ctx context.Context, who *access.Principal, keyID int64, from netip.Addr, at time.Time) (Simulation, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Simulation{}, err
	}
	if who.KeyID != keyID {
		if err := access.RequireAdmin(who); err != nil {
			return Simulation{}, err
		}
	}
	st, err := v.states.Get(ctx, keyID)
	if err == nil {
		st, err = v.fresh(ctx, keyID, st)
	}
	if err != nil {
		return Simulation{}, fault.Wrap(err, "load key")
	}
	if st == nil {
		return Simulation{}, notFound()
	}
	return st.simulate(from, at), nil
}

// simulate lists all steps; the first that fails is the reason.
func (st *state) simulate(from netip.Addr, at time.Time) Simulation {
	s := Simulation{Accepted: true}
	var x *secretState
	for i := range st.secrets {
		if st.secrets[i].retireAt == 0 || at.UnixMicro() < st.secrets[i].retireAt {
			x = &st.secrets[i]
			s.Principal = x.principal
		}
	}
	now := at.UnixMicro()
	expired := st.expired.Load() || st.expiresAt != 0 && now >= st.expiresAt
	disabled := st.disabled && (st.disabledUntil == 0 || now < st.disabledUntil)
	s.step(DeletedKey, !st.deleted, "the key is there", "the key was deleted")
	s.step(Retired, x != nil, "the key has a live secret", "the key has no live secret: rotate it")
	s.step(ExpiredKey, !expired, "the key has not come to its end", fmt.Sprintf("the key ended at %s", stamp(st.expiresAt)))
	s.step(DisabledKey, !disabled, "the key is enabled", "the key is disabled"+until(st.disabledUntil))
	s.step(Inactive, x == nil || s.Principal != nil, "the user behind the key is active",
		"the user behind the key is not active, or no longer in any group of the key, or personal keys are not allowed")
	for _, c := range st.limits.Conditions(from, at) {
		reason := OutsideHours
		if c.Name == access.CodeAddress {
			reason = WrongAddress
		}
		s.step(reason, c.Passed, c.Detail, c.Detail)
	}
	return s
}

// step adds a step, and keeps the first reason to refuse.
func (s *Simulation) step(r Reason, passed bool, yes, no string) {
	detail := yes
	if !passed {
		detail = no
		if s.Accepted {
			s.Accepted, s.Reason = false, r
		}
	}
	s.Steps = append(s.Steps, access.Step{Name: r.String(), Passed: passed, Detail: detail})
}

func stamp(micros int64) string {
	if micros == 0 {
		return "a time that is not known any more"
	}
	return time.UnixMicro(micros).UTC().Format(time.RFC3339)
}

func until(micros int64) string {
	if micros == 0 {
		return ""
	}
	return " until " + stamp(micros)
}

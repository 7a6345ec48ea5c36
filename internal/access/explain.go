package access

import (
	"fmt"
	"net/netip"
	"time"

	"latchkey/internal/fault"
)

// Decision says whether a request would be allowed, and why. It is for people
// and programs that ask; Judge decides.
type Decision struct {
	Allowed   bool
	Anonymous bool   // allowed, but answered like an anonymous caller
	Code      string // of the refusal; "" without one
	DecidedBy string // the name of the step that decided
	Message   string // for people
	Steps     []Step
	Trial     *Refusal // what the restriction on trial would have refused
}

// Step is one check and what it found.
type Step struct {
	Name   string // group, read-only, scope, route, resource, field, address, hours
	Passed bool
	Detail string
}

// StepGroup is the name of the step that looks at the groups. The others are
// named after the codes of their refusals.
const StepGroup = CodeGroup

// Explain says how Judge decides, step by step, with the same checks. All
// steps are there, also those after the one that refuses.
func Explain(who *Principal, req Request) Decision {
	d := Decision{Allowed: true, DecidedBy: StepGroup, Message: levelDetail(who, &req)}
	err := Level(who, &req)
	d.Steps = append(d.Steps, Step{Name: StepGroup, Passed: err == nil, Detail: levelDetail(who, &req)})
	if err != nil {
		d.refuse(StepGroup, &Refusal{Code: fault.As(err).Code, Message: levelDetail(who, &req)})
	}
	if who == nil {
		return d
	}
	for a := range aspects {
		d.explainAspect(who.Limits, a, &req)
	}
	if v := Judge(who, &req); v.Anonymous {
		d.Allowed, d.Anonymous = true, true
		d.Message = "The route is open to everybody, so the key is answered like an anonymous caller. " + d.Message
	} else {
		d.Trial = v.Trial
	}
	return d
}

func (d *Decision) explainAspect(l *Limits, a aspect, req *Request) {
	if !l.restricts(a) {
		return
	}
	if r := l.checkAspect(a, req); r != nil {
		d.Steps = append(d.Steps, Step{Name: r.Code, Detail: r.Detail})
		d.refuse(r.Code, r)
		return
	}
	d.Steps = append(d.Steps, Step{Name: aspectCodes[a], Passed: true, Detail: "the restriction allows it"})
}

// Refuse notes a refusal that only the domain knows of, such as that of a
// binding to collections, which asks what lies where. nil changes nothing.
func (d *Decision) Refuse(r *Refusal) {
	if r == nil {
		return
	}
	for i := range d.Steps {
		if s := &d.Steps[i]; s.Name == r.Code {
			s.Passed, s.Detail = false, r.Detail
			d.refuse(r.Code, r)
			return
		}
	}
	d.Steps = append(d.Steps, Step{Name: r.Code, Detail: r.Detail})
	d.refuse(r.Code, r)
}

// refuse keeps the first refusal.
func (d *Decision) refuse(step string, r *Refusal) {
	if d.Allowed {
		d.Allowed, d.Code, d.DecidedBy, d.Message = false, r.Code, step, r.Message
	}
}

var aspectCodes = [aspects]string{CodeUnreadable, CodeReadOnly, CodeScope, CodeRoute, CodeResource, CodeField}

// restricts reports whether the limits say anything about an aspect.
func (l *Limits) restricts(a aspect) bool {
	if l == nil {
		return false
	}
	switch a {
	case aspectReadable:
		return l.closed
	case aspectReadOnly:
		return l.from.ReadOnly
	case aspectScope:
		return l.scopes != nil
	case aspectRoute:
		return l.routes != nil
	case aspectResource:
		return l.resources != nil
	}
	return l.fields != nil
}

// levelDetail says what the groups had to do with it.
func levelDetail(who *Principal, req *Request) string {
	level := req.Policy.Who
	switch {
	case level == Anyone:
		return "The route is open to everybody."
	case who == nil:
		return "The route is not open to anonymous callers."
	case level == SignedIn:
		return "The route is open to every caller that is known."
	case level == SelfOrAdmin && who.UserID == req.Self:
		return "The call is about the caller itself."
	case who.IsAdmin():
		return fmt.Sprintf("The group Administrators (%d) gives all rights.", Administrators)
	case level == SelfOrAdmin:
		return fmt.Sprintf("The call is about somebody else, and the caller is not in the group Administrators (%d).", Administrators)
	}
	return fmt.Sprintf("The route needs the group Administrators (%d), and the caller is not in it.", Administrators)
}

// Conditions explains whether the limits allow a use from an address at a
// time. Steps stand for the conditions that there are.
func (l *Limits) Conditions(from netip.Addr, at time.Time) []Step {
	var steps []Step
	if l == nil {
		return nil
	}
	if l.from.Addresses != nil {
		s := Step{Name: CodeAddress, Passed: l.From(from), Detail: "the address " + from.String() + " is listed"}
		switch {
		case !from.IsValid():
			s.Detail = "the key is bound to addresses, and none was given"
		case !s.Passed:
			s.Detail = "the address " + from.String() + " is not listed"
		}
		steps = append(steps, s)
	}
	if l.hours != nil {
		s := Step{Name: CodeHours, Passed: l.At(at), Detail: at.In(l.hours.zone).Format("Mon 15:04 MST")}
		steps = append(steps, s)
	}
	return steps
}

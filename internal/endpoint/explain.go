package endpoint

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"latchkey/internal/access"
)

// Asked is a call that a key might make.
type Asked struct {
	KeyID  int64
	Method string
	Path   string     // with its query, when there is one
	Body   []byte     // JSON; empty for none
	From   netip.Addr // of the client; not valid for none
	At     time.Time
}

// Explanation is what would be decided about a call, and how.
type Explanation struct {
	Allowed   bool
	Anonymous bool   // allowed, but answered as if no key was sent
	Status    int    // of the refusal; 0 when allowed
	Code      string // of the refusal; "" when allowed
	DecidedBy string // the name of a step
	Message   string
	Route     *Route // nil when there is none for the call
	Request   access.Request
	Steps     []access.Step
	Trial     *access.Refusal // what the restriction on trial would have refused
	Caller    *access.Principal
	Input     any // what the route would run with; nil when the call finds none, or is refused for what it sends
}

// Explainer says what would be decided about calls, with the checks that
// decide. All fields but Beyond are required.
type Explainer struct {
	// Simulate checks a key as a call would find it: as whom it would call (nil
	// when nobody stands behind it any more), and the steps of the check. The
	// first step that did not pass refuses the key and names the reason.
	Simulate func(ctx context.Context, who *access.Principal, keyID int64, from netip.Addr, at time.Time) (*access.Principal, []access.Step, error)
	// Table returns the routes of the API that has a path.
	Table func(path string) *Table
	// Status returns what a key gets that is refused for a reason.
	Status func(reason string) int
	// NoRoute says in words that a call finds no route.
	NoRoute func() Answered
	// Beyond returns what bindings of a caller refuse of a call that only the
	// domain knows of, nil for nothing.
	Beyond func(ctx context.Context, caller *access.Principal, req *access.Request) (*access.Refusal, error)
	// Bad puts into words the error of a call that is refused for what it
	// sends. It returns nil for any other error.
	Bad func(err error) *Answered
}

// Answered is how a call is refused before the key matters.
type Answered struct {
	Status       int
	Code, Detail string
}

// The names of steps that are not checks of a key.
const (
	StepRoute = "routing" // whether there is such a route
	StepInput = "input"   // whether it takes what is sent
)

// Explain says whether a key may make a call, and what decides it. It returns
// what Simulate does, and Invalid for what is no path.
func (e Explainer) Explain(ctx context.Context, who *access.Principal, call Asked) (Explanation, error) {
	caller, checks, err := e.Simulate(ctx, who, call.KeyID, call.From.Unmap(), call.At)
	if err != nil {
		return Explanation{}, err
	}
	rt, req, in, err := e.Table(call.Path).plan(ctx, caller, call.Method, call.Path, call.Body)
	out := Explanation{Route: rt, Request: req, Caller: caller}
	if rt != nil {
		out.Route = rt.as(req.Policy)
	}
	if err != nil {
		bad := e.Bad(err)
		if bad == nil {
			return Explanation{}, err
		}
		out.refusedBefore(StepInput, *bad)
		return out, nil
	}
	if rt == nil {
		out.refusedBefore(StepRoute, e.NoRoute())
		return out, nil
	}
	out.Input = in
	d := access.Explain(caller, req)
	if d.Allowed && !d.Anonymous && e.Beyond != nil {
		beyond, err := e.Beyond(ctx, caller, &req)
		if err != nil {
			return Explanation{}, err
		}
		d.Refuse(beyond)
	}
	if rt.naming != nil && !access.SeesAll(who) {
		d = out.hide(d)
	}
	e.decide(&out, checks, d)
	if out.Allowed && !out.Anonymous && access.ProtectsAdmins(caller) && req.Policy.Scope.Verb == access.Write {
		out.Message += textMayRefuse
	}
	return out, nil
}

// textMayRefuse is what no restriction says and a call can still meet.
const textMayRefuse = " The call is refused all the same if it would change an administrator, a key that may do more than this one, or a setting that guards the instance."

// hide takes out what was looked up, such as the group and the person of a
// membership: whoever may not see everything would learn it by asking.
func (x *Explanation) hide(d access.Decision) access.Decision {
	const detail = "the call is not about listed resources alone"
	x.Request.Refs = x.Request.Refs[:len(x.Request.Refs)-x.Request.LookedUp]
	for i := range d.Steps {
		if s := &d.Steps[i]; s.Name == access.CodeResource && !s.Passed {
			s.Detail = detail
		}
	}
	if d.Trial != nil && d.Trial.Code == access.CodeResource {
		d.Trial = &access.Refusal{Code: d.Trial.Code, Message: d.Trial.Message, Detail: detail}
	}
	return d
}

// refusedBefore explains a call that is refused before the key matters.
func (x *Explanation) refusedBefore(step string, a Answered) {
	x.Status, x.Code, x.DecidedBy, x.Message = a.Status, a.Code, step, a.Detail
	x.Steps = append(x.Steps, access.Step{Name: step, Detail: a.Detail})
}

// decide puts together what the check of the key found and what access
// decides. A key that is refused is as good as none, except when it is told so.
func (e Explainer) decide(x *Explanation, checks []access.Step, d access.Decision) {
	x.Steps = append(append(x.Steps, checks...), d.Steps...)
	x.Allowed, x.Anonymous, x.DecidedBy, x.Message = d.Allowed, d.Anonymous, d.DecidedBy, d.Message
	refused := failed(checks)
	switch {
	case refused != nil && x.Route.Policy.Who == access.Anyone && e.Status(refused.Name) == http.StatusUnauthorized:
		x.Anonymous, x.DecidedBy = true, refused.Name
		x.Message = "The route is open to everybody, so the call is answered as if no key was sent: " + refused.Detail
	case refused != nil:
		e.refuse(x, refused.Name, refused.Name, refused.Detail)
	case !d.Allowed:
		e.refuse(x, d.Code, d.DecidedBy, d.Message)
	default:
		x.Trial = d.Trial
	}
}

// failed returns the first step that did not pass, or nil.
func failed(steps []access.Step) *access.Step {
	for i := range steps {
		if !steps[i].Passed {
			return &steps[i]
		}
	}
	return nil
}

func (e Explainer) refuse(x *Explanation, code, step, message string) {
	x.Allowed, x.Anonymous = false, false
	x.Status, x.Code, x.DecidedBy, x.Message = e.Status(code), code, step, message
}

package v1

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Simulator checks a key as a call would find it, without its text and without
// counting anything: as whom it would call (nil when nobody stands behind it
// any more), and the steps of the check. A step is named after the code of its
// refusal; the first that did not pass refuses the key. An address that is not
// valid is none. It returns NotFound for a key that never was, and Forbidden
// for one that who may not know about.
type Simulator func(ctx context.Context, who *access.Principal, keyID int64, from netip.Addr, at time.Time) (*access.Principal, []access.Step, error)

func (a *API) explainEndpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		endpoint.New(http.MethodPost, "/v1/explain", "Say whether a key may make a call, and what decides it",
			access.Authenticated(access.KindKeys, access.Read), a.explain),
	}
}

// explainInput is a call that a key might make.
type explainInput struct {
	KeyID   int64             `json:"key_id" rule:"posint" kind:"keys"`
	Method  string            `json:"method" rule:"enum=GET|HEAD|POST|PUT|PATCH|DELETE"`
	Path    string            `json:"path" rule:"nonempty,max=8000"` // with its query, when there is one
	Body    opt.Value[any]    `json:"body"`
	Address opt.Value[string] `json:"address" rule:"nonempty,max=100"` // of the client
	At      opt.Value[string] `json:"at" rule:"time"`                  // now when absent
}

// explanation is what would be decided about a call, and how.
type explanation struct {
	Allowed   bool              `json:"allowed"`
	Anonymous bool              `json:"anonymous"`  // allowed, but answered as if no key was sent
	Status    opt.Value[int]    `json:"status"`     // of the refusal; null when allowed
	Code      opt.Value[string] `json:"code"`       // of the refusal; null when allowed
	DecidedBy string            `json:"decided_by"` // the name of a step
	Message   string            `json:"message"`
	Route     *explainedRoute   `json:"route"` // null when there is none for the call
	Resources []explainedRef    `json:"resources"`
	Writes    []explainedField  `json:"writes"`
	Steps     []explainedStep   `json:"steps"`
	Trial     *explainedRefusal `json:"trial"` // what the restriction on trial would have refused
}

// explainedRoute is the route that the call finds.
type explainedRoute struct {
	Route       string   `json:"route"`
	Doc         string   `json:"doc"`
	Who         string   `json:"who"`
	Scope       string   `json:"scope"`
	ExtraScopes []string `json:"extra_scopes"` // that the call's fields need
}

// explainedRef is a resource that the call names.
type explainedRef struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// explainedField is a field that the call writes.
type explainedField struct {
	Kind  string `json:"kind"`
	Field string `json:"field"`
}

// explainedStep is a check and what it found.
type explainedStep struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"`
}

// explainedRefusal is a refusal that does not count yet.
type explainedRefusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  string `json:"detail"`
}

// The names of steps that are not checks of a key.
const (
	stepRoute = "routing" // whether there is such a route
	stepInput = "input"   // whether it takes what is sent
)

func (a *API) explain(ctx context.Context, c *endpoint.Call, in explainInput) (explanation, error) {
	from, at, err := a.placeAndTime(in)
	if err != nil {
		return explanation{}, err
	}
	who, checks, err := a.deps.Simulate(ctx, c.Who, in.KeyID, from, at)
	if err != nil {
		return explanation{}, err
	}
	rt, req, err := a.plan(ctx, who, in)
	if bad := badRequest(err); err != nil && bad == nil {
		return explanation{}, err
	} else if bad != nil {
		return refusedBefore(stepInput, *bad, rt, req), nil
	}
	if rt == nil {
		return refusedBefore(stepRoute, newProblem(codeTable[codeNoRoute], "", nil), nil, req), nil
	}
	out := newExplanation(rt, req)
	out.decide(checks, access.Explain(who, req))
	return out, nil
}

// placeAndTime returns where and when the call is made.
func (a *API) placeAndTime(in explainInput) (from netip.Addr, at time.Time, err error) {
	if text, ok := in.Address.Get(); ok {
		if from, err = netip.ParseAddr(text); err != nil {
			return from, at, fault.Field("address", "Send an address such as 192.0.2.7 or 2001:db8::7.")
		}
	}
	if !strings.HasPrefix(in.Path, "/") {
		return from, at, fault.Field("path", "Send a path such as /api/user/7.")
	}
	if at = moment(in.At); at.IsZero() {
		at = a.deps.Clock.Now()
	}
	return from.Unmap(), at, nil
}

// plan finds out what the call would want, in the API that has its path.
func (a *API) plan(ctx context.Context, who *access.Principal, in explainInput) (*endpoint.Route, access.Request, error) {
	var body []byte
	if in.Body.Set {
		var err error
		if body, err = json.Marshal(in.Body.V); err != nil {
			return nil, access.Request{}, fault.Wrap(err, "write the body of an explained call")
		}
	}
	table := a.deps.Metabase
	if in.Path == "/v1" || strings.HasPrefix(in.Path, "/v1/") {
		table = a.table
	}
	return table.Plan(ctx, who, in.Method, in.Path, body)
}

// badRequest returns the problem of a call that would be refused for what it
// sends, or nil.
func badRequest(err error) *Problem {
	if _, ok := errors.AsType[*endpoint.ValidationError](err); !ok {
		if _, ok := errors.AsType[*endpoint.PagingError](err); !ok {
			return nil
		}
	}
	p := problemOf(err)
	for _, f := range p.Errors {
		p.Detail += " " + f.Field + ": " + f.Detail
	}
	return &p
}

// refusedBefore explains a call that is refused before the key matters.
func refusedBefore(step string, p Problem, rt *endpoint.Route, req access.Request) explanation {
	out := newExplanation(rt, req)
	out.Status, out.Code = opt.Of(p.Status), opt.Of(p.Code)
	out.DecidedBy, out.Message = step, p.Detail
	out.Steps = append(out.Steps, explainedStep{Name: step, Detail: p.Detail})
	return out
}

// newExplanation says what the call wants.
func newExplanation(rt *endpoint.Route, req access.Request) explanation {
	out := explanation{Resources: []explainedRef{}, Writes: []explainedField{}, Steps: []explainedStep{}}
	if rt != nil {
		out.Route = &explainedRoute{
			Route: rt.Pattern(), Doc: rt.Doc, Who: rt.Policy.Who.String(), Scope: rt.Policy.Scope.String(),
			ExtraScopes: scopeTexts(req.Extra),
		}
	}
	for _, r := range req.Refs {
		out.Resources = append(out.Resources, explainedRef(r))
	}
	for _, w := range req.Writes {
		out.Writes = append(out.Writes, explainedField(w))
	}
	return out
}

// decide puts together what the check of the key found and what access
// decides. A key that is refused is as good as none, except when it is told so.
func (out *explanation) decide(checks []access.Step, d access.Decision) {
	var refused *access.Step
	for i, s := range checks {
		if out.Steps = append(out.Steps, explainedStep(s)); !s.Passed && refused == nil {
			refused = &checks[i]
		}
	}
	for _, s := range d.Steps {
		out.Steps = append(out.Steps, explainedStep(s))
	}
	out.Allowed, out.Anonymous, out.DecidedBy, out.Message = d.Allowed, d.Anonymous, d.DecidedBy, d.Message
	switch {
	case refused != nil && out.Route.Who == access.Anyone.String() && refusalStatus(refused.Name) == http.StatusUnauthorized:
		out.Anonymous, out.DecidedBy = true, refused.Name
		out.Message = "The route is open to everybody, so the call is answered as if no key was sent: " + sentence(refused.Detail)
	case refused != nil:
		out.refuse(refused.Name, refused.Name, refused.Detail)
	case !d.Allowed:
		out.refuse(d.Code, d.DecidedBy, d.Message)
	case d.Trial != nil:
		out.Trial = &explainedRefusal{d.Trial.Code, d.Trial.Message, d.Trial.Detail}
	}
}

func (out *explanation) refuse(code, step, message string) {
	out.Allowed, out.Anonymous = false, false
	out.Status, out.Code = opt.Of(refusalStatus(code)), opt.Of(cmp.Or(code, codeUnknown))
	out.DecidedBy, out.Message = step, sentence(message)
}

// refusalStatus is what a key gets that is refused for a reason. A reason that
// nobody is told looks like no key at all.
func refusalStatus(reason string) int {
	if c, ok := codeTable[reason]; ok && c.status != notSent {
		return c.status
	}
	return http.StatusUnauthorized
}

package v1

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/bulk"
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

// Beyond returns what bindings of a key refuse of a call that only the domain
// knows of, nil for nothing (content.Service.Beyond).
type Beyond func(ctx context.Context, who *access.Principal, req *access.Request) (*access.Refusal, error)

// Forecaster says of each operation of a bulk call what would be decided about
// it (bulk.Service.Foresee).
type Forecaster func(ctx context.Context, who *access.Principal, ops []bulk.Operation) ([]bulk.Foreseen, error)

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
	At      opt.Value[string] `json:"at" rule:"date-time"`             // now when absent
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

	Operations []explainedOperation `json:"operations"` // of a bulk call
}

// explainedOperation is what would be decided about one operation of a bulk call.
type explainedOperation struct {
	Index   int               `json:"index"` // from 0
	Op      string            `json:"op"`
	Allowed bool              `json:"allowed"`
	Status  opt.Value[int]    `json:"status"` // of the refusal; null when allowed
	Code    opt.Value[string] `json:"code"`   // of the refusal; null when allowed
	Message string            `json:"message"`
	Route   string            `json:"route"` // of the single call that does the same; "" when there is none
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

func (a *API) explain(ctx context.Context, c *endpoint.Call, in explainInput) (explanation, error) {
	call, err := a.asked(in)
	if err != nil {
		return explanation{}, err
	}
	e, ops, err := a.explained(ctx, c.Who, call)
	if err != nil {
		return explanation{}, err
	}
	out := showExplanation(e)
	out.Operations = ops
	return out, nil
}

// Explain says whether a key may make a call of one of the APIs, for the
// pages too. It returns what the Simulator does, and Invalid for what is no
// path.
func (a *API) Explain(ctx context.Context, who *access.Principal, call endpoint.Asked) (endpoint.Explanation, error) {
	e, _, err := a.explained(ctx, who, call)
	return e, err
}

// explained is Explain, with what would be decided about the operations of a
// bulk call. One that would be refused undoes all of an atomic call.
func (a *API) explained(ctx context.Context, who *access.Principal, call endpoint.Asked) (endpoint.Explanation, []explainedOperation, error) {
	e, err := endpoint.Explainer{
		Simulate: a.deps.Simulate, Table: a.tableOf, Status: refusalStatus, NoRoute: noRoute, Bad: badRequest, Beyond: a.deps.Beyond,
	}.Explain(ctx, who, call)
	ops := []explainedOperation{}
	in, ok := e.Input.(bulkInput)
	if err != nil || !ok || !e.Allowed || a.deps.Foresee == nil {
		return e, ops, err
	}
	list, err := in.operations()
	if err != nil {
		p := problemOf(err)
		for _, f := range p.Errors {
			p.Detail += " " + f.Field + ": " + f.Detail
		}
		e.Allowed, e.Status, e.Code, e.DecidedBy, e.Message = false, p.Status, p.Code, endpoint.StepInput, p.Detail
		return e, ops, nil
	}
	all, err := a.deps.Foresee(ctx, e.Caller, list)
	if err != nil {
		return e, ops, err
	}
	atomic := in.mode() == string(bulk.Atomic) && !in.dry()
	for i := range all {
		op, err := a.foreseen(ctx, who, e.Caller, i, &all[i])
		if err != nil {
			return e, ops, err
		}
		if ops = append(ops, op); atomic && !op.Allowed && e.Allowed {
			e.Allowed, e.Status, e.Code = false, op.Status.V, op.Code.V
			e.DecidedBy = cmp.Or(all[i].Decision.DecidedBy, endpoint.StepInput)
			e.Message = fmt.Sprintf("Nothing would be changed, because operation %d (%s) would be refused: %s", i, op.Op, op.Message)
		}
	}
	return e, ops, nil
}

// foreseen completes and shows what would be decided about an operation. Who
// may not see everything does not learn by asking what there is.
func (a *API) foreseen(ctx context.Context, who, caller *access.Principal, i int, f *bulk.Foreseen) (explainedOperation, error) {
	out := explainedOperation{Index: i, Op: string(f.Op), Allowed: true}
	if fault.Is(f.Err, fault.NotFound) && !access.SeesAll(who) {
		out.Message = "No restriction refuses it; whether all that it names is there is not told."
		return out, nil
	}
	if f.Err != nil {
		p := faultProblem(fault.As(f.Err))
		out.Allowed, out.Status, out.Code, out.Message = false, opt.Of(p.Status), opt.Of(p.Code), p.Detail
		return out, nil
	}
	if f.Decision.Allowed && a.deps.Beyond != nil {
		beyond, err := a.deps.Beyond(ctx, caller, &f.Request)
		if err != nil {
			return out, err
		}
		f.Decision.Refuse(beyond)
	}
	d := &f.Decision
	out.Route, out.Message = f.Request.Route, sentence(d.Message)
	if !d.Allowed {
		out.Allowed, out.Status, out.Code = false, opt.Of(refusalStatus(d.Code)), opt.Of(d.Code)
	}
	return out, nil
}

// asked reads the call, with where and when it is made.
func (a *API) asked(in explainInput) (endpoint.Asked, error) {
	call := endpoint.Asked{KeyID: in.KeyID, Method: in.Method, Path: in.Path, At: moment(in.At)}
	var err error
	if text, ok := in.Address.Get(); ok {
		if call.From, err = netip.ParseAddr(text); err != nil {
			return call, fault.Field("address", "Send an address such as 192.0.2.7 or 2001:db8::7.")
		}
	}
	if !strings.HasPrefix(in.Path, "/") {
		return call, fault.Field("path", "Send a path such as /api/user/7.")
	}
	if call.At.IsZero() {
		call.At = a.deps.Clock.Now()
	}
	if in.Body.Set {
		if call.Body, err = json.Marshal(in.Body.V); err != nil {
			return call, fault.Wrap(err, "write the body of an explained call")
		}
	}
	return call, nil
}

// tableOf returns the routes of the API that has the path.
func (a *API) tableOf(path string) *endpoint.Table {
	if path == "/v1" || strings.HasPrefix(path, "/v1/") {
		return a.table
	}
	return a.deps.Metabase
}

func noRoute() endpoint.Answered {
	p := newProblem(codeTable[codeNoRoute], "", nil)
	return endpoint.Answered{Status: p.Status, Code: p.Code, Detail: p.Detail}
}

// badRequest returns the answer to a call that would be refused for what it
// sends, or nil.
func badRequest(err error) *endpoint.Answered {
	if _, ok := errors.AsType[*endpoint.ValidationError](err); !ok {
		if _, ok := errors.AsType[*endpoint.PagingError](err); !ok {
			return nil
		}
	}
	p := problemOf(err)
	for _, f := range p.Errors {
		p.Detail += " " + f.Field + ": " + f.Detail
	}
	return &endpoint.Answered{Status: p.Status, Code: p.Code, Detail: p.Detail}
}

// showExplanation puts an explanation into the form of this API.
func showExplanation(e endpoint.Explanation) explanation {
	out := explanation{
		Allowed: e.Allowed, Anonymous: e.Anonymous, DecidedBy: e.DecidedBy, Message: sentence(e.Message),
		Resources: []explainedRef{}, Writes: []explainedField{}, Steps: []explainedStep{},
	}
	if e.Status != 0 {
		out.Status, out.Code = opt.Of(e.Status), opt.Of(cmp.Or(e.Code, codeUnknown))
	}
	if e.Trial != nil {
		out.Trial = &explainedRefusal{e.Trial.Code, e.Trial.Message, e.Trial.Detail}
	}
	if rt := e.Route; rt != nil {
		out.Route = &explainedRoute{
			Route: rt.Pattern(), Doc: rt.Doc, Who: rt.Policy.Who.String(), Scope: rt.Policy.Scope.String(),
			ExtraScopes: scopeTexts(e.Request.Extra),
		}
	}
	for _, r := range e.Request.Refs {
		out.Resources = append(out.Resources, explainedRef(r))
	}
	for _, w := range e.Request.Writes {
		out.Writes = append(out.Writes, explainedField(w))
	}
	for _, s := range e.Steps {
		out.Steps = append(out.Steps, explainedStep(s))
	}
	return out
}

// refusalStatus is what a key gets that is refused for a reason. A reason that
// nobody is told looks like no key at all.
func refusalStatus(reason string) int {
	if c, ok := codeTable[reason]; ok && c.status != notSent {
		return c.status
	}
	return http.StatusUnauthorized
}

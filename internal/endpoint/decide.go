package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// decide asks access whether the caller may do what the call wants.
func (rt *Route) decide(ctx context.Context, c *Call, in reflect.Value) error {
	req := rt.request(c.Request)
	if c.Who.IsKey() {
		if err := rt.fill(ctx, c, &req, in); err != nil {
			return err
		}
	}
	v := access.Judge(c.Who, &req)
	c.Refs, c.Writes, c.Refused, c.Trial = req.Refs, req.Writes, v.Refused, v.Trial
	if v.Anonymous {
		c.Who = nil
	}
	return v.Err
}

// request is what every call of the route wants.
func (rt *Route) request(r *http.Request) access.Request {
	req := access.Request{Policy: rt.Policy, Route: rt.name}
	if rt.Policy.Self != "" {
		req.Self = pathID(r.PathValue(rt.Policy.Self))
	}
	return req
}

// fill adds what this call names and writes.
func (rt *Route) fill(ctx context.Context, c *Call, req *access.Request, in reflect.Value) error {
	if rt.input.used() {
		req.Policy = rt.choosing.choose(rt.Policy, in.Interface())
		w := rt.input.written(req.Policy.Scope.Resource, c)
		req.Refs, req.Extra = rt.input.refs(in), w.extra
		if rt.Policy.Scope.Verb == access.Write {
			req.Writes = w.writes
		}
	}
	if rt.naming == nil || access.Level(c.Who, req) != nil {
		return nil
	}
	more, err := rt.naming.refs(ctx, c, in.Interface())
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("find out what the call names: %w", err)
	}
	for _, ref := range more {
		if !slices.Contains(req.Refs, ref) {
			req.Refs = append(req.Refs, ref)
			req.LookedUp++
		}
	}
	return nil
}

// Plan finds out what a call would want, for access.Explain: the route, and
// the request with all that it names and writes. target is a path with or
// without a query, body is JSON or empty. The route is nil when the table has
// none for the call. With an error that stands for a bad request
// (*ValidationError, *PagingError, *MalformedBodyError) the request holds what
// every call of the route wants.
func (t *Table) Plan(ctx context.Context, who *access.Principal, method, target string, body []byte) (*Route, access.Request, error) {
	rt, req, _, err := t.plan(ctx, who, method, target, body)
	return rt, req, err
}

// plan is Plan, with the input that the call would run with.
func (t *Table) plan(ctx context.Context, who *access.Principal, method, target string, body []byte) (*Route, access.Request, any, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, http.NoBody)
	if err != nil || !strings.HasPrefix(target, "/") {
		return nil, access.Request{}, nil, fault.Field("path", "must be the path of a request, such as /api/user/7")
	}
	c := &Call{Request: r, Header: http.Header{}, Who: who}
	rt := t.Find(c)
	if rt == nil {
		return nil, access.Request{}, nil, nil
	}
	if err := c.ReadQuery(); err != nil {
		return rt, rt.request(r), nil, err
	}
	if len(bytes.TrimSpace(body)) > 0 {
		if err := c.takeJSON(body); err != nil {
			return rt, rt.request(r), nil, err
		}
	}
	req, in, err := rt.plan(ctx, c, rt)
	return rt, req, in, err
}

// simulate decodes a call and fills its request, as if a key had sent it.
func (rt *Route) simulate(ctx context.Context, c *Call, in reflect.Value) (access.Request, error) {
	req := rt.request(c.Request)
	if rt.input.used() {
		if err := rt.input.decode(c, in); err != nil {
			return req, err
		}
	}
	return req, rt.fill(ctx, c, &req, in)
}

// Vocabulary returns what restrictions may say about the routes.
func (t *Table) Vocabulary() *access.Vocabulary {
	list := make([]access.DeclaredRoute, len(t.routes))
	for i, rt := range t.routes {
		list[i] = rt.Declared()
	}
	return access.NewVocabulary(list...)
}

// Declared returns what is declared about who may call the route, and what it
// names and writes.
func (rt *Route) Declared() access.DeclaredRoute {
	d := access.DeclaredRoute{Route: rt.name, Doc: rt.Doc, Policy: rt.Policy, LooksUp: rt.naming != nil, AllKeys: rt.input.allKeys()}
	for _, fields := range [...][]Field{rt.input.path, rt.input.query, rt.input.body} {
		d.Names = appendKinds(d.Names, fields)
	}
	if w := rt.input.whole; w != nil && w.Kind != "" {
		d.Names = append(d.Names, w.Kind)
	}
	if w := rt.input.whole; w != nil && w.as != "" {
		d.Fields = append(d.Fields, w.as)
	}
	if rt.naming != nil {
		d.Names = append(d.Names, rt.naming.kinds...)
	}
	slices.Sort(d.Names)
	d.Names = slices.Compact(d.Names)
	addFields(&d, rt.input.body, "")
	for _, f := range rt.input.query {
		addScope(&d, f.Name, f.Scope)
	}
	rt.choosing.declare(&d)
	return d
}

func appendKinds(out []string, fields []Field) []string {
	for _, f := range fields {
		if f.Kind != "" {
			out = append(out, f.Kind)
		}
		out = appendKinds(out, f.Type.innermost().Fields)
	}
	return out
}

func addScope(d *access.DeclaredRoute, name string, s *access.Scope) {
	if s == nil {
		return
	}
	if d.FieldScopes == nil {
		d.FieldScopes = map[string]access.Scope{}
	}
	d.FieldScopes[name] = *s
	if !slices.Contains(d.Extra, *s) {
		d.Extra = append(d.Extra, *s)
	}
}

func addFields(d *access.DeclaredRoute, fields []Field, prefix string) {
	for _, f := range fields {
		name := prefix + f.Name
		d.Fields = append(d.Fields, name)
		addScope(d, name, f.Scope)
		switch f.Type.Rule {
		case RuleMap:
			d.Free = append(d.Free, name)
		case RuleObject:
			addFields(d, f.Type.Fields, name+".")
		}
	}
}

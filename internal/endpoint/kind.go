package endpoint

import (
	"fmt"
	"reflect"
	"slices"

	"latchkey/internal/access"
)

// chooser says which kind a call is about when the route knows several.
type chooser struct {
	in    reflect.Type
	kinds []string // the first is the policy's
	kind  func(in any) string
}

// Choosing makes a route be about the kind that f finds in the input, which is
// one of kinds, in place of the policy's. A call then needs the scope of that
// kind alone, shows or changes none of the others, and writes its fields to that
// kind. Any other answer of f leaves the policy as it is declared.
func Choosing[In any](e Endpoint, f func(in In) string, kinds ...string) Endpoint {
	e.choosing = &chooser{
		in: reflect.TypeFor[In](), kinds: append([]string{e.Policy.Scope.Resource}, kinds...),
		kind: func(in any) string {
			typed, ok := in.(In)
			if !ok {
				return ""
			}
			return f(typed)
		},
	}
	return e
}

func (c *chooser) fits(in reflect.Type) error {
	switch {
	case c == nil:
		return nil
	case c.in != in:
		return fmt.Errorf("the kind is chosen in %s, but the input is %s", c.in, in)
	case len(c.kinds) < 2 || slices.ContainsFunc(c.kinds, func(kind string) bool { return !access.KnownKind(kind) }):
		return fmt.Errorf("the kind is chosen among %q", c.kinds)
	}
	return nil
}

// choose returns the policy of a call.
func (c *chooser) choose(p access.Policy, in any) access.Policy {
	if c == nil {
		return p
	}
	kind := c.kind(in)
	if !slices.Contains(c.kinds, kind) {
		return p
	}
	p.Scope.Resource = kind
	p.Touches = slices.DeleteFunc(slices.Clone(p.Touches), func(k string) bool { return slices.Contains(c.kinds, k) })
	return p
}

// declare adds what a call can be about in place of what the policy says.
func (c *chooser) declare(d *access.DeclaredRoute) {
	if c == nil {
		return
	}
	d.Instead = c.kinds[1:]
	for _, kind := range d.Instead {
		d.Extra = append(d.Extra, access.Scope{Resource: kind, Verb: d.Policy.Scope.Verb})
	}
}

// as returns the route with the policy that a call of it has.
func (rt *Route) as(p access.Policy) *Route {
	if rt.choosing == nil {
		return rt
	}
	chosen := *rt
	chosen.Policy = p
	return &chosen
}

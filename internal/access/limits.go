package access

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Limits is a restriction made ready for checks. It is immutable and safe for
// concurrent use. A nil *Limits limits nothing.
type Limits struct {
	from      Restriction // canonical
	closed    bool
	scopes    map[Scope]bool // nil: all
	routes    map[string]bool
	resources []binding // by kind
	fields    []binding
	nets      spans
	hours     *window
}

// binding is one kind with the ids or fields that are allowed.
type binding struct {
	kind  string
	items map[string]bool
}

// Compile makes a restriction ready for checks. Its error means that the
// restriction cannot be enforced as it is; use Closed in its place.
func (r Restriction) Compile() (*Limits, error) {
	r = r.Canonical()
	p := parser{wrong: map[string]string{}}
	if r.check(p); len(p.wrong) > 0 {
		return nil, p.fault()
	}
	l := &Limits{from: r, routes: set(r.Routes), resources: bindings(r.Resources), fields: bindings(r.Fields)}
	if r.Scopes != nil {
		l.scopes = make(map[Scope]bool, len(r.Scopes))
		for _, text := range r.Scopes {
			s, _ := ParseScope(text) // check has read it
			l.scopes[s] = true
		}
	}
	l.nets = newSpans(r.Addresses)
	if r.Hours != nil {
		l.hours, _ = r.Hours.compile() // check has compiled it
	}
	return l, nil
}

// Closed returns limits that refuse everything. They stand for a stored
// restriction that cannot be read.
func Closed() *Limits { return &Limits{closed: true} }

func set(list []string) map[string]bool {
	if list == nil {
		return nil
	}
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

func bindings(m map[string][]string) []binding {
	var out []binding
	for _, kind := range slices.Sorted(maps.Keys(m)) {
		out = append(out, binding{kind, set(m[kind])})
	}
	return out
}

// Restriction returns what the limits were made of, in canonical form. That of
// Closed and of nil says nothing.
func (l *Limits) Restriction() Restriction {
	if l == nil {
		return Restriction{}
	}
	return l.from
}

// Unreadable reports whether the limits stand for a restriction that cannot be read.
func (l *Limits) Unreadable() bool { return l != nil && l.closed }

// Narrows reports whether the limits take rights away.
func (l *Limits) Narrows() bool { return l != nil && (l.closed || l.from.Narrows()) }

// From reports whether a client with the address may use the key. An unknown
// address is none of those that are listed.
func (l *Limits) From(addr netip.Addr) bool {
	return l == nil || l.from.Addresses == nil || l.nets.contains(addr)
}

// At reports whether the key may be used at the time.
func (l *Limits) At(t time.Time) bool { return l == nil || l.hours == nil || l.hours.holds(t) }

// sees reports whether the limits are bound to no resources of the kind, or to
// the one with the id.
func (l *Limits) sees(kind, id string) bool {
	for i := range l.resources {
		if l.resources[i].kind == kind {
			return l.resources[i].items[id]
		}
	}
	return !l.closed
}

// aspect is one part of a restriction that a request is checked against.
type aspect int

// The aspects, in the order of the checks.
const (
	aspectReadable aspect = iota
	aspectReadOnly
	aspectScope
	aspectRoute
	aspectResource
	aspectField
	aspects // how many there are
)

// Check returns why the limits do not allow a request, or nil. It allocates
// nothing when they do.
func (l *Limits) Check(req *Request) *Refusal {
	if l == nil {
		return nil
	}
	for a := range aspects {
		if r := l.checkAspect(a, req); r != nil {
			return r
		}
	}
	return nil
}

func (l *Limits) checkAspect(a aspect, req *Request) *Refusal {
	switch a {
	case aspectReadOnly:
		return l.checkVerb(req)
	case aspectScope:
		return l.checkScopes(req)
	case aspectRoute:
		return l.checkRoute(req)
	case aspectResource:
		return l.checkResources(req)
	case aspectField:
		return l.checkFields(req)
	}
	if l.closed {
		return &Refusal{
			Code:    CodeUnreadable,
			Message: "The restriction of this key cannot be read, so the key may do nothing. An administrator has to set it anew.",
			Detail:  "the stored restriction does not compile",
		}
	}
	return nil
}

func (l *Limits) checkVerb(req *Request) *Refusal {
	if !l.from.ReadOnly {
		return nil
	}
	if req.Policy.Scope.Verb == Read && !slices.ContainsFunc(req.Extra, func(s Scope) bool { return s.Verb != Read }) {
		return nil
	}
	return &Refusal{
		Code: CodeReadOnly, Message: "This key only reads.",
		Detail: "the route needs " + req.Policy.Scope.String(),
	}
}

func (l *Limits) checkScopes(req *Request) *Refusal {
	if l.scopes == nil {
		return nil
	}
	if s := req.Policy.Scope; s.Resource != KindSelf && !l.scopes[s] {
		return lacks(s)
	}
	for _, s := range req.Extra {
		if !l.scopes[s] {
			return lacks(s)
		}
	}
	return nil
}

func lacks(s Scope) *Refusal {
	return &Refusal{
		Code: CodeScope, Message: "This key lacks the scope " + s.String() + ".",
		Detail: "needs the scope " + s.String(),
	}
}

func (l *Limits) checkRoute(req *Request) *Refusal {
	if l.routes == nil || l.routes[req.Route] || (req.Policy.Scope == Scope{KindSelf, Read}) {
		return nil
	}
	return &Refusal{
		Code: CodeRoute, Message: "This key may not call this route.",
		Detail: "the route " + req.Route + " is not listed",
	}
}

func (l *Limits) checkResources(req *Request) *Refusal {
	for i := range l.resources {
		if l.resources[i].kind == KindCollections && req.Policy.InCollections {
			continue // Collections decides
		}
		if r := l.resources[i].checkRefs(req); r != nil {
			return r
		}
	}
	return nil
}

// checkRefs wants every resource of the kind that the request names to be one
// of those that are allowed, and wants it to name one when it shows or changes
// the kind at all: what names none, such as a list, is about all of them.
func (b *binding) checkRefs(req *Request) *Refusal {
	named := false
	for i := range req.Refs {
		ref := &req.Refs[i]
		if ref.Kind != b.kind {
			continue
		}
		if !b.items[ref.ID] {
			return elsewhere(b.kind, b.kind+" "+ref.ID+" is not listed")
		}
		named = true
	}
	if named || !req.touches(b.kind) {
		return nil
	}
	return elsewhere(b.kind, "the route shows or changes "+b.kind+" and the call names none")
}

func (l *Limits) checkFields(req *Request) *Refusal {
	if req.Policy.Scope.Verb != Write {
		return nil
	}
	for i := range l.fields {
		if r := l.fields[i].checkWrites(req); r != nil {
			return r
		}
	}
	return nil
}

// checkWrites wants every field of the kind that the request writes to be
// allowed, and wants it to write one when its route changes the kind: what
// writes none, such as a deletion, changes all of it.
func (b *binding) checkWrites(req *Request) *Refusal {
	wrote := false
	for i := range req.Writes {
		w := &req.Writes[i]
		if w.Kind != b.kind {
			continue
		}
		if !b.covers(w.Field) {
			return &Refusal{
				Code: CodeField, Message: "This key may not write the field " + w.Field + " of " + b.kind + ".",
				Detail: "the field " + w.Field + " of " + b.kind + " is not listed",
			}
		}
		wrote = true
	}
	if wrote || !changes(req.Policy.Scope.Resource, b.kind) {
		return nil
	}
	return &Refusal{
		Code: CodeField, Message: "This key may write single fields of " + b.kind + " only, and this call is not about those alone.",
		Detail: "the call changes " + b.kind + " and writes none of the listed fields",
	}
}

// changes reports whether a write of one kind changes fields of another.
func changes(kind, other string) bool {
	if kind == other {
		return true
	}
	k := kindByName[kind]
	return k != nil && k.PartOf == other
}

// covers reports whether a field is listed, or something that it is a member of.
func (b *binding) covers(field string) bool {
	if b.items[field] {
		return true
	}
	for i := range len(field) {
		if field[i] == '.' && b.items[field[:i]] {
			return true
		}
	}
	return false
}

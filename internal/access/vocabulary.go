package access

import (
	"maps"
	"slices"
	"strings"
)

// DeclaredRoute is what restrictions, explanations and documents need to know
// of a route.
type DeclaredRoute struct {
	Route   string   // the pattern, such as "PUT /api/user/{id}"
	Doc     string   // one line
	Policy  Policy   // with the kinds that it names and touches
	Extra   []Scope  // scopes that some of its fields need, and those of Instead
	Instead []string // the kinds that a call may be about in place of the policy's
	Names   []string // the kinds whose resources a call can name
	LooksUp bool     // some of those are looked up, and not in the call's values
	Fields  []string // the fields that it writes, members with dots
	Free    []string // those among Fields whose members may have any name
	AllKeys bool     // every key of the body is a field

	FieldScopes map[string]Scope // Extra by field
}

// Vocabulary is what a restriction may speak of: the declared routes and the
// fields that they write. A nil Vocabulary knows no route and no field.
type Vocabulary struct {
	routes map[string]DeclaredRoute
	fields map[string]map[string]bool // by kind; true where members may have any name
}

// NewVocabulary returns the vocabulary of some routes.
func NewVocabulary(routes ...DeclaredRoute) *Vocabulary {
	v := &Vocabulary{routes: map[string]DeclaredRoute{}, fields: map[string]map[string]bool{}}
	for _, rt := range routes {
		v.add(rt)
	}
	return v
}

// Merge returns one vocabulary for several, such as those of two APIs.
func Merge(all ...*Vocabulary) *Vocabulary {
	out := NewVocabulary()
	for _, v := range all {
		if v == nil {
			continue
		}
		for _, rt := range v.routes {
			out.add(rt)
		}
	}
	return out
}

func (v *Vocabulary) add(rt DeclaredRoute) {
	v.routes[rt.Route] = rt
	if rt.Policy.Scope.Verb != Write || len(rt.Fields) == 0 {
		return
	}
	for _, kind := range rt.Kinds() {
		if v.fields[kind] == nil {
			v.fields[kind] = map[string]bool{}
		}
		for _, f := range rt.Fields {
			v.fields[kind][f] = v.fields[kind][f] || slices.Contains(rt.Free, f)
		}
	}
}

// Routes returns the declared routes, by pattern.
func (v *Vocabulary) Routes() []DeclaredRoute {
	if v == nil {
		return nil
	}
	out := slices.Collect(maps.Values(v.routes))
	slices.SortFunc(out, func(a, b DeclaredRoute) int { return strings.Compare(a.Route, b.Route) })
	return out
}

// HasRoute reports whether the pattern is that of a declared route.
func (v *Vocabulary) HasRoute(pattern string) bool {
	if v == nil {
		return false
	}
	_, ok := v.routes[pattern]
	return ok
}

// FieldKinds returns the kinds whose fields some route writes.
func (v *Vocabulary) FieldKinds() []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.fields))
}

// Fields returns the fields of a kind that some route writes.
func (v *Vocabulary) Fields(kind string) []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.fields[kind]))
}

// HasField reports whether some route writes the field of the kind, or whether
// it is a member of a field whose members may have any name.
func (v *Vocabulary) HasField(kind, field string) bool {
	if v == nil {
		return false
	}
	known := v.fields[kind]
	if _, ok := known[field]; ok {
		return true
	}
	for i := range len(field) {
		if field[i] == '.' && i+1 < len(field) && known[field[:i]] {
			return true
		}
	}
	return false
}

// Scopes returns every scope that some route needs, as kind:verb.
func (v *Vocabulary) Scopes() []string {
	seen := map[string]bool{}
	for _, rt := range v.Routes() {
		for _, s := range append([]Scope{rt.Policy.Scope}, rt.Extra...) {
			if s.Resource != KindSelf {
				seen[s.String()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

package access

import "slices"

// CanBind reports whether single resources of the kind can be named in a
// restriction.
func CanBind(kind string) bool {
	k := kindByName[kind]
	return k != nil && k.Bound
}

// Kinds returns the kinds of which a call of the route can be: one of them.
func (d DeclaredRoute) Kinds() []string {
	return append([]string{d.Policy.Scope.Resource}, d.Instead...)
}

// TouchesKind reports whether a call of the route shows or changes resources
// of the kind.
func (d DeclaredRoute) TouchesKind(kind string) bool {
	return touches(d.Policy.Scope.Resource, kind) || slices.Contains(d.Policy.Touches, kind)
}

// CanName reports whether a call of the route can name resources of the kind.
func (d DeclaredRoute) CanName(kind string) bool { return slices.Contains(d.Names, kind) }

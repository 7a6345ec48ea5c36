package access

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/internal/fault"
)

// Who names the callers that a route lets in at all.
type Who int

// The callers, from anybody to administrators. The zero value is invalid, so
// that a route which declares nothing stops the start.
const (
	Anyone      Who = iota + 1 // also anonymous
	SignedIn                   // any principal
	SelfOrAdmin                // the person whom Policy.Self names, or an administrator
	Admins                     // members of Administrators
)

var whoNames = map[Who]string{Anyone: "anyone", SignedIn: "signed-in", SelfOrAdmin: "self-or-admin", Admins: "admins"}

// String returns the stable name of the callers.
func (w Who) String() string { return whoNames[w] }

// Verb is what a route does with its resource kind.
type Verb string

// The verbs of a scope.
const (
	Read  Verb = "read"
	Write Verb = "write"
)

// Scope is a resource kind and a verb, such as people:read.
type Scope struct {
	Resource string // the name of one of Kinds
	Verb     Verb
}

// String returns the scope as kind:verb.
func (s Scope) String() string { return s.Resource + ":" + string(s.Verb) }

// ParseScope reads kind:verb. It reports false for an unknown kind or verb.
func ParseScope(text string) (Scope, bool) {
	kind, verb, _ := strings.Cut(text, ":")
	s := Scope{kind, Verb(verb)}
	return s, s.known()
}

func (s Scope) known() bool { return KnownKind(s.Resource) && (s.Verb == Read || s.Verb == Write) }

// Policy is a route's declaration of who may call it, and of what it is about.
type Policy struct {
	Who     Who
	Scope   Scope
	Self    string   // with SelfOrAdmin: the path value that holds the user's id
	Names   []Name   // the path values that name resources
	Touches []string // the kinds that the route shows or changes beside its scope's

	InCollections bool // the domain decides by collection what the call shows and changes
}

// ByCollection returns the policy of a route whose domain asks Collections
// about everything that it shows or changes. A key that is bound to collections
// may call it, whether or not the call names one: what lies in them with all
// below is all that it meets there.
func (p Policy) ByCollection() Policy {
	p.InCollections = true
	return p
}

// Name says that a path value is the id of a resource.
type Name struct{ Kind, Path string }

// Naming returns the policy of a route whose path value is the id of a
// resource of the kind.
func (p Policy) Naming(kind, pathValue string) Policy {
	p.Names = append(slices.Clip(p.Names), Name{kind, pathValue})
	return p
}

// Touching returns the policy of a route that shows or changes the kinds
// beside that of its scope. A key that is bound to single resources of such a
// kind may call it only when the call names those.
func (p Policy) Touching(kinds ...string) Policy {
	p.Touches = append(slices.Clip(p.Touches), kinds...)
	return p
}

// Public lets anybody call a route.
func Public(resource string, v Verb) Policy {
	return Policy{Who: Anyone, Scope: Scope{resource, v}}
}

// Authenticated lets any principal call a route.
func Authenticated(resource string, v Verb) Policy {
	return Policy{Who: SignedIn, Scope: Scope{resource, v}}
}

// Admin lets administrators call a route.
func Admin(resource string, v Verb) Policy {
	return Policy{Who: Admins, Scope: Scope{resource, v}}
}

// Self lets the person with the id in the path value, and administrators, call a route.
func Self(resource string, v Verb, pathValue string) Policy {
	return Policy{Who: SelfOrAdmin, Scope: Scope{resource, v}, Self: pathValue}
}

// Validate says what is missing in a declaration. The server does not start
// with a route whose policy is incomplete.
func (p Policy) Validate() error {
	switch {
	case whoNames[p.Who] == "":
		return fmt.Errorf("policy declares no callers")
	case p.Scope.Resource == "" || (p.Scope.Verb != Read && p.Scope.Verb != Write):
		return fmt.Errorf("policy declares no scope")
	case !p.Scope.known():
		return fmt.Errorf("policy declares the unknown kind %q", p.Scope.Resource)
	case (p.Who == SelfOrAdmin) != (p.Self != ""):
		return fmt.Errorf("policy for self needs the path value that holds the id")
	}
	for _, n := range p.Names {
		if !KnownKind(n.Kind) || n.Path == "" {
			return fmt.Errorf("policy names the unknown kind %q", n.Kind)
		}
	}
	for _, kind := range p.Touches {
		if !KnownKind(kind) {
			return fmt.Errorf("policy touches the unknown kind %q", kind)
		}
	}
	return nil
}

// Forbidden is the fault of a principal whose groups do not let it do something.
func Forbidden() error {
	return fault.Coded(fault.Forbidden, CodeGroup, "You don't have permissions to do that.")
}

// Unauthenticated is the fault of a caller without a principal.
func Unauthenticated() error { return fault.New(fault.Unauthenticated, "Unauthenticated") }

// RequireSignedIn refuses anonymous callers.
func RequireSignedIn(who *Principal) error {
	if who == nil {
		return Unauthenticated()
	}
	return nil
}

// RequireAdmin refuses everybody but administrators.
func RequireAdmin(who *Principal) error {
	if who == nil {
		return Unauthenticated()
	}
	if !who.IsAdmin() {
		return Forbidden()
	}
	return nil
}

// RequireSelfOrAdmin refuses everybody but the user with the id and administrators.
func RequireSelfOrAdmin(who *Principal, userID int64) error {
	if who == nil {
		return Unauthenticated()
	}
	if who.UserID != userID && !who.IsAdmin() {
		return Forbidden()
	}
	return nil
}

package access

import (
	"fmt"

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
	Resource string // people, groups, memberships, keys, settings, session
	Verb     Verb
}

// String returns the scope as kind:verb.
func (s Scope) String() string { return s.Resource + ":" + string(s.Verb) }

// Policy is a route's declaration of who may call it.
type Policy struct {
	Who   Who
	Scope Scope
	Self  string // with SelfOrAdmin: the path value that holds the user's id
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
	case (p.Who == SelfOrAdmin) != (p.Self != ""):
		return fmt.Errorf("policy for self needs the path value that holds the id")
	}
	return nil
}

// Forbidden is the fault of a principal that may not do something.
func Forbidden() error { return fault.New(fault.Forbidden, "You don't have permissions to do that.") }

// Unauthenticated is the fault of a caller without a principal.
func Unauthenticated() error { return fault.New(fault.Unauthenticated, "Unauthenticated") }

// Decide says whether who may pass the policy. self is the user id that the
// path names, and counts only for SelfOrAdmin. It returns an Unauthenticated
// or a Forbidden fault, or nil.
func Decide(who *Principal, p Policy, self int64) error {
	switch p.Who {
	case Anyone:
		return nil
	case SignedIn:
		return RequireSignedIn(who)
	case SelfOrAdmin:
		return RequireSelfOrAdmin(who, self)
	case Admins:
		return RequireAdmin(who)
	}
	return Forbidden()
}

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

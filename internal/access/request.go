package access

import (
	"slices"
	"strconv"

	"latchkey/internal/fault"
)

// Ref is a resource, by kind and id.
type Ref struct{ Kind, ID string }

// NewRef returns a resource whose id is written in the one way that compares:
// numbers without leading zeros.
func NewRef(kind, id string) Ref { return Ref{kind, canonicalID(kind, id)} }

// FieldWrite is a field that a call writes. Members of objects are written with
// dots: details.dbname.
type FieldWrite struct{ Kind, Field string }

// Request is what a call wants: the route with its policy, and what the call
// names and writes.
type Request struct {
	Policy Policy
	Route  string       // the pattern, such as "PUT /api/user/{id}"
	Self   int64        // the user id in the path; counts only for SelfOrAdmin
	Refs   []Ref        // the resources that the call names
	Writes []FieldWrite // the fields that the call writes
	Extra  []Scope      // further scopes that the call's fields need

	LookedUp int // how many of Refs, the last ones, do not stand in the call itself
}

// touches reports whether the request shows or changes resources of the kind.
func (r *Request) touches(kind string) bool {
	if touches(r.Policy.Scope.Resource, kind) {
		return true
	}
	for _, k := range r.Policy.Touches {
		if k == kind {
			return true
		}
	}
	for _, s := range r.Extra {
		if touches(s.Resource, kind) {
			return true
		}
	}
	return false
}

// The reason codes of refusals. They are stable words for programs.
const (
	CodeGroup          = "group"                  // the groups do not allow it
	CodeReadOnly       = "read-only"              // the key only reads
	CodeScope          = "scope"                  // the key lacks the scope
	CodeRoute          = "route"                  // the key may not call the route
	CodeResource       = "resource"               // the key is bound to other resources
	CodeField          = "field"                  // the key may not write the field
	CodeAddress        = "address"                // the key may not be used from there
	CodeHours          = "hours"                  // the key may not be used at this time
	CodeRateLimit      = "rate-limit"             // too many requests in a short time
	CodeQuota          = "quota"                  // too many requests in a day or month
	CodeProtectedAdmin = "protected-admin"        // a restricted key never changes administrators
	CodeUnreadable     = "restriction-unreadable" // the stored restriction cannot be read
)

// Refusal is the answer of a restriction that does not allow a request.
type Refusal struct {
	Code    string // one of the codes
	Message string // safe to show to the caller
	Detail  string // what was wanted and missed, for explanations and the log
}

// Err returns the refusal as a Forbidden fault with its code. nil stays nil.
func (r *Refusal) Err() error {
	if r == nil {
		return nil
	}
	return fault.Coded(fault.Forbidden, r.Code, "%s", r.Message)
}

// Verdict is what Judge found.
type Verdict struct {
	Err       error    // an Unauthenticated or Forbidden fault; nil lets the caller pass
	Anonymous bool     // the caller passes, but as if it were anonymous
	Refused   *Refusal // what refused a key, also when it passes as anonymous
	Trial     *Refusal // what the restriction on trial would have refused
}

// Judge decides whether who may do what the request wants: the groups first,
// then the key's restriction. A route that is open to everybody stays open to
// a key whose restriction does not allow it, but answers it like an anonymous
// caller. Judge does not keep the request and, when it lets the caller pass,
// allocates nothing.
func Judge(who *Principal, req *Request) Verdict {
	if err := Level(who, req); err != nil {
		v := Verdict{Err: err}
		if who.IsKey() {
			v.Refused = groupRefusal(req)
		}
		return v
	}
	if who == nil {
		return Verdict{}
	}
	if r := who.Limits.Check(req); r != nil {
		if req.Policy.Who == Anyone {
			return Verdict{Anonymous: true, Refused: r}
		}
		return Verdict{Err: r.Err(), Refused: r}
	}
	return Verdict{Trial: who.Trial.Check(req)}
}

// Elsewhere is the fault of a key that is bound to single resources of a kind
// and reaches for others. It is what a binding refuses, wherever it is noticed:
// before a handler runs, or by the domain, which alone knows what lies where.
func Elsewhere(kind string) error { return elsewhere(kind, "").Err() }

// elsewhere refuses what is not about the resources that are allowed. Its
// message is the same whether the call names others or none: what is looked up
// and not there names none, and must not be told from what is there.
func elsewhere(kind, detail string) *Refusal {
	return &Refusal{
		Code: CodeResource, Message: "This key is bound to single " + kind + ", and this call is not about those alone.",
		Detail: detail,
	}
}

func groupRefusal(req *Request) *Refusal {
	return &Refusal{
		Code: CodeGroup, Message: "The groups of this key do not allow this.",
		Detail: "the route is for " + req.Policy.Who.String(),
	}
}

// Decide says whether who may do what the request wants. It returns an
// Unauthenticated or a Forbidden fault, or nil. Callers that answer keys on
// public routes ask Judge instead.
func Decide(who *Principal, req Request) error { return Judge(who, &req).Err }

// Level decides by the groups alone. It returns an Unauthenticated or a
// Forbidden fault, or nil.
func Level(who *Principal, req *Request) error {
	switch req.Policy.Who {
	case Anyone:
		return nil
	case SignedIn:
		return RequireSignedIn(who)
	case SelfOrAdmin:
		return RequireSelfOrAdmin(who, req.Self)
	case Admins:
		return RequireAdmin(who)
	}
	return Forbidden()
}

// Sees reports whether who may see one resource in the answer to a call that
// it was allowed: a key that is bound to resources of the kind sees no others.
func Sees(who *Principal, kind string, id int64) bool {
	return who == nil || who.Limits == nil || who.Limits.sees(kind, strconv.FormatInt(id, 10))
}

// Binds reports whether the restriction of a key, if any, binds it to single
// resources of a kind.
func Binds(who *Principal, kind string) bool {
	if who == nil || who.Limits == nil {
		return false
	}
	return slices.ContainsFunc(who.Limits.resources, func(b binding) bool { return b.kind == kind })
}

// SeesAll reports whether who may see everything: an administrator whose rights
// no restriction takes away.
func SeesAll(who *Principal) bool { return who.IsAdmin() && !who.Limits.Narrows() }

// ProtectsAdmins reports whether administrators are safe from who: a key with
// less than all rights of its groups changes neither an administrator's
// account nor who is an administrator, or it could get those rights back.
func ProtectsAdmins(who *Principal) bool { return who.IsKey() && who.Limits.Narrows() }

// ProtectedAdmin is the fault of a key that tries to change an administrator.
func ProtectedAdmin() error {
	return fault.Coded(fault.Forbidden, CodeProtectedAdmin,
		"A restricted key cannot change an administrator's account, nor who is an administrator.")
}

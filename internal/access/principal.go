package access

import (
	"slices"
)

// Kind says what stands behind a principal.
type Kind int

// The kinds of principal.
const (
	Person      Kind = iota + 1 // a signed-in person, by session
	ServiceKey                  // an API key with its synthetic user
	Local                       // the command line, on the machine that holds the data
	PersonalKey                 // an API key that acts as the person who made it
)

var kindNames = map[Kind]string{Person: "person", ServiceKey: "api-key", Local: "command-line", PersonalKey: "personal-key"}

// String returns the kind's stable name, as the audit log stores it.
func (k Kind) String() string { return kindNames[k] }

// Group ids that every instance has (contract/identity.md 3.0).
const (
	AllUsers       int64 = 1
	Administrators int64 = 2
)

// Principal is who acts. It is immutable: a change of the person, key or
// memberships makes a new one. A nil *Principal is an anonymous caller.
type Principal struct {
	Kind      Kind
	UserID    int64 // the person's id, or that of the user behind a key
	KeyID     int64 // 0 unless the principal is a key
	SecretID  int64 // which of the key's secrets was shown, 0 unless the principal is a key
	SessionID int64 // row id of the session, 0 unless Kind is Person
	Name      string
	Email     string
	Locale    string  // "" means the instance's
	Groups    []int64 // sorted; always holds AllUsers for stored users
	Limits    *Limits // what a key may do less than its groups; nil means nothing less
	Trial     *Limits // what a restriction on trial would let a key do; nil without one
}

// CommandLine is the principal of commands run beside the data. It may do
// everything, and the audit log names it so.
func CommandLine() *Principal {
	return &Principal{Kind: Local, Name: "command line", Groups: []int64{AllUsers, Administrators}}
}

// IsKey reports whether the principal is an API key of any kind.
func (p *Principal) IsKey() bool { return p != nil && (p.Kind == ServiceKey || p.Kind == PersonalKey) }

// IsAdmin reports whether the principal is in Administrators
// (Metabase: is_superuser, contract/identity.md 3.0).
func (p *Principal) IsAdmin() bool { return p != nil && p.InGroup(Administrators) }

// InGroup reports whether the principal is a member of the group.
func (p *Principal) InGroup(id int64) bool {
	_, ok := slices.BinarySearch(p.Groups, id)
	return ok
}

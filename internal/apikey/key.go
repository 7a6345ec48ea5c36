package apikey

import (
	"time"

	"latchkey/internal/access"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// The bounds of what people write about a key, in characters.
const (
	maxName        = 254 // contract/identity.md 1.1
	maxDescription = 2000
	maxReason      = 500
	maxTag         = 50
	maxTags        = 20
)

// Kind says what stands behind a key.
type Kind string

// The kinds of key.
const (
	KindService  Kind = "service"  // a user of its own, made with the key
	KindPersonal Kind = "personal" // the person who made it
)

// State is what a key is good for now.
type State string

// The states. Only an active key works.
const (
	Active   State = "active"
	Disabled State = "disabled"
	Expired  State = "expired"
	Deleted  State = "deleted"
)

// Where keys come from that no person made.
const (
	SourceSeed      = "seed"
	SourceBootstrap = "bootstrap"
)

// Ref names a group or a user beside a key.
type Ref struct {
	ID   int64 // 0 for the command line, or for nobody
	Name string
}

// Key is an API key as people see it. Its text is never here.
type Key struct {
	ID          int64
	Kind        Kind
	UserID      int64 // the user behind the key: its own, or the person
	Name        string
	Description string
	Prefix      string // the first 7 characters of the newest text
	Group       Ref    // the first group beside All Users, or All Users
	Groups      []Ref  // all groups beside All Users, by id; of a personal key those that were chosen
	Owner       Ref    // the person who answers for it; ID 0 means nobody
	Successor   Ref    // who follows when the owner is deactivated; ID 0 means nobody
	Tags        []string

	Restriction access.Restriction
	Unreadable  bool                // what is stored as the restriction cannot be read, so the key is refused everything
	Trial       *access.Restriction // reports what it would refuse, and refuses nothing
	TrialSince  *time.Time

	ExpiresAt      *time.Time // nil means never
	ExpiredAt      *time.Time // when the end was noticed
	DisabledAt     *time.Time
	DisabledUntil  *time.Time // when it works again by itself; nil means never
	DisabledReason string
	DisabledBy     Ref
	ReviewSince    *time.Time // the owner was deactivated and nobody followed
	Source         string     // seed or bootstrap; "" for keys that people made

	CreatedAt time.Time
	UpdatedAt time.Time
	CreatedBy Ref
	UpdatedBy Ref
	DeletedAt *time.Time
}

// Masked returns the key's text as lists show it.
func (k Key) Masked() string { return Masked(k.Prefix) }

// State returns what the key is good for at a time.
func (k Key) State(now time.Time) State {
	switch {
	case k.DeletedAt != nil:
		return Deleted
	case k.ExpiredAt != nil || k.ExpiresAt != nil && !now.Before(*k.ExpiresAt):
		return Expired
	case k.DisabledAt != nil && (k.DisabledUntil == nil || now.Before(*k.DisabledUntil)):
		return Disabled
	}
	return Active
}

// Draft is a key that is to be made.
type Draft struct {
	Name        string
	Description string
	Groups      []int64 // of a personal key: groups of the person to use
	OwnerID     int64   // 0 means nobody
	SuccessorID int64   // 0 means nobody
	Tags        []string
	Restriction access.Restriction
	ExpiresAt   opt.Value[time.Time] // absent: as the policy says; null: never, if the policy allows
	Source      string

	// Supplied is a text from outside, such as a seed file: 12 to 254
	// characters. Empty means that a new one is made.
	Supplied secret.Text
	// Digest stands for a text that is known elsewhere.
	Digest *Digest
}

// Change is a partial update; what is absent or null stays, unless its comment
// says otherwise.
type Change struct {
	Name        opt.Value[string]
	GroupID     opt.Value[int64]   // the one group beside All Users
	Groups      opt.Value[[]int64] // all groups beside All Users
	Description opt.Value[string]
	OwnerID     opt.Value[int64] // null or 0: nobody
	SuccessorID opt.Value[int64] // null or 0: nobody
	Tags        opt.Value[[]string]
	ExpiresAt   opt.Value[time.Time] // null: never, if the policy allows
}

// Filter chooses keys for a list. The zero value chooses the service keys that
// are not deleted, whatever their state.
type Filter struct {
	Query   string     // part of the name in any case, or the first 7 characters of the text
	GroupID int64      // members of this group; 0 means all
	Kind    Kind       // "" means KindService
	AnyKind bool       // service and personal keys
	UserID  int64      // the user behind the key; 0 means all
	OwnerID int64      // 0 means all
	Tag     string     // "" means all
	State   State      // "" means all but deleted
	Review  bool       // only those that need a new owner
	Before  *time.Time // only those that end before
	Limit   int        // 0 means all
	Offset  int
	ByAge   bool // oldest first; otherwise by name
}

const textNameTaken = "An API key with this name already exists."

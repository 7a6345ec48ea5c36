package apikey

import (
	"time"

	"latchkey/internal/opt"
)

// maxName is the longest name of a key, in characters (contract/identity.md 1.1).
const maxName = 254

// Ref names a group or a user beside a key.
type Ref struct {
	ID   int64 // 0 for the command line
	Name string
}

// Key is an API key as people see it. Its text is never here.
type Key struct {
	ID        int64
	UserID    int64 // the user behind the key
	Name      string
	Prefix    string // the first 7 characters of the text
	Group     Ref    // the group whose permissions it has, beside All Users
	CreatedAt time.Time
	UpdatedAt time.Time
	CreatedBy Ref
	UpdatedBy Ref
}

// Masked returns the key's text as lists show it.
func (k Key) Masked() string { return Masked(k.Prefix) }

// Change is a partial update; what is absent or null stays.
type Change struct {
	Name    opt.Value[string]
	GroupID opt.Value[int64]
}

// Filter chooses keys for a list.
type Filter struct {
	Query   string // part of the name in any case, or the first 7 characters of the text
	GroupID int64  // members of this group; 0 means all
	Limit   int    // 0 means all
	Offset  int
	ByAge   bool // oldest first; otherwise by name
}

const textNameTaken = "An API key with this name already exists."

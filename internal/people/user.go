package people

import (
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// The kinds of user, as the database stores them.
const (
	KindPerson = "person"
	KindKey    = "api-key" // the user behind an API key (contract/identity.md 1.2)
)

// The tips that a person sees until they are put away, by the contract's name
// (contract/identity.md 2.7, PUT /api/user/:id/modal/:modal).
const (
	ModalQuestions = "qbnewb"
	ModalDatasets  = "datasetnewb"
)

// User is a person, or the user behind an API key.
type User struct {
	ID              int64
	Kind            string // KindPerson or KindKey
	Email           string // lower case
	FirstName       *string
	LastName        *string
	Locale          *string // nil means the instance's
	CommonName      string  // "first last", or the e-mail address when both are null
	Active          bool
	IsAdmin         bool    // is in Administrators
	Groups          []int64 // sorted; always holds All Users
	QBNewb          bool    // the tips of the question editor are still to be shown
	DatasetNewb     bool
	HasPassword     bool // false until a person who was invited has chosen one
	LoginAttributes map[string]any
	DateJoined      time.Time
	UpdatedAt       time.Time
	FirstLogin      *time.Time
	LastLogin       *time.Time
	DeactivatedAt   *time.Time
}

// Status chooses users by whether they are active.
type Status string

// The choices of users. Any other value means Active.
const (
	Active      Status = "active"
	Deactivated Status = "deactivated"
	All         Status = "all"
)

// Filter chooses persons. The zero value chooses all active ones.
type Filter struct {
	Status  Status
	Query   string // part of the names or the e-mail address, in any case
	GroupID int64  // members of this group; 0 for any
	Limit   int    // 0 for all
	Offset  int
}

// Page is a part of a list. The zero value is all of it.
type Page struct{ Limit, Offset int }

// NewUser is a person to create.
type NewUser struct {
	Email           string
	FirstName       *string
	LastName        *string
	Groups          []int64 // nil means All Users; otherwise All Users must be among them
	LoginAttributes map[string]any
	Password        secret.Text // empty: the person chooses one by a link
	Quiet           bool        // no invitation is sent
}

// Change is what to change of a user; what is absent stays.
type Change struct {
	Email           opt.Value[string] // null is ignored
	FirstName       opt.Value[string]
	LastName        opt.Value[string]
	Locale          opt.Value[string]
	IsAdmin         opt.Value[bool]    // null is ignored, and so is all of it unless who is an administrator
	Groups          opt.Value[[]int64] // null is ignored
	LoginAttributes opt.Value[map[string]any]
}

// Member is a user as a member of one group.
type Member struct {
	MembershipID int64
	GroupID      int64
	User
}

// Facts is what clients ask about the person who is signed in
// (contract/identity.md 2.7, GET /api/user/current).
type Facts struct {
	IsInstaller          bool // the first person of this instance
	HasInvitedSecondUser bool // is the installer, and there is another person
}

// CommonName returns the name that people see: "first last", or the e-mail
// address of who has neither (contract/identity.md 2.7).
func CommonName(first, last, email string) string {
	if first == "" && last == "" {
		return email
	}
	return strings.TrimSpace(first + " " + last)
}

func commonName(first, last *string, email string) string {
	return CommonName(text(first), text(last), email)
}

// text returns the string, "" for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// sortKeys returns the texts by which users are ordered and searched: the
// columns sort_name, sort_last and search_text.
func sortKeys(first, last *string, email string) (name, byLast, search string) {
	f, l := strings.ToLower(text(first)), strings.ToLower(text(last))
	return f + "\x01" + l, l + "\x01" + f, strings.TrimSpace(f+" "+l) + "\x01" + strings.ToLower(email)
}

// setGroups completes a user with its groups, which must be sorted.
func (u *User) setGroups(groups []int64) {
	u.Groups = groups
	u.IsAdmin = slices.Contains(groups, access.Administrators)
}

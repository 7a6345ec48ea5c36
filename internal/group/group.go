package group

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// Magic types, as the contract names them (contract/identity.md 3.0).
const (
	MagicAllUsers = "all-internal-users"
	MagicAdmin    = "admin"
)

// maxName is the longest name of a group, in characters. Metabase fails inside
// SQL beyond 255; here it is a clean 400.
const maxName = 255

// Group is a permission group.
type Group struct {
	ID          int64
	Name        string
	Magic       string // MagicAllUsers, MagicAdmin or ""
	EntityID    string // 21 characters, "" for magic groups
	MemberCount int64  // active members, those behind API keys included
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Membership says that a user belongs to a group.
type Membership struct {
	ID      int64
	GroupID int64
	UserID  int64
}

// Texts of the contract (contract/identity.md 3.3 to 3.6).
const (
	textAllUsers  = "You cannot add or remove users to/from the 'All Users' group."
	textLastAdmin = "You cannot remove the last member of the 'Admin' group!"
	textNameTaken = "A group with that name already exists."
)

func magicFault(g Group) error {
	return fault.New(fault.Invalid, "You cannot edit or delete the '%s' permissions group!", g.Name)
}

// nameKey is the form in which names are compared and ordered.
func nameKey(name string) string { return strings.ToLower(name) }

// Snapshot is all groups at one moment. It is immutable.
type Snapshot struct {
	Version uint64  // grows with every change; names the snapshot
	ByName  []Group // ordered by lower(name), then id
	byID    []int   // positions in ByName, ordered by id
}

func newSnapshot(version uint64, groups []Group) *Snapshot {
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(strings.Compare(nameKey(a.Name), nameKey(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	s := &Snapshot{Version: version, ByName: groups, byID: make([]int, len(groups))}
	for i := range s.byID {
		s.byID[i] = i
	}
	slices.SortFunc(s.byID, func(a, b int) int { return cmp.Compare(groups[a].ID, groups[b].ID) })
	return s
}

// ByID returns a group.
func (s *Snapshot) ByID(id int64) (Group, bool) {
	i, ok := slices.BinarySearchFunc(s.byID, id, func(pos int, id int64) int {
		return cmp.Compare(s.ByName[pos].ID, id)
	})
	if !ok {
		return Group{}, false
	}
	return s.ByName[s.byID[i]], true
}

// with returns the snapshot after some groups changed; absent ones are gone.
// When every changed group keeps its name and none is new, the order stands
// and the cost is one copy, so a new member does not sort all groups again.
func (s *Snapshot) with(ids []int64, rows map[int64]Group) *Snapshot {
	if next, ok := s.inPlace(ids, rows); ok {
		return next
	}
	changed := make(map[int64]bool, len(ids))
	for _, id := range ids {
		changed[id] = true
	}
	groups := make([]Group, 0, len(s.ByName)+len(rows))
	for _, g := range s.ByName {
		if !changed[g.ID] {
			groups = append(groups, g)
		}
	}
	for _, g := range rows {
		groups = append(groups, g)
	}
	return newSnapshot(s.Version+1, groups)
}

func (s *Snapshot) inPlace(ids []int64, rows map[int64]Group) (*Snapshot, bool) {
	next := &Snapshot{Version: s.Version + 1, ByName: slices.Clone(s.ByName), byID: s.byID}
	for _, id := range ids {
		g, here := rows[id]
		old, there := s.ByID(id)
		if here != there || (here && nameKey(g.Name) != nameKey(old.Name)) {
			return nil, false
		}
		if !here {
			continue
		}
		pos, _ := slices.BinarySearchFunc(s.byID, id, func(pos int, id int64) int {
			return cmp.Compare(s.ByName[pos].ID, id)
		})
		next.ByName[s.byID[pos]] = g
	}
	return next, true
}

// protected says why nobody may change the members of a group by hand.
func protected(groupID int64) error {
	if groupID == access.AllUsers {
		return fault.New(fault.Invalid, textAllUsers)
	}
	return nil
}

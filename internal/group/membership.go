package group

import (
	"context"
	"errors"
	"iter"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// AddMember adds a user to a group and returns the membership's id. Adding to
// Administrators makes an administrator. It returns Invalid for All Users, for
// an unknown user or group and for a user who is a member already, and Forbidden.
func (s *Service) AddMember(ctx context.Context, who *access.Principal, groupID, userID int64) (int64, error) {
	if err := access.RequireAdmin(who); err != nil {
		return 0, err
	}
	if err := protected(groupID); err != nil {
		return 0, err
	}
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		var err error
		id, err = s.add(ctx, who, groupID, userID)
		return err
	})
	return id, err
}

// RemoveMembership removes one membership. It returns NotFound before
// Forbidden (contract/identity.md 3.6), and Invalid for All Users and for the
// last administrator.
func (s *Service) RemoveMembership(ctx context.Context, who *access.Principal, membershipID int64) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		m, err := s.MembershipOf(ctx, membershipID)
		if err != nil {
			return err
		}
		if err := access.RequireAdmin(who); err != nil {
			return err
		}
		if err := protected(m.GroupID); err != nil {
			return err
		}
		return s.remove(ctx, who, m.GroupID, m.UserID)
	})
}

// RemoveMember removes a user from a group. It returns NotFound when the user
// is no member, Invalid for All Users and the last administrator, and Forbidden.
func (s *Service) RemoveMember(ctx context.Context, who *access.Principal, groupID, userID int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	if err := protected(groupID); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		is, err := s.isMember(ctx, groupID, userID)
		if err != nil {
			return err
		}
		if !is {
			return notFound()
		}
		return s.remove(ctx, who, groupID, userID)
	})
}

// Memberships returns all memberships by user, inactive users included.
func (s *Service) Memberships(ctx context.Context, who *access.Principal) (map[int64][]Membership, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	out := map[int64][]Membership{}
	err := db.Each(ctx, s.db, scanMembership, func(m Membership) error {
		out[m.UserID] = append(out[m.UserID], m)
		return nil
	}, selectMemberships+" ORDER BY user_id, group_id")
	return out, fault.Wrap(err, "read memberships")
}

// MembershipOf returns the membership with an id. It decides nothing: the
// caller has. It returns NotFound.
func (s *Service) MembershipOf(ctx context.Context, id int64) (Membership, error) {
	m, err := db.One(ctx, s.db, scanMembership, selectMemberships+" WHERE id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return m, notFound()
	}
	return m, fault.Wrap(err, "read membership")
}

// OfUser returns the ids of the groups of a user, sorted.
func (s *Service) OfUser(ctx context.Context, userID int64) ([]int64, error) {
	ids, err := db.All(ctx, s.db, db.Scalar[int64], "SELECT group_id FROM membership WHERE user_id = ?1 ORDER BY group_id", userID)
	return ids, fault.Wrap(err, "read the groups of a user")
}

// SetForUser replaces the groups of a user whose row exists, inside the
// caller's transaction. It decides nothing: the caller has. It returns Invalid
// when All Users is missing, a group is unknown, or the last administrator
// would go, and whether anything changed.
func (s *Service) SetForUser(ctx context.Context, who *access.Principal, userID int64, groups []int64) (bool, error) {
	if !slices.Contains(groups, access.AllUsers) {
		return false, fault.New(fault.Invalid, textAllUsers)
	}
	old, err := s.OfUser(ctx, userID)
	if err != nil {
		return false, err
	}
	want := slices.Compact(slices.Sorted(slices.Values(groups)))
	changed := false
	for _, g := range want {
		if slices.Contains(old, g) {
			continue
		}
		if _, err := s.add(ctx, who, g, userID); err != nil {
			return false, err
		}
		changed = true
	}
	for _, g := range old {
		if slices.Contains(want, g) {
			continue
		}
		if err := s.remove(ctx, who, g, userID); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

// ActiveChanged follows a user whose active flag was just written, inside the
// caller's transaction: the groups' counts move with it. It returns Invalid
// when that leaves no active administrator.
func (s *Service) ActiveChanged(ctx context.Context, userID int64, active bool) error {
	by := int64(1)
	if !active {
		by = -1
	}
	groups, err := s.countAll(ctx, userID, by)
	if err != nil {
		return err
	}
	if !active && slices.Contains(groups, access.Administrators) {
		return s.someAdmin(ctx)
	}
	return nil
}

// KeyEnded follows the user behind a key that was deleted. It is ActiveChanged
// without the guard: ending a key must always be possible.
func (s *Service) KeyEnded(ctx context.Context, userID int64) error {
	_, err := s.countAll(ctx, userID, -1)
	return err
}

// countAll moves the counts of all groups of a user and returns their ids.
func (s *Service) countAll(ctx context.Context, userID, by int64) ([]int64, error) {
	groups, err := s.OfUser(ctx, userID)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if err := s.count(ctx, g, by); err != nil {
			return nil, err
		}
	}
	return groups, s.db.Record(ctx, db.ChangedUser, userID)
}

// protectAdmins refuses a restricted key that would change who is an administrator.
func protectAdmins(who *access.Principal, groupID int64) error {
	if groupID == access.Administrators && access.ProtectsAdmins(who) {
		return access.ProtectedAdmin()
	}
	return nil
}

// add makes one membership.
func (s *Service) add(ctx context.Context, who *access.Principal, groupID, userID int64) (int64, error) {
	if err := protectAdmins(who, groupID); err != nil {
		return 0, err
	}
	g, u, err := s.ends(ctx, groupID, userID)
	if err != nil {
		return 0, err
	}
	id, err := s.db.Insert(ctx, "INSERT INTO membership (group_id, user_id) VALUES (?1, ?2) RETURNING id", groupID, userID)
	if db.IsUnique(err) {
		return 0, alreadyMember()
	}
	if err != nil {
		return 0, fault.Wrap(err, "write membership")
	}
	if u.active {
		err = s.count(ctx, groupID, 1)
	}
	if err != nil {
		return 0, err
	}
	return id, s.memberChanged(ctx, who, "membership.add", g, userID)
}

// remove ends one membership that exists.
func (s *Service) remove(ctx context.Context, who *access.Principal, groupID, userID int64) error {
	if err := protectAdmins(who, groupID); err != nil {
		return err
	}
	g, u, err := s.ends(ctx, groupID, userID)
	if err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, "DELETE FROM membership WHERE group_id = ?1 AND user_id = ?2", groupID, userID); err != nil {
		return fault.Wrap(err, "delete membership")
	}
	if u.active {
		err = s.count(ctx, groupID, -1)
	}
	if err == nil && u.active && u.person && groupID == access.Administrators {
		err = s.someAdmin(ctx)
	}
	if err != nil {
		return err
	}
	return s.memberChanged(ctx, who, "membership.remove", g, userID)
}

// end is the user's end of a membership.
type end struct{ active, person bool }

func scanEnd(r db.Row) (end, error) {
	var e end
	err := r.Scan(&e.active, &e.person)
	return e, err
}

func alreadyMember() error {
	return fault.Coded(fault.Invalid, "already-member", "This user is already a member of the group.")
}

// unknownEnd has the text of the newest release (contract/identity.md 3.6).
func unknownEnd() error {
	return fault.New(fault.Invalid, "Cannot add non-tenant user to tenant-group or vice versa")
}

// ends reads both ends of a membership. An unknown one gives the text of the
// newest release (contract/identity.md 3.6), which says no more than needed.
func (s *Service) ends(ctx context.Context, groupID, userID int64) (Group, end, error) {
	unknown := unknownEnd()
	u, err := db.One(ctx, s.db, scanEnd, "SELECT active, kind = 'person' FROM users WHERE id = ?1", userID)
	if errors.Is(err, db.ErrNone) {
		return Group{}, u, unknown
	}
	if err != nil {
		return Group{}, u, fault.Wrap(err, "read user")
	}
	g, err := s.selectOne(ctx, groupID)
	if fault.Is(err, fault.NotFound) {
		return g, u, unknown
	}
	return g, u, err
}

// someAdmin refuses that a person leaves Administrators without an active
// member. Keys count as members there (contract/identity.md 3.0); to take a key
// out is always possible, because it may have leaked.
func (s *Service) someAdmin(ctx context.Context) error {
	g, err := s.selectOne(ctx, access.Administrators)
	if err != nil {
		return err
	}
	if g.MemberCount < 1 {
		return fault.New(fault.Invalid, textLastAdmin)
	}
	return nil
}

// count moves the kept number of active members.
func (s *Service) count(ctx context.Context, groupID, by int64) error {
	_, err := s.db.Exec(ctx, "UPDATE permission_group SET member_count = member_count + ?2 WHERE id = ?1", groupID, by)
	if err != nil {
		return fault.Wrap(err, "count members")
	}
	return s.db.Record(ctx, db.ChangedGroup, groupID)
}

// memberChanged writes the audit entry and the change-log row. All Users gets
// no entry: everybody is in it, from the entry that created them.
func (s *Service) memberChanged(ctx context.Context, who *access.Principal, action string, g Group, userID int64) error {
	if g.ID == access.AllUsers {
		return s.db.Record(ctx, db.ChangedUser, userID)
	}
	err := s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: action, ObjectKind: "group", ObjectID: g.ID, ObjectName: g.Name, Details: map[string]any{"user_id": userID},
	})
	if err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedUser, userID)
}

func (s *Service) isMember(ctx context.Context, groupID, userID int64) (bool, error) {
	n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM membership WHERE group_id = ?1 AND user_id = ?2", groupID, userID)
	return n > 0, fault.Wrap(err, "read membership")
}

// chunks cuts ids into lists that fit the placeholders of one statement.
func chunks(ids []int64) iter.Seq[[]int64] { return slices.Chunk(ids, 500) }

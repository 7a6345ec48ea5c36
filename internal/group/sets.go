package group

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Pair is a membership, by its ends.
type Pair struct{ GroupID, UserID int64 }

// AddMembers makes many memberships at once. For each pair it returns the id of
// the membership, or why there is none: the faults of AddMember. A pair that is
// refused leaves the others alone. The audit log gets one entry for each group.
func (s *Service) AddMembers(ctx context.Context, who *access.Principal, pairs []Pair) (ids []int64, refused []error, err error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, nil, err
	}
	ids, refused = make([]int64, len(pairs)), make([]error, len(pairs))
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		e, err := s.endsOf(ctx, pairs)
		if err != nil {
			return err
		}
		wanted := make(map[Pair]int, len(pairs))
		for i, p := range pairs {
			if _, again := wanted[p]; again {
				refused[i] = alreadyMember()
			} else if refused[i] = e.mayAdd(who, p); refused[i] == nil {
				wanted[p] = i
			}
		}
		made, err := s.insertPairs(ctx, pairs, wanted)
		if err != nil {
			return err
		}
		var added []Pair
		for p, i := range wanted {
			if ids[i] = made[p]; ids[i] == 0 {
				refused[i] = alreadyMember()
				continue
			}
			added = append(added, p)
		}
		return s.changedPairs(ctx, who, "membership.add", e, added, 1)
	})
	return ids, refused, err
}

// RemoveMembers ends many memberships at once. For each pair it returns nil, or
// why the membership stays or was none: the faults of RemoveMember. A pair that
// is refused leaves the others alone.
func (s *Service) RemoveMembers(ctx context.Context, who *access.Principal, pairs []Pair) (refused []error, err error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	refused = make([]error, len(pairs))
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		e, err := s.endsOf(ctx, pairs)
		if err != nil {
			return err
		}
		wanted := make(map[Pair]int, len(pairs))
		for i, p := range pairs {
			if refused[i] = e.mayRemove(who, p); refused[i] != nil {
				continue
			}
			_, again := wanted[p]
			switch {
			case again:
				refused[i] = notFound()
			case p.GroupID == access.Administrators: // each may be the last
				if refused[i], err = s.attemptRemove(ctx, who, p); err != nil {
					return err
				}
			default:
				wanted[p] = i
			}
		}
		return s.removeWanted(ctx, who, e, wanted, refused)
	})
	return refused, err
}

// attemptRemove removes one member and tells a refusal from a failure.
func (s *Service) attemptRemove(ctx context.Context, who *access.Principal, p Pair) (refused, err error) {
	err = s.db.Attempt(ctx, func(ctx context.Context) error { return s.RemoveMember(ctx, who, p.GroupID, p.UserID) })
	if fault.Is(err, fault.Internal) {
		return nil, err
	}
	return err, nil
}

func (s *Service) removeWanted(ctx context.Context, who *access.Principal, e pairEnds, wanted map[Pair]int, refused []error) error {
	gone, err := s.deletePairs(ctx, slices.Collect(maps.Keys(wanted)))
	if err != nil {
		return err
	}
	for p, i := range wanted {
		if !gone[p] {
			refused[i] = notFound()
		}
	}
	return s.changedPairs(ctx, who, "membership.remove", e, slices.Collect(maps.Keys(gone)), -1)
}

// pairEnds are the ends of pairs that exist.
type pairEnds struct {
	groups map[int64]Group
	users  map[int64]end
}

func (e pairEnds) exist(p Pair) bool {
	_, user := e.users[p.UserID]
	_, group := e.groups[p.GroupID]
	return user && group
}

// mayAdd says why somebody may not put a user into a group.
func (e pairEnds) mayAdd(who *access.Principal, p Pair) error {
	if err := firstErr(protected(p.GroupID), protectAdmins(who, p.GroupID)); err != nil {
		return err
	}
	if !e.exist(p) {
		return unknownEnd()
	}
	return nil
}

// mayRemove says why somebody may not take a user out of a group.
func (e pairEnds) mayRemove(who *access.Principal, p Pair) error {
	if err := firstErr(protected(p.GroupID), protectAdmins(who, p.GroupID)); err != nil {
		return err
	}
	if !e.exist(p) {
		return notFound()
	}
	return nil
}

// firstErr returns the first error.
func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) endsOf(ctx context.Context, pairs []Pair) (pairEnds, error) {
	var groups, users []int64
	for _, p := range pairs {
		groups, users = append(groups, p.GroupID), append(users, p.UserID)
	}
	e := pairEnds{users: map[int64]end{}}
	var err error
	if e.groups, err = s.selectByID(ctx, distinct(groups)); err != nil {
		return e, fault.Wrap(err, "read the groups of memberships")
	}
	for part := range chunks(distinct(users)) {
		err := db.Each(ctx, s.db, scanUserEnd, func(u userEnd) error { e.users[u.id] = u.end; return nil },
			"SELECT id, active, kind = 'person' FROM users WHERE id IN "+db.List(1, len(part)), anys(part)...)
		if err != nil {
			return e, fault.Wrap(err, "read the users of memberships")
		}
	}
	return e, nil
}

type userEnd struct {
	id int64
	end
}

func scanUserEnd(r db.Row) (userEnd, error) {
	var u userEnd
	err := r.Scan(&u.id, &u.active, &u.person)
	return u, err
}

// insertPairs writes memberships in the order of pairs and returns their ids.
// One that is there already has none.
func (s *Service) insertPairs(ctx context.Context, pairs []Pair, wanted map[Pair]int) (map[Pair]int64, error) {
	made := make(map[Pair]int64, len(wanted))
	var list []Pair
	for i, p := range pairs {
		if at, ok := wanted[p]; ok && at == i {
			list = append(list, p)
		}
	}
	for part := range slices.Chunk(list, chunkPairs) {
		var q strings.Builder
		q.WriteString("INSERT INTO membership (group_id, user_id) VALUES ")
		args := make([]any, 0, 2*len(part))
		for i, p := range part {
			if i > 0 {
				q.WriteByte(',')
			}
			q.WriteString("(?" + strconv.Itoa(2*i+1) + ",?" + strconv.Itoa(2*i+2) + ")")
			args = append(args, p.GroupID, p.UserID)
		}
		q.WriteString(" ON CONFLICT (group_id, user_id) DO NOTHING RETURNING id, group_id, user_id")
		err := db.Each(ctx, s.db, scanMembership, func(m Membership) error {
			made[Pair{m.GroupID, m.UserID}] = m.ID
			return nil
		}, q.String(), args...)
		if err != nil {
			return nil, fault.Wrap(err, "write memberships")
		}
	}
	return made, nil
}

// chunkPairs is how many memberships one statement writes.
const chunkPairs = 250

// deletePairs removes memberships and returns those that were there.
func (s *Service) deletePairs(ctx context.Context, pairs []Pair) (map[Pair]bool, error) {
	gone := make(map[Pair]bool, len(pairs))
	for groupID, users := range byGroup(pairs) {
		for part := range chunks(users) {
			err := db.Each(ctx, s.db, db.Scalar[int64], func(id int64) error { gone[Pair{groupID, id}] = true; return nil },
				"DELETE FROM membership WHERE group_id = ?1 AND user_id IN "+db.List(2, len(part))+" RETURNING user_id",
				append([]any{groupID}, anys(part)...)...)
			if err != nil {
				return nil, fault.Wrap(err, "delete memberships")
			}
		}
	}
	return gone, nil
}

// byGroup sorts pairs by their group.
func byGroup(pairs []Pair) map[int64][]int64 {
	out := map[int64][]int64{}
	for _, p := range pairs {
		out[p.GroupID] = append(out[p.GroupID], p.UserID)
	}
	for _, users := range out {
		slices.Sort(users)
	}
	return out
}

// changedPairs moves the kept counts by the sign, and writes the audit entries
// and the change-log rows of memberships that were made or ended.
func (s *Service) changedPairs(ctx context.Context, who *access.Principal, action string, e pairEnds, pairs []Pair, sign int64) error {
	if len(pairs) == 0 {
		return nil
	}
	all := byGroup(pairs)
	var entries []audit.Entry
	var groups, users []int64
	for _, groupID := range slices.Sorted(maps.Keys(all)) {
		active := int64(0)
		for _, id := range all[groupID] {
			if e.users[id].active {
				active++
			}
		}
		_, err := s.db.Exec(ctx, "UPDATE permission_group SET member_count = member_count + ?2 WHERE id = ?1", groupID, sign*active)
		if err != nil {
			return fault.Wrap(err, "count members")
		}
		groups, users = append(groups, groupID), append(users, all[groupID]...)
		if groupID == access.AllUsers {
			continue // everybody is in it, from the entry that made them
		}
		entries = append(entries, audit.Entry{
			Action: action, ObjectKind: "group", ObjectID: groupID, ObjectName: e.groups[groupID].Name, Details: memberDetails(all[groupID]),
		})
	}
	if err := s.audit.AppendAll(ctx, who.Actor(), entries); err != nil {
		return err
	}
	if err := s.db.RecordAll(ctx, db.ChangedGroup, groups); err != nil {
		return err
	}
	return s.db.RecordAll(ctx, db.ChangedUser, distinct(users))
}

// memberDetails names one user as a single change does, or all of several.
func memberDetails(users []int64) map[string]any {
	if len(users) == 1 {
		return map[string]any{"user_id": users[0]}
	}
	return map[string]any{"user_ids": users, "count": len(users)}
}

func distinct(ids []int64) []int64 { return slices.Compact(slices.Sorted(slices.Values(ids))) }

func anys(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// MembershipID returns the id of a membership, 0 when there is none. It decides
// nothing: the caller has.
func (s *Service) MembershipID(ctx context.Context, p Pair) (int64, error) {
	ids, err := db.All(ctx, s.db, db.Scalar[int64], "SELECT id FROM membership WHERE group_id = ?1 AND user_id = ?2", p.GroupID, p.UserID)
	return cmp.Or(append(ids, 0)...), fault.Wrap(err, "read membership")
}

// Closed says which of some groups who may not put a new user into, and why:
// unknown groups, and Administrators for a restricted key. All Users is always
// among them, with what is wrong with a user who is not in it.
func (s *Service) Closed(ctx context.Context, who *access.Principal, groups []int64) (map[int64]error, error) {
	known, err := s.selectByID(ctx, distinct(groups))
	if err != nil {
		return nil, fault.Wrap(err, "read groups")
	}
	closed := map[int64]error{access.AllUsers: protected(access.AllUsers)}
	for _, id := range groups {
		if _, ok := known[id]; !ok {
			closed[id] = unknownEnd()
		} else if err := protectAdmins(who, id); err != nil {
			closed[id] = err
		}
	}
	return closed, nil
}

// SettleMany puts new, active users into their groups, inside the caller's
// transaction. It decides nothing: the caller has, with Closed.
func (s *Service) SettleMany(ctx context.Context, who *access.Principal, users []int64, groups map[int64][]int64) error {
	var pairs []Pair
	e := pairEnds{users: make(map[int64]end, len(users))}
	wanted := map[Pair]int{}
	for _, userID := range users {
		e.users[userID] = end{active: true, person: true}
		for _, id := range groups[userID] {
			wanted[Pair{id, userID}] = len(pairs)
			pairs = append(pairs, Pair{id, userID})
		}
	}
	var ids []int64
	for _, p := range pairs {
		ids = append(ids, p.GroupID)
	}
	var err error
	if e.groups, err = s.selectByID(ctx, distinct(ids)); err != nil {
		return fault.Wrap(err, "read groups")
	}
	if _, err := s.insertPairs(ctx, pairs, wanted); err != nil {
		return err
	}
	return s.changedPairs(ctx, who, "membership.add", e, pairs, 1)
}

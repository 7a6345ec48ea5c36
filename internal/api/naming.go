package api

import (
	"context"
	"slices"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

// This file looks up what calls name by more than the ids in them, so that a
// key which is bound to some groups, people or keys cannot reach others through
// what belongs to both.

func idText(id int64) string { return strconv.FormatInt(id, 10) }

func groupRefs(ids []int64) []access.Ref {
	out := make([]access.Ref, len(ids))
	for i, id := range ids {
		out[i] = access.Ref{Kind: access.KindGroups, ID: idText(id)}
	}
	return out
}

// behind names the groups and the user behind a key.
func (k keyRoutes) behind(ctx context.Context, c *endpoint.Call, in pathID) ([]access.Ref, error) {
	key, err := k.keys.Get(ctx, c.Who, in.ID)
	if err != nil {
		return nil, err
	}
	groups := make([]int64, len(key.Groups))
	for i, g := range key.Groups {
		groups[i] = g.ID
	}
	if len(groups) == 0 {
		groups = []int64{key.Group.ID}
	}
	return append(groupRefs(groups), access.Ref{Kind: access.KindPeople, ID: idText(key.UserID)}), nil
}

func (k keyRoutes) behindChanged(ctx context.Context, c *endpoint.Call, in editKeyInput) ([]access.Ref, error) {
	return k.behind(ctx, c, pathID{in.ID})
}

// ends names the group and the user of a membership.
func (g *groupRoutes) ends(ctx context.Context, _ *endpoint.Call, in pathID) ([]access.Ref, error) {
	m, err := g.groups.MembershipOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return append(groupRefs([]int64{m.GroupID}), access.Ref{Kind: access.KindPeople, ID: idText(m.UserID)}), nil
}

func (g *groupRoutes) endsOfEdited(ctx context.Context, c *endpoint.Call, in editMembershipInput) ([]access.Ref, error) {
	return g.ends(ctx, c, pathID{in.ID})
}

// givenGroups names the groups that a new person shall be in. Everybody is in
// All Users, so that is no choice.
func (u userRoutes) givenGroups(_ context.Context, _ *endpoint.Call, in newUserInput) ([]access.Ref, error) {
	groups := others(groupIDs(in.Memberships).V)
	if in.Source.V == sourceSetup {
		groups = append(groups, access.Administrators)
	}
	return groupRefs(groups), nil
}

// changedGroups names the groups that a user joins or leaves: the list of
// memberships replaces the one before, so it also changes groups that it does
// not name. A list that changes nothing names all its groups.
func (u userRoutes) changedGroups(ctx context.Context, c *endpoint.Call, in editUserInput) ([]access.Ref, error) {
	var changed []int64
	if in.IsSuperuser.Set {
		changed = append(changed, access.Administrators)
	}
	want, given := groupIDs(in.Memberships).Get()
	if !given {
		return groupRefs(changed), nil
	}
	user, err := u.people.Get(ctx, c.Who, in.ID)
	if err != nil {
		return nil, err
	}
	differing := append(without(want, user.Groups), without(user.Groups, want)...)
	if len(differing) == 0 {
		differing = others(want)
	}
	return groupRefs(append(changed, differing...)), nil
}

// without returns the ids of a list that are not in another.
func without(list, other []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(list), func(id int64) bool { return slices.Contains(other, id) })
}

// others leaves out All Users.
func others(list []int64) []int64 { return without(list, []int64{access.AllUsers}) }

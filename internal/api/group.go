package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// wireGroup is a group without its members (contract/identity.md 3.3).
type wireGroup struct {
	ID            int64   `json:"id"`
	Name          string  `json:"name"`
	Magic         *string `json:"magic_group_type"`
	EntityID      *string `json:"entity_id"`
	IsTenantGroup bool    `json:"is_tenant_group"`
}

type wireListedGroup struct {
	wireGroup
	MemberCount int64 `json:"member_count"`
}

type wireFullGroup struct {
	wireGroup
	Members []wireMember `json:"members"`
}

// wireMember is a member in a group's list (contract/identity.md 3.2).
type wireMember struct {
	ID           int64   `json:"id"`
	UserID       int64   `json:"user_id"`
	FirstName    *string `json:"first_name"`
	LastName     *string `json:"last_name"`
	CommonName   string  `json:"common_name"`
	Email        string  `json:"email"`
	IsSuperuser  bool    `json:"is_superuser"`
	GroupID      int64   `json:"group_id"`
	MembershipID int64   `json:"membership_id"`
}

type wireMembership struct {
	MembershipID   int64 `json:"membership_id"`
	GroupID        int64 `json:"group_id"`
	UserID         int64 `json:"user_id"`
	IsGroupManager bool  `json:"is_group_manager"`
}

type listGroupsInput struct {
	Tenancy opt.Value[string] `query:"tenancy" rule:"enum=internal|external"`
}

type newGroupInput struct {
	Name          string          `json:"name" rule:"nonblank,max=255"`
	IsTenantGroup opt.Value[bool] `json:"is_tenant_group"`
}

type renameGroupInput struct {
	ID   int64  `path:"id" rule:"posint"`
	Name string `json:"name" rule:"nonblank,max=255"`
}

type newMembershipInput struct {
	GroupID        int64           `json:"group_id" rule:"posint" kind:"groups"`
	UserID         int64           `json:"user_id" rule:"posint" kind:"people"`
	IsGroupManager opt.Value[bool] `json:"is_group_manager"`
}

type editMembershipInput struct {
	ID             int64 `path:"id" rule:"posint"`
	IsGroupManager bool  `json:"is_group_manager"`
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func toWireGroup(g group.Group) wireGroup {
	return wireGroup{ID: g.ID, Name: g.Name, Magic: textOrNull(g.Magic), EntityID: textOrNull(g.EntityID)}
}

func toWireListed(groups []group.Group) []wireListedGroup {
	out := make([]wireListedGroup, len(groups))
	for i, g := range groups {
		out[i] = wireListedGroup{toWireGroup(g), g.MemberCount}
	}
	return out
}

func toWireMember(m people.Member) wireMember {
	return wireMember{
		ID: m.ID, UserID: m.ID, FirstName: m.FirstName, LastName: m.LastName, CommonName: m.CommonName,
		Email: m.Email, IsSuperuser: m.IsAdmin, GroupID: m.GroupID, MembershipID: m.MembershipID,
	}
}

// managersArePaid is the text for group managers, which we do not have yet. It
// is plain text, unlike other paid features (contract/identity.md 3.6).
func managersArePaid() error {
	return Status(http.StatusPaymentRequired, fault.New(fault.Paid,
		"The group manager permissions functionality is only enabled if you have a premium token with the advanced-permissions feature."))
}

// GroupEndpoints returns the routes of groups and memberships
// (contract/identity.md 3).
func GroupEndpoints(groups *group.Service, ppl *people.Service) []endpoint.Endpoint {
	g := &groupRoutes{groups: groups, people: ppl}
	read, write := access.Admin("groups", access.Read), access.Admin("groups", access.Write)
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/permissions/group", "List the groups with their member counts", read, g.list),
		endpoint.New("POST", "/api/permissions/group", "Create a group", write, g.create),
		endpoint.New("GET", "/api/permissions/group/{id}", "Get a group with its members",
			read.Naming("groups", "id").Touching("people", "memberships"), g.get),
		endpoint.New("PUT", "/api/permissions/group/{id}", "Rename a group", write.Naming("groups", "id"), g.rename),
		endpoint.New("DELETE", "/api/permissions/group/{id}", "Delete a group; its API keys move to All Users",
			write.Naming("groups", "id").Touching("people", "memberships", "keys", "policies"), g.delete),
		endpoint.New("GET", "/api/ee/advanced-permissions/application/graph", "Get the application permissions", read, paidGraph),
		endpoint.New("PUT", "/api/ee/advanced-permissions/application/graph", "Change the application permissions", write, paidGraph),
	}
}

// MembershipEndpoints returns the routes of who is in which group
// (contract/identity.md 3.6).
func MembershipEndpoints(groups *group.Service, ppl *people.Service) []endpoint.Endpoint {
	g := &groupRoutes{groups: groups, people: ppl}
	read, write := access.Admin("memberships", access.Read), access.Admin("memberships", access.Write)
	// Whether a membership exists is told before who may remove it (3.6).
	remove := access.Authenticated("memberships", access.Write).Naming("memberships", "id")
	edit := endpoint.New("PUT", "/api/permissions/membership/{id}", "Change a membership", write.Naming("memberships", "id"), g.editMember)
	end := endpoint.New("DELETE", "/api/permissions/membership/{id}", "Remove a user from a group", remove, g.removeMember)
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/permissions/membership", "List all memberships by user", read, g.memberships),
		endpoint.New("POST", "/api/permissions/membership", "Add a user to a group", write, g.addMember),
		endpoint.Naming(edit, g.endsOfEdited, "groups", "people"),
		endpoint.New("PUT", "/api/permissions/membership/{id}/clear", "Remove all members of a group", write.Naming("groups", "id"), g.clear),
		endpoint.Naming(end, g.ends, "groups", "people"),
	}
}

func paidGraph(context.Context, *endpoint.Call, endpoint.None) (endpoint.None, error) {
	return endpoint.None{}, Paid("Advanced Permissions")
}

type groupRoutes struct {
	groups *group.Service
	people *people.Service
	// ready is the encoded list of one snapshot: encoding it per request
	// costs seven times the bytes that stand ready.
	ready atomic.Pointer[readyGroups]
}

type readyGroups struct {
	version uint64
	json    []byte
}

// groupList is the answer of the list.
type groupList = endpoint.Ready[[]wireListedGroup]

func (g *groupRoutes) list(_ context.Context, c *endpoint.Call, in listGroupsInput) (groupList, error) {
	if in.Tenancy.V == "external" {
		return groupList("[]"), nil
	}
	s := g.groups.Snapshot()
	if c.Page.On() {
		from, to := c.Page.Window(len(s.ByName))
		return encodeGroups(s.ByName[from:to])
	}
	if r := g.ready.Load(); r != nil && r.version == s.Version {
		return r.json, nil
	}
	b, err := encodeGroups(s.ByName)
	if err == nil {
		g.ready.Store(&readyGroups{s.Version, b})
	}
	return b, err
}

func encodeGroups(groups []group.Group) (groupList, error) {
	b, err := json.Marshal(toWireListed(groups))
	return b, fault.Wrap(err, "encode groups")
}

func (g *groupRoutes) create(ctx context.Context, c *endpoint.Call, in newGroupInput) (wireGroup, error) {
	if in.IsTenantGroup.Or(false) {
		return wireGroup{}, Paid("Tenants")
	}
	made, err := g.groups.Create(ctx, c.Who, in.Name)
	return toWireGroup(made), err
}

func (g *groupRoutes) get(ctx context.Context, c *endpoint.Call, in pathID) (wireFullGroup, error) {
	found, err := g.groups.Get(ctx, c.Who, in.ID)
	if err != nil {
		return wireFullGroup{}, err
	}
	members, err := g.members(ctx, c, in.ID)
	return wireFullGroup{toWireGroup(found), members}, err
}

func (g *groupRoutes) members(ctx context.Context, c *endpoint.Call, groupID int64) ([]wireMember, error) {
	members, _, err := g.people.Members(ctx, c.Who, groupID, "", people.Page{})
	out := make([]wireMember, 0, len(members))
	for _, m := range members {
		if access.Sees(c.Who, access.KindPeople, m.ID) {
			out = append(out, toWireMember(m))
		}
	}
	return out, err
}

func (g *groupRoutes) rename(ctx context.Context, c *endpoint.Call, in renameGroupInput) (wireGroup, error) {
	changed, err := g.groups.Rename(ctx, c.Who, in.ID, in.Name)
	return toWireGroup(changed), err
}

// delete answers 204 for an unknown group too, which clients rely on
// (contract/clients.md, contract/identity.md 3.5).
func (g *groupRoutes) delete(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	err := g.groups.Delete(ctx, c.Who, in.ID)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return endpoint.None{}, err
}

func (g *groupRoutes) memberships(ctx context.Context, c *endpoint.Call, _ endpoint.None) (map[string][]wireMembership, error) {
	all, err := g.groups.Memberships(ctx, c.Who)
	out := make(map[string][]wireMembership, len(all))
	for userID, list := range all {
		rows := make([]wireMembership, len(list))
		for i, m := range list {
			rows[i] = wireMembership{MembershipID: m.ID, GroupID: m.GroupID, UserID: m.UserID}
		}
		out[strconv.FormatInt(userID, 10)] = rows
	}
	return out, err
}

// addMember answers with all members of the group (contract/identity.md 3.6),
// a key that is bound to single people with those of them.
func (g *groupRoutes) addMember(ctx context.Context, c *endpoint.Call, in newMembershipInput) ([]wireMember, error) {
	if in.IsGroupManager.Or(false) {
		return nil, managersArePaid()
	}
	if _, err := g.groups.AddMember(ctx, c.Who, in.GroupID, in.UserID); err != nil {
		return nil, err
	}
	return g.members(ctx, c, in.GroupID)
}

func (g *groupRoutes) editMember(context.Context, *endpoint.Call, editMembershipInput) (endpoint.None, error) {
	return endpoint.None{}, managersArePaid()
}

func (g *groupRoutes) clear(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	return endpoint.None{}, g.groups.Clear(ctx, c.Who, in.ID)
}

func (g *groupRoutes) removeMember(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	return endpoint.None{}, g.groups.RemoveMembership(ctx, c.Who, in.ID)
}

package api

import (
	"context"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// UserEndpoints returns the routes of /api/user (contract/identity.md 2.7).
func UserEndpoints(ppl *people.Service, items *content.Service, jar cookie.Jar) []endpoint.Endpoint {
	read, write := access.Admin("people", access.Read), access.Admin("people", access.Write)
	signedIn, self := access.Authenticated("people", access.Read), access.Authenticated("self", access.Read)
	readSelf := access.Self("people", access.Read, "id").Naming("people", "id")
	writeSelf := access.Self("people", access.Write, "id").Naming("people", "id")
	passwords := access.Self("passwords", access.Write, "id").Naming("people", "id")
	onOff := write.Naming("people", "id").Touching("keys") // personal keys end, and keys lose their owner
	u := userRoutes{ppl, items, door{jar}}
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/user", "List the people", read, u.list),
		endpoint.Naming(endpoint.New("POST", "/api/user", "Invite a person", write, u.create), u.givenGroups, "groups"),
		endpoint.New("GET", "/api/user/current", "Get the user who calls", self, u.current),
		endpoint.New("GET", "/api/user/recipients", "List the people to choose from", signedIn, u.recipients),
		endpoint.New("GET", "/api/user/{id}", "Get a user", readSelf, u.get),
		endpoint.Naming(endpoint.New("PUT", "/api/user/{id}", "Change a user", writeSelf, u.update), u.changedGroups, "groups"),
		endpoint.New("DELETE", "/api/user/{id}", "Deactivate a person; nothing of theirs is lost", onOff, u.deactivate),
		endpoint.New("PUT", "/api/user/{id}/reactivate", "Let a deactivated person in again", onOff, u.reactivate),
		endpoint.New("PUT", "/api/user/{id}/password", "Set a new password; all sessions of the person end", passwords, u.setPassword),
		endpoint.New("PUT", "/api/user/{id}/modal/{modal}", "Put away a tip for good", writeSelf, u.closeModal),
	}
}

type userRoutes struct {
	people  *people.Service
	content *content.Service
	door    door
}

// list knows internal users only: there are no tenants, and nobody is a data
// analyst.
func (u userRoutes) list(ctx context.Context, c *endpoint.Call, in listUsersInput) (wirePage[wireListedUser], error) {
	if _, ok := in.TenantID.Get(); ok && in.Tenancy.V != "" {
		return wirePage[wireListedUser]{}, fault.New(fault.Invalid, "You cannot specify both `tenancy` and `tenant_id`")
	}
	if in.TenantID.V != 0 || in.Tenancy.V == "external" || in.IsDataAnalyst.V {
		return wirePage[wireListedUser]{Data: []wireListedUser{}, Limit: c.Page.Limit, Offset: c.Page.Offset}, nil
	}
	f := people.Filter{Status: people.Status(in.Status.V), Query: in.Query.V, GroupID: in.GroupID.V}
	if in.IncludeDeactivated.V {
		f.Status = people.All
	}
	f.Limit, f.Offset = bounds(c.Page)
	users, total, err := u.people.List(ctx, c.Who, f)
	if err != nil {
		return wirePage[wireListedUser]{}, err
	}
	ids := make([]int64, len(users))
	for i, user := range users {
		ids[i] = user.ID
	}
	personal, err := u.content.PersonalOf(ctx, ids)
	return page(c.Page, users, total, func(user people.User) wireListedUser {
		return toWireListedUser(user, personal[user.ID])
	}), err
}

// recipients shows administrators all of a user, as Metabase does.
func (u userRoutes) recipients(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wirePage[any], error) {
	limit, offset := bounds(c.Page)
	users, total, err := u.people.Recipients(ctx, c.Who, people.Page{Limit: limit, Offset: offset})
	view := func(u people.User) any { return toWireBrief(u) }
	if c.Who.IsAdmin() {
		view = func(u people.User) any { return toWireUser(u) }
	}
	return page(c.Page, users, total, view), err
}

// bounds are those of a page as the domain takes them. Where a limit of 0 means
// none at all, one row too many is read; page drops it.
func bounds(p endpoint.Page) (limit, offset int) {
	if !p.On() {
		return 0, 0
	}
	return max(p.Limit.V, 1), p.Offset.V
}

// page puts a part of a list into its envelope.
func page[T any](p endpoint.Page, users []people.User, total int, view func(people.User) T) wirePage[T] {
	out := wirePage[T]{Data: []T{}, Total: total, Limit: p.Limit, Offset: p.Offset}
	if p.On() && p.Limit.V == 0 {
		return out
	}
	for _, u := range users {
		out.Data = append(out.Data, view(u))
	}
	return out
}

func (u userRoutes) current(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wireCurrentUser, error) {
	user, err := u.people.Get(ctx, c.Who, c.Who.UserID)
	if err != nil {
		return wireCurrentUser{}, err
	}
	if c.Who.Kind == access.PersonalKey { // it may be less than its person
		user.IsAdmin, user.Groups = c.Who.IsAdmin(), c.Who.Groups
	}
	facts, err := u.people.Facts(ctx, c.Who)
	if err != nil {
		return wireCurrentUser{}, err
	}
	personal, err := u.content.OwnPersonal(ctx, c.Who)
	out := toWireCurrent(user, facts, personal)
	reach := u.content.Collections().Reach(c.Who, access.Curate)
	out.CanWriteAnyCollection = reach.Root || len(reach.IDs) > 0
	return out, err
}

// toWireCurrent tells administrators that they can make all queries.
// A user who never signed in, such as one behind a key, gets the day of joining
// for the first login, because clients expect a time there.
func toWireCurrent(u people.User, f people.Facts, personal int64) wireCurrentUser {
	w := wireCurrentUser{
		wireListedUser: toWireListedUser(u, personal), FirstLogin: u.DateJoined,
		IsInstaller: f.IsInstaller, HasInvitedSecondUser: f.HasInvitedSecondUser,
		Permissions: wireAbilities{CanCreateQueries: u.IsAdmin, CanCreateNativeQueries: u.IsAdmin},
	}
	if u.FirstLogin != nil {
		w.FirstLogin = *u.FirstLogin
	}
	return w
}

func (u userRoutes) get(ctx context.Context, c *endpoint.Call, in pathID) (wireFullUser, error) {
	user, err := u.people.Get(ctx, c.Who, in.ID)
	return toWireFullUser(user), err
}

// sourceSetup marks the second person that the wizard of set-up invites, who
// is an administrator.
const sourceSetup = "setup"

func (u userRoutes) create(ctx context.Context, c *endpoint.Call, in newUserInput) (wireChangedUser, error) {
	if _, ok := in.TenantID.Get(); ok {
		return wireChangedUser{}, fault.Field("tenant_id", "Cannot create a Tenant User as Tenants are not enabled for this instance.")
	}
	n := people.NewUser{
		Email: in.Email, FirstName: in.FirstName.Ptr(), LastName: in.LastName.Ptr(),
		Groups: groupIDs(in.Memberships).V, LoginAttributes: in.LoginAttributes.V,
	}
	if in.Source.V == sourceSetup {
		n.Groups = []int64{access.AllUsers, access.Administrators}
	}
	user, err := u.people.Create(ctx, c.Who, n)
	return toWireChangedUser(user), err
}

// internalUser is the id of the user that Metabase keeps for itself. We have
// none, but clients that try it get the same answer.
const internalUser = 13371338

func (u userRoutes) update(ctx context.Context, c *endpoint.Call, in editUserInput) (wireChangedUser, error) {
	if in.ID == internalUser {
		return wireChangedUser{}, fault.New(fault.Invalid, "Not able to modify the internal user")
	}
	if _, ok := in.TenantID.Get(); ok && c.Who.IsAdmin() {
		return wireChangedUser{}, fault.Field("tenant_id", "Cannot make a Tenant User as Tenants are not enabled for this instance.")
	}
	user, err := u.people.Update(ctx, c.Who, in.ID, people.Change{
		Email: in.Email, FirstName: in.FirstName, LastName: in.LastName, Locale: in.Locale,
		IsAdmin: in.IsSuperuser, Groups: groupIDs(in.Memberships), LoginAttributes: in.LoginAttributes,
	})
	return toWireChangedUser(user), err
}

func (u userRoutes) deactivate(ctx context.Context, c *endpoint.Call, in pathID) (wireSuccess, error) {
	return wireSuccess{true}, u.people.Deactivate(ctx, c.Who, in.ID)
}

// reactivate answers in the long form to a person who is active.
func (u userRoutes) reactivate(ctx context.Context, c *endpoint.Call, in pathID) (wireUser, error) {
	user, err := u.people.Reactivate(ctx, c.Who, in.ID)
	if fault.Is(err, fault.Invalid) {
		err = Long(http.StatusBadRequest, err, nil)
	}
	return toWireUser(user), err
}

// setPassword signs people who change their own password in again; for another
// person the answer is empty.
func (u userRoutes) setPassword(ctx context.Context, c *endpoint.Call, in userPasswordInput) (*wireNewSession, error) {
	made, err := u.people.SetPassword(ctx, c.Who, in.ID, in.Password, in.OldPassword.Or(secret.Text{}))
	if err != nil || made == nil {
		return nil, err
	}
	u.door.open(c, *made, false)
	return &wireNewSession{true, made.Token.Reveal()}, nil
}

func (u userRoutes) closeModal(ctx context.Context, c *endpoint.Call, in modalInput) (wireSuccess, error) {
	return wireSuccess{true}, u.people.SetNewb(ctx, c.Who, in.ID, in.Modal)
}

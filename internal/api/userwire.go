package api

import (
	"slices"
	"time"

	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// wireBriefUser is a user as others see it (contract/identity.md 2.7).
type wireBriefUser struct {
	ID         int64   `json:"id"`
	Email      string  `json:"email"`
	FirstName  *string `json:"first_name"`
	LastName   *string `json:"last_name"`
	CommonName string  `json:"common_name"`
}

// wireUser is a user as administrators and the user see it. What belongs to
// features that we do not have is false or null.
type wireUser struct {
	wireBriefUser
	DateJoined      time.Time      `json:"date_joined"`
	LastLogin       *time.Time     `json:"last_login"`
	IsSuperuser     bool           `json:"is_superuser"`
	IsDataAnalyst   bool           `json:"is_data_analyst"`
	IsQBNewb        bool           `json:"is_qbnewb"`
	IsActive        bool           `json:"is_active"`
	TenantID        *int64         `json:"tenant_id"`
	SSOSource       *string        `json:"sso_source"`
	UpdatedAt       time.Time      `json:"updated_at"`
	LoginAttributes map[string]any `json:"login_attributes"`
	JWTAttributes   map[string]any `json:"jwt_attributes"`
	Locale          *string        `json:"locale"`
}

// wireListedUser is a user in the list for administrators.
type wireListedUser struct {
	wireUser
	GroupIDs             []int64 `json:"group_ids"`
	PersonalCollectionID *int64  `json:"personal_collection_id"`
	TenantCollectionID   *int64  `json:"tenant_collection_id"`
}

// wireGroupID is a group in the list that a user carries and takes. Whether
// the user manages it, which is not for sale here, is dropped.
type wireGroupID struct {
	ID int64 `json:"id" rule:"posint"`
}

// wireChangedUser is the answer to a change of a user.
type wireChangedUser struct {
	wireUser
	Memberships []wireGroupID `json:"user_group_memberships"`
}

// wireFullUser is the answer to a question for one user.
type wireFullUser struct {
	wireChangedUser
	StructuredAttributes map[string]wireAttribute `json:"structured_attributes"`
}

// wireAttribute is a login attribute with where it comes from.
type wireAttribute struct {
	Source string `json:"source"`
	Frozen bool   `json:"frozen"`
	Value  any    `json:"value"`
}

// wireCurrentUser is what clients ask about their user at the start.
type wireCurrentUser struct {
	wireListedUser
	GoogleAuth              bool                `json:"google_auth"`
	IsInstaller             bool                `json:"is_installer"`
	HasInvitedSecondUser    bool                `json:"has_invited_second_user"`
	HasQuestionAndDashboard bool                `json:"has_question_and_dashboard"`
	HasModel                bool                `json:"has_model"`
	FirstLogin              time.Time           `json:"first_login"`
	CustomHomepage          *wireCustomHomepage `json:"custom_homepage"`
	CanWriteAnyCollection   bool                `json:"can_write_any_collection"`
	Permissions             wireAbilities       `json:"permissions"`
}

type wireCustomHomepage struct {
	DashboardID int64 `json:"dashboard_id"`
}

type wireAbilities struct {
	CanCreateQueries       bool `json:"can_create_queries"`
	CanCreateNativeQueries bool `json:"can_create_native_queries"`
}

// wirePage is the envelope of a list of users (contract/identity.md 0.8).
type wirePage[T any] struct {
	Data   []T            `json:"data"`
	Total  int            `json:"total"`
	Limit  opt.Value[int] `json:"limit"`
	Offset opt.Value[int] `json:"offset"`
}

type listUsersInput struct {
	Status             opt.Value[string] `query:"status"`
	IncludeDeactivated opt.Value[bool]   `query:"include_deactivated"`
	Query              opt.Value[string] `query:"query"`
	GroupID            opt.Value[int64]  `query:"group_id" rule:"posint" kind:"groups"`
	Tenancy            opt.Value[string] `query:"tenancy" rule:"enum=all|internal|external"`
	TenantID           opt.Value[int64]  `query:"tenant_id" rule:"posint"`
	IsDataAnalyst      opt.Value[bool]   `query:"is_data_analyst"`
}

type newUserInput struct {
	Email           string                    `json:"email" rule:"email" scope:"passwords:write"` // who has it can sign in
	FirstName       opt.Value[string]         `json:"first_name" rule:"nonblank,max=254"`
	LastName        opt.Value[string]         `json:"last_name" rule:"nonblank,max=254"`
	Memberships     opt.Value[[]wireGroupID]  `json:"user_group_memberships" scope:"memberships:write"`
	LoginAttributes opt.Value[map[string]any] `json:"login_attributes"`
	Source          opt.Value[string]         `json:"source" rule:"nonblank" scope:"memberships:write"`
	TenantID        opt.Value[int64]          `json:"tenant_id" rule:"posint"`
}

type editUserInput struct {
	ID              int64                     `path:"id" rule:"posint"`
	Email           opt.Value[string]         `json:"email" rule:"email" scope:"passwords:write"` // reset links go there
	FirstName       opt.Value[string]         `json:"first_name" rule:"nonblank,max=254"`
	LastName        opt.Value[string]         `json:"last_name" rule:"nonblank,max=254"`
	Locale          opt.Value[string]         `json:"locale" rule:"locale"`
	Memberships     opt.Value[[]wireGroupID]  `json:"user_group_memberships" scope:"memberships:write"`
	IsSuperuser     opt.Value[bool]           `json:"is_superuser" scope:"memberships:write"`
	LoginAttributes opt.Value[map[string]any] `json:"login_attributes"`
	TenantID        opt.Value[int64]          `json:"tenant_id" rule:"posint"`
}

type userPasswordInput struct {
	ID          int64                  `path:"id" rule:"posint"`
	Password    secret.Text            `json:"password" rule:"password"`
	OldPassword opt.Value[secret.Text] `json:"old_password"`
}

type modalInput struct {
	ID    int64  `path:"id" rule:"posint"`
	Modal string `path:"modal" rule:"enum=qbnewb|datasetnewb"`
}

func toWireBrief(u people.User) wireBriefUser {
	return wireBriefUser{ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, CommonName: u.CommonName}
}

func toWireUser(u people.User) wireUser {
	w := wireUser{
		wireBriefUser: toWireBrief(u), DateJoined: u.DateJoined, LastLogin: u.LastLogin, IsSuperuser: u.IsAdmin,
		IsQBNewb: u.QBNewb, IsActive: u.Active, UpdatedAt: u.UpdatedAt, Locale: u.Locale,
	}
	if len(u.LoginAttributes) > 0 {
		w.LoginAttributes = u.LoginAttributes
	}
	return w
}

// toWireListedUser shows a user with the id of the personal collection, 0 for
// who has none yet; users behind keys never have one (contract/identity.md 1.2).
func toWireListedUser(u people.User, personal int64) wireListedUser {
	return wireListedUser{
		wireUser: toWireUser(u), GroupIDs: append([]int64{}, u.Groups...), PersonalCollectionID: idOrNull(personal),
	}
}

func toWireChangedUser(u people.User) wireChangedUser {
	groups := make([]wireGroupID, len(u.Groups))
	for i, id := range u.Groups {
		groups[i].ID = id
	}
	return wireChangedUser{toWireUser(u), groups}
}

func toWireFullUser(u people.User) wireFullUser {
	attributes := make(map[string]wireAttribute, len(u.LoginAttributes))
	for key, v := range u.LoginAttributes {
		attributes[key] = wireAttribute{Source: "user", Value: v}
	}
	return wireFullUser{toWireChangedUser(u), attributes}
}

// groupIDs keeps absent, null and an empty list apart.
func groupIDs(in opt.Value[[]wireGroupID]) opt.Value[[]int64] {
	out := opt.Value[[]int64]{Set: in.Set, Null: in.Null}
	if list, ok := in.Get(); ok {
		out.V = make([]int64, len(list))
		for i, g := range list {
			out.V[i] = g.ID
		}
		slices.Sort(out.V)
	}
	return out
}

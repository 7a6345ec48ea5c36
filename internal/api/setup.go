package api

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// setupInput is checked before anybody looks whether set-up is over, so that a
// wrong token is 400 also then (contract/identity.md 2.2).
type setupInput struct {
	Token string     `json:"token" rule:"setuptoken"`
	User  setupUser  `json:"user"`
	Prefs setupPrefs `json:"prefs"`
}

type setupUser struct {
	Email     string            `json:"email" rule:"email"`
	Password  secret.Text       `json:"password" rule:"password"`
	FirstName opt.Value[string] `json:"first_name" rule:"nonblank,max=254"`
	LastName  opt.Value[string] `json:"last_name" rule:"nonblank,max=254"`
}

type setupPrefs struct {
	SiteName   string            `json:"site_name" rule:"nonblank,max=254"`
	SiteLocale opt.Value[string] `json:"site_locale" rule:"locale"`
}

// SetupEndpoints returns the route that makes the first administrator
// (contract/identity.md 2.2).
func SetupEndpoints(ppl *people.Service, jar cookie.Jar) []endpoint.Endpoint {
	s := setupRoutes{ppl, door{jar}}
	return []endpoint.Endpoint{
		endpoint.New("POST", "/api/setup", "Make the first administrator of a new instance, and sign in",
			access.Public("setup", access.Write), s.setup),
	}
}

type setupRoutes struct {
	people *people.Service
	door   door
}

// setup does not look at who calls: the token is what counts.
func (s setupRoutes) setup(ctx context.Context, c *endpoint.Call, in setupInput) (wireSignedIn, error) {
	made, err := s.people.Setup(ctx, people.Setup{
		Token: secret.New(in.Token), Email: in.User.Email, Password: in.User.Password,
		FirstName: in.User.FirstName.Ptr(), LastName: in.User.LastName.Ptr(),
		SiteName: in.Prefs.SiteName, SiteLocale: in.Prefs.SiteLocale.Ptr(),
	})
	if err != nil {
		return wireSignedIn{}, err
	}
	s.door.open(c, made, false)
	return wireSignedIn{made.Token.Reveal()}, nil
}

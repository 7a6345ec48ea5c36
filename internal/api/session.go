package api

import (
	"context"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// wireSignedIn is the answer to a login and to set-up.
type wireSignedIn struct {
	ID string `json:"id"`
}

// wireNewSession is the answer to a change of one's own password.
type wireNewSession struct {
	Success   bool   `json:"success"`
	SessionID string `json:"session_id"`
}

type wireValid struct {
	Valid bool `json:"valid"`
}

type wireSuccess struct {
	Success bool `json:"success"`
}

type loginInput struct {
	Username string          `json:"username" rule:"nonblank"`
	Password secret.Text     `json:"password" rule:"nonblank"`
	Remember opt.Value[bool] `json:"remember"`
}

type passwordInput struct {
	Password secret.Text `json:"password" rule:"password"`
}

type forgotInput struct {
	Email string `json:"email" rule:"email"`
}

type resetInput struct {
	Token    secret.Text `json:"token" rule:"nonblank"`
	Password secret.Text `json:"password" rule:"password"`
}

type resetTokenInput struct {
	Token secret.Text `query:"token" rule:"nonblank"`
}

// SessionEndpoints returns the routes of signing in and out and of forgotten
// passwords (contract/identity.md 2.3).
func SessionEndpoints(ppl *people.Service, jar cookie.Jar) []endpoint.Endpoint {
	read, write := access.Public("session", access.Read), access.Public("session", access.Write)
	s := sessionRoutes{ppl, door{jar}}
	return []endpoint.Endpoint{
		endpoint.New("POST", "/api/session", "Sign in; the answer and a cookie hold the session's id", write, s.signIn),
		endpoint.New("DELETE", "/api/session", "Sign out", write, s.signOut),
		endpoint.New("POST", "/api/session/password-check", "Say whether a password is good enough", read, s.checkPassword),
		endpoint.New("POST", "/api/session/forgot_password", "Send a link to set a new password", write, s.forgot),
		endpoint.New("POST", "/api/session/reset_password", "Set a new password with such a link, and sign in", write, s.reset),
		endpoint.New("GET", "/api/session/password_reset_token_valid", "Say whether such a link still works", read, s.checkToken),
		endpoint.New("POST", "/api/session/google_auth", "Sign in with Google, which is not available", write, s.google),
	}
}

// door lets people in: the session's id goes into a cookie, and an answer that
// holds it into no cache.
type door struct{ jar cookie.Jar }

func (d door) open(c *endpoint.Call, s people.NewSession, remember bool) {
	noStore(c)
	for _, k := range d.jar.Set(s.Token, remember, c.Secure) {
		c.SetCookie(k)
	}
}

func (d door) shut(c *endpoint.Call) {
	for _, k := range d.jar.Clear() {
		c.SetCookie(k)
	}
}

type sessionRoutes struct {
	people *people.Service
	door   door
}

// signIn answers 401 to a refused attempt, also when there were too many
// (contract/identity.md 2.6).
func (s sessionRoutes) signIn(ctx context.Context, c *endpoint.Call, in loginInput) (wireSignedIn, error) {
	remember := in.Remember.Or(false)
	made, err := s.people.SignIn(ctx, in.Username, in.Password, remember)
	if fault.Is(err, fault.TooMany) {
		err = Status(http.StatusUnauthorized, err)
	}
	if err != nil {
		return wireSignedIn{}, err
	}
	s.door.open(c, made, remember)
	return wireSignedIn{made.Token.Reveal()}, nil
}

// signOut answers 404 without a session, also to callers with a key.
func (s sessionRoutes) signOut(ctx context.Context, c *endpoint.Call, _ endpoint.None) (endpoint.None, error) {
	token := cookie.Token(c.Request)
	if token == "" {
		return endpoint.None{}, fault.New(fault.NotFound, textNotFound)
	}
	if err := s.people.SignOut(ctx, secret.New(token)); err != nil {
		return endpoint.None{}, err
	}
	s.door.shut(c)
	return endpoint.None{}, nil
}

// checkPassword has nothing to do: a bad password never gets here.
func (s sessionRoutes) checkPassword(context.Context, *endpoint.Call, passwordInput) (wireValid, error) {
	return wireValid{true}, nil
}

func (s sessionRoutes) forgot(ctx context.Context, _ *endpoint.Call, in forgotInput) (endpoint.None, error) {
	return endpoint.None{}, s.people.ForgotPassword(ctx, in.Email)
}

func (s sessionRoutes) reset(ctx context.Context, c *endpoint.Call, in resetInput) (wireNewSession, error) {
	made, err := s.people.ResetPassword(ctx, in.Token.Reveal(), in.Password)
	if err != nil {
		return wireNewSession{}, err
	}
	s.door.open(c, made, false)
	return wireNewSession{true, made.Token.Reveal()}, nil
}

func (s sessionRoutes) checkToken(ctx context.Context, c *endpoint.Call, in resetTokenInput) (wireValid, error) {
	noStore(c)
	valid, err := s.people.ResetTokenValid(ctx, in.Token.Reveal())
	return wireValid{valid}, err
}

func (s sessionRoutes) google(context.Context, *endpoint.Call, endpoint.None) (endpoint.None, error) {
	return endpoint.None{}, fault.New(fault.Invalid, "Google Auth is disabled.")
}

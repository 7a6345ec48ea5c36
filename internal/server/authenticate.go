package server

import (
	"context"
	"net/http"
	"net/netip"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/cookie"
	"latchkey/internal/people"
)

// KeyHeader is the header that carries an API key.
const KeyHeader = "X-Api-Key"

// Authenticator finds the principal of a request. There is no second way in.
type Authenticator struct {
	People   *people.Service
	Verifier *apikey.Verifier
}

// Any returns the principal of a session or, when there is none, of a key
// (contract/identity.md 1.3: a session wins; a bad session does not hide a
// good key). Nil means anonymous. An error means that the answer could not be
// found out.
func (a Authenticator) Any(ctx context.Context, r *http.Request, _ netip.Addr) (*access.Principal, error) {
	p, err := a.Person(ctx, r)
	if p != nil || err != nil {
		return p, err
	}
	key := r.Header[KeyHeader]
	if len(key) != 1 || key[0] == "" { // two keys are as good as none
		return nil, nil
	}
	p, _, err = a.Verifier.Verify(ctx, key[0])
	return p, err
}

// Person returns the principal of a session. The pages take nothing else.
func (a Authenticator) Person(ctx context.Context, r *http.Request) (*access.Principal, error) {
	token := cookie.Token(r)
	if token == "" {
		return nil, nil
	}
	return a.People.Session(ctx, token)
}

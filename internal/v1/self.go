package v1

import (
	"context"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/group"
	"latchkey/internal/opt"
)

// SelfEndpoints returns the routes about the caller itself.
func SelfEndpoints(s Services) []endpoint.Endpoint {
	r := selfRoutes{s.Groups, s.Keys, keyViews{s.Usage, s.Clock}}
	write := access.Authenticated(access.KindSelf, access.Write)
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/v1/self", "Say who calls, and tell a key all about itself", access.Authenticated(access.KindSelf, access.Read), r.get),
		endpoint.New(http.MethodPost, "/v1/self/rotate", "Give the key that calls a new text, if its policy allows; it is in this answer only", write, r.rotate),
		endpoint.New(http.MethodPost, "/v1/self/revoke", "End the key that calls for ever, if its policy allows", write, r.revoke),
	}
}

type selfRoutes struct {
	groups *group.Service
	keys   *apikey.Service
	views  keyViews
}

// self is the caller.
type self struct {
	Kind    string      `json:"kind"`    // person, api-key or personal-key
	UserID  int64       `json:"user_id"` // of the person, or of the user behind the key
	Name    string      `json:"name"`
	Key     *wireKey    `json:"key"`    // null for a person
	Secret  *wireSecret `json:"secret"` // the one that was sent; null for a person
	May     *selfMay    `json:"may"`    // null for a person
	Groups  []groupRef  `json:"groups"` // in which the caller acts, All Users among them
	IsAdmin bool        `json:"is_admin"`
}

// selfMay is what its policy lets a key do to itself. What is left of its
// limits stands in the headers RateLimit and RateLimit-Policy of every answer.
type selfMay struct {
	Rotate         bool           `json:"rotate"`
	Revoke         bool           `json:"revoke"`
	MaxOverlapDays opt.Value[int] `json:"max_overlap_days"` // null: no limit
}

// groupRef names a group.
type groupRef struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (s selfRoutes) get(ctx context.Context, c *endpoint.Call, _ endpoint.None) (self, error) {
	who := c.Who
	out := self{
		Kind: who.Kind.String(), UserID: who.UserID, Name: who.Name,
		Groups: groupRefs(s.groups, who.Groups), IsAdmin: who.IsAdmin(),
	}
	if !who.IsKey() {
		return out, nil
	}
	return out, s.describe(ctx, who, &out)
}

// describe adds all that a key may know of itself.
func (s selfRoutes) describe(ctx context.Context, who *access.Principal, out *self) error {
	key, live, policy, err := s.keys.Self(ctx, who)
	if err != nil {
		return err
	}
	// Nothing about itself is hidden from a key that is bound to other things.
	shown, err := s.views.one(ctx, nil, key, nil)
	if err != nil {
		return err
	}
	secrets, err := s.views.secrets(ctx, nil, key.ID, live)
	if err != nil {
		return err
	}
	out.Key = &shown
	out.May = &selfMay{Rotate: policy.SelfRotate, Revoke: policy.SelfRevoke, MaxOverlapDays: daysOrNull(policy.MaxOverlapDays)}
	for i := range secrets {
		if secrets[i].ID == who.SecretID {
			out.Secret = &secrets[i]
		}
	}
	return nil
}

func (s selfRoutes) rotate(ctx context.Context, c *endpoint.Call, in overlapInput) (wireNewKey, error) {
	o, err := in.overlap(s.views.clock.Now())
	if err != nil {
		return wireNewKey{}, err
	}
	key, text, err := s.keys.RotateSelf(ctx, c.Who, o)
	return s.views.made(ctx, nil, key, text, err)
}

func (s selfRoutes) revoke(ctx context.Context, c *endpoint.Call, _ endpoint.None) (endpoint.None, error) {
	return endpoint.None{}, s.keys.RevokeSelf(ctx, c.Who)
}

// groupRefs names groups. One that was deleted a moment ago is left out.
func groupRefs(groups *group.Service, ids []int64) []groupRef {
	now, out := groups.Snapshot(), make([]groupRef, 0, len(ids))
	for _, id := range ids {
		if g, ok := now.ByID(id); ok {
			out = append(out, groupRef{g.ID, g.Name})
		}
	}
	return out
}

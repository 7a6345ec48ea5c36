package v1

import (
	"context"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// PersonalKeyEndpoints returns the routes of the keys that people make for
// themselves. They are for people who are signed in, never for keys.
func PersonalKeyEndpoints(s Services) []endpoint.Endpoint {
	p := personalRoutes{s.Keys, keyViews{s.Usage, s.Clock}}
	read, write := access.Authenticated(access.KindSelf, access.Read), access.Authenticated(access.KindSelf, access.Write)
	const all, one = "/v1/personal-keys", "/v1/personal-keys/{id}"
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, all, "List one's own personal keys", read, p.list),
		endpoint.New(http.MethodPost, all, "Make a personal key; its text is in this answer only", write, p.create).Answers(http.StatusCreated),
		endpoint.New(http.MethodGet, one, "Get one of one's own personal keys", read, p.get),
		endpoint.New(http.MethodPatch, one, "Change one of one's own personal keys", write, p.update),
		endpoint.New(http.MethodDelete, one, "End one of one's own personal keys for ever", write, p.end),
		endpoint.New(http.MethodPut, one+"/restriction", "Replace the restriction of one of one's own personal keys; {} takes it away", write, p.restrict),
		endpoint.New(http.MethodPost, one+"/rotate", "Give one of one's own personal keys a new text; it is in this answer only", write, p.rotate),
	}
}

type personalRoutes struct {
	keys  *apikey.Service
	views keyViews
}

// personalKeys are the personal keys of the person who calls.
type personalKeys struct {
	Data    []wireKey `json:"data"`
	Allowed bool      `json:"allowed"` // whether the policy lets the person make keys
}

func (p personalRoutes) list(ctx context.Context, c *endpoint.Call, _ endpoint.None) (personalKeys, error) {
	allowed, err := p.keys.PersonalAllowed(ctx, c.Who)
	if err != nil {
		return personalKeys{}, err
	}
	keys, err := p.keys.ListOwn(ctx, c.Who)
	if err != nil {
		return personalKeys{}, err
	}
	shown, err := p.views.all(ctx, c.Who, keys)
	return personalKeys{Data: shown, Allowed: allowed}, err
}

// newPersonalInput describes a personal key that is to be made.
type newPersonalInput struct {
	Name        string                        `json:"name" rule:"nonblank,max=254"`
	Description opt.Value[string]             `json:"description" rule:"max=2000"`
	GroupIDs    opt.Value[[]int64]            `json:"group_ids" rule:"posint" kind:"groups"` // groups of the person to use
	Tags        opt.Value[[]string]           `json:"tags" rule:"nonblank,max=50"`
	Restriction opt.Value[access.Restriction] `json:"restriction"`
	ExpiresAt   opt.Value[string]             `json:"expires_at" rule:"date-time"` // absent: as the policy says; null: never
}

func (p personalRoutes) create(ctx context.Context, c *endpoint.Call, in newPersonalInput) (wireNewKey, error) {
	key, text, err := p.keys.MakePersonal(ctx, c.Who, apikey.Draft{
		Name: in.Name, Description: in.Description.V, Groups: in.GroupIDs.V, Tags: in.Tags.V,
		Restriction: in.Restriction.V, ExpiresAt: timeOrNull(in.ExpiresAt),
	})
	if err == nil {
		c.Header.Set("Location", "/v1/personal-keys/"+idText(key.ID))
	}
	return p.views.made(ctx, c.Who, key, text, err)
}

func (p personalRoutes) get(ctx context.Context, c *endpoint.Call, in keyInput) (wireKey, error) {
	key, err := p.keys.GetOwn(ctx, c.Who, in.ID)
	return p.views.one(ctx, c.Who, key, err)
}

// editPersonalInput is a change of a personal key: what is absent stays, and
// null empties.
type editPersonalInput struct {
	keyInput
	Name        opt.Value[string]   `json:"name" rule:"nonblank,max=254,notnull"`
	Description opt.Value[string]   `json:"description" rule:"max=2000"`
	GroupIDs    opt.Value[[]int64]  `json:"group_ids" rule:"posint" kind:"groups"`
	Tags        opt.Value[[]string] `json:"tags" rule:"nonblank,max=50"`
	ExpiresAt   opt.Value[string]   `json:"expires_at" rule:"date-time"`
}

func (p personalRoutes) update(ctx context.Context, c *endpoint.Call, in editPersonalInput) (wireKey, error) {
	key, err := p.keys.UpdateOwn(ctx, c.Who, in.ID, apikey.Change{
		Name: in.Name, Description: emptied(in.Description), Groups: emptiedList(in.GroupIDs),
		Tags: emptiedList(in.Tags), ExpiresAt: timeOrNull(in.ExpiresAt),
	})
	return p.views.one(ctx, c.Who, key, err)
}

func (p personalRoutes) end(ctx context.Context, c *endpoint.Call, in keyInput) (endpoint.None, error) {
	return endpoint.None{}, p.keys.EndOwn(ctx, c.Who, in.ID)
}

func (p personalRoutes) restrict(ctx context.Context, c *endpoint.Call, in restrictInput) (wireKey, error) {
	key, err := p.keys.RestrictOwn(ctx, c.Who, in.ID, in.Restriction)
	return p.views.one(ctx, c.Who, key, err)
}

func (p personalRoutes) rotate(ctx context.Context, c *endpoint.Call, in rotateInput) (wireNewKey, error) {
	o, err := in.overlap(p.views.clock.Now())
	if err != nil {
		return wireNewKey{}, err
	}
	key, text, err := p.keys.RotateOwn(ctx, c.Who, in.ID, o)
	return p.views.made(ctx, c.Who, key, text, err)
}

package api

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// pathID is the input of a route that takes nothing but an id.
type pathID struct {
	ID int64 `path:"id" rule:"posint"`
}

// wireRef is a group or a user beside another object. Both are null when
// there is none.
type wireRef struct {
	ID   *int64 `json:"id"`
	Name string `json:"name"`
}

// wireUpdater is who changed a key; the id is null for the command line.
type wireUpdater struct {
	ID         *int64 `json:"id"`
	CommonName string `json:"common_name"`
}

// wireKey is a key as it is listed (contract/identity.md 1.4).
type wireKey struct {
	ID        int64       `json:"id"`
	Name      string      `json:"name"`
	MaskedKey string      `json:"masked_key"`
	Group     wireRef     `json:"group"`
	CreatedAt time.Time   `json:"created_at"`
	UpdatedAt time.Time   `json:"updated_at"`
	UpdatedBy wireUpdater `json:"updated_by"`
}

// wireNewKey is the one answer that holds a key's text.
type wireNewKey struct {
	wireKey
	UnmaskedKey string `json:"unmasked_key"`
}

// wireRegenerated has exactly these four members (contract/identity.md 1.5).
type wireRegenerated struct {
	ID          int64  `json:"id"`
	UnmaskedKey string `json:"unmasked_key"`
	MaskedKey   string `json:"masked_key"`
	Prefix      string `json:"prefix"`
}

type newKeyInput struct {
	Name    string `json:"name" rule:"nonblank,max=254"`
	GroupID int64  `json:"group_id" rule:"posint" kind:"groups"`
}

type editKeyInput struct {
	ID      int64             `path:"id" rule:"posint"`
	Name    opt.Value[string] `json:"name" rule:"nonempty,max=254"`
	GroupID opt.Value[int64]  `json:"group_id" rule:"posint" kind:"groups"`
}

func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func toWireKey(k apikey.Key) wireKey {
	return wireKey{
		ID: k.ID, Name: k.Name, MaskedKey: k.Masked(),
		Group:     wireRef{ID: idOrNull(k.Group.ID), Name: k.Group.Name},
		CreatedAt: k.CreatedAt, UpdatedAt: k.UpdatedAt,
		UpdatedBy: wireUpdater{ID: idOrNull(k.UpdatedBy.ID), CommonName: k.UpdatedBy.Name},
	}
}

// noStore keeps an answer that holds a secret out of every cache.
func noStore(c *endpoint.Call) { c.Header.Set("Cache-Control", "no-store") }

// KeyEndpoints returns the routes of /api/api-key (contract/identity.md 1.5).
func KeyEndpoints(keys *apikey.Service) []endpoint.Endpoint {
	read, write := access.Admin("keys", access.Read), access.Admin("keys", access.Write)
	writeOne := write.Naming("keys", "id")
	k := keyRoutes{keys}
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/api-key", "List the API keys", read, k.list),
		endpoint.New("GET", "/api/api-key/count", "Count the API keys", read, k.count),
		endpoint.New("POST", "/api/api-key", "Create an API key; its text is in this answer only", write, k.create),
		endpoint.Naming(endpoint.New("PUT", "/api/api-key/{id}", "Change the name or the group of an API key", writeOne, k.update),
			k.behindChanged, access.KindGroups, access.KindPeople),
		endpoint.Naming(endpoint.New("PUT", "/api/api-key/{id}/regenerate", "Replace the text of an API key; the old one is dead at once",
			writeOne, k.regenerate), k.behind, access.KindGroups, access.KindPeople),
		endpoint.Naming(endpoint.New("DELETE", "/api/api-key/{id}", "Delete an API key", writeOne, k.delete),
			k.behind, access.KindGroups, access.KindPeople),
	}
}

type keyRoutes struct{ keys *apikey.Service }

func (k keyRoutes) list(ctx context.Context, c *endpoint.Call, _ endpoint.None) ([]wireKey, error) {
	keys, _, err := k.keys.List(ctx, c.Who, apikey.Filter{ByAge: true})
	out := make([]wireKey, len(keys))
	for i, key := range keys {
		out[i] = toWireKey(key)
	}
	return out, err
}

func (k keyRoutes) count(ctx context.Context, c *endpoint.Call, _ endpoint.None) (int, error) {
	return k.keys.Count(ctx, c.Who)
}

func (k keyRoutes) create(ctx context.Context, c *endpoint.Call, in newKeyInput) (wireNewKey, error) {
	key, text, err := k.keys.Create(ctx, c.Who, in.Name, in.GroupID)
	if err != nil {
		return wireNewKey{}, err
	}
	noStore(c)
	return wireNewKey{wireKey: toWireKey(key), UnmaskedKey: text.Reveal()}, nil
}

func (k keyRoutes) update(ctx context.Context, c *endpoint.Call, in editKeyInput) (wireKey, error) {
	key, err := k.keys.Update(ctx, c.Who, in.ID, apikey.Change{Name: in.Name, GroupID: in.GroupID})
	return toWireKey(key), err
}

func (k keyRoutes) regenerate(ctx context.Context, c *endpoint.Call, in pathID) (wireRegenerated, error) {
	key, text, err := k.keys.Regenerate(ctx, c.Who, in.ID)
	if err != nil {
		return wireRegenerated{}, err
	}
	noStore(c)
	return wireRegenerated{ID: key.ID, UnmaskedKey: text.Reveal(), MaskedKey: key.Masked(), Prefix: key.Prefix}, nil
}

func (k keyRoutes) delete(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	return endpoint.None{}, k.keys.Delete(ctx, c.Who, in.ID)
}

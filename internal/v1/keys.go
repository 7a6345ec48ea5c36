package v1

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// KeyEndpoints returns the routes of keys, for administrators.
func KeyEndpoints(s Services) []endpoint.Endpoint {
	k := keyRoutes{keys: s.Keys, groups: s.Groups, views: keyViews{s.Usage, s.Clock}}
	read, write := access.Admin(access.KindKeys, access.Read), access.Admin(access.KindKeys, access.Write)
	return slices.Concat([]endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/v1/keys", "List keys", read, k.list).Pages("limit", "offset"),
		endpoint.New(http.MethodPost, "/v1/keys", "Make a key; its text is in this answer only", write, k.create).Answers(http.StatusCreated),
		endpoint.Naming(endpoint.New(http.MethodPost, "/v1/keys/lookup", "Find the key that the digest of a text belongs to", read, k.lookup),
			k.found, access.KindKeys),
		aboutKey(k, http.MethodGet, "", "Get a key, also a deleted one", access.Read, k.get),
		aboutKey(k, http.MethodPatch, "", "Change a key", access.Write, k.update),
		aboutKey(k, http.MethodDelete, "", "Delete a key for ever; its history stays", access.Write, k.delete),
		aboutKey(k, http.MethodPost, "/disable", "Stop a key, for a reason and until a time", access.Write, k.disable),
		aboutKey(k, http.MethodPost, "/enable", "Let a disabled key work again", access.Write, k.enable),
		aboutKey(k, http.MethodPost, "/rotate", "Give a key a new text, with an overlap; it is in this answer only", access.Write, k.rotate),
		aboutKey(k, http.MethodGet, "/secrets", "List the secrets of a key, without their texts", access.Read, k.secrets),
		aboutKey(k, http.MethodPost, "/secrets/{secret}/retire", "End one secret of a key at once", access.Write, k.retire),
	}, keyRestrictionEndpoints(k), keyEvidenceEndpoints(k, s.Usage))
}

type keyRoutes struct {
	keys   *apikey.Service
	groups *group.Service
	views  keyViews
}

// keyInput names a key.
type keyInput struct {
	ID int64 `path:"id"`
}

func (in keyInput) keyID() int64 { return in.ID }

// aboutKey declares a route about one key, for administrators. A key that is
// bound to groups or people reaches those keys that belong to them.
func aboutKey[In interface{ keyID() int64 }, Out any](
	k keyRoutes, method, rest, doc string, v access.Verb, h func(context.Context, *endpoint.Call, In) (Out, error),
) endpoint.Endpoint {
	policy := access.Admin(access.KindKeys, v).Naming(access.KindKeys, "id")
	behind := func(ctx context.Context, c *endpoint.Call, in In) ([]access.Ref, error) {
		return k.behind(ctx, c, in.keyID())
	}
	return endpoint.Naming(endpoint.New(method, "/v1/keys/{id}"+rest, doc, policy, h), behind, access.KindGroups, access.KindPeople)
}

// behind names the groups and the user behind a key.
func (k keyRoutes) behind(ctx context.Context, c *endpoint.Call, id int64) ([]access.Ref, error) {
	key, err := k.keys.GetAny(ctx, c.Who, id)
	if err != nil {
		return nil, err
	}
	refs := []access.Ref{{Kind: access.KindPeople, ID: idText(key.UserID)}}
	for _, g := range key.Groups {
		refs = append(refs, access.Ref{Kind: access.KindGroups, ID: idText(g.ID)})
	}
	if len(key.Groups) == 0 {
		refs = append(refs, access.Ref{Kind: access.KindGroups, ID: idText(access.AllUsers)})
	}
	return refs, nil
}

// keyListInput chooses keys; all conditions must hold.
type keyListInput struct {
	Query         opt.Value[string] `query:"query" rule:"max=254,notnull"`
	Kind          opt.Value[string] `query:"kind" rule:"enum=service|personal|any,notnull"`
	GroupID       opt.Value[int64]  `query:"group_id" rule:"posint,notnull" kind:"groups"`
	UserID        opt.Value[int64]  `query:"user_id" rule:"posint,notnull" kind:"people"`
	OwnerID       opt.Value[int64]  `query:"owner_id" rule:"posint,notnull" kind:"people"`
	Tag           opt.Value[string] `query:"tag" rule:"nonblank,max=50,notnull"`
	State         opt.Value[string] `query:"state" rule:"enum=active|disabled|expired|deleted,notnull"`
	Review        opt.Value[bool]   `query:"review" rule:"notnull"`
	ExpiresBefore opt.Value[string] `query:"expires_before" rule:"date-time,notnull"`
	Order         opt.Value[string] `query:"order" rule:"enum=name|age,notnull"`
}

// keyPage is a part of a list of keys.
type keyPage struct {
	Data   []wireKey `json:"data"`
	Total  int       `json:"total"` // without paging
	Limit  int       `json:"limit"`
	Offset int       `json:"offset"`
}

// The parts of lists of keys.
const (
	defaultKeyPage = 50
	maxKeyPage     = 500
)

func (k keyRoutes) list(ctx context.Context, c *endpoint.Call, in keyListInput) (keyPage, error) {
	limit, err := pageLimit(c, defaultKeyPage, maxKeyPage)
	if err != nil {
		return keyPage{}, err
	}
	f := apikey.Filter{
		Query: in.Query.V, GroupID: in.GroupID.V, UserID: in.UserID.V, OwnerID: in.OwnerID.V, Tag: in.Tag.V,
		State: apikey.State(in.State.V), Review: in.Review.V, Before: optionalTime(in.ExpiresBefore),
		Limit: limit, Offset: c.Page.Offset.Or(0), ByAge: in.Order.V == "age",
	}
	switch in.Kind.V {
	case "any":
		f.AnyKind = true
	default:
		f.Kind = apikey.Kind(in.Kind.V)
	}
	keys, total, err := k.keys.List(ctx, c.Who, f)
	if err != nil {
		return keyPage{}, err
	}
	shown, err := k.views.all(ctx, c.Who, keys)
	return keyPage{Data: shown, Total: total, Limit: limit, Offset: f.Offset}, err
}

// pageLimit returns how many items the caller asks for.
func pageLimit(c *endpoint.Call, usual, most int) (int, error) {
	n := c.Page.Limit.Or(usual)
	if n < 1 || n > most {
		return 0, fault.Field("limit", "Send a whole number from 1 to %d.", most)
	}
	return n, nil
}

// optionalTime is a time that a rule has checked; absent and null are nil.
func optionalTime(v opt.Value[string]) *time.Time {
	if t := moment(v); !t.IsZero() {
		return &t
	}
	return nil
}

// timeOrNull keeps absent, null and a time apart.
func timeOrNull(v opt.Value[string]) opt.Value[time.Time] {
	return opt.Value[time.Time]{Set: v.Set, Null: v.Null, V: moment(v)}
}

// newKeyInput describes a key that is to be made.
type newKeyInput struct {
	Name        string                        `json:"name" rule:"nonblank,max=254"`
	Description opt.Value[string]             `json:"description" rule:"max=2000"`
	GroupIDs    opt.Value[[]int64]            `json:"group_ids" rule:"posint" kind:"groups"`
	OwnerID     opt.Value[int64]              `json:"owner_id" rule:"posint" kind:"people"`
	SuccessorID opt.Value[int64]              `json:"successor_id" rule:"posint" kind:"people"`
	Tags        opt.Value[[]string]           `json:"tags" rule:"nonblank,max=50"`
	Restriction opt.Value[access.Restriction] `json:"restriction"`
	ExpiresAt   opt.Value[string]             `json:"expires_at" rule:"date-time"` // absent: as the policy says; null: never
}

func (k keyRoutes) create(ctx context.Context, c *endpoint.Call, in newKeyInput) (wireNewKey, error) {
	if err := k.groupsExist(ctx, in.GroupIDs.V); err != nil {
		return wireNewKey{}, err
	}
	key, text, err := k.keys.Make(ctx, c.Who, apikey.Draft{
		Name: in.Name, Description: in.Description.V, Groups: in.GroupIDs.V, OwnerID: in.OwnerID.V, SuccessorID: in.SuccessorID.V,
		Tags: in.Tags.V, Restriction: in.Restriction.V, ExpiresAt: timeOrNull(in.ExpiresAt),
	})
	if err == nil {
		c.Header.Set("Location", "/v1/keys/"+idText(key.ID))
	}
	return k.views.made(ctx, c.Who, key, text, err)
}

// made shows a key with its text, or passes on why there is none. It is the one
// place where a text becomes part of an answer.
func (v keyViews) made(ctx context.Context, who *access.Principal, k apikey.Key, text secret.Text, err error) (wireNewKey, error) {
	if err != nil {
		return wireNewKey{}, err
	}
	shown, err := v.one(ctx, who, k, nil)
	if err != nil {
		// The text is in force and nobody else has it: show all but the last use.
		shown = showKey(who, k, v.clock.Now())
	}
	return wireNewKey{wireKey: shown, Key: text.Reveal()}, nil
}

// groupsExist names the first group that is not there.
func (k keyRoutes) groupsExist(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		name, err := k.groups.Name(ctx, id)
		if err != nil {
			return err
		}
		if name == "" {
			return &fault.Error{
				Kind: fault.Invalid, Code: "unknown-group",
				Fields: map[string]string{"group_ids": fmt.Sprintf("There is no group with the id %d.", id)},
			}
		}
	}
	return nil
}

func (k keyRoutes) get(ctx context.Context, c *endpoint.Call, in keyInput) (wireKey, error) {
	key, err := k.keys.GetAny(ctx, c.Who, in.ID)
	return k.views.one(ctx, c.Who, key, err)
}

// editKeyInput is a change of a key: what is absent stays, and null empties.
type editKeyInput struct {
	keyInput
	Name        opt.Value[string]   `json:"name" rule:"nonblank,max=254,notnull"`
	Description opt.Value[string]   `json:"description" rule:"max=2000"`
	GroupIDs    opt.Value[[]int64]  `json:"group_ids" rule:"posint" kind:"groups"`
	OwnerID     opt.Value[int64]    `json:"owner_id" rule:"posint" kind:"people"`
	SuccessorID opt.Value[int64]    `json:"successor_id" rule:"posint" kind:"people"`
	Tags        opt.Value[[]string] `json:"tags" rule:"nonblank,max=50"`
	ExpiresAt   opt.Value[string]   `json:"expires_at" rule:"date-time"`
}

func (k keyRoutes) update(ctx context.Context, c *endpoint.Call, in editKeyInput) (wireKey, error) {
	if err := k.groupsExist(ctx, in.GroupIDs.V); err != nil {
		return wireKey{}, err
	}
	key, err := k.keys.Update(ctx, c.Who, in.ID, apikey.Change{
		Name: in.Name, Description: emptied(in.Description), Groups: emptiedList(in.GroupIDs),
		OwnerID: in.OwnerID, SuccessorID: in.SuccessorID, Tags: emptiedList(in.Tags), ExpiresAt: timeOrNull(in.ExpiresAt),
	})
	return k.views.one(ctx, c.Who, key, err)
}

// emptied makes the empty text of null.
func emptied(v opt.Value[string]) opt.Value[string] {
	if v.Null {
		return opt.Of("")
	}
	return v
}

// emptiedList makes the empty list of null.
func emptiedList[T any](v opt.Value[[]T]) opt.Value[[]T] {
	if v.Null {
		return opt.Of([]T{})
	}
	return v
}

func (k keyRoutes) delete(ctx context.Context, c *endpoint.Call, in keyInput) (endpoint.None, error) {
	return endpoint.None{}, k.keys.Delete(ctx, c.Who, in.ID)
}

// disableInput says why a key is stopped, and until when.
type disableInput struct {
	keyInput
	Reason string            `json:"reason" rule:"nonblank,max=500"`
	Until  opt.Value[string] `json:"until" rule:"date-time"` // null or absent: until it is enabled
}

func (k keyRoutes) disable(ctx context.Context, c *endpoint.Call, in disableInput) (wireKey, error) {
	key, err := k.keys.Disable(ctx, c.Who, in.ID, in.Reason, optionalTime(in.Until))
	return k.views.one(ctx, c.Who, key, err)
}

func (k keyRoutes) enable(ctx context.Context, c *endpoint.Call, in keyInput) (wireKey, error) {
	key, err := k.keys.Enable(ctx, c.Who, in.ID)
	return k.views.one(ctx, c.Who, key, err)
}

// overlapInput says how long the old text goes on working. Without any of it,
// the old text ends at once.
type overlapInput struct {
	OverlapUntil opt.Value[string] `json:"overlap_until" rule:"date-time"`
	OverlapDays  opt.Value[int64]  `json:"overlap_days" rule:"posint"`
	SilentDays   opt.Value[int64]  `json:"silent_days" rule:"posint"` // it ends after so many days without use
}

// rotateInput gives a key a new text.
type rotateInput struct {
	keyInput
	overlapInput
}

// maxDays bounds numbers of days, so that no time overflows.
const maxDays = 3650

func (in overlapInput) overlap(now time.Time) (apikey.Overlap, error) {
	o := apikey.Overlap{Until: optionalTime(in.OverlapUntil)}
	days, given := in.OverlapDays.Get()
	switch {
	case given && o.Until != nil:
		return o, fault.Field("overlap_days", "Send overlap_until or overlap_days, not both.")
	case days > maxDays:
		return o, fault.Field("overlap_days", "Send a whole number from 1 to %d.", maxDays)
	case in.SilentDays.V > maxDays:
		return o, fault.Field("silent_days", "Send a whole number from 1 to 365.")
	case given:
		until := now.Add(time.Duration(days) * 24 * time.Hour)
		o.Until = &until
	}
	o.SilentDays = int(in.SilentDays.V)
	return o, nil
}

func (k keyRoutes) rotate(ctx context.Context, c *endpoint.Call, in rotateInput) (wireNewKey, error) {
	o, err := in.overlap(k.views.clock.Now())
	if err != nil {
		return wireNewKey{}, err
	}
	key, text, err := k.keys.Rotate(ctx, c.Who, in.ID, o)
	return k.views.made(ctx, c.Who, key, text, err)
}

func (k keyRoutes) secrets(ctx context.Context, c *endpoint.Call, in keyInput) (list[wireSecret], error) {
	all, err := k.keys.Secrets(ctx, c.Who, in.ID)
	if err != nil {
		return list[wireSecret]{}, err
	}
	shown, err := k.views.secrets(ctx, c.Who, in.ID, all)
	return list[wireSecret]{shown}, err
}

// secretInput names a secret of a key.
type secretInput struct {
	keyInput
	Secret int64 `path:"secret"`
}

func (k keyRoutes) retire(ctx context.Context, c *endpoint.Call, in secretInput) (endpoint.None, error) {
	return endpoint.None{}, k.keys.RetireSecret(ctx, c.Who, in.ID, in.Secret)
}

// lookupInput stands for the text of a key, which need not travel.
type lookupInput struct {
	Digest string `json:"digest" rule:"digest"` // SHA-256, in hexadecimal
}

// sum returns the digest, which a rule has checked.
func (in lookupInput) sum() (sum [sha256.Size]byte) {
	_, _ = hex.Decode(sum[:], []byte(in.Digest))
	return sum
}

// foundKey is the key and the secret that a digest belongs to.
type foundKey struct {
	Key    wireKey    `json:"key"`
	Secret wireSecret `json:"secret"`
}

// found names the key that a digest belongs to.
func (k keyRoutes) found(ctx context.Context, c *endpoint.Call, in lookupInput) ([]access.Ref, error) {
	key, _, err := k.keys.Find(ctx, c.Who, in.sum())
	if err != nil {
		return nil, err
	}
	return []access.Ref{{Kind: access.KindKeys, ID: idText(key.ID)}}, nil
}

func (k keyRoutes) lookup(ctx context.Context, c *endpoint.Call, in lookupInput) (foundKey, error) {
	key, hit, err := k.keys.Find(ctx, c.Who, in.sum())
	shown, err := k.views.one(ctx, c.Who, key, err)
	if err != nil {
		return foundKey{}, err
	}
	secrets, err := k.views.secrets(ctx, c.Who, key.ID, []apikey.Secret{hit})
	if err != nil {
		return foundKey{}, err
	}
	return foundKey{Key: shown, Secret: secrets[0]}, nil
}

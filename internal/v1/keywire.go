package v1

import (
	"context"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/clock"
	"latchkey/internal/opt"
	"latchkey/internal/usage"
)

// wireKey is a key as every answer shows it. Its text is never here.
type wireKey struct {
	ID          int64               `json:"id"`
	Kind        string              `json:"kind"` // service or personal
	Name        string              `json:"name"`
	Description string              `json:"description"`
	State       string              `json:"state"` // active, disabled, expired or deleted
	MaskedKey   string              `json:"masked_key"`
	Prefix      string              `json:"prefix"`
	UserID      int64               `json:"user_id"`   // the key's own user, or the person
	GroupIDs    []int64             `json:"group_ids"` // beside All Users, which every key is in
	Groups      []groupRef          `json:"groups"`
	Owner       *userRef            `json:"owner"`
	Successor   *userRef            `json:"successor"`
	Tags        []string            `json:"tags"`
	Restriction access.Restriction  `json:"restriction"`
	Unreadable  bool                `json:"restriction_unreadable"` // the stored restriction cannot be read: the key is refused everything
	Trial       *access.Restriction `json:"trial"`
	TrialSince  *time.Time          `json:"trial_since"`
	ExpiresAt   *time.Time          `json:"expires_at"`   // null: never
	ExpiredAt   *time.Time          `json:"expired_at"`   // when the end was noticed
	Disabled    *keyDisabled        `json:"disabled"`     // also when the key has ended besides
	ReviewSince *time.Time          `json:"review_since"` // the owner was deactivated and nobody followed
	Source      string              `json:"source"`       // seed or bootstrap; "" for keys that people made
	LastUsed    *lastUse            `json:"last_used"`
	CreatedAt   time.Time           `json:"created_at"`
	CreatedBy   *userRef            `json:"created_by"`
	UpdatedAt   time.Time           `json:"updated_at"`
	UpdatedBy   *userRef            `json:"updated_by"`
	DeletedAt   *time.Time          `json:"deleted_at"`
}

// wireNewKey is the one form that holds a key's text, right after it was made.
type wireNewKey struct {
	wireKey
	Key string `json:"key"`
}

// userRef names somebody beside a key. The id is null for the command line.
type userRef struct {
	ID   opt.Value[int64] `json:"id"`
	Name string           `json:"name"`
}

// keyDisabled says why a key does not work.
type keyDisabled struct {
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until"` // null: until it is enabled
	Reason string     `json:"reason"`
	By     *userRef   `json:"by"`
}

// lastUse is the newest use of a key, or of one secret of it.
type lastUse struct {
	At       time.Time         `json:"at"`
	Address  opt.Value[string] `json:"address"` // null when it was not known
	Client   string            `json:"client"`  // the User-Agent
	Route    string            `json:"route"`   // "" for a route that there is not
	SecretID int64             `json:"secret_id"`
}

// wireSecret is one of the secrets of a key, without its text.
type wireSecret struct {
	ID         int64      `json:"id"`
	State      string     `json:"state"` // live, retiring or retired
	MaskedKey  string     `json:"masked_key"`
	Prefix     string     `json:"prefix"`
	Supplied   bool       `json:"supplied"` // from outside, without our checksum
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  *userRef   `json:"created_by"`
	RetireAt   *time.Time `json:"retire_at"`   // when it ends by itself
	SilentDays *int       `json:"silent_days"` // ends after so many days without use
	RetiredAt  *time.Time `json:"retired_at"`
	TriedAt    *time.Time `json:"tried_at"` // somebody used it after its end
	LastUsed   *lastUse   `json:"last_used"`
}

// keyViews show keys to a caller.
type keyViews struct {
	usage *usage.Service
	clock clock.Clock
}

// all shows keys with their last use, which is one query for all of them.
func (v keyViews) all(ctx context.Context, who *access.Principal, keys []apikey.Key) ([]wireKey, error) {
	ids := make([]int64, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	last, err := v.usage.Last(ctx, ids)
	if err != nil {
		return nil, err
	}
	now, out := v.clock.Now(), make([]wireKey, len(keys))
	for i, k := range keys {
		out[i] = showKey(who, k, now)
		if use, ok := last[k.ID]; ok {
			out[i].LastUsed = showUse(use)
		}
	}
	return out, nil
}

// one shows a key, or passes on why there is none.
func (v keyViews) one(ctx context.Context, who *access.Principal, k apikey.Key, err error) (wireKey, error) {
	if err != nil {
		return wireKey{}, err
	}
	out, err := v.all(ctx, who, []apikey.Key{k})
	if err != nil {
		return wireKey{}, err
	}
	return out[0], nil
}

// showKey shows a key without its last use. Groups and people that the caller
// is not to see stay out.
func showKey(who *access.Principal, k apikey.Key, now time.Time) wireKey {
	out := wireKey{
		ID: k.ID, Kind: string(k.Kind), Name: k.Name, Description: k.Description, State: string(k.State(now)),
		MaskedKey: k.Masked(), Prefix: k.Prefix, UserID: k.UserID, GroupIDs: []int64{}, Groups: []groupRef{},
		Owner: somebody(who, k.Owner), Successor: somebody(who, k.Successor), Tags: orEmpty(k.Tags),
		Restriction: k.Restriction, Unreadable: k.Unreadable, Trial: k.Trial, TrialSince: k.TrialSince, ExpiresAt: k.ExpiresAt, ExpiredAt: k.ExpiredAt,
		ReviewSince: k.ReviewSince, Source: k.Source, CreatedAt: k.CreatedAt, CreatedBy: somebody(who, k.CreatedBy),
		UpdatedAt: k.UpdatedAt, UpdatedBy: somebody(who, k.UpdatedBy), DeletedAt: k.DeletedAt,
	}
	for _, g := range k.Groups {
		if access.Sees(who, access.KindGroups, g.ID) {
			out.GroupIDs = append(out.GroupIDs, g.ID)
			out.Groups = append(out.Groups, groupRef(g))
		}
	}
	if k.DisabledAt != nil && (k.DisabledUntil == nil || now.Before(*k.DisabledUntil)) {
		out.Disabled = &keyDisabled{At: *k.DisabledAt, Until: k.DisabledUntil, Reason: k.DisabledReason, By: somebody(who, k.DisabledBy)}
	}
	return out
}

// somebody names a user; nobody, and who is not to be seen, is nil.
func somebody(who *access.Principal, r apikey.Ref) *userRef {
	switch {
	case r == apikey.Ref{}:
		return nil
	case r.ID == 0:
		return &userRef{ID: opt.Null[int64](), Name: r.Name}
	case !access.Sees(who, access.KindPeople, r.ID):
		return nil
	}
	return &userRef{ID: opt.Of(r.ID), Name: r.Name}
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }

func showUse(u usage.LastUse) *lastUse {
	return &lastUse{At: u.At, Address: addressText(u.Addr), Client: u.Agent, Route: u.Route, SecretID: u.SecretID}
}

// The states of secrets.
const (
	secretLive     = "live"
	secretRetiring = "retiring" // it works, and has an end
	secretRetired  = "retired"
)

// showSecret shows a secret with its last use, if there was one.
func showSecret(who *access.Principal, s apikey.Secret, uses map[int64]usage.LastUse, now time.Time) wireSecret {
	out := wireSecret{
		ID: s.ID, State: secretLive, MaskedKey: apikey.Masked(s.Prefix), Prefix: s.Prefix, Supplied: s.Foreign,
		CreatedAt: s.CreatedAt, CreatedBy: somebody(who, s.CreatedBy), RetireAt: s.RetireAt, RetiredAt: s.RetiredAt, TriedAt: s.TriedAt,
	}
	if s.SilentDays > 0 {
		out.SilentDays = &s.SilentDays
	}
	switch {
	case !s.Live(now):
		out.State = secretRetired
	case s.RetireAt != nil || s.SilentDays > 0:
		out.State = secretRetiring
	}
	if use, ok := uses[s.ID]; ok {
		out.LastUsed = showUse(use)
	}
	return out
}

// secrets shows secrets of one key.
func (v keyViews) secrets(ctx context.Context, who *access.Principal, keyID int64, all []apikey.Secret) ([]wireSecret, error) {
	uses, err := v.usage.BySecret(ctx, keyID)
	if err != nil {
		return nil, err
	}
	now, out := v.clock.Now(), make([]wireSecret, len(all))
	for i, s := range all {
		out[i] = showSecret(who, s, uses, now)
	}
	return out, nil
}

package seed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Why the secret of an entry cannot be used.
var (
	errSecretTaken = errors.New("its secret belongs to another key; give it one of its own")
	textEnded      = "its secret was retired here, and an ended secret never works again: give the entry a new one"
	textExpired    = "has come to its end, and stays so (--adopt gives it the end of the file)"
	textDeleted    = "was deleted here, and its secret never works again: take the entry out, or give it a new secret"
)

// wanted is what an entry says of a key, with ids for names.
type wanted struct {
	Key
	groups           []int64 // with All Users
	owner, successor int64
	restriction      access.Restriction
	away             []string // who of them is deactivated; the key keeps whom it has
}

// applyKey makes a key, or changes one that a file made.
func (r *run) applyKey(ctx context.Context, k Key) (Step, error) {
	w, err := r.resolve(ctx, k)
	if err != nil {
		return Step{}, err
	}
	old, seeded, err := r.findKey(ctx, k.Name)
	if err != nil {
		return Step{}, err
	}
	if old.ID == 0 {
		if old, err = r.renamed(ctx, k); err != nil {
			return Step{}, err
		}
		seeded = old.ID != 0
	}
	if old.ID != 0 && k.creator != "" {
		return Step{Action: Unchanged}, nil // as Metabase does with a name that is there
	}
	state, err := r.secretState(ctx, k, old)
	if err != nil {
		return Step{}, err
	}
	if old.ID == 0 {
		return r.createKey(ctx, w, state)
	}
	return r.changeKey(ctx, w, old, seeded, state)
}

// findKey returns the key that an entry means, and whether a file made it. A
// key that has another name by now is still the same.
func (r *run) findKey(ctx context.Context, name string) (apikey.Key, bool, error) {
	if id, ok := r.items[named(kindKey, name)]; ok {
		k, err := r.keys.Get(ctx, r.who, id)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return k, true, err
		}
	}
	list, _, err := r.keys.List(ctx, r.who, apikey.Filter{Query: name})
	if err != nil {
		return apikey.Key{}, false, err
	}
	for _, k := range list {
		if k.Name == name {
			return k, false, nil
		}
	}
	return apikey.Key{}, false, nil
}

// renamed returns the key that a file made under another name, which no entry
// has any more: its secret is that of the entry.
func (r *run) renamed(ctx context.Context, k Key) (apikey.Key, error) {
	found, _, err := r.keys.Find(ctx, r.who, k.digest.Sum)
	if fault.Is(err, fault.NotFound) || err == nil && found.DeletedAt != nil {
		return apikey.Key{}, nil
	}
	if err != nil {
		return apikey.Key{}, err
	}
	for before, id := range r.items {
		inUse := slices.ContainsFunc(r.file.Keys, func(o Key) bool { return o.Name == before.name })
		if before.kind == kindKey && id == found.ID && !inUse {
			delete(r.items, before)
			return found, r.forget(ctx, before)
		}
	}
	return apikey.Key{}, nil
}

// resolve finds what an entry names.
func (r *run) resolve(ctx context.Context, k Key) (wanted, error) {
	w := wanted{Key: k, restriction: k.Restriction.Or(access.Restriction{})}
	var err error
	if w.groups, err = r.groupIDs(k.Groups.Or(nil)); err != nil {
		return w, err
	}
	if w.owner, err = r.answerable(ctx, &w, "owner", k.Owner); err != nil {
		return w, err
	}
	if w.successor, err = r.answerable(ctx, &w, "successor", k.Successor); err != nil {
		return w, err
	}
	if len(w.away) > 0 {
		w.Owner.Set, w.Successor.Set = false, false
	}
	w.restriction.Resources = maps.Clone(w.restriction.Resources) // the file may be applied again
	for kind, list := range k.named {
		for _, name := range list {
			id, err := r.resourceID(ctx, kind, name)
			if err != nil {
				return w, err
			}
			w.restriction.Resources[kind] = append(slices.Clone(w.restriction.Resources[kind]), strconv.FormatInt(id, 10))
		}
	}
	return w, nil
}

// answerable returns the id of the person who shall answer for a key. One who
// is deactivated is noted: that must not stop a start.
func (r *run) answerable(ctx context.Context, w *wanted, what string, email opt.Value[string]) (int64, error) {
	if email.Or("") == "" {
		return 0, nil
	}
	u, err := r.somebody(ctx, what, email.V)
	if err == nil && !u.Active {
		w.away = append(w.away, fmt.Sprintf("the %s %s is deactivated, so the key keeps whom it has: name another", what, email.V))
	}
	return u.ID, err
}

// resourceID returns the id of a group, person or key that a restriction names.
func (r *run) resourceID(ctx context.Context, kind, name string) (int64, error) {
	switch kind {
	case "groups":
		ids, err := r.groupIDs([]string{name})
		if err != nil {
			return 0, fmt.Errorf("restriction.resources.groups: %w", err)
		}
		return ids[len(ids)-1], nil
	case "people":
		u, err := r.somebody(ctx, "person", name)
		if err != nil {
			return 0, fmt.Errorf("restriction.resources.people: %w", err)
		}
		return u.ID, nil
	}
	k, _, err := r.findKey(ctx, name)
	if err == nil && k.ID == 0 {
		err = fmt.Errorf("restriction.resources.keys: there is no key %q; put its entry before this one", name)
	}
	return k.ID, err
}

// secretState is what the secret of an entry is here.
type secretState int

const (
	secretNew     secretState = iota // never seen
	secretLive                       // works for this key
	secretEnded                      // worked for this key
	secretDeleted                    // worked for a key that was deleted
)

// secretState compares the secret of an entry with what is stored.
func (r *run) secretState(ctx context.Context, k Key, old apikey.Key) (secretState, error) {
	found, x, err := r.keys.Find(ctx, r.who, k.digest.Sum)
	switch {
	case fault.Is(err, fault.NotFound):
		return secretNew, nil
	case err != nil:
		return secretNew, err
	case found.ID == old.ID && x.Live(r.db.Now(ctx)):
		return secretLive, nil
	case found.ID == old.ID:
		return secretEnded, nil
	case found.DeletedAt != nil && (found.Name == k.Name || found.ID == r.items[named(kindKey, k.Name)]):
		return secretDeleted, nil
	}
	return secretNew, errSecretTaken
}

// createKey makes a key.
func (r *run) createKey(ctx context.Context, w wanted, state secretState) (Step, error) {
	if state == secretDeleted {
		return Step{Action: Left, Detail: []string{textDeleted}}, nil
	}
	if len(w.away) > 0 {
		return Step{}, errors.New(strings.Join(w.away, "; "))
	}
	who := r.who
	if w.creator != "" {
		var err error
		if who, err = r.creator(ctx, w.creator); err != nil {
			return Step{}, err
		}
	}
	d := apikey.Draft{
		Name: w.Name, Description: w.Description.Or(""), Groups: w.groups, OwnerID: w.owner, SuccessorID: w.successor,
		Tags: w.Tags.Or(nil), Restriction: w.restriction, ExpiresAt: w.ExpiresAt, Source: apikey.SourceSeed, Supplied: w.text,
	}
	if w.ExpiresInDays > 0 {
		d.ExpiresAt = opt.Of(r.db.Now(ctx).Add(time.Duration(w.ExpiresInDays) * 24 * time.Hour))
	}
	if w.text.Empty() {
		d.Digest = &w.digest
	}
	k, _, err := r.keys.Make(ctx, who, d)
	if err != nil {
		return Step{}, err
	}
	return Step{Action: Create, Detail: []string{"groups: " + r.groupNames(w.groups)}}, r.remember(ctx, kindKey, w.Name, k.ID)
}

// creator is the administrator whom a config.yml of Metabase names as the one
// who makes a key (contract/identity.md 1.7).
func (r *run) creator(ctx context.Context, email string) (*access.Principal, error) {
	u, err := r.people.ByEmail(ctx, r.who, email)
	if fault.Is(err, fault.NotFound) || err == nil && !u.Active {
		return nil, fmt.Errorf("User with email %s not found", email) //nolint:revive,staticcheck // Metabase's text
	}
	if err != nil {
		return nil, err
	}
	if !u.IsAdmin {
		return nil, fmt.Errorf("User with email %s is not an admin", email) //nolint:revive,staticcheck // Metabase's text
	}
	who := actor()
	who.UserID = u.ID
	return who, nil
}

// changeKey changes a key that is there. What the file asks for and cannot
// have is noted.
func (r *run) changeKey(ctx context.Context, w wanted, old apikey.Key, seeded bool, state secretState) (Step, error) {
	notes := append(slices.Clone(w.away), r.pastEnd(ctx, &w, old)...)
	change, detail := r.keyChanges(w, old)
	narrow := w.Restriction.Set && !w.restriction.Equal(old.Restriction)
	if narrow {
		detail = append(detail, "restriction changed")
	}
	if state == secretNew {
		detail = append(detail, "secret replaced")
	}
	if state == secretEnded {
		notes = append(notes, textEnded)
	}
	switch {
	case len(detail) > 0 && !r.mine(seeded):
		return left(detail), nil
	case len(detail) == 0 && len(notes) > 0:
		return Step{Action: Left, Detail: notes}, nil
	case len(detail) == 0 && (seeded || !r.opts.Adopt):
		return Step{Action: Unchanged}, nil
	}
	if _, err := r.keys.Update(ctx, r.who, old.ID, change); err != nil {
		return Step{}, err
	}
	if narrow {
		if _, err := r.keys.SetRestriction(ctx, r.who, old.ID, w.restriction); err != nil {
			return Step{}, err
		}
	}
	if state == secretNew {
		if err := r.replaceSecret(ctx, w, old.ID); err != nil {
			return Step{}, err
		}
	}
	action := Update
	if len(detail) == 0 {
		action = Unchanged
	}
	return Step{Action: action, Detail: append(detail, notes...)}, r.remember(ctx, kindKey, w.Name, old.ID)
}

// pastEnd leaves the end of a key that has come to it, and says so: whoever
// ended it by hand does not want it back at the next start.
func (r *run) pastEnd(ctx context.Context, w *wanted, old apikey.Key) (notes []string) {
	if !w.ExpiresAt.Set || r.opts.Adopt || old.State(r.db.Now(ctx)) != apikey.Expired {
		return nil
	}
	if date(w.ExpiresAt.Ptr()) != date(old.ExpiresAt) {
		notes = []string{textExpired}
	}
	w.ExpiresAt.Set = false
	return notes
}

func (r *run) replaceSecret(ctx context.Context, w wanted, id int64) error {
	d := apikey.Draft{Supplied: w.text}
	if w.text.Empty() {
		d.Digest = &w.digest
	}
	_, err := r.keys.Supply(ctx, r.who, id, d)
	return err
}

// keyChanges says how a key differs from an entry, but for its restriction and
// its secret.
func (r *run) keyChanges(w wanted, old apikey.Key) (apikey.Change, []string) {
	var c apikey.Change
	var detail []string
	differ := func(what, before, after string) { detail = append(detail, arrow(what, before, after)) }
	if w.Name != old.Name {
		c.Name = opt.Of(w.Name)
		differ("name", old.Name, w.Name)
	}
	if v, ok := w.Description.Get(); ok && strings.TrimSpace(v) != old.Description {
		c.Description = opt.Of(v)
		detail = append(detail, "description changed")
	}
	if now := groupIDs(old.Groups); w.Groups.Set && !slices.Equal(beside(w.groups), now) {
		c.Groups = opt.Of(w.groups)
		differ("groups", r.groupNames(now), r.groupNames(w.groups))
	}
	if w.Owner.Set && w.owner != old.Owner.ID {
		c.OwnerID = opt.Of(w.owner)
		differ("owner", old.Owner.Name, w.Owner.V)
	}
	if w.Successor.Set && w.successor != old.Successor.ID {
		c.SuccessorID = opt.Of(w.successor)
		differ("successor", old.Successor.Name, w.Successor.V)
	}
	if v, ok := w.Tags.Get(); ok && !slices.Equal(tidy(v), tidy(old.Tags)) {
		c.Tags = opt.Of(v)
		differ("tags", strings.Join(old.Tags, ", "), strings.Join(tidy(v), ", "))
	}
	if w.ExpiresAt.Set && date(w.ExpiresAt.Ptr()) != date(old.ExpiresAt) {
		c.ExpiresAt = w.ExpiresAt
		differ("expires_at", date(old.ExpiresAt), date(w.ExpiresAt.Ptr()))
	}
	return c, detail
}

func groupIDs(refs []apikey.Ref) []int64 {
	var out []int64
	for _, g := range refs {
		out = append(out, g.ID)
	}
	return out
}

// tidy returns tags as they are stored.
func tidy(tags []string) []string {
	var out []string
	for _, t := range tags {
		out = append(out, strings.TrimSpace(t))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func date(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

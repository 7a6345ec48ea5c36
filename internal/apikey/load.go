package apikey

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// find looks a MAC up in the database: under the current pepper, then under
// the previous one, from which it moves to the current. The zero place means
// unknown.
func (v *Verifier) find(ctx context.Context, text string, mac MAC) (place, error) {
	at, err := v.places.Get(ctx, mac)
	if !errors.Is(err, db.ErrNone) {
		return at, fault.Wrap(err, "look up key")
	}
	if v.peppers.Previous == nil {
		return place{}, nil
	}
	old := v.peppers.Previous.MAC(text)
	at, err = v.loadPlace(ctx, old)
	if errors.Is(err, db.ErrNone) {
		// Unknown, unless another request has just moved it to the current one.
		if at, err = v.places.Get(ctx, mac); errors.Is(err, db.ErrNone) {
			return place{}, nil
		}
		return at, fault.Wrap(err, "look up key")
	}
	if err == nil {
		err = v.rewrite(ctx, at, old, mac)
	}
	return at, fault.Wrap(err, "look up key under the previous pepper")
}

// rewrite moves a secret to the current pepper. It is no change of access, so
// it leaves no audit entry; the condition on the old MAC yields to others.
func (v *Verifier) rewrite(ctx context.Context, at place, old, mac MAC) error {
	return v.db.InTx(ctx, func(ctx context.Context) error {
		_, err := v.db.Exec(ctx, "UPDATE api_key_secret SET mac = ?3, pepper_id = ?4 WHERE id = ?1 AND mac = ?2",
			at.secretID, old[:], mac[:], v.peppers.Current.id)
		if err != nil {
			return err
		}
		return v.db.Record(ctx, db.ChangedKey, at.keyID)
	})
}

func (v *Verifier) loadPlace(ctx context.Context, mac MAC) (place, error) {
	return db.One(ctx, v.db, func(r db.Row) (p place, err error) {
		err = r.Scan(&p.secretID, &p.keyID)
		return p, err
	}, "SELECT id, key_id FROM api_key_secret WHERE mac = ?1", mac[:])
}

// stored is a key's row as the verifier reads it.
type stored struct {
	kind                   Kind
	userID                 int64
	name                   string
	chosen, restriction    string
	trial                  *string
	expires, expired       *time.Time
	off, offUntil, deleted *time.Time
}

func scanStored(r db.Row) (s stored, err error) {
	err = r.Scan(&s.kind, &s.userID, &s.name, &s.chosen, &s.restriction, &s.trial,
		db.NullTime(&s.expires), db.NullTime(&s.expired), db.NullTime(&s.off), db.NullTime(&s.offUntil), db.NullTime(&s.deleted))
	return s, err
}

// loadState reads one key; a key that never was is nil.
func (v *Verifier) loadState(ctx context.Context, id int64) (*state, error) {
	row, err := db.One(ctx, v.db, scanStored, `SELECT kind, user_id, name, chosen_groups, restriction, trial,
		expires_at, expired_at, disabled_at, disabled_until, deleted_at FROM api_key WHERE id = ?1`, id)
	if errors.Is(err, db.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	st := &state{
		userID: row.userID, expiresAt: micros(row.expires), deleted: row.deleted != nil,
		disabled: row.off != nil, disabledUntil: micros(row.offUntil),
	}
	st.expired.Store(row.expired != nil || v.hasEnded(id, row))
	if st.subject, err = v.subjects.Get(ctx, st.userID); err != nil {
		return nil, err
	}
	if st.secrets, err = v.loadSecrets(ctx, id); err != nil {
		return nil, err
	}
	principal, err := v.principal(ctx, id, row, st)
	if err != nil || principal == nil {
		return st, err
	}
	for i := range st.secrets {
		p := principal
		if i > 0 { // a second secret is rare, so most keys make one principal
			second := *principal
			p = &second
		}
		p.SecretID = st.secrets[i].id
		st.secrets[i].principal = p
	}
	return st, nil
}

// hasEnded reports whether this end of a key was seen to pass before: what a
// clock that has jumped back says now does not count. Once the end is noted in
// the database, or is another one, the memory of it goes.
func (v *Verifier) hasEnded(id int64, row stored) bool {
	end, ok := v.ended.Load(id)
	if ok && (row.expired != nil || end != micros(row.expires)) {
		v.ended.Delete(id)
		return false
	}
	return ok
}

// loadSecrets reads the live secrets of a key.
func (v *Verifier) loadSecrets(ctx context.Context, keyID int64) ([]secretState, error) {
	return db.All(ctx, v.db, func(r db.Row) (secretState, error) {
		var x secretState
		var mac []byte
		var at *time.Time
		err := r.Scan(&x.id, &mac, db.NullTime(&at))
		copy(x.mac[:], mac)
		x.retireAt = micros(at)
		return x, err
	}, "SELECT id, mac, retire_at FROM api_key_secret WHERE key_id = ?1 AND retired_at IS NULL ORDER BY id DESC", keyID)
}

// principal makes who acts with a key, and its limits. Nil means that the key
// is inactive.
func (v *Verifier) principal(ctx context.Context, id int64, row stored, st *state) (*access.Principal, error) {
	s := st.subject
	if s == nil || !s.Active {
		return nil, nil
	}
	p := &access.Principal{
		Kind: access.ServiceKey, UserID: s.UserID, KeyID: id,
		Name: row.name, Email: s.Email, Locale: s.Locale, Groups: s.Groups,
	}
	rules, err := v.rules.Get(ctx, Instance)
	if err != nil {
		return nil, err
	}
	policy := combine(rules, s.Groups)
	if row.kind == KindPersonal {
		p.Kind, p.Name = access.PersonalKey, s.Name
		if p.Groups = ceiling(row.chosen, s.Groups); p.Groups == nil || !policy.AllowPersonal {
			return nil, nil
		}
	}
	restriction := v.limit(p, row)
	st.limits = p.Limits
	rates := policy.rates
	if own := restriction.RateLimit; own != nil && !slices.Contains(rates, *own) {
		rates = append(rates, *own)
	}
	st.rates, st.quota = v.meters.ofRates(id, rates), v.meters.ofQuota(id, restriction.Quota, v.usage.Count)
	return p, nil
}

// limit gives a principal the limits of its key. A restriction that cannot be
// read refuses everything.
func (v *Verifier) limit(p *access.Principal, row stored) access.Restriction {
	r, err := access.ParseRestriction([]byte(row.restriction))
	if err == nil && !r.IsZero() {
		p.Limits, err = r.Compile()
	}
	if err != nil {
		v.log.Error("the restriction of a key cannot be read; the key is refused everything", "key", p.KeyID, "error", err)
		p.Limits = access.Closed()
		return access.Restriction{}
	}
	if row.trial != nil {
		if t, err := access.ParseRestriction([]byte(*row.trial)); err == nil {
			p.Trial, _ = t.Compile() // what cannot be read reports nothing
		}
	}
	return r
}

// ceiling is what a personal key may use: the groups that were chosen and that
// the person is still in. Nil means that none is left.
func ceiling(chosen string, groups []int64) []int64 {
	var want []int64
	if json.Unmarshal([]byte(chosen), &want) != nil {
		return nil
	}
	out := []int64{access.AllUsers}
	for _, id := range want {
		if id != access.AllUsers && slices.Contains(groups, id) {
			out = append(out, id)
		}
	}
	if len(out) == 1 && len(want) > 0 && !slices.Equal(want, out) {
		return nil
	}
	slices.Sort(out)
	return out
}

func micros(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMicro()
}

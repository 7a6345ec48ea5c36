package apikey

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"sync/atomic"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Reason says why a key was accepted or refused. Outsiders get the same answer
// for every refusal; the reason is for the log and the metrics.
type Reason uint8

// The reasons.
const (
	Accepted  Reason = iota
	Malformed        // not a key of ours: wrong length, form or checksum
	Unknown          // well formed, but no key is stored under it
	Inactive         // the user behind it is not active
	reasons
)

var reasonNames = [reasons]string{"accepted", "malformed", "unknown", "inactive"}

// String returns the reason's stable name.
func (r Reason) String() string { return reasonNames[r] }

// state is what a check needs to know of one key.
type state struct {
	mac       MAC
	userID    int64
	subject   *access.Subject   // the user that principal was made of
	principal *access.Principal // nil when the user is not active
}

// has reports whether the key exists and its text has the MAC.
func (st *state) has(mac MAC) bool {
	return st != nil && subtle.ConstantTimeCompare(st.mac[:], mac[:]) == 1
}

// keysKept bounds the memory of the verifier: about 500 bytes a key.
const keysKept = 100_000

// Verifier checks keys. When warm it reads no database and allocates nothing.
type Verifier struct {
	db       *db.DB
	log      *slog.Logger
	peppers  Peppers
	subjects *access.Subjects
	// ids never forgets for correctness' sake: a MAC belongs to one key for
	// ever. Whether it is still that key's MAC is in the state.
	ids    *access.Cache[MAC, int64]
	states *access.Cache[int64, *state]
	counts [reasons]atomic.Uint64
}

// NewVerifier returns a verifier that follows the change log of d.
func NewVerifier(d *db.DB, p Peppers, subjects *access.Subjects, log *slog.Logger) *Verifier {
	v := &Verifier{db: d, log: log, peppers: p, subjects: subjects}
	v.ids = access.NewCache(keysKept, v.loadID)
	v.states = access.NewCache(keysKept, v.loadState)
	d.Subscribe(v.apply)
	return v
}

func (v *Verifier) apply(changes []db.Change) {
	for _, c := range changes {
		switch c.Kind {
		case db.ChangedKey:
			v.states.Drop(c.ID)
		case db.Reset:
			v.states.Clear()
		}
	}
}

// Counts returns how many checks ended with each reason since the start.
func (v *Verifier) Counts() map[string]uint64 {
	out := map[string]uint64{}
	for r := range reasons {
		out[r.String()] = v.counts[r].Load()
	}
	return out
}

// Verify returns the principal of a key. A refused key gives a nil principal
// and the reason; an error means that the answer could not be found out, and
// is never to be read as a refusal or an acceptance.
func (v *Verifier) Verify(ctx context.Context, text string) (*access.Principal, Reason, error) {
	p, reason, err := v.verify(ctx, text)
	if err == nil {
		v.counts[reason].Add(1)
	}
	return p, reason, err
}

func (v *Verifier) verify(ctx context.Context, text string) (*access.Principal, Reason, error) {
	if !WellFormed(text) {
		return nil, Malformed, nil
	}
	mac := v.peppers.Current.MAC(text)
	id, known := v.ids.Lookup(mac)
	if !known {
		var err error
		if id, err = v.find(ctx, text, mac); err != nil || id == 0 {
			return nil, Unknown, err
		}
	}
	st, err := v.states.Get(ctx, id)
	if err == nil && !known && !st.has(mac) {
		// The database has just named this key, so what is in memory is older:
		// another node gave the key a new text, and its change is on the way.
		v.states.Drop(id)
		st, err = v.states.Get(ctx, id)
	}
	if err != nil {
		return nil, Unknown, fault.Wrap(err, "load key")
	}
	if !st.has(mac) {
		return nil, Unknown, nil
	}
	if st, err = v.fresh(ctx, id, st); err != nil {
		return nil, Unknown, err
	}
	if !st.has(mac) { // what fresh read anew may have another text, or be gone
		return nil, Unknown, nil
	}
	if st.principal == nil {
		return nil, Inactive, nil
	}
	return st.principal, Accepted, nil
}

// fresh makes sure that the state was made of the user as it is now.
func (v *Verifier) fresh(ctx context.Context, id int64, st *state) (*state, error) {
	subject, err := v.subjects.Get(ctx, st.userID)
	if err != nil {
		return nil, fault.Wrap(err, "load the user behind a key")
	}
	if subject == st.subject {
		return st, nil
	}
	v.states.Drop(id)
	st, err = v.states.Get(ctx, id)
	return st, fault.Wrap(err, "load key")
}

// find looks a MAC up in the database: under the current pepper, then under
// the previous one, from which it moves to the current. 0 means unknown.
func (v *Verifier) find(ctx context.Context, text string, mac MAC) (int64, error) {
	id, err := v.ids.Get(ctx, mac)
	if !errors.Is(err, db.ErrNone) {
		return id, fault.Wrap(err, "look up key")
	}
	if v.peppers.Previous == nil {
		return 0, nil
	}
	old := v.peppers.Previous.MAC(text)
	id, err = v.loadID(ctx, old)
	if errors.Is(err, db.ErrNone) {
		// Unknown, unless another request has just moved it to the current one.
		if id, err = v.ids.Get(ctx, mac); errors.Is(err, db.ErrNone) {
			return 0, nil
		}
		return id, fault.Wrap(err, "look up key")
	}
	if err == nil {
		err = v.rewrite(ctx, id, old, mac)
	}
	return id, fault.Wrap(err, "look up key under the previous pepper")
}

// rewrite moves a key to the current pepper. It is no change of access, so it
// leaves no audit entry; the condition on the old MAC yields to a rotation.
func (v *Verifier) rewrite(ctx context.Context, id int64, old, mac MAC) error {
	return v.db.InTx(ctx, func(ctx context.Context) error {
		_, err := v.db.Exec(ctx, "UPDATE api_key SET mac = ?3, pepper_id = ?4 WHERE id = ?1 AND mac = ?2",
			id, old[:], mac[:], v.peppers.Current.id)
		if err != nil {
			return err
		}
		return v.db.Record(ctx, db.ChangedKey, id)
	})
}

func (v *Verifier) loadID(ctx context.Context, mac MAC) (int64, error) {
	return db.One(ctx, v.db, db.Scalar[int64], "SELECT id FROM api_key WHERE mac = ?1", mac[:])
}

// loadState reads one key; a key that is gone is nil.
func (v *Verifier) loadState(ctx context.Context, id int64) (*state, error) {
	var name string
	st, err := db.One(ctx, v.db, func(r db.Row) (*state, error) {
		st := &state{}
		var mac []byte
		err := r.Scan(&mac, &st.userID, &name)
		copy(st.mac[:], mac)
		return st, err
	}, "SELECT mac, user_id, name FROM api_key WHERE id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if st.subject, err = v.subjects.Get(ctx, st.userID); err != nil {
		return nil, err
	}
	if s := st.subject; s != nil && s.Active {
		st.principal = &access.Principal{
			Kind: access.ServiceKey, UserID: s.UserID, KeyID: id,
			Name: name, Email: s.Email, Locale: s.Locale, Groups: s.Groups,
		}
	}
	return st, nil
}

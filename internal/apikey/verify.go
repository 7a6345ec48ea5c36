package apikey

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/usage"
)

// Reason says why a key was accepted or refused. Outsiders get the same answer
// for every refusal but the limits; the reason is for the log, the metrics and
// the evidence.
type Reason uint8

// The reasons, in the order of the checks.
const (
	Accepted       Reason = iota
	Malformed             // not a key of ours: wrong length, form or checksum
	Unknown               // well formed, but no key is stored under it
	DeletedKey            // the key was deleted
	Retired               // the secret was replaced
	ExpiredKey            // the key has come to its end
	DisabledKey           // the key is disabled
	Inactive              // the user behind it is not active, or no longer in a group of the key
	WrongAddress          // the client's address is not among those allowed
	OutsideHours          // not at this time of the week
	RateLimited           // too many requests in the window
	QuotaExhausted        // too many requests in the day or month
	reasons
)

var reasonNames = [reasons]string{
	"accepted", "malformed", "unknown", "key-deleted", "secret-retired", "key-expired", "key-disabled", "key-inactive",
	"address", "hours", "rate-limit", "quota",
}

// String returns the reason's stable name.
func (r Reason) String() string { return reasonNames[r] }

// Check is the outcome of one check.
type Check struct {
	Principal *access.Principal // nil when the key was refused
	Reason    Reason
	KeyID     int64     // 0 when the text belongs to no key
	SecretID  int64     // 0 when the text belongs to no key
	ExpiresAt time.Time // when the key ends; zero means never
	RetiresAt time.Time // when this secret of it ends; zero means never
	Rate      Allowance
	Quota     Allowance
}

// secretState is what a check needs to know of one live secret.
type secretState struct {
	id        int64
	mac       MAC
	retireAt  int64             // microseconds; 0 means never
	principal *access.Principal // nil when the key is inactive
}

// state is what a check needs to know of one key. It is immutable but for the
// marks, which only ever go up.
type state struct {
	userID        int64
	subject       *access.Subject // the user that principals were made of
	secrets       []secretState   // the live ones; seldom more than one
	expiresAt     int64           // microseconds; 0 means never
	disabled      bool
	disabledUntil int64 // microseconds; 0 means until it is enabled
	deleted       bool
	limits        *access.Limits // nil when there are none
	rates         []*meter       // the key's own and those of policies; seldom more than one
	quota         *quota

	// expired stays set once the end has been seen: a clock that jumps back
	// revives no key.
	expired atomic.Bool
}

// secret returns the live secret with the MAC, or nil.
func (st *state) secret(mac MAC) *secretState {
	if st == nil {
		return nil
	}
	for i := range st.secrets {
		if subtle.ConstantTimeCompare(st.secrets[i].mac[:], mac[:]) == 1 {
			return &st.secrets[i]
		}
	}
	return nil
}

// place is where a MAC leads.
type place struct{ secretID, keyID int64 }

// keysKept bounds the memory of the verifier: about 500 bytes a key.
const keysKept = 1 << 16

// Verifier checks keys. When warm it reads no database and allocates nothing.
type Verifier struct {
	db       *db.DB
	log      *slog.Logger
	peppers  Peppers
	subjects *access.Subjects
	usage    *usage.Service
	// places never forgets for correctness' sake: a MAC belongs to one secret
	// for ever. Whether that is still live is in the state.
	places  *access.Cache[MAC, place]
	states  *access.Cache[int64, *state]
	rules   *access.Cache[int64, []Policy] // all policies, under Instance
	meters  meters
	foreign foreignPrefixes
	ended   sync.Map // key id -> end that was seen to pass, until Sweep has noted it
	waned   sync.Map // secret id -> the same of a secret whose overlap ended
	alarms  chan alarm
	counts  [reasons]atomic.Uint64
}

// alarmsHeld bounds the retired secrets that wait to be reported.
const alarmsHeld = 256

// NewVerifier returns a verifier that follows the change log of d.
func NewVerifier(d *db.DB, p Peppers, subjects *access.Subjects, use *usage.Service, log *slog.Logger) *Verifier {
	v := &Verifier{db: d, log: log, peppers: p, subjects: subjects, usage: use, alarms: make(chan alarm, alarmsHeld)}
	v.places = access.NewCache(keysKept, v.loadPlace)
	v.states = access.NewCache(keysKept, v.loadState)
	v.rules = access.NewCache(1, func(ctx context.Context, _ int64) ([]Policy, error) { return allPolicies(ctx, d) })
	v.foreign.wanted.Add(1)
	d.Subscribe(v.apply)
	return v
}

func (v *Verifier) apply(changes []db.Change) {
	for _, c := range changes {
		switch c.Kind {
		case db.ChangedKey:
			v.states.Drop(c.ID)
		case db.ChangedForeign:
			v.foreign.wanted.Add(1)
		case db.ChangedPolicy:
			v.rules.Clear()
			v.states.Clear()
		case db.Reset:
			v.rules.Clear()
			v.states.Clear()
			v.foreign.wanted.Add(1)
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

// Verify checks the text of a key that came from an address. A refused key
// gives no principal and the reason; an error means that the answer could not
// be found out, and is never to be read as a refusal or an acceptance.
func (v *Verifier) Verify(ctx context.Context, text string, from netip.Addr) (Check, error) {
	c, err := v.verify(ctx, text, from)
	if err == nil {
		v.counts[c.Reason].Add(1)
	}
	return c, err
}

// verify runs the checks in the order of DESIGN section 3: form, checksum,
// MAC, look-up, state, address, limits.
func (v *Verifier) verify(ctx context.Context, text string, from netip.Addr) (Check, error) {
	if !WellFormed(text) {
		mayBe, err := v.mayBeForeign(ctx, text)
		if !mayBe {
			return Check{Reason: Malformed}, err
		}
	}
	mac := v.peppers.Current.MAC(text)
	at, known := v.places.Lookup(mac)
	if !known {
		var err error
		if at, err = v.find(ctx, text, mac); err != nil || at.keyID == 0 {
			return Check{Reason: Unknown}, err
		}
	}
	st, err := v.states.Get(ctx, at.keyID)
	if err == nil && !known && st.secret(mac) == nil {
		// The database has just named this secret, so what is in memory is
		// older: another node made it, and its change is on the way.
		v.states.Drop(at.keyID)
		st, err = v.states.Get(ctx, at.keyID)
	}
	if err != nil {
		return Check{}, fault.Wrap(err, "load key")
	}
	if st, err = v.fresh(ctx, at.keyID, st); err != nil {
		return Check{}, err
	}
	return v.judge(ctx, st, at, mac, from)
}

// judge decides on a key that is known.
func (v *Verifier) judge(ctx context.Context, st *state, at place, mac MAC, from netip.Addr) (Check, error) {
	c := Check{KeyID: at.keyID, SecretID: at.secretID}
	now := v.db.Now(context.Background()) // the clock's, whatever ctx carries
	x := st.secret(mac)
	if v.over(x, now.UnixMicro()) {
		x = nil
	}
	seen := st != nil && st.expired.Load()
	if c.Reason = st.standing(x, now.UnixMicro()); c.Reason != Accepted {
		if c.Reason == ExpiredKey && !seen {
			v.ended.Store(at.keyID, st.expiresAt)
		}
		if c.Reason == Retired {
			v.alarm(alarm{at, from})
		}
		return c, nil
	}
	if l := st.limits; l != nil {
		if !l.From(from) {
			c.Reason = WrongAddress
			return c, nil
		}
		if !l.At(now) {
			c.Reason = OutsideHours
			return c, nil
		}
	}
	if st.expiresAt != 0 {
		c.ExpiresAt = time.UnixMicro(st.expiresAt).UTC()
	}
	if x.retireAt != 0 {
		c.RetiresAt = time.UnixMicro(x.retireAt).UTC()
	}
	if err := st.take(ctx, now, &c); err != nil {
		return c, fault.Wrap(err, "read what a key has used")
	}
	if c.Reason == Accepted {
		c.Principal = x.principal
	}
	return c, nil
}

// over reports whether the overlap of a secret has ended, now or when it was
// tried before: a clock that jumps back revives no secret.
func (v *Verifier) over(x *secretState, now int64) bool {
	if x == nil || x.retireAt == 0 {
		return false
	}
	if now >= x.retireAt {
		v.waned.Store(x.id, x.retireAt)
		return true
	}
	end, seen := v.waned.Load(x.id)
	return seen && end == x.retireAt
}

// standing says whether the key and this secret of it, nil when it has ended,
// are good at a time.
func (st *state) standing(x *secretState, now int64) Reason {
	switch {
	case st == nil || st.deleted:
		return DeletedKey
	case x == nil:
		return Retired
	case st.expired.Load():
		return ExpiredKey
	case st.expiresAt != 0 && now >= st.expiresAt:
		st.expired.Store(true)
		return ExpiredKey
	case st.disabled && (st.disabledUntil == 0 || now < st.disabledUntil):
		return DisabledKey
	case x.principal == nil:
		return Inactive
	}
	return Accepted
}

// take counts the request against the limits of the key.
func (st *state) take(ctx context.Context, now time.Time, c *Check) error {
	for _, m := range st.rates {
		left, ok := m.take(now.UnixMicro())
		if !c.Rate.Set() || left.Remaining < c.Rate.Remaining || !ok {
			c.Rate = left
		}
		if !ok {
			c.Reason = RateLimited
			return nil
		}
	}
	if st.quota == nil {
		return nil
	}
	left, ok, err := st.quota.take(ctx, now)
	c.Quota = left
	if err == nil && !ok {
		c.Reason = QuotaExhausted
	}
	return err
}

// alarm hands the use of a retired secret to whoever writes it down. What does
// not fit is counted by the reason all the same.
func (v *Verifier) alarm(a alarm) {
	select {
	case v.alarms <- a:
	default:
	}
}

// fresh makes sure that the state was made of the user as it is now.
func (v *Verifier) fresh(ctx context.Context, id int64, st *state) (*state, error) {
	if st == nil {
		return nil, nil
	}
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

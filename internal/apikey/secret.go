package apikey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// The bounds of a text that comes from outside (contract/identity.md 1.1).
const (
	minSupplied = 12
	maxSupplied = 254
)

// minDigested is the shortest text whose digest may be passed around: a digest
// of less could be reversed by guessing.
const minDigested = 32

// Secret is one of the texts of a key, without the text. A key has one that
// is live, or two during a rotation; those that ended stay, so that their use
// raises an alarm.
type Secret struct {
	ID         int64
	KeyID      int64
	Prefix     string
	Foreign    bool // supplied from outside
	CreatedAt  time.Time
	CreatedBy  Ref
	RetireAt   *time.Time // when it ends by itself
	SilentDays int        // ends after so many days without use; 0 means it does not
	RetiredAt  *time.Time
	TriedAt    *time.Time // last use after its end
}

// Live reports whether the secret works at a time.
func (s Secret) Live(now time.Time) bool {
	return s.RetiredAt == nil && (s.RetireAt == nil || now.Before(*s.RetireAt))
}

// Digest stands for a text: SHA-256 of it, which is not enough to use it, but
// enough to recognise it.
type Digest struct {
	Sum     [sha256.Size]byte
	Prefix  string // the first characters of the text
	Foreign bool   // the text is not in our form
}

// The two forms of text that a digest names.
const (
	formNative  = "native"
	formForeign = "foreign"
	digestHead  = "sha256."
)

// DigestOf returns the digest of a text, for a seed file. It returns Invalid
// for a text that is too short to be digested safely, or too long.
func DigestOf(text secret.Text) (Digest, error) {
	if err := checkSupplied("key", text); err != nil {
		return Digest{}, err
	}
	if !WellFormed(text.Reveal()) && text.Len() < minDigested {
		return Digest{}, fault.Field("key", "a key under %d characters could be guessed from its digest: use a longer one, such as one made by latchkey key generate", minDigested)
	}
	return Digest{Sum: digest(text.Reveal()), Prefix: shown(text), Foreign: !WellFormed(text.Reveal())}, nil
}

// String returns the digest as seed files hold it: sha256.native.<hex>.<prefix>.
func (d Digest) String() string {
	form := formNative
	if d.Foreign {
		form = formForeign
	}
	return digestHead + form + "." + hex.EncodeToString(d.Sum[:]) + "." + d.Prefix
}

// ParseDigest reads what String returns. Its fault is Invalid at the field "hash".
func ParseDigest(s string) (Digest, error) {
	bad := fault.Field("hash", "must be what latchkey seed hash prints: sha256.native.<64 hex digits>.<first 7 characters>")
	parts := strings.SplitN(s, ".", 4)
	if len(parts) != 4 || parts[0]+"." != digestHead || parts[1] != formNative && parts[1] != formForeign {
		return Digest{}, bad
	}
	sum, err := hex.DecodeString(parts[2])
	if err != nil || len(sum) != sha256.Size || len(parts[3]) != shownLen || !visible(parts[3]) {
		return Digest{}, bad
	}
	return Digest{Sum: [sha256.Size]byte(sum), Prefix: parts[3], Foreign: parts[1] == formForeign}, nil
}

// checkSupplied refuses a text from outside that cannot travel in a header, or
// is too short or long.
func checkSupplied(field string, text secret.Text) error {
	s := text.Reveal()
	if len(s) < minSupplied || len(s) > maxSupplied {
		return fault.Field(field, "a key must have %d to %d characters", minSupplied, maxSupplied)
	}
	if !visible(s) {
		return fault.Field(field, "a key must be made of visible ASCII characters without spaces")
	}
	return nil
}

// visible reports whether a text is made of visible ASCII characters.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// material is what is stored of a text.
type material struct {
	text    secret.Text // empty for a digest
	sum     [sha256.Size]byte
	prefix  string
	foreign bool
}

// material makes or takes the text of a draft.
func (s *Service) material(d Draft) (material, error) {
	switch {
	case d.Digest != nil:
		return material{sum: d.Digest.Sum, prefix: d.Digest.Prefix, foreign: d.Digest.Foreign}, nil
	case !d.Supplied.Empty():
		if err := checkSupplied("key", d.Supplied); err != nil {
			return material{}, err
		}
		text := d.Supplied.Reveal()
		return material{text: d.Supplied, sum: digest(text), prefix: shown(d.Supplied), foreign: !WellFormed(text)}, nil
	}
	return s.freshMaterial(), nil
}

func (s *Service) freshMaterial() material {
	text := newText(s.prefix())
	return material{text: text, sum: digest(text.Reveal()), prefix: shown(text)}
}

// textTaken is the fault of a text that another key has or had.
func textTaken() error {
	return &fault.Error{Kind: fault.Invalid, Code: "key-taken", Fields: map[string]string{"key": "This key is or was in use here: choose another."}}
}

// addSecret gives a key a further secret, inside the caller's transaction.
func (s *Service) addSecret(ctx context.Context, who *access.Principal, keyID int64, m material) (int64, error) {
	if _, err := s.secretByMAC(ctx, m.sum); err == nil {
		return 0, textTaken()
	} else if !errors.Is(err, db.ErrNone) {
		return 0, fault.Wrap(err, "read secrets")
	}
	mac := s.pepper.sum(m.sum)
	id, err := s.db.Insert(ctx, `INSERT INTO api_key_secret (key_id, prefix, mac, pepper_id, foreign_form, created_at, created_by)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id`,
		keyID, m.prefix, mac[:], s.pepper.id, m.foreign, s.db.Now(ctx), by(who))
	if err != nil {
		return 0, fault.Wrap(err, "write secret")
	}
	if _, err := s.db.Exec(ctx, "UPDATE api_key SET prefix = ?2 WHERE id = ?1", keyID, m.prefix); err != nil {
		return 0, fault.Wrap(err, "write key")
	}
	if m.foreign {
		return id, s.db.Record(ctx, db.ChangedForeign, id)
	}
	return id, nil
}

// selectSecrets reads secrets of the table x.
const selectSecrets = `SELECT x.id, x.key_id, x.prefix, x.foreign_form, x.created_at, x.retire_at, x.silent_days, x.retired_at,
	x.tried_at, x.created_by, c.first_name, c.last_name, c.email
	FROM api_key_secret x LEFT JOIN users c ON c.id = x.created_by`

func scanSecret(r db.Row) (Secret, error) {
	var v Secret
	var by actor
	var silent *int64
	to := []any{&v.ID, &v.KeyID, &v.Prefix, &v.Foreign, db.Time(&v.CreatedAt), db.NullTime(&v.RetireAt), &silent,
		db.NullTime(&v.RetiredAt), db.NullTime(&v.TriedAt)}
	if err := r.Scan(append(to, by.targets()...)...); err != nil {
		return v, err
	}
	if silent != nil {
		v.SilentDays = int(*silent)
	}
	v.CreatedBy = by.maker()
	return v, nil
}

// secrets returns the secrets of a key, newest first.
func (s *Service) secrets(ctx context.Context, keyID int64) ([]Secret, error) {
	all, err := db.All(ctx, s.db, scanSecret, selectSecrets+" WHERE x.key_id = ?1 ORDER BY x.id DESC", keyID)
	return all, fault.Wrap(err, "read secrets")
}

// live returns the secrets of a key that work, newest first.
func (s *Service) live(ctx context.Context, keyID int64) ([]Secret, error) {
	all, err := s.secrets(ctx, keyID)
	if err != nil {
		return nil, err
	}
	now := s.db.Now(ctx)
	var out []Secret
	for _, x := range all {
		if x.Live(now) {
			out = append(out, x)
		}
	}
	return out, nil
}

// retireAll ends the live secrets of a key at once.
func (s *Service) retireAll(ctx context.Context, keyID int64) error {
	_, err := s.db.Exec(ctx, "UPDATE api_key_secret SET retired_at = ?2 WHERE key_id = ?1 AND retired_at IS NULL", keyID, s.db.Now(ctx))
	return fault.Wrap(err, "retire secrets")
}

// secretByMAC returns the secret that a digest names, whatever its state and
// whichever pepper it is stored under. It returns db.ErrNone for an unknown one.
func (s *Service) secretByMAC(ctx context.Context, sum [sha256.Size]byte) (Secret, error) {
	for _, p := range []*Pepper{s.pepper, s.previous} {
		if p == nil {
			continue
		}
		mac := p.sum(sum)
		x, err := db.One(ctx, s.db, scanSecret, selectSecrets+" WHERE x.mac = ?1", mac[:])
		if !errors.Is(err, db.ErrNone) {
			return x, err
		}
	}
	return Secret{}, db.ErrNone
}

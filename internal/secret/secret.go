// Package secret holds strings that cannot be printed or logged by accident.
//
// Owns: the Text type. Does not own: where secrets come from (config) or how
// they are hashed (apikey, people).
package secret

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Hidden is what every printer shows instead of a secret.
const Hidden = "[hidden]"

// Text is a secret string: a key, password, cookie or token. fmt, slog and
// encoding/json show Hidden; only Reveal returns it.
type Text struct{ s string }

// New wraps a secret.
func New(s string) Text { return Text{s} }

// Reveal returns the secret itself. Each call is a place a reviewer looks at.
func (t Text) Reveal() string { return t.s }

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.s == "" }

// Len returns the length in bytes.
func (t Text) Len() int { return len(t.s) }

// Equal compares in constant time.
func (t Text) Equal(o Text) bool { return subtle.ConstantTimeCompare([]byte(t.s), []byte(o.s)) == 1 }

// String implements fmt.Stringer.
func (Text) String() string { return Hidden }

// Format implements fmt.Formatter, so that no verb shows the secret.
func (Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Hidden)) }

// LogValue implements slog.LogValuer.
func (Text) LogValue() slog.Value { return slog.StringValue(Hidden) }

// MarshalJSON writes Hidden; an answer that must show a secret calls Reveal.
func (Text) MarshalJSON() ([]byte, error) { return json.Marshal(Hidden) }

// UnmarshalJSON reads a secret from input.
func (t *Text) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &t.s) }

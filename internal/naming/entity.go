package naming

import (
	"crypto/rand"
	"strings"
)

const entityAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-"

const entityLength = 21

// EntityID returns 21 random characters, the form that clients know
// (contract/clients.md 8).
func EntityID() string {
	b := make([]byte, entityLength)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	for i := range b {
		b[i] = entityAlphabet[b[i]%64]
	}
	return string(b)
}

// IsEntityID reports whether a text has the form of an entity id.
func IsEntityID(s string) bool {
	return len(s) == entityLength && strings.Trim(s, entityAlphabet) == ""
}

// Slug writes a name for an address: lower case, with underscores between the
// words (contract/clients.md, exact values), at most limit characters long.
func Slug(name string, limit int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	runes := []rune(b.String())
	return string(runes[:min(len(runes), limit)])
}

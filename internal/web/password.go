package web

import (
	"crypto/rand"
	"math/big"
	"strings"

	"latchkey/internal/secret"
)

// The characters of temporary passwords, by the classes of a password policy.
// Those that look alike are left out.
const (
	lowerLetters = "abcdefghijkmnpqrstuvwxyz"
	upperLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digits       = "23456789"
	specials     = "-_.:+="
)

// temporaryLength is how long a temporary password is at least; its letters
// and digits alone are more than 80 random bits.
const temporaryLength = 16

// temporaryPassword returns a random password with the least number of
// characters of each class: total, lower, upper, digit, special.
func temporaryPassword(counts map[string]int) secret.Text {
	var b []byte
	for class, from := range map[string]string{"lower": lowerLetters, "upper": upperLetters, "digit": digits, "special": specials} {
		least := 1
		if class == "special" {
			least = 0
		}
		for range max(counts[class], least) {
			b = append(b, pick(from))
		}
	}
	for len(b) < max(counts["total"], temporaryLength) {
		b = append(b, pick(lowerLetters+upperLetters+digits))
	}
	for i := len(b) - 1; i > 0; i-- {
		j := below(i + 1)
		b[i], b[j] = b[j], b[i]
	}
	return secret.New(string(b))
}

func pick(from string) byte { return from[below(len(from))] }

// below returns a random number from 0 to n-1.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil { // crypto/rand never fails
		return 0
	}
	return int(i.Int64())
}

// passwordHint says what a password needs.
func passwordHint(counts map[string]int) string {
	parts := []string{}
	for _, c := range []struct{ class, one, many string }{
		{"lower", "lower-case letter", "lower-case letters"}, {"upper", "upper-case letter", "upper-case letters"},
		{"digit", "digit", "digits"}, {"special", "special character", "special characters"},
	} {
		if n := counts[c.class]; n > 0 {
			parts = append(parts, plural(n, c.one, c.many))
		}
	}
	hint := "At least " + plural(counts["total"], "character", "characters")
	if len(parts) > 0 {
		hint += ", with " + strings.Join(parts, ", ")
	}
	return hint + "; not a common one. Long is better."
}

package people

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	words "github.com/ccojocar/zxcvbn-go/data"

	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// Complexity is how hard a password must be to guess
// (contract/identity.md 2.4, MB_PASSWORD_COMPLEXITY).
type Complexity string

// The complexities, from the laxest.
const (
	Weak   Complexity = "weak"   // 6 characters
	Normal Complexity = "normal" // 6 characters, 1 digit, not common
	Strong Complexity = "strong" // 8 characters, 2 lower case, 2 upper case, 1 digit, 1 special, not common
)

// PasswordPolicy is the rule for new passwords. It is immutable.
type PasswordPolicy struct {
	counts map[string]int
	common func() (*dictionary, error) // nil when common passwords are allowed
}

// NewPasswordPolicy returns the rule. An empty complexity is Normal; a length
// above 0 replaces the complexity's least number of characters
// (MB_PASSWORD_LENGTH).
func NewPasswordPolicy(c Complexity, length int) *PasswordPolicy {
	p := &PasswordPolicy{common: sync.OnceValues(loadDictionary)}
	switch c {
	case Weak:
		p.counts, p.common = map[string]int{"total": 6}, nil
	case Strong:
		p.counts = map[string]int{"total": 8, "lower": 2, "upper": 2, "digit": 1, "special": 1}
	default:
		p.counts = map[string]int{"total": 6, "digit": 1}
	}
	if length > 0 {
		p.counts["total"] = length
	}
	return p
}

// Counts returns the least number of characters of each class, as the setting
// password-complexity shows it: total, lower, upper, digit, special. A class
// without a minimum is absent. The map must not be changed.
func (p *PasswordPolicy) Counts() map[string]int { return p.counts }

// textWeakPassword is the one text for every refused password, the too short
// ones included (contract/identity.md 0.5).
const textWeakPassword = "password is too common."

func weakPassword() error { return fault.Field("password", textWeakPassword) }

// Valid reports whether the policy allows a password (contract/identity.md
// 2.4): long enough, with the characters it asks for and, unless the policy is
// Weak, not a common password in any case of letters.
func (p *PasswordPolicy) Valid(password secret.Text) bool {
	text := password.Reveal()
	if !utf8.ValidString(text) {
		return false
	}
	have := classes(text)
	for class, least := range p.counts {
		if have[class] < least {
			return false
		}
	}
	if p.common == nil {
		return true
	}
	d, err := p.common()
	return err == nil && !d.holds(strings.ToLower(text))
}

func classes(password string) map[string]int {
	m := map[string]int{}
	for _, r := range password {
		m["total"]++
		switch {
		case unicode.IsLower(r):
			m["lower"]++
		case unicode.IsUpper(r):
			m["upper"]++
		case unicode.IsDigit(r):
			m["digit"]++
		case !unicode.IsLetter(r):
			m["special"]++
		}
	}
	return m
}

// commonWords is how many of the most common words also count as common with
// an ending, such as dragon1 or summer2026!.
const commonWords = 2000

// commonEndings are the endings that people put behind a common word when a
// digit is asked for; years are handled apart.
const commonEndings = "0 1 2 3 4 5 6 7 8 9 00 01 07 10 11 12 13 21 22 23 33 42 44 55 66 69 77 88 99 " +
	"007 100 101 111 123 222 321 333 420 456 555 666 777 789 888 999 1234 4321 12345 123456"

// dictionary is the common passwords, and the words that are common with an
// ending too. Both are sorted and in lower case.
type dictionary struct {
	passwords []string
	words     []string
}

// loadDictionary reads the list of about 7,000 common passwords, the most
// common first, that the module zxcvbn-go carries.
func loadDictionary() (*dictionary, error) {
	raw, err := words.Asset("data/Passwords.json")
	if err != nil {
		return nil, fmt.Errorf("common passwords: %w", err)
	}
	var file struct{ List []string }
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("common passwords: %w", err)
	}
	d := &dictionary{passwords: file.List}
	for _, w := range file.List[:min(commonWords, len(file.List))] {
		if len(w) >= 4 && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") == "" {
			d.words = append(d.words, w)
		}
	}
	slices.Sort(d.passwords)
	slices.Sort(d.words)
	return d, nil
}

// holds reports whether a password in lower case is a common one, or a common
// word with a usual ending.
func (d *dictionary) holds(p string) bool {
	if has(d.passwords, p) {
		return true
	}
	p = strings.TrimSuffix(p, "!")
	if n := len(p) - 4; n > 0 && isYear(p[n:]) && has(d.words, p[:n]) {
		return true
	}
	return slices.ContainsFunc(strings.Fields(commonEndings), func(end string) bool {
		word, ok := strings.CutSuffix(p, end)
		return ok && has(d.words, word)
	})
}

func isYear(s string) bool { return s >= "1930" && s <= "2039" && strings.Trim(s, "0123456789") == "" }

func has(sorted []string, s string) bool {
	_, ok := slices.BinarySearch(sorted, s)
	return ok
}

// Package naming checks the names that people give to things.
//
// Owns: which names no page, log or database takes, slugs and entity ids. Does not own: how long a
// name may be or whether it is taken (the package of the thing).
package naming

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/internal/fault"
)

// Check refuses a name that is blank, longer than limit characters, or holds
// control characters. It returns an Invalid fault at the field.
func Check(field, s string, limit int) error {
	switch {
	case strings.TrimSpace(s) == "":
		return fault.Field(field, "value must be a non-blank string.")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return fault.Field(field, "value must not contain control characters.")
	case utf8.RuneCountInString(s) > limit:
		return fault.Field(field, "value must be at most %d characters long.", limit)
	}
	return nil
}

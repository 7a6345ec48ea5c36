package people

import (
	"encoding/json"
	"fmt"
	"strings"

	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/setting"
)

const (
	maxName       = 254      // characters
	maxEmail      = 254      // bytes, as mail servers have it
	maxAttributes = 32 << 10 // bytes of JSON
)

// ValidEmail reports whether s is an e-mail address that can sign in: one @, a
// local part of the usual ASCII characters and a domain with at least one dot
// (contract/identity.md 0.5).
func ValidEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > maxEmail || len(local) > 64 || !strings.Contains(domain, ".") {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("!#$%&'*+/=?^_`{|}~-", r) }) {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !alphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// ValidLocale reports whether s is a language, or a language and country, as
// setting.ParseLocale reads it.
func ValidLocale(s string) bool {
	_, ok := setting.ParseLocale(s)
	return ok
}

// Texts of wrong input (contract/identity.md 0.5).
const (
	textEmail    = "value must be a valid email address."
	textNonBlank = "value must be a non-blank string."
	textLocale   = "String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'."
)

// cleanEmail returns an address as it is stored.
func cleanEmail(s string) (string, error) {
	if !ValidEmail(s) {
		return "", fault.Field("email", textEmail)
	}
	return strings.ToLower(s), nil
}

// checkName refuses a name that is blank, too long, or holds characters that
// no page, mail header or database takes. Null is a fine name.
func checkName(field string, s *string) error {
	if s == nil {
		return nil
	}
	if strings.TrimSpace(*s) == "" {
		return fault.Field(field, "nullable "+textNonBlank)
	}
	return naming.Check(field, *s, maxName)
}

func checkNames(first, last *string) error {
	if err := checkName("first_name", first); err != nil {
		return err
	}
	return checkName("last_name", last)
}

// cleanLocale returns a locale as it is stored: es-mx becomes es_MX.
func cleanLocale(field string, s *string) (*string, error) {
	if s == nil {
		return nil, nil
	}
	l, ok := setting.ParseLocale(*s)
	if !ok {
		return nil, fault.Field(field, "nullable "+textLocale)
	}
	return &l, nil
}

// cleanAttributes returns login attributes as they are stored, as JSON, with
// every value a string (contract/identity.md 2.7). None is null.
func cleanAttributes(m map[string]any) (*string, error) {
	if len(m) == 0 {
		return nil, nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		if strings.HasPrefix(k, "@") {
			return nil, fault.Field("login_attributes", "login attribute keys must not begin with `@`")
		}
		s, err := stringify(v)
		if err != nil {
			return nil, fault.Field("login_attributes", "value of %s cannot be written as text.", k)
		}
		out[k] = s
	}
	b, err := json.Marshal(out)
	if err != nil || len(b) > maxAttributes {
		return nil, fault.Field("login_attributes", "value must be at most %d bytes of JSON.", maxAttributes)
	}
	s := string(b)
	return &s, nil
}

func stringify(v any) (any, error) {
	switch v := v.(type) {
	case nil, string:
		return v, nil
	case map[string]any, []any:
		b, err := json.Marshal(v)
		return string(b), err
	default:
		return fmt.Sprint(v), nil
	}
}

package setting

import (
	"fmt"
	netmail "net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The checks of the table. Each takes a value of the setting's kind and
// returns it normalised, or an error for the one who sent it.

const (
	maxName = 254
	maxText = 2000
)

// line refuses what does not fit on one line of a page or header.
func line(s string, limit int) error {
	switch {
	case utf8.RuneCountInString(s) > limit:
		return problem(fmt.Sprintf("value must have at most %d characters.", limit))
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return problem("value must not contain control characters.")
	}
	return nil
}

func name(v any) (any, error) {
	s := strings.TrimSpace(v.(string))
	if s == "" {
		return nil, problem("value must be a non-blank string.")
	}
	return s, line(s, maxName)
}

func email(v any) (any, error) {
	s := strings.TrimSpace(v.(string))
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxName || strings.ContainsFunc(s, unicode.IsControl) {
		return nil, problem("value must be a valid email address.")
	}
	return s, nil
}

func oneOf(choices ...string) func(any) (any, error) {
	return func(v any) (any, error) {
		if s := strings.TrimSpace(v.(string)); slices.Contains(choices, s) {
			return s, nil
		}
		return nil, problem(fmt.Sprintf("value must be one of: %s.", strings.Join(choices, ", ")))
	}
}

func only(allowed bool, otherwise string) func(any) (any, error) {
	return func(v any) (any, error) {
		if v != allowed {
			return nil, problem(otherwise)
		}
		return v, nil
	}
}

func positive(v any) (any, error) {
	if v.(int) <= 0 {
		return nil, problem("value must be an integer greater than zero.")
	}
	return v, nil
}

// maxRowLimit is the most rows that any result has (contract/content-data.md 6.3).
const maxRowLimit = 1_048_575

func rowLimit(v any) (any, error) {
	if n := v.(int); n <= 0 || n > maxRowLimit {
		return nil, problem(fmt.Sprintf("value must be a number of rows from 1 to %d.", maxRowLimit))
	}
	return v, nil
}

// maxRetention is a hundred years, in days.
const maxRetention = 36_500

func retention(v any) (any, error) {
	if n := v.(int); n < 0 || n > maxRetention {
		return nil, problem(fmt.Sprintf("value must be a number of days up to %d, or 0 for ever.", maxRetention))
	}
	return v, nil
}

func keyPrefix(v any) (any, error) {
	letters := strings.TrimSuffix(strings.TrimSpace(v.(string)), "_")
	if !regexp.MustCompile(`^[A-Za-z]{2,8}$`).MatchString(letters) {
		return nil, problem("value must be 2 to 8 letters, such as lk or mb.")
	}
	return letters + "_", nil
}

func locale(v any) (any, error) {
	s, ok := ParseLocale(v.(string))
	if !ok {
		return nil, problem("String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'.")
	}
	return s, nil
}

func timezone(v any) (any, error) {
	s := strings.TrimSpace(v.(string))
	if _, found := slices.BinarySearch(Timezones(), s); !found {
		return nil, problem("value must be the name of a time zone, such as UTC or Europe/Berlin.")
	}
	return s, nil
}

// parseWeb returns an http or https URL without user information.
func parseWeb(s string) (*url.URL, bool) {
	if line(s, maxText) != nil || strings.ContainsFunc(s, unicode.IsSpace) {
		return nil, false
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return nil, false
	}
	return u, true
}

func webAddress(v any) (any, error) {
	u, ok := parseWeb(strings.TrimSpace(v.(string)))
	if !ok || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, problem("value must be a web address, such as https://data.example.com.")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func helpAddress(v any) (any, error) {
	s := strings.TrimSpace(v.(string))
	if to, isMail := strings.CutPrefix(s, "mailto:"); isMail {
		if _, err := email(to); err == nil {
			return s, nil
		}
	} else if _, ok := parseWeb(s); ok {
		return s, nil
	}
	return nil, problem("value must be a web address, or mailto: with an e-mail address.")
}

func tileAddress(v any) (any, error) {
	s := strings.TrimSpace(v.(string))
	_, ok := parseWeb(strings.NewReplacer("{", "", "}", "").Replace(s))
	if !ok || !strings.Contains(s, "{z}") || !strings.Contains(s, "{x}") || !strings.Contains(s, "{y}") {
		return nil, problem("value must be a web address with {z}, {x} and {y}.")
	}
	return s, nil
}

// localPath accepts paths of this instance only, so that the landing page
// cannot lead people elsewhere.
func localPath(v any) (any, error) {
	s := strings.TrimSpace(v.(string))
	if s == "" {
		return s, nil
	}
	if !strings.HasPrefix(s, "/") {
		s = "/" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.ContainsAny(s, `\:`) || strings.HasPrefix(s, "//") || line(s, maxText) != nil {
		return nil, problem("value must be a path within this instance, such as /collection/6.")
	}
	return s, nil
}

func origins(v any) (any, error) {
	var all []string
	for _, item := range items(v.(string)) {
		u, ok := parseWeb(item)
		if !ok || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(u.Host, "*") {
			return nil, problem(fmt.Sprintf("%q is not an origin such as https://app.example.com.", item))
		}
		if o := strings.ToLower(u.Scheme + "://" + u.Host); !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	return strings.Join(all, " "), nil
}

const maxTimeout = 10 * 365 * 24 * time.Hour

// timeout takes {"amount": 30, "unit": "minutes"}.
func timeout(v any) (any, error) {
	m := v.(map[string]any)
	amount, err := toNumber(m["amount"])
	unit, _ := m["unit"].(string)
	if err != nil || unitOf(unit) == 0 {
		return nil, problem(`value must have an amount (an integer) and a unit (seconds, minutes or hours).`)
	}
	n := time.Duration(amount.(int))
	if n <= 0 || n > maxTimeout/unitOf(unit) || n*unitOf(unit) < time.Minute {
		return nil, problem("value must be at least one minute and at most ten years.")
	}
	return map[string]any{"amount": amount, "unit": unit}, nil
}

func unitOf(name string) time.Duration {
	switch name {
	case "seconds":
		return time.Second
	case "minutes":
		return time.Minute
	case "hours":
		return time.Hour
	}
	return 0
}

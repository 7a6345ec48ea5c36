package api

import (
	"time"

	"latchkey/internal/opt"
)

// timestampForms are the ways in which clients write a moment. One without an
// offset is of UTC.
func timestampForms() []string {
	return []string{
		time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", time.DateOnly,
	}
}

// parseTimestamp reads a moment. Those that no calendar of ours can tell apart
// in microseconds, before the year 0 and after 9999, are none.
func parseTimestamp(s string) (time.Time, bool) {
	for _, form := range timestampForms() {
		if at, err := time.Parse(form, s); err == nil {
			return at.UTC(), at.UTC().Year() >= 0 && at.UTC().Year() <= 9999
		}
	}
	return time.Time{}, false
}

func validTimestamp(s string) bool {
	_, ok := parseTimestamp(s)
	return ok
}

// timeOrNull returns a moment that a rule has read already, nil when absent or
// null.
func timeOrNull(v opt.Value[string]) *time.Time {
	text, ok := v.Get()
	if !ok {
		return nil
	}
	at, _ := parseTimestamp(text)
	return &at
}

package web

import (
	"time"

	"latchkey/internal/apikey"
)

// day is how long a day of a key's life is.
const day = 24 * time.Hour

// soon is how long before its end a key is marked.
const soon = 30 * day

// badge is a word about something, at a glance.
type badge struct {
	Text  string
	Tone  string // on, warn, bad, or "" for calm
	Title string // shown when one points at it
}

// keyBadges says what a key is good for, and what somebody should look at.
func keyBadges(k apikey.Key, rotating bool, now time.Time) []badge {
	out := []badge{stateBadge(k, now)}
	if k.DeletedAt != nil {
		return out
	}
	if k.ReviewSince != nil {
		out = append(out, badge{"needs an owner", "warn", "Its owner was deactivated, and nobody followed."})
	}
	if rotating {
		out = append(out, badge{"rotating", "", "Two secrets of it work until the old one is retired."})
	}
	if k.Trial != nil {
		out = append(out, badge{"on trial", "", "A restriction is on trial: it refuses nothing yet."})
	}
	if k.Kind == apikey.KindPersonal {
		out = append(out, badge{"personal", "", "It acts as " + k.Owner.Name + "."})
	}
	return out
}

// stateBadge is the state of a key in a word.
func stateBadge(k apikey.Key, now time.Time) badge {
	switch k.State(now) {
	case apikey.Deleted:
		return badge{Text: "deleted", Title: at(k.DeletedAt)}
	case apikey.Expired:
		return badge{Text: "expired", Tone: "bad", Title: "It came to its end: " + at(k.ExpiresAt)}
	case apikey.Disabled:
		b := badge{Text: "disabled", Tone: "bad", Title: k.DisabledReason}
		if k.DisabledUntil != nil {
			b.Title += " Until " + at(k.DisabledUntil)
		}
		return b
	}
	if k.ExpiresAt != nil && k.ExpiresAt.Sub(now) <= soon {
		return badge{Text: "ends " + inTime(k.ExpiresAt.Sub(now)), Tone: "warn", Title: at(k.ExpiresAt)}
	}
	return badge{Text: "active", Tone: "on"}
}

// at writes a time in full.
func at(t *time.Time) string {
	if t == nil {
		return ""
	}
	return newMoment(*t, *t).Full
}

// inTime says how far ahead something is.
func inTime(d time.Duration) string {
	switch {
	case d < time.Hour:
		return "within the hour"
	case d < day:
		return "in " + plural(int(d/time.Hour), "hour", "hours")
	}
	return "in " + plural(int(d/day), "day", "days")
}

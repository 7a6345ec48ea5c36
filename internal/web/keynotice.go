package web

import (
	"time"

	"latchkey/internal/apikey"
)

// notice is something about keys that somebody should look at.
type notice struct {
	Text string
	Link string // what leads there
	To   string
	Bad  bool
}

// keyNotices returns what stands above the list of keys.
func (p *page) keyNotices() ([]notice, error) {
	ending, err := p.endingNotice()
	if err != nil {
		return nil, err
	}
	alarms, err := p.site.Keys.RecentAlarms(p.ctx(), p.who, p.now().Add(-alarmsFor))
	if err != nil {
		return nil, err
	}
	out := append(alarmNotices(alarms, p.now()), ending...)
	n, err := p.site.Keys.CountOf(p.ctx(), p.who, apikey.Filter{AnyKind: true, Review: true})
	if err != nil || n == 0 {
		return out, err
	}
	text := plural(n, "key waits", "keys wait") + " for a new owner: the person who answered for it was deactivated."
	return append(out, notice{Text: text, Link: "Show them", To: pathKeys + "?state=review"}), nil
}

// endingNotice counts the keys that come to their end within 1, 7 and 30 days.
// It speaks of the nearest first.
func (p *page) endingNotice() ([]notice, error) {
	var text string
	var nearest, counted int
	for _, days := range []int{1, 7, 30} {
		before := p.now().Add(time.Duration(days) * day)
		n, err := p.site.Keys.CountOf(p.ctx(), p.who, apikey.Filter{AnyKind: true, State: apikey.Active, Before: &before})
		if err != nil {
			return nil, err
		}
		switch {
		case n == 0 || n == counted:
		case counted == 0:
			nearest, text = days, plural(n, "key ends", "keys end")+" within "+plural(days, "day", "days")
		default:
			text += ", " + number(n) + " within " + plural(days, "day", "days")
		}
		counted = n
	}
	if counted == 0 {
		return nil, nil
	}
	return []notice{{Text: text + ".", Link: "Show which", To: pathKeys + "?state=expiring", Bad: nearest == 1}}, nil
}

// alarmNotices says that retired secrets were tried.
func alarmNotices(alarms []apikey.Alarm, now time.Time) []notice {
	keys := alarmed(alarms)
	switch len(keys) {
	case 0:
		return nil
	case 1:
		return []notice{{
			Text: "A retired secret of “" + keys[0].Name + "” was tried " + since(*alarms[0].Secret.TriedAt, now) +
				". A program still has the old key, or it is in the wrong hands.",
			Link: "Look at the key", To: keyPath(keys[0].ID) + "#secrets", Bad: true,
		}}
	}
	return []notice{{
		Text: "Retired secrets of " + plural(len(keys), "key", "keys") + " were tried in the last 7 days. Programs still have the old keys, or they are in the wrong hands.",
		Link: "Show which", To: pathKeys + "?state=alarm", Bad: true,
	}}
}

// keyPath returns the address of a key's page.
func keyPath(id int64) string { return pathKeys + "/" + idText(id) }

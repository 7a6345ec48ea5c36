package web

import (
	"strconv"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/usage"
)

// keysBody is the list of API keys.
type keysBody struct {
	List   list
	Keys   []keyRow
	Group  string // name of the group whose keys are shown, "" for all
	State  string // the filter, "" for all
	Within int    // days, of the filter "expiring"
	Notice []notice
}

// keyRow is a key in the list.
type keyRow struct {
	apikey.Key
	Badges []badge
	Last   *time.Time // nil means never used
}

// MoreGroups returns how many groups the key has beside the one that is shown.
func (r keyRow) MoreGroups() int { return len(r.Groups) - 1 }

// keyFilter is one choice of the list's filter.
type keyFilter struct{ Name, Label string }

// Filters returns the choices of the filter.
func (keysBody) Filters() []keyFilter {
	return []keyFilter{
		{"", "All"}, {"active", "Active"}, {"disabled", "Disabled"}, {"expired", "Expired"}, {"expiring", "Ending soon"},
		{"review", "Needs an owner"}, {"personal", "Personal"}, {"deleted", "Deleted"},
	}
}

// Tag returns the tag whose keys are shown.
func (b keysBody) Tag() string { return b.List.Filter("tag") }

// Filtered reports whether the list shows less than all keys.
func (b keysBody) Filtered() bool { return b.State != "" || b.Tag() != "" || b.Group != "" }

// keyList reads where somebody stands in the list of keys.
func (p *page) keyList() list { return p.readList(pathKeys, "group", "state", "within", "tag") }

// alarmsFor is how long the use of a retired secret is news.
const alarmsFor = 7 * day

// keysBody reads the list as the address says.
func (p *page) keysBody() (keysBody, error) {
	b := keysBody{List: p.keyList()}
	groupID, _ := positive(b.List.Filter("group"))
	if g, ok := p.site.Groups.Snapshot().ByID(groupID); ok {
		b.Group = g.Name
	}
	b.State = b.List.Filter("state")
	keys, total, err := p.chosenKeys(&b, groupID)
	if err != nil {
		return b, err
	}
	b.List.Total = total
	if b.Keys, err = p.keyRows(keys); err != nil {
		return b, err
	}
	if p.r.Header.Get("HX-Request") == "" {
		b.Notice, err = p.keyNotices()
	}
	return b, err
}

// chosenKeys returns the page of keys that the filters choose.
func (p *page) chosenKeys(b *keysBody, groupID int64) ([]apikey.Key, int, error) {
	if b.State == "alarm" {
		alarms, err := p.site.Keys.RecentAlarms(p.ctx(), p.who, p.now().Add(-alarmsFor))
		all := alarmed(alarms) // few: their number is bounded
		first := min(b.List.offset(), len(all))
		return all[first:min(first+pageSize, len(all))], len(all), err
	}
	f := apikey.Filter{
		Query: b.List.Query, GroupID: groupID, Tag: b.Tag(), AnyKind: groupID == 0,
		Limit: pageSize, Offset: b.List.offset(),
	}
	switch b.State {
	case "active", "disabled", "expired", "deleted":
		f.State = apikey.State(b.State)
	case "expiring":
		b.Within = 30
		if n, err := strconv.Atoi(b.List.Filter("within")); err == nil && n > 0 && n < b.Within {
			b.Within = n
		}
		before := p.now().Add(time.Duration(b.Within) * day)
		f.State, f.Before = apikey.Active, &before
	case "review":
		f.Review = true
	case "personal":
		f.Kind, f.AnyKind = apikey.KindPersonal, false
	default:
		b.State = ""
	}
	return p.site.Keys.List(p.ctx(), p.who, f)
}

// alarmed returns the keys of alarms, each once.
func alarmed(alarms []apikey.Alarm) []apikey.Key {
	var out []apikey.Key
	seen := map[int64]bool{}
	for _, a := range alarms {
		if !seen[a.Key.ID] {
			seen[a.Key.ID] = true
			out = append(out, a.Key)
		}
	}
	return out
}

// now is the time of this request.
func (p *page) now() time.Time { return p.site.Clock.Now() }

// keyRows adds to keys what the list shows beside them.
func (p *page) keyRows(keys []apikey.Key) ([]keyRow, error) {
	all := make([]int64, len(keys))
	for i, k := range keys {
		all[i] = k.ID
	}
	last, err := p.site.Usage.Last(p.ctx(), all)
	if err != nil {
		return nil, err
	}
	rotating, err := p.site.Keys.Rotating(p.ctx(), p.who, all)
	if err != nil {
		return nil, err
	}
	rows := make([]keyRow, len(keys))
	for i, k := range keys {
		rows[i] = keyRow{Key: k, Badges: keyBadges(k, rotating[k.ID], p.now()), Last: lastOf(last, k.ID)}
	}
	return rows, nil
}

func lastOf(last map[int64]usage.LastUse, id int64) *time.Time {
	if u, ok := last[id]; ok {
		return &u.At
	}
	return nil
}

func (p *page) showKeys() error {
	b, err := p.keysBody()
	if err != nil {
		return err
	}
	return p.show("keys", "API Keys", b)
}

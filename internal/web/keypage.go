package web

import (
	"net/url"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/usage"
)

// The tabs of a key's page.
const (
	tabAbout = "about"
	tabRight = "rights"
	tabLeast = "least"
	tabUsage = "usage"
)

// tab is one view of a key's page.
type tab struct{ Name, Label, To string }

// keyTab returns the tab of a name; an unknown name is the first.
func keyTab(name string) string {
	if slices.Contains([]string{tabRight, tabLeast, tabUsage}, name) {
		return name
	}
	return tabAbout
}

// tabPath returns the address of a tab.
func tabPath(id int64, name string) string {
	if name == tabAbout {
		return keyPath(id)
	}
	return keyPath(id) + "?" + url.Values{"tab": {name}}.Encode()
}

// keyBody is the page of one key. Of the last four, it holds what the tab shows.
type keyBody struct {
	Key     apikey.Key
	Badges  []badge
	State   apikey.State
	Deleted bool
	Tab     string
	Last    *usage.LastUse

	Secrets []secretRow
	Verdict *verdict
	Words   []string // the restriction
	JSON    string
	Least   *leastView
	Usage   *usageView
}

// Tabs returns the tabs. A deleted key can be given nothing any more.
func (b keyBody) Tabs() []tab {
	var out []tab
	for _, t := range []tab{{tabAbout, "What it is", ""}, {tabRight, "What it may do", ""}, {tabLeast, "Least privilege", ""}, {tabUsage, "What it did", ""}} {
		if b.Deleted && t.Name == tabLeast {
			continue
		}
		t.To = tabPath(b.Key.ID, t.Name)
		out = append(out, t)
	}
	return out
}

// Act returns the address of a dialog over this page.
func (b keyBody) Act(what string) string { return actPath(b.Key.ID, what, b.Tab) }

// Retire returns the address of the dialog that ends a secret.
func (b keyBody) Retire(id int64) string { return b.Act("secrets/" + idText(id) + "/retire") }

// IsAdmin reports whether the key is in Administrators.
func (b keyBody) IsAdmin() bool {
	return slices.ContainsFunc(b.Key.Groups, func(g apikey.Ref) bool { return g.ID == access.Administrators })
}

// secretRow is a secret of a key with what is known of its use.
type secretRow struct {
	apikey.Secret
	Live bool
	Use  *usage.LastUse
}

// verdict answers whether a key may be deleted.
type verdict struct {
	Text, Tone string
	Reasons    []string
}

// verdict asks for the evidence and puts it into words.
func (p *page) verdict(id int64) (*verdict, error) {
	v, err := p.site.Keys.Verdict(p.ctx(), p.who, id)
	if err != nil {
		return nil, err
	}
	out := &verdict{Reasons: v.Reasons}
	switch v.Safety {
	case apikey.Safe:
		out.Text, out.Tone = "Safe to delete", "on"
	case apikey.Likely:
		out.Text, out.Tone = "Probably safe to delete", "on"
	case apikey.Caution:
		out.Text, out.Tone = "Be careful", "warn"
	case apikey.InUse:
		out.Text, out.Tone = "In use", "bad"
	}
	return out, nil
}

func (p *page) showKey() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	key, err := p.site.Keys.GetAny(p.ctx(), p.who, id)
	if err != nil {
		return err
	}
	b, err := p.keyBody(key, keyTab(p.r.URL.Query().Get("tab")))
	if err != nil {
		return err
	}
	return p.show("key", key.Name, b)
}

// keyBody reads what one tab of a key's page shows.
func (p *page) keyBody(key apikey.Key, name string) (keyBody, error) {
	b := keyBody{Key: key, Tab: name, State: key.State(p.now()), Deleted: key.DeletedAt != nil, JSON: restrictionJSON(key.Restriction)}
	if b.Deleted && b.Tab == tabLeast {
		b.Tab = tabAbout
	}
	rotating, err := p.site.Keys.Rotating(p.ctx(), p.who, []int64{key.ID})
	if err != nil {
		return b, err
	}
	last, err := p.site.Usage.Last(p.ctx(), []int64{key.ID})
	if err != nil {
		return b, err
	}
	if u, ok := last[key.ID]; ok {
		b.Last = &u
	}
	b.Badges = keyBadges(key, rotating[key.ID], p.now())
	b.Words = restrictionWords(key.Restriction)
	switch b.Tab {
	case tabLeast:
		b.Least, err = p.leastView(key)
	case tabUsage:
		b.Usage, err = p.usageView(key.ID)
	case tabAbout:
		err = p.about(&b)
	}
	return b, err
}

// about reads the secrets, and whether the key may be deleted.
func (p *page) about(b *keyBody) error {
	all, err := p.site.Keys.Secrets(p.ctx(), p.who, b.Key.ID)
	if err != nil {
		return err
	}
	uses, err := p.site.Usage.BySecret(p.ctx(), b.Key.ID)
	if err != nil {
		return err
	}
	for _, x := range all {
		row := secretRow{Secret: x, Live: x.Live(p.now()) && !b.Deleted}
		if u, ok := uses[x.ID]; ok {
			row.Use = &u
		}
		b.Secrets = append(b.Secrets, row)
	}
	if !b.Deleted {
		b.Verdict, err = p.verdict(b.Key.ID)
	}
	return err
}

// usageView is what a key did.
type usageView struct {
	Ranges    []chartRange
	Range     string
	Long      string
	Chart     chart
	Routes    []usage.RouteCount
	Addresses []usage.AddressCount
	Refusals  []usage.ReasonCount
	Samples   []usage.Sample
	Dropped   int64
}

// How much of each list the page shows.
const (
	topShown     = 10
	samplesShown = 20
)

func (p *page) usageView(id int64) (*usageView, error) {
	v := &usageView{Ranges: chartRanges()}
	chosen := v.Ranges[0]
	for _, r := range v.Ranges {
		if r.Name == p.r.URL.Query().Get("range") {
			chosen = r
		}
	}
	v.Range, v.Long = chosen.Name, chosen.Label
	to := p.now().Add(time.Second)
	from := to.Add(-chosen.long)
	if chosen.by == usage.Hour {
		from = from.Add(time.Hour) // the hour that runs counts as one
	} else {
		from = from.Add(day)
	}
	buckets, err := p.site.Usage.Series(p.ctx(), id, from, to, chosen.by)
	if err != nil {
		return nil, err
	}
	v.Chart = newChart(buckets, chosen.by)
	if v.Routes, err = p.site.Usage.TopRoutes(p.ctx(), id, from, to, topShown); err != nil {
		return nil, err
	}
	if v.Addresses, err = p.site.Usage.Addresses(p.ctx(), id, topShown); err != nil {
		return nil, err
	}
	if v.Refusals, err = p.site.Usage.Refusals(p.ctx(), id, from, to); err != nil {
		return nil, err
	}
	if v.Samples, err = p.site.Usage.Samples(p.ctx(), id, samplesShown, 0); err != nil {
		return nil, err
	}
	totals, err := p.site.Usage.Totals(p.ctx())
	v.Dropped = totals.SamplesDropped
	return v, err
}

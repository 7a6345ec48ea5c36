package web

import (
	"latchkey/internal/content"
	"latchkey/internal/content/shelf"
	"latchkey/internal/people"
)

// homeBody is what people see first.
type homeBody struct {
	Base    string    // address of this instance
	Recent  []itemRow // what the person looked at last
	Keys    int
	People  int
	Groups  int
	Mine    []string // the person's groups
	OwnKeys bool     // the person may make keys, or has some
	Help    string   // address to write to for help, "" for none
}

func (p *page) home() error {
	b := homeBody{Base: p.baseURL(), Mine: p.site.groupNames(p.who.Groups), Help: p.site.Settings.String("admin-email")}
	var err error
	if b.Recent, err = p.recent(); err != nil {
		return err
	}
	if p.who.IsAdmin() {
		if b.Keys, err = p.site.Keys.Count(p.ctx(), p.who); err != nil {
			return err
		}
		if _, b.People, err = p.site.People.List(p.ctx(), p.who, people.Filter{Limit: 1}); err != nil {
			return err
		}
		b.Groups = len(p.site.Groups.Snapshot().ByName)
	}
	if !p.who.IsAdmin() {
		if b.OwnKeys, err = p.hasOwnKeys(); err != nil {
			return err
		}
	}
	return p.show("home", "Home", b)
}

// recentShown is how many things the start page offers to go on with.
const recentShown = 6

// recent returns what the person looked at last.
func (p *page) recent() ([]itemRow, error) {
	list, err := p.site.Shelf.Recents(p.ctx(), p.who, shelf.Viewed)
	if err != nil {
		return nil, err
	}
	var items []content.Item
	for _, r := range list[:min(len(list), recentShown)] {
		items = append(items, r.Item)
	}
	return p.itemRows(items)
}

// groupNames returns the names of groups.
func (s *site) groupNames(ids []int64) []string {
	groups := s.Groups.Snapshot()
	var names []string
	for _, id := range ids {
		if g, ok := groups.ByID(id); ok {
			names = append(names, g.Name)
		}
	}
	return names
}

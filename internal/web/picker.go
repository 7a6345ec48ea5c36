package web

import (
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/group"
)

// pickerLimit is how many groups a form lists at once. Beyond it, the form
// searches on the server and lists pickerHits.
const (
	pickerLimit = 200
	pickerHits  = 20
)

// picker chooses one group or several in a form.
type picker struct {
	Name    string // of the field
	Label   string
	Hint    string
	Error   string
	Several bool
	Open    bool // only groups that people are added to: not All Users
	Search  bool // there are too many groups to list
	Query   string
	Options []groupOption
	More    int // groups that the search found beyond Options
}

type groupOption struct {
	ID      int64
	Name    string
	Members int64
	Chosen  bool
}

// newPicker returns a picker with the groups that the form has chosen. without
// names groups that are not offered.
func (s *site) newPicker(f *form, name, label string, several bool, without ...int64) picker {
	k := picker{Name: name, Label: label, Several: several, Query: f.text(name + "_query"), Error: f.Errors[name]}
	k.Open = slices.Contains(without, access.AllUsers)
	all := s.Groups.Snapshot()
	k.Search = len(all.ByName) > pickerLimit
	if !k.Search {
		k.offer(all.ByName, f, without)
		return k
	}
	var chosen []group.Group
	for _, id := range f.ids(name) {
		if g, ok := all.ByID(id); ok {
			chosen = append(chosen, g)
		}
	}
	hits, total := s.Groups.Search(k.Query, pickerHits, 0)
	k.More = total - len(hits)
	k.offer(append(chosen, hits...), f, without)
	return k
}

// offer adds groups to the options, each once.
func (k *picker) offer(groups []group.Group, f *form, without []int64) {
	chosen := f.ids(k.Name)
	for _, g := range groups {
		if slices.Contains(without, g.ID) || k.offers(g.ID) {
			continue
		}
		k.Options = append(k.Options, groupOption{g.ID, g.Name, g.MemberCount, slices.Contains(chosen, g.ID)})
	}
}

func (k *picker) offers(id int64) bool {
	return slices.ContainsFunc(k.Options, func(o groupOption) bool { return o.ID == id })
}

// chosenGroup returns the group that a form has chosen. It returns an Invalid
// fault at the field when none is, or the group is gone by now.
func (p *page) chosenGroup(f *form, field string) (int64, error) {
	id := f.id(field)
	if id == 0 {
		return 0, fault.Field(field, "Choose a group.")
	}
	if _, ok := p.site.Groups.Snapshot().ByID(id); !ok {
		return 0, fault.Field(field, "This group does not exist any more. Choose another.")
	}
	return id, nil
}

// groupOptions answers the search inside of a form with the options alone.
func (p *page) groupOptions() error {
	f := newForm()
	f.Values = p.r.URL.Query()
	var without []int64
	if f.Get("open") != "" {
		without = append(without, access.AllUsers)
	}
	k := p.site.newPicker(f, f.Get("picker"), "", f.Get("several") != "", without...)
	return p.show("group-options", "", k)
}

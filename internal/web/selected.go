package web

import (
	"net/url"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
)

// selection is what was chosen in a list, to do one thing with all of it.
type selection struct {
	Refs  []content.Ref
	Items []itemRow // the first ones, to be named
	Form  *form
	Here  string
	Back  string
	Where folderPicker
}

// Count is how many were chosen.
func (s selection) Count() int { return len(s.Refs) }

// More is how many there are beyond those that are named.
func (s selection) More() int { return len(s.Refs) - len(s.Items) }

// Values returns what the form carries of the selection.
func (s selection) Values() []string {
	out := make([]string, len(s.Refs))
	for i, ref := range s.Refs {
		out[i] = refText(ref)
	}
	return out
}

// Collections reports whether a collection is among them.
func (s selection) Collections() bool {
	for _, ref := range s.Refs {
		if ref.Kind == content.Collection {
			return true
		}
	}
	return false
}

func noFolder() error { return fault.Field(fieldFolder, "Choose a collection.") }

// named is how many items a dialog names.
const named = 8

// selection reads what was selected, from the address or a form. It returns
// Forbidden for what the caller may only view.
func (p *page) selection(f *form, values url.Values, back string) (selection, error) {
	s := selection{Form: f, Back: back, Here: p.r.URL.Path}
	seen := map[content.Ref]bool{}
	for _, v := range values["item"] {
		ref, ok := parseRef(v)
		if !ok {
			return s, fault.New(fault.Invalid, "What was selected cannot be read. Please go back and select it again.")
		}
		if !seen[ref] {
			seen[ref] = true
			s.Refs = append(s.Refs, ref)
		}
	}
	var items []content.Item
	for _, ref := range s.Refs[:min(pageSize, len(s.Refs))] { // a list shows no more
		i, err := p.site.Content.Get(p.ctx(), p.who, ref)
		if err != nil {
			return s, err
		}
		if !p.site.Content.CanWrite(p.ctx(), p.who, i) {
			return s, mayOnlyView()
		}
		if len(items) < named {
			items = append(items, i)
		}
	}
	var err error
	s.Items, err = p.itemRows(items)
	return s, err
}

// deed is something that is done with a selection.
type deed struct {
	name  string // of the page
	title string
	said  message
	place bool // a collection is to be chosen
	boss  bool // only administrators do it with collections
	do    func(p *page, refs []content.Ref, to int64) error
}

func archiveDeed() deed {
	return deed{"selected-archive", "Move to the trash", saidArchived, false, false, func(p *page, refs []content.Ref, _ int64) error {
		_, err := p.site.Content.ArchiveMany(p.ctx(), p.who, refs, true)
		return err
	}}
}

func moveDeed() deed {
	return deed{"selected-move", "Move", saidMoved, true, false, func(p *page, refs []content.Ref, to int64) error {
		_, err := p.site.Content.MoveMany(p.ctx(), p.who, refs, to)
		return err
	}}
}

func restoreDeed() deed {
	return deed{"selected-restore", "Restore", saidRestored, false, false, func(p *page, refs []content.Ref, _ int64) error {
		_, err := p.site.Content.ArchiveMany(p.ctx(), p.who, refs, false)
		return err
	}}
}

func deleteDeed() deed {
	return deed{"selected-delete", "Delete permanently", saidDeleted, false, true, func(p *page, refs []content.Ref, _ int64) error {
		_, err := p.site.Content.DeleteMany(p.ctx(), p.who, refs)
		return err
	}}
}

// ask returns the handler that asks before a deed; act the one that does it.
func (d deed) ask(p *page) error {
	s, err := p.hereOrTrash()
	if err != nil {
		return err
	}
	f := newForm()
	chosen, err := p.selection(f, p.r.URL.Query(), s.URL())
	if err != nil {
		return err
	}
	if d.boss && chosen.Collections() && !p.who.IsAdmin() {
		return fault.New(fault.Forbidden, "Only administrators can delete collections permanently. What was moved to the trash can stay there.")
	}
	if chosen.Count() == 0 {
		return p.done(s.URL(), saidNothingChosen)
	}
	return d.show(p, s, chosen)
}

func (d deed) show(p *page, s spot, chosen selection) error {
	if d.place {
		var without []int64
		for _, ref := range chosen.Refs {
			if ref.Kind == content.Collection {
				without = append(without, ref.ID)
			}
		}
		var err error
		if chosen.Where, err = p.newFolderPicker(chosen.Form, without...); err != nil {
			return err
		}
	}
	return p.overCollection(d.name, d.title, s, chosen.Form, chosen)
}

func (d deed) act(p *page) error {
	s, err := p.hereOrTrash()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	chosen, err := p.selection(f, f.Values, s.URL())
	if err != nil {
		return err
	}
	if f.finding() {
		return d.show(p, s, chosen)
	}
	var to int64
	if d.place {
		to, err = chosenFolder(f)
	}
	if err == nil {
		err = d.do(p, chosen.Refs, to)
	}
	if err != nil {
		if err := f.refused(err, fieldFolder); err != nil {
			return err
		}
		return d.show(p, s, chosen)
	}
	return p.done(s.URL(), d.said)
}

// hereOrTrash returns the collection that the path names, or the trash.
func (p *page) hereOrTrash() (spot, error) {
	if p.r.PathValue("id") == "" && len(p.r.URL.Path) >= len(pathTrash) && p.r.URL.Path[:len(pathTrash)] == pathTrash {
		return p.spotOf(access.TrashCollection)
	}
	return p.hereSpot()
}

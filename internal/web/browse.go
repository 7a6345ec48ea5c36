package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/people"
)

// The addresses of content.
const (
	pathCollections = "/collection"
	pathRoot        = "/collection/root"
	pathTrash       = "/trash"
)

// nameOfRoot is what people call the root collection; who may not see it has
// collections all the same.
const (
	nameOfRoot      = "Our analytics"
	nameWithoutRoot = "Collections"
)

// collectionPath returns the address of a collection's page.
func collectionPath(id int64) string {
	switch id {
	case access.RootCollection:
		return pathRoot
	case access.TrashCollection:
		return pathTrash
	}
	return pathCollections + "/" + idText(id)
}

// contentPath returns the address of the page of an item.
func contentPath(i content.Item) string {
	switch i.Kind {
	case content.Collection:
		return collectionPath(i.ID)
	case content.Dashboard:
		return "/dashboard/" + idText(i.ID)
	case content.Card:
		return "/question/" + idText(i.ID)
	}
	return collectionPath(max(i.CollectionID, access.RootCollection))
}

// refText names an item in forms and addresses: card-12.
func refText(ref content.Ref) string { return string(ref.Kind) + "-" + idText(ref.ID) }

// parseRef reads the form of refText.
func parseRef(s string) (content.Ref, bool) {
	kind, id, _ := strings.Cut(s, "-")
	n, err := positive(id)
	known := []content.Kind{content.Collection, content.Card, content.Dashboard, content.Snippet, content.Timeline}
	return content.Ref{Kind: content.Kind(kind), ID: n}, err == nil && slices.Contains(known, content.Kind(kind))
}

// crumb is one step of the way to a page.
type crumb struct{ Name, URL string }

// spot is a collection as its page and the dialogs over it show it.
type spot struct {
	ID          int64
	Name        string
	Description string
	CanWrite    bool
	Plain       bool // can be renamed, moved and archived: no root, no trash, nobody's own
	Hidden      bool // the root of who may not see it: only what lies in it is shown
	Archived    bool // it lies in the trash, itself or with another
	Discarded   bool // it was put into the trash itself
	Crumbs      []crumb
	folder      *access.Folder
}

// URL returns the address of its page.
func (s spot) URL() string { return collectionPath(s.ID) }

// At returns the address of a dialog over its page.
func (s spot) At(what string) string { return s.URL() + "/" + what }

// spotOf returns a collection that the caller may see. It returns NotFound and
// Forbidden.
func (p *page) spotOf(id int64) (spot, error) {
	cols := p.site.Content.Collections()
	if id == access.RootCollection {
		f := cols.Root(content.Default)
		s := spot{Name: nameOfRoot, folder: f}
		switch access.LevelOf(p.who, f) {
		case access.Curate:
			s.CanWrite = true
		case access.NoCollection: // they see the collections in it that they may see
			s.Name, s.Hidden = nameWithoutRoot, true
		case access.View:
		}
		return s, nil
	}
	f, err := p.site.Content.Collection(p.ctx(), p.who, id)
	if err != nil {
		return spot{}, err
	}
	s := spot{
		ID: id, Name: f.Name, CanWrite: access.LevelOf(p.who, f.Access) == access.Curate,
		Archived: f.Archived, Discarded: f.ArchivedDirectly, folder: f.Access,
	}
	if f.Description != nil {
		s.Description = *f.Description
	}
	s.Plain = f.PersonalOwner == 0 && id != access.TrashCollection && s.CanWrite
	s.Crumbs, err = p.crumbs(f.Access)
	return s, err
}

// crumbs is the way to what lies in a collection, without the collections that
// the caller may not see.
func (p *page) crumbs(f *access.Folder) ([]crumb, error) {
	if f.ID == access.TrashCollection {
		return nil, nil
	}
	var out []crumb
	if f.Owner == 0 && access.LevelOf(p.who, p.site.Content.Collections().Root(content.Default)) >= access.View {
		out = append(out, crumb{nameOfRoot, pathRoot})
	}
	names, err := p.site.Content.CollectionsByID(p.ctx(), f.Path)
	if err != nil {
		return nil, err
	}
	for _, id := range f.Path {
		if above, ok := names[id]; ok && access.LevelOf(p.who, above.Access) >= access.View {
			out = append(out, crumb{above.Name, collectionPath(id)})
		}
	}
	return out, nil
}

// wayTo is crumbs for an item, its collection included.
func (p *page) wayTo(i content.Item) ([]crumb, error) {
	s, err := p.spotOf(max(i.CollectionID, access.RootCollection))
	if err != nil {
		return nil, nil //nolint:nilerr // an item may be seen in a collection that is hidden: there is no way to show
	}
	return append(s.Crumbs, crumb{s.Name, s.URL()}), nil
}

// itemRow is an item in a list.
type itemRow struct {
	content.Item
	Label  string // what it is
	Icon   string
	Editor string // who edited it last, "" for nobody known

	CanWrite bool // the caller may change it
}

// Ref names the item in forms.
func (r itemRow) Ref() string { return refText(r.Item.Ref()) }

// URL returns the address of its page, "" for what has none.
func (r itemRow) URL() string { return contentPath(r.Item) }

// Edited returns when it was edited last.
func (r itemRow) Edited() time.Time { return r.EditedAt }

// models are what people call the models, with their icons.
func models() map[content.Model][2]string {
	return map[content.Model][2]string{
		content.ModelCollection: {"Collection", "folder"},
		content.ModelCard:       {"Question", "table"},
		content.ModelDataset:    {"Model", "model"},
		content.ModelMetric:     {"Metric", "metric"},
		content.ModelDashboard:  {"Dashboard", "dashboard"},
		content.ModelTimeline:   {"Timeline", "timeline"},
		content.ModelSnippet:    {"Snippet", "code"},
	}
}

// itemRows completes items with who edited them.
func (p *page) itemRows(items []content.Item) ([]itemRow, error) {
	var ids []int64
	for _, i := range items {
		ids = append(ids, i.EditedBy)
	}
	users, err := p.site.People.Known(p.ctx(), ids)
	if err != nil {
		return nil, err
	}
	words, out := models(), make([]itemRow, len(items))
	for at, i := range items {
		word := words[i.Model]
		out[at] = itemRow{Item: i, Label: word[0], Icon: cmp.Or(word[1], "table"), Editor: editorName(users, i.EditedBy), CanWrite: p.site.Content.CanWrite(p.ctx(), p.who, i)}
	}
	return out, nil
}

func editorName(users map[int64]people.User, id int64) string {
	if u, ok := users[id]; ok {
		return u.CommonName
	}
	return ""
}

// browseBody is the page of a collection, or of the trash.
type browseBody struct {
	Here  spot
	List  list
	Items []itemRow
	Trash bool
	Kinds []keyFilter // the choices of the filter by kind
	Help  string      // address to write to for help, "" for none

	Trashed trashed
}

// Kind returns the kind that is shown, "" for all.
func (b browseBody) Kind() string { return b.List.Filter("kind") }

// sortColumn is the heading of a column that the list can be ordered by.
type sortColumn struct {
	Label string
	URL   string // of the list in this order; in the other direction where it is in this order already
	Order string // "ascending", "descending", or "" when the list is in another order
}

// Columns returns the headings of the list. What was edited last comes first.
func (b browseBody) Columns() []sortColumn {
	now, backwards := sorted(b.List)
	out := []sortColumn{{Label: "Type", URL: "model"}, {Label: "Name", URL: "name"}, {Label: "Last edited by", URL: "editor"}, {Label: "Last edited at", URL: "edited"}}
	for i, c := range out {
		next := c.URL
		if c.URL == now {
			out[i].Order = "ascending"
			if backwards != (now == "edited") {
				out[i].Order = "descending"
			}
			if !backwards {
				next = "-" + now
			}
		}
		if next == "name" {
			next = ""
		}
		out[i].URL = b.List.With("sort", next)
	}
	return out
}

// sorted returns what a list of items is ordered by, and whether against the
// usual direction.
func sorted(l list) (by string, backwards bool) {
	by, backwards = strings.CutPrefix(l.Filter("sort"), "-")
	if !slices.Contains([]string{"model", "editor", "edited"}, by) {
		by = "name"
	}
	return by, backwards
}

// FindLabel is what the search of the list is called.
func (b browseBody) FindLabel() string {
	if b.Trash {
		return "Find in the trash"
	}
	return "Find in this collection"
}

// Selectable reports whether items can be selected to do something with them.
func (b browseBody) Selectable() bool {
	return (b.Trash || !b.Here.Archived) && slices.ContainsFunc(b.Items, func(r itemRow) bool { return r.CanWrite })
}

// browseBody reads the list of a collection as the address says.
func (p *page) browseBody(s spot) (browseBody, error) {
	b := browseBody{
		Here: s, List: p.readList(s.URL(), "kind", "sort"), Trash: s.ID == access.TrashCollection,
		Help: p.site.Settings.String("admin-email"),
		Trashed: trashed{
			Ref: refText(content.Ref{Kind: content.Collection, ID: s.ID}), Discarded: s.Discarded,
			CanWrite: s.CanWrite, CanDelete: p.who.IsAdmin(),
		},
	}
	b.Kinds = []keyFilter{{"", "All"}, {"question", "Questions"}, {"dashboard", "Dashboards"}, {"collection", "Collections"}}
	items, total, err := p.itemsOf(s, b.List)
	if err != nil {
		return b, err
	}
	b.List.Total = total
	b.Items, err = p.itemRows(items)
	return b, err
}

// showCollection shows a collection.
func (p *page) showCollection() error {
	s, err := p.hereSpot()
	if err != nil {
		return err
	}
	b, err := p.browseBody(s)
	if err != nil {
		return err
	}
	if s.ID != access.RootCollection {
		p.site.Content.Saw(p.who, content.Ref{Kind: content.Collection, ID: s.ID})
	}
	return p.show("collection", s.Name, b)
}

// hereSpot returns the collection that the path names.
func (p *page) hereSpot() (spot, error) {
	id := access.RootCollection
	if text := p.r.PathValue("id"); text != "" {
		var err error
		if id, err = p.id(); err != nil {
			return spot{}, err
		}
	}
	return p.spotOf(id)
}

// showTrash shows what was put into the trash by itself.
func (p *page) showTrash() error {
	b, err := p.trashBody()
	if err != nil {
		return err
	}
	return p.show("trash", "Trash", b)
}

func (p *page) trashBody() (browseBody, error) {
	s, err := p.spotOf(access.TrashCollection)
	if err != nil {
		return browseBody{}, err
	}
	return p.browseBody(s)
}

// Shared reports whether groups may do something in the collection: it is
// nobody's own, nor in one that is.
func (b browseBody) Shared() bool { return b.Here.folder.Owner == 0 && !b.Trash }

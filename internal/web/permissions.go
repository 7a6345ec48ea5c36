package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/group"
)

const pathPermissions = "/admin/permissions/collections"

// columnsShown is how many groups the matrix shows beside one another.
const columnsShown = 6

// matrixBody is the permissions of groups in collections.
type matrixBody struct {
	List     list // of collections; its filters are of groups
	Groups   []group.Group
	GroupsOf columns
	Rows     []matrixRow
	Hidden   []matrixCell // changes in cells that are not shown
	Form     *form
}

// columns is where somebody stands among the groups.
type columns struct {
	Query      string
	From, To   int
	Total      int
	Prev, Next string
}

// matrixRow is a collection with the levels of the groups.
type matrixRow struct {
	ID    int64
	Name  string
	Way   string
	Cells []matrixCell
}

// matrixCell is what one group may do in one collection.
type matrixCell struct {
	Name  string // of the field: 12-5, collection and group
	Label string
	Level string // in force
	Next  string // what the form says
}

// Changed reports whether the form changes the cell.
func (c matrixCell) Changed() bool { return c.Next != c.Level }

// levelChoice is a level as people choose it.
type levelChoice struct{ Value, Label string }

func levelChoices() []levelChoice {
	return []levelChoice{{access.Curate.String(), "Curate"}, {access.View.String(), "View"}, {access.NoCollection.String(), "No access"}}
}

// pageStep leads to another part of the matrix.
type pageStep struct{ Icon, Label, URL string }

func newPageStep(icon, label, url string) pageStep { return pageStep{icon, label, url} }

func (p *page) matrixBody(f *form) (matrixBody, error) {
	b := matrixBody{List: p.readList(pathPermissions, "group", "groups"), Form: f}
	b.readGroups(p.site.Groups.Snapshot().ByName)
	places, err := p.grantable(b.List.Query)
	if err != nil {
		return b, err
	}
	b.List.Total = len(places)
	from := min(b.List.offset(), len(places))
	changes := formChanges(f)
	for _, place := range places[from:min(from+pageSize, len(places))] {
		b.Rows = append(b.Rows, place.row(b.Groups, changes))
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) { // what row has not used up
		b.Hidden = append(b.Hidden, matrixCell{Name: name, Level: f.Get("was-" + name), Next: changes[name]})
	}
	return b, nil
}

// formChanges returns the levels that a form changes, by the names of the cells.
func formChanges(f *form) map[string]string {
	out := map[string]string{}
	for name := range f.Values {
		if cell, ok := strings.CutPrefix(name, "level-"); ok && f.Get(name) != f.Get("was-"+cell) {
			out[cell] = f.Get(name)
		}
	}
	return out
}

// newCell returns a cell as the form has changed it, and takes that change
// from the others.
func newCell(name, label, level string, changes map[string]string) matrixCell {
	c := matrixCell{Name: name, Label: label, Level: level, Next: cmp.Or(changes[name], level)}
	delete(changes, name)
	return c
}

// readGroups chooses the groups that the matrix shows: Administrators may do
// everything anyway.
func (b *matrixBody) readGroups(all []group.Group) {
	b.GroupsOf.Query = b.List.Filter("group")
	key := strings.ToLower(b.GroupsOf.Query)
	hits := slices.DeleteFunc(slices.Clone(all), func(g group.Group) bool {
		return g.ID == access.Administrators || !strings.Contains(strings.ToLower(g.Name), key)
	})
	number, _ := strconv.Atoi(b.List.Filter("groups"))
	number = min(max(number, 1), len(hits)/columnsShown+1)
	from := min((number-1)*columnsShown, len(hits))
	to := min(from+columnsShown, len(hits))
	b.Groups = hits[from:to]
	b.GroupsOf.From, b.GroupsOf.To, b.GroupsOf.Total = from+1, to, len(hits)
	if number > 1 {
		b.GroupsOf.Prev = b.List.With("groups", strconv.Itoa(number-1))
	}
	if to < len(hits) {
		b.GroupsOf.Next = b.List.With("groups", strconv.Itoa(number+1))
	}
}

// grantPlace is a collection in which groups may be given something.
type grantPlace struct {
	id        int64
	name, way string
	folder    *access.Folder
}

func (g grantPlace) row(groups []group.Group, changes map[string]string) matrixRow {
	r := matrixRow{ID: g.id, Name: g.name, Way: g.way}
	for _, gr := range groups {
		label := fmt.Sprintf("%s in %s", gr.Name, g.name)
		r.Cells = append(r.Cells, newCell(cellName(g.id, gr.ID), label, g.folder.Grants.Of(gr.ID).String(), changes))
	}
	return r
}

// cellName names a cell of the matrix in a form.
func cellName(collection, group int64) string { return idText(collection) + "-" + idText(group) }

// grantable returns the collections of the matrix whose names contain a text:
// the root first, each followed by those that lie in it.
func (p *page) grantable(query string) ([]grantPlace, error) {
	all, err := p.site.Content.ListCollections(p.ctx(), p.who, content.CollectionFilter{NotOthers: true})
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(all))
	for _, f := range all {
		names[f.ID] = f.Name
	}
	query = strings.ToLower(query)
	var out []grantPlace
	if strings.Contains(strings.ToLower(nameOfRoot), query) {
		out = append(out, grantPlace{name: nameOfRoot, folder: p.site.Content.Collections().Root(content.Default)})
	}
	for _, f := range all {
		if f.Access.Owner == 0 && f.ID != access.TrashCollection && strings.Contains(strings.ToLower(f.Name), query) {
			out = append(out, grantPlace{f.ID, f.Name, wayOf(f.Access, names), f.Access})
		}
	}
	key := func(g grantPlace) string {
		if g.way == "" {
			return strings.ToLower(g.name)
		}
		return strings.ToLower(g.way + " / " + g.name)
	}
	slices.SortStableFunc(out, func(a, b grantPlace) int {
		if (a.id == access.RootCollection) != (b.id == access.RootCollection) {
			return cmp.Compare(a.id, b.id)
		}
		return cmp.Or(strings.Compare(key(a), key(b)), cmp.Compare(a.id, b.id))
	})
	return out, nil
}

func (p *page) showMatrix() error { return p.matrix(newForm()) }

func (p *page) matrix(f *form) error {
	b, err := p.matrixBody(f)
	if err != nil {
		return err
	}
	return p.answer(f.status, "matrix", "Collection permissions", b, nil)
}

func (p *page) saveMatrix() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	changes, err := grantChanges(f.Values)
	if err == nil {
		err = p.site.Content.SetGrants(p.ctx(), p.who, changes, f.Get("subtree") != "")
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.matrix(f)
	}
	return p.done(p.r.URL.RequestURI(), saidPermissionsSaved)
}

// grantChanges returns what differs in a form from what it showed.
func grantChanges(values url.Values) ([]content.Grant, error) {
	var out []content.Grant
	for name := range values {
		cell, ok := strings.CutPrefix(name, "level-")
		if !ok || values.Get(name) == values.Get("was-"+cell) {
			continue
		}
		level, known := access.ParseCollectionLevel(values.Get(name))
		place, group, _ := strings.Cut(cell, "-")
		placeID, err := strconv.ParseInt(place, 10, 64)
		groupID, groupErr := positive(group)
		if !known || err != nil || groupErr != nil {
			return nil, fault.New(fault.Invalid, "The form could not be read. Please go back and try again.")
		}
		out = append(out, content.Grant{CollectionID: placeID, GroupID: groupID, Level: level})
	}
	return out, nil
}

// permissionsDialog is who may do what in one collection.
type permissionsDialog struct {
	Form  *form
	At    spot
	Cells []permissionRow
	Query string
	More  int
	Here  string
	Back  string
}

type permissionRow struct {
	Group group.Group
	matrixCell
}

func (p *page) showPermissions() error {
	s, err := p.hereSpot()
	if err != nil {
		return err
	}
	return p.permissions(newForm(), s)
}

// boolRank puts what is true first.
func boolRank(b bool) int {
	if b {
		return 0
	}
	return 1
}

// permissionsShown is how many groups the dialog shows: those that may do
// something first.
const permissionsShown = 50

func (p *page) permissions(f *form, s spot) error {
	if s.folder.Owner != 0 {
		return fault.New(fault.Invalid, "A personal collection has no permissions to set: only its owner and administrators can use it.")
	}
	d := permissionsDialog{Form: f, At: s, Query: f.text("group_query"), Here: p.r.URL.Path, Back: s.URL()}
	changes := formChanges(f)
	for _, g := range p.site.Groups.Snapshot().ByName {
		if g.ID == access.Administrators {
			continue
		}
		cell := newCell(cellName(s.ID, g.ID), g.Name, s.folder.Grants.Of(g.ID).String(), changes)
		if cell.Changed() || strings.Contains(strings.ToLower(g.Name), strings.ToLower(d.Query)) {
			d.Cells = append(d.Cells, permissionRow{g, cell})
		}
	}
	slices.SortStableFunc(d.Cells, func(a, b permissionRow) int {
		if a.Changed() != b.Changed() { // what is changed already stays in sight
			return cmp.Compare(boolRank(a.Changed()), boolRank(b.Changed()))
		}
		return cmp.Compare(s.folder.Grants.Of(b.Group.ID), s.folder.Grants.Of(a.Group.ID))
	})
	d.More = max(len(d.Cells)-permissionsShown, 0)
	d.Cells = d.Cells[:min(len(d.Cells), permissionsShown)]
	return p.overCollection("collection-permissions", "Permissions", s, f, d)
}

func (p *page) savePermissions() error {
	s, err := p.hereSpot()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.permissions(f, s)
	}
	changes, err := grantChanges(f.Values)
	if err == nil {
		err = p.site.Content.SetGrants(p.ctx(), p.who, changes, f.Get("subtree") != "")
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.permissions(f, s)
	}
	return p.done(s.URL(), saidPermissionsSaved)
}

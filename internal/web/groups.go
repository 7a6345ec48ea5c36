package web

import "latchkey/internal/group"

// groupsBody is the list of groups.
type groupsBody struct {
	List   list
	Groups []group.Group
	Keys   map[int64]int // how many API keys belong to a group
}

// groupDialog is a dialog over the list, or over the page, of groups.
type groupDialog struct {
	Form  *form
	Group group.Group
	Here  string
	Back  string
}

func (p *page) groupsBody() (groupsBody, error) {
	b := groupsBody{List: p.readList(pathGroups)}
	b.Groups, b.List.Total = p.site.Groups.Search(b.List.Query, pageSize, b.List.offset())
	ids := make([]int64, len(b.Groups))
	for i, g := range b.Groups {
		ids[i] = g.ID
	}
	var err error
	b.Keys, err = p.site.Keys.CountByGroup(p.ctx(), p.who, ids)
	return b, err
}

func (p *page) showGroups() error {
	b, err := p.groupsBody()
	if err != nil {
		return err
	}
	return p.show("groups", "Groups", b)
}

func (p *page) showGroupNew() error { return p.groupNew(newForm()) }

func (p *page) groupNew(f *form) error {
	b, err := p.groupsBody()
	if err != nil {
		return err
	}
	d := groupDialog{Form: f, Here: p.r.URL.RequestURI(), Back: b.List.URL()}
	return p.answer(f.status, "group-new", "Create a group", b, d)
}

func (p *page) createGroup() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	g, err := p.site.Groups.Create(p.ctx(), p.who, f.text("name"))
	if err != nil {
		if err := f.refused(err, "name"); err != nil {
			return err
		}
		f.at("name")
		return p.groupNew(f)
	}
	return p.done(groupPath(g.ID), saidGroupCreated)
}

// groupPath returns the address of a group's page.
func groupPath(id int64) string { return pathGroups + "/" + idText(id) }

// oneGroup returns the group that the path names.
func (p *page) oneGroup() (group.Group, error) {
	id, err := p.id()
	if err != nil {
		return group.Group{}, err
	}
	return p.site.Groups.Get(p.ctx(), p.who, id)
}

// groupDialog answers with a dialog over a group's page.
func (p *page) groupDialog(name, title string, f *form, g group.Group, dialog any) error {
	b, err := p.groupBody(g)
	if err != nil {
		return err
	}
	return p.answer(f.status, name, title, b, dialog)
}

func (p *page) showGroupRename() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	return p.groupRename(newForm("name", g.Name), g)
}

func (p *page) groupRename(f *form, g group.Group) error {
	d := groupDialog{Form: f, Group: g, Here: p.r.URL.RequestURI(), Back: groupPath(g.ID)}
	return p.groupDialog("group-rename", "Rename the group", f, g, d)
}

func (p *page) renameGroup() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if _, err := p.site.Groups.Rename(p.ctx(), p.who, g.ID, f.text("name")); err != nil {
		if err := f.refused(err, "name"); err != nil {
			return err
		}
		f.at("name")
		return p.groupRename(f, g)
	}
	return p.done(groupPath(g.ID), saidGroupRenamed)
}

// deleteDialog says what becomes of a group's members and keys.
type deleteDialog struct {
	groupDialog
	Keys     []string // names of the first keys
	KeyTotal int
	People   int64 // members that are people
}

// More is how many keys there are beyond those that are named.
func (d deleteDialog) More() int { return d.KeyTotal - len(d.Keys) }

func (p *page) showGroupDelete() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	return p.groupDelete(newForm(), g)
}

func (p *page) groupDelete(f *form, g group.Group) error {
	const named = 10
	keys, total, err := p.keysOf(g.ID, named)
	if err != nil {
		return err
	}
	d := deleteDialog{
		groupDialog: groupDialog{Form: f, Group: g, Here: p.r.URL.RequestURI(), Back: groupPath(g.ID)},
		KeyTotal:    total, People: g.MemberCount - int64(total),
	}
	for _, k := range keys {
		d.Keys = append(d.Keys, k.Name)
	}
	return p.groupDialog("group-delete", "Delete the group", f, g, d)
}

func (p *page) deleteGroup() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	if err := p.site.Groups.Delete(p.ctx(), p.who, g.ID); err != nil {
		f := newForm()
		if err := f.refused(err); err != nil {
			return err
		}
		return p.groupDelete(f, g)
	}
	return p.done(pathGroups, saidGroupDeleted)
}

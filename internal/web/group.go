package web

import (
	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/group"
	"latchkey/internal/people"
)

// groupBody is the page of one group.
type groupBody struct {
	Group    group.Group
	List     list // of the people in it
	People   []people.User
	Keys     []apikey.Key // the first ones
	KeyTotal int
}

// Open reports whether people are added and removed by hand: everybody is in
// All Users.
func (b groupBody) Open() bool { return b.Group.ID != access.AllUsers }

// Plain reports whether the group can be renamed and deleted.
func (b groupBody) Plain() bool { return b.Group.Magic == "" }

// keysShown is how many keys a group's page lists; the list of keys has them all.
const keysShown = 10

func (p *page) groupBody(g group.Group) (groupBody, error) {
	b := groupBody{Group: g, List: p.readList(groupPath(g.ID))}
	var err error
	b.People, b.List.Total, err = p.site.People.List(p.ctx(), p.who, people.Filter{
		GroupID: g.ID, Query: b.List.Query, Limit: pageSize, Offset: b.List.offset(),
	})
	if err != nil {
		return b, err
	}
	b.Keys, b.KeyTotal, err = p.keysOf(g.ID, keysShown)
	return b, err
}

// keysOf returns the first keys of a group, and how many it has.
func (p *page) keysOf(groupID int64, limit int) ([]apikey.Key, int, error) {
	return p.site.Keys.List(p.ctx(), p.who, apikey.Filter{GroupID: groupID, Limit: limit})
}

func (p *page) showGroup() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	b, err := p.groupBody(g)
	if err != nil {
		return err
	}
	return p.show("group", g.Name, b)
}

// addDialog searches people to add to a group.
type addDialog struct {
	Form   *form
	Group  group.Group
	People []people.User
	More   int
	Query  string
	Here   string
	Back   string
}

// Has reports whether somebody is in the group already.
func (d addDialog) Has(u people.User) bool { return inGroup(u, d.Group.ID) }

func inGroup(u people.User, groupID int64) bool {
	for _, id := range u.Groups {
		if id == groupID {
			return true
		}
	}
	return false
}

func (p *page) showMemberAdd() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	return p.memberAdd(newForm(), g)
}

func (p *page) memberAdd(f *form, g group.Group) error {
	const hits = 20
	d := addDialog{Form: f, Group: g, Query: p.r.URL.Query().Get("find"), Here: groupPath(g.ID) + "/add", Back: groupPath(g.ID)}
	found, total, err := p.site.People.List(p.ctx(), p.who, people.Filter{Query: d.Query, Limit: hits})
	if err != nil {
		return err
	}
	d.People, d.More = found, total-len(found)
	return p.groupDialog("group-add", "Add someone", f, g, d)
}

func (p *page) addMember() error {
	g, err := p.oneGroup()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if _, err := p.site.Groups.AddMember(p.ctx(), p.who, g.ID, f.id("user_id")); err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.memberAdd(f, g)
	}
	return p.done(groupPath(g.ID), saidMemberAdded)
}

// removing reads the group and the person that the path names.
func (p *page) removing() (personDialog, error) {
	d := personDialog{Form: newForm()}
	id, err := positive(p.r.PathValue("user"))
	if err != nil {
		return d, err
	}
	if d.Group, err = p.oneGroup(); err != nil {
		return d, err
	}
	d.Here, d.Back = p.r.URL.RequestURI(), groupPath(d.Group.ID)
	d.User, err = p.site.People.Get(p.ctx(), p.who, id)
	return d, err
}

func (p *page) showMemberRemove() error {
	d, err := p.removing()
	if err != nil {
		return err
	}
	return p.groupDialog("group-remove", "Remove from the group", d.Form, d.Group, d)
}

func (p *page) removeMember() error {
	d, err := p.removing()
	if err != nil {
		return err
	}
	if err := p.site.Groups.RemoveMember(p.ctx(), p.who, d.Group.ID, d.User.ID); err != nil {
		if err := d.Form.refused(err); err != nil {
			return err
		}
		return p.groupDialog("group-remove", "Remove from the group", d.Form, d.Group, d)
	}
	return p.done(p.afterLeaving(groupPath(d.Group.ID), d.Group.ID, d.User.ID), saidMemberRemoved)
}

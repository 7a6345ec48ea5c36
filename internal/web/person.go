package web

import (
	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// personBody is the page of one person.
type personBody struct {
	User   people.User
	Form   *form // names and address
	Join   *form // group to join
	Groups []group.Group
	List   list // of the groups
	Picker picker
	Self   bool
	Mail   bool
}

// personDialog is a dialog over the page of a person.
type personDialog struct {
	Form  *form
	User  people.User
	Group group.Group
	Mail  bool
	Here  string
	Back  string
}

// personPath returns the address of a person's page.
func personPath(id int64) string { return pathPerson + "/" + idText(id) }

// onePerson returns the person that the path names; users behind API keys are
// not people.
func (p *page) onePerson() (people.User, error) {
	id, err := p.id()
	if err != nil {
		return people.User{}, err
	}
	u, err := p.site.People.Get(p.ctx(), p.who, id)
	if err == nil && u.Kind != people.KindPerson {
		err = fault.New(fault.NotFound, "Not found.")
	}
	return u, err
}

func (p *page) personBody(u people.User) personBody {
	b := personBody{
		User: u, Form: nameForm(u), Join: newForm(), Self: u.ID == p.who.UserID, Mail: p.site.canMail(),
		List: p.readList(personPath(u.ID)),
	}
	b.List.Total = len(u.Groups)
	groups := p.site.Groups.Snapshot()
	from := min(b.List.offset(), len(u.Groups))
	for _, id := range u.Groups[from:min(from+pageSize, len(u.Groups))] {
		if g, ok := groups.ByID(id); ok {
			b.Groups = append(b.Groups, g)
		}
	}
	return b
}

// nameForm returns the form of a person's names and address.
func nameForm(u people.User) *form {
	return newForm("first_name", deref(u.FirstName), "last_name", deref(u.LastName), "email", u.Email)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// showPersonWith answers with a person's page, whose forms may hold errors.
func (p *page) showPersonWith(b personBody) error {
	b.Picker = p.site.newPicker(b.Join, "group_id", "Add to a group", false, b.User.Groups...)
	return p.answer(max(b.Form.status, b.Join.status), "person", b.User.CommonName, b, nil)
}

func (p *page) showPerson() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	return p.showPersonWith(p.personBody(u))
}

// nameChange reads names and address from a form.
func nameChange(f *form) people.Change {
	c := people.Change{Email: opt.Of(f.text("email")), FirstName: opt.Null[string](), LastName: opt.Null[string]()}
	if v := f.optional("first_name"); v != nil {
		c.FirstName = opt.Of(*v)
	}
	if v := f.optional("last_name"); v != nil {
		c.LastName = opt.Of(*v)
	}
	return c
}

func (p *page) savePerson() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if _, err := p.site.People.Update(p.ctx(), p.who, u.ID, nameChange(f)); err != nil {
		if err := f.refused(err, "email", "first_name", "last_name"); err != nil {
			return err
		}
		b := p.personBody(u)
		b.Form = f
		return p.showPersonWith(b)
	}
	return p.done(personPath(u.ID), saidPersonSaved)
}

func (p *page) joinGroup() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if !f.finding() {
		groupID, err := p.chosenGroup(f, "group_id")
		if err == nil {
			_, err = p.site.Groups.AddMember(p.ctx(), p.who, groupID, u.ID)
		}
		if err == nil {
			return p.done(personPath(u.ID)+"#groups", saidMemberAdded)
		}
		if err := f.refused(err, "group_id"); err != nil {
			return err
		}
		f.at("group_id")
	}
	b := p.personBody(u)
	b.Join = f
	return p.showPersonWith(b)
}

// personDialog answers with a dialog over a person's page.
func (p *page) personDialog(name, title string, d personDialog) error {
	b := p.personBody(d.User)
	b.Picker = p.site.newPicker(b.Join, "group_id", "Add to a group", false, d.User.Groups...)
	d.Mail, d.Here, d.Back = b.Mail, p.r.URL.RequestURI(), personPath(d.User.ID)
	return p.answer(d.Form.status, name, title, b, d)
}

func (p *page) showLeaveGroup() error {
	d, err := p.leaving()
	if err != nil {
		return err
	}
	return p.personDialog("person-leave", "Remove from the group", d)
}

// leaving reads the person and the group that the path names.
func (p *page) leaving() (personDialog, error) {
	d := personDialog{Form: newForm()}
	id, err := positive(p.r.PathValue("group"))
	if err != nil {
		return d, err
	}
	if d.User, err = p.onePerson(); err != nil {
		return d, err
	}
	d.Group, err = p.site.Groups.Get(p.ctx(), p.who, id)
	return d, err
}

func (p *page) leaveGroup() error {
	d, err := p.leaving()
	if err != nil {
		return err
	}
	if err := p.site.Groups.RemoveMember(p.ctx(), p.who, d.Group.ID, d.User.ID); err != nil {
		if err := d.Form.refused(err); err != nil {
			return err
		}
		return p.personDialog("person-leave", "Remove from the group", d)
	}
	return p.done(p.afterLeaving(personPath(d.User.ID)+"#groups", d.Group.ID, d.User.ID), saidMemberRemoved)
}

// afterLeaving returns where to go after somebody left a group: people who
// have just taken their own rights away go home.
func (p *page) afterLeaving(to string, groupID, userID int64) string {
	if groupID == access.Administrators && userID == p.who.UserID {
		return pathHome
	}
	return to
}

func (p *page) showPersonReset() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	return p.personDialog("person-reset", "Reset the password", personDialog{Form: newForm(), User: u})
}

// resetPerson sends a link to choose a new password, or shows one to hand over.
func (p *page) resetPerson() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.Get("how") == "mail" && p.site.canMail() {
		if err = p.site.People.SendResetLink(p.ctx(), p.who, u.ID); err == nil {
			return p.done(personPath(u.ID), saidResetSent)
		}
	} else {
		link, linkErr := try(p.site.once, p.formToken(f), func() (secret.Text, error) {
			link, err := p.site.People.ResetLink(p.settled(), p.who, u.ID)
			return secret.New(p.absolute(link)), err
		})
		if err = linkErr; err == nil {
			return p.showLinkOnce(u, link)
		}
	}
	if err := f.refused(err); err != nil {
		return err
	}
	return p.personDialog("person-reset", "Reset the password", personDialog{Form: f, User: u})
}

// showLinkOnce shows a link to choose a password, over the person's page.
func (p *page) showLinkOnce(u people.User, link secret.Text) error {
	b := p.personBody(u)
	b.Picker = p.site.newPicker(b.Join, "group_id", "Add to a group", false, u.Groups...)
	return p.answer(200, "person-link", "Link to set a password", b, onceDialog{
		Heading: "A link for " + u.CommonName, TestID: "reset-link-modal",
		Lead:  "Whoever opens this link chooses a new password for " + u.Email + " and is signed in.",
		Label: "Link to set a password", ID: "reset-link", Value: link.Reveal(),
		Note: "Hand it over in a safe way. It works once, for 48 hours, and is shown only this once.",
		Back: personPath(u.ID),
	})
}

func (p *page) showPersonOff() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	return p.personDialog("person-off", "Deactivate", personDialog{Form: newForm(), User: u})
}

func (p *page) deactivatePerson() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	f := newForm()
	if err := p.site.People.Deactivate(p.ctx(), p.who, u.ID); err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.personDialog("person-off", "Deactivate", personDialog{Form: f, User: u})
	}
	return p.done(pathPeople, saidPersonDeactivated)
}

func (p *page) reactivatePerson() error {
	u, err := p.onePerson()
	if err != nil {
		return err
	}
	if _, err := p.site.People.Reactivate(p.ctx(), p.who, u.ID); err != nil {
		return err
	}
	return p.done(personPath(u.ID), saidPersonReactivated)
}

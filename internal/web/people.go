package web

import (
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// peopleBody is the list of people.
type peopleBody struct {
	List   list
	People []people.User
	Site   *site
	Status string // active or deactivated
}

// GroupsOf sums up the groups of a person: All Users goes without saying.
func (b peopleBody) GroupsOf(u people.User) string {
	const shown = 2
	var names []string
	for _, id := range u.Groups {
		if g, ok := b.Site.Groups.Snapshot().ByID(id); ok && id != access.AllUsers {
			names = append(names, g.Name)
		}
	}
	if len(names) == 0 {
		return "–"
	}
	if more := len(names) - shown; more > 0 {
		return strings.Join(names[:shown], ", ") + " and " + number(more) + " more"
	}
	return strings.Join(names, ", ")
}

func (p *page) peopleBody() (peopleBody, error) {
	b := peopleBody{List: p.readList(pathPeople, "status"), Site: p.site, Status: string(people.Active)}
	if b.List.Filter("status") == string(people.Deactivated) {
		b.Status = string(people.Deactivated)
	}
	var err error
	b.People, b.List.Total, err = p.site.People.List(p.ctx(), p.who, people.Filter{
		Status: people.Status(b.Status), Query: b.List.Query, Limit: pageSize, Offset: b.List.offset(),
	})
	return b, err
}

func (p *page) showPeople() error {
	b, err := p.peopleBody()
	if err != nil {
		return err
	}
	return p.show("people", "People", b)
}

// inviteDialog is the dialog to invite somebody.
type inviteDialog struct {
	Form   *form
	Groups picker
	Mail   bool
	Here   string
	Back   string
}

func (p *page) showPersonNew() error { return p.inviteDialog(newForm()) }

func (p *page) inviteDialog(f *form) error {
	b, err := p.peopleBody()
	if err != nil {
		return err
	}
	d := inviteDialog{Form: f, Mail: p.site.canMail(), Here: p.r.URL.RequestURI(), Back: b.List.URL()}
	d.Groups = p.site.newPicker(f, "groups", "Groups", true, access.AllUsers)
	d.Groups.Hint = "Everybody is in All Users, whatever you choose here."
	return p.answer(f.status, "person-new", "Invite someone", b, d)
}

// canMail reports whether links can be sent: there is a mail server, and an
// address of this instance to link to.
func (s *site) canMail() bool { return s.MailConfigured() && s.Settings.String("site-url") != "" }

// invited is a new person with the password to hand over, if any.
type invited struct {
	user     people.User
	password secret.Text
}

func (p *page) invitePerson() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.inviteDialog(f)
	}
	made, err := try(p.site.once, p.formToken(f), func() (invited, error) {
		n := people.NewUser{
			Email: f.text("email"), FirstName: f.optional("first_name"), LastName: f.optional("last_name"),
			Groups: append([]int64{access.AllUsers}, f.ids("groups")...),
		}
		if !p.site.canMail() {
			n.Password = temporaryPassword(p.site.People.PasswordPolicy().Counts())
		}
		user, err := p.site.People.Create(p.settled(), p.who, n)
		return invited{user, n.Password}, err
	})
	if err != nil {
		if err := f.refused(err, "email", "first_name", "last_name", "groups"); err != nil {
			return err
		}
		return p.inviteDialog(f)
	}
	if made.password.Empty() {
		return p.done(p.readList(pathPeople, "status").URL(), saidPersonInvited)
	}
	return p.showPasswordOnce(made)
}

// showPasswordOnce shows a temporary password over the list.
func (p *page) showPasswordOnce(made invited) error {
	b, err := p.peopleBody()
	if err != nil {
		return err
	}
	return p.answer(200, "person-secret", "Temporary password", b, onceDialog{
		Heading: made.user.CommonName + " has been added", TestID: "temporary-password-modal",
		Lead:  "They sign in as " + made.user.Email + " with this password, and can change it under Account settings.",
		Label: "Temporary password", ID: "temporary-password", Value: made.password.Reveal(),
		Note: "Hand it over in a safe way. It is shown only this once; if it gets lost, reset their password.",
		Back: b.List.URL(),
	})
}

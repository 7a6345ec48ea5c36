package web

import (
	"slices"

	"latchkey/internal/people"
)

// profileBody is the person's own names and address.
type profileBody struct{ Form *form }

func (p *page) showProfile() error {
	u, err := p.site.People.Get(p.ctx(), p.who, p.who.UserID)
	if err != nil {
		return err
	}
	return p.show("profile", "Profile", profileBody{nameForm(u)})
}

func (p *page) saveProfile() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if _, err := p.site.People.Update(p.ctx(), p.who, p.who.UserID, nameChange(f)); err != nil {
		if err := f.refused(err, "email", "first_name", "last_name"); err != nil {
			return err
		}
		return p.answer(f.status, "profile", "Profile", profileBody{f}, nil)
	}
	return p.done(pathProfile, saidProfileSaved)
}

// passwordBody is the form to change the person's own password.
type passwordBody struct {
	Form *form
	Hint string
}

func (p *page) showPassword() error { return p.passwordPage(newForm()) }

func (p *page) passwordPage(f *form) error {
	hint := p.passwordHint()
	return p.answer(f.status, "password", "Password", passwordBody{f, hint}, nil)
}

func (p *page) changePassword() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	session, err := p.site.People.ChangePassword(p.ctx(), p.who, f.secret("password"), f.secret("old_password"))
	if err != nil {
		if err := f.refused(err, "password", "old_password"); err != nil {
			return err
		}
		return p.passwordPage(f)
	}
	if session != nil {
		p.site.SetSession(p.w, p.r, *session, session.Remember)
	}
	return p.done(pathPassword, saidPasswordChanged)
}

// sessionsBody is where the person is signed in.
type sessionsBody struct {
	Sessions []people.SessionInfo
	More     int
}

// sessionsShown is how many sessions the page lists, the last used first.
const sessionsShown = 100

func (p *page) showSessions() error {
	all, err := p.site.People.Sessions(p.ctx(), p.who, p.who.UserID)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(one people.SessionInfo) bool { return one.Current }); i > 0 {
		this := all[i]
		all = slices.Insert(slices.Delete(all, i, i+1), 0, this)
	}
	shown := all[:min(sessionsShown, len(all))]
	return p.show("sessions", "Sessions", sessionsBody{shown, len(all) - len(shown)})
}

// endSession ends one of the person's sessions; this one is signing out.
func (p *page) endSession() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	if id == p.who.SessionID {
		return p.logout()
	}
	if err := p.site.People.EndSession(p.ctx(), p.who, p.who.UserID, id); err != nil {
		return err
	}
	return p.done(pathSessions, saidSessionEnded)
}

// endOtherSessions ends all of the person's sessions but this one.
func (p *page) endOtherSessions() error {
	if err := p.site.People.EndOtherSessions(p.ctx(), p.who, p.who.UserID); err != nil {
		return err
	}
	return p.done(pathSessions, saidSessionsEnded)
}

package web

import (
	"net/url"
	"strings"

	"latchkey/internal/fault"
	"latchkey/internal/people"
)

// doorBody is what the pages before signing in show.
type doorBody struct {
	Form     *form
	Redirect string // where to go after signing in
	Mail     bool   // whether the instance can send mail
	Sent     bool   // a link is on its way
	Dead     bool   // the link is not valid (any more)
	Hint     string // what a password needs
}

func (p *page) showSetup() error {
	token, err := p.site.People.SetupToken(p.ctx())
	if err != nil {
		return err
	}
	return p.show("setup", "Welcome to Latchkey", doorBody{Form: newForm("token", token, "site_name", p.site.name()), Hint: p.passwordHint()})
}

// setup makes the first administrator and signs them in.
func (p *page) setup() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	session, err := p.site.People.Setup(p.ctx(), people.Setup{
		Token: f.secret("token"), Email: f.text("email"), Password: f.secret("password"),
		FirstName: f.optional("first_name"), LastName: f.optional("last_name"), SiteName: f.text("site_name"),
	})
	if err != nil {
		if err := f.refused(err, "email", "password", "first_name", "last_name", "site_name"); err != nil {
			return err
		}
		return p.answer(f.status, "setup", "Welcome to Latchkey", doorBody{Form: f, Hint: p.passwordHint()}, nil)
	}
	p.site.SetSession(p.w, p.r, session, false)
	return p.redirect(pathHome)
}

func (p *page) showLogin() error {
	back := localPath(p.r.URL.Query().Get("redirect"))
	if p.who != nil {
		return p.redirect(back)
	}
	return p.show("login", "Sign in", doorBody{Form: newForm(), Redirect: back})
}

func (p *page) login() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	back, remember := localPath(f.Get("redirect")), f.Get("remember") != ""
	session, err := p.site.People.SignIn(p.ctx(), f.text("username"), f.secret("password"), remember)
	if err != nil {
		if err := f.refused(err, "username", "password"); err != nil {
			return err
		}
		return p.answer(f.status, "login", "Sign in", doorBody{Form: f, Redirect: back}, nil)
	}
	p.site.SetSession(p.w, p.r, session, remember)
	return p.redirect(back)
}

// logout ends the session here and in the database. Somebody who is not
// signed in has nothing to end.
func (p *page) logout() error {
	if p.who != nil {
		err := p.site.People.EndSession(p.ctx(), p.who, p.who.UserID, p.who.SessionID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	p.site.ClearSession(p.w, p.r)
	return p.done(pathLogin, saidSignedOut)
}

func (p *page) showForgot() error {
	email := p.r.URL.Query().Get("email")
	return p.show("forgot", "Forgot your password?", doorBody{Form: newForm("email", email), Mail: p.site.MailConfigured()})
}

func (p *page) forgot() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	b := doorBody{Form: f, Mail: p.site.MailConfigured()}
	if b.Mail {
		err = p.site.People.ForgotPassword(p.ctx(), f.text("email"))
	}
	if err != nil {
		err = f.refused(err, "email")
	}
	if err != nil {
		return err
	}
	b.Sent = b.Mail && len(f.Errors) == 0 && f.Message == ""
	return p.answer(f.status, "forgot", "Forgot your password?", b, nil)
}

func (p *page) showReset() error {
	valid, err := p.site.People.ResetTokenValid(p.ctx(), p.r.PathValue("token"))
	if err != nil {
		return err
	}
	return p.show("reset", "Choose a new password", doorBody{Form: newForm(), Dead: !valid, Hint: p.passwordHint()})
}

// reset sets a new password by the link, and signs in with it.
func (p *page) reset() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	session, err := p.site.People.ResetPassword(p.ctx(), p.r.PathValue("token"), f.secret("password"))
	if err != nil {
		if err := f.refused(err, "password"); err != nil {
			return err
		}
		return p.answer(f.status, "reset", "Choose a new password", doorBody{Form: f, Hint: p.passwordHint()}, nil)
	}
	p.site.SetSession(p.w, p.r, session, false)
	return p.done(pathHome, saidPasswordChanged)
}

// baseURL returns the address under which clients reach this instance: the
// setting, or what the browser used.
func (p *page) baseURL() string {
	if u := p.site.Settings.String("site-url"); u != "" {
		return u
	}
	u := url.URL{Scheme: "http", Host: p.r.Host}
	if p.site.TLS(p.r) {
		u.Scheme = "https"
	}
	return u.String()
}

// absolute completes a link that has no host, because no setting says which.
func (p *page) absolute(link string) string {
	if strings.HasPrefix(link, "/") {
		return p.baseURL() + link
	}
	return link
}

// passwordHint says what a password needs here.
func (p *page) passwordHint() string { return passwordHint(p.site.People.PasswordPolicy().Counts()) }

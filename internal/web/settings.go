package web

import (
	"fmt"

	"latchkey/internal/setting"
)

// generalBody is the page of general settings.
type generalBody struct {
	Form      *form
	Items     map[string]setting.Item
	Timezones []string
	Mail      mailState
}

// mailState says whether the instance can send mail.
type mailState struct {
	Configured bool
	Host, From string
	NoAddress  bool // mail is configured, but links have no address to lead to
}

// generalKeys returns the settings of the page, in its order.
func generalKeys() []string {
	return []string{"site-name", "site-url", "admin-email", "report-timezone", "api-key-prefix", "audit-retention-days"}
}

// Fixed returns the option that makes a setting fixed, as part of the field's
// description.
func (b generalBody) Fixed(key string) string {
	if item := b.Items[key]; item.IsEnv {
		return "fixed"
	}
	return ""
}

// Hint returns the text under a setting.
func (b generalBody) Hint(key, text string) string {
	if item := b.Items[key]; item.IsEnv {
		return "hint=Set by " + item.EnvName + " where the server is started, and only changed there."
	}
	return "hint=" + text
}

func (p *page) showGeneral() error {
	f := newForm()
	for _, key := range generalKeys() {
		if v := p.site.Settings.Value(key); v != nil {
			f.Values.Set(key, fmt.Sprint(v))
		}
	}
	return p.generalPage(f)
}

func (p *page) generalPage(f *form) error {
	items, err := p.site.Settings.All(p.ctx(), p.who)
	if err != nil {
		return err
	}
	b := generalBody{Form: f, Items: map[string]setting.Item{}, Timezones: setting.Timezones()}
	for _, item := range items {
		b.Items[item.Key] = item
	}
	b.Mail = mailState{
		Configured: p.site.MailConfigured(), NoAddress: p.site.MailConfigured() && !p.site.canMail(),
		Host: p.site.Settings.String("email-smtp-host"), From: p.site.Settings.String("email-from-address"),
	}
	return p.answer(f.status, "general", "General settings", b, nil)
}

func (p *page) saveGeneral() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	items, err := p.site.Settings.All(p.ctx(), p.who)
	if err != nil {
		return err
	}
	values := map[string]any{}
	for _, item := range items {
		if _, sent := f.Values[item.Key]; sent && !item.IsEnv {
			values[item.Key] = emptyIsDefault(f.text(item.Key))
		}
	}
	if err := p.site.Settings.SetMany(p.ctx(), p.who, values); err != nil {
		if err := f.refused(err, generalKeys()...); err != nil {
			return err
		}
		return p.generalPage(f)
	}
	return p.done(pathGeneral, saidSettingsSaved)
}

func emptyIsDefault(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// authenticationBody is the page about signing in.
type authenticationBody struct {
	Keys        int
	Password    string // what a password needs
	Timeout     string // when a session that rests ends
	SessionOnly bool
	Mail        bool
}

func (p *page) showAuthentication() error {
	n, err := p.site.Keys.Count(p.ctx(), p.who)
	if err != nil {
		return err
	}
	b := authenticationBody{
		Keys: n, Password: p.passwordHint(),
		SessionOnly: p.site.Settings.Bool("session-cookies"), Mail: p.site.canMail(),
	}
	if d := p.site.Settings.Timeout(); d > 0 {
		b.Timeout = inWords(d)
	}
	return p.show("authentication", "Authentication", b)
}

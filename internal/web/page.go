package web

import (
	"context"
	"net/http"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// page is one request for a page by one caller.
type page struct {
	site *site
	w    http.ResponseWriter
	r    *http.Request
	who  *access.Principal // nil for an anonymous caller
}

// ctx returns the request's context.
func (p *page) ctx() context.Context { return p.r.Context() }

// settled returns a context that outlives the browser's connection, for
// changes that show a secret once: they must not be cut off half-way.
func (p *page) settled() context.Context { return context.WithoutCancel(p.r.Context()) }

// id returns the id in the path. It returns a NotFound fault for anything else
// than a positive number.
func (p *page) id() (int64, error) { return positive(p.r.PathValue("id")) }

func positive(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.NotFound, "Not found.")
	}
	return n, nil
}

// redirect sends the browser to a path on this server, with GET.
func (p *page) redirect(to string) error {
	http.Redirect(p.w, p.r, to, http.StatusSeeOther)
	return nil
}

// done redirects after a change, with a message on the next page.
func (p *page) done(to string, m message) error {
	p.setFlash(m)
	return p.redirect(to)
}

// view is what every template gets.
type view struct {
	Site    string // the instance's name
	Version string
	Sheet   sheet
	Title   string
	Who     *access.Principal
	Flash   string
	OwnKeys bool  // the account's menu leads to personal keys
	Menu    *menu // the collections beside pages of content
	Body    any   // what the page's own template shows
	Dialog  any   // what the dialog over it shows
}

// show answers with a page.
func (p *page) show(name, title string, body any) error {
	return p.answer(http.StatusOK, name, title, body, nil)
}

// answer answers with a page, and the dialog over it when there is one.
func (p *page) answer(status int, name, title string, body, dialog any) error {
	v := view{
		Site: p.site.name(), Version: p.site.Version, Title: title, Who: p.who,
		Flash: p.takeFlash(), Body: body, Dialog: dialog,
	}
	if p.site.pages.sheets[name].Frame == "account" {
		var err error
		if v.OwnKeys, err = p.hasOwnKeys(); err != nil {
			return err
		}
	}
	if p.site.pages.sheets[name].Frame == "browse" {
		var err error
		if v.Menu, err = p.menuFor(currentOf(body)); err != nil {
			return err
		}
	}
	return p.site.pages.render(p.w, status, name, v)
}

// name returns the instance's name.
func (s *site) name() string {
	if n := s.Settings.String("site-name"); n != "" {
		return n
	}
	return "Latchkey"
}

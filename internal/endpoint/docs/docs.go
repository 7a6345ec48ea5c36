// Package docs shows the declared routes of a dialect to readers: a page that
// needs no script, its style, and the OpenAPI document.
//
// Owns: the page. Does not own: the document (endpoint), or the words of a
// dialect, which it gives.
package docs

import (
	"bytes"
	"context"
	_ "embed" // the page and its style
	"html/template"
	"net/http"
	"sync"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

//go:embed docs.html
var pageText string

//go:embed docs.css
var styleText string

// policyPage lets the page load its own style and nothing else.
const policyPage = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Problem is one code of an error's body, as readers know it.
type Problem struct {
	Code   string
	Status int    // of the answers that bear it; 0 when none does
	Means  string // what is wrong, in a sentence
	Do     string // what to do, in a sentence
}

// Options are the words and places of a dialect's documents.
type Options struct {
	Info     endpoint.Info
	Page     string        // the path of the page, such as /api/docs
	Document string        // the path of the OpenAPI document
	Intro    template.HTML // what a reader must know first
	Problems []Problem     // optional
}

// Docs are the documents, made when somebody first asks for one: most servers
// run without that. Declare Endpoints, compile the table, then call Show.
type Docs struct {
	options Options
	openapi func() (endpoint.Ready[map[string]any], error)
	page    func() (asset, error)
}

// New returns the documents of a dialect, still empty.
func New(o Options) *Docs { return &Docs{options: o} }

// Endpoints declares the routes of the documents.
func (d *Docs) Endpoints() []endpoint.Endpoint {
	public := access.Public("docs", access.Read)
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, d.options.Page, "Read about all routes", public, d.getPage),
		endpoint.New(http.MethodGet, d.style(), "The style of the page", public, d.getStyle),
		endpoint.New(http.MethodGet, d.options.Document, "All routes as an OpenAPI 3.1 document", public, d.getOpenAPI),
	}
}

// Show makes t the table that the documents are about; it holds Endpoints too.
func (d *Docs) Show(t *endpoint.Table) {
	d.openapi = sync.OnceValues(func() (endpoint.Ready[map[string]any], error) { return t.OpenAPI(d.options.Info) })
	d.page = sync.OnceValues(func() (asset, error) { return d.makePage(t) })
}

func (d *Docs) makePage(t *endpoint.Table) (asset, error) {
	page, err := template.New("docs").Parse(pageText)
	if err != nil {
		return asset{}, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, view{
		Title: d.options.Info.Title, Intro: d.options.Intro, Style: d.style(), Document: d.options.Document,
		Sections: sections(t, d.options.Info.Prefix), Problems: d.options.Problems,
	})
	return asset{"text/html; charset=utf-8", b.String()}, err
}

func (d *Docs) style() string { return d.options.Page + "/style.css" }

// view is what the page shows.
type view struct {
	Title, Style, Document string
	Intro                  template.HTML
	Sections               []section
	Problems               []Problem
}

// section are the routes with one tag.
type section struct {
	Tag    string
	Routes []*endpoint.Route
}

// sections groups routes in the order in which tags are first declared.
func sections(t *endpoint.Table, prefix string) []section {
	var groups []section
	place := map[string]int{}
	for _, rt := range t.Routes() {
		tag := endpoint.Tag(rt.Path, prefix)
		i, ok := place[tag]
		if !ok {
			i = len(groups)
			place[tag] = i
			groups = append(groups, section{Tag: tag})
		}
		groups[i].Routes = append(groups[i].Routes, rt)
	}
	return groups
}

// asset is a ready page or style.
type asset struct{ media, text string }

// Respond implements endpoint.Responder.
func (s asset) Respond(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", s.media)
	w.Header().Set("Content-Security-Policy", policyPage)
	_, _ = w.Write([]byte(s.text)) // a client that went away is nobody's error
}

func (d *Docs) getPage(context.Context, *endpoint.Call, endpoint.None) (asset, error) {
	return d.page()
}

func (d *Docs) getStyle(context.Context, *endpoint.Call, endpoint.None) (asset, error) {
	return asset{"text/css; charset=utf-8", styleText}, nil
}

func (d *Docs) getOpenAPI(context.Context, *endpoint.Call, endpoint.None) (endpoint.Ready[map[string]any], error) {
	return d.openapi()
}

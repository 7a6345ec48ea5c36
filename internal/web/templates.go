package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"sync"

	"latchkey/internal/clock"
)

//go:embed templates
var embeddedTemplates embed.FS

// templates holds every page. A page is parsed when it is first shown, which
// keeps the start quick; a test parses all.
type templates struct {
	sheets map[string]sheet
	parsed map[string]func() (*template.Template, error)
}

// loadTemplates parses what all pages share.
func loadTemplates(a *assets, c clock.Clock) (*templates, error) {
	base, err := template.New("").Funcs(functions(a, c)).ParseFS(embeddedTemplates, "templates/layout.html", "templates/parts.html", "templates/picker.html")
	if err != nil {
		return nil, err
	}
	t := &templates{sheets: sheets(), parsed: map[string]func() (*template.Template, error){}}
	for name, sh := range t.sheets {
		t.parsed[name] = sync.OnceValues(func() (*template.Template, error) { return sh.parse(base) })
	}
	return t, nil
}

// parse returns the page's own templates beside those that all pages share.
func (sh sheet) parse(base *template.Template) (*template.Template, error) {
	page, err := base.Clone()
	if err != nil {
		return nil, err
	}
	files := make([]string, len(sh.files))
	for i, f := range sh.files {
		files[i] = "templates/" + f + ".html"
	}
	return page.ParseFS(embeddedTemplates, files...)
}

// render answers with a page. Nothing is sent when the template fails.
func (t *templates) render(w http.ResponseWriter, status int, name string, v view) error {
	parse, ok := t.parsed[name]
	if !ok {
		return fmt.Errorf("no page %q", name)
	}
	page, err := parse()
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	v.Sheet = t.sheets[name]
	root := "layout"
	if v.Sheet.partial {
		root = "content"
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, root, v); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser may be gone
	return nil
}

func functions(a *assets, c clock.Clock) template.FuncMap {
	return template.FuncMap{
		"asset":   a.url,
		"icon":    icon,
		"input":   newInput,
		"search":  newSearch,
		"when":    newMoments(c),
		"plural":  plural,
		"number":  number,
		"browser": browser,
		"reason":  reasonWords,
		"levels":  levelChoices,
		"step":    newPageStep,
	}
}

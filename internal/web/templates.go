package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"latchkey/internal/clock"
)

//go:embed templates
var embeddedTemplates embed.FS

// templates holds every page, parsed at start.
type templates struct {
	sheets map[string]sheet
	parsed map[string]*template.Template
}

// loadTemplates parses all pages.
func loadTemplates(a *assets, c clock.Clock) (*templates, error) {
	base, err := template.New("").Funcs(functions(a, c)).ParseFS(embeddedTemplates, "templates/layout.html", "templates/parts.html", "templates/picker.html")
	if err != nil {
		return nil, err
	}
	t := &templates{sheets: sheets(), parsed: map[string]*template.Template{}}
	for name, sh := range t.sheets {
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		for _, file := range sh.files {
			if _, err := page.ParseFS(embeddedTemplates, "templates/"+file+".html"); err != nil {
				return nil, err
			}
		}
		t.parsed[name] = page
	}
	return t, nil
}

// render answers with a page. Nothing is sent when the template fails.
func (t *templates) render(w http.ResponseWriter, status int, name string, v view) error {
	page, ok := t.parsed[name]
	if !ok {
		return fmt.Errorf("no page %q", name)
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
	}
}

package api

import (
	"bytes"
	"context"
	_ "embed" // the page and its style
	"html/template"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

//go:embed docs.html
var docsPage string

//go:embed docs.css
var docsStyle string

// policyDocs lets the page load its own style and nothing else.
const policyDocs = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docs are the documents, made once at the start.
type docs struct {
	openapi endpoint.Ready[map[string]any]
	page    asset
}

func newDocs(t *endpoint.Table, version string) (docs, error) {
	openapi, err := t.OpenAPI(endpoint.Info{
		Title:       "Latchkey API",
		Version:     version,
		Description: "The API of Metabase, as Latchkey speaks it.",
		Prefix:      "/api",
		Security: map[string]endpoint.SecurityScheme{
			"key":           {Type: "apiKey", In: "header", Name: "X-API-Key"},
			"session":       {Type: "apiKey", In: "cookie", Name: sessionCookie},
			"sessionHeader": {Type: "apiKey", In: "header", Name: "X-Metabase-Session"},
		},
	})
	if err != nil {
		return docs{}, err
	}
	page, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return docs{}, err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, byTag(t)); err != nil {
		return docs{}, err
	}
	return docs{openapi: openapi, page: asset{"text/html; charset=utf-8", b.String()}}, nil
}

// tagged are the routes below one prefix.
type tagged struct {
	Tag    string
	Routes []*endpoint.Route
}

// byTag groups routes in the order in which prefixes are first declared.
func byTag(t *endpoint.Table) []tagged {
	var groups []tagged
	place := map[string]int{}
	for _, rt := range t.Routes() {
		tag := endpoint.Tag(rt.Path, "/api")
		i, ok := place[tag]
		if !ok {
			i = len(groups)
			place[tag] = i
			groups = append(groups, tagged{Tag: tag})
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
	w.Header().Set("Content-Security-Policy", policyDocs)
	_, _ = w.Write([]byte(s.text)) // a client that went away is nobody's error
}

func (a *API) docsEndpoints() []endpoint.Endpoint {
	public := access.Public("docs", access.Read)
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/api/docs", "Read about all routes", public, a.getDocs),
		endpoint.New(http.MethodGet, "/api/docs/style.css", "The style of the page", public, a.getDocsStyle),
		endpoint.New(http.MethodGet, "/api/docs/openapi.json", "All routes as an OpenAPI 3.1 document", public, a.getOpenAPI),
	}
}

func (a *API) getDocs(context.Context, *endpoint.Call, endpoint.None) (asset, error) {
	return a.docs.page, nil
}

func (a *API) getDocsStyle(context.Context, *endpoint.Call, endpoint.None) (asset, error) {
	return asset{"text/css; charset=utf-8", docsStyle}, nil
}

func (a *API) getOpenAPI(context.Context, *endpoint.Call, endpoint.None) (endpoint.Ready[map[string]any], error) {
	return a.docs.openapi, nil
}

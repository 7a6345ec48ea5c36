package api

import (
	"latchkey/internal/endpoint"
	"latchkey/internal/endpoint/docs"
)

// newDocs returns the page and the OpenAPI document of the dialect.
func newDocs(version string) *docs.Docs {
	return docs.New(docs.Options{
		Info: endpoint.Info{
			Title:       "Latchkey API",
			Version:     version,
			Description: "The API of Metabase, as Latchkey speaks it.",
			Prefix:      "/api",
			Security: map[string]endpoint.SecurityScheme{
				"key":           {Type: "apiKey", In: "header", Name: "X-API-Key"},
				"session":       {Type: "apiKey", In: "cookie", Name: sessionCookie},
				"sessionHeader": {Type: "apiKey", In: "header", Name: "X-Metabase-Session"},
			},
		},
		Page:     "/api/docs",
		Document: "/api/docs/openapi.json",
		Intro: "Programs send a key in the header <code>X-API-Key</code>. What a key may do is what its group may do.\n" +
			`Our own routes, for what Metabase lacks, are <a href="/v1/docs">on another page</a>.`,
	})
}

package v1

import (
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/endpoint/docs"
)

// apiVersion is that of the API itself: it grows when routes or fields are
// added, and /v1 ends when something is taken away.
const apiVersion = "1"

// docsOptions are the words of the page and the OpenAPI document.
func docsOptions() docs.Options {
	return docs.Options{
		Info: endpoint.Info{
			Title:       "Latchkey API v1",
			Version:     apiVersion,
			Description: "Latchkey's own API, for what Metabase's lacks.",
			Prefix:      "/v1",
			Security: map[string]endpoint.SecurityScheme{
				"key":           {Type: "apiKey", In: "header", Name: "X-API-Key"},
				"session":       {Type: "apiKey", In: "cookie", Name: cookie.Session},
				"sessionHeader": {Type: "apiKey", In: "header", Name: cookie.SessionHeader},
			},
			Problem: Problem{},
		},
		Page:     docsPage,
		Document: "/v1/openapi.json",
		Intro: "Programs send a key in the header <code>X-API-Key</code>. What a key may do is what its groups and its restriction allow.\n" +
			`Every error is a <a href="#problems">problem</a> with a stable code. Routes that Metabase has too are <a href="/api/docs">on another page</a>.`,
		Problems: problems(),
	}
}

package cli

import (
	"sync"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/endpoint"
	"latchkey/internal/v1"
)

// vocabulary returns the function that tells what restrictions may name: what
// the routes of both APIs declare. It is built when it is first asked for.
func (h *house) vocabulary() func() *access.Vocabulary {
	return sync.OnceValue(func() *access.Vocabulary {
		var all []*access.Vocabulary
		for _, dialect := range []struct {
			routes []endpoint.Endpoint
			rules  endpoint.Rules
		}{
			{api.Endpoints(h.dialect()), api.Rules(h.people)},
			{v1.Declared(h.services()), v1.Rules()},
		} {
			t, err := endpoint.Compile(dialect.routes, dialect.rules)
			if err != nil {
				return access.NewVocabulary() // the server does not start with such routes
			}
			all = append(all, t.Vocabulary())
		}
		return access.Merge(all...)
	})
}

// dialect returns what the routes under /api call, but for what belongs to one
// listener: cookies and our own release.
func (h *house) dialect() api.Services {
	return api.Services{
		People: h.people, Groups: h.groups, Keys: h.keys, Settings: h.settings, Mail: h.mail,
		Content: h.content, Revisions: h.revisions, Cards: h.cards, Dashboards: h.dashboards,
		Snippets: h.snippets, Timelines: h.timelines, Search: h.search, Shelf: h.shelf,
		Warehouse: h.warehouse, Queries: h.queries,
		Version: spoken,
	}
}

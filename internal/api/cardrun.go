package api

import (
	"context"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/endpoint"
	"latchkey/internal/export"
	"latchkey/internal/opt"
)

type runCardInput struct {
	ID                string           `path:"id" rule:"entity"`
	Parameters        opt.Value[any]   `json:"parameters"`
	IgnoreCache       opt.Value[bool]  `json:"ignore_cache"`
	DashboardID       opt.Value[int64] `json:"dashboard_id" rule:"posint" kind:"dashboards"`
	CollectionPreview opt.Value[bool]  `json:"collection_preview"`
}

type exportCardInput struct {
	ID string `path:"id" rule:"entity"`
	fileOptions
}

// runs returns the routes that run a question. Whoever may see it may run it
// (contract/content-data.md 3.8).
func (r *cardRoutes) runs(policy access.Policy) []endpoint.Endpoint {
	list := []endpoint.Endpoint{
		endpoint.New("GET", "/api/card/{id}/query_metadata", "Get the databases, tables and fields that a question is about", policy, r.about),
		r.naming(endpoint.New("POST", "/api/card/{id}/query", "Run a question", policy, r.run).Answers(http.StatusAccepted)),
		r.naming(endpoint.New("POST", "/api/card/pivot/{id}/query", "Run a question whose result is shown as a pivot table", policy, r.run).Answers(http.StatusAccepted)),
	}
	for _, format := range []string{export.FormatCSV, export.FormatJSON, "xlsx"} {
		file := func(ctx context.Context, c *endpoint.Call, in exportCardInput) (exportAnswer, error) {
			run, err := r.stored(ctx, c.Who, in.ID, in.Parameters)
			if err != nil {
				return exportAnswer{}, err
			}
			return r.queries.exportStored(ctx, c, run, format, in.fileOptions)
		}
		list = append(list, endpoint.Naming(endpoint.New("POST", "/api/card/{id}/query/"+format, "Run a question and get all rows as "+format, policy, file),
			func(ctx context.Context, c *endpoint.Call, in exportCardInput) ([]access.Ref, error) {
				return r.databaseOfCard(ctx, c.Who, in.ID)
			}, access.KindDatabases))
	}
	return list
}

// naming lets a route that runs a question name its database.
func (r *cardRoutes) naming(e endpoint.Endpoint) endpoint.Endpoint {
	return endpoint.Naming(e, func(ctx context.Context, c *endpoint.Call, in runCardInput) ([]access.Ref, error) {
		return r.databaseOfCard(ctx, c.Who, in.ID)
	}, access.KindDatabases)
}

func (r *cardRoutes) run(ctx context.Context, c *endpoint.Call, in runCardInput) (*queryAnswer, error) {
	run, err := r.stored(ctx, c.Who, in.ID, in.Parameters)
	if err != nil {
		return nil, err
	}
	run.DashboardID = in.DashboardID.Or(0)
	return r.queries.runStored(ctx, c, run)
}

// stored finds a question that is to be run, with the values that were sent.
func (r *cardRoutes) stored(ctx context.Context, who *access.Principal, id string, given opt.Value[any]) (storedRun, error) {
	found, err := r.find(ctx, who, id)
	if err != nil {
		return storedRun{}, err
	}
	sent, err := readParameters(given)
	if err != nil {
		return storedRun{}, err
	}
	run, err := runOf(found)
	run.Parameters = sent
	return run, err
}

// find returns the card of a path. It returns NotFound and Forbidden.
func (r *cardRoutes) find(ctx context.Context, who *access.Principal, text string) (card.Card, error) {
	id, err := r.views.itemID(ctx, content.Card, text)
	if err != nil {
		return card.Card{}, err
	}
	return r.cards.Get(ctx, who, id)
}

func (r *cardRoutes) about(ctx context.Context, c *endpoint.Call, in cardInput) (wireQueryMetadata, error) {
	found, err := r.find(ctx, c.Who, in.ID)
	if err != nil {
		return wireQueryMetadata{}, err
	}
	return r.queries.about(ctx, c, found.Query)
}

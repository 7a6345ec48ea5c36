package api

import (
	"context"
	"encoding/json"
	"fmt"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/endpoint"
)

// values returns the routes of what the filters of a question offer
// (contract/content-data.md 3.9).
func (r *cardRoutes) values(policy access.Policy) []endpoint.Endpoint {
	const path = "/api/card/{id}/params/{key}/"
	return []endpoint.Endpoint{
		endpoint.New("GET", path+"values", "List the values that a filter of a question offers", policy, r.offered),
		endpoint.New("GET", path+"search/{text}", "Search the values that a filter of a question offers", policy, r.searched),
		endpoint.New("GET", path+"remapping", "Get the label of a value of a filter", policy, r.remapped),
	}
}

func (r *cardRoutes) offered(ctx context.Context, c *endpoint.Call, in parameterPath) (wireFilterValues, error) {
	return r.searched(ctx, c, parameterSearch{parameterPath: in})
}

func (r *cardRoutes) searched(ctx context.Context, c *endpoint.Call, in parameterSearch) (wireFilterValues, error) {
	id, err := r.views.itemID(ctx, content.Card, in.ID)
	if err != nil {
		return wireFilterValues{}, err
	}
	list, err := r.cards.Values(ctx, c.Who, id, in.Key, in.Text)
	return wireFilterValues{Values: list}, err
}

func (r *cardRoutes) remapped(ctx context.Context, c *endpoint.Call, in parameterValue) ([]any, error) {
	found, err := r.searched(ctx, c, parameterSearch{parameterPath: in.parameterPath, Text: in.Value})
	return labelled(found.Values, in.Value), err
}

// labelled returns a value with its label, or alone when it has none.
func labelled(offered []json.RawMessage, value string) []any {
	for _, raw := range offered {
		var v []any
		if json.Unmarshal(raw, &v) == nil && len(v) > 0 && fmt.Sprint(v[0]) == value {
			return v
		}
	}
	return []any{value}
}

package api

import (
	"context"

	"latchkey/internal/content"
	"latchkey/internal/endpoint"
)

// wireRelated is what a dashboard is like (contract/content-data.md 4.1).
type wireRelated struct {
	Cards []wireCard `json:"cards"`
}

// related answers with nothing: nobody has compared what is in the dashboards.
func (d *dashboardRoutes) related(ctx context.Context, c *endpoint.Call, in entityPath) (wireRelated, error) {
	id, err := d.itemID(ctx, content.Dashboard, in.ID)
	if err != nil {
		return wireRelated{}, err
	}
	_, err = d.content.Get(ctx, c.Who, content.Ref{Kind: content.Dashboard, ID: id})
	return wireRelated{Cards: []wireCard{}}, err
}

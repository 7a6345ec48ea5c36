package api

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// publicRoutes returns the routes of public links and embedding, which are off
// (contract/content-data.md 3.9).
func (r *cardRoutes) publicRoutes() []endpoint.Endpoint {
	read, write := access.Admin("cards", access.Read), access.Admin("cards", access.Write).Naming("cards", "id")
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/card/public", "Refused: public links are off", read, notShared),
		endpoint.New("GET", "/api/card/embeddable", "Refused: embedding is off", read, notEmbedded),
		endpoint.New("POST", "/api/card/{id}/public_link", "Refused: public links are off", write, r.publicLink),
		endpoint.New("DELETE", "/api/card/{id}/public_link", "Refused: public links are off", write, r.publicLink),
	}
}

func notShared(context.Context, *endpoint.Call, endpoint.None) (endpoint.None, error) {
	return endpoint.None{}, fault.New(fault.Invalid, "Public sharing is not enabled.")
}

func notEmbedded(context.Context, *endpoint.Call, endpoint.None) (endpoint.None, error) {
	return endpoint.None{}, fault.New(fault.Invalid, "Embedding is not enabled.")
}

func (r *cardRoutes) publicLink(ctx context.Context, c *endpoint.Call, in cardInput) (endpoint.None, error) {
	found, err := r.find(ctx, c.Who, in.ID)
	switch {
	case err != nil:
		return endpoint.None{}, err
	case found.Archived:
		return endpoint.None{}, archivedAnswer(content.ArchivedFault())
	}
	return notShared(ctx, c, endpoint.None{})
}

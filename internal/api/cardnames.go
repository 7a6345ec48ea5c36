package api

import (
	"context"
	"encoding/json"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// What calls about questions name beside the ids in their paths: the collection
// in the body, which may be an entity id, and the database of the query. Keys
// that are bound to others are refused before anything runs, and told so.

// namedByCards are the kinds of what such calls name.
func namedByCards() []string { return []string{access.KindCollections, access.KindDatabases} }

func (r *cardRoutes) namedByNew(ctx context.Context, _ *endpoint.Call, in newCardInput) ([]access.Ref, error) {
	place := in.CollectionID
	if !place.Set && !in.DashboardID.Set {
		place = opt.Null[any]() // the root
	}
	return append(r.placeNamed(ctx, place), databaseNamed(in.DatasetQuery)...), nil
}

func (r *cardRoutes) namedByEdit(ctx context.Context, _ *endpoint.Call, in editCardInput) ([]access.Ref, error) {
	return append(r.placeNamed(ctx, in.CollectionID), databaseNamed(in.DatasetQuery.V)...), nil
}

func (r *cardRoutes) namedByMove(ctx context.Context, _ *endpoint.Call, in cardsToCollectionInput) ([]access.Ref, error) {
	return r.placeNamed(ctx, in.CollectionID), nil
}

func (r *cardRoutes) namedByMoves(ctx context.Context, _ *endpoint.Call, in moveCardsInput) ([]access.Ref, error) {
	return r.placeNamed(ctx, in.CollectionID), nil
}

// placeNamed names a collection of a body. What is none names nothing: the
// handler says so.
func (r *cardRoutes) placeNamed(ctx context.Context, given opt.Value[any]) []access.Ref {
	id, err := r.views.collectionID(ctx, given)
	switch {
	case err != nil || !id.Set:
		return nil
	case id.Null:
		return []access.Ref{{Kind: access.KindCollections, ID: access.RootName}}
	}
	return []access.Ref{{Kind: access.KindCollections, ID: idText(id.V)}}
}

// databaseNamed names the database of a query. The one that stands for all
// questions names nothing: what these ask is decided where the query is read.
func databaseNamed(q map[string]any) []access.Ref {
	if q == nil {
		return nil
	}
	raw, err := json.Marshal(q)
	if err != nil {
		return nil
	}
	read, err := mbql.Read(raw)
	if err != nil || read.Database() <= 0 {
		return nil
	}
	return databaseRef(read.Database())
}

// databaseOfCard names the database of a question for a key that is bound to
// some. Other keys are not asked about it.
func (r *cardRoutes) databaseOfCard(ctx context.Context, who *access.Principal, text string) ([]access.Ref, error) {
	if !access.Binds(who, access.KindDatabases) {
		return nil, nil
	}
	found, err := r.find(ctx, who, text)
	if err != nil || found.DatabaseID <= 0 {
		return nil, nil //nolint:nilerr // the handler says so
	}
	return databaseRef(found.DatabaseID), nil
}

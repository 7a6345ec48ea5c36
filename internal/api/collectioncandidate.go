package api

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// candidateEndpoints are the routes of questions that could live in the one
// dashboard that shows them (contract/content-data.md 2.12).
func (r collectionRoutes) candidateEndpoints() []endpoint.Endpoint {
	read, write := access.Admin("collections", access.Read).ByCollection(), access.Admin("collections", access.Write).ByCollection()
	const list, move = "/dashboard-question-candidates", "/move-dashboard-question-candidates"
	const listDoc, moveDoc = "List the questions that could live in the one dashboard that shows them", "Let such questions live in their dashboards"
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/collection/root"+list, listDoc, read, r.rootCandidates),
		endpoint.New("GET", "/api/collection/{id}"+list, listDoc, read.Naming("collections", "id"), r.candidates),
		endpoint.New("POST", "/api/collection/root"+move, moveDoc, write, r.moveRootCandidates),
		endpoint.New("POST", "/api/collection/{id}"+move, moveDoc, write.Naming("collections", "id"), r.moveCandidates),
	}
}

type wireDescribed struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

type wireCandidate struct {
	wireDescribed
	Dashboard wireDescribed `json:"sole_dashboard_info"`
}

type wireCandidates struct {
	Data  []wireCandidate `json:"data"`
	Total int             `json:"total"`
}

type wireMoved struct {
	Moved []int64 `json:"moved"`
}

type moveRootCandidatesInput struct {
	IDs opt.Value[[]int64] `json:"card_ids" rule:"posint" kind:"cards"`
}

type moveCandidatesInput struct {
	ID string `path:"id" rule:"entity"`
	moveRootCandidatesInput
}

func described(i content.Item) wireDescribed { return wireDescribed{i.ID, i.Name, i.Description} }

func (r collectionRoutes) rootCandidates(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wireCandidates, error) {
	return r.candidatesIn(ctx, c, access.RootCollection)
}

func (r collectionRoutes) candidates(ctx context.Context, c *endpoint.Call, in collectionInput) (wireCandidates, error) {
	id, err := r.itemID(ctx, content.Collection, in.ID)
	if err != nil {
		return wireCandidates{}, err
	}
	return r.candidatesIn(ctx, c, id)
}

func (r collectionRoutes) candidatesIn(ctx context.Context, c *endpoint.Call, id int64) (wireCandidates, error) {
	list, err := r.cards.Candidates(ctx, c.Who, id)
	out := wireCandidates{Data: make([]wireCandidate, len(list)), Total: len(list)}
	for i, one := range list {
		out.Data[i] = wireCandidate{described(one.Question), described(one.Dashboard)}
	}
	return out, err
}

func (r collectionRoutes) moveRootCandidates(ctx context.Context, c *endpoint.Call, in moveRootCandidatesInput) (wireMoved, error) {
	moved, err := r.cards.MoveCandidates(ctx, c.Who, access.RootCollection, in.IDs)
	return wireMoved{moved}, err
}

func (r collectionRoutes) moveCandidates(ctx context.Context, c *endpoint.Call, in moveCandidatesInput) (wireMoved, error) {
	id, err := r.itemID(ctx, content.Collection, in.ID)
	if err != nil {
		return wireMoved{}, err
	}
	moved, err := r.cards.MoveCandidates(ctx, c.Who, id, in.IDs)
	return wireMoved{moved}, err
}

package api

import (
	"context"
	"fmt"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/shelf"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/people"
)

// wireBookmark is something that the caller has marked (contract/content-data.md
// 8.2).
type wireBookmark struct {
	ID             string  `json:"id"` // card-77
	Type           string  `json:"type"`
	ItemID         int64   `json:"item_id"`
	Name           string  `json:"name"`
	Description    *string `json:"description"`
	Display        *string `json:"display"`
	CardType       *string `json:"card_type"`
	AuthorityLevel *string `json:"authority_level"`
}

type bookmarkInput struct {
	Model string `path:"model" rule:"enum=card|dashboard|collection|document"`
	ID    int64  `path:"id" rule:"posint"`
}

type orderBookmarksInput struct {
	Orderings []bookmarkPlace `json:"orderings"`
}

type bookmarkPlace struct {
	Type   string `json:"type" rule:"enum=card|dashboard|collection|document"`
	ItemID int64  `json:"item_id" rule:"posint"`
}

// shelfRoutes are the handlers of what people keep at hand.
type shelfRoutes struct {
	contentViews
	shelf *shelf.Service
	cards CardSummaries
}

// BookmarkEndpoints returns the routes of bookmarks (contract/content-data.md
// 8.2). Everybody has their own.
func BookmarkEndpoints(s *shelf.Service, c *content.Service, ppl *people.Service, cards CardSummaries) []endpoint.Endpoint {
	r := shelfRoutes{contentViews{c, ppl}, s, cards}
	read := access.Authenticated("collections", access.Read).ByCollection()
	write := access.Authenticated("collections", access.Write).ByCollection()
	kinds := []string{"cards", "dashboards", "collections"}
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/bookmark", "List what you have marked", read, r.bookmarks),
		endpoint.New("PUT", "/api/bookmark/ordering", "Put your bookmarks into an order", write, r.order),
		endpoint.Naming(endpoint.New("POST", "/api/bookmark/{model}/{id}", "Mark something", write, r.mark), marked, kinds...),
		endpoint.Naming(endpoint.New("DELETE", "/api/bookmark/{model}/{id}", "Take a mark away", write, r.unmark), marked, kinds...),
	}
}

// marked names what a bookmark is about.
func marked(_ context.Context, _ *endpoint.Call, in bookmarkInput) ([]access.Ref, error) {
	kind, ok := kindNames(content.Kind(in.Model))
	if !ok {
		return nil, fault.New(fault.NotFound, textNotFound)
	}
	return []access.Ref{{Kind: kind, ID: idText(in.ID)}}, nil
}

// kindNames returns what package access calls a kind of item.
func kindNames(k content.Kind) (string, bool) {
	name, ok := map[content.Kind]string{
		content.Card: access.KindCards, content.Dashboard: access.KindDashboards, content.Collection: access.KindCollections,
		content.Snippet: access.KindSnippets, content.Timeline: access.KindTimelines,
	}[k]
	return name, ok
}

func (in bookmarkInput) ref() content.Ref {
	return content.Ref{Kind: content.Kind(in.Model), ID: in.ID}
}

func (r shelfRoutes) bookmarks(ctx context.Context, c *endpoint.Call, _ endpoint.None) ([]wireBookmark, error) {
	list, err := r.shelf.Bookmarks(ctx, c.Who)
	if err != nil {
		return nil, err
	}
	items := make([]content.Item, len(list))
	for i := range list {
		items[i] = list[i].Item
	}
	cards, err := r.summaries(ctx, items)
	if err != nil {
		return nil, err
	}
	out := make([]wireBookmark, len(list))
	for i, item := range items {
		out[i] = wireBookmark{
			ID: fmt.Sprintf("%s-%d", item.Kind, item.ID), Type: string(item.Kind), ItemID: item.ID,
			Name: item.Name, Description: item.Description,
		}
		if item.Kind == content.Card {
			word := typeOfCard(item.Model)
			out[i].CardType = &word
		}
		if s, ok := cards[item.ID]; ok && item.Kind == content.Card {
			out[i].Display = &s.Display
		}
	}
	return out, nil
}

// typeOfCard is what a card calls its model.
func typeOfCard(m content.Model) string {
	switch m {
	case content.ModelDataset:
		return "model"
	case content.ModelMetric:
		return "metric"
	}
	return "question"
}

// summaries reads what lists show of the cards among some items.
func (r shelfRoutes) summaries(ctx context.Context, items []content.Item) (map[int64]content.CardSummary, error) {
	var ids []int64
	for _, i := range items {
		if i.Kind == content.Card {
			ids = append(ids, i.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return r.cards.Summaries(ctx, ids)
}

// mark answers with the bookmark, which names its item by a key of the kind.
func (r shelfRoutes) mark(ctx context.Context, c *endpoint.Call, in bookmarkInput) (map[string]any, error) {
	made, err := r.shelf.Mark(ctx, c.Who, in.ref())
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": made.ID, "user_id": c.Who.UserID, in.Model + "_id": in.ID, "created_at": made.CreatedAt}, nil
}

func (r shelfRoutes) unmark(ctx context.Context, c *endpoint.Call, in bookmarkInput) (endpoint.None, error) {
	return endpoint.None{}, r.shelf.Unmark(ctx, c.Who, in.ref())
}

func (r shelfRoutes) order(ctx context.Context, c *endpoint.Call, in orderBookmarksInput) (endpoint.None, error) {
	refs := make([]content.Ref, len(in.Orderings))
	for i, o := range in.Orderings {
		refs[i] = content.Ref{Kind: content.Kind(o.Type), ID: o.ItemID}
	}
	return endpoint.None{}, r.shelf.Order(ctx, c.Who, refs)
}

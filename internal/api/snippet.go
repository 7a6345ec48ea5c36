package api

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/snippet"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// wireSnippet is a piece of SQL (contract/content-data.md 8.2).
type wireSnippet struct {
	ID           int64              `json:"id"`
	Name         string             `json:"name"`
	Description  *string            `json:"description"`
	Content      string             `json:"content"`
	Archived     bool               `json:"archived"`
	CollectionID *int64             `json:"collection_id"`
	CreatorID    *int64             `json:"creator_id"`
	Creator      *wireBriefUser     `json:"creator"`
	EntityID     string             `json:"entity_id"`
	TemplateTags map[string]wireTag `json:"template_tags"`
	CreatedAt    time.Time          `json:"created_at"`
	UpdatedAt    time.Time          `json:"updated_at"`
}

// wireTag is something that the text of a snippet leaves open.
type wireTag struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"display-name"`
	Type        string `json:"type"`
}

type listSnippetsInput struct {
	Archived opt.Value[bool] `query:"archived"`
}

type newSnippetInput struct {
	Content      string            `json:"content"`
	Description  opt.Value[string] `json:"description"`
	Name         string            `json:"name" rule:"nonblank,max=254"`
	CollectionID opt.Value[int64]  `json:"collection_id" rule:"posint" kind:"collections"`
}

type editSnippetInput struct {
	ID           int64             `path:"id" rule:"posint"`
	Archived     opt.Value[bool]   `json:"archived"`
	Content      opt.Value[string] `json:"content"`
	Description  opt.Value[string] `json:"description"`
	Name         opt.Value[string] `json:"name" rule:"nonblank,max=254"`
	CollectionID opt.Value[int64]  `json:"collection_id" rule:"posint" kind:"collections"`
}

type snippetRoutes struct {
	snippets *snippet.Service
	contentViews
}

// SnippetEndpoints returns the routes of snippets (contract/content-data.md
// 8.2). They are of no collection of questions, so a key that is bound to some
// collections has no use of them.
func SnippetEndpoints(snippets *snippet.Service, c *content.Service, ppl *people.Service) []endpoint.Endpoint {
	s := snippetRoutes{snippets, contentViews{c, ppl}}
	read, write := access.Authenticated("snippets", access.Read), access.Authenticated("snippets", access.Write)
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/native-query-snippet", "List the snippets, or those in the trash", read, s.list),
		endpoint.New("POST", "/api/native-query-snippet", "Create a snippet", write, s.create),
		endpoint.New("GET", "/api/native-query-snippet/{id}", "Get a snippet", read.Naming("snippets", "id"), s.get),
		endpoint.New("PUT", "/api/native-query-snippet/{id}", "Change, archive or restore a snippet", write.Naming("snippets", "id"), s.edit),
	}
}

func (s snippetRoutes) list(ctx context.Context, c *endpoint.Call, in listSnippetsInput) ([]wireSnippet, error) {
	list, err := s.snippets.List(ctx, c.Who, in.Archived.Or(false))
	if err != nil {
		return nil, err
	}
	return s.show(ctx, c, list...)
}

func (s snippetRoutes) get(ctx context.Context, c *endpoint.Call, in pathID) (wireSnippet, error) {
	found, err := s.snippets.Get(ctx, c.Who, in.ID)
	return s.one(ctx, c, found, err)
}

func (s snippetRoutes) create(ctx context.Context, c *endpoint.Call, in newSnippetInput) (wireSnippet, error) {
	made, err := s.snippets.Create(ctx, c.Who, snippet.New{
		Name: in.Name, Content: in.Content, Description: in.Description.Ptr(), CollectionID: in.CollectionID.Or(access.RootCollection),
	})
	return s.one(ctx, c, made, err)
}

func (s snippetRoutes) edit(ctx context.Context, c *endpoint.Call, in editSnippetInput) (wireSnippet, error) {
	changed, err := s.snippets.Update(ctx, c.Who, in.ID, snippet.Change{
		Name: in.Name, Content: in.Content, Description: in.Description, CollectionID: in.CollectionID, Archived: in.Archived,
	})
	return s.one(ctx, c, changed, err)
}

func (s snippetRoutes) one(ctx context.Context, c *endpoint.Call, one snippet.Snippet, err error) (wireSnippet, error) {
	if err != nil {
		return wireSnippet{}, err
	}
	list, err := s.show(ctx, c, one)
	if err != nil {
		return wireSnippet{}, err
	}
	return list[0], nil
}

func (s snippetRoutes) show(ctx context.Context, c *endpoint.Call, list ...snippet.Snippet) ([]wireSnippet, error) {
	items := make([]content.Item, len(list))
	for i := range list {
		items[i] = list[i].Item
	}
	beside, err := s.around(ctx, c.Who, items...)
	if err != nil {
		return nil, err
	}
	out := make([]wireSnippet, len(list))
	for i, one := range list {
		out[i] = wireSnippet{
			ID: one.ID, Name: one.Name, Description: one.Description, Content: one.Content, Archived: one.Archived,
			CollectionID: idOrNull(one.CollectionID), CreatorID: idOrNull(one.CreatorID), Creator: beside.creator(one.Item),
			EntityID: one.EntityID, TemplateTags: toWireTags(one.Tags()), CreatedAt: one.CreatedAt, UpdatedAt: one.UpdatedAt,
		}
	}
	return out, nil
}

func toWireTags(tags []snippet.Tag) map[string]wireTag {
	out := make(map[string]wireTag, len(tags))
	for _, t := range tags {
		out[t.Name] = wireTag(t)
	}
	return out
}

package api

import (
	"context"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// CardSummaries says what lists show of cards beside what all content has, by
// id. *card.Service does.
type CardSummaries interface {
	Summaries(ctx context.Context, ids []int64) (map[int64]content.CardSummary, error)
}

// itemsQuery chooses among the items of a collection. Newer clients write
// parameters with hyphens, older ones with underscores; both are read
// (contract/content-data.md 2.5). Those that change nothing here are declared,
// so that they are checked and documented.
type itemsQuery struct {
	Models          opt.Value[[]string] `query:"models" rule:"enum=card|dataset|metric|dashboard|collection|document|pulse|snippet|timeline|table|transform|measure|indexed-entity|no_models"`
	Archived        opt.Value[bool]     `query:"archived"`
	Pinned          opt.Value[string]   `query:"pinned_state" rule:"enum=all|is_pinned|is_not_pinned"`
	PinnedNew       opt.Value[string]   `query:"pinned-state" rule:"enum=all|is_pinned|is_not_pinned"`
	Column          opt.Value[string]   `query:"sort_column" rule:"enum=name|last_edited_at|last_edited_by|model"`
	ColumnNew       opt.Value[string]   `query:"sort-column" rule:"enum=name|last_edited_at|last_edited_by|model"`
	Direction       opt.Value[string]   `query:"sort_direction" rule:"enum=asc|desc"`
	DirectionNew    opt.Value[string]   `query:"sort-direction" rule:"enum=asc|desc"`
	Official        opt.Value[bool]     `query:"official_collections_first"`
	OfficialNew     opt.Value[bool]     `query:"official-collections-first"`
	InDashboards    opt.Value[bool]     `query:"show_dashboard_questions"`
	InDashboardsNew opt.Value[bool]     `query:"show-dashboard-questions"`
	CanRun          opt.Value[bool]     `query:"include_can_run_adhoc_query"`
	CanRunNew       opt.Value[bool]     `query:"include-can-run-adhoc-query"`
	Available       opt.Value[bool]     `query:"include_available_models"`
	AvailableNew    opt.Value[bool]     `query:"include-available-models"`
	Text            opt.Value[string]   `query:"q"`
}

type itemsInput struct {
	ID string `path:"id" rule:"entity"`
	itemsQuery
}

type rootItemsInput struct {
	Namespace opt.Value[string] `query:"namespace"`
	itemsQuery
}

// either returns the one of two spellings that is given.
func oneOf[T any](a, b opt.Value[T]) T {
	if v, ok := a.Get(); ok {
		return v
	}
	return b.V
}

// query is the input as the domain takes it.
func (in itemsQuery) query(c *endpoint.Call, collection int64, namespace string) content.ItemQuery {
	q := content.ItemQuery{
		CollectionID: collection, Namespace: namespace, Archived: in.Archived.V, Text: in.Text.V,
		AllModels: !in.Models.Set, InDashboards: oneOf(in.InDashboards, in.InDashboardsNew), Limit: -1,
		Descending: oneOf(in.Direction, in.DirectionNew) == "desc",
	}
	for _, m := range in.Models.V {
		q.Models = append(q.Models, content.Model(m))
	}
	switch oneOf(in.Pinned, in.PinnedNew) {
	case "is_pinned":
		q.Pinned = content.OnlyPinned
	case "is_not_pinned":
		q.Pinned = content.NotPinned
	}
	switch oneOf(in.Column, in.ColumnNew) {
	case "last_edited_at":
		q.Sort = content.SortByEdit
	case "last_edited_by":
		q.Sort = content.SortByEditor
	case "model":
		q.Sort = content.SortByModel
	}
	if c.Page.On() {
		q.Limit, q.Offset = c.Page.Limit.V, c.Page.Offset.V
	}
	return q
}

// wireItems is a part of what lies in a collection. Snippets come all at once,
// without the keys of paging.
type wireItems struct {
	Total     int              `json:"total"`
	Data      []any            `json:"data"`
	Models    []content.Model  `json:"models"`
	Limit     any              `json:"limit,omitempty"`
	Offset    any              `json:"offset,omitempty"`
	Available *[]content.Model `json:"available_models,omitempty"`
}

type wireItemsMetadata struct {
	Available []content.Model `json:"available_models"`
	Total     int             `json:"total_items"`
}

// wireItem is what all items of a list have.
type wireItem struct {
	ID             int64         `json:"id"`
	Name           string        `json:"name"`
	Description    *string       `json:"description"`
	Model          content.Model `json:"model"`
	EntityID       string        `json:"entity_id"`
	CollectionID   *int64        `json:"collection_id"`
	Archived       bool          `json:"archived"`
	CanWrite       bool          `json:"can_write"`
	CanRestore     bool          `json:"can_restore"`
	CanDelete      bool          `json:"can_delete"`
	IsRemoteSynced bool          `json:"is_remote_synced"`
	LastEdit       *wireLastEdit `json:"last-edit-info,omitempty"`
}

type wireCollectionItem struct {
	wireItem
	AuthorityLevel    *string         `json:"authority_level"`
	Type              *string         `json:"type"`
	Namespace         *string         `json:"namespace"`
	Location          string          `json:"location"`
	EffectiveLocation string          `json:"effective_location"`
	Here              []content.Model `json:"here,omitempty"`
	Below             []content.Model `json:"below,omitempty"`
}

type wireDashboardItem struct {
	wireItem
	Position   *int64     `json:"collection_position"`
	Location   string     `json:"location"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

type wireCardItem struct {
	wireItem
	Position            *int64      `json:"collection_position"`
	CollectionNamespace *string     `json:"collection_namespace"`
	DashboardID         *int64      `json:"dashboard_id"`
	Dashboard           *wireNameOf `json:"dashboard"`
	ModeratedStatus     *string     `json:"moderated_status"`
	LastUsedAt          *time.Time  `json:"last_used_at"`
	*wireCardSummary
}

// wireNameOf names something with its id.
type wireNameOf struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// wireCardSummary is what package card knows.
type wireCardSummary struct {
	Display            string `json:"display"`
	DatabaseID         *int64 `json:"database_id"`
	CollectionPreview  bool   `json:"collection_preview"`
	FullyParameterized bool   `json:"fully_parameterized"`
	DashboardCount     int    `json:"dashboard_count"`
}

func (r collectionRoutes) rootItems(ctx context.Context, c *endpoint.Call, in rootItemsInput) (wireItems, error) {
	return r.page(ctx, c, in.query(c, access.RootCollection, namespaceOf(in.Namespace)), in.itemsQuery)
}

func (r collectionRoutes) trashItems(ctx context.Context, c *endpoint.Call, in itemsQuery) (wireItems, error) {
	return r.page(ctx, c, in.query(c, access.TrashCollection, content.Default), in)
}

func (r collectionRoutes) items(ctx context.Context, c *endpoint.Call, in itemsInput) (wireItems, error) {
	id, err := r.itemID(ctx, content.Collection, in.ID)
	if err != nil {
		return wireItems{}, err
	}
	return r.page(ctx, c, in.query(c, id, content.Default), in.itemsQuery)
}

func (r collectionRoutes) rootMetadata(ctx context.Context, c *endpoint.Call, in rootItemsInput) (wireItemsMetadata, error) {
	return r.summary(ctx, c, in.query(c, access.RootCollection, namespaceOf(in.Namespace)))
}

func (r collectionRoutes) trashMetadata(ctx context.Context, c *endpoint.Call, in itemsQuery) (wireItemsMetadata, error) {
	return r.summary(ctx, c, in.query(c, access.TrashCollection, content.Default))
}

func (r collectionRoutes) metadata(ctx context.Context, c *endpoint.Call, in itemsInput) (wireItemsMetadata, error) {
	id, err := r.itemID(ctx, content.Collection, in.ID)
	if err != nil {
		return wireItemsMetadata{}, err
	}
	return r.summary(ctx, c, in.query(c, id, content.Default))
}

func (r collectionRoutes) summary(ctx context.Context, c *endpoint.Call, q content.ItemQuery) (wireItemsMetadata, error) {
	models, total, err := r.content.ItemModels(ctx, c.Who, q)
	return wireItemsMetadata{models, total}, err
}

// page answers with a part of what lies in a collection.
func (r collectionRoutes) page(ctx context.Context, c *endpoint.Call, q content.ItemQuery, in itemsQuery) (wireItems, error) {
	p, err := r.content.Items(ctx, c.Who, q)
	if err != nil {
		return wireItems{}, err
	}
	out := wireItems{Total: p.Total, Models: p.Models}
	if p.Namespace != content.Snippets {
		out.Limit, out.Offset = c.Page.Limit, c.Page.Offset
	}
	if oneOf(in.Available, in.AvailableNew) {
		available, _, err := r.content.ItemModels(ctx, c.Who, q)
		if err != nil {
			return wireItems{}, err
		}
		out.Available = &available
	}
	out.Data, err = r.rows(ctx, c, q.CollectionID, p)
	return out, err
}

// listing is what belongs to the items of a page.
type listing struct {
	around
	at       int64 // the collection that is listed
	location string
	folders  map[int64]content.Folder
	holdings map[int64]content.Holding
	cards    map[int64]content.CardSummary
	boards   map[int64]content.Item
}

func (r collectionRoutes) rows(ctx context.Context, c *endpoint.Call, at int64, p content.ItemPage) ([]any, error) {
	l, err := r.listing(ctx, c, at, p)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(p.Items))
	for i, item := range p.Items {
		out[i] = r.row(ctx, c, l, item)
	}
	return out, nil
}

// listing reads what belongs to a page, for all items at once.
func (r collectionRoutes) listing(ctx context.Context, c *endpoint.Call, at int64, p content.ItemPage) (*listing, error) {
	l := &listing{at: at, location: p.Location}
	var users, folders, cards, boards []int64
	for _, i := range p.Items {
		users = append(users, i.EditedBy)
		switch i.Kind {
		case content.Collection:
			folders = append(folders, i.ID)
		case content.Card:
			cards, boards = append(cards, i.ID), append(boards, i.DashboardID)
		case content.Dashboard, content.Snippet, content.Timeline:
		}
	}
	slices.Sort(users)
	var err error
	if l.users, err = r.people.Known(ctx, slices.Compact(users)); err != nil {
		return nil, err
	}
	if l.folders, err = r.content.CollectionsByID(ctx, folders); err != nil {
		return nil, err
	}
	if l.holdings, err = r.content.Holdings(ctx, c.Who, folders); err != nil {
		return nil, err
	}
	if l.boards, err = r.content.ByIDs(ctx, content.Dashboard, boards); err != nil || len(cards) == 0 {
		return l, err
	}
	l.cards, err = r.cards.Summaries(ctx, cards)
	return l, err
}

// row shows an item in a list. Its collection is always the one that is listed
// (contract/content-data.md 2.5).
func (r collectionRoutes) row(ctx context.Context, c *endpoint.Call, l *listing, i content.Item) any {
	w := wireItem{
		ID: i.ID, Name: i.Name, Description: i.Description, Model: i.Model, EntityID: i.EntityID, CollectionID: idOrNull(l.at), Archived: i.Archived,
		CanWrite: r.content.CanWrite(ctx, c.Who, i), CanRestore: r.content.CanRestore(ctx, c.Who, i), CanDelete: r.content.CanDelete(ctx, c.Who, i),
		LastEdit: l.lastEdit(i),
	}
	switch i.Kind {
	case content.Collection:
		f := l.folders[i.ID]
		out := wireCollectionItem{
			wireItem: w, Type: f.Type, Namespace: textOrNull(i.Namespace), Location: f.Location,
			Here: l.holdings[i.ID].Here, Below: l.holdings[i.ID].Below,
		}
		if f.Access != nil {
			out.EffectiveLocation = content.Path(r.content.EffectivePath(ctx, c.Who, f.Access))
		}
		return out
	case content.Dashboard:
		return wireDashboardItem{wireItem: w, Position: i.Position, Location: l.location, LastUsedAt: i.UsedAt}
	case content.Card:
		return cardRow(l, i, w)
	case content.Snippet, content.Timeline:
	}
	return w
}

func cardRow(l *listing, i content.Item, w wireItem) wireCardItem {
	out := wireCardItem{wireItem: w, Position: i.Position, DashboardID: idOrNull(i.DashboardID), LastUsedAt: i.UsedAt}
	if board, ok := l.boards[i.DashboardID]; ok {
		out.Dashboard = &wireNameOf{board.ID, board.Name}
	}
	if s, ok := l.cards[i.ID]; ok {
		out.wireCardSummary = &wireCardSummary{s.Display, s.DatabaseID, s.CollectionPreview, s.FullyParameterized, s.DashboardCount}
	}
	return out
}

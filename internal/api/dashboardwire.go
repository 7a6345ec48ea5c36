package api

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// wireDashboard is a dashboard as lists have it (contract/content-data.md 4.2).
type wireDashboard struct {
	ID                   int64           `json:"id"`
	EntityID             string          `json:"entity_id"`
	Name                 string          `json:"name"`
	Description          *string         `json:"description"`
	CollectionID         *int64          `json:"collection_id"`
	Collection           any             `json:"collection"`
	CollectionPosition   *int64          `json:"collection_position"`
	CollectionAuthority  *string         `json:"collection_authority_level"`
	Archived             bool            `json:"archived"`
	ArchivedDirectly     bool            `json:"archived_directly"`
	Parameters           json.RawMessage `json:"parameters"`
	CreatorID            *int64          `json:"creator_id"`
	Creator              *wireBriefUser  `json:"creator"`
	AutoApplyFilters     bool            `json:"auto_apply_filters"`
	Width                string          `json:"width"`
	CacheTTL             *int64          `json:"cache_ttl"`
	EnableEmbedding      bool            `json:"enable_embedding"`
	EmbeddingType        *string         `json:"embedding_type"`
	EmbeddingParams      *map[string]any `json:"embedding_params"`
	PublicUUID           *string         `json:"public_uuid"`
	MadePublicByID       *int64          `json:"made_public_by_id"`
	ShowInGettingStarted bool            `json:"show_in_getting_started"`
	Caveats              *string         `json:"caveats"`
	PointsOfInterest     *string         `json:"points_of_interest"`
	Position             *int64          `json:"position"`
	CanWrite             bool            `json:"can_write"`
	CanRestore           bool            `json:"can_restore"`
	CanDelete            bool            `json:"can_delete"`
	CanSetCachePolicy    bool            `json:"can_set_cache_policy"`
	IsRemoteSynced       bool            `json:"is_remote_synced"`
	ModerationReviews    []any           `json:"moderation_reviews"`
	LastEdit             *wireLastEdit   `json:"last-edit-info,omitempty"`
	ViewCount            int64           `json:"view_count"`
	LastViewedAt         time.Time       `json:"last_viewed_at"`
	InitiallyPublishedAt *time.Time      `json:"initially_published_at"`
	CreatedAt            time.Time       `json:"created_at"`
	UpdatedAt            time.Time       `json:"updated_at"`
}

// wireFullDashboard is a dashboard with what stands on it.
type wireFullDashboard struct {
	wireDashboard
	Dashcards           []wireDashcard `json:"dashcards"`
	Tabs                []wireTab      `json:"tabs"`
	ParamFields         map[string]any `json:"param_fields"`
	LastUsedParamValues map[string]any `json:"last_used_param_values"`
}

// wireDashcard is a place in the grid with what stands there.
type wireDashcard struct {
	ID                    int64           `json:"id"`
	EntityID              string          `json:"entity_id"`
	DashboardID           int64           `json:"dashboard_id"`
	DashboardTabID        *int64          `json:"dashboard_tab_id"`
	CardID                *int64          `json:"card_id"`
	ActionID              *int64          `json:"action_id"`
	Row                   int64           `json:"row"`
	Col                   int64           `json:"col"`
	SizeX                 int64           `json:"size_x"`
	SizeY                 int64           `json:"size_y"`
	ParameterMappings     json.RawMessage `json:"parameter_mappings"`
	VisualizationSettings json.RawMessage `json:"visualization_settings"`
	InlineParameters      json.RawMessage `json:"inline_parameters"`
	Series                []any           `json:"series"`
	Card                  any             `json:"card"`
	CollectionAuthority   *string         `json:"collection_authority_level"`
	CreatedAt             time.Time       `json:"created_at"`
	UpdatedAt             time.Time       `json:"updated_at"`
}

type wireTab struct {
	ID          int64     `json:"id"`
	EntityID    string    `json:"entity_id"`
	DashboardID int64     `json:"dashboard_id"`
	Name        string    `json:"name"`
	Position    int64     `json:"position"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// wireUnreadable stands for a question that the caller may not see.
type wireUnreadable struct {
	ID int64 `json:"id"`
}

// plain returns the dashboard as lists have it.
func (d *dashboardRoutes) plain(ctx context.Context, who *access.Principal, v dashboard.Dashboard, a around) wireDashboard {
	w := wireDashboard{
		ID: v.ID, EntityID: v.EntityID, Name: v.Name, Description: v.Description, CollectionID: shownCollection(v.Item),
		Collection: a.collection(v.Item), CollectionPosition: v.Position, Archived: v.Archived, ArchivedDirectly: v.ArchivedDirectly,
		Parameters: v.Parameters, CreatorID: idOrNull(v.CreatorID), Creator: a.creator(v.Item), AutoApplyFilters: v.AutoApply,
		Width: widthOf(v.FullWidth), CacheTTL: v.CacheTTL, ShowInGettingStarted: v.GettingStarted, Caveats: v.Caveats,
		PointsOfInterest: v.PointsOfInterest, Position: v.GuidePosition, CanWrite: d.content.CanWrite(ctx, who, v.Item),
		CanRestore: d.content.CanRestore(ctx, who, v.Item), CanDelete: d.content.CanDelete(ctx, who, v.Item),
		ModerationReviews: []any{}, LastEdit: a.lastEdit(v.Item), ViewCount: v.ViewCount, LastViewedAt: v.CreatedAt,
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
	}
	if v.UsedAt != nil {
		w.LastViewedAt = *v.UsedAt
	}
	return w
}

// The widths of a dashboard.
const (
	widthFixed = "fixed"
	widthFull  = "full"
)

func widthOf(full bool) string {
	if full {
		return widthFull
	}
	return widthFixed
}

// full returns the dashboard with what stands on it.
func (d *dashboardRoutes) full(ctx context.Context, who *access.Principal, v dashboard.Dashboard) (wireFullDashboard, error) {
	a, err := d.around(ctx, who, v.Item)
	if err != nil {
		return wireFullDashboard{}, err
	}
	w := wireFullDashboard{
		wireDashboard: d.plain(ctx, who, v, a), Tabs: make([]wireTab, len(v.Tabs)),
		ParamFields: map[string]any{}, LastUsedParamValues: map[string]any{},
	}
	for i, t := range v.Tabs {
		w.Tabs[i] = wireTab{t.ID, t.EntityID, v.ID, t.Name, t.Position, t.CreatedAt, t.UpdatedAt}
	}
	w.Dashcards, err = d.dashcards(ctx, who, v)
	return w, err
}

// dashcards returns what stands on a dashboard, with the questions that who
// may see.
func (d *dashboardRoutes) dashcards(ctx context.Context, who *access.Principal, v dashboard.Dashboard) ([]wireDashcard, error) {
	cards, err := d.shownCards(ctx, who, v.CardIDs())
	if err != nil {
		return nil, err
	}
	show := func(id int64) any {
		if card, ok := cards[id]; ok {
			return card
		}
		return wireUnreadable{id}
	}
	out := make([]wireDashcard, len(v.Cards))
	for i, c := range v.Cards {
		out[i] = wireDashcard{
			ID: c.ID, EntityID: c.EntityID, DashboardID: v.ID, DashboardTabID: c.TabID, CardID: c.CardID, Row: c.Row, Col: c.Col,
			SizeX: c.Width, SizeY: c.Height, ParameterMappings: c.Mappings, VisualizationSettings: c.Settings,
			InlineParameters: c.Inline, Series: make([]any, len(c.Series)), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		}
		if c.CardID != nil {
			out[i].Card = show(*c.CardID)
		}
		for n, id := range c.Series {
			out[i].Series[n] = show(id)
		}
	}
	return out, nil
}

// dashcardInput is a dashcard as a replacement names it (contract/content-data.md
// 4.3). What the answer shows beside these keys may come back; it is dropped.
type dashcardInput struct {
	ID                    int64                       `json:"id"`
	CardID                opt.Value[int64]            `json:"card_id" rule:"posint" kind:"cards"`
	TabID                 opt.Value[int64]            `json:"dashboard_tab_id"`
	Row                   int64                       `json:"row" rule:"natural"`
	Col                   int64                       `json:"col" rule:"natural"`
	SizeX                 int64                       `json:"size_x" rule:"posint"`
	SizeY                 int64                       `json:"size_y" rule:"posint"`
	ParameterMappings     opt.Value[[]map[string]any] `json:"parameter_mappings"`
	VisualizationSettings opt.Value[map[string]any]   `json:"visualization_settings"`
	InlineParameters      opt.Value[[]string]         `json:"inline_parameters" rule:"nonblank"`
	Series                opt.Value[[]seriesInput]    `json:"series"`
}

type seriesInput struct {
	ID int64 `json:"id" rule:"posint" kind:"cards"`
}

type tabInput struct {
	ID   int64  `json:"id"`
	Name string `json:"name" rule:"nonblank,max=254"`
}

// givenTabs returns tabs as the domain takes them.
func givenTabs(in opt.Value[[]tabInput]) opt.Value[[]dashboard.GivenTab] {
	out := opt.Value[[]dashboard.GivenTab]{Set: in.Set, Null: in.Null}
	for _, t := range in.V {
		out.V = append(out.V, dashboard.GivenTab{ID: t.ID, Name: t.Name})
	}
	return out
}

// givenCards returns dashcards as the domain takes them.
func givenCards(in opt.Value[[]dashcardInput]) (opt.Value[[]dashboard.GivenCard], error) {
	out := opt.Value[[]dashboard.GivenCard]{Set: in.Set, Null: in.Null}
	for _, c := range in.V {
		g := dashboard.GivenCard{ID: c.ID, TabID: c.TabID, CardID: c.CardID, Row: c.Row, Col: c.Col, Width: c.SizeX, Height: c.SizeY}
		g.Series = opt.Value[[]int64]{Set: c.Series.Set, Null: c.Series.Null}
		for _, s := range c.Series.V {
			g.Series.V = append(g.Series.V, s.ID)
		}
		var err error
		if g.Mappings, err = toJSON(c.ParameterMappings); err != nil {
			return out, err
		}
		if g.Settings, err = toJSON(c.VisualizationSettings); err != nil {
			return out, err
		}
		if g.Inline, err = toJSON(c.InlineParameters); err != nil {
			return out, err
		}
		out.V = append(out.V, g)
	}
	return out, nil
}

// toJSON encodes a value that the house keeps as it came.
func toJSON[T any](v opt.Value[T]) (opt.Value[json.RawMessage], error) {
	out := opt.Value[json.RawMessage]{Set: v.Set, Null: v.Null}
	if !v.Set || v.Null {
		return out, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v.V); err != nil {
		return out, fault.Wrap(err, "encode a value of the request")
	}
	out.V = bytes.TrimSpace(b.Bytes())
	return out, nil
}

// idOf returns an id, with 0 for the root of collections.
func idOf(v opt.Value[int64]) int64 { return v.Or(access.RootCollection) }

// shownCards returns those of some questions that who may see.
func (d *dashboardRoutes) shownCards(ctx context.Context, who *access.Principal, ids []int64) (map[int64]wireCard, error) {
	cards, err := d.dashboards.Readable(ctx, who, ids)
	if err != nil {
		return nil, err
	}
	list, err := d.cards.wire(ctx, who, false, cards...)
	out := make(map[int64]wireCard, len(list))
	for _, w := range list {
		out[w.ID] = w
	}
	return out, err
}

package api

import (
	"encoding/json"
	"time"

	"latchkey/internal/content/card"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// wireCard is a question, model or metric (contract/content-data.md 3.1). What
// belongs to features that we do not have is null, false or empty.
type wireCard struct {
	ID                    int64           `json:"id"`
	EntityID              string          `json:"entity_id"`
	Name                  string          `json:"name"`
	Description           *string         `json:"description"`
	Type                  string          `json:"type"`
	Display               string          `json:"display"`
	DatasetQuery          json.RawMessage `json:"dataset_query"`
	QueryType             *string         `json:"query_type"`
	DatabaseID            *int64          `json:"database_id"`
	TableID               *int64          `json:"table_id"`
	VisualizationSettings json.RawMessage `json:"visualization_settings"`
	ResultMetadata        json.RawMessage `json:"result_metadata"`
	Parameters            json.RawMessage `json:"parameters"`
	ParameterMappings     json.RawMessage `json:"parameter_mappings"`
	CollectionID          *int64          `json:"collection_id"`
	Collection            any             `json:"collection"`
	CollectionPosition    *int64          `json:"collection_position"`
	CollectionPreview     bool            `json:"collection_preview"`
	Archived              bool            `json:"archived"`
	ArchivedDirectly      bool            `json:"archived_directly"`
	CacheTTL              *int64          `json:"cache_ttl"`
	CacheInvalidatedAt    *time.Time      `json:"cache_invalidated_at"`
	EnableEmbedding       bool            `json:"enable_embedding"`
	EmbeddingType         *string         `json:"embedding_type"`
	EmbeddingParams       json.RawMessage `json:"embedding_params"`
	PublicUUID            *string         `json:"public_uuid"`
	MadePublicByID        *int64          `json:"made_public_by_id"`
	InitiallyPublishedAt  *time.Time      `json:"initially_published_at"`
	DashboardID           *int64          `json:"dashboard_id"`
	Dashboard             *wireOfBoard    `json:"dashboard"`
	DashboardTabID        *int64          `json:"dashboard_tab_id"`
	DocumentID            *int64          `json:"document_id"`
	SourceCardID          *int64          `json:"source_card_id"`
	CreatorID             *int64          `json:"creator_id"`
	Creator               *wireBriefUser  `json:"creator"`
	CanWrite              bool            `json:"can_write"`
	CanRestore            bool            `json:"can_restore"`
	CanDelete             bool            `json:"can_delete"`
	CanManageDB           bool            `json:"can_manage_db"`
	DashboardCount        int             `json:"dashboard_count"`
	ParameterUsageCount   int             `json:"parameter_usage_count"`
	AverageQueryTime      *float64        `json:"average_query_time"`
	LastQueryStart        *time.Time      `json:"last_query_start"`
	LastUsedAt            *time.Time      `json:"last_used_at"`
	ModerationReviews     []any           `json:"moderation_reviews"`
	ParamFields           map[string]any  `json:"param_fields"`
	IsRemoteSynced        bool            `json:"is_remote_synced"`
	LastEditInfo          *wireLastEdit   `json:"last-edit-info,omitempty"`
	ViewCount             int64           `json:"view_count"`
	MetabaseVersion       string          `json:"metabase_version"`
	CardSchema            int             `json:"card_schema"`
	CreatedAt             time.Time       `json:"created_at"`
	UpdatedAt             time.Time       `json:"updated_at"`
}

// wireOfBoard is the dashboard that a question lives in.
type wireOfBoard struct {
	ID               int64   `json:"id"`
	Name             string  `json:"name"`
	ModerationStatus *string `json:"moderation_status"`
}

// cardSchema is the version of the form of cards that we speak.
const cardSchema = 23

type listCardsInput struct {
	F       opt.Value[string] `query:"f" rule:"enum=all|mine|bookmarked|database|table|archived|using_model|using_segment"`
	ModelID opt.Value[int64]  `query:"model_id" rule:"posint"`
	Legacy  opt.Value[bool]   `query:"legacy-mbql"`
}

type cardInput struct {
	ID     string          `path:"id" rule:"entity"`
	Legacy opt.Value[bool] `query:"legacy-mbql"`
}

type newCardInput struct {
	Name                  string                      `json:"name" rule:"nonblank,max=254"`
	DatasetQuery          map[string]any              `json:"dataset_query"`
	Display               string                      `json:"display" rule:"nonblank,max=254"`
	VisualizationSettings map[string]any              `json:"visualization_settings"`
	Type                  opt.Value[string]           `json:"type" rule:"enum=question|model|metric"`
	Description           opt.Value[string]           `json:"description" rule:"nonblank"`
	CollectionID          opt.Value[any]              `json:"collection_id"`
	CollectionPosition    opt.Value[int64]            `json:"collection_position" rule:"posint"`
	Parameters            opt.Value[[]map[string]any] `json:"parameters" rule:"parameter"`
	ParameterMappings     opt.Value[[]map[string]any] `json:"parameter_mappings"`
	ResultMetadata        opt.Value[[]map[string]any] `json:"result_metadata"`
	CacheTTL              opt.Value[int64]            `json:"cache_ttl" rule:"posint"`
	EntityID              opt.Value[string]           `json:"entity_id"`
	DashboardID           opt.Value[int64]            `json:"dashboard_id" rule:"posint" kind:"dashboards" scope:"dashboards:write"`
	DashboardTabID        opt.Value[int64]            `json:"dashboard_tab_id"`
	Legacy                opt.Value[bool]             `query:"legacy-mbql"`
}

type editCardInput struct {
	ID                    string                      `path:"id" rule:"entity"`
	Name                  opt.Value[string]           `json:"name" rule:"nonblank,max=254"`
	DatasetQuery          opt.Value[map[string]any]   `json:"dataset_query"`
	Display               opt.Value[string]           `json:"display" rule:"nonblank,max=254"`
	VisualizationSettings opt.Value[map[string]any]   `json:"visualization_settings"`
	Type                  opt.Value[string]           `json:"type" rule:"enum=question|model|metric"`
	Description           opt.Value[string]           `json:"description"`
	Archived              opt.Value[bool]             `json:"archived"`
	EnableEmbedding       opt.Value[bool]             `json:"enable_embedding"`
	EmbeddingType         opt.Value[string]           `json:"embedding_type"`
	EmbeddingParams       opt.Value[map[string]any]   `json:"embedding_params"`
	CollectionID          opt.Value[any]              `json:"collection_id"`
	CollectionPosition    opt.Value[int64]            `json:"collection_position" rule:"posint"`
	CollectionPreview     opt.Value[bool]             `json:"collection_preview"`
	Parameters            opt.Value[[]map[string]any] `json:"parameters" rule:"parameter"`
	ParameterMappings     opt.Value[[]map[string]any] `json:"parameter_mappings"`
	ResultMetadata        opt.Value[[]map[string]any] `json:"result_metadata"`
	CacheTTL              opt.Value[int64]            `json:"cache_ttl" rule:"posint"`
	DashboardID           opt.Value[int64]            `json:"dashboard_id" rule:"posint" kind:"dashboards" scope:"dashboards:write"`
	DashboardTabID        opt.Value[int64]            `json:"dashboard_tab_id"`
	DeleteOldDashcards    opt.Value[bool]             `query:"delete_old_dashcards" scope:"dashboards:write"`
	Legacy                opt.Value[bool]             `query:"legacy-mbql"`
}

type cardsToCollectionInput struct {
	CardIDs      []int64        `json:"card_ids" rule:"posint" kind:"cards"`
	CollectionID opt.Value[any] `json:"collection_id"`
}

type moveCardsInput struct {
	CardIDs      []int64          `json:"card_ids" rule:"posint" kind:"cards"`
	CollectionID opt.Value[any]   `json:"collection_id"`
	DashboardID  opt.Value[int64] `json:"dashboard_id" rule:"posint" kind:"dashboards" scope:"dashboards:write"`
}

type cardIDsInput struct {
	CardIDs []int64 `json:"card_ids" rule:"posint" kind:"cards"`
}

// encoded returns the JSON of a value of a body.
func encoded(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	return b, fault.Wrap(err, "encode input")
}

// encodedOr returns the JSON of an optional value: absent, null or there.
func encodedOr[T any](v opt.Value[T]) (opt.Value[json.RawMessage], error) {
	inner, ok := v.Get()
	if !ok {
		return opt.Value[json.RawMessage]{Set: v.Set, Null: v.Null}, nil
	}
	b, err := encoded(inner)
	return opt.Of(b), err
}

// toWire fills what a card has by itself.
func toWireCard(c card.Card) wireCard {
	w := wireCard{
		ID: c.ID, EntityID: c.EntityID, Name: c.Name, Description: c.Description, Type: c.Type(), Display: c.Display,
		DatasetQuery: c.Query, QueryType: textOrNull(c.QueryType), DatabaseID: idOrNull(c.DatabaseID), TableID: idOrNull(c.TableID),
		VisualizationSettings: c.Settings, ResultMetadata: c.Metadata, Parameters: c.Parameters, ParameterMappings: c.Mappings,
		CollectionID: idOrNull(max(c.CollectionID, 0)), CollectionPosition: c.Position, CollectionPreview: c.Preview,
		Archived: c.Archived, ArchivedDirectly: c.ArchivedDirectly, CacheTTL: c.CacheTTL,
		DashboardID: idOrNull(c.DashboardID), SourceCardID: idOrNull(c.SourceCardID), CreatorID: idOrNull(c.CreatorID),
		LastUsedAt: c.UsedAt, ModerationReviews: []any{}, ParamFields: map[string]any{},
		ViewCount: c.ViewCount, CardSchema: cardSchema, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	return w
}

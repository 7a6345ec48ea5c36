package api

import (
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/engine"
	"latchkey/internal/warehouse"
)

// wireProduct is what answers at a connected database.
type wireProduct struct {
	Flavor   string `json:"flavor"`
	Version  string `json:"version"`
	Semantic []int  `json:"semantic-version"`
}

// wireDatabase is a connected database (contract/content-data.md 6.1).
type wireDatabase struct {
	ID                    int64             `json:"id"`
	Name                  string            `json:"name"`
	Engine                string            `json:"engine"`
	Description           *string           `json:"description"`
	Features              []string          `json:"features"`
	IsSample              bool              `json:"is_sample"`
	IsAudit               bool              `json:"is_audit"`
	IsFullSync            bool              `json:"is_full_sync"`
	IsOnDemand            bool              `json:"is_on_demand"`
	AutoRunQueries        bool              `json:"auto_run_queries"`
	Timezone              string            `json:"timezone"`
	NativePermissions     string            `json:"native_permissions"`
	TransformsPermissions string            `json:"transforms_permissions"`
	InitialSyncStatus     string            `json:"initial_sync_status"`
	MetadataSchedule      string            `json:"metadata_sync_schedule"`
	ValuesSchedule        string            `json:"cache_field_values_schedule"`
	CacheTTL              *int64            `json:"cache_ttl"`
	Settings              map[string]any    `json:"settings"`
	Details               map[string]string `json:"details,omitempty"`
	Caveats               *string           `json:"caveats"`
	PointsOfInterest      *string           `json:"points_of_interest"`
	Refingerprint         *bool             `json:"refingerprint"`
	Version               *wireProduct      `json:"dbms_version"`
	UploadsEnabled        bool              `json:"uploads_enabled"`
	UploadsSchema         *string           `json:"uploads_schema_name"`
	UploadsPrefix         *string           `json:"uploads_table_prefix"`
	CanUpload             bool              `json:"can_upload"`
	RouterAttribute       *string           `json:"router_user_attribute"`
	RouterDatabase        *int64            `json:"router_database_id"`
	CreatorID             *int64            `json:"creator_id"`
	EntityID              string            `json:"entity_id"`
	CreatedAt             time.Time         `json:"created_at"`
	UpdatedAt             time.Time         `json:"updated_at"`

	Tables    []wireTable    `json:"tables,omitempty"`
	Schedules *wireSchedules `json:"schedules,omitempty"`
	CanManage bool           `json:"can-manage,omitempty"`
}

// wireSchedule is when a database is looked at anew by itself.
type wireSchedule struct {
	Minute *int   `json:"schedule_minute"`
	Hour   *int   `json:"schedule_hour"`
	Day    *int   `json:"schedule_day"`
	Frame  *int   `json:"schedule_frame"`
	Type   string `json:"schedule_type"`
}

type wireSchedules struct {
	Metadata wireSchedule `json:"metadata_sync"`
	Values   wireSchedule `json:"cache_field_values"`
}

// savedQuestions is the database that stands for saved questions.
type savedQuestions struct {
	ID               int64    `json:"id"`
	Name             string   `json:"name"`
	IsSavedQuestions bool     `json:"is_saved_questions"`
	Features         []string `json:"features"`
}

// wireTable is a table of a connected database (contract/content-data.md 6.2).
type wireTable struct {
	ID                int64             `json:"id"`
	DatabaseID        int64             `json:"db_id"`
	Name              string            `json:"name"`
	DisplayName       string            `json:"display_name"`
	Schema            *string           `json:"schema"`
	Description       *string           `json:"description"`
	EntityType        string            `json:"entity_type"`
	EntityID          string            `json:"entity_id"`
	VisibilityType    *string           `json:"visibility_type"`
	Active            bool              `json:"active"`
	FieldOrder        string            `json:"field_order"`
	ShowInGuide       bool              `json:"show_in_getting_started"`
	Caveats           *string           `json:"caveats"`
	PointsOfInterest  *string           `json:"points_of_interest"`
	InitialSyncStatus string            `json:"initial_sync_status"`
	IsUpload          bool              `json:"is_upload"`
	IsWritable        bool              `json:"is_writable"`
	ViewCount         int64             `json:"view_count"`
	RowCount          *int64            `json:"estimated_row_count"`
	CreatedAt         time.Time         `json:"created_at"`
	UpdatedAt         time.Time         `json:"updated_at"`
	PKField           *int64            `json:"pk_field,omitempty"`
	Database          *wireDatabase     `json:"db,omitempty"`
	Fields            *[]wireField      `json:"fields,omitempty"`
	Keys              *[]wireForeignKey `json:"fks,omitempty"`
	Segments          *[]any            `json:"segments,omitempty"`
	Metrics           *[]any            `json:"metrics,omitempty"`
	Measures          *[]any            `json:"measures,omitempty"`
	DimensionOptions  *struct{}         `json:"dimension_options,omitempty"`
}

// wireField is a field of a table.
type wireField struct {
	ID                 int64           `json:"id"`
	TableID            int64           `json:"table_id"`
	Name               string          `json:"name"`
	DisplayName        string          `json:"display_name"`
	Description        *string         `json:"description"`
	DatabaseType       string          `json:"database_type"`
	BaseType           engine.BaseType `json:"base_type"`
	EffectiveType      engine.BaseType `json:"effective_type"`
	SemanticType       *string         `json:"semantic_type"`
	CoercionStrategy   *string         `json:"coercion_strategy"`
	VisibilityType     string          `json:"visibility_type"`
	Active             bool            `json:"active"`
	Position           int             `json:"position"`
	DatabasePosition   int             `json:"database_position"`
	CustomPosition     int             `json:"custom_position"`
	TargetID           *int64          `json:"fk_target_field_id"`
	ParentID           *int64          `json:"parent_id"`
	PreviewDisplay     bool            `json:"preview_display"`
	HasFieldValues     string          `json:"has_field_values"`
	Fingerprint        *struct{}       `json:"fingerprint"`
	FingerprintVersion int             `json:"fingerprint_version"`
	PointsOfInterest   *string         `json:"points_of_interest"`
	Caveats            *string         `json:"caveats"`
	Settings           *struct{}       `json:"settings"`
	JSONUnfolding      bool            `json:"json_unfolding"`
	NFCPath            *[]string       `json:"nfc_path"`
	Required           bool            `json:"database_required"`
	AutoIncrement      bool            `json:"database_is_auto_increment"`
	DatabaseIsPK       bool            `json:"database_is_pk"`
	EntityID           string          `json:"entity_id"`
	Dimensions         []any           `json:"dimensions"`
	DimensionOptions   []any           `json:"dimension_options"`
	CreatedAt          time.Time       `json:"created_at"`
	UpdatedAt          time.Time       `json:"updated_at"`
	Target             *wireField      `json:"target,omitempty"`
	NameField          *wireNameField  `json:"name_field,omitempty"`
	Table              *wireTable      `json:"table,omitempty"`
}

// wireNameField is the field that names the rows that a key points to.
type wireNameField struct {
	ID          int64  `json:"id"`
	DisplayName string `json:"display_name"`
	TableID     int64  `json:"table_id"`
	Name        string `json:"name"`
}

// wireForeignKey is a foreign key that points to a table.
type wireForeignKey struct {
	OriginID      int64     `json:"origin_id"`
	Origin        wireField `json:"origin"`
	DestinationID int64     `json:"destination_id"`
	Destination   wireField `json:"destination"`
	Relationship  string    `json:"relationship"`
}

const (
	syncComplete   = "complete"
	syncIncomplete = "incomplete"
	daily          = "0 0 0 * * ? *"
)

func (r databaseRoutes) toWire(c *endpoint.Call, d warehouse.Database) wireDatabase {
	out := wireDatabase{
		ID: d.ID, Name: d.Name, Engine: d.Engine, Description: d.Description, Features: []string{},
		IsSample: d.IsSample, IsFullSync: true, AutoRunQueries: d.AutoRun, Timezone: d.Timezone,
		NativePermissions: "none", TransformsPermissions: "none", InitialSyncStatus: syncIncomplete,
		MetadataSchedule: daily, ValuesSchedule: daily, Settings: map[string]any{},
		Caveats: d.Caveats, PointsOfInterest: d.PointsOfInterest,
		CreatorID: d.CreatorID, EntityID: d.EntityID, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if driver := r.warehouse.Driver(d.Engine); driver != nil {
		out.Features = driver.Features()
	}
	if access.Data(c.Who, d.ID) == nil {
		out.NativePermissions = "write"
	}
	if d.SyncedAt != nil {
		out.InitialSyncStatus = syncComplete
		out.Version = &wireProduct{d.Flavor, d.Version, numbersOf(d.Version)}
	}
	if c.Who.IsAdmin() {
		out.Details = r.warehouse.Shown(d)
	}
	return out
}

// numbersOf returns the first two numbers of a version.
func numbersOf(version string) []int {
	out := []int{}
	for part := range strings.SplitSeq(version, ".") {
		n := 0
		for _, digit := range part {
			if digit < '0' || digit > '9' {
				return out
			}
			n = n*10 + int(digit-'0')
		}
		if out = append(out, n); len(out) == 2 {
			break
		}
	}
	return out
}

// toWireTable shows a table by itself: no schema is null.
func toWireTable(t warehouse.Table) wireTable {
	return wireTable{
		ID: t.ID, DatabaseID: t.DatabaseID, Name: t.Name, DisplayName: t.DisplayName, Schema: textOrNull(t.Schema),
		Description: t.Description, EntityType: t.EntityType, EntityID: t.EntityID, VisibilityType: t.Visibility, Active: t.Active,
		FieldOrder: "database", InitialSyncStatus: syncComplete, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}
}

func toWireField(f warehouse.Field) wireField {
	return wireField{
		ID: f.ID, TableID: f.TableID, Name: f.Name, DisplayName: f.DisplayName, Description: f.Description,
		DatabaseType: f.NativeType, BaseType: f.BaseType, EffectiveType: f.BaseType, SemanticType: f.Semantic,
		VisibilityType: f.Visibility, Active: f.Active, Position: f.Position, DatabasePosition: f.Position,
		TargetID: f.TargetID, PreviewDisplay: true, HasFieldValues: valuesOf(f), Required: f.Required,
		DatabaseIsPK: f.IsKey(), EntityID: f.EntityID, Dimensions: []any{}, DimensionOptions: []any{},
		CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
	}
}

// valuesOf says how clients offer values of a field: as a list, by search, or
// not at all.
func valuesOf(f warehouse.Field) string {
	switch {
	case f.Lists():
		return "list"
	case f.BaseType == engine.Text:
		return "search"
	}
	return "none"
}

func toWireFields(list []warehouse.Field) []wireField {
	out := make([]wireField, len(list))
	for i, f := range list {
		out[i] = toWireField(f)
	}
	return out
}

package warehouse

import (
	"time"

	"latchkey/internal/engine"
)

// Database is a connected database.
type Database struct {
	ID               int64
	Name             string
	Engine           string // the name of its driver
	IsSample         bool
	Description      *string
	Caveats          *string
	PointsOfInterest *string
	Timezone         string
	AutoRun          bool
	Settings         string // JSON object
	Flavor           string // what answered at the last sync, "" before
	Version          string
	SyncedAt         *time.Time // nil until the first sync is over
	EntityID         string
	CreatorID        *int64
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Table is a table or view of a connected database.
type Table struct {
	ID          int64
	DatabaseID  int64
	Schema      string // "" where there are none
	Name        string
	DisplayName string
	Description *string
	EntityType  string
	Visibility  *string // nil, hidden, technical or cruft
	IsView      bool
	Active      bool
	EntityID    string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Field is a column of a table.
type Field struct {
	ID          int64
	TableID     int64
	Name        string
	DisplayName string
	Description *string
	NativeType  string
	BaseType    engine.BaseType
	Semantic    *string
	Visibility  string
	TargetID    *int64 // the field that a foreign key points to
	Position    int
	Required    bool
	Active      bool
	EntityID    string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// IsKey reports whether the field is the primary key of its table.
func (f Field) IsKey() bool { return f.Semantic != nil && *f.Semantic == semanticPK }

// Lists reports whether the values of the field are few enough to choose from.
func (f Field) Lists() bool {
	if f.BaseType == engine.Boolean {
		return true
	}
	return f.Semantic != nil && listed[*f.Semantic]
}

func baseType(stored string) engine.BaseType { return engine.BaseType(stored) }

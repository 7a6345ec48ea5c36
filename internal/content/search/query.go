package search

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
)

// MaxHits is how many things a search finds at most (contract/content-data.md
// 8.1).
const MaxHits = 1000

// The models of what is searched beside items.
const (
	ModelTable    content.Model = "table"
	ModelDatabase content.Model = "database"
)

// Models returns what can be found, in the order of their names.
func Models() []content.Model {
	return []content.Model{
		content.ModelCard, content.ModelCollection, content.ModelDashboard, ModelDatabase,
		content.ModelDataset, content.ModelMetric, ModelTable,
	}
}

// Personal says which personal collections count.
type Personal string

// The choices.
const (
	AllPersonal     Personal = "all"
	OnlyPersonal    Personal = "only"
	OnlyMine        Personal = "only-mine"
	ExcludePersonal Personal = "exclude"
	ExcludeOthers   Personal = "exclude-others"
)

// Query is what is searched for. What is empty does not matter.
type Query struct {
	Text               string // all words, the last one by its beginning
	Models             []content.Model
	Archived           bool // what is in the trash, which needs the right to curate
	Collection         int64
	DatabaseID         int64
	Personal           Personal
	CreatedBy          []int64
	EditedBy           []int64
	Created            Span
	Edited             Span
	Displays           []string // of cards
	IDs                []int64
	InSQL              bool // the SQL of questions counts as text
	DashboardQuestions bool // also questions that live in a dashboard
}

// Span is a stretch of time; a zero end is open.
type Span struct {
	From time.Time
	To   time.Time // not included
}

func (s Span) isZero() bool { return s.From.IsZero() && s.To.IsZero() }

func (s Span) has(t time.Time) bool {
	return (s.From.IsZero() || !t.Before(s.From)) && (s.To.IsZero() || t.Before(s.To))
}

// Hit is something that was found.
type Hit struct {
	Item   content.Item // of an item
	Extra  *Extra       // of a table or database
	Scores []Score
}

// Score is why a hit stands where it does.
type Score struct {
	Name   string
	Score  float64 // from 0 to 1
	Weight float64
}

// Extra is something that can be found and is no item: a table or a database.
type Extra struct {
	Model       content.Model
	ID          int64
	Name        string
	Description *string
	DatabaseID  int64
	Database    string // its name
	Schema      string // of a table
	Table       string // the name in the database
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Source tells all that can be found beside items and that who may see.
type Source func(ctx context.Context, who *access.Principal) ([]Extra, error)

// Result is what a search found.
type Result struct {
	Hits  []Hit // the page
	Total int   // of all pages, at most MaxHits
}

package card

import (
	"encoding/json"
	"slices"

	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// The types of a card (contract/content-data.md 3.1).
const (
	Question = "question"
	Model    = "model"
	Metric   = "metric"
)

// models are the types as lists name them.
var models = map[string]content.Model{
	Question: content.ModelCard, Model: content.ModelDataset, Metric: content.ModelMetric,
}

// Displays that the rules know; all others are the client's business.
const (
	displayTable = "table"
	displayList  = "list"
)

// Particulars are what a card has beside the shared record.
type Particulars struct {
	Display       string
	Query         json.RawMessage // MBQL 5
	QueryType     string          // native or query
	DatabaseID    int64           // 0 when unknown
	TableID       int64           // of a structured query, else 0
	SourceCardID  int64           // the card whose result it reads, else 0
	Settings      json.RawMessage // of the visualization: an object
	Parameters    json.RawMessage // a list
	Mappings      json.RawMessage // of parameters: a list
	Metadata      json.RawMessage // of the result's columns: a list; nil when unknown
	CacheTTL      *int64
	Preview       bool // its result may be shown in lists
	Parameterized bool // it runs without anybody giving values
}

// Card is a card.
type Card struct {
	content.Item
	Particulars
}

// Type returns question, model or metric.
func (c Card) Type() string {
	for name, model := range models {
		if model == c.Model {
			return name
		}
	}
	return Question
}

// New is a card to be made.
type New struct {
	Name         string
	Description  *string
	Type         string // a question when empty
	Query        json.RawMessage
	Display      string
	Settings     json.RawMessage
	Parameters   json.RawMessage // none when nil, as the next two
	Mappings     json.RawMessage
	Metadata     json.RawMessage // found out when nil
	CollectionID opt.Value[int64]
	DashboardID  int64  // to live in, else 0
	TabID        *int64 // of the dashboard
	Position     *int64
	CacheTTL     *int64
	EntityID     string // a new one when it is empty, no entity id, or taken
}

// Change is what to change of a card; what is absent stays
// (contract/content-data.md 3.4).
type Change struct {
	Name            opt.Value[string] // null is ignored, as everywhere but where said
	Description     opt.Value[string] // null removes it
	Type            opt.Value[string]
	Query           opt.Value[json.RawMessage]
	Display         opt.Value[string]
	Settings        opt.Value[json.RawMessage]
	Parameters      opt.Value[json.RawMessage]
	Mappings        opt.Value[json.RawMessage]
	Metadata        opt.Value[json.RawMessage] // columnsOf says what counts
	CollectionID    opt.Value[int64]           // null is the root
	DashboardID     opt.Value[int64]           // null takes it out of its dashboard
	TabID           *int64
	Position        opt.Value[int64] // null takes it from the pinned
	Archived        opt.Value[bool]
	CacheTTL        opt.Value[int64] // null is none
	Preview         opt.Value[bool]
	Embed           bool // it is to be embedded, or embedded otherwise
	LeaveDashboards bool // take it from other dashboards when it moves into one
}

// Bounds of texts, in characters, and of positions.
const (
	maxDisplay  = 254
	maxPosition = 1_000_000
)

func checkDisplay(display string) error {
	if n := len([]rune(display)); n == 0 || n > maxDisplay {
		return fault.Field("display", "value must be a text of 1 to %d characters.", maxDisplay)
	}
	return nil
}

func checkPosition(p *int64) error {
	if p != nil && (*p < 1 || *p > maxPosition) {
		return fault.Field("collection_position", "value must be an integer greater than zero.")
	}
	return nil
}

func checkTTL(ttl *int64) error {
	if ttl != nil && *ttl < 1 {
		return fault.Field("cache_ttl", "value must be an integer greater than zero.")
	}
	return nil
}

// displayOf is the display that a card of a type has: a model is a table
// unless it is a list (contract/content-data.md 3.4).
func displayOf(typ, display string) string {
	if typ == Model && display != displayList {
		return displayTable
	}
	return display
}

func isType(typ string) bool { return slices.Contains([]string{Question, Model, Metric}, typ) }

func orList(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("[]")
	}
	return raw
}

func orObject(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

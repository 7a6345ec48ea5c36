package dashboard

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// JSON is a value that is kept as it came, with the keys of objects in order.
type JSON = json.RawMessage

// Values of JSON that nothing was given for.
var (
	emptyList = JSON("[]")
	emptyMap  = JSON("{}")
)

// Dashboard is a dashboard with all that stands on it.
type Dashboard struct {
	content.Item
	Particulars
	Tabs  []Tab      // by position
	Cards []Dashcard // by id
}

// Particulars are what a dashboard has beside the record of all content.
type Particulars struct {
	Parameters       JSON // a list of Parameter
	FullWidth        bool
	AutoApply        bool   // filters act without a button
	CacheTTL         *int64 // in hours
	Caveats          *string
	PointsOfInterest *string
	GettingStarted   bool   // shown to those who begin
	GuidePosition    *int64 // among what is shown to them
}

// Tab is one page of a dashboard.
type Tab struct {
	ID        int64
	EntityID  string
	Name      string
	Position  int64 // from 0
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Dashcard is a place in the grid with what stands there.
type Dashcard struct {
	ID       int64
	EntityID string
	Place
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Place is what a dashcard shows, and where.
type Place struct {
	TabID    *int64 // nil on a dashboard without tabs
	CardID   *int64 // nil for a text, a heading, a link
	Row, Col int64
	Width    int64
	Height   int64
	Mappings JSON // a list of Mapping
	Settings JSON // of what it looks like; a map
	Inline   JSON // a list of ids of parameters that stand on it
	Series   []int64
}

// equal reports whether two places are the same.
func (p Place) equal(q Place) bool {
	return same(p.TabID, q.TabID) && same(p.CardID, q.CardID) &&
		p.Row == q.Row && p.Col == q.Col && p.Width == q.Width && p.Height == q.Height &&
		bytes.Equal(p.Mappings, q.Mappings) && bytes.Equal(p.Settings, q.Settings) && bytes.Equal(p.Inline, q.Inline) &&
		slices.Equal(p.Series, q.Series)
}

func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// cards returns the ids of the questions at the place.
func (p Place) cards() []int64 {
	if p.CardID == nil {
		return p.Series
	}
	return append([]int64{*p.CardID}, p.Series...)
}

// CardIDs returns the ids of all questions of the dashboard, each once.
func (d *Dashboard) CardIDs() []int64 { return cardsOf(d.Cards) }

func cardsOf(list []Dashcard) []int64 {
	var ids []int64
	for _, c := range list {
		ids = append(ids, c.cards()...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// New is a dashboard to be made.
type New struct {
	Name         string
	Description  *string
	CollectionID int64
	Position     *int64
	Parameters   JSON
	CacheTTL     *int64
}

// Change is what to change of a dashboard; what is absent stays. Null is
// ignored where the field does not say what it means (contract/content-data.md
// 4.3).
type Change struct {
	Name             opt.Value[string]
	Description      opt.Value[string] // null: none
	CollectionID     opt.Value[int64]  // null: the root
	Position         opt.Value[int64]  // null: not pinned
	Archived         opt.Value[bool]
	Parameters       opt.Value[JSON]
	FullWidth        opt.Value[bool] // null: no
	AutoApply        opt.Value[bool]
	CacheTTL         opt.Value[int64] // null: none
	Caveats          opt.Value[string]
	PointsOfInterest opt.Value[string]
	GettingStarted   opt.Value[bool]
	GuidePosition    opt.Value[int64]      // null: none
	Tabs             opt.Value[[]GivenTab] // all of them; null: none
	Cards            opt.Value[[]GivenCard]
}

// GivenTab is a tab as a replacement names it: by its id, or with another
// number for a new one.
type GivenTab struct {
	ID   int64
	Name string
}

// GivenCard is a dashcard as a replacement names it: by its id, or with another
// number for a new one. What is absent stays, or is empty for a new one; null
// is empty.
type GivenCard struct {
	ID       int64
	TabID    opt.Value[int64] // the number of a given tab
	CardID   opt.Value[int64]
	Row, Col int64
	Width    int64
	Height   int64
	Mappings opt.Value[JSON]
	Settings opt.Value[JSON]
	Inline   opt.Value[JSON]
	Series   opt.Value[[]int64]
}

// Bounds.
const (
	maxName    = 254 // of a dashboard or question
	maxTabName = 254
	maxGrid    = 1_000_000 // rows and columns
	maxText    = 65_535    // of what is written for beginners
)

// apply changes the particulars. It returns Invalid.
func (c Change) apply(p *Particulars) error {
	if v, ok := c.Parameters.Get(); ok {
		if _, err := ReadParameters(v); err != nil {
			return err
		}
		p.Parameters = v
	}
	if c.FullWidth.Set {
		p.FullWidth = c.FullWidth.Or(false)
	}
	p.AutoApply = c.AutoApply.Or(p.AutoApply)
	p.GettingStarted = c.GettingStarted.Or(p.GettingStarted)
	if c.CacheTTL.Set {
		p.CacheTTL = c.CacheTTL.Ptr()
	}
	if c.GuidePosition.Set {
		p.GuidePosition = c.GuidePosition.Ptr()
	}
	for _, text := range []struct {
		name string
		from opt.Value[string]
		to   **string
	}{{"caveats", c.Caveats, &p.Caveats}, {"points_of_interest", c.PointsOfInterest, &p.PointsOfInterest}} {
		if v, ok := text.from.Get(); ok {
			if len([]rune(v)) > maxText {
				return fault.Field(text.name, "value must be at most %d characters long.", maxText)
			}
			*text.to = &v
		}
	}
	return nil
}

// equal reports whether two dashboards have the same particulars.
func (p Particulars) equal(q Particulars) bool {
	return bytes.Equal(p.Parameters, q.Parameters) && p.FullWidth == q.FullWidth && p.AutoApply == q.AutoApply &&
		same(p.CacheTTL, q.CacheTTL) && same(p.Caveats, q.Caveats) && same(p.PointsOfInterest, q.PointsOfInterest) &&
		p.GettingStarted == q.GettingStarted && same(p.GuidePosition, q.GuidePosition)
}

// Parameter is a filter of a dashboard, as far as the house must know it.
type Parameter struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// wantParameters is the contract's text about a bad list (content-data.md 1.3).
const wantParameters = "nullable sequence of parameter must be a map with :id and :type keys"

// ReadParameters reads a list of parameters. It returns Invalid for one that
// lacks an id or a type, and for an id that stands there twice.
func ReadParameters(v JSON) ([]Parameter, error) {
	var list []Parameter
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, fault.Field("parameters", wantParameters)
	}
	seen := map[string]bool{}
	for _, p := range list {
		if strings.TrimSpace(p.ID) == "" || strings.TrimSpace(p.Type) == "" {
			return nil, fault.Field("parameters", wantParameters)
		}
		if seen[p.ID] {
			return nil, fault.Field("parameters", "The parameter %q is there twice.", p.ID)
		}
		seen[p.ID] = true
	}
	return list, nil
}

// Mapping says what of a question a parameter of the dashboard acts on.
type Mapping struct {
	ParameterID string `json:"parameter_id"`
	CardID      *int64 `json:"card_id"`
	Target      JSON   `json:"target"`
}

// readMappings reads the mappings of a dashcard. It returns Invalid for one
// that names no parameter or no target.
func readMappings(v JSON) ([]Mapping, error) {
	var list []Mapping
	err := json.Unmarshal(v, &list)
	for _, m := range list {
		if strings.TrimSpace(m.ParameterID) == "" || len(m.Target) == 0 || string(m.Target) == "null" {
			err = fault.New(fault.Invalid, "")
		}
	}
	if err != nil {
		return nil, fault.Field("dashcards", "parameter_mappings must be maps with parameter_id and target.")
	}
	return list, nil
}

package card

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// state is a card as the log of revisions keeps it. Its keys are those of the
// wire, for the log is shown there.
type state struct {
	Name        string          `json:"name"`
	Description *string         `json:"description"`
	Type        string          `json:"type"`
	Display     string          `json:"display"`
	Query       json.RawMessage `json:"dataset_query"`
	Settings    json.RawMessage `json:"visualization_settings"`
	Parameters  json.RawMessage `json:"parameters"`
	Mappings    json.RawMessage `json:"parameter_mappings"`
	Metadata    json.RawMessage `json:"result_metadata"`
	Archived    bool            `json:"archived"`
	Collection  int64           `json:"collection_id"`
	Position    *int64          `json:"collection_position"`
	Dashboard   *int64          `json:"dashboard_id"`
	CacheTTL    *int64          `json:"cache_ttl"`
	Preview     bool            `json:"collection_preview"`
}

// history is how the log of revisions keeps cards and brings them back.
func (s *Service) history() revision.Kind {
	return revision.Kind{Noun: "Card", State: s.state, Restore: s.restore, Words: words}
}

func (s *Service) state(ctx context.Context, i content.Item) (any, error) {
	c, err := s.with(ctx, i)
	if err != nil {
		return nil, err
	}
	out := state{
		Name: c.Name, Description: c.Description, Type: c.Type(), Display: c.Display, Query: c.Query, Settings: c.Settings,
		Parameters: c.Parameters, Mappings: c.Mappings, Metadata: c.Metadata, Archived: c.Archived, Collection: c.CollectionID,
		Position: c.Position, CacheTTL: c.CacheTTL, Preview: c.Preview,
	}
	if c.DashboardID != 0 {
		out.Dashboard = &c.DashboardID
	}
	return out, nil
}

// restore brings a card back to a state: its content, its place and whether it
// is in the trash. When its collection of then is gone or in the trash it stays
// where it is, and so does a question that lives in a dashboard. Who may not
// run the old query may not bring it back (contract/content-data.md 8.2).
func (s *Service) restore(ctx context.Context, who *access.Principal, i content.Item, raw json.RawMessage) error {
	var then state
	if err := json.Unmarshal(raw, &then); err != nil {
		return fault.Wrap(err, "read state of a card")
	}
	c := then.change()
	if i.DashboardID == 0 {
		c.Type, c.Archived = opt.Of(then.Type), opt.Of(then.Archived)
		place, err := s.content.Collections().Folder(ctx, then.Collection)
		if err != nil {
			return fault.Wrap(err, "find collection")
		}
		if place != nil && !place.Archived {
			c.CollectionID, c.Position = opt.Of(then.Collection), orNull(then.Position)
		}
	}
	a, err := s.restoredQuery(ctx, who, i, then.Query)
	if err != nil {
		return err
	}
	_, err = s.write(ctx, who, i.ID, c, a)
	return err
}

// change returns the change that gives a card the content that it had.
func (t state) change() Change {
	c := Change{
		Name: opt.Of(t.Name), Description: orNull(t.Description), Display: opt.Of(t.Display), Settings: opt.Of(t.Settings),
		Parameters: opt.Of(t.Parameters), Mappings: opt.Of(t.Mappings), Metadata: opt.Null[json.RawMessage](),
		CacheTTL: orNull(t.CacheTTL), Preview: opt.Of(t.Preview),
	}
	if string(t.Metadata) != "null" {
		c.Metadata = opt.Of(t.Metadata)
	}
	return c
}

func (s *Service) restoredQuery(ctx context.Context, who *access.Principal, i content.Item, raw json.RawMessage) (*analysed, error) {
	now, err := s.with(ctx, i)
	if err != nil {
		return nil, err
	}
	return s.changedQuery(ctx, who, now, raw, false)
}

func orNull[T any](p *T) opt.Value[T] {
	if p == nil {
		return opt.Null[T]()
	}
	return opt.Of(*p)
}

// words says what a changed field of a card means.
func words(field string, before, after revision.State) []string {
	changed := func(name string) bool { return string(before[name]) != string(after[name]) }
	switch field {
	case "dataset_query":
		return []string{"modified the query"}
	case "result_metadata":
		if changed("dataset_query") {
			return nil
		}
		return []string{"edited the metadata"}
	case "display":
		if changed("type") {
			return nil
		}
		return []string{fmt.Sprintf("changed the display from %s to %s", plain(before[field]), plain(after[field]))}
	case "type":
		return []string{fmt.Sprintf("changed the type from %s to %s", plain(before[field]), plain(after[field]))}
	case "visualization_settings":
		return []string{"changed the visualization settings"}
	case "parameters":
		return []string{"changed the filters"}
	case "parameter_mappings":
		return []string{"changed what the filters apply to"}
	case "dashboard_id":
		if string(after[field]) == "null" {
			return []string{"moved this Card out of its dashboard"}
		}
		return []string{"moved this Card into a dashboard"}
	case "cache_ttl":
		return []string{"changed the caching"}
	}
	return []string{"changed the " + strings.ReplaceAll(field, "_", " ")}
}

func plain(raw json.RawMessage) string {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "nothing"
	}
	return text
}

// Legacy returns a stored query in the form from before MBQL 5.
func Legacy(query json.RawMessage) (json.RawMessage, error) {
	q, err := mbql.Read(query)
	if err != nil {
		return nil, fault.Wrap(err, "read stored query")
	}
	return mbql.Legacy(q), nil
}

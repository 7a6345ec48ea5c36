package dashboard

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
)

// state is a dashboard as its revisions keep it.
type state struct {
	Name         string  `json:"name"`
	Description  *string `json:"description"`
	Archived     bool    `json:"archived"`
	CollectionID int64   `json:"collection_id"`
	Position     *int64  `json:"collection_position"`
	stateParticulars
	Tabs  []stateTab  `json:"tabs"`
	Cards []stateCard `json:"cards"`
}

type stateParticulars struct {
	Parameters       JSON    `json:"parameters"`
	FullWidth        bool    `json:"full_width"`
	AutoApply        bool    `json:"auto_apply_filters"`
	CacheTTL         *int64  `json:"cache_ttl"`
	Caveats          *string `json:"caveats"`
	PointsOfInterest *string `json:"points_of_interest"`
	GettingStarted   bool    `json:"show_in_getting_started"`
	GuidePosition    *int64  `json:"position"`
}

type stateTab struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type stateCard struct {
	ID       int64   `json:"id"`
	TabID    *int64  `json:"dashboard_tab_id"`
	CardID   *int64  `json:"card_id"`
	Row      int64   `json:"row"`
	Col      int64   `json:"col"`
	Width    int64   `json:"size_x"`
	Height   int64   `json:"size_y"`
	Mappings JSON    `json:"parameter_mappings"`
	Settings JSON    `json:"visualization_settings"`
	Inline   JSON    `json:"inline_parameters"`
	Series   []int64 `json:"series"`
}

// kept says how revisions of dashboards are made, told and brought back.
func (s *Service) kept() revision.Kind {
	return revision.Kind{Noun: "Dashboard", State: s.state, Restore: s.restore, Words: words}
}

// state returns what a dashboard is now.
func (s *Service) state(ctx context.Context, i content.Item) (any, error) {
	d, err := s.read(ctx, i)
	if err != nil {
		return nil, err
	}
	out := state{
		Name: d.Name, Description: d.Description, Archived: d.Archived, CollectionID: d.CollectionID, Position: d.Position,
		stateParticulars: stateParticulars(d.Particulars),
		Tabs:             make([]stateTab, len(d.Tabs)), Cards: make([]stateCard, len(d.Cards)),
	}
	for n, t := range d.Tabs {
		out.Tabs[n] = stateTab{t.ID, t.Name}
	}
	for n, c := range d.Cards {
		out.Cards[n] = stateCard{c.ID, c.TabID, c.CardID, c.Row, c.Col, c.Width, c.Height, c.Mappings, c.Settings, c.Inline, c.Series}
	}
	return out, nil
}

// restore brings a dashboard back to a state. Tabs and dashcards that went
// since come back with new ids; questions that were deleted do not come back.
func (s *Service) restore(ctx context.Context, who *access.Principal, i content.Item, raw json.RawMessage) error {
	var then state
	if err := json.Unmarshal(raw, &then); err != nil {
		return fault.Wrap(err, "read state of a dashboard")
	}
	c := then.change()
	place, err := s.content.Collections().Folder(ctx, then.CollectionID)
	if err != nil {
		return fault.Wrap(err, "find collection")
	}
	if place == nil || place.Archived {
		c.CollectionID = opt.Value[int64]{} // its collection is gone: it stays where it is
	}
	if i.Archived && !then.Archived { // nothing changes in the trash
		out := content.Change{Archived: opt.Of(false), CollectionID: c.CollectionID}
		if i, err = s.content.Update(ctx, who, i.Ref(), out); err != nil {
			return err
		}
	}
	if i.Archived {
		c.Tabs, c.Cards = opt.Value[[]GivenTab]{}, opt.Value[[]GivenCard]{}
	}
	p := Particulars(then.stateParticulars)
	_, err = s.change(ctx, who, i.ID, c, &p)
	return err
}

// change returns the change that makes a dashboard what it was.
func (t state) change() Change {
	c := Change{
		Name: opt.Of(t.Name), Description: valueOf(t.Description), Archived: opt.Of(t.Archived),
		CollectionID: opt.Of(t.CollectionID), Position: valueOf(t.Position),
		Tabs: opt.Of([]GivenTab{}), Cards: opt.Of([]GivenCard{}),
	}
	for _, tab := range t.Tabs {
		c.Tabs.V = append(c.Tabs.V, GivenTab(tab))
	}
	for _, card := range t.Cards {
		c.Cards.V = append(c.Cards.V, GivenCard{
			ID: card.ID, TabID: valueOf(card.TabID), CardID: valueOf(card.CardID),
			Row: card.Row, Col: card.Col, Width: card.Width, Height: card.Height,
			Mappings: opt.Of(card.Mappings), Settings: opt.Of(card.Settings), Inline: opt.Of(card.Inline), Series: opt.Of(card.Series),
		})
	}
	return c
}

func valueOf[T any](p *T) opt.Value[T] {
	if p == nil {
		return opt.Null[T]()
	}
	return opt.Of(*p)
}

// words says what changed of what only dashboards have.
func words(field string, before, after revision.State) []string {
	switch field {
	case "cards":
		return movedCards(cardsIn(before), cardsIn(after))
	case "tabs":
		return []string{"changed the tabs"}
	case "parameters":
		return []string{"changed the filters"}
	case "full_width":
		return []string{"changed the width setting"}
	case "cache_ttl":
		return []string{"changed the cache duration"}
	case "auto_apply_filters":
		if string(after[field]) == "true" {
			return []string{"set auto apply filters to true"}
		}
		return []string{"set auto apply filters to false"}
	}
	return []string{"changed the " + strings.ReplaceAll(field, "_", " ")}
}

func cardsIn(s revision.State) map[int64]stateCard {
	var list []stateCard
	if err := json.Unmarshal(s["cards"], &list); err != nil {
		return nil
	}
	out := make(map[int64]stateCard, len(list))
	for _, c := range list {
		out[c.ID] = c
	}
	return out
}

// movedCards says how many dashcards came and went, or what else changed.
func movedCards(before, after map[int64]stateCard) []string {
	var added, removed int
	for id := range after {
		if _, ok := before[id]; !ok {
			added++
		}
	}
	for id := range before {
		if _, ok := after[id]; !ok {
			removed++
		}
	}
	var out []string
	if added > 0 {
		out = append(out, "added "+cards(added))
	}
	if removed > 0 {
		out = append(out, "removed "+cards(removed))
	}
	if out == nil {
		out = append(out, "modified the cards")
	}
	return out
}

func cards(n int) string {
	if n == 1 {
		return "a card"
	}
	return fmt.Sprintf("%d cards", n)
}

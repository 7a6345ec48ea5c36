package dashboard

import (
	"context"
	"maps"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// textTabless is the contract's text (content-data.md 4.3).
const textTabless = "This dashboard has tab, makes sure every card has a tab"

// replacement is a full replacement of tabs and dashcards in the making.
type replacement struct {
	old     Dashboard
	tabs    []GivenTab
	cards   []GivenCard
	tabIDs  map[int64]int64    // the number of a given tab to its id
	byID    map[int64]Dashcard // of old
	items   map[int64]content.Item
	back    bool // it brings an earlier state back
	changed bool
}

// replace makes tabs and dashcards what the change says, and reports whether
// anything is different then.
func (s *Service) replace(ctx context.Context, who *access.Principal, old Dashboard, c Change, back bool) (bool, error) {
	if old.Archived {
		return false, content.ArchivedFault()
	}
	r := &replacement{old: old, tabIDs: map[int64]int64{}, byID: map[int64]Dashcard{}, back: back}
	for _, card := range old.Cards {
		r.byID[card.ID] = card
	}
	r.want(c)
	if err := r.check(); err != nil {
		return false, err
	}
	if err := s.replaceTabs(ctx, r); err != nil {
		return false, err
	}
	if err := s.findCards(ctx, r); err != nil {
		return false, err
	}
	places := make([]Place, len(r.cards))
	for i, given := range r.cards {
		var err error
		if places[i], err = r.place(given); err != nil {
			return false, err
		}
	}
	if err := s.checkCards(ctx, who, r); err != nil {
		return false, err
	}
	if err := s.replaceCards(ctx, r, places); err != nil {
		return false, err
	}
	if err := s.deleteTabs(ctx, r); err != nil {
		return false, err
	}
	return r.changed, s.followInternal(ctx, who, r, places)
}

// want fills in the list that is absent. Dashcards without tabs mean that
// there are none, unless they stand on tabs that exist: then these stay, for
// clients that send back the dashcards alone. Tabs without dashcards keep what
// stands on the tabs that stay.
func (r *replacement) want(c Change) {
	r.tabs, r.cards = c.Tabs.V, c.Cards.V
	if !c.Tabs.Set && r.onOldTabs() {
		for _, t := range r.old.Tabs {
			r.tabs = append(r.tabs, GivenTab{t.ID, t.Name})
		}
	}
	if c.Cards.Set {
		return
	}
	stay := map[int64]bool{}
	for _, t := range r.tabs {
		stay[t.ID] = true
	}
	for _, card := range r.old.Cards {
		if card.TabID == nil || stay[*card.TabID] {
			r.cards = append(r.cards, kept(card))
		}
	}
}

// onOldTabs reports whether a given dashcard stands on a tab that exists.
func (r *replacement) onOldTabs() bool {
	exists := map[int64]bool{}
	for _, t := range r.old.Tabs {
		exists[t.ID] = true
	}
	for _, card := range r.cards {
		if id, ok := card.TabID.Get(); ok && exists[id] {
			return true
		}
		if was := r.byID[card.ID].TabID; was != nil && !card.TabID.Set {
			return true
		}
	}
	return false
}

// kept returns a dashcard as one that stays as it is.
func kept(c Dashcard) GivenCard {
	return GivenCard{ID: c.ID, Row: c.Row, Col: c.Col, Width: c.Width, Height: c.Height}
}

// check refuses numbers that are there twice, and bad names.
func (r *replacement) check() error {
	seen := map[int64]bool{}
	for _, t := range r.tabs {
		if seen[t.ID] {
			return fault.Field("tabs", "The id %d is there twice.", t.ID)
		}
		seen[t.ID] = true
		if err := naming.Check("tabs", t.Name, maxTabName); err != nil {
			return err
		}
	}
	clear(seen)
	for _, card := range r.cards {
		if seen[card.ID] {
			return fault.Field("dashcards", "The id %d is there twice.", card.ID)
		}
		seen[card.ID] = true
	}
	return nil
}

// replaceTabs writes the tabs that are new or different. Those that go are
// deleted when no dashcard stands on them any more.
func (s *Service) replaceTabs(ctx context.Context, r *replacement) error {
	exists := make(map[int64]Tab, len(r.old.Tabs))
	for _, t := range r.old.Tabs {
		exists[t.ID] = t
	}
	for position, t := range r.tabs {
		was, known := exists[t.ID]
		id := t.ID
		var err error
		switch {
		case !known:
			id, err = s.insertTab(ctx, r.old.ID, t.Name, position)
			r.changed = true
		case was.Name != t.Name || was.Position != int64(position):
			err = s.updateTab(ctx, id, t.Name, position)
			r.changed = true
		}
		if err != nil {
			return err
		}
		r.tabIDs[t.ID] = id
	}
	return nil
}

func (s *Service) deleteTabs(ctx context.Context, r *replacement) error {
	var gone []int64
	for _, t := range r.old.Tabs {
		if _, stays := r.tabIDs[t.ID]; !stays {
			gone = append(gone, t.ID)
		}
	}
	r.changed = r.changed || len(gone) > 0
	return s.deleteRows(ctx, "dashboard_tab", gone)
}

// place returns where a given dashcard will stand and what it shows.
func (r *replacement) place(g GivenCard) (Place, error) {
	p := r.byID[g.ID].Place
	if _, known := r.byID[g.ID]; !known {
		p = Place{Mappings: emptyList, Settings: emptyMap, Inline: emptyList}
	}
	p.Row, p.Col, p.Width, p.Height = g.Row, g.Col, g.Width, g.Height
	if g.Row < 0 || g.Col < 0 || g.Width <= 0 || g.Height <= 0 || max(g.Row, g.Col, g.Width, g.Height) > maxGrid {
		return p, fault.Field("dashcards", "A dashcard needs a row and a column from 0 up and a size from 1 up, none above %d.", maxGrid)
	}
	if g.CardID.Set {
		p.CardID = g.CardID.Ptr()
	}
	if g.Series.Set {
		p.Series = unique(g.Series.V)
	}
	if p.CardID == nil && len(p.Series) > 0 {
		return p, fault.Field("dashcards", "A dashcard without a card has no series.")
	}
	takeJSON(g.Mappings, emptyList, &p.Mappings)
	takeJSON(g.Settings, emptyMap, &p.Settings)
	takeJSON(g.Inline, emptyList, &p.Inline)
	if _, err := readMappings(p.Mappings); err != nil {
		return p, err
	}
	return p, r.placeOnTab(g, &p)
}

// takeJSON takes a value over when there is one; null is the empty one.
func takeJSON(from opt.Value[JSON], empty JSON, to *JSON) {
	if from.Set {
		*to = from.Or(empty)
	}
}

func unique(ids []int64) []int64 {
	seen := map[int64]bool{}
	var out []int64
	for _, id := range ids {
		if !seen[id] {
			out = append(out, id)
		}
		seen[id] = true
	}
	return out
}

// placeOnTab resolves the number of a dashcard's tab. The only tab takes what
// names none; of several, one must be named (contract/content-data.md 4.3).
func (r *replacement) placeOnTab(g GivenCard, p *Place) error {
	named := g.TabID.Ptr()
	if !g.TabID.Set && p.TabID != nil {
		if _, stays := r.tabIDs[*p.TabID]; stays {
			named = p.TabID
		}
	}
	p.TabID = nil
	switch {
	case named != nil:
		id, ok := r.tabIDs[*named]
		if !ok {
			return fault.Field("dashcards", "There is no tab with the id %d.", *named)
		}
		p.TabID = &id
	case len(r.tabs) == 1:
		id := r.tabIDs[r.tabs[0].ID]
		p.TabID = &id
	case len(r.tabs) > 1:
		return fault.New(fault.Invalid, textTabless)
	}
	return nil
}

// findCards reads the questions that are on the dashboard or come onto it. An
// earlier state comes back without those that were deleted.
func (s *Service) findCards(ctx context.Context, r *replacement) error {
	ids := r.old.CardIDs()
	for _, g := range r.cards {
		ids = append(ids, g.CardID.V)
		ids = append(ids, g.Series.V...)
	}
	var err error
	if r.items, err = s.content.ByIDs(ctx, content.Card, ids); err != nil || !r.back {
		return err
	}
	gone := func(id int64) bool { _, ok := r.items[id]; return !ok }
	r.cards = slices.DeleteFunc(r.cards, func(g GivenCard) bool { id, ok := g.CardID.Get(); return ok && gone(id) })
	for i := range r.cards {
		r.cards[i].Series.V = slices.DeleteFunc(r.cards[i].Series.V, gone)
	}
	return nil
}

// checkCards refuses questions that come onto the dashboard and may not: ones
// that do not exist, that who may not see, that are in the trash, or that live
// in another dashboard. What stands on it already may stay.
func (s *Service) checkCards(ctx context.Context, who *access.Principal, r *replacement) error {
	checked := map[int64]bool{}
	for _, id := range r.old.CardIDs() {
		checked[id] = true
	}
	for _, g := range r.cards {
		ids := g.Series.V
		if id, ok := g.CardID.Get(); ok {
			ids = append([]int64{id}, ids...)
		}
		for _, id := range ids {
			if checked[id] {
				continue
			}
			checked[id] = true
			if err := s.checkCard(ctx, who, r, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) checkCard(ctx context.Context, who *access.Principal, r *replacement, id int64) error {
	i, ok := r.items[id]
	if !ok {
		return fault.New(fault.NotFound, "Not found.")
	}
	if err := s.content.RequireItem(ctx, who, i, access.View); err != nil {
		return err
	}
	switch own := i.DashboardID == r.old.ID; {
	case i.Archived && !own && !r.back:
		return content.ArchivedFault()
	case i.DashboardID != 0 && !own:
		return fault.New(fault.Invalid, "Invalid Request.")
	}
	return nil
}

// replaceCards writes the dashcards that are new or different, in the order in
// which they are given, and deletes those that are not.
func (s *Service) replaceCards(ctx context.Context, r *replacement, places []Place) error {
	gone := make(map[int64]bool, len(r.byID))
	for id := range r.byID {
		gone[id] = true
	}
	for i, g := range r.cards {
		was, known := r.byID[g.ID]
		delete(gone, g.ID)
		var err error
		switch {
		case !known:
			err = s.insertCard(ctx, r.old.ID, places[i], r.items)
			r.changed = true
		case !was.equal(places[i]):
			err = s.updateCard(ctx, g.ID, places[i], r.items)
			r.changed = true
		}
		if err != nil {
			return err
		}
	}
	ids := make([]int64, 0, len(gone))
	for id := range gone {
		ids = append(ids, id)
	}
	r.changed = r.changed || len(ids) > 0
	return s.deleteRows(ctx, "dashcard", ids)
}

// followInternal puts the questions that live in the dashboard and stand on it
// no more into the trash, and takes those that came back out of it: nobody
// could find them otherwise.
func (s *Service) followInternal(ctx context.Context, who *access.Principal, r *replacement, places []Place) error {
	on := map[int64]bool{}
	for _, p := range places {
		for _, id := range p.cards() {
			on[id] = true
		}
	}
	var moved []content.Item
	for _, id := range r.old.CardIDs() {
		if !on[id] {
			moved = append(moved, r.items[id])
		}
		delete(on, id)
	}
	for _, id := range slices.Sorted(maps.Keys(on)) {
		moved = append(moved, r.items[id])
	}
	for _, i := range moved {
		if i.DashboardID != r.old.ID {
			continue
		}
		if _, err := s.content.Update(ctx, who, i.Ref(), content.Change{Archived: opt.Of(!on[i.ID])}); err != nil {
			return err
		}
	}
	return nil
}

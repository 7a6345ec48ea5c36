package dashboard_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// model is a dashboard in the plainest form. Tabs and cards are in order; what
// is new gets its id from the answer.
type model struct {
	tabs  []modelTab
	cards []modelCard // by id, the new ones behind, in the order in which they were given
}

type modelTab struct {
	id   int64 // 0: new
	name string
}

type modelCard struct {
	id        int64 // 0: new
	tab       int   // the place of the tab in the list, -1 for none
	card, row int64
}

// put is the rule of replacement, said once more and slowly. It reports false
// for what must be refused.
func (m model) put(c dashboard.Change) (model, bool) {
	tabs, cards := c.Tabs.V, c.Cards.V
	if !c.Tabs.Set && !c.Cards.Set {
		return m, true
	}
	if !c.Cards.Set {
		for _, old := range m.cards {
			if old.tab < 0 || slices.ContainsFunc(tabs, func(t dashboard.GivenTab) bool { return t.ID == m.tabs[old.tab].id }) {
				g := at(old.id, old.card, old.row)
				if old.tab >= 0 {
					g = onTab(g, m.tabs[old.tab].id)
				}
				cards = append(cards, g)
			}
		}
	}
	if !c.Tabs.Set && slices.ContainsFunc(cards, func(g dashboard.GivenCard) bool {
		id, named := g.TabID.Get()
		return m.tab(id) >= 0 && named || !g.TabID.Set && m.card(g.ID) != nil && m.card(g.ID).tab >= 0
	}) {
		for _, t := range m.tabs {
			tabs = append(tabs, dashboard.GivenTab{ID: t.id, Name: t.name})
		}
	}
	var out model
	for i, t := range tabs {
		if slices.ContainsFunc(tabs[:i], func(u dashboard.GivenTab) bool { return u.ID == t.ID }) {
			return m, false
		}
		made := modelTab{name: t.Name}
		if m.tab(t.ID) >= 0 {
			made.id = t.ID
		}
		out.tabs = append(out.tabs, made)
	}
	var added []modelCard
	for i, g := range cards {
		if slices.ContainsFunc(cards[:i], func(h dashboard.GivenCard) bool { return h.ID == g.ID }) {
			return m, false
		}
		next, ok := m.next(g, tabs)
		if !ok {
			return m, false
		}
		if next.id == 0 {
			added = append(added, next)
		} else {
			out.cards = append(out.cards, next)
		}
	}
	slices.SortFunc(out.cards, func(a, b modelCard) int { return int(a.id - b.id) })
	out.cards = append(out.cards, added...)
	return out, true
}

// next returns what a given dashcard becomes.
func (m model) next(g dashboard.GivenCard, tabs []dashboard.GivenTab) (modelCard, bool) {
	next := modelCard{tab: -1, card: g.CardID.V, row: g.Row}
	named, has := g.TabID.Get()
	if old := m.card(g.ID); old != nil {
		next.id = old.id
		if !g.CardID.Set {
			next.card = old.card
		}
		if !g.TabID.Set && old.tab >= 0 {
			id := m.tabs[old.tab].id
			if slices.ContainsFunc(tabs, func(t dashboard.GivenTab) bool { return t.ID == id }) {
				named, has = id, true
			}
		}
	}
	switch {
	case has:
		next.tab = slices.IndexFunc(tabs, func(t dashboard.GivenTab) bool { return t.ID == named })
		return next, next.tab >= 0
	case len(tabs) == 1:
		next.tab = 0
	}
	return next, len(tabs) < 2
}

func (m model) tab(id int64) int {
	return slices.IndexFunc(m.tabs, func(t modelTab) bool { return t.id == id && id != 0 })
}

func (m model) card(id int64) *modelCard {
	i := slices.IndexFunc(m.cards, func(c modelCard) bool { return c.id == id && id != 0 })
	if i < 0 {
		return nil
	}
	return &m.cards[i]
}

// learn takes the ids of what is new from the answer, and says what differs.
func (m *model) learn(d dashboard.Dashboard) string {
	var wrong []string
	differs := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if len(d.Tabs) != len(m.tabs) || len(d.Cards) != len(m.cards) {
		return fmt.Sprintf("%d tabs and %d dashcards, want %d and %d", len(d.Tabs), len(d.Cards), len(m.tabs), len(m.cards))
	}
	for i, t := range d.Tabs {
		if m.tabs[i].id == 0 {
			m.tabs[i].id = t.ID
		}
		if m.tabs[i] != (modelTab{t.ID, t.Name}) || t.Position != int64(i) {
			differs("tab %d: %+v, want %+v", i, t, m.tabs[i])
		}
	}
	for i, c := range d.Cards {
		got := modelCard{id: c.ID, tab: -1, row: c.Row}
		if c.CardID != nil {
			got.card = *c.CardID
		}
		if c.TabID != nil {
			got.tab = m.tab(*c.TabID)
		}
		if m.cards[i].id == 0 {
			m.cards[i].id = c.ID
		}
		if got != m.cards[i] {
			differs("dashcard %d: %+v, want %+v", i, got, m.cards[i])
		}
	}
	return strings.Join(wrong, "\n")
}

// randomPut makes a change, mostly a sensible one.
func randomPut(r *rand.Rand, m model, questions []int64) dashboard.Change {
	var c dashboard.Change
	ids := []int64{0, -1, -2, -3, 1_000_000}
	tabIDs := []int64{-1}
	for _, t := range m.tabs {
		tabIDs = append(tabIDs, t.id)
	}
	if r.IntN(3) > 0 {
		c.Tabs = opt.Of([]dashboard.GivenTab{})
		for _, id := range append(slices.Clone(tabIDs), ids...) {
			if r.IntN(6) < 2 {
				c.Tabs.V = append(c.Tabs.V, dashboard.GivenTab{ID: id, Name: fmt.Sprint("tab ", r.IntN(5))})
			}
		}
		r.Shuffle(len(c.Tabs.V), func(i, j int) { c.Tabs.V[i], c.Tabs.V[j] = c.Tabs.V[j], c.Tabs.V[i] })
		tabIDs = nil
		for _, t := range c.Tabs.V {
			tabIDs = append(tabIDs, t.ID)
		}
	}
	switch r.IntN(8) {
	case 0:
		return c
	case 1:
		c.Cards = opt.Null[[]dashboard.GivenCard]()
		return c
	}
	for _, card := range m.cards {
		ids = append(ids, card.id)
	}
	c.Cards = opt.Of([]dashboard.GivenCard{})
	for _, id := range ids {
		if r.IntN(3) == 0 {
			continue
		}
		g := at(id, questions[r.IntN(len(questions))], int64(r.IntN(50)))
		if r.IntN(3) == 0 {
			g.CardID = opt.Value[int64]{}
		}
		if r.IntN(10) > 0 && len(tabIDs) > 0 {
			g.TabID = opt.Of(tabIDs[r.IntN(len(tabIDs))])
		} else if r.IntN(4) == 0 {
			g.TabID = opt.Null[int64]()
		}
		c.Cards.V = append(c.Cards.V, g)
	}
	r.Shuffle(len(c.Cards.V), func(i, j int) { c.Cards.V[i], c.Cards.V[j] = c.Cards.V[j], c.Cards.V[i] })
	return c
}

// TestRandomReplacements compares sequences of replacements with a model. A
// refused one changes nothing.
func TestRandomReplacements(t *testing.T) {
	const sequences, length = 6, 40
	each(t, func(t *testing.T, w *world) {
		questions := w.cards(4)
		questions = append(questions, w.card("more", access.RootCollection, 0))
		done, refused := 0, 0
		for seed := range uint64(sequences) {
			r := rand.New(rand.NewPCG(seed, 1))
			d := w.make(fmt.Sprint("sequence ", seed))
			var m model
			for step := range length {
				c := randomPut(r, m, questions)
				before := text(t, w.get(d.ID))
				next, ok := m.put(c)
				got, err := w.Update(t.Context(), admin, d.ID, c)
				if ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
					t.Fatalf("seed %d, step %d: %v, want success %v\n%+v\n%s", seed, step, err, ok, c, before)
				}
				if !ok {
					refused++
					if after := text(t, w.get(d.ID)); after != before {
						t.Fatalf("seed %d, step %d: refused, but changed\n%s\n%s", seed, step, before, after)
					}
					continue
				}
				done++
				if wrong := next.learn(got); wrong != "" {
					t.Fatalf("seed %d, step %d: %s\n%+v\n%s", seed, step, wrong, c, before)
				}
				m = next
			}
		}
		if done < sequences*length/4 || refused < sequences*length/20 {
			t.Errorf("%d changes and %d refusals show little", done, refused)
		}
	})
}

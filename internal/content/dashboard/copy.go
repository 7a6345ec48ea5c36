package dashboard

import (
	"context"
	"encoding/json"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/revision"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Copy says how to copy a dashboard (contract/content-data.md 4.4).
type Copy struct {
	Name         *string // that of the original when nil
	Description  *string // likewise
	CollectionID int64
	Position     *int64
	Deep         bool // with its questions
}

// textShallow is the contract's text (content-data.md 4.4).
const textShallow = "You cannot do a shallow copy of this dashboard because it contains Dashboard Questions."

// Copy makes a copy of a dashboard. A deep one has copies of the questions, but
// for models and metrics, which it shares. Questions that who may not see, or
// that are in the trash, are left out; their ids are returned. It returns
// NotFound, Forbidden and Invalid.
func (s *Service) Copy(ctx context.Context, who *access.Principal, id int64, c Copy) (Dashboard, []int64, error) {
	var out Dashboard
	var left []int64
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.Get(ctx, who, id)
		if err != nil {
			return err
		}
		if c.Name == nil {
			c.Name = &old.Name
		}
		if c.Description == nil {
			c.Description = old.Description
		}
		i, err := s.content.Create(ctx, who, content.NewItem{
			Kind: content.Dashboard, Model: content.ModelDashboard, Name: *c.Name, Description: c.Description,
			CollectionID: c.CollectionID, Position: c.Position,
		})
		if err != nil {
			return err
		}
		if err := s.insert(ctx, i, old.Particulars); err != nil {
			return err
		}
		p := copying{to: i, deep: c.Deep, cards: map[int64]int64{}}
		if left, err = s.copyCards(ctx, who, old, &p); err != nil {
			return err
		}
		if _, err := s.replace(ctx, who, Dashboard{Item: i}, p.layout(old), false); err != nil {
			return err
		}
		if err := s.log.Record(ctx, who, i, revision.Note{Creation: true}); err != nil {
			return err
		}
		out, err = s.read(ctx, i)
		return err
	})
	return out, left, err
}

// copying is a copy in the making.
type copying struct {
	to    content.Item
	deep  bool
	cards map[int64]int64 // of the original to those of the copy; others are left out
}

// copyCards decides what the copy shows in place of each question, makes the
// copies of those, and returns the ids of the questions that are left out.
func (s *Service) copyCards(ctx context.Context, who *access.Principal, old Dashboard, p *copying) (left []int64, err error) {
	ids := old.CardIDs()
	items, err := s.content.ByIDs(ctx, content.Card, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		i := items[id]
		level, err := s.content.LevelOf(ctx, who, i)
		switch {
		case err != nil:
			return nil, fault.Wrap(err, "decide about a question")
		case i.DashboardID != 0 && !p.deep:
			return nil, fault.New(fault.Invalid, textShallow)
		case level < access.View, i.Archived:
			left = append(left, id)
		case !p.deep, i.Model != content.ModelCard:
			p.cards[id] = id
		default:
			if p.cards[id], err = s.copyCard(ctx, who, i, p.to); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

// duplicate ends the name of a copy that lies where the original does.
const duplicate = " - Duplicate"

// copyCard copies a question for a copy of its dashboard. One that lived in the
// dashboard lives in the copy.
func (s *Service) copyCard(ctx context.Context, who *access.Principal, i, to content.Item) (int64, error) {
	old, err := s.cards.Get(ctx, who, i.ID)
	if err != nil {
		return 0, err
	}
	n := card.New{
		Name: old.Name, Description: old.Description, Type: old.Type(), Query: old.Query, Display: old.Display,
		Settings: old.Settings, Parameters: old.Parameters, Mappings: old.Mappings, Metadata: old.Metadata,
		CollectionID: opt.Of(to.CollectionID), CacheTTL: old.CacheTTL,
	}
	if n.Metadata == nil {
		n.Metadata = emptyList // nobody waits for queries to run in here
	}
	if i.DashboardID == 0 && i.CollectionID == to.CollectionID {
		name := []rune(old.Name)
		n.Name = string(name[:min(len(name), maxName-len(duplicate))]) + duplicate
	}
	made, err := s.cards.Create(ctx, who, n)
	if err != nil || i.DashboardID == 0 {
		return made.ID, err
	}
	_, err = s.content.Update(ctx, who, made.Ref(), content.Change{DashboardID: opt.Of(to.ID)})
	return made.ID, err
}

// layout returns what stands on the original as it will stand on the copy. The
// ids are unknown there, so that all is new.
func (p *copying) layout(old Dashboard) Change {
	c := Change{Tabs: opt.Of([]GivenTab{}), Cards: opt.Of([]GivenCard{})}
	for _, t := range old.Tabs {
		c.Tabs.V = append(c.Tabs.V, GivenTab{t.ID, t.Name})
	}
	for _, d := range old.Cards {
		g := GivenCard{
			ID: d.ID, TabID: valueOf(d.TabID), Row: d.Row, Col: d.Col, Width: d.Width, Height: d.Height,
			Mappings: opt.Of(p.mapped(d.Mappings)), Settings: opt.Of(d.Settings), Inline: opt.Of(d.Inline),
		}
		if d.CardID != nil {
			id, ok := p.cards[*d.CardID]
			if !ok {
				continue
			}
			g.CardID, g.Series.Set = opt.Of(id), true
		}
		for _, series := range d.Series {
			if id, ok := p.cards[series]; ok {
				g.Series.V = append(g.Series.V, id)
			}
		}
		c.Cards.V = append(c.Cards.V, g)
	}
	return c
}

// mapped returns mappings of parameters with the questions of the copy.
func (p *copying) mapped(raw JSON) JSON {
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return raw
	}
	for _, m := range list {
		var id int64
		if json.Unmarshal(m["card_id"], &id) != nil {
			continue
		}
		if to, ok := p.cards[id]; ok {
			m["card_id"], _ = json.Marshal(to) // a number always encodes
		}
	}
	out, err := json.Marshal(list)
	if err != nil {
		return raw
	}
	return out
}

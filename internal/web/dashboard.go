package web

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/fault"
	"latchkey/internal/query"
)

// dashboardBody is the page of a dashboard.
type dashboardBody struct {
	Board    dashboard.Dashboard
	Crumbs   []crumb
	CanWrite bool
	Tab      int64 // the one that is shown, 0 on a dashboard without tabs
	Asked    []asked
	Cells    []dashCell
}

func (b dashboardBody) collectionID() int64 { return max(b.Board.CollectionID, 0) }

// Self returns the address of the page.
func (b dashboardBody) Self() string { return contentPath(b.Board.Item) }

// Deed returns the address of a dialog that does something with the dashboard.
func (b dashboardBody) Deed(what string) string { return deedPath(b.Board.Item, what) }

// dashCell is a place in the grid.
type dashCell struct {
	dashboard.Dashcard
	Title string
	Text  string // of a cell that shows no question
	Link  string // the question's page, "" for who may not see it
	Load  string // where the result comes from
}

// virtual is what a dashcard says that shows no question.
type virtual struct {
	Text  string `json:"text"`
	Title string `json:"card.title"`
}

func (p *page) showDashboard() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	d, err := p.site.Dashboards.Get(p.ctx(), p.who, id)
	if err != nil {
		return err
	}
	b := dashboardBody{Board: d, CanWrite: p.site.Content.CanWrite(p.ctx(), p.who, d.Item), Asked: askedOfBoard(d, p.r.URL.Query())}
	if b.Crumbs, err = p.wayTo(d.Item); err != nil {
		return err
	}
	b.Tab = chosenTab(d, p.r.URL.Query().Get("tab"))
	if b.Cells, err = p.dashCells(b); err != nil {
		return err
	}
	p.site.Content.Saw(p.who, d.Ref())
	return p.show("dashboard", d.Name, b)
}

// chosenTab returns the tab that an address names, the first one without.
func chosenTab(d dashboard.Dashboard, text string) int64 {
	id, _ := strconv.ParseInt(text, 10, 64)
	for _, t := range d.Tabs {
		if t.ID == id {
			return id
		}
	}
	if len(d.Tabs) > 0 {
		return d.Tabs[0].ID
	}
	return 0
}

// askedOfBoard returns the filters of a dashboard, with the values that stand
// in an address by their slugs.
func askedOfBoard(d dashboard.Dashboard, values url.Values) []asked {
	declared, _ := query.ReadParameters(d.Parameters) // they were checked when they were stored
	named, _ := dashboard.ReadParameters(d.Parameters)
	out := make([]asked, len(declared))
	for i, p := range declared {
		a := asked{Parameter: p, Name: p.Slug, Label: cmp.Or(named[i].Name, p.Slug, p.ID), Value: plainText(p.Default)}
		a.Name = cmp.Or(a.Name, p.ID)
		if values.Has(a.Name) {
			a.Value = values.Get(a.Name)
		}
		out[i] = a
	}
	return out
}

// dashCells returns the places of the tab that is shown, in reading order.
func (p *page) dashCells(b dashboardBody) ([]dashCell, error) {
	var cells []dashCell
	var ids []int64
	for _, dc := range b.Board.Cards {
		if dc.TabID != nil && *dc.TabID != b.Tab {
			continue
		}
		cells = append(cells, dashCell{Dashcard: dc})
		if dc.CardID != nil {
			ids = append(ids, *dc.CardID)
		}
	}
	slices.SortStableFunc(cells, func(a, b dashCell) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col)) })
	items, err := p.site.Content.ByIDs(p.ctx(), content.Card, ids)
	if err != nil {
		return nil, err
	}
	for i := range cells {
		p.fillCell(&cells[i], b, items)
	}
	return cells, nil
}

func (p *page) fillCell(c *dashCell, b dashboardBody, items map[int64]content.Item) {
	var v virtual
	_ = json.Unmarshal(c.Settings, &v) // what is no text of ours is not shown
	c.Title, c.Text = v.Title, v.Text
	if c.CardID == nil {
		return
	}
	i, ok := items[*c.CardID]
	if !ok {
		return
	}
	if level, err := p.site.Content.LevelOf(p.ctx(), p.who, i); err != nil || level < access.View {
		c.Title, c.Text = "", "You may not see this question."
		return
	}
	c.Title, c.Link = cmp.Or(c.Title, i.Name), contentPath(i)
	values := url.Values{}
	for _, a := range b.Asked {
		values.Set(a.Name, a.Value)
	}
	c.Load = b.Self() + "/dashcard/" + idText(c.ID) + "?" + values.Encode()
}

// showDashcard answers with the result of one place of a dashboard.
func (p *page) showDashcard() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	d, err := p.site.Dashboards.Get(p.ctx(), p.who, id)
	if err != nil {
		return err
	}
	wanted, err := positive(p.r.PathValue("dashcard"))
	if err != nil {
		return err
	}
	for _, dc := range d.Cards {
		if dc.ID == wanted && dc.CardID != nil {
			return p.dashcardResult(d, dc)
		}
	}
	return fault.New(fault.NotFound, "Not found.")
}

// dashcardResult runs the question of one place with the filters of the
// dashboard.
func (p *page) dashcardResult(d dashboard.Dashboard, dc dashboard.Dashcard) error {
	var given []dashboard.Asked
	for _, a := range sent(askedOfBoard(d, p.r.URL.Query())) {
		given = append(given, dashboard.Asked{ID: a.ID, Type: a.Type, Value: a.Value, Options: a.Options})
	}
	bound, err := p.site.Dashboards.Bind(p.ctx(), p.who, d.ID, dc.ID, *dc.CardID, given)
	if err != nil {
		return err
	}
	c, err := p.site.Cards.Get(p.ctx(), p.who, *dc.CardID)
	if err != nil {
		return err
	}
	declared, err := query.ReadParameters(c.Parameters)
	if err != nil {
		return err
	}
	run := query.Stored{Query: c.Query, Declared: declared, CardID: c.ID}
	for _, b := range bound {
		run.Parameters = append(run.Parameters, query.Parameter{ID: b.ID, Type: b.Type, Value: b.Value, Options: b.Options, Target: b.Target})
	}
	return p.show("dashcard", "", p.runStored(run))
}

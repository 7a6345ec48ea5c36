package web

import (
	"cmp"
	"encoding/json"
	"html/template"
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
	itemHead
	Board dashboard.Dashboard
	Tab   int64 // the one that is shown, 0 on a dashboard without tabs
	Asked []asked
	Cells []dashCell
}

// TabURL returns the address of a tab, with the filters as they stand.
func (b dashboardBody) TabURL(id int64) string {
	values := url.Values{"tab": {idText(id)}}
	for _, a := range b.Asked {
		if a.Value != plainText(a.Default) {
			values.Set(a.Name, a.Value)
		}
	}
	return b.Self() + "?" + values.Encode()
}

// dashCell is a place in the grid.
type dashCell struct {
	dashboard.Dashcard
	Title    string
	Heading  bool          // it is a heading and nothing else
	Text     template.HTML // of a cell that shows no question
	Withheld string        // why nothing is shown
	Link     string        // the question's page, "" for who may not see it
	Load     string        // where the result comes from
}

// Class returns how the cell looks.
func (c dashCell) Class() string {
	switch {
	case c.Heading:
		return "cell text heading"
	case c.CardID == nil && c.Withheld == "":
		return "cell text"
	}
	return "cell"
}

// virtual is what a dashcard says that shows no question
// (contract/content-data.md 4).
type virtual struct {
	Text  string `json:"text"`
	Title string `json:"card.title"`
	Card  struct {
		Display string `json:"display"`
	} `json:"virtual_card"`
	Link struct {
		URL    string `json:"url"`
		Entity struct {
			ID    int64  `json:"id"`
			Model string `json:"model"`
		} `json:"entity"`
	} `json:"link"`
	Frame string `json:"iframe"`
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
	b := dashboardBody{Board: d, Asked: askedOfBoard(d, p.r.URL.Query())}
	if b.itemHead, err = p.head(d.Item, "dashboard"); err != nil {
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
	_ = json.Unmarshal(c.Settings, &v) // what cannot be read is not shown
	c.Title = v.Title
	if c.CardID == nil {
		p.fillVirtual(c, v)
		return
	}
	i, ok := items[*c.CardID]
	if !ok {
		c.Withheld = "This question no longer exists."
		return
	}
	if level, err := p.site.Content.LevelOf(p.ctx(), p.who, i); err != nil || level < access.View {
		c.Title, c.Withheld = "", "You don’t have access to this question."
		return
	}
	c.Title, c.Link = cmp.Or(c.Title, i.Name), contentPath(i)
	values := url.Values{}
	for _, a := range b.Asked {
		values.Set(a.Name, a.Value)
	}
	c.Load = b.Self() + "/dashcard/" + idText(c.ID) + "?" + values.Encode()
}

// fillVirtual fills a place that shows no question. Pages of others are linked
// to and never embedded.
func (p *page) fillVirtual(c *dashCell, v virtual) {
	switch v.Card.Display {
	case "heading":
		c.Heading, c.Title = true, cmp.Or(v.Text, v.Title)
	case "link":
		c.Title, c.Link = p.linkTo(v)
		if c.Link == "" {
			c.Withheld = "You don’t have access to this link."
		}
	case "iframe":
		c.Title, c.Link = v.Frame, v.Frame
		if !safeAddress(v.Frame) {
			c.Title, c.Link, c.Withheld = "", "", "Embedded pages are not shown here."
		}
	case "action", "placeholder":
		c.Withheld = "Actions are not available here."
	default:
		c.Text = p.site.texts.format(v.Text)
	}
}

// linkTo returns what a link on a dashboard is called and where it leads, ""
// for what the caller may not see and for what has no page.
func (p *page) linkTo(v virtual) (title, address string) {
	if v.Link.URL != "" {
		if !safeAddress(v.Link.URL) {
			return v.Link.URL, ""
		}
		return v.Link.URL, v.Link.URL
	}
	kinds := map[string]content.Kind{
		"card": content.Card, "dataset": content.Card, "metric": content.Card,
		"dashboard": content.Dashboard, "collection": content.Collection,
	}
	kind, ok := kinds[v.Link.Entity.Model]
	if !ok {
		return "", ""
	}
	i, err := p.site.Content.Get(p.ctx(), p.who, content.Ref{Kind: kind, ID: v.Link.Entity.ID})
	if err != nil {
		return "", ""
	}
	return i.Name, contentPath(i)
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

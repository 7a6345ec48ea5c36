package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/endpoint"
	"latchkey/internal/export"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query"
)

// dashcardPath names a question at a place of a dashboard.
type dashcardPath struct {
	ID       int64 `path:"id" rule:"posint"`
	Dashcard int64 `path:"dashcard" rule:"posint"`
	Card     int64 `path:"card" rule:"posint"`
}

type runDashcardInput struct {
	dashcardPath
	Parameters opt.Value[any] `json:"parameters"`
}

type exportDashcardInput struct {
	dashcardPath
	fileOptions
}

type copyDashboardInput struct {
	ID                 int64             `path:"id" rule:"posint"`
	Name               opt.Value[string] `json:"name" rule:"nonblank,max=254"`
	Description        opt.Value[string] `json:"description"`
	CollectionID       opt.Value[int64]  `json:"collection_id" rule:"posint" kind:"collections"`
	CollectionPosition opt.Value[int64]  `json:"collection_position" rule:"posint"`
	Deep               opt.Value[bool]   `json:"is_deep_copy" scope:"cards:write"`
}

// wireCopied is a copy, with the questions that it lacks.
type wireCopied struct {
	wireDashboard
	Uncopied []wireUnreadable `json:"uncopied,omitempty"`
}

type parameterPath struct {
	ID  string `path:"id" rule:"entity"`
	Key string `path:"key"`
}

type parameterSearch struct {
	parameterPath
	Text string `path:"text"`
}

// wireFilterValues are the values that a filter offers, each in a list with its label.
type wireFilterValues struct {
	Values  []json.RawMessage `json:"values"`
	HasMore bool              `json:"has_more_values"`
}

// runs returns the routes that run a question where it stands
// (contract/content-data.md 4.5).
func (d *dashboardRoutes) runs(policy access.Policy) []endpoint.Endpoint {
	const place = "/{id}/dashcard/{dashcard}/card/{card}/query"
	const path = "/api/dashboard" + place
	list := []endpoint.Endpoint{
		d.running(path, "Run a question of a dashboard with its filters", policy),
		d.running("/api/dashboard/pivot"+place, "Run a question of a dashboard that is shown as a pivot table", policy),
	}
	for _, format := range []string{export.FormatCSV, export.FormatJSON, "xlsx"} {
		file := func(ctx context.Context, c *endpoint.Call, in exportDashcardInput) (exportAnswer, error) {
			run, err := d.stored(ctx, c, in.dashcardPath, in.Parameters)
			if err != nil {
				return exportAnswer{}, err
			}
			return d.queries.exportStored(ctx, c, run, format, in.fileOptions)
		}
		list = append(list, endpoint.Naming(endpoint.New("POST", path+"/"+format, "Run a question of a dashboard and get all rows as "+format, policy, file),
			func(ctx context.Context, c *endpoint.Call, in exportDashcardInput) ([]access.Ref, error) {
				return d.cards.databaseOfCard(ctx, c.Who, idText(in.Card))
			}, access.KindDatabases))
	}
	return list
}

// running is a route that runs a question where it stands.
func (d *dashboardRoutes) running(path, doc string, policy access.Policy) endpoint.Endpoint {
	return endpoint.Naming(endpoint.New("POST", path, doc, policy, d.run).Answers(http.StatusAccepted),
		func(ctx context.Context, c *endpoint.Call, in runDashcardInput) ([]access.Ref, error) {
			return d.cards.databaseOfCard(ctx, c.Who, idText(in.Card))
		}, access.KindDatabases)
}

func (d *dashboardRoutes) run(ctx context.Context, c *endpoint.Call, in runDashcardInput) (*queryAnswer, error) {
	run, err := d.stored(ctx, c, in.dashcardPath, in.Parameters)
	if err != nil {
		return nil, err
	}
	return d.queries.runStored(ctx, c, run)
}

// stored finds the question, and what the filters of the dashboard do to it.
func (d *dashboardRoutes) stored(ctx context.Context, c *endpoint.Call, at dashcardPath, given opt.Value[any]) (storedRun, error) {
	sent, err := readParameters(given)
	if err != nil {
		return storedRun{}, err
	}
	asked := make([]dashboard.Asked, len(sent))
	for i, p := range sent {
		asked[i] = dashboard.Asked{ID: p.ID, Type: p.Type, Value: p.Value, Options: p.Options}
	}
	bound, err := d.dashboards.Bind(ctx, c.Who, at.ID, at.Dashcard, at.Card, asked)
	if err != nil {
		return storedRun{}, err
	}
	found, err := d.cards.cards.Get(ctx, c.Who, at.Card)
	if err != nil {
		return storedRun{}, err
	}
	run, err := runOf(found)
	run.DashboardID, run.Context = at.ID, "dashboard"
	for _, b := range bound {
		run.Parameters = append(run.Parameters, query.Parameter{ID: b.ID, Type: b.Type, Value: b.Value, Options: b.Options, Target: b.Target})
	}
	return run, err
}

// runOf is a question as it runs without values.
func runOf(c card.Card) (storedRun, error) {
	declared, err := query.ReadParameters(c.Parameters)
	return storedRun{
		Stored: query.Stored{Query: c.Query, Declared: declared, CardID: c.ID},
		Name:   c.Name,
	}, fault.Wrap(err, "read parameters of a question")
}

func (d *dashboardRoutes) copy(ctx context.Context, c *endpoint.Call, in copyDashboardInput) (wireCopied, error) {
	made, left, err := d.dashboards.Copy(ctx, c.Who, in.ID, dashboard.Copy{
		Name: in.Name.Ptr(), Description: in.Description.Ptr(), CollectionID: idOf(in.CollectionID),
		Position: in.CollectionPosition.Ptr(), Deep: in.Deep.Or(false),
	})
	if err != nil {
		return wireCopied{}, archivedAnswer(err)
	}
	a, err := d.around(ctx, c.Who, made.Item)
	out := wireCopied{wireDashboard: d.plain(ctx, c.Who, made, a)}
	for _, id := range left {
		out.Uncopied = append(out.Uncopied, wireUnreadable{id})
	}
	return out, err
}

// questions lists what lives in a dashboard. The total is the size of the page
// (contract/content-data.md 4.1).
func (d *dashboardRoutes) questions(ctx context.Context, c *endpoint.Call, in entityPath) (wireItems, error) {
	id, err := d.itemID(ctx, content.Dashboard, in.ID)
	if err != nil {
		return wireItems{}, err
	}
	board, list, err := d.dashboards.Questions(ctx, c.Who, id)
	if err != nil {
		return wireItems{}, err
	}
	from, to := c.Page.Window(len(list))
	list = list[from:to]
	out := wireItems{Total: len(list), Models: []content.Model{content.ModelCard}, Limit: c.Page.Limit, Offset: c.Page.Offset}
	out.Data, err = d.items.rows(ctx, c, max(board.CollectionID, access.RootCollection), content.ItemPage{Items: list})
	return out, err
}

// metadata is what the questions of a dashboard are about, each thing once.
func (d *dashboardRoutes) metadata(ctx context.Context, c *endpoint.Call, in entityPath) (wireQueryMetadata, error) {
	out := wireQueryMetadata{
		Databases: []wireDatabase{}, Tables: []wireTable{}, Fields: []wireField{}, Snippets: []any{}, Cards: []any{}, Boards: []any{},
	}
	id, err := d.itemID(ctx, content.Dashboard, in.ID)
	if err != nil {
		return out, err
	}
	found, err := d.dashboards.Get(ctx, c.Who, id)
	if err != nil {
		return out, err
	}
	cards, err := d.dashboards.Readable(ctx, c.Who, found.CardIDs())
	if err != nil {
		return out, err
	}
	for _, v := range cards {
		about, err := d.queries.about(ctx, c, v.Query)
		if err != nil {
			return out, err
		}
		out.Databases = merged(out.Databases, about.Databases, func(v wireDatabase) int64 { return v.ID })
		out.Tables = merged(out.Tables, about.Tables, func(v wireTable) int64 { return v.ID })
		out.Fields = merged(out.Fields, about.Fields, func(v wireField) int64 { return v.ID })
	}
	return out, nil
}

// merged appends what is not in a list yet.
func merged[T any](list, more []T, id func(T) int64) []T {
	for _, v := range more {
		if !slices.ContainsFunc(list, func(w T) bool { return id(w) == id(v) }) {
			list = append(list, v)
		}
	}
	return list
}

func (d *dashboardRoutes) values(ctx context.Context, c *endpoint.Call, in parameterPath) (wireFilterValues, error) {
	return d.search(ctx, c, parameterSearch{parameterPath: in})
}

func (d *dashboardRoutes) search(ctx context.Context, c *endpoint.Call, in parameterSearch) (wireFilterValues, error) {
	id, err := d.itemID(ctx, content.Dashboard, in.ID)
	if err != nil {
		return wireFilterValues{}, err
	}
	list, err := d.dashboards.Values(ctx, c.Who, id, in.Key, in.Text)
	return wireFilterValues{Values: list}, err
}

type parameterValue struct {
	parameterPath
	Value string `query:"value"`
}

// remapping returns a value with its label, or alone when it has none.
func (d *dashboardRoutes) remapping(ctx context.Context, c *endpoint.Call, in parameterValue) ([]any, error) {
	id, err := d.itemID(ctx, content.Dashboard, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := d.dashboards.Values(ctx, c.Who, id, in.Key, in.Value)
	if err != nil {
		return nil, err
	}
	return labelled(list, in.Value), nil
}

// share answers who wants a public link, which this server does not make yet
// (contract/content-data.md 3.9).
func (d *dashboardRoutes) share(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	if _, err := d.dashboards.Get(ctx, c.Who, in.ID); err != nil {
		return endpoint.None{}, err
	}
	return endpoint.None{}, Status(http.StatusBadRequest, fault.New(fault.Invalid, "Public sharing is not enabled."))
}

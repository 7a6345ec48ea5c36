package api

import (
	"context"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

type entityPath struct {
	ID string `path:"id" rule:"entity"`
}

type listDashboardsInput struct {
	Filter opt.Value[string] `query:"f" rule:"enum=all|mine|archived"`
}

type newDashboardInput struct {
	Name               string                      `json:"name" rule:"nonblank,max=254"`
	Description        opt.Value[string]           `json:"description"`
	Parameters         opt.Value[[]map[string]any] `json:"parameters" rule:"parameter"`
	CacheTTL           opt.Value[int64]            `json:"cache_ttl" rule:"posint"`
	CollectionID       opt.Value[int64]            `json:"collection_id" rule:"posint" kind:"collections"`
	CollectionPosition opt.Value[int64]            `json:"collection_position" rule:"posint"`
}

type editDashboardInput struct {
	ID                   int64                       `path:"id" rule:"posint"`
	Name                 opt.Value[string]           `json:"name" rule:"nonblank,max=254"`
	Description          opt.Value[string]           `json:"description"`
	Caveats              opt.Value[string]           `json:"caveats"`
	PointsOfInterest     opt.Value[string]           `json:"points_of_interest"`
	ShowInGettingStarted opt.Value[bool]             `json:"show_in_getting_started"`
	EnableEmbedding      opt.Value[bool]             `json:"enable_embedding"`
	EmbeddingType        opt.Value[string]           `json:"embedding_type"`
	EmbeddingParams      opt.Value[map[string]any]   `json:"embedding_params"`
	Parameters           opt.Value[[]map[string]any] `json:"parameters" rule:"parameter"`
	Position             opt.Value[int64]            `json:"position" rule:"posint"`
	Width                opt.Value[string]           `json:"width" rule:"enum=fixed|full"`
	Archived             opt.Value[bool]             `json:"archived"`
	AutoApplyFilters     opt.Value[bool]             `json:"auto_apply_filters"`
	CollectionID         opt.Value[int64]            `json:"collection_id" rule:"posint" kind:"collections"`
	CollectionPosition   opt.Value[int64]            `json:"collection_position" rule:"posint"`
	CacheTTL             opt.Value[int64]            `json:"cache_ttl" rule:"posint"`
	Dashcards            opt.Value[[]dashcardInput]  `json:"dashcards"`
	Tabs                 opt.Value[[]tabInput]       `json:"tabs"`
}

// placeInput is the body of the old route for dashcards and tabs.
type placeInput struct {
	ID    int64                 `path:"id" rule:"posint"`
	Cards []dashcardInput       `json:"cards"`
	Tabs  opt.Value[[]tabInput] `json:"tabs"`
}

type wirePlaced struct {
	Cards []wireDashcard `json:"cards"`
	Tabs  []wireTab      `json:"tabs"`
}

// DashboardEndpoints returns the routes of dashboards
// (contract/content-data.md 4).
func DashboardEndpoints(s Services) []endpoint.Endpoint {
	views := contentViews{s.Content, s.People}
	d := &dashboardRoutes{
		contentViews: views, dashboards: s.Dashboards, queries: newQueryRoutes(s),
		cards: &cardRoutes{cards: s.Cards, views: views, version: s.Version},
		items: collectionRoutes{views, s.Cards},
	}
	read := access.Authenticated("dashboards", access.Read).ByCollection()
	write := access.Authenticated("dashboards", access.Write).ByCollection()
	one, edit := read.Naming("dashboards", "id"), write.Naming("dashboards", "id")
	admin, share := access.Admin("dashboards", access.Read), access.Admin("dashboards", access.Write).Naming("dashboards", "id").ByCollection()
	return append(d.runs(one.Naming("cards", "card")),
		endpoint.New("GET", "/api/dashboard", "List the dashboards that the caller may see", read, d.list),
		endpoint.New("POST", "/api/dashboard", "Create an empty dashboard", write, d.create),
		endpoint.New("GET", "/api/dashboard/public", "Refused: public links are off", admin, notShared),
		endpoint.New("GET", "/api/dashboard/embeddable", "Refused: embedding is off", admin, notEmbedded),
		endpoint.New("GET", "/api/dashboard/{id}", "Get a dashboard with what stands on it", one, d.get),
		endpoint.New("PUT", "/api/dashboard/{id}", "Change a dashboard; dashcards and tabs replace what is there", edit, d.edit),
		endpoint.New("DELETE", "/api/dashboard/{id}", "Delete a dashboard for ever", edit, d.delete),
		endpoint.New("PUT", "/api/dashboard/{id}/cards", "Replace dashcards and tabs (old form)", edit, d.place),
		endpoint.New("POST", "/api/dashboard/{id}/copy", "Copy a dashboard, also with its questions", edit, d.copy),
		endpoint.New("GET", "/api/dashboard/{id}/items", "List the questions that live in a dashboard", one, d.questions),
		endpoint.New("GET", "/api/dashboard/{id}/query_metadata", "Get the databases, tables and fields that a dashboard is about", one, d.metadata),
		endpoint.New("GET", "/api/dashboard/{id}/related", "List questions that are like those of a dashboard: none, for now", one, d.related),
		endpoint.New("GET", "/api/dashboard/{id}/params/{key}/values", "List the values that a filter offers", one, d.values),
		endpoint.New("GET", "/api/dashboard/{id}/params/{key}/search/{text}", "Search the values that a filter offers", one, d.search),
		endpoint.New("GET", "/api/dashboard/{id}/params/{key}/remapping", "Get a value of a filter with its label", one, d.remapping),
		endpoint.New("POST", "/api/dashboard/{id}/public_link", "Refused: dashboards are not shared with the public", share, d.share),
		endpoint.New("DELETE", "/api/dashboard/{id}/public_link", "Refused: dashboards are not shared with the public", share, d.share),
	)
}

type dashboardRoutes struct {
	contentViews
	dashboards *dashboard.Service
	queries    queryRoutes
	cards      *cardRoutes
	items      collectionRoutes
}

func (d *dashboardRoutes) list(ctx context.Context, c *endpoint.Call, in listDashboardsInput) ([]wireDashboard, error) {
	found, err := d.dashboards.List(ctx, c.Who, dashboard.Filter(in.Filter.Or(string(dashboard.All))))
	if err != nil {
		return nil, err
	}
	list := make([]content.Item, len(found))
	for i, v := range found {
		list[i] = v.Item
	}
	a, err := d.around(ctx, c.Who, list...)
	if err != nil {
		return nil, err
	}
	out := make([]wireDashboard, len(found))
	for i, v := range found {
		out[i] = d.plain(ctx, c.Who, v, a)
	}
	return out, nil
}

func (d *dashboardRoutes) create(ctx context.Context, c *endpoint.Call, in newDashboardInput) (wireFullDashboard, error) {
	parameters, err := toJSON(in.Parameters)
	if err != nil {
		return wireFullDashboard{}, err
	}
	made, err := d.dashboards.Create(ctx, c.Who, dashboard.New{
		Name: in.Name, Description: in.Description.Ptr(), CollectionID: idOf(in.CollectionID),
		Position: in.CollectionPosition.Ptr(), Parameters: parameters.V, CacheTTL: in.CacheTTL.Ptr(),
	})
	if err != nil {
		return wireFullDashboard{}, err
	}
	return d.full(ctx, c.Who, made)
}

func (d *dashboardRoutes) get(ctx context.Context, c *endpoint.Call, in entityPath) (wireFullDashboard, error) {
	return atOnce(ctx, d.contentViews, func(ctx context.Context) (wireFullDashboard, error) {
		id, err := d.itemID(ctx, content.Dashboard, in.ID)
		if err != nil {
			return wireFullDashboard{}, err
		}
		found, err := d.dashboards.Get(ctx, c.Who, id)
		if err != nil {
			return wireFullDashboard{}, err
		}
		d.content.Saw(c.Who, found.Ref())
		return d.full(ctx, c.Who, found)
	})
}

// edit answers with the collection where the dashboard is stored, also when it
// is in the trash now (contract/content-data.md 3.4).
func (d *dashboardRoutes) edit(ctx context.Context, c *endpoint.Call, in editDashboardInput) (wireFullDashboard, error) {
	if err := refuseEmbedding(c.Who, in); err != nil {
		return wireFullDashboard{}, err
	}
	change, err := in.change()
	if err != nil {
		return wireFullDashboard{}, err
	}
	changed, err := d.dashboards.Update(ctx, c.Who, in.ID, change)
	if err != nil {
		return wireFullDashboard{}, archivedAnswer(err)
	}
	w, err := d.full(ctx, c.Who, changed)
	w.CollectionID = idOrNull(max(changed.CollectionID, access.RootCollection))
	return w, err
}

// refuseEmbedding answers a call that wants a dashboard embedded, which this
// server does not do yet. What the answers show may come back.
func refuseEmbedding(who *access.Principal, in editDashboardInput) error {
	_, typed := in.EmbeddingType.Get()
	if !in.EnableEmbedding.Or(false) && !typed && len(in.EmbeddingParams.V) == 0 {
		return nil
	}
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	return Status(http.StatusBadRequest, fault.New(fault.Invalid, "Embedding is not enabled."))
}

func (in editDashboardInput) change() (dashboard.Change, error) {
	c := dashboard.Change{
		Name: in.Name, Description: in.Description, CollectionID: in.CollectionID, Position: in.CollectionPosition,
		Archived: in.Archived, AutoApply: in.AutoApplyFilters, CacheTTL: in.CacheTTL, Caveats: in.Caveats,
		PointsOfInterest: in.PointsOfInterest, GettingStarted: in.ShowInGettingStarted, GuidePosition: in.Position,
		FullWidth: opt.Value[bool]{Set: in.Width.Set, Null: in.Width.Null, V: in.Width.V == widthFull},
		Tabs:      givenTabs(in.Tabs),
	}
	var err error
	if c.Parameters, err = toJSON(in.Parameters); err != nil {
		return c, err
	}
	c.Cards, err = givenCards(in.Dashcards)
	return c, err
}

func (d *dashboardRoutes) delete(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	return endpoint.None{}, d.dashboards.Delete(ctx, c.Who, in.ID)
}

// place is the form in which dashcards were written before they were part of
// the dashboard. Clients still send it (contract/clients.md).
func (d *dashboardRoutes) place(ctx context.Context, c *endpoint.Call, in placeInput) (wirePlaced, error) {
	cards, err := givenCards(opt.Of(in.Cards))
	if err != nil {
		return wirePlaced{}, err
	}
	changed, err := d.dashboards.Update(ctx, c.Who, in.ID, dashboard.Change{Tabs: givenTabs(in.Tabs), Cards: cards})
	if err != nil {
		return wirePlaced{}, archivedAnswer(err)
	}
	w, err := d.full(ctx, c.Who, changed)
	return wirePlaced{w.Dashcards, w.Tabs}, err
}

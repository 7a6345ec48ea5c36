package api

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/search"
	"latchkey/internal/content/shelf"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/warehouse"
)

// searchInput is what is searched for. What changes nothing here is declared,
// so that it is checked and documented (contract/content-data.md 8.1).
type searchInput struct {
	Q              opt.Value[string]   `query:"q"`
	Context        opt.Value[string]   `query:"context"`
	Engine         opt.Value[string]   `query:"search_engine"`
	Archived       opt.Value[bool]     `query:"archived"`
	Collection     opt.Value[int64]    `query:"collection" rule:"posint" kind:"collections"`
	DatabaseID     opt.Value[int64]    `query:"table_db_id" rule:"posint" kind:"databases"`
	Models         opt.Value[[]string] `query:"models" rule:"enum=dashboard|card|dataset|metric|collection|table|database|segment|measure|action|indexed-entity|document|transform"`
	Personal       opt.Value[string]   `query:"filter_items_in_personal_collection" rule:"enum=all|only|only-mine|exclude|exclude-others"`
	CreatedAt      opt.Value[string]   `query:"created_at" rule:"nonblank"`
	CreatedBy      opt.Value[[]int64]  `query:"created_by" rule:"posint"`
	EditedAt       opt.Value[string]   `query:"last_edited_at" rule:"nonblank"`
	EditedBy       opt.Value[[]int64]  `query:"last_edited_by" rule:"posint"`
	Displays       opt.Value[[]string] `query:"display_type"`
	InSQL          opt.Value[bool]     `query:"search_native_query"`
	Verified       opt.Value[bool]     `query:"verified"`
	IDs            opt.Value[[]int64]  `query:"ids" rule:"posint"`
	Available      opt.Value[bool]     `query:"calculate_available_models"`
	InDashboards   opt.Value[bool]     `query:"include_dashboard_questions"`
	Metadata       opt.Value[bool]     `query:"include_metadata"`
	ModelAncestors opt.Value[bool]     `query:"model_ancestors"`
}

// searchRoutes are the handlers of /api/search.
type searchRoutes struct {
	contentViews
	search *search.Service
	cards  CardSummaries
	shelf  *shelf.Service
}

// SearchEndpoints returns the routes of searching (contract/content-data.md
// 8.1). A search shows connected databases too.
func SearchEndpoints(s *search.Service, c *content.Service, ppl *people.Service, cards CardSummaries, b *shelf.Service) []endpoint.Endpoint {
	r := searchRoutes{contentViews{c, ppl}, s, cards, b}
	read := access.Authenticated("collections", access.Read).Touching("databases").ByCollection()
	admin := access.Admin("collections", access.Write)
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/search", "Find content, tables and databases by words", read, r.find).Pages("limit", "offset"),
		endpoint.New("POST", "/api/search/force-reindex", "Read the words of all content anew", admin, r.rebuild),
		endpoint.New("POST", "/api/search/re-init", "Read the words of all content anew", admin, r.rebuild),
		endpoint.New("GET", "/api/search/weights", "Get how much each score of a hit counts", access.Admin("collections", access.Read), r.weights),
	}
}

// WarehouseSource tells searches of tables and databases.
func WarehouseSource(w *warehouse.Service) search.Source {
	return func(ctx context.Context, who *access.Principal) ([]search.Extra, error) {
		databases, err := w.Databases(ctx, who)
		if err != nil {
			return nil, err
		}
		names := map[int64]string{}
		var out []search.Extra
		for _, d := range databases {
			names[d.ID] = d.Name
			out = append(out, search.Extra{
				Model: search.ModelDatabase, ID: d.ID, Name: d.Name, Description: d.Description,
				DatabaseID: d.ID, Database: d.Name, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
			})
		}
		tables, err := w.Tables(ctx, who, warehouse.Filter{})
		for _, t := range tables {
			out = append(out, search.Extra{
				Model: search.ModelTable, ID: t.ID, Name: t.DisplayName, Description: t.Description, DatabaseID: t.DatabaseID,
				Database: names[t.DatabaseID], Schema: t.Schema, Table: t.Name, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
			})
		}
		return out, err
	}
}

// query turns the input into what is searched for.
func (in searchInput) query(now time.Time) (search.Query, error) {
	q := search.Query{
		Text: in.Q.Or(""), Archived: in.Archived.Or(false), Collection: in.Collection.Or(0), DatabaseID: in.DatabaseID.Or(0),
		Personal: search.Personal(in.Personal.Or("")), CreatedBy: in.CreatedBy.Or(nil), EditedBy: in.EditedBy.Or(nil),
		Displays: in.Displays.Or(nil), IDs: in.IDs.Or(nil), InSQL: in.InSQL.Or(false), DashboardQuestions: in.InDashboards.Or(false),
	}
	for _, m := range in.Models.Or(nil) {
		q.Models = append(q.Models, content.Model(m))
	}
	if q.IDs != nil && len(q.Models) != 1 {
		return q, fault.New(fault.Invalid, "Filtering by ids work only when you ask for a single model")
	}
	for _, f := range []struct {
		name string
		text opt.Value[string]
		to   *search.Span
	}{{"created_at", in.CreatedAt, &q.Created}, {"last_edited_at", in.EditedAt, &q.Edited}} {
		text, ok := f.text.Get()
		if !ok {
			continue
		}
		if *f.to, ok = search.ParseSpan(text, now); !ok {
			return q, fault.Field(f.name, "Failed to parse datetime value: %.40s", text)
		}
	}
	return q, nil
}

// find answers a page, or everything when no page is asked for, of at most
// 1000 hits.
func (r searchRoutes) find(ctx context.Context, c *endpoint.Call, in searchInput) (wireSearch, error) {
	if in.Verified.Or(false) {
		return wireSearch{}, Paid("Content Management or Official Collections")
	}
	q, err := in.query(r.search.Now(ctx))
	if err != nil {
		return wireSearch{}, err
	}
	found, err := r.search.Search(ctx, c.Who, q, c.Page.Limit.Or(-1), c.Page.Offset.Or(0))
	if err != nil {
		return wireSearch{}, err
	}
	out := wireSearch{
		Total: found.Total, Limit: c.Page.Limit.Ptr(), Offset: c.Page.Offset.Ptr(),
		Models: q.Models, DatabaseID: in.DatabaseID.Ptr(), Engine: "search.engine/appdb",
	}
	if out.Models == nil {
		out.Models = search.Models()
	}
	if in.Available.Or(false) {
		models, err := r.search.Available(ctx, c.Who, q)
		if err != nil {
			return out, err
		}
		out.Available = &models
	}
	out.Data, err = r.show(ctx, c, found.Hits, in.ModelAncestors.Or(false))
	return out, err
}

type wireSearchMessage struct {
	Message string `json:"message"`
}

func (r searchRoutes) rebuild(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wireSearchMessage, error) {
	return wireSearchMessage{"The words of all content have been read anew."}, r.search.Rebuild(ctx, c.Who)
}

func (r searchRoutes) weights(context.Context, *endpoint.Call, endpoint.None) (map[string]float64, error) {
	return search.Weights(), nil
}

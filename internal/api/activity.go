package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/shelf"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// wireRecent is something that was looked at or chosen (contract/content-data.md
// 8.2).
type wireRecent struct {
	ID                int64             `json:"id"`
	Model             content.Model     `json:"model"`
	Name              string            `json:"name"`
	Description       *string           `json:"description"`
	CanWrite          bool              `json:"can_write"`
	Timestamp         time.Time         `json:"timestamp"`
	ModeratedStatus   *string           `json:"moderated_status"`
	AuthorityLevel    *string           `json:"authority_level"`
	Display           *string           `json:"display"`
	DatabaseID        *int64            `json:"database_id"`
	EffectiveLocation *string           `json:"effective_location"`
	Parent            wireRecentParent  `json:"parent_collection"`
	Dashboard         *wireHitDashboard `json:"dashboard"`
}

// wireRecentParent is where it lies: a number, or the word root.
type wireRecentParent struct {
	ID             any     `json:"id"`
	Name           string  `json:"name"`
	AuthorityLevel *string `json:"authority_level"`
}

type recentsInput struct {
	Context  opt.Value[[]string] `query:"context" rule:"enum=views|selections"`
	Metadata opt.Value[bool]     `query:"include_metadata"`
}

type selectionInput struct {
	Model   string `json:"model" rule:"enum=card|dataset|metric|dashboard|collection"`
	ModelID int64  `json:"model_id" rule:"posint"`
	Context string `json:"context" rule:"enum=selection"`
}

type wireRecents struct {
	Recents []wireRecent `json:"recents"`
}

type wireRecentViews struct {
	Views []wireRecent `json:"recent_views"`
}

type wirePopular struct {
	Items []wireRecent `json:"popular_items"`
}

// wireLastDashboard is the dashboard that somebody looked at last.
type wireLastDashboard struct {
	ID           int64   `json:"id"`
	Name         string  `json:"name"`
	Description  *string `json:"description"`
	CollectionID *int64  `json:"collection_id"`
	Collection   any     `json:"collection"`
	Archived     bool    `json:"archived"`
	EntityID     string  `json:"entity_id"`
}

// ActivityEndpoints returns the routes of what the caller looked at or chose
// last, and of what everybody looks at (contract/content-data.md 8.2).
func ActivityEndpoints(s *shelf.Service, c *content.Service, ppl *people.Service, cards CardSummaries) []endpoint.Endpoint {
	r := shelfRoutes{contentViews{c, ppl}, s, cards}
	read := access.Authenticated("collections", access.Read).ByCollection()
	write := access.Authenticated("collections", access.Write).ByCollection()
	return []endpoint.Endpoint{
		endpoint.New("GET", "/api/activity/recents", "List what you looked at or chose last", read, r.recents),
		endpoint.Naming(endpoint.New("POST", "/api/activity/recents", "Tell that you chose something", write, r.choose),
			chosen, "cards", "dashboards", "collections"),
		endpoint.New("GET", "/api/activity/recent_views", "List what you looked at last", read, r.recentViews),
		endpoint.New("GET", "/api/activity/popular_items", "List what is looked at most", read, r.popular),
		endpoint.New("GET", "/api/activity/most_recently_viewed_dashboard", "Get the dashboard that you looked at last, within a day", read, r.lastDashboard),
	}
}

func (in selectionInput) ref() content.Ref {
	kind := content.Kind(in.Model)
	if in.Model == string(content.ModelDataset) || in.Model == string(content.ModelMetric) {
		kind = content.Card
	}
	return content.Ref{Kind: kind, ID: in.ModelID}
}

func chosen(_ context.Context, _ *endpoint.Call, in selectionInput) ([]access.Ref, error) {
	kind, _ := kindNames(in.ref().Kind) // the rule has read the model
	return []access.Ref{{Kind: kind, ID: idText(in.ModelID)}}, nil
}

func (r shelfRoutes) recents(ctx context.Context, c *endpoint.Call, in recentsInput) (wireRecents, error) {
	contexts := []shelf.Context{shelf.Viewed, shelf.Selected}
	if asked, ok := in.Context.Get(); ok {
		contexts = nil
		if slices.Contains(asked, "views") {
			contexts = append(contexts, shelf.Viewed)
		}
		if slices.Contains(asked, "selections") {
			contexts = append(contexts, shelf.Selected)
		}
	}
	list, err := r.recent(ctx, c, contexts...)
	return wireRecents{list}, err
}

func (r shelfRoutes) recentViews(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wireRecentViews, error) {
	list, err := r.recent(ctx, c, shelf.Viewed)
	return wireRecentViews{list}, err
}

func (r shelfRoutes) recent(ctx context.Context, c *endpoint.Call, contexts ...shelf.Context) ([]wireRecent, error) {
	list, err := r.shelf.Recents(ctx, c.Who, contexts...)
	if err != nil {
		return nil, err
	}
	return r.show(ctx, c, list)
}

func (r shelfRoutes) choose(ctx context.Context, c *endpoint.Call, in selectionInput) (endpoint.None, error) {
	return endpoint.None{}, r.shelf.Select(ctx, c.Who, in.ref())
}

func (r shelfRoutes) popular(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wirePopular, error) {
	const most = 5
	items, err := r.shelf.Popular(ctx, c.Who, most)
	if err != nil {
		return wirePopular{}, err
	}
	list := make([]shelf.Recent, len(items))
	for i, item := range items {
		list[i] = shelf.Recent{Item: item, At: item.UpdatedAt}
		if item.UsedAt != nil {
			list[i].At = *item.UsedAt
		}
	}
	shown, err := r.show(ctx, c, list)
	return wirePopular{shown}, err
}

// lastDashboard answers 204 when there is none.
func (r shelfRoutes) lastDashboard(ctx context.Context, c *endpoint.Call, _ endpoint.None) (*wireLastDashboard, error) {
	i, err := r.shelf.LastDashboard(ctx, c.Who)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	beside, err := r.around(ctx, c.Who, i)
	return &wireLastDashboard{
		ID: i.ID, Name: i.Name, Description: i.Description, CollectionID: shownCollection(i),
		Collection: beside.collection(i), Archived: i.Archived, EntityID: i.EntityID,
	}, err
}

func (r shelfRoutes) show(ctx context.Context, c *endpoint.Call, list []shelf.Recent) ([]wireRecent, error) {
	items := make([]content.Item, len(list))
	var own []int64
	for i := range list {
		items[i] = list[i].Item
		if items[i].Kind == content.Collection {
			own = append(own, items[i].ID)
		}
	}
	beside, err := r.around(ctx, c.Who, items...)
	if err != nil {
		return nil, err
	}
	cards, err := r.summaries(ctx, items)
	if err != nil {
		return nil, err
	}
	folders, err := r.content.CollectionsByID(ctx, own)
	if err != nil {
		return nil, err
	}
	out := make([]wireRecent, len(list))
	for i, one := range list {
		item := one.Item
		out[i] = wireRecent{
			ID: item.ID, Model: item.Model, Name: item.Name, Description: item.Description,
			CanWrite: r.content.CanWrite(ctx, c.Who, item), Timestamp: one.At, Parent: r.parent(ctx, c, item, beside),
		}
		if s, ok := cards[item.ID]; ok && item.Kind == content.Card {
			out[i].Display, out[i].DatabaseID = &s.Display, s.DatabaseID
		}
		if f, ok := folders[item.ID]; ok && item.Kind == content.Collection {
			where := r.effectiveLocation(ctx, c.Who, f)
			out[i].EffectiveLocation = &where
		}
	}
	return out, nil
}

// parent tells where an item lies, the root for what lies where the caller may
// not look.
func (r shelfRoutes) parent(ctx context.Context, c *endpoint.Call, i content.Item, beside around) wireRecentParent {
	if f, ok := beside.collections[i.CollectionID]; ok {
		if level, err := r.content.Collections().Level(ctx, c.Who, f.ID); err == nil && level >= access.View {
			return wireRecentParent{ID: f.ID, Name: f.Name}
		}
	}
	return wireRecentParent{ID: "root", Name: nameOfRoot}
}

// effectiveLocation is the path of a collection without those that the caller
// may not see.
func (v contentViews) effectiveLocation(ctx context.Context, who *access.Principal, f content.Folder) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, id := range v.content.EffectivePath(ctx, who, f.Access) {
		b.WriteString(idText(id) + "/")
	}
	return b.String()
}

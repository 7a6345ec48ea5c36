package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// CardEndpoints returns the routes of questions, models and metrics
// (contract/content-data.md 3).
func CardEndpoints(s Services) []endpoint.Endpoint {
	r := &cardRoutes{cards: s.Cards, views: contentViews{s.Content, s.People}, queries: newQueryRoutes(s), version: s.Version}
	read, write := access.Authenticated("cards", access.Read).ByCollection(), access.Authenticated("cards", access.Write).ByCollection()
	readOne, writeOne := read.Naming("cards", "id"), write.Naming("cards", "id")
	return append([]endpoint.Endpoint{
		endpoint.New("GET", "/api/card", "List questions, models and metrics", read, r.list),
		endpoint.Naming(endpoint.New("POST", "/api/card", "Create a question, model or metric", write, r.create), r.namedByNew, namedByCards()...),
		endpoint.New("GET", "/api/card/{id}", "Get a question", readOne, r.get),
		endpoint.Naming(endpoint.New("PUT", "/api/card/{id}", "Change, move, archive or restore a question", writeOne, r.edit), r.namedByEdit, namedByCards()...),
		endpoint.New("DELETE", "/api/card/{id}", "Delete a question for ever", writeOne, r.delete),
		endpoint.New("POST", "/api/card/{id}/copy", "Copy a question", writeOne, r.copy),
		endpoint.New("GET", "/api/card/{id}/dashboards", "List the dashboards that show a question", readOne.Touching("dashboards"), r.dashboards),
		endpoint.New("GET", "/api/card/{id}/series", "List what can be shown together with a question", readOne, r.series),
		endpoint.Naming(endpoint.New("POST", "/api/card/collections", "Move questions into a collection", write, r.toCollection), r.namedByMove, access.KindCollections),
		endpoint.Naming(endpoint.New("POST", "/api/cards/move", "Move questions into a collection or a dashboard", write, r.move), r.namedByMoves, access.KindCollections),
		endpoint.New("POST", "/api/cards/dashboards", "List the dashboards that show some questions", read.Touching("dashboards"), r.dashboardsOf),
	}, slices.Concat(r.runs(readOne), r.values(readOne), r.publicRoutes())...)
}

type cardRoutes struct {
	cards   *card.Service
	views   contentViews
	queries queryRoutes
	version string
}

func (r *cardRoutes) list(ctx context.Context, c *endpoint.Call, in listCardsInput) ([]wireCard, error) {
	list, err := r.cards.List(ctx, c.Who, card.Filter(in.F.Or(string(card.All))), in.ModelID.Or(0))
	if err != nil {
		return nil, err
	}
	return r.wire(ctx, c.Who, in.Legacy.Or(false), list...)
}

// get shows what is in the trash as if it lay there; other answers show where
// it is stored (contract/content-data.md 3.4, 9).
func (r *cardRoutes) get(ctx context.Context, c *endpoint.Call, in cardInput) (wireCard, error) {
	return atOnce(ctx, r.views, func(ctx context.Context) (wireCard, error) {
		found, err := r.find(ctx, c.Who, in.ID)
		if err != nil {
			return wireCard{}, err
		}
		r.views.content.Saw(c.Who, found.Ref())
		w, err := r.one(ctx, c.Who, in.Legacy.Or(false), found)
		w.CollectionID = shownCollection(found.Item)
		return w, err
	})
}

func (r *cardRoutes) create(ctx context.Context, c *endpoint.Call, in newCardInput) (wireCard, error) {
	n, err := r.newCard(ctx, in)
	if err != nil {
		return wireCard{}, err
	}
	made, err := r.cards.Create(ctx, c.Who, n)
	if err != nil {
		return wireCard{}, cardAnswer(err, in.DatasetQuery)
	}
	return r.one(ctx, c.Who, in.Legacy.Or(false), made)
}

func (r *cardRoutes) newCard(ctx context.Context, in newCardInput) (card.New, error) {
	n := card.New{
		Name: in.Name, Description: in.Description.Ptr(), Type: in.Type.Or(""), Display: in.Display,
		DashboardID: in.DashboardID.Or(0), TabID: in.DashboardTabID.Ptr(), Position: in.CollectionPosition.Ptr(),
		CacheTTL: in.CacheTTL.Ptr(), EntityID: in.EntityID.Or(""),
	}
	var err error
	if n.CollectionID, err = r.views.collectionID(ctx, in.CollectionID); err != nil {
		return n, err
	}
	if n.Query, err = encoded(in.DatasetQuery); err != nil {
		return n, err
	}
	if n.Settings, err = encoded(in.VisualizationSettings); err != nil {
		return n, err
	}
	if list, ok := in.Parameters.Get(); ok {
		if n.Parameters, err = encoded(list); err != nil {
			return n, err
		}
	}
	if list, ok := in.ParameterMappings.Get(); ok {
		if n.Mappings, err = encoded(list); err != nil {
			return n, err
		}
	}
	if list, ok := in.ResultMetadata.Get(); ok && len(list) > 0 {
		n.Metadata, err = encoded(list)
	}
	return n, err
}

func (r *cardRoutes) edit(ctx context.Context, c *endpoint.Call, in editCardInput) (wireCard, error) {
	id, err := r.views.itemID(ctx, content.Card, in.ID)
	if err != nil {
		return wireCard{}, err
	}
	change, err := r.change(ctx, in)
	if err != nil {
		return wireCard{}, err
	}
	changed, err := r.cards.Update(ctx, c.Who, id, change)
	if err != nil {
		return wireCard{}, cardAnswer(err, in.DatasetQuery.V)
	}
	return r.one(ctx, c.Who, in.Legacy.Or(false), changed)
}

func (r *cardRoutes) change(ctx context.Context, in editCardInput) (card.Change, error) {
	c := card.Change{
		Name: in.Name, Description: in.Description, Type: in.Type, Display: in.Display, DashboardID: in.DashboardID,
		TabID: in.DashboardTabID.Ptr(), Position: in.CollectionPosition, Archived: in.Archived, CacheTTL: in.CacheTTL,
		Preview: in.CollectionPreview, Embed: in.EnableEmbedding.Or(false) || in.EmbeddingType.V != "" || len(in.EmbeddingParams.V) > 0,
		LeaveDashboards: in.DeleteOldDashcards.Or(false),
	}
	var err error
	if c.CollectionID, err = r.views.collectionID(ctx, in.CollectionID); err != nil {
		return c, err
	}
	if c.Query, err = encodedOr(in.DatasetQuery); err != nil {
		return c, err
	}
	if c.Settings, err = encodedOr(in.VisualizationSettings); err != nil {
		return c, err
	}
	if c.Parameters, err = encodedOr(in.Parameters); err != nil {
		return c, err
	}
	if c.Mappings, err = encodedOr(in.ParameterMappings); err != nil {
		return c, err
	}
	c.Metadata, err = encodedOr(in.ResultMetadata)
	return c, err
}

func (r *cardRoutes) delete(ctx context.Context, c *endpoint.Call, in cardInput) (endpoint.None, error) {
	id, err := r.views.itemID(ctx, content.Card, in.ID)
	if err != nil {
		return endpoint.None{}, err
	}
	return endpoint.None{}, r.cards.Delete(ctx, c.Who, id)
}

func (r *cardRoutes) copy(ctx context.Context, c *endpoint.Call, in cardInput) (wireCard, error) {
	id, err := r.views.itemID(ctx, content.Card, in.ID)
	if err != nil {
		return wireCard{}, err
	}
	made, err := r.cards.Copy(ctx, c.Who, id)
	if err != nil {
		return wireCard{}, archivedAnswer(err)
	}
	return r.one(ctx, c.Who, in.Legacy.Or(false), made)
}

// one is a card as an answer shows it.
func (r *cardRoutes) one(ctx context.Context, who *access.Principal, legacy bool, c card.Card) (wireCard, error) {
	list, err := r.wire(ctx, who, legacy, c)
	if err != nil {
		return wireCard{}, err
	}
	return list[0], nil
}

// wire shows cards with what stands beside them.
func (r *cardRoutes) wire(ctx context.Context, who *access.Principal, legacy bool, cards ...card.Card) ([]wireCard, error) {
	items, ids := make([]content.Item, len(cards)), make([]int64, len(cards))
	var boards []int64
	for i, c := range cards {
		items[i], ids[i] = c.Item, c.ID
		if c.DashboardID != 0 {
			boards = append(boards, c.DashboardID)
		}
	}
	beside, err := r.views.around(ctx, who, items...)
	if err != nil {
		return nil, err
	}
	showing, err := r.cards.Showing(ctx, ids)
	if err != nil {
		return nil, err
	}
	homes, err := r.views.content.ByIDs(ctx, content.Dashboard, boards)
	if err != nil {
		return nil, err
	}
	out := make([]wireCard, len(cards))
	for i, c := range cards {
		w := toWireCard(c)
		if legacy {
			if w.DatasetQuery, err = card.Legacy(c.Query); err != nil {
				return nil, err
			}
		}
		w.Collection, w.Creator, w.LastEditInfo = beside.collection(c.Item), beside.creator(c.Item), beside.lastEdit(c.Item)
		w.CanWrite = r.views.content.CanWrite(ctx, who, c.Item)
		w.CanRestore, w.CanDelete = r.views.content.CanRestore(ctx, who, c.Item), r.views.content.CanDelete(ctx, who, c.Item)
		w.CanManageDB, w.DashboardCount, w.MetabaseVersion = who.IsAdmin(), len(showing[c.ID]), r.version
		if d, ok := homes[c.DashboardID]; ok {
			w.Dashboard = &wireOfBoard{ID: d.ID, Name: d.Name}
		}
		out[i] = w
	}
	return out, nil
}

// cardAnswer gives the faults of a card that cannot be saved their long forms
// (contract/content-data.md 3.3). Other errors stay.
func cardAnswer(err error, query map[string]any) error {
	if err != nil && fault.As(err).Code == card.CodeMayNotRun {
		return Long(http.StatusForbidden, err, map[string]any{
			"query": query, "required-perms": []string{}, "actual-perms": []string{},
		})
	}
	return archivedAnswer(err)
}

// collectionID reads the collection of a body: a number, an entity id, "root"
// or null (contract/content-data.md 3.3). It returns NotFound for an entity id
// that nothing has.
func (v contentViews) collectionID(ctx context.Context, in opt.Value[any]) (opt.Value[int64], error) {
	given, ok := in.Get()
	if !ok {
		return opt.Value[int64]{Set: in.Set, Null: in.Null}, nil
	}
	text := textOf(given)
	switch id, err := strconv.ParseInt(text, 10, 64); {
	case text == "root":
		return opt.Null[int64](), nil
	case err == nil && id > 0:
		return opt.Of(id), nil
	case naming.IsEntityID(text):
		id, err := v.content.ByEntity(ctx, content.Collection, text)
		return opt.Of(id), err
	}
	return opt.Value[int64]{}, fault.Field("collection_id", "nullable value must be an integer greater than zero, or an entity id.")
}

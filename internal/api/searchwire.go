package api

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/search"
	"latchkey/internal/endpoint"
)

// wireSearch is the answer of a search (contract/content-data.md 8.1).
type wireSearch struct {
	Total      int              `json:"total"`
	Limit      *int             `json:"limit"`
	Offset     *int             `json:"offset"`
	Models     []content.Model  `json:"models"`
	Available  *[]content.Model `json:"available_models,omitempty"`
	DatabaseID *int64           `json:"table_db_id"`
	Engine     string           `json:"engine"`
	Data       []wireHit        `json:"data"`
}

// wireHit is something that was found.
type wireHit struct {
	ID                 int64             `json:"id"`
	Model              content.Model     `json:"model"`
	Name               string            `json:"name"`
	Description        *string           `json:"description"`
	Archived           *bool             `json:"archived"`
	Bookmark           bool              `json:"bookmark"`
	CanWrite           bool              `json:"can_write"`
	Collection         wireHitCollection `json:"collection"`
	CollectionPosition *int64            `json:"collection_position"`
	EffectiveLocation  *string           `json:"effective_location"`
	Location           *string           `json:"location"`
	Display            *string           `json:"display"`
	DatabaseID         *int64            `json:"database_id"`
	DatabaseName       *string           `json:"database_name"`
	TableID            *int64            `json:"table_id"`
	TableSchema        *string           `json:"table_schema"`
	TableName          *string           `json:"table_name"`
	TableDescription   *string           `json:"table_description"`
	Dashboard          *wireHitDashboard `json:"dashboard"`
	DashboardID        *int64            `json:"dashboard_id"`
	DashcardCount      int               `json:"dashboardcard_count"`
	ModeratedStatus    *string           `json:"moderated_status"`
	CreatorID          *int64            `json:"creator_id"`
	CreatorName        *string           `json:"creator_common_name"`
	EditorID           *int64            `json:"last_editor_id"`
	EditorName         *string           `json:"last_editor_common_name"`
	CreatedAt          time.Time         `json:"created_at"`
	UpdatedAt          time.Time         `json:"updated_at"`
	EditedAt           *time.Time        `json:"last_edited_at"`
	EntityID           *string           `json:"entity_id"`
	PKRef              *string           `json:"pk_ref"`
	ModelID            *int64            `json:"model_id"`
	ModelName          *string           `json:"model_name"`
	Context            *string           `json:"context"`
	Scores             []wireScore       `json:"scores"`
}

// wireHitCollection is where a hit lies; all is null in the root.
type wireHitCollection struct {
	ID             *int64              `json:"id"`
	Name           *string             `json:"name"`
	AuthorityLevel *string             `json:"authority_level"`
	Type           *string             `json:"type"`
	Ancestors      []wireHitCollection `json:"effective_ancestors,omitempty"`
}

type wireHitDashboard struct {
	ID              int64   `json:"id"`
	Name            string  `json:"name"`
	ModeratedStatus *string `json:"moderation_status"`
}

type wireScore struct {
	Name         string  `json:"name"`
	Score        float64 `json:"score"`
	Weight       float64 `json:"weight"`
	Contribution float64 `json:"contribution"`
}

// hitsAround is what stands beside hits.
type hitsAround struct {
	around
	cards      map[int64]content.CardSummary
	dashboards map[int64]content.Item
	marked     map[content.Ref]bool
	trash      content.Folder
}

func (r searchRoutes) show(ctx context.Context, c *endpoint.Call, hits []search.Hit, ancestors bool) ([]wireHit, error) {
	beside, err := r.aroundHits(ctx, c, hits)
	if err != nil {
		return nil, err
	}
	out := make([]wireHit, len(hits))
	for i, h := range hits {
		if h.Extra != nil {
			out[i] = toWireExtra(*h.Extra)
		} else {
			out[i] = r.hit(ctx, c, h.Item, beside)
		}
		if ancestors && out[i].Model == content.ModelDataset {
			if err := r.addAncestors(ctx, c, &out[i].Collection, beside); err != nil {
				return nil, err
			}
		}
		for _, s := range h.Scores {
			out[i].Scores = append(out[i].Scores, wireScore{s.Name, s.Score, s.Weight, s.Score * s.Weight})
		}
	}
	return out, nil
}

func (r searchRoutes) aroundHits(ctx context.Context, c *endpoint.Call, hits []search.Hit) (hitsAround, error) {
	var items []content.Item
	var cards, dashboards []int64
	var refs []content.Ref
	for _, h := range hits {
		if h.Extra != nil {
			continue
		}
		items, refs = append(items, h.Item), append(refs, h.Item.Ref())
		if h.Item.Kind == content.Card {
			cards, dashboards = append(cards, h.Item.ID), append(dashboards, h.Item.DashboardID)
		}
		if h.Item.Kind == content.Collection {
			items = append(items, content.Item{CollectionID: h.Item.ID})
		}
	}
	items = append(items, content.Item{CollectionID: access.TrashCollection})
	var out hitsAround
	var err error
	if out.around, err = r.around(ctx, c.Who, items...); err != nil {
		return out, err
	}
	out.trash = out.collections[access.TrashCollection]
	if out.dashboards, err = r.content.ByIDs(ctx, content.Dashboard, dashboards); err != nil {
		return out, err
	}
	if r.cards != nil && len(cards) > 0 {
		if out.cards, err = r.cards.Summaries(ctx, cards); err != nil {
			return out, err
		}
	}
	out.marked, err = r.shelf.Marked(ctx, c.Who, refs)
	return out, err
}

// hit shows an item.
func (r searchRoutes) hit(ctx context.Context, c *endpoint.Call, i content.Item, beside hitsAround) wireHit {
	w := wireHit{
		ID: i.ID, Model: i.Model, Name: i.Name, Description: i.Description, Archived: &i.Archived,
		Bookmark: beside.marked[i.Ref()], CanWrite: r.content.CanWrite(ctx, c.Who, i),
		CollectionPosition: i.Position, DashboardID: idOrNull(i.DashboardID),
		CreatorID: idOrNull(i.CreatorID), EditorID: idOrNull(i.EditedBy), CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, EntityID: &i.EntityID,
	}
	if u, ok := beside.users[i.CreatorID]; ok {
		w.CreatorName = &u.CommonName
	}
	if u, ok := beside.users[i.EditedBy]; ok {
		w.EditorName = &u.CommonName
	}
	if !i.EditedAt.IsZero() {
		w.EditedAt = &i.EditedAt
	}
	if s, ok := beside.cards[i.ID]; ok && i.Kind == content.Card {
		w.Display, w.DatabaseID, w.DashcardCount = &s.Display, s.DatabaseID, s.DashboardCount
	}
	if d, ok := beside.dashboards[i.DashboardID]; ok && i.Kind == content.Card {
		w.Dashboard = &wireHitDashboard{ID: d.ID, Name: d.Name}
	}
	r.place(ctx, c, &w, i, beside)
	return w
}

// place tells where an item lies: what is in the trash by itself in the Trash,
// and a collection in itself, as clients know it.
func (r searchRoutes) place(ctx context.Context, c *endpoint.Call, w *wireHit, i content.Item, beside hitsAround) {
	f, ok := beside.collections[i.CollectionID]
	if i.Kind == content.Collection {
		f, ok = beside.collections[i.ID]
	}
	if ok && i.Kind == content.Collection {
		text := r.effectiveLocation(ctx, c.Who, f)
		w.EffectiveLocation, w.Location = &text, &text
	}
	if i.InTrash() {
		f, ok = beside.trash, true
	}
	if ok {
		w.Collection = toWireHitCollection(f)
	}
}

func toWireHitCollection(f content.Folder) wireHitCollection {
	return wireHitCollection{ID: &f.ID, Name: &f.Name, Type: f.Type}
}

// addAncestors adds the collections in which that of a hit lies, as far as the
// caller may see them.
func (r searchRoutes) addAncestors(ctx context.Context, c *endpoint.Call, w *wireHitCollection, beside hitsAround) error {
	if w.ID == nil {
		return nil
	}
	ancestors, err := r.content.Ancestors(ctx, c.Who, beside.collections[*w.ID])
	for _, f := range ancestors {
		w.Ancestors = append(w.Ancestors, toWireHitCollection(f))
	}
	return err
}

// toWireExtra shows a table or a database.
func toWireExtra(e search.Extra) wireHit {
	w := wireHit{
		ID: e.ID, Model: e.Model, Name: e.Name, Description: e.Description, DatabaseID: &e.DatabaseID, DatabaseName: &e.Database,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if e.Model == search.ModelTable {
		w.TableID, w.TableSchema, w.TableName, w.TableDescription = &e.ID, &e.Schema, &e.Table, e.Description
	}
	return w
}

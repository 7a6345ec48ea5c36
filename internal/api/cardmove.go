package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// wireStatus is the answer of what has nothing to show.
type wireStatus struct {
	Status string `json:"status"`
}

// wireShown is a dashboard that shows a card, or why it is not told which, or
// may not be changed (contract/content-data.md 3.7).
type wireShown struct {
	ID    int64  `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Error string `json:"error,omitempty"`
}

type wireShownOn struct {
	CardID     int64       `json:"card_id"`
	Dashboards []wireShown `json:"dashboards"`
}

// textOf returns a value of a body as text: a number as it was written.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

func (r *cardRoutes) toCollection(ctx context.Context, c *endpoint.Call, in cardsToCollectionInput) (wireStatus, error) {
	id, err := r.views.collectionID(ctx, in.CollectionID)
	if err != nil {
		return wireStatus{}, err
	}
	return wireStatus{"ok"}, r.cards.MoveTo(ctx, c.Who, in.CardIDs, id.Or(access.RootCollection))
}

func (r *cardRoutes) move(ctx context.Context, c *endpoint.Call, in moveCardsInput) (wireStatus, error) {
	id, err := r.views.collectionID(ctx, in.CollectionID)
	if err != nil {
		return wireStatus{}, err
	}
	done := wireStatus{"success"}
	if board, ok := in.DashboardID.Get(); ok {
		return done, archivedAnswer(r.cards.MoveInto(ctx, c.Who, in.CardIDs, board, id))
	}
	if !id.Set {
		return wireStatus{}, fault.Field("collection_id", "Name a collection or a dashboard.")
	}
	return done, r.cards.MoveTo(ctx, c.Who, in.CardIDs, id.Or(access.RootCollection))
}

func (r *cardRoutes) dashboardsOf(ctx context.Context, c *endpoint.Call, in cardIDsInput) ([]wireShownOn, error) {
	all, err := r.cards.Dashboards(ctx, c.Who, in.CardIDs)
	if err != nil {
		return nil, err
	}
	out := make([]wireShownOn, len(in.CardIDs))
	for i, id := range in.CardIDs {
		out[i] = wireShownOn{CardID: id, Dashboards: make([]wireShown, len(all[id]))}
		for j, d := range all[id] {
			out[i].Dashboards[j] = toWireShown(d)
		}
	}
	return out, nil
}

func toWireShown(d card.DashboardOf) wireShown {
	switch {
	case d.ID == 0:
		return wireShown{Error: "unreadable-dashboard"}
	case !d.Writable:
		return wireShown{ID: d.ID, Name: d.Name, Error: "unwritable-dashboard"}
	}
	return wireShown{ID: d.ID, Name: d.Name}
}

// dashboards lists only those that the caller may see.
func (r *cardRoutes) dashboards(ctx context.Context, c *endpoint.Call, in cardInput) ([]wireShown, error) {
	id, err := r.views.itemID(ctx, content.Card, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := r.cards.Dashboards(ctx, c.Who, []int64{id})
	if err != nil {
		return nil, err
	}
	var out []wireShown
	for _, d := range all[id] {
		if d.ID != 0 {
			out = append(out, wireShown{ID: d.ID, Name: d.Name})
		}
	}
	return out, nil
}

// allowedInSeries are the displays that can be shown together.
func allowedInSeries() []string { return []string{"area", "bar", "line", "scalar"} }

// series answers for a display that stands alone as Metabase does, and with
// nothing else: what goes together needs the columns of all questions
// (contract/content-data.md 3.9).
func (r *cardRoutes) series(ctx context.Context, c *endpoint.Call, in cardInput) ([]wireCard, error) {
	found, err := r.find(ctx, c.Who, in.ID)
	if err != nil {
		return nil, err
	}
	for _, display := range allowedInSeries() {
		if found.Display == display {
			return nil, nil
		}
	}
	return nil, Long(http.StatusBadRequest,
		fault.New(fault.Invalid, "Card with type %s is not compatible to have series", found.Display),
		map[string]any{"allowed-display": allowedInSeries()})
}

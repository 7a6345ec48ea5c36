package cli

import (
	"context"
	"encoding/json"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/fault"
	"latchkey/internal/query"
	"latchkey/internal/query/mbql"
)

// cardDeps gives the cards what lies above them.
func cardDeps(h *house) card.Deps {
	return card.Deps{
		DB: h.db, Audit: h.audit, Content: h.content, Revisions: h.revisions,
		MayRun: func(ctx context.Context, who *access.Principal, q mbql.Query) error {
			return saveFault(h.queries.MayRun(ctx, who, mbql.MBQL5(q)))
		},
		Columns: func(ctx context.Context, who *access.Principal, q mbql.Query) (json.RawMessage, error) {
			columns, err := h.queries.Describe(ctx, who, mbql.MBQL5(q))
			if err != nil {
				return nil, err
			}
			return api.ResultMetadata(columns), nil
		},
		Source: h.readable, Bookmarked: h.bookmarkedCards,
	}
}

// saveFault is why a question cannot be saved whose query is refused.
func saveFault(err error) error {
	f, ok := errors.AsType[*query.Failure](err)
	switch {
	case !ok:
		return err
	case f.Kind == query.Denied && fault.Is(f.Err, fault.Forbidden):
		return f.Err
	case f.Kind == query.Denied:
		return access.Forbidden()
	case f.Kind == query.Invalid:
		return fault.Field("dataset_query", "%s", f.Message)
	}
	return fault.Wrap(err, "check a query")
}

// readable refuses who may not read a database or a table.
func (h *house) readable(ctx context.Context, who *access.Principal, kind card.Source, id int64) error {
	if kind == card.Table {
		_, err := h.warehouse.Table(ctx, who, id)
		return err
	}
	_, err := h.warehouse.Database(ctx, who, id)
	return err
}

// bookmarkedCards returns the ids of the cards that who has marked.
func (h *house) bookmarkedCards(ctx context.Context, who *access.Principal) ([]int64, error) {
	marks, err := h.shelf.Bookmarks(ctx, who)
	var ids []int64
	for _, m := range marks {
		if m.Item.Kind == content.Card {
			ids = append(ids, m.Item.ID)
		}
	}
	return ids, err
}

package cli

import (
	"context"
	"encoding/json"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
)

// snippetText returns the text of a snippet, by its id or, when that is 0, by
// its name.
func (h *house) snippetText(ctx context.Context, who *access.Principal, id int64, name string) (string, error) {
	s, err := h.snippets.Take(ctx, who, id, name)
	return s.Content, err
}

// cardQuery returns the query of a question that who may read. A key that is
// bound to questions takes in no others.
func (h *house) cardQuery(ctx context.Context, who *access.Principal, id int64) (json.RawMessage, error) {
	c, err := h.cards.Get(ctx, who, id)
	if err == nil && !access.Sees(who, access.KindCards, id) {
		err = access.Elsewhere(access.KindCards)
	}
	if err != nil {
		return nil, err
	}
	return c.Query, nil
}

// exists reports whether there is a database or a piece of content, for keys
// that are bound to it.
func (h *house) exists(ctx context.Context, kind string, id int64) (bool, error) {
	if of, ok := content.KindNamed(kind); ok {
		found, err := h.content.ByIDs(ctx, of, []int64{id})
		return len(found) > 0, err
	}
	if kind != access.KindDatabases {
		return false, nil
	}
	_, err := h.warehouse.Find(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

package cli

import (
	"context"

	"latchkey/internal/access"
)

// snippetText returns the text of a snippet, by its id or, when that is 0, by
// its name. Whoever may run a query may take in every snippet.
func (h *house) snippetText(ctx context.Context, _ *access.Principal, id int64, name string) (string, error) {
	if id != 0 {
		s, err := h.snippets.ByID(ctx, id)
		return s.Content, err
	}
	s, err := h.snippets.ByName(ctx, name)
	return s.Content, err
}

package content

import (
	"context"

	"latchkey/internal/access"
)

// PageStatement returns the statement that finds a page of a list.
func (s *Service) PageStatement(ctx context.Context, who *access.Principal, q ItemQuery) (string, []any, error) {
	f, _, err := s.itemsFilter(ctx, who, q)
	if err != nil {
		return "", nil, err
	}
	text, args := q.page(f)
	return text, args, nil
}

package content

import (
	"context"

	"latchkey/internal/fault"
)

// maxPosition is the highest position that can be asked for. What makes room
// moves others beyond it.
const maxPosition = 1_000_000

// CheckPosition refuses a position among the pinned that is none. It returns
// Invalid at "collection_position".
func CheckPosition(p *int64) error {
	if p != nil && (*p < 1 || *p > maxPosition) {
		return fault.Field("collection_position", "value must be an integer from 1 to %d.", maxPosition)
	}
	return nil
}

// renumber keeps the positions of the pinned items of a collection without
// gaps and repetitions when one comes, goes or moves among them
// (contract/content-data.md 3.4).
func (s *Service) renumber(ctx context.Context, old, next Item) error {
	wasIn, isIn := pinned(old), pinned(next)
	if wasIn && isIn && old.CollectionID == next.CollectionID && *old.Position == *next.Position {
		return nil
	}
	if wasIn {
		_, err := s.db.Exec(ctx, `UPDATE item SET position = position - 1
			WHERE collection_id = ?1 AND position > ?2 AND archived = FALSE AND no <> ?3`, old.CollectionID, *old.Position, old.No)
		if err != nil {
			return fault.Wrap(err, "close a gap among positions")
		}
	}
	if isIn {
		return s.makeRoom(ctx, next)
	}
	return nil
}

// makeRoom moves the pinned items from the item's position on by one.
func (s *Service) makeRoom(ctx context.Context, i Item) error {
	_, err := s.db.Exec(ctx, `UPDATE item SET position = position + 1
		WHERE collection_id = ?1 AND position >= ?2 AND archived = FALSE AND no <> ?3`, i.CollectionID, *i.Position, i.No)
	return fault.Wrap(err, "make room among positions")
}

func pinned(i Item) bool { return i.Position != nil && !i.Archived }

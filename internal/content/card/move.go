package card

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/opt"
)

// MoveTo puts cards into a collection, in one transaction: the first that may
// not be moved stops all (contract/content-data.md 3.7). It returns NotFound,
// Forbidden and Invalid.
func (s *Service) MoveTo(ctx context.Context, who *access.Principal, ids []int64, collectionID int64) error {
	if err := s.content.Require(ctx, who, collectionID, access.Curate); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		items, err := s.content.ByIDs(ctx, content.Card, ids)
		if err != nil {
			return err
		}
		var plain []content.Ref
		for _, id := range ids {
			if items[id].DashboardID == 0 {
				plain = append(plain, ref(id))
				continue
			}
			c := Change{DashboardID: opt.Null[int64](), CollectionID: opt.Of(collectionID)}
			if _, err := s.Update(ctx, who, id, c); err != nil {
				return err
			}
		}
		_, err = s.content.MoveMany(ctx, who, plain, collectionID)
		return err
	})
}

// MoveInto puts cards into a dashboard, where they live from then on, in one
// transaction. It is MoveTo for dashboards.
func (s *Service) MoveInto(ctx context.Context, who *access.Principal, ids []int64, dashboardID int64, collection opt.Value[int64]) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for _, id := range ids {
			if _, err := s.Update(ctx, who, id, Change{DashboardID: opt.Of(dashboardID), CollectionID: collection}); err != nil {
				return err
			}
		}
		return nil
	})
}

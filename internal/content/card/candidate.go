package card

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Candidate is a question that could live in the one dashboard that shows it.
type Candidate struct{ Question, Dashboard content.Item }

// Candidates returns the questions of a collection that one dashboard alone
// shows, which lies in the same collection and is not in the trash
// (contract/content-data.md 2.12). It returns Forbidden unless who is an
// administrator, and NotFound.
func (s *Service) Candidates(ctx context.Context, who *access.Principal, collectionID int64) ([]Candidate, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	page, err := s.content.Items(ctx, who, content.ItemQuery{CollectionID: collectionID, Models: []content.Model{content.ModelCard}, Limit: -1})
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(page.Items))
	for i, item := range page.Items {
		ids[i] = item.ID
	}
	showing, err := s.Showing(ctx, ids)
	if err != nil {
		return nil, err
	}
	var boards []int64
	for _, on := range showing {
		boards = append(boards, on...)
	}
	found, err := s.content.ByIDs(ctx, content.Dashboard, boards)
	if err != nil {
		return nil, err
	}
	out := []Candidate{}
	for _, item := range page.Items {
		on := showing[item.ID]
		if item.Archived || len(on) != 1 {
			continue
		}
		if d, ok := found[on[0]]; ok && !d.Archived && d.CollectionID == item.CollectionID {
			out = append(out, Candidate{item, d})
		}
	}
	return out, nil
}

// MoveCandidates lets candidates of a collection live in their dashboards from
// then on, all of them or those with the ids, in one transaction. It returns
// their ids, and Invalid for one that is no candidate.
func (s *Service) MoveCandidates(ctx context.Context, who *access.Principal, collectionID int64, only opt.Value[[]int64]) ([]int64, error) {
	moved := []int64{}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Candidates(ctx, who, collectionID)
		if err != nil {
			return err
		}
		wanted, chosen := only.Get()
		for _, c := range all {
			if chosen && !slices.Contains(wanted, c.Question.ID) {
				continue
			}
			if err := s.MoveInto(ctx, who, []int64{c.Question.ID}, c.Dashboard.ID, opt.Value[int64]{}); err != nil {
				return err
			}
			moved = append(moved, c.Question.ID)
		}
		for _, id := range wanted {
			if !slices.Contains(moved, id) {
				return fault.Field("card_ids", "The question %d is on no dashboard of this collection alone.", id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return moved, nil
}

package content

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Holding says which models of items a collection holds: directly, and in the
// collections below it that the asker may see.
type Holding struct{ Here, Below []Model }

// held are the models of which lists say whether a collection holds any.
func held() []Model { return []Model{ModelCard, ModelDashboard, ModelDataset, ModelMetric} }

// holds is a set of the models of held, a bit each.
type holds uint8

func (h holds) models() []Model {
	var out []Model
	for i, m := range held() {
		if h&(1<<i) != 0 {
			out = append(out, m)
		}
	}
	return out
}

// Holdings returns what some collections hold that is not in the trash
// (contract/content-data.md 2.3, 2.5).
func (s *Service) Holdings(ctx context.Context, who *access.Principal, ids []int64) (map[int64]Holding, error) {
	if len(ids) == 0 {
		return map[int64]Holding{}, nil
	}
	wanted := make(map[int64]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var below []*access.Folder
	probed := slices.Clone(ids)
	for _, f := range s.cols.All() {
		if inAny(f.Path, wanted) && !f.Archived && access.LevelOf(who, f) >= access.View {
			below = append(below, f)
			if !wanted[f.ID] {
				probed = append(probed, f.ID)
			}
		}
	}
	here, err := s.probe(ctx, probed)
	if err != nil {
		return nil, err
	}
	lower := map[int64]holds{}
	for _, f := range below {
		for _, id := range f.Path {
			lower[id] |= here[f.ID]
		}
	}
	out := make(map[int64]Holding, len(ids))
	for _, id := range ids {
		out[id] = Holding{here[id].models(), lower[id].models()}
	}
	return out, nil
}

// probe asks of each collection whether it holds an item of each model: four
// looks into an index, however many items there are.
func (s *Service) probe(ctx context.Context, ids []int64) (map[int64]holds, error) {
	query := "SELECT c.id"
	for _, m := range held() {
		query += ", EXISTS (SELECT 1 FROM item i WHERE i.collection_id = c.id AND i.archived = FALSE AND i.dashboard_id = 0 AND i.rank = " +
			itoa(int64(ranks[m])) + ")"
	}
	type row struct {
		id  int64
		any [4]bool
	}
	out := make(map[int64]holds, len(ids))
	err := db.Each(ctx, s.db, func(r db.Row) (v row, err error) {
		return v, r.Scan(&v.id, &v.any[0], &v.any[1], &v.any[2], &v.any[3])
	}, func(v row) error {
		for i, yes := range v.any {
			if yes {
				out[v.id] |= 1 << i
			}
		}
		return nil
	}, query+" FROM collection c WHERE "+s.db.In("c.id", 1), db.IDs(ids))
	return out, fault.Wrap(err, "look what collections hold")
}

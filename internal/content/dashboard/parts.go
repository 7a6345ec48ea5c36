package dashboard

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Part is what has an entity id of its own on a dashboard.
type Part string

// The parts of a dashboard.
const (
	TabPart  Part = "dashboard_tab"
	CardPart Part = "dashcard"
)

// part is where a part is.
type part struct {
	id, dashboardID int64
	entityID        string
}

// Parts returns the ids of tabs or dashcards by their entity ids, of those
// alone whose dashboard who may see.
func (s *Service) Parts(ctx context.Context, who *access.Principal, kind Part, entityIDs []string) (map[string]int64, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	scan := func(r db.Row) (p part, err error) { return p, r.Scan(&p.id, &p.dashboardID, &p.entityID) }
	found, err := db.All(ctx, s.db, scan, "SELECT id, dashboard_id, entity_id FROM "+string(kind)+" WHERE "+s.db.InTexts("entity_id", 1), db.Texts(entityIDs))
	if err != nil {
		return nil, fault.Wrap(err, "read parts of dashboards")
	}
	ids := make([]int64, len(found))
	for n, p := range found {
		ids[n] = p.dashboardID
	}
	boards, err := s.content.ByIDs(ctx, content.Dashboard, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(found))
	for _, p := range found {
		level, err := s.content.LevelOf(ctx, who, boards[p.dashboardID])
		if err != nil {
			return nil, fault.Wrap(err, "decide about a dashboard")
		}
		if level >= access.View {
			out[p.entityID] = p.id
		}
	}
	return out, nil
}

package dashboard

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// The size of a question that is put onto a dashboard without a place.
const (
	placedWidth  = 12
	placedHeight = 8
)

// Place shows a question on a dashboard that who may write, below what stands
// there, on a tab when one is given or else the first, unless the dashboard
// shows it already. It runs in the caller's transaction. It returns NotFound,
// Forbidden and Invalid.
func (s *Service) Place(ctx context.Context, who *access.Principal, dashboardID int64, tabID *int64, cardID int64) error {
	i, err := s.content.GetToWrite(ctx, who, ref(dashboardID))
	if err != nil {
		return err
	}
	d, err := s.read(ctx, i)
	if err != nil {
		return err
	}
	if tabID == nil && len(d.Tabs) > 0 {
		tabID = &d.Tabs[0].ID
	}
	list := make([]GivenCard, len(d.Cards), len(d.Cards)+1)
	var bottom int64
	for n, c := range d.Cards {
		list[n] = kept(c)
		if c.CardID != nil && *c.CardID == cardID {
			return nil
		}
		if tabID == nil || same(c.TabID, tabID) {
			bottom = max(bottom, c.Row+c.Height)
		}
	}
	added := GivenCard{CardID: opt.Of(cardID), Row: bottom, Width: placedWidth, Height: placedHeight}
	if tabID != nil {
		added.TabID = opt.Of(*tabID)
	}
	return s.rearrange(ctx, who, d, append(list, added))
}

// rearrange gives a dashboard other dashcards on the tabs that it has.
func (s *Service) rearrange(ctx context.Context, who *access.Principal, d Dashboard, list []GivenCard) error {
	tabs := make([]GivenTab, len(d.Tabs))
	for n, t := range d.Tabs {
		tabs[n] = GivenTab{t.ID, t.Name}
	}
	i, err := s.change(ctx, who, d.ID, Change{Tabs: opt.Of(tabs), Cards: opt.Of(list)}, nil)
	if err != nil {
		return err
	}
	return s.log.Record(ctx, who, i, revision.Note{})
}

// Remove takes a question from all dashboards but one, which may be 0, in the
// caller's transaction. It returns Forbidden for a dashboard that who may not
// change.
func (s *Service) Remove(ctx context.Context, who *access.Principal, cardID, butDashboardID int64) error {
	showing, err := s.Showing(ctx, []int64{cardID})
	if err != nil {
		return err
	}
	for _, id := range showing[cardID] {
		if id == butDashboardID {
			continue
		}
		i, err := s.content.GetToWrite(ctx, who, ref(id))
		if err != nil {
			return err
		}
		if err := s.removeFrom(ctx, who, i, cardID); err != nil {
			return err
		}
	}
	return nil
}

// removeFrom takes a question from one dashboard, which may be in the trash.
func (s *Service) removeFrom(ctx context.Context, who *access.Principal, i content.Item, cardID int64) error {
	for _, q := range []string{
		"DELETE FROM dashcard WHERE dashboard_id = ?1 AND card_id = ?2",
		`DELETE FROM dashcard_series WHERE card_id = ?2
			AND dashcard_id IN (SELECT id FROM dashcard WHERE dashboard_id = ?1)`,
	} {
		if _, err := s.db.Exec(ctx, q, i.ID, cardID); err != nil {
			return fault.Wrap(err, "take a question from a dashboard")
		}
	}
	i, err := s.content.Update(ctx, who, i.Ref(), content.Change{Touch: true})
	if err != nil {
		return err
	}
	return s.log.Record(ctx, who, i, revision.Note{})
}

// Showing returns the ids of the dashboards that show each of some questions,
// whoever asks.
func (s *Service) Showing(ctx context.Context, cardIDs []int64) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	if len(cardIDs) == 0 {
		return out, nil
	}
	err := db.Each(ctx, s.db, func(r db.Row) (v [2]int64, err error) { return v, r.Scan(&v[0], &v[1]) },
		func(v [2]int64) error { out[v[0]] = append(out[v[0]], v[1]); return nil },
		`SELECT card_id, dashboard_id FROM dashcard WHERE `+s.db.In("card_id", 1)+`
		UNION SELECT s.card_id, c.dashboard_id FROM dashcard_series s JOIN dashcard c ON c.id = s.dashcard_id
		WHERE `+s.db.In("s.card_id", 1)+` ORDER BY 1, 2`, db.IDs(cardIDs))
	return out, fault.Wrap(err, "find dashboards of questions")
}

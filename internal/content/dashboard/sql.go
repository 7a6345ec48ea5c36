package dashboard

import (
	"context"
	"database/sql"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
)

const selectParticulars = `SELECT d.id, d.parameters_json, d.full_width, d.auto_apply, d.cache_ttl, d.caveats,
	d.points_of_interest, d.getting_started, d.guide_position FROM dashboard d`

type row struct {
	id int64
	Particulars
}

func scanParticulars(r db.Row) (row, error) {
	var v row
	var parameters string
	var ttl, position sql.NullInt64
	var caveats, points sql.NullString
	err := r.Scan(&v.id, &parameters, &v.FullWidth, &v.AutoApply, &ttl, &caveats, &points, &v.GettingStarted, &position)
	v.Parameters = JSON(parameters)
	v.CacheTTL, v.GuidePosition = number(ttl), number(position)
	v.Caveats, v.PointsOfInterest = text(caveats), text(points)
	return v, err
}

func number(n sql.NullInt64) *int64 {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}

func text(s sql.NullString) *string {
	if !s.Valid {
		return nil
	}
	return &s.String
}

// read returns a dashboard with all that stands on it.
func (s *Service) read(ctx context.Context, i content.Item) (Dashboard, error) {
	d := Dashboard{Item: i}
	p, err := db.One(ctx, s.db, scanParticulars, selectParticulars+" WHERE d.id = ?1", i.ID)
	if err != nil {
		return d, fault.Wrap(err, "read dashboard")
	}
	d.Particulars = p.Particulars
	d.Tabs, err = db.All(ctx, s.db, scanTab, `SELECT id, entity_id, name, position, created_at, updated_at
		FROM dashboard_tab WHERE dashboard_id = ?1 ORDER BY position, id`, i.ID)
	if err != nil {
		return d, fault.Wrap(err, "read tabs")
	}
	d.Cards, err = s.readCards(ctx, i.ID)
	return d, err
}

func scanTab(r db.Row) (Tab, error) {
	var t Tab
	err := r.Scan(&t.ID, &t.EntityID, &t.Name, &t.Position, db.Time(&t.CreatedAt), db.Time(&t.UpdatedAt))
	return t, err
}

func (s *Service) readCards(ctx context.Context, id int64) ([]Dashcard, error) {
	cards, err := db.All(ctx, s.db, scanDashcard, `SELECT id, entity_id, tab_id, card_id, grid_row, grid_col, width, height,
		mappings_json, settings_json, inline_json, created_at, updated_at FROM dashcard WHERE dashboard_id = ?1 ORDER BY id`, id)
	if err != nil {
		return nil, fault.Wrap(err, "read dashcards")
	}
	at := make(map[int64]int, len(cards))
	for i, c := range cards {
		at[c.ID] = i
	}
	err = db.Each(ctx, s.db, func(r db.Row) (v [2]int64, err error) { return v, r.Scan(&v[0], &v[1]) },
		func(v [2]int64) error {
			c := &cards[at[v[0]]]
			c.Series = append(c.Series, v[1])
			return nil
		}, `SELECT s.dashcard_id, s.card_id FROM dashcard_series s JOIN dashcard c ON c.id = s.dashcard_id
		WHERE c.dashboard_id = ?1 ORDER BY s.dashcard_id, s.position`, id)
	return cards, fault.Wrap(err, "read series")
}

func scanDashcard(r db.Row) (Dashcard, error) {
	var c Dashcard
	var tab, card sql.NullInt64
	var mappings, settings, inline string
	err := r.Scan(&c.ID, &c.EntityID, &tab, &card, &c.Row, &c.Col, &c.Width, &c.Height,
		&mappings, &settings, &inline, db.Time(&c.CreatedAt), db.Time(&c.UpdatedAt))
	c.TabID, c.CardID = number(tab), number(card)
	c.Mappings, c.Settings, c.Inline = JSON(mappings), JSON(settings), JSON(inline)
	return c, err
}

func (s *Service) insert(ctx context.Context, i content.Item, p Particulars) error {
	_, err := s.db.Exec(ctx, "INSERT INTO dashboard (id, item) VALUES (?1, ?2)", i.ID, i.No)
	if err != nil {
		return fault.Wrap(err, "write dashboard")
	}
	return s.save(ctx, i.ID, p)
}

func (s *Service) save(ctx context.Context, id int64, p Particulars) error {
	_, err := s.db.Exec(ctx, `UPDATE dashboard SET parameters_json = ?2, full_width = ?3, auto_apply = ?4, cache_ttl = ?5,
		caveats = ?6, points_of_interest = ?7, getting_started = ?8, guide_position = ?9 WHERE id = ?1`,
		id, string(p.Parameters), p.FullWidth, p.AutoApply, p.CacheTTL, p.Caveats, p.PointsOfInterest, p.GettingStarted, p.GuidePosition)
	return fault.Wrap(err, "write dashboard")
}

func (s *Service) insertTab(ctx context.Context, dashboardID int64, name string, position int) (int64, error) {
	id, err := s.db.Insert(ctx, `INSERT INTO dashboard_tab (dashboard_id, entity_id, name, position, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING id`, dashboardID, naming.EntityID(), name, position, s.db.Now(ctx))
	return id, fault.Wrap(err, "write tab")
}

func (s *Service) updateTab(ctx context.Context, id int64, name string, position int) error {
	_, err := s.db.Exec(ctx, "UPDATE dashboard_tab SET name = ?2, position = ?3, updated_at = ?4 WHERE id = ?1",
		id, name, position, s.db.Now(ctx))
	return fault.Wrap(err, "write tab")
}

// insertCard writes a new dashcard. items are the numbers of the questions' records.
func (s *Service) insertCard(ctx context.Context, dashboardID int64, p Place, items map[int64]content.Item) error {
	id, err := s.db.Insert(ctx, `INSERT INTO dashcard (dashboard_id, entity_id, tab_id, card_id, card_item, grid_row, grid_col,
		width, height, mappings_json, settings_json, inline_json, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13) RETURNING id`,
		dashboardID, naming.EntityID(), p.TabID, p.CardID, itemOf(p.CardID, items), p.Row, p.Col,
		p.Width, p.Height, string(p.Mappings), string(p.Settings), string(p.Inline), s.db.Now(ctx))
	if err != nil {
		return fault.Wrap(err, "write dashcard")
	}
	return s.insertSeries(ctx, id, p.Series, items)
}

func itemOf(cardID *int64, items map[int64]content.Item) any {
	if cardID == nil {
		return nil
	}
	return items[*cardID].No
}

func (s *Service) insertSeries(ctx context.Context, dashcardID int64, series []int64, items map[int64]content.Item) error {
	for i, card := range series {
		_, err := s.db.Exec(ctx, "INSERT INTO dashcard_series (dashcard_id, position, card_id, card_item) VALUES (?1, ?2, ?3, ?4)",
			dashcardID, i, card, items[card].No)
		if err != nil {
			return fault.Wrap(err, "write series")
		}
	}
	return nil
}

func (s *Service) updateCard(ctx context.Context, id int64, p Place, items map[int64]content.Item) error {
	_, err := s.db.Exec(ctx, `UPDATE dashcard SET tab_id = ?2, card_id = ?3, card_item = ?4, grid_row = ?5, grid_col = ?6,
		width = ?7, height = ?8, mappings_json = ?9, settings_json = ?10, inline_json = ?11, updated_at = ?12 WHERE id = ?1`,
		id, p.TabID, p.CardID, itemOf(p.CardID, items), p.Row, p.Col,
		p.Width, p.Height, string(p.Mappings), string(p.Settings), string(p.Inline), s.db.Now(ctx))
	if err != nil {
		return fault.Wrap(err, "write dashcard")
	}
	if _, err := s.db.Exec(ctx, "DELETE FROM dashcard_series WHERE dashcard_id = ?1", id); err != nil {
		return fault.Wrap(err, "clear series")
	}
	return s.insertSeries(ctx, id, p.Series, items)
}

func (s *Service) deleteRows(ctx context.Context, table string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.db.Exec(ctx, "DELETE FROM "+table+" WHERE "+s.db.In("id", 1), db.IDs(ids))
	return fault.Wrap(err, "delete from "+table)
}

// list returns the particulars of the dashboards in some collections, in the
// order of their names; creator 0 stands for everybody.
func (s *Service) list(ctx context.Context, reach access.Reach, archived bool, creator int64) ([]row, error) {
	in, arg := s.content.Where(reach, "i.collection_id", 1)
	rows, err := db.All(ctx, s.db, scanParticulars, selectParticulars+` JOIN item i ON i.no = d.item
		WHERE `+in+` AND i.archived = ?2 AND (?3 = 0 OR i.creator_id = ?3) ORDER BY i.name_key, i.id`, arg, archived, creator)
	return rows, fault.Wrap(err, "list dashboards")
}

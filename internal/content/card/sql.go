package card

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

const columns = `c.display, c.query, c.query_type, c.database_id, c.table_id, c.source_card_id, c.settings, c.parameters,
	c.mappings, c.metadata, c.cache_ttl, c.preview, c.parameterized`

// scanned holds the columns of a card that may be null.
type scanned struct {
	query, settings, parameters, mappings string
	database, table, source, ttl          sql.NullInt64
	metadata                              sql.NullString
}

func (v *scanned) targets(p *Particulars) []any {
	return []any{
		&p.Display, &v.query, &p.QueryType, &v.database, &v.table, &v.source, &v.settings, &v.parameters,
		&v.mappings, &v.metadata, &v.ttl, &p.Preview, &p.Parameterized,
	}
}

func (v *scanned) fill(p *Particulars) {
	p.Query, p.Settings = json.RawMessage(v.query), json.RawMessage(v.settings)
	p.Parameters, p.Mappings = json.RawMessage(v.parameters), json.RawMessage(v.mappings)
	p.DatabaseID, p.TableID, p.SourceCardID = v.database.Int64, v.table.Int64, v.source.Int64
	if v.metadata.Valid {
		p.Metadata = json.RawMessage(v.metadata.String)
	}
	if v.ttl.Valid {
		p.CacheTTL = &v.ttl.Int64
	}
}

func scanParticulars(r db.Row) (Particulars, error) {
	var p Particulars
	var v scanned
	err := r.Scan(v.targets(&p)...)
	v.fill(&p)
	return p, err
}

// tail scans the particulars behind the shared record.
type tail struct {
	row  db.Row
	more []any
}

// Scan implements db.Row.
func (t tail) Scan(dest ...any) error { return t.row.Scan(append(dest, t.more...)...) }

func scanCard(r db.Row) (Card, error) {
	var c Card
	var v scanned
	var err error
	c.Item, err = content.ScanItem(tail{r, v.targets(&c.Particulars)})
	v.fill(&c.Particulars)
	return c, err
}

const selectCards = "SELECT " + content.Columns + ", " + columns + " FROM item i JOIN card c ON c.item = i.no"

// with reads the particulars of an item.
func (s *Service) with(ctx context.Context, i content.Item) (Card, error) {
	p, err := db.One(ctx, s.db, scanParticulars, "SELECT "+columns+" FROM card c WHERE c.item = ?1", i.No)
	return Card{i, p}, fault.Wrap(err, "read card")
}

// ByIDs returns cards by id, whoever asks: for packages that show cards beside
// something that was decided already.
func (s *Service) ByIDs(ctx context.Context, ids []int64) (map[int64]Card, error) {
	out := make(map[int64]Card, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	err := db.Each(ctx, s.db, scanCard, func(c Card) error { out[c.ID] = c; return nil },
		selectCards+" WHERE i.kind = 'card' AND "+s.db.In("i.id", 1), db.IDs(ids))
	return out, fault.Wrap(err, "read cards")
}

func idOrNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func rawOrNull(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}

// values are the columns of a card, from ?3 on.
func (p Particulars) values() []any {
	return []any{
		p.Display, string(p.Query), p.QueryType, idOrNull(p.DatabaseID), idOrNull(p.TableID), idOrNull(p.SourceCardID),
		string(p.Settings), string(p.Parameters), string(p.Mappings), rawOrNull(p.Metadata), p.CacheTTL, p.Preview, p.Parameterized,
	}
}

func (s *Service) insert(ctx context.Context, c Card) error {
	_, err := s.db.Exec(ctx, `INSERT INTO card (id, item, display, query, query_type, database_id, table_id, source_card_id, settings,
		parameters, mappings, metadata, cache_ttl, preview, parameterized)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
		append([]any{c.ID, c.No}, c.values()...)...)
	return fault.Wrap(err, "write card")
}

func (s *Service) update(ctx context.Context, c Card) error {
	_, err := s.db.Exec(ctx, `UPDATE card SET display = ?3, query = ?4, query_type = ?5, database_id = ?6, table_id = ?7,
		source_card_id = ?8, settings = ?9, parameters = ?10, mappings = ?11, metadata = ?12, cache_ttl = ?13, preview = ?14,
		parameterized = ?15 WHERE id = ?1 AND item = ?2`,
		append([]any{c.ID, c.No}, c.values()...)...)
	return fault.Wrap(err, "write card")
}

// refer writes which cards the query of a card refers to.
func (s *Service) refer(ctx context.Context, id int64, to []int64) error {
	if _, err := s.db.Exec(ctx, "DELETE FROM card_reference WHERE card = ?1", id); err != nil {
		return fault.Wrap(err, "write references")
	}
	for _, other := range to {
		if _, err := s.db.Exec(ctx, "INSERT INTO card_reference (card, refers) VALUES (?1, ?2)", id, other); err != nil {
			return fault.Wrap(err, fmt.Sprintf("write reference to card %d", other))
		}
	}
	return nil
}

package seed

import (
	"context"
	"strings"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// itemKey names a thing as files do.
type itemKey struct{ kind, name string }

// named returns the key of a thing. The names of groups differ in more than
// their case.
func named(kind, name string) itemKey {
	if kind == kindGroup || kind == kindPolicy {
		name = strings.ToLower(name)
	}
	return itemKey{kind, name}
}

type item struct {
	key itemKey
	id  int64
}

func scanItem(r db.Row) (item, error) {
	var i item
	err := r.Scan(&i.key.kind, &i.key.name, &i.id)
	return i, err
}

// readItems returns what files have made.
func (s *Service) readItems(ctx context.Context) (map[itemKey]int64, error) {
	out := map[itemKey]int64{}
	err := db.Each(ctx, s.db, scanItem, func(i item) error { out[i.key] = i.id; return nil }, "SELECT kind, name, id FROM seed_item")
	return out, fault.Wrap(err, "read what seed files made")
}

// remember says that a file made a thing, or has taken it over.
func (s *Service) remember(ctx context.Context, kind, name string, id int64) error {
	_, err := s.db.Exec(ctx, `INSERT INTO seed_item (kind, name, id, at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (kind, name) DO UPDATE SET id = excluded.id, at = excluded.at`, kind, named(kind, name).name, id, s.db.Now(ctx))
	return fault.Wrap(err, "remember what a seed file made")
}

func (s *Service) forget(ctx context.Context, k itemKey) error {
	_, err := s.db.Exec(ctx, "DELETE FROM seed_item WHERE kind = ?1 AND name = ?2", k.kind, k.name)
	return fault.Wrap(err, "forget what a seed file made")
}

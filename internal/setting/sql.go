package setting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// decode returns a stored value in the form in force.
func (d Definition) decode(raw string) (any, error) {
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		return nil, fmt.Errorf("setting %s: its stored value is not JSON: %w", d.Key, err)
	}
	v, err := d.Kind.coerce(v)
	if err != nil {
		return nil, fmt.Errorf("setting %s: stored %w", d.Key, err)
	}
	return v, nil
}

type row struct{ key, value string }

// stored returns the stored values. Keys that this version does not know,
// left by another one, are passed over.
func (s *Service) stored(ctx context.Context) (map[string]any, error) {
	out := map[string]any{}
	err := db.Each(ctx, s.db, scanRow, func(r row) error {
		def, ok := s.table[r.key]
		if !ok {
			return nil
		}
		v, err := def.decode(r.value)
		out[r.key] = v
		return err
	}, "SELECT key, value FROM setting")
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return out, nil
}

// Stored returns the stored value of a setting as the database has it now, in
// the caller's transaction when there is one; nil when none is stored. It is for
// packages that decide on a setting before they change it: memory may not have
// heard yet of what another node did.
func (s *Service) Stored(ctx context.Context, key string) (any, error) {
	def, ok := s.table[key]
	if !ok {
		return nil, fault.Wrap(errors.New("there is no such setting"), key)
	}
	raw, err := db.One(ctx, s.db, db.Scalar[string], "SELECT value FROM setting WHERE key = ?1", key)
	if errors.Is(err, db.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, "read "+key)
	}
	v, err := def.decode(raw)
	return v, fault.Wrap(err, "read "+key)
}

func scanRow(r db.Row) (row, error) {
	var v row
	err := r.Scan(&v.key, &v.value)
	return v, err
}

// write stores one change in the caller's transaction. It returns whether the
// stored value is another one now, and the old one, nil for the default.
func (s *Service) write(ctx context.Context, c change) (changed bool, old any, err error) {
	before, err := db.One(ctx, s.db, db.Scalar[string], "SELECT value FROM setting WHERE key = ?1", c.def.Key)
	switch {
	case errors.Is(err, db.ErrNone):
		before = ""
	case err != nil:
		return false, nil, err
	default:
		if old, err = c.def.decode(before); err != nil {
			return false, nil, err
		}
	}
	if c.value == nil {
		n, err := s.db.Exec(ctx, "DELETE FROM setting WHERE key = ?1", c.def.Key)
		return n > 0, old, err
	}
	after, err := encode(c.value)
	if err != nil || after == before {
		return false, old, err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO setting (key, value, updated_at) VALUES (?1, ?2, ?3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
		c.def.Key, after, s.db.Now(ctx))
	return err == nil, old, err
}

package warehouse

import (
	"context"

	"latchkey/internal/engine"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/warehouse/sample"
)

// sync reads the tables and fields of a database. What people wrote about them
// stays; what is gone there is kept as not active.
func (s *Service) sync(ctx context.Context, d Database) error {
	c, err := s.Connection(ctx, d)
	if err != nil {
		return err
	}
	version, err := c.Version(ctx)
	if err != nil {
		return fault.Wrap(err, "sync database")
	}
	tables, err := c.Describe(ctx)
	if err != nil {
		return fault.Wrap(err, "sync database")
	}
	return s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.writeTables(ctx, d, tables); err != nil {
			return fault.Wrap(err, "write tables")
		}
		now := s.DB.Now(ctx)
		_, err := s.DB.Exec(ctx, "UPDATE warehouse_database SET flavor = ?1, version = ?2, synced_at = ?3 WHERE id = ?4",
			version.Flavor, version.Version, now, d.ID)
		return fault.Wrap(err, "write database")
	})
}

// column is the way to a field.
type column struct{ schema, table, name string }

func (s *Service) writeTables(ctx context.Context, d Database, tables []engine.Table) error {
	if err := s.forget(ctx, d.ID); err != nil {
		return err
	}
	fields := map[column]int64{}
	for _, t := range tables {
		id, err := s.writeTable(ctx, d, t)
		if err != nil {
			return err
		}
		foreign := map[string]bool{}
		for _, k := range t.Keys {
			foreign[k.Column] = true
		}
		for i, c := range t.Columns {
			fieldID, err := s.writeField(ctx, d, t, id, i, c, foreign[c.Name])
			if err != nil {
				return err
			}
			fields[column{t.Schema, t.Name, c.Name}] = fieldID
		}
	}
	return s.writeKeys(ctx, tables, fields)
}

// forget marks everything of a database as gone, until it is found again.
func (s *Service) forget(ctx context.Context, databaseID int64) error {
	_, err := s.DB.Exec(ctx, "UPDATE warehouse_table SET active = FALSE WHERE database_id = ?1 AND active", databaseID)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, `UPDATE warehouse_field SET active = FALSE, target_id = NULL
		WHERE table_id IN (SELECT id FROM warehouse_table WHERE database_id = ?1)`, databaseID)
	return err
}

func (s *Service) writeTable(ctx context.Context, d Database, t engine.Table) (int64, error) {
	return s.DB.Insert(ctx, `INSERT INTO warehouse_table
		(database_id, schema_name, name, display_name, description, entity_type, is_view, entity_id, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
		ON CONFLICT (database_id, schema_name, name) DO UPDATE SET active = TRUE, is_view = excluded.is_view RETURNING id`,
		d.ID, t.Schema, t.Name, humanize(t.Name), d.note(t.Name, ""), entityTypeOf(t.Name), t.View, naming.EntityID(), s.DB.Now(ctx))
}

func (s *Service) writeField(ctx context.Context, d Database, t engine.Table, tableID int64, i int, c engine.Column, foreign bool) (int64, error) {
	return s.DB.Insert(ctx, `INSERT INTO warehouse_field
		(table_id, name, display_name, description, native_type, base_type, semantic_type, position, required, entity_id, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
		ON CONFLICT (table_id, name) DO UPDATE SET active = TRUE, native_type = excluded.native_type,
			base_type = excluded.base_type, position = excluded.position, required = excluded.required RETURNING id`,
		tableID, c.Name, humanize(c.Name), d.note(t.Name, c.Name), c.NativeType, string(c.Type), semanticOf(c, foreign), i, c.Required,
		naming.EntityID(), s.DB.Now(ctx))
}

func (s *Service) writeKeys(ctx context.Context, tables []engine.Table, fields map[column]int64) error {
	for _, t := range tables {
		for _, k := range t.Keys {
			target := fields[column{k.ToSchema, k.ToTable, k.ToColumn}]
			if target == 0 {
				continue
			}
			_, err := s.DB.Exec(ctx, "UPDATE warehouse_field SET target_id = ?1 WHERE id = ?2", target, fields[column{t.Schema, t.Name, k.Column}])
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// note returns what is known about a table or column beside its name.
func (d Database) note(table, column string) *string {
	if !d.IsSample {
		return nil
	}
	if text := sample.Describe(table, column); text != "" {
		return &text
	}
	return nil
}

package warehouse

import (
	"context"
	"errors"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

const selectDatabase = `SELECT id, name, engine, is_sample, description, caveats, points_of_interest, timezone, auto_run, settings,
	flavor, version, synced_at, entity_id, creator_id, created_at, updated_at FROM warehouse_database`

func scanDatabase(r db.Row) (Database, error) {
	var d Database
	err := r.Scan(&d.ID, &d.Name, &d.Engine, &d.IsSample, &d.Description, &d.Caveats, &d.PointsOfInterest, &d.Timezone, &d.AutoRun, &d.Settings,
		&d.Flavor, &d.Version, db.NullTime(&d.SyncedAt), &d.EntityID, &d.CreatorID, db.Time(&d.CreatedAt), db.Time(&d.UpdatedAt))
	return d, err
}

func (s *Service) selectDatabases(ctx context.Context) ([]Database, error) {
	all, err := db.All(ctx, s.DB, scanDatabase, selectDatabase+" ORDER BY lower(name), id")
	return all, fault.Wrap(err, "read databases")
}

func (s *Service) selectDatabase(ctx context.Context, id int64) (Database, error) {
	d, err := db.One(ctx, s.DB, scanDatabase, selectDatabase+" WHERE id = ?1", id)
	return d, found(err, "read database")
}

// found turns the lack of a row into NotFound.
func found(err error, doing string) error {
	if errors.Is(err, db.ErrNone) {
		return notFound()
	}
	return fault.Wrap(err, doing)
}

const selectTable = `SELECT id, database_id, schema_name, name, display_name, description, entity_type, visibility_type, is_view, active,
	entity_id, created_at, updated_at FROM warehouse_table`

func scanTable(r db.Row) (Table, error) {
	var t Table
	err := r.Scan(&t.ID, &t.DatabaseID, &t.Schema, &t.Name, &t.DisplayName, &t.Description, &t.EntityType, &t.Visibility, &t.IsView, &t.Active,
		&t.EntityID, db.Time(&t.CreatedAt), db.Time(&t.UpdatedAt))
	return t, err
}

func (s *Service) selectTables(ctx context.Context, databaseID int64) ([]Table, error) {
	all, err := db.All(ctx, s.DB, scanTable, selectTable+" WHERE ?1 = 0 OR database_id = ?1 ORDER BY database_id, schema_name, lower(display_name), id", databaseID)
	return all, fault.Wrap(err, "read tables")
}

func (s *Service) selectTable(ctx context.Context, id int64) (Table, error) {
	t, err := db.One(ctx, s.DB, scanTable, selectTable+" WHERE id = ?1", id)
	return t, found(err, "read table")
}

const selectField = `SELECT id, table_id, name, display_name, description, native_type, base_type, semantic_type, visibility_type, target_id,
	position, required, active, entity_id, created_at, updated_at FROM warehouse_field`

func scanField(r db.Row) (Field, error) {
	var f Field
	var base string
	err := r.Scan(&f.ID, &f.TableID, &f.Name, &f.DisplayName, &f.Description, &f.NativeType, &base, &f.Semantic, &f.Visibility, &f.TargetID,
		&f.Position, &f.Required, &f.Active, &f.EntityID, db.Time(&f.CreatedAt), db.Time(&f.UpdatedAt))
	f.BaseType = baseType(base)
	return f, err
}

func (s *Service) selectField(ctx context.Context, id int64) (Field, error) {
	f, err := db.One(ctx, s.DB, scanField, selectField+" WHERE id = ?1", id)
	return f, found(err, "read field")
}

// atOnce is how many tables' fields are asked for in one statement.
const atOnce = 500

func (s *Service) selectFields(ctx context.Context, tables []Table) (map[int64][]Field, error) {
	out := make(map[int64][]Field, len(tables))
	for len(tables) > 0 {
		n := min(len(tables), atOnce)
		args := make([]any, n)
		for i, t := range tables[:n] {
			args[i] = t.ID
		}
		tables = tables[n:]
		err := db.Each(ctx, s.DB, scanField, func(f Field) error {
			out[f.TableID] = append(out[f.TableID], f)
			return nil
		}, selectField+" WHERE active AND table_id IN "+db.List(1, n)+" ORDER BY table_id, position, id", args...)
		if err != nil {
			return nil, fault.Wrap(err, "read fields")
		}
	}
	return out, nil
}

package sqlite

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/engine"
)

// Describe implements engine.Database.
func (d *database) Describe(ctx context.Context) ([]engine.Table, error) {
	c, err := d.conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	tables, err := list(ctx, c, `SELECT name, type FROM sqlite_master
		WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`,
		func(r *sql.Rows) (t engine.Table, err error) {
			var kind string
			err = r.Scan(&t.Name, &kind)
			t.View = kind == "view"
			return t, err
		})
	if err != nil {
		return nil, classify(err)
	}
	for i := range tables {
		if err := fill(ctx, c, &tables[i]); err != nil {
			return nil, classify(err)
		}
	}
	return tables, nil
}

func fill(ctx context.Context, c *conn, t *engine.Table) (err error) {
	t.Columns, err = list(ctx, c, `SELECT name, type, "notnull" <> 0 AND dflt_value IS NULL AND pk = 0, pk <> 0
		FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid`,
		func(r *sql.Rows) (col engine.Column, err error) {
			err = r.Scan(&col.Name, &col.NativeType, &col.Required, &col.PrimaryKey)
			col.NativeType = strings.ToUpper(col.NativeType)
			col.Type = declaredType(col.NativeType)
			return col, err
		}, t.Name)
	if err != nil {
		return err
	}
	t.Keys, err = list(ctx, c, `SELECT "from", "table", coalesce("to", '') FROM pragma_foreign_key_list(?1) ORDER BY id, seq`,
		func(r *sql.Rows) (k engine.ForeignKey, err error) {
			err = r.Scan(&k.Column, &k.ToTable, &k.ToColumn)
			return k, err
		}, t.Name)
	return err
}

func list[T any](ctx context.Context, c *conn, q string, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	rows, err := c.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// declaredType returns the type that a column is declared with, by the rules of
// SQLite's affinities and, for days and booleans, by name.
func declaredType(native string) engine.BaseType {
	name, _, _ := strings.Cut(strings.ToUpper(native), "(")
	name = strings.TrimSpace(name)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(name, p) {
				return true
			}
		}
		return false
	}
	switch {
	case name == "":
		return engine.Unknown
	case name == "DATE":
		return engine.Day
	case has("TIMESTAMP", "DATETIME"):
		return engine.DateTime
	case name == "TIME":
		return engine.Time
	case has("BOOL"):
		return engine.Boolean
	case name == "BIGINT" || name == "INT8":
		return engine.BigInteger
	case has("INT"):
		return engine.Integer
	case has("CHAR", "CLOB", "TEXT", "UUID", "JSON"):
		return engine.Text
	case has("BLOB"):
		return engine.Bytes
	case has("REAL", "FLOA", "DOUBLE"):
		return engine.Float
	case has("NUMERIC", "DECIMAL"):
		return engine.Decimal
	}
	return engine.Unknown
}

// dialect is how SQLite writes SQL.
type dialect struct{}

// Dialect implements engine.Database.
func (*database) Dialect() engine.Dialect { return dialect{} }

// Placeholder implements engine.Dialect.
func (dialect) Placeholder(n int) string { return "?" + strconv.Itoa(n) }

// Quote implements engine.Dialect.
func (dialect) Quote(names ...string) string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if n != "" {
			out = append(out, `"`+strings.ReplaceAll(n, `"`, `""`)+`"`)
		}
	}
	return strings.Join(out, ".")
}

// DateArg implements engine.Dialect.
func (dialect) DateArg(day time.Time) any { return day.Format(time.DateOnly) }

// TimeArg implements engine.Dialect.
func (dialect) TimeArg(at time.Time) any { return at.Format(time.DateTime) }

package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrNone says that a query for one row found none.
var ErrNone = sql.ErrNoRows

// Row is what a scan function reads from.
type Row interface{ Scan(dest ...any) error }

type querier interface {
	ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row
}

// Exec runs a statement and returns how many rows it changed.
func (d *DB) Exec(ctx context.Context, q string, args ...any) (int64, error) {
	r, err := d.on(ctx, d.write).ExecContext(ctx, d.text(q), d.args(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Insert runs an INSERT … RETURNING id and returns the id.
func (d *DB) Insert(ctx context.Context, q string, args ...any) (int64, error) {
	var id int64
	err := d.on(ctx, d.write).QueryRowContext(ctx, d.text(q), d.args(args)...).Scan(&id)
	return id, err
}

// One returns the single row of a query, or ErrNone.
func One[T any](ctx context.Context, d *DB, scan func(Row) (T, error), q string, args ...any) (T, error) {
	return scan(d.on(ctx, d.read).QueryRowContext(ctx, d.text(q), d.args(args)...))
}

// All returns all rows of a query; none is an empty, non-nil slice.
func All[T any](ctx context.Context, d *DB, scan func(Row) (T, error), q string, args ...any) ([]T, error) {
	out := []T{}
	err := Each(ctx, d, scan, func(v T) error { out = append(out, v); return nil }, q, args...)
	return out, err
}

// Each calls f for every row of a query, holding one row at a time.
func Each[T any](ctx context.Context, d *DB, scan func(Row) (T, error), f func(T) error, q string, args ...any) error {
	rows, err := d.on(ctx, d.read).QueryContext(ctx, d.text(q), d.args(args)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return err
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Scalar scans a row of one column.
func Scalar[T any](r Row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}

func (d *DB) on(ctx context.Context, pool *sql.DB) querier {
	if t := inTx(ctx); t != nil {
		return t.sql
	}
	return pool
}

var placeholder = regexp.MustCompile(`\?(\d+)`)

// text returns the statement in the database's own placeholders.
func (d *DB) text(q string) string {
	if !d.postgres {
		return q
	}
	if t, ok := d.rewrites.Load(q); ok {
		return t.(string)
	}
	t := placeholder.ReplaceAllString(q, "$$$1")
	d.rewrites.Store(q, t)
	return t
}

// args turns times into microseconds, which both databases store.
func (d *DB) args(in []any) []any {
	for i, a := range in {
		switch v := a.(type) {
		case time.Time:
			in[i] = v.UnixMicro()
		case *time.Time:
			in[i] = nil
			if v != nil {
				in[i] = v.UnixMicro()
			}
		}
	}
	return in
}

// Time returns a scan target for a stored time.
func Time(t *time.Time) sql.Scanner { return timeScanner{to: t} }

// NullTime returns a scan target for a stored time that may be null.
func NullTime(t **time.Time) sql.Scanner { return timeScanner{ptr: t} }

type timeScanner struct {
	to  *time.Time
	ptr **time.Time
}

// Scan implements sql.Scanner.
func (s timeScanner) Scan(v any) error {
	if v == nil && s.ptr != nil {
		*s.ptr = nil
		return nil
	}
	us, ok := v.(int64)
	if !ok {
		return fmt.Errorf("stored time: %T is not microseconds", v)
	}
	t := time.UnixMicro(us).UTC()
	if s.ptr != nil {
		*s.ptr = &t
		return nil
	}
	*s.to = t
	return nil
}

// List returns "(?from,?from+1,…)" for n placeholders.
func List(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",?%d", from+i)
	}
	return "(" + strings.TrimPrefix(b.String(), ",") + ")"
}

// In returns a condition: the expression is one of the numbers of placeholder
// n, which must be given as IDs.
func (d *DB) In(expr string, n int) string {
	if d.postgres {
		return fmt.Sprintf("%s = ANY (SELECT value::bigint FROM jsonb_array_elements_text(CAST(?%d AS text)::jsonb))", expr, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each(?%d))", expr, n)
}

// IDs is the argument of a placeholder of In: any number of ids.
func IDs(ids []int64) string {
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(append(b, ']'))
}

// InTexts is In for texts, which must be given as Texts.
func (d *DB) InTexts(expr string, n int) string {
	if d.postgres {
		return fmt.Sprintf("%s = ANY (SELECT jsonb_array_elements_text(CAST(?%d AS text)::jsonb))", expr, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each(?%d))", expr, n)
}

// Texts is the argument of a placeholder of InTexts: any number of texts.
func Texts(list []string) string {
	b, err := json.Marshal(append([]string{}, list...))
	if err != nil {
		return "[]" // texts can always be written
	}
	return string(b)
}

// Contains returns the LIKE pattern of a substring search, for use with
// "LIKE ?1 ESCAPE '\'".
func Contains(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}

// IsUnique reports whether err is the failure of a unique constraint.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505"
}

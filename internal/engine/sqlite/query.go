package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"latchkey/internal/engine"
)

// Query implements engine.Database.
func (d *database) Query(ctx context.Context, q engine.Statement) (engine.Rows, error) {
	if err := single(q.SQL); err != nil {
		return nil, err
	}
	if ended := engine.Ended(ctx); ended != nil {
		return nil, ended
	}
	c, err := d.conn(ctx)
	if err != nil {
		return nil, err
	}
	r := &rows{ctx: ctx, conn: c, judge: c.judge}
	if r.watch, err = watch(ctx, c.Conn); err != nil {
		_ = c.Close()
		return nil, err
	}
	// The driver watches the context while the first row is looked for and not
	// afterwards, so it gets none and ours watches all the time.
	if r.rows, err = c.QueryContext(context.WithoutCancel(ctx), q.SQL, q.Args...); err != nil { //nolint:sqlclosecheck,rowserrcheck // rows.Next and rows.Close do
		_ = r.Close()
		return nil, r.fault(err)
	}
	if err := r.describe(); err != nil {
		_ = r.Close()
		return nil, r.fault(err)
	}
	return r, nil
}

// rows implements engine.Rows.
type rows struct {
	ctx     context.Context
	conn    *conn
	judge   *judge // outlives conn
	watch   *watcher
	rows    *sql.Rows
	columns []engine.Column
	values  []any
	targets []any
}

func (r *rows) describe() error {
	types, err := r.rows.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		r.columns = append(r.columns, engine.Column{Name: t.Name(), NativeType: t.DatabaseTypeName(), Type: declaredType(t.DatabaseTypeName())})
	}
	r.values, r.targets = make([]any, len(types)), make([]any, len(types))
	for i := range r.values {
		r.targets[i] = &r.values[i]
	}
	return nil
}

// Columns implements engine.Rows.
func (r *rows) Columns() []engine.Column { return r.columns }

// Next implements engine.Rows.
func (r *rows) Next() ([]any, error) {
	if ended := engine.Ended(r.ctx); ended != nil {
		return nil, ended
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return nil, r.fault(err)
		}
		return nil, io.EOF
	}
	if err := r.rows.Scan(r.targets...); err != nil {
		return nil, r.fault(err)
	}
	if size(r.values) > maxRow {
		return nil, &engine.Error{Kind: engine.Invalid, Message: fmt.Sprintf("A row of the result is larger than %d MiB.", maxRow>>20)}
	}
	for i, v := range r.values {
		r.values[i] = convert(v, r.columns[i].Type)
	}
	return r.values, nil
}

// size is what the texts and blobs of a row measure.
func size(values []any) (n int) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// fault is the failure of a query: the end of the context is the reason for
// whatever it broke off.
func (r *rows) fault(err error) error {
	if ended := engine.Ended(r.ctx); ended != nil {
		return ended
	}
	if r.watch.full.Load() {
		return tooMuchMemory(err)
	}
	if r.judge.refusal != "" {
		return &engine.Error{Kind: engine.Forbidden, Message: r.judge.refusal, Err: err}
	}
	return classify(err)
}

// Close implements engine.Rows.
func (r *rows) Close() error {
	r.watch.stop()
	if r.conn == nil {
		return nil
	}
	if r.rows != nil {
		_ = r.rows.Close()
	}
	err := r.conn.Close()
	r.conn = nil
	return err
}

// convert brings a value to one of the types that engine.Rows promises. SQLite
// keeps any type in any column, so the declared type only decides where the
// value leaves room.
func convert(v any, t engine.BaseType) any {
	switch v := v.(type) {
	case int64:
		if t == engine.Boolean && (v == 0 || v == 1) {
			return v == 1
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case time.Time:
		if t == engine.Day {
			return engine.Date{Time: v}
		}
	case string:
		if !strings.ContainsRune(v, 0) {
			return strings.ToValidUTF8(v, "\uFFFD")
		}
	}
	return v
}

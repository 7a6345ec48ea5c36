package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"latchkey/internal/engine"
)

// Column is a column of a result.
type Column struct {
	Name        string // no other column has it
	DisplayName string
	NativeType  string
	Type        engine.BaseType
}

// Result is the rows of a query, one at a time.
type Result struct {
	DatabaseID int64
	Timezone   string
	Compiled   Compiled
	StartedAt  time.Time

	service   *Service
	rows      engine.Rows
	cancel    context.CancelFunc
	columns   []Column
	first     []any // read ahead, so that most failures show before the first byte
	firstErr  error
	count     int
	limit     int
	truncated bool
	began     time.Time
}

// start writes the SQL, runs it, and reads the first row.
func (s *Service) start(ctx context.Context, p *plan) (*Result, error) {
	sql, err := p.expand(p.query.NativeText())
	if err != nil {
		return nil, asFailure(err)
	}
	r := &Result{
		DatabaseID: p.base.ID, Timezone: s.Timezone(p.base), Compiled: Compiled{SQL: sql, Args: p.args}, StartedAt: s.Clock.Now(),
		service: s, limit: MaxRows, began: time.Now(),
	}
	if p.limit > 0 {
		r.limit = p.limit
	}
	var run context.Context
	run, r.cancel = context.WithTimeout(ctx, s.Timeout)
	if r.rows, err = p.conn.Query(run, engine.Statement{SQL: sql, Args: p.args}); err != nil {
		r.cancel()
		return nil, asFailure(err)
	}
	for _, c := range r.rows.Columns() {
		r.columns = append(r.columns, Column{Name: c.Name, DisplayName: c.Name, NativeType: c.NativeType, Type: c.Type})
	}
	unique(r.columns)
	row, err := r.rows.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		r.Close()
		return nil, asFailure(err)
	}
	r.first, r.firstErr = row, err
	return r, nil
}

// unique numbers columns that have the same name.
func unique(columns []Column) {
	seen := map[string]bool{}
	for i := range columns {
		name := columns[i].Name
		for n := 2; seen[columns[i].Name]; n++ {
			columns[i].Name = fmt.Sprintf("%s_%d", name, n)
		}
		seen[columns[i].Name] = true
	}
}

// Columns returns the columns. The types of those that the database does not
// declare are known once the rows have been read.
func (r *Result) Columns() []Column { return r.columns }

// Next returns the next row, or io.EOF after the last one that the limits allow.
// The slice is valid until the next call. Any other error is a *Failure.
func (r *Result) Next() ([]any, error) {
	row, err := r.first, r.firstErr
	if r.count > 0 || r.first == nil && err == nil {
		row, err = r.rows.Next()
	}
	r.first = nil
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, asFailure(err)
	case r.count >= r.limit:
		r.truncated = true
		return nil, io.EOF
	}
	r.count++
	for i, v := range row {
		if r.columns[i].Type == engine.Unknown {
			r.columns[i].Type = engine.TypeOf(v)
		}
	}
	return row, nil
}

// Count returns how many rows have been read.
func (r *Result) Count() int { return r.count }

// Truncated returns the limit of rows when there are more of them, and 0
// otherwise.
func (r *Result) Truncated() int {
	if !r.truncated {
		return 0
	}
	return r.limit
}

// Took returns how long the query has been running.
func (r *Result) Took() time.Duration { return time.Since(r.began) }

// Close frees the connection. It may be called more than once.
func (r *Result) Close() {
	_ = r.rows.Close() // whatever it says, the rows are read or not wanted
	r.cancel()
}

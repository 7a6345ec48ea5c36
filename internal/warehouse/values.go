package warehouse

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/engine"
	"latchkey/internal/fault"
)

// How many values of a field are listed, and how long looking for them may take.
const (
	maxListed   = 1000
	valuesLimit = 20 * time.Second
)

// Values returns the distinct values of a field in order, and whether there are
// more than are listed. It returns NotFound, Unauthenticated, Forbidden and
// Unavailable.
func (s *Service) Values(ctx context.Context, who *access.Principal, fieldID int64) (list []any, more bool, err error) {
	f, t, err := s.Field(ctx, who, fieldID)
	if err != nil {
		return nil, false, err
	}
	err = s.ask(ctx, t, func(d engine.Dialect) string {
		column := d.Quote(f.Name)
		return "SELECT DISTINCT " + column + " FROM " + d.Quote(t.Schema, t.Name) + " WHERE " + column + " IS NOT NULL ORDER BY 1 LIMIT " + strconv.Itoa(maxListed+1)
	}, func(row []any) { list = append(list, row[0]) })
	if len(list) > maxListed {
		return list[:maxListed], true, err
	}
	return list, false, err
}

// Summary returns how many rows the table of a field has with a value there,
// and how many values there are. It returns what Values returns.
func (s *Service) Summary(ctx context.Context, who *access.Principal, fieldID int64) (count, distinct int64, err error) {
	f, t, err := s.Field(ctx, who, fieldID)
	if err != nil {
		return 0, 0, err
	}
	err = s.ask(ctx, t, func(d engine.Dialect) string {
		column := d.Quote(f.Name)
		return "SELECT count(" + column + "), count(DISTINCT " + column + ") FROM " + d.Quote(t.Schema, t.Name)
	}, func(row []any) {
		count, _ = row[0].(int64)
		distinct, _ = row[1].(int64)
	})
	return count, distinct, err
}

// ask runs a statement of our own on the database of a table.
func (s *Service) ask(ctx context.Context, t Table, write func(engine.Dialect) string, row func([]any)) error {
	d, err := s.selectDatabase(ctx, t.DatabaseID)
	if err != nil {
		return err
	}
	c, err := s.Connection(ctx, d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, valuesLimit)
	defer cancel()
	rows, err := c.Query(ctx, engine.Statement{SQL: write(c.Dialect())})
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = rows.Close() }()
	for {
		values, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unavailable(err)
		}
		row(values)
	}
}

func unavailable(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: "The connected database does not answer.", Err: err}
}

// Sync reads the tables and fields of a database anew. Administrators only. It
// returns NotFound, Unauthenticated, Forbidden and Unavailable.
func (s *Service) Sync(ctx context.Context, who *access.Principal, id int64) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	d, err := s.Database(ctx, who, id)
	if err != nil {
		return err
	}
	if err := s.sync(ctx, d); err != nil {
		return err
	}
	return s.Audit.Append(ctx, who.Actor(), audit.Entry{Action: "database.sync", ObjectKind: "database", ObjectID: d.ID, ObjectName: d.Name})
}

// Shown returns the connection options of a database as administrators see
// them: no secret among them, and of files their names.
func (s *Service) Shown(d Database) map[string]string {
	details, err := s.details(d)
	out := map[string]string{}
	driver := s.Driver(d.Engine)
	if err != nil || driver == nil {
		return out
	}
	for _, o := range driver.Options() {
		value, given := details[o.Name]
		switch {
		case !given:
		case o.Secret:
			out[o.Name] = hiddenSecret
		case d.IsSample:
			out[o.Name] = filepath.Base(value.Reveal())
		default:
			out[o.Name] = value.Reveal()
		}
	}
	return out
}

// hiddenSecret stands for a secret (contract/content-data.md 6.1).
const hiddenSecret = "**MetabasePass**"

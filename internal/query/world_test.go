package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/apptest/sampletest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/fault"
	"latchkey/internal/query"
	"latchkey/internal/setting"
	"latchkey/internal/warehouse"
)

// world is an instance with the sample database and its fields.
type world struct {
	*query.Service
	fields   map[string]int64 // PEOPLE.STATE and so on
	snippets map[string]string
	cards    map[int64]string
}

// today is a Saturday.
var today = time.Date(2026, 11, 28, 15, 4, 5, 0, time.UTC)

func newWorld(t testing.TB, timeout time.Duration) *world {
	t.Helper()
	clk := clock.NewFake(today)
	d := dbtest.Open(t, dbtest.SQLite, dbtest.WithClock(clk))
	trail := audit.New(d)
	settings, err := setting.New(t.Context(), d, trail, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	wh := warehouse.New(warehouse.Deps{
		DB: d, Audit: trail, Log: slog.New(slog.DiscardHandler), SampleFile: sampletest.File(t, dir),
		Drivers:   []engine.Driver{sqlite.Driver{Dirs: []string{dir}}},
		HasPeople: func(context.Context) (bool, error) { return true, nil },
	})
	t.Cleanup(wh.Close)
	if err := wh.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &world{fields: map[string]int64{}, snippets: map[string]string{}, cards: map[int64]string{}}
	w.Service = query.New(query.Deps{
		Warehouse: wh, Settings: settings, Clock: clk, Timeout: timeout,
		Snippet: func(_ context.Context, who *access.Principal, _ int64, name string) (string, error) {
			switch s, ok := w.snippets[name]; {
			case !ok:
				return "", fault.New(fault.NotFound, "There is no snippet %s.", name)
			case name == "secret" && who != nil && !who.IsAdmin():
				return "", access.Forbidden()
			default:
				return s, nil
			}
		},
		Card: func(_ context.Context, who *access.Principal, id int64) (json.RawMessage, error) {
			switch s, ok := w.cards[id]; {
			case !ok:
				return nil, fault.New(fault.NotFound, "Not found.")
			case !who.IsAdmin() && id == 13:
				return nil, access.Forbidden()
			default:
				return json.RawMessage(s), nil
			}
		},
	})
	tables, err := wh.Tables(t.Context(), access.CommandLine(), warehouse.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	fields, err := wh.Fields(t.Context(), tables...)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		for _, f := range fields[table.ID] {
			w.fields[table.Name+"."+f.Name] = f.ID
		}
	}
	return w
}

var bo = &access.Principal{Kind: access.Person, UserID: 7, Groups: []int64{access.AllUsers}}

// body writes a native query. Tags and parameters are JSON; {TABLE.FIELD} in
// them stands for the id of a field.
func (w *world) body(sql, tags, params string) []byte {
	q, _ := json.Marshal(sql)
	out := fmt.Sprintf(`{"database":1,"type":"native","native":{"query":%s,"template-tags":{%s}},"parameters":[%s]}`, q, tags, params)
	for name, id := range w.fields {
		out = strings.ReplaceAll(out, "{"+name+"}", fmt.Sprint(id))
	}
	return []byte(out)
}

func rowsOf(t testing.TB, r *query.Result, err error) ([][]any, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out [][]any
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, append([]any{}, row...))
	}
}

func (w *world) run(t testing.TB, body []byte) ([][]any, error) {
	t.Helper()
	r, err := w.Run(t.Context(), bo, query.Request{Query: body})
	return rowsOf(t, r, err)
}

// kindOf returns the kind of a failure, 0 for none.
func kindOf(err error) query.Kind {
	f, ok := errors.AsType[*query.Failure](err)
	if !ok {
		return 0
	}
	return f.Kind
}

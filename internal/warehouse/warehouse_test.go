package warehouse_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/fault"
	"latchkey/internal/warehouse"
)

// node is a server on a database. people says whether the instance is set up.
func node(t *testing.T, d *db.DB, dir string, people bool) *warehouse.Service {
	t.Helper()
	s := warehouse.New(warehouse.Deps{
		DB: d, Audit: audit.New(d), Log: slog.New(slog.DiscardHandler), SampleFile: filepath.Join(dir, "sample.db"),
		Drivers:   []engine.Driver{sqlite.Driver{Dirs: []string{dir}}},
		HasPeople: func(context.Context) (bool, error) { return people, nil },
	})
	t.Cleanup(s.Close)
	return s
}

var (
	root = access.CommandLine()
	bo   = &access.Principal{Kind: access.Person, UserID: 7, Groups: []int64{access.AllUsers}}
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSampleIsConnectedOnce(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		d, dir := p.Open(t), t.TempDir()
		empty := node(t, d, dir, false)
		must(t, empty.Prepare(t.Context()))
		if all, err := empty.Databases(t.Context(), root); err != nil || len(all) != 0 {
			t.Fatalf("before set-up: %v, %v", all, err)
		}
		s := node(t, d, dir, true)
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				if err := s.Prepare(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		all, err := s.Databases(t.Context(), bo)
		must(t, err)
		if len(all) != 1 || all[0].ID != 1 || !all[0].IsSample || all[0].SyncedAt == nil || all[0].Flavor != "SQLite" {
			t.Fatalf("%+v", all)
		}
		var actions []string
		records, err := db.All(t.Context(), d, db.Scalar[string], "SELECT action FROM audit ORDER BY id")
		must(t, err)
		actions = append(actions, records...)
		if !slices.Equal(actions, []string{"database.connect"}) {
			t.Errorf("audit: %v", actions)
		}
		// Another node makes its own file when it is asked.
		other := t.TempDir()
		second := node(t, p.Open(t), other, true)
		must(t, second.Prepare(t.Context()))
		if _, _, err := second.Values(t.Context(), bo, fieldOf(t, second, "PRODUCTS", "CATEGORY").ID); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(other, "sample.db")); err != nil {
			t.Error(err)
		}
		// Somebody took it away: it does not come back.
		_, err = d.Exec(t.Context(), "DELETE FROM warehouse_database")
		must(t, err)
		must(t, s.Prepare(t.Context()))
		if all, err := s.Databases(t.Context(), root); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

func fieldOf(t *testing.T, s *warehouse.Service, table, field string) warehouse.Field {
	t.Helper()
	tables, err := s.Tables(t.Context(), root, warehouse.Filter{})
	must(t, err)
	fields, err := s.Fields(t.Context(), tables...)
	must(t, err)
	for _, tb := range tables {
		for _, f := range fields[tb.ID] {
			if tb.Name == table && f.Name == field {
				return f
			}
		}
	}
	t.Fatalf("there is no field %s.%s", table, field)
	return warehouse.Field{}
}

func TestSync(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := t.TempDir()
		s := node(t, d, dir, true)
		must(t, s.Prepare(t.Context()))
		for _, want := range []struct{ table, field, semantic string }{
			{"PEOPLE", "ID", "type/PK"}, {"ORDERS", "USER_ID", "type/FK"}, {"PEOPLE", "EMAIL", "type/Email"},
			{"PEOPLE", "NAME", "type/Name"}, {"PEOPLE", "CITY", "type/City"}, {"PEOPLE", "STATE", "type/State"},
			{"PEOPLE", "ZIP", "type/ZipCode"}, {"PEOPLE", "LATITUDE", "type/Latitude"}, {"PEOPLE", "SOURCE", "type/Source"},
			{"PEOPLE", "BIRTH_DATE", "type/Birthdate"}, {"PEOPLE", "CREATED_AT", "type/CreationTimestamp"},
			{"PRODUCTS", "CATEGORY", "type/Category"}, {"PRODUCTS", "TITLE", "type/Title"}, {"PRODUCTS", "VENDOR", "type/Company"},
			{"PRODUCTS", "RATING", "type/Score"}, {"ORDERS", "QUANTITY", "type/Quantity"}, {"ORDERS", "DISCOUNT", "type/Discount"},
			{"REVIEWS", "BODY", "type/Description"}, {"ORDERS", "TAX", ""},
		} {
			f := fieldOf(t, s, want.table, want.field)
			if got := f.Semantic; (got == nil) != (want.semantic == "") || got != nil && *got != want.semantic {
				t.Errorf("%s.%s means %v, want %s", want.table, want.field, got, want.semantic)
			}
		}
		before := fieldOf(t, s, "ORDERS", "PRODUCT_ID")
		if before.TargetID == nil || *before.TargetID != fieldOf(t, s, "PRODUCTS", "ID").ID || before.DisplayName != "Product ID" {
			t.Errorf("%+v", before)
		}
		// What people wrote stays, ids stay, and what is gone is not active.
		_, err := d.Exec(t.Context(), "UPDATE warehouse_field SET display_name = 'Mine', semantic_type = NULL WHERE id = ?1", before.ID)
		must(t, err)
		gone, err := d.Insert(t.Context(), `INSERT INTO warehouse_table (database_id, schema_name, name, display_name, entity_type, entity_id, created_at, updated_at)
			VALUES (1, '', 'GONE', 'Gone', 'x', 'x', 0, 0) RETURNING id`)
		must(t, err)
		must(t, s.Sync(t.Context(), root, 1))
		after := fieldOf(t, s, "ORDERS", "PRODUCT_ID")
		if after.ID != before.ID || after.DisplayName != "Mine" || after.Semantic != nil || after.TargetID == nil {
			t.Errorf("%+v", after)
		}
		if found, err := s.Table(t.Context(), root, gone); err != nil || found.Active {
			t.Errorf("%+v, %v", found, err)
		}
		if list, err := s.Tables(t.Context(), root, warehouse.Filter{DatabaseID: 1}); err != nil || len(list) != 4 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

func TestWhoMay(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	s := node(t, d, t.TempDir(), true)
	must(t, s.Prepare(t.Context()))
	limits, err := access.Restriction{Resources: map[string][]string{"databases": {"2"}}}.Compile()
	must(t, err)
	elsewhere := &access.Principal{Kind: access.ServiceKey, UserID: 8, KeyID: 1, Groups: []int64{access.AllUsers}, Limits: limits}
	for _, tt := range []struct {
		name string
		who  *access.Principal
		kind fault.Kind
	}{
		{"nobody", nil, fault.Unauthenticated},
		{"a key that is bound to another database", elsewhere, fault.Forbidden},
	} {
		_, err := s.Database(t.Context(), tt.who, 1)
		_, errTable := s.Table(t.Context(), tt.who, 1)
		_, _, errField := s.Field(t.Context(), tt.who, 1)
		_, _, errValues := s.Values(t.Context(), tt.who, 1)
		for _, err := range []error{err, errTable, errField, errValues} {
			if !fault.Is(err, tt.kind) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if all, err := s.Databases(t.Context(), tt.who); len(all) > 0 {
			t.Errorf("%s sees %v, %v", tt.name, all, err)
		}
		if all, err := s.Tables(t.Context(), tt.who, warehouse.Filter{}); len(all) > 0 {
			t.Errorf("%s sees %v, %v", tt.name, all, err)
		}
	}
	if err := s.Sync(t.Context(), bo, 1); !fault.Is(err, fault.Forbidden) {
		t.Error(err)
	}
	if _, err := s.Database(t.Context(), bo, 99); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

package dbtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
)

func TestEachGivesAnEmptyMigratedDatabase(t *testing.T) {
	fake := clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	for range 2 { // the second must not see the row of the first
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			n, err := db.One(t.Context(), d, db.Scalar[int], "SELECT count(*) FROM change_log")
			if err != nil || n != 0 {
				t.Fatalf("changes = %d, %v, want none", n, err)
			}
			err = d.InTx(t.Context(), func(ctx context.Context) error { return d.Record(ctx, db.ChangedUser, 1) })
			if err != nil {
				t.Fatal(err)
			}
			if !d.Now(t.Context()).Equal(fake.Now()) {
				t.Error("the clock was not passed on")
			}
		}, dbtest.WithClock(fake))
	}
}

func TestPlaceOpensTwice(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		one, two := p.Open(t), p.Open(t)
		err := one.InTx(t.Context(), func(ctx context.Context) error { return one.Record(ctx, db.ChangedUser, 7) })
		if err != nil {
			t.Fatal(err)
		}
		if err := two.CatchUp(t.Context()); err != nil || two.Applied() != 1 {
			t.Errorf("applied = %d, %v, want 1", two.Applied(), err)
		}
	})
}

func TestPostgresIsWithoutTables(t *testing.T) {
	c, err := pgx.Connect(t.Context(), dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	var n int
	err = c.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("tables = %d, %v, want none", n, err)
	}
}

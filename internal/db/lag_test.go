package db_test

import (
	"context"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
)

func TestLag(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
		one, two := p.Open(t, dbtest.WithClock(c)), p.Open(t, dbtest.WithClock(c))
		want := func(d *db.DB, numbers int64, age time.Duration) {
			t.Helper()
			if n, a, err := d.Lag(t.Context()); n != numbers || a != age || err != nil {
				t.Errorf("behind by %d, oldest %s, %v; want %d and %s", n, a, err, numbers, age)
			}
		}
		change := func() {
			t.Helper()
			err := one.InTx(t.Context(), func(ctx context.Context) error { return one.Record(ctx, db.ChangedGroup, 7) })
			if err != nil {
				t.Fatal(err)
			}
		}
		want(two, 0, 0)
		change()
		c.Advance(2 * time.Second)
		change()
		c.Advance(time.Second)
		want(one, 0, 0)
		want(two, 2, 3*time.Second)
		c.Advance(-time.Minute) // a clock that was set back makes no negative age
		want(two, 2, 0)
		if err := two.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(two, 0, 0)
		one.Close()
		if _, _, err := one.Lag(t.Context()); err == nil {
			t.Error("a closed database has no lag")
		}
	})
}

package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/db"
)

func TestAttemptsAreUndoneAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fails := errors.New("no")
		write := func(ctx context.Context, name string) error {
			_, err := d.Exec(ctx, "INSERT INTO setting (key, value, updated_at) VALUES (?1, '1', 0)", name)
			return err
		}
		var after []string
		err := d.InTx(t.Context(), func(ctx context.Context) error {
			for at, name := range []string{"a", "b", "a", "c"} {
				err := d.Attempt(ctx, func(ctx context.Context) error {
					db.AfterCommit(ctx, func() { after = append(after, name) })
					inner := d.Attempt(ctx, func(ctx context.Context) error { return errors.Join(write(ctx, "inner "+name), fails) })
					if !errors.Is(inner, fails) {
						t.Errorf("inner: %v", inner)
					}
					return write(ctx, name)
				})
				if again := at == 2; again != db.IsUnique(err) || again != (err != nil) {
					t.Errorf("%s: %v", name, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := db.All(t.Context(), d, db.Scalar[string], "SELECT key FROM setting WHERE updated_at = 0 ORDER BY key")
		if want := []string{"a", "b", "c"}; err != nil || !slices.Equal(keys, want) || !slices.Equal(after, want) {
			t.Errorf("%v, %v, after %v", keys, err, after)
		}
		if err := d.Attempt(t.Context(), func(context.Context) error { return nil }); err == nil {
			t.Error("an attempt needs a transaction")
		}
	})
}

func TestRecordAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var got []int64
		d.Subscribe(func(changes []db.Change) {
			for _, c := range changes {
				got = append(got, c.ID)
			}
		})
		want := make([]int64, 1000)
		for i := range want {
			want[i] = int64(i + 1)
		}
		if err := d.InTx(t.Context(), func(ctx context.Context) error { return d.RecordAll(ctx, db.ChangedUser, want) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d changes came, want %d in order", len(got), len(want))
		}
		if err := d.RecordAll(t.Context(), db.ChangedUser, want); err == nil {
			t.Error("it needs a transaction")
		}
	})
}

package db_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/secret"
)

func set(ctx context.Context, d *db.DB, key, value string) error {
	_, err := d.Exec(ctx, "INSERT INTO setting (key, value, updated_at) VALUES (?1, ?2, ?3)", key, value, d.Now(ctx))
	return err
}

func has(t *testing.T, d *db.DB, key string) bool {
	t.Helper()
	n, err := db.One(t.Context(), d, db.Scalar[int], "SELECT count(*) FROM setting WHERE key = ?1", key)
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

func TestInTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		err := d.InTx(ctx, func(ctx context.Context) error {
			if err := set(ctx, d, "undone", "1"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || has(t, d, "undone") {
			t.Errorf("a failed transaction: %v, row stays: %v", err, has(t, d, "undone"))
		}
		var ran []string
		err = d.InTx(ctx, func(ctx context.Context) error {
			first := d.Now(ctx)
			db.AfterCommit(ctx, func() { ran = append(ran, "after") })
			time.Sleep(time.Millisecond)
			return d.InTx(ctx, func(ctx context.Context) error {
				if !d.Now(ctx).Equal(first) {
					t.Error("a nested call has another time")
				}
				ran = append(ran, "inner")
				return set(ctx, d, "done", "1")
			})
		})
		if err != nil || !has(t, d, "done") || !slices.Equal(ran, []string{"inner", "after"}) {
			t.Errorf("nested: %v, %v, row: %v", err, ran, has(t, d, "done"))
		}
	})
}

func TestPlaceholdersAndTimes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		at := time.Date(2026, 11, 22, 9, 15, 2, 123456000, time.UTC)
		var none *time.Time
		got, err := db.One(ctx, d, func(r db.Row) (s [4]string, err error) {
			err = r.Scan(&s[0], &s[1], &s[2], &s[3])
			return s, err
		}, "SELECT ?2, ?1, ?2, CASE WHEN ?3 = '' THEN 'empty' ELSE ?3 END", "a", "b", "")
		if err != nil || got != [4]string{"b", "a", "b", "empty"} {
			t.Errorf("placeholders out of order: %v, %v", got, err)
		}
		id, err := d.Insert(ctx, `INSERT INTO permission_group (name, name_key, created_at, updated_at) VALUES ('t', 't', ?1, ?1) RETURNING id`, at)
		if err != nil || id < 3 {
			t.Fatalf("insert: id %d, %v", id, err)
		}
		back, err := db.One(ctx, d, func(r db.Row) (v time.Time, err error) { err = r.Scan(db.Time(&v)); return v, err },
			"SELECT created_at FROM permission_group WHERE id = ?1", id)
		if err != nil || !back.Equal(at) {
			t.Errorf("time came back as %v, %v", back, err)
		}
		p := &at
		err = d.InTx(ctx, func(ctx context.Context) error {
			_, err := db.One(ctx, d, func(r db.Row) (int, error) { return 0, r.Scan(db.NullTime(&p)) },
				"SELECT CAST(?1 AS BIGINT)", none)
			return err
		})
		if err != nil || p != nil {
			t.Errorf("null time: %v, %v", p, err)
		}
	})
}

func TestConstraintErrors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := errors.Join(set(ctx, d, "k", "1")); err != nil {
			t.Fatal(err)
		}
		if err := set(ctx, d, "k", "2"); !db.IsUnique(err) {
			t.Errorf("duplicate key: %v", err)
		}
		_, err := d.Exec(ctx, "INSERT INTO membership (group_id, user_id) VALUES (1, 99999)")
		if err == nil || db.IsUnique(err) {
			t.Errorf("missing user: %v", err)
		}
	})
}

func TestContains(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct {
			text, query string
			want        bool
		}{{"100% sure", "0% s", true}, {"100 sure", "0% s", false}, {"a_b", "a_b", true}, {"axb", "a_b", false}, {`a\b`, `\`, true}} {
			got, err := db.One(t.Context(), d, db.Scalar[bool], `SELECT CAST(?1 AS TEXT) LIKE ?2 ESCAPE '\'`, c.text, db.Contains(c.query))
			if err != nil || got != c.want {
				t.Errorf("%q contains %q: %v, %v", c.text, c.query, got, err)
			}
		}
	})
}

func TestIdsAreNeverReused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		add := func() int64 {
			id, err := d.Insert(ctx, "INSERT INTO permission_group (name, name_key, created_at, updated_at) VALUES ('t', 't', 0, 0) RETURNING id")
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		first := add()
		if _, err := d.Exec(ctx, "DELETE FROM permission_group WHERE id = ?1", first); err != nil {
			t.Fatal(err)
		}
		if again := add(); again <= first {
			t.Errorf("id %d after %d was deleted", again, first)
		}
	})
}

// A subscriber sees every change once, in order, from all writers, and before
// the writing call returns.
func TestChangeLog(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		here, there := p.Open(t), p.Open(t)
		var mu sync.Mutex
		var seen []db.Change
		here.Subscribe(func(c []db.Change) { mu.Lock(); defer mu.Unlock(); seen = append(seen, c...) })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { here.Follow(ctx); close(done) }()
		record := func(d *db.DB, id int64) {
			err := d.InTx(ctx, func(ctx context.Context) error { return d.Record(ctx, db.ChangedUser, id) })
			if err != nil {
				t.Error(err)
			}
		}
		has := func(id int64) bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.ContainsFunc(seen, func(c db.Change) bool { return c.ID == id })
		}
		var writers sync.WaitGroup
		for w := range 4 {
			d := []*db.DB{here, there}[w%2]
			writers.Go(func() {
				for i := range 25 {
					id := int64(w*100 + i)
					record(d, id)
					if d == here && !has(id) {
						t.Errorf("own change %d is not applied when the call returns", id)
					}
				}
			})
		}
		writers.Wait()
		for deadline := time.Now().Add(time.Second); time.Now().Before(deadline) && here.Applied() != latest(t, here); {
			time.Sleep(5 * time.Millisecond)
		}
		stop()
		<-done
		if len(seen) != 100 || !slices.IsSortedFunc(seen, func(a, b db.Change) int { return int(a.Seq - b.Seq) }) {
			t.Errorf("%d changes seen within a second, want 100 in order", len(seen))
		}
	})
}

func latest(t *testing.T, d *db.DB) int64 {
	t.Helper()
	n, err := db.One(t.Context(), d, db.Scalar[int64], "SELECT max(seq) FROM change_log")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Transactions come one after the other, and each sees what those before it
// did, also where an administrator of PostgreSQL chose a stricter default.
func TestTransactionsSeeThoseBefore(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		o := p.Options()
		if !o.URL.Empty() {
			u, err := url.Parse(o.URL.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("default_transaction_isolation", "serializable")
			u.RawQuery = q.Encode()
			o.URL = secret.New(u.String())
		}
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := set(t.Context(), d, "n", "0"); err != nil {
			t.Fatal(err)
		}
		const writers, rounds = 4, 10
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range rounds {
					err := d.InTx(t.Context(), func(ctx context.Context) error {
						n, err := db.One(ctx, d, db.Scalar[string], "SELECT value FROM setting WHERE key = 'n'")
						if err != nil {
							return err
						}
						i, err := strconv.Atoi(n)
						if err != nil {
							return err
						}
						_, err = d.Exec(ctx, "UPDATE setting SET value = ?1 WHERE key = 'n'", strconv.Itoa(i+1))
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		n, err := db.One(t.Context(), d, db.Scalar[string], "SELECT value FROM setting WHERE key = 'n'")
		if err != nil || n != strconv.Itoa(writers*rounds) {
			t.Errorf("%s transactions counted, %v; want %d", n, err, writers*rounds)
		}
	})
}

func TestRecordNeedsATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Record(t.Context(), db.ChangedUser, 1); err == nil {
			t.Error("a change was recorded outside of a transaction")
		}
	})
}

// A follower that was away longer than the log reaches back is told so.
func TestLongAbsenceResets(t *testing.T) {
	clk := clock.NewFake(time.Now())
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var kinds []string
		d.Subscribe(func(c []db.Change) { kinds = append(kinds, c[0].Kind) })
		clk.Advance(13 * time.Hour)
		if err := d.CatchUp(t.Context()); err != nil || !slices.Equal(kinds, []string{db.Reset}) {
			t.Errorf("after 13 hours: %v, %v", kinds, err)
		}
	}, dbtest.WithClock(clk))
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "latchkey.db"), []byte(strings.Repeat("not a database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		o    db.Options
		want string
	}{
		"directory is a file":    {db.Options{Dir: file}, "LATCHKEY_DATA_DIR"},
		"damaged file":           {db.Options{Dir: damaged}, "restore a backup"},
		"not a URL":              {db.Options{URL: secret.New("postgres://u:hunter2@:bad port/")}, "not a valid postgres:// URL"},
		"no server":              {db.Options{URL: secret.New("postgres://u:hunter2@127.0.0.1:1/x")}, "cannot reach PostgreSQL at 127.0.0.1:1"},
		"directory below a file": {db.Options{Dir: filepath.Join(file, "x")}, "cannot be created"},
	}
	for name, c := range cases {
		d, err := db.Open(t.Context(), c.o)
		if err == nil {
			d.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %q, want one line with %q and no password", name, err, c.want)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		d := p.Open(t)
		if _, err := d.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)"); err != nil {
			t.Fatal(err)
		}
		again, err := db.Open(t.Context(), p.Options())
		if err == nil {
			again.Close()
			t.Fatal("a newer schema was opened")
		}
		if !strings.Contains(err.Error(), "start the newer latchkey") {
			t.Errorf("%q names no fix", err)
		}
	})
}

// Readers may not write, whatever the statement.
func TestReadersCannotWrite(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite)
	_, err := db.All(t.Context(), d, db.Scalar[string], "INSERT INTO setting (key, value, updated_at) VALUES ('x', '1', 0) RETURNING key")
	if err == nil || has(t, d, "x") {
		t.Errorf("a reader wrote: %v", err)
	}
	if _, err := db.One(t.Context(), d, db.Scalar[int], "SELECT 1 WHERE FALSE"); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("no row: %v", err)
	}
}

// A snapshot sees one state while others write, and cannot write itself.
func TestSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		count := func(ctx context.Context) int {
			t.Helper()
			n, err := db.One(ctx, d, db.Scalar[int], "SELECT count(*) FROM setting")
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		put := func(ctx context.Context, key string) error {
			return d.InTx(ctx, func(ctx context.Context) error { return set(ctx, d, key, "1") })
		}
		ran := false
		err := d.Snapshot(t.Context(), func(ctx context.Context) error {
			before := count(ctx)
			if err := put(t.Context(), "meanwhile"); err != nil {
				t.Error(err)
			}
			db.AfterCommit(ctx, func() { ran = true })
			return d.Snapshot(ctx, func(ctx context.Context) error {
				if now := count(ctx); now != before || !has(t, d, "meanwhile") {
					t.Errorf("%d rows, then %d", before, now)
				}
				if err := put(ctx, "inside"); err == nil {
					t.Error("a transaction inside of a snapshot")
				}
				return nil
			})
		})
		if err != nil || !ran || has(t, d, "inside") {
			t.Errorf("%v, ran %v", err, ran)
		}
		boom := errors.New("boom")
		err = d.Snapshot(t.Context(), func(ctx context.Context) error {
			if err := set(ctx, d, "written", "1"); err == nil {
				t.Error("a write inside of a snapshot")
			}
			return boom
		})
		if !errors.Is(err, boom) || has(t, d, "written") {
			t.Errorf("%v", err)
		}
		err = d.InTx(t.Context(), func(ctx context.Context) error {
			if err := set(ctx, d, "own", "1"); err != nil {
				return err
			}
			return d.Snapshot(ctx, func(ctx context.Context) error {
				n, err := db.One(ctx, d, db.Scalar[int], "SELECT count(*) FROM setting WHERE key = 'own'")
				if n != 1 {
					t.Error("a snapshot inside of a transaction does not see what it wrote")
				}
				return err
			})
		})
		if err != nil {
			t.Error(err)
		}
	})
}

package apikey_test

import (
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/secret"
)

// versionOne returns a database as the first version of Latchkey left it, and
// how to open it.
func versionOne(t *testing.T, kind dbtest.Kind) (*sql.DB, db.Options) {
	t.Helper()
	o, driver, dialect := db.Options{Dir: t.TempDir()}, "sqlite", goose.DialectSQLite3
	source := (&url.URL{Scheme: "file", Path: filepath.Join(o.Dir, "latchkey.db"), RawQuery: "_pragma=foreign_keys(ON)"}).String()
	if kind == dbtest.PostgreSQL {
		source = dbtest.Postgres(t)
		o, driver, dialect = db.Options{URL: secret.New(source)}, "pgx", goose.DialectPostgres
	}
	raw, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	provider, err := goose.NewProvider(dialect, raw, os.DirFS(filepath.Join("..", "db", "migrations", string(kind))), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return raw, o
}

// old is what the first version stored of a key.
type old struct {
	id, user int64
	name     string
	text     string
}

func insertOld(t *testing.T, raw *sql.DB, kind dbtest.Kind, pepper *apikey.Pepper, keys []old) {
	t.Helper()
	placeholder := regexp.MustCompile(`\?(\d+)`)
	exec := func(q string, args ...any) {
		t.Helper()
		if kind == dbtest.PostgreSQL {
			q = placeholder.ReplaceAllString(q, "$$$1")
		}
		if _, err := raw.ExecContext(t.Context(), q, args...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	id := pepper.MAC("latchkey pepper id") // as NewPepper derives it
	pepperID, probe := hex.EncodeToString(id[:6]), pepper.MAC("latchkey pepper probe")
	exec("INSERT INTO pepper (id, probe, created_at) VALUES (?1, ?2, 0)", pepperID, probe[:])
	at := start.UnixMicro()
	for _, k := range keys {
		exec(`INSERT INTO users (id, kind, email, first_name, sort_name, sort_last, search_text, date_joined, updated_at)
			VALUES (?1, 'api-key', ?2, ?3, ?3, ?3, ?3, 0, 0)`, k.user, k.name+"@api-key.invalid", k.name)
		exec("INSERT INTO membership (group_id, user_id) VALUES (1, ?1), (2, ?1)", k.user)
		mac := pepper.MAC(k.text)
		exec(`INSERT INTO api_key (id, user_id, name, name_key, prefix, mac, pepper_id, created_by, created_at, updated_at)
			VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?2, ?7, ?8)`, k.id, k.user, k.name, k.text[:7], mac[:], pepperID, at-int64(day/1000), at)
	}
	if kind == dbtest.PostgreSQL { // rows with an id do not move the sequences
		exec("SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users))")
		exec("SELECT setval(pg_get_serial_sequence('api_key', 'id'), (SELECT max(id) FROM api_key))")
	}
	exec("DELETE FROM api_key WHERE id = (SELECT max(id) FROM api_key)") // the newest was deleted
}

// A database of the first version is taken over: its keys work, with all that
// was known of them, and ids are not used again, also not that of the newest
// key, which was deleted.
func TestKeysOfTheFirstVersionStillWork(t *testing.T) {
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			elsewhere := open(t, dbtest.Open(t, dbtest.SQLite), apikey.PepperSource{Text: randomPepper()})
			var keys []old
			for i, name := range []string{"one", "two", "deleted"} {
				_, text := elsewhere.create(t, name, access.AllUsers)
				keys = append(keys, old{id: int64(11 + 10*i), user: int64(5 + i), name: name, text: text})
			}
			src := apikey.PepperSource{Text: randomPepper()}
			pepper, err := apikey.ParsePepper(src.Text)
			if err != nil {
				t.Fatal(err)
			}
			raw, where := versionOne(t, kind)
			insertOld(t, raw, kind, pepper, keys)
			where.Clock = clock.NewFake(start.Add(day))
			d, err := db.Open(t.Context(), where)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			n := open(t, d, src)
			for _, k := range keys[:2] {
				p := n.check(t, k.name, k.text, apikey.Accepted)
				if p == nil || p.KeyID != k.id || p.UserID != k.user || !p.IsAdmin() || p.Limits != nil {
					t.Errorf("%s: %+v", k.name, p)
				}
				got := n.get(t, k.id)
				if got.Name != k.name || got.Kind != apikey.KindService || got.Prefix != k.text[:7] || got.CreatedBy.ID != k.user || !got.UpdatedAt.Equal(start) || got.State(start) != apikey.Active {
					t.Errorf("%+v", got)
				}
				secrets, err := n.keys.Secrets(t.Context(), admin, k.id)
				if err != nil || len(secrets) != 1 || !secrets[0].CreatedAt.Equal(start) || secrets[0].Foreign {
					t.Errorf("%s: secrets %+v, %v", k.name, secrets, err)
				}
			}
			n.check(t, "deleted before", keys[2].text, apikey.Unknown)
			fresh, text := n.create(t, "fresh", access.AllUsers)
			if fresh.ID <= keys[2].id {
				t.Errorf("the id %d was given again", fresh.ID)
			}
			n.check(t, "fresh", text, apikey.Accepted)
			n.sweep(t)
		})
	}
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/db"
)

// The sizes of the databases.
const (
	small        = 1_000
	medium       = 100_000
	largeAtLeast = 200_000
	groups       = 50 // All Users and Administrators among them
	adminShare   = 10 // of the small database one key in ten is an administrator's
	maxAdmins    = 1_000
)

// The administrator of every database. Plainly made up.
const (
	adminEmail    = "ada@example.com"
	adminPassword = "correct horse 42"
)

// seedVersion is part of the name of a kept database. Raise it with every
// change of this file.
const seedVersion = 1

// place is a data directory with a seeded database.
type place struct {
	dir  string
	keys int
}

// admins is how many keys, the first ones, are in Administrators.
func (p place) admins() int { return min(p.keys/adminShare, maxAdmins) }

// key returns the text of a stored key: the same in every run, so that no
// text needs to be kept. Its random part is no secret.
func (p place) key(i int) string { return keyText("stored", i) }

// keyText makes a well-formed key out of a name and a number.
func keyText(name string, i int) string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := []byte(apikey.DefaultPrefix)
	for part := 0; len(text) < len(apikey.DefaultPrefix)+38; part++ {
		for _, b := range sha256.Sum256(fmt.Appendf(nil, "%s %d %d", name, i, part)) {
			if len(text) < len(apikey.DefaultPrefix)+38 {
				text = append(text, base62[b%62])
			}
		}
	}
	sum, tail := crc32.ChecksumIEEE(text), [6]byte{}
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	return string(append(text, tail[:]...))
}

// place returns the database with so many keys, seeding it when it is not there.
func (b *bench) place(ctx context.Context, keys int) (place, error) {
	if p, ok := b.places[keys]; ok {
		return p, nil
	}
	p := place{dir: filepath.Join(b.dir, fmt.Sprint(keys)), keys: keys}
	if b.keep {
		version, err := schemaVersion()
		if err != nil {
			return p, err
		}
		p.dir = filepath.Join(os.TempDir(), fmt.Sprintf("latchkey-bench-%d-%s-%d", keys, version, seedVersion))
	}
	if _, err := os.Stat(filepath.Join(p.dir, "seeded")); err != nil {
		if err := b.seed(ctx, p); err != nil {
			return p, fmt.Errorf("seed %d keys: %w", keys, err)
		}
	}
	b.places[keys] = p
	return p, nil
}

// schemaVersion tells schemas apart by the text of their migrations.
func schemaVersion() (string, error) {
	files, err := filepath.Glob(filepath.Join("internal", "db", "migrations", "sqlite", "*.sql"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("-keep: no migrations here; run bench in the directory of the module")
	}
	sum := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

// seed makes the database: the program itself makes schema, pepper and first
// administrator; groups, keys and the users behind them go into the tables
// directly, because a million of them one by one would take hours. Neither
// audit entries nor change-log rows are written for them.
func (b *bench) seed(ctx context.Context, p place) error {
	b.say("seed a database with %s keys", count(p.keys))
	if err := os.RemoveAll(p.dir); err != nil {
		return err
	}
	s, err := b.launch(p, "", "LATCHKEY_ADMIN_EMAIL="+adminEmail, "LATCHKEY_ADMIN_PASSWORD="+adminPassword)
	if err != nil {
		return err
	}
	if _, err := s.await(ctx, request("/api/health", nil)); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	if err := p.fill(ctx); err != nil {
		return err
	}
	b.say("  done")
	return os.WriteFile(filepath.Join(p.dir, "seeded"), nil, 0o600)
}

// atOnce is how many keys one transaction writes.
const atOnce = 250_000

func (p place) fill(ctx context.Context) error {
	d, err := db.Open(ctx, db.Options{Dir: p.dir})
	if err != nil {
		return err
	}
	defer d.Close()
	peppers, err := apikey.OpenPeppers(ctx, d, apikey.PepperSource{File: filepath.Join(p.dir, "pepper")})
	if err != nil {
		return err
	}
	f := filler{place: p, db: d, pepper: peppers.Current, now: time.Now()}
	if err := f.begin(ctx); err != nil {
		return err
	}
	for from := 0; from < p.keys; from += atOnce {
		err := d.InTx(ctx, func(ctx context.Context) error { return f.part(ctx, from, min(from+atOnce, p.keys)) })
		if err != nil {
			return err
		}
	}
	return f.end(ctx)
}

// filler writes the tables of one place.
type filler struct {
	place
	db     *db.DB
	pepper *apikey.Pepper
	base   int64 // users and keys get the ids from here
	now    time.Time
}

// begin makes the groups. The file may be lost in a crash while it is filled,
// so nothing waits for the disk.
func (f *filler) begin(ctx context.Context) error {
	for _, q := range []string{"PRAGMA synchronous = OFF", "PRAGMA cache_size = -800000"} {
		if _, err := f.db.Exec(ctx, q); err != nil {
			return err
		}
	}
	var err error
	if f.base, err = db.One(ctx, f.db, db.Scalar[int64], "SELECT max(id) + 1 FROM users"); err != nil {
		return err
	}
	_, err = f.db.Exec(ctx, `WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO permission_group (id, name, name_key, entity_id, created_at, updated_at)
		SELECT i, printf('Team %02d of the example shop', i), printf('team %02d of the example shop', i),
			substr(hex(randomblob(11)), 1, 21), ?2, ?2 FROM n`, groups, f.now)
	return err
}

// part writes the keys from one number up to another. The names are in another
// order than the ids, as they are in life.
func (f *filler) part(ctx context.Context, from, to int) error {
	macs, shown := make([]byte, 0, (to-from)*len(apikey.MAC{})), make([]byte, 0, (to-from)*7)
	for i := from; i < to; i++ {
		text := f.key(i)
		mac := f.pepper.MAC(text)
		macs, shown = append(macs, mac[:]...), append(shown, text[:7]...)
	}
	const n = `WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2) `
	const name = `printf('Program %07d', i * 7919 % ?4)`
	for _, s := range []struct {
		q    string
		args []any
	}{
		{`INSERT INTO users (id, kind, email, first_name, last_name, sort_name, sort_last, search_text, date_joined, updated_at)
			SELECT id, 'api-key', mail, name, '', lower(name) || char(1), char(1) || lower(name), lower(name) || ' ' || char(1) || mail, ?5, ?5
			FROM (SELECT ?3 + i AS id, 'api-key-user-' || lower(hex(randomblob(18))) || '@api-key.invalid' AS mail, ` + name + ` AS name FROM n)`,
			[]any{from, to, f.base, f.keys, f.now}},
		{`INSERT INTO membership (group_id, user_id) SELECT 1, ?3 + i FROM n`, []any{from, to, f.base}},
		{`INSERT INTO membership (group_id, user_id) SELECT CASE WHEN i < ?4 THEN 2 ELSE 3 + i % ?5 END, ?3 + i FROM n`,
			[]any{from, to, f.base, f.admins(), groups - 2}},
		{`INSERT INTO api_key (id, user_id, name, name_key, prefix, created_by, updated_by, created_at, updated_at)
			SELECT id, id, name, lower(name), CAST(substr(?6, 1 + 7 * (i - ?1), 7) AS TEXT), 1, 1, ?5, ?5
			FROM (SELECT i, ?3 + i AS id, ` + name + ` AS name FROM n)`,
			[]any{from, to, f.base, f.keys, f.now, shown}},
		{`INSERT INTO api_key_secret (id, key_id, prefix, mac, pepper_id, created_by, created_at)
			SELECT ?3 + i, ?3 + i, CAST(substr(?6, 1 + 7 * (i - ?1), 7) AS TEXT), substr(?5, 1 + 32 * (i - ?1), 32), (SELECT id FROM pepper), 1, ?4 FROM n`,
			[]any{from, to, f.base, f.now, macs, shown}},
	} {
		if _, err := f.db.Exec(ctx, n+s.q, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// end counts the members, as the product keeps them, and brings everything to
// the disk.
func (f *filler) end(ctx context.Context) error {
	_, err := f.db.Exec(ctx, `UPDATE permission_group SET member_count =
		(SELECT count(*) FROM membership m JOIN users u ON u.id = m.user_id WHERE m.group_id = permission_group.id AND u.active)`)
	if err != nil {
		return err
	}
	_, err = f.db.Exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

package dbtest

import (
	"testing"

	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/secret"
)

// Kind is one of the two databases.
type Kind string

// The databases that every test of SQL runs on.
const (
	SQLite     Kind = "sqlite"
	PostgreSQL Kind = "postgres"
)

// Kinds returns both, SQLite first because it fails faster.
func Kinds() []Kind { return []Kind{SQLite, PostgreSQL} }

// Option changes how a database is opened.
type Option func(*db.Options)

// WithClock makes the database tell the time by c. Without it, it is the
// machine's clock.
func WithClock(c clock.Clock) Option { return func(o *db.Options) { o.Clock = c } }

// Place is where one test keeps its data. Opening it twice gives two nodes on
// the same data, or the same node after a restart.
type Place struct{ where db.Options }

// NewPlace returns a place with an empty, migrated database, which is gone
// when the test ends.
func NewPlace(t testing.TB, k Kind) Place {
	t.Helper()
	if k == SQLite {
		return Place{db.Options{Dir: migratedDir(t)}}
	}
	return Place{db.Options{URL: secret.New(shared(t).migrated(t))}}
}

// Options returns the place as db.Open takes it.
func (p Place) Options() db.Options { return p.where }

// Open opens the database of the place; it is closed when the test ends.
func (p Place) Open(t testing.TB, opts ...Option) *db.DB {
	t.Helper()
	o := p.where
	for _, set := range opts {
		set(&o)
	}
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

// Open returns an empty, migrated database of the kind.
func Open(t testing.TB, k Kind, opts ...Option) *db.DB {
	t.Helper()
	return NewPlace(t, k).Open(t, opts...)
}

// Each runs the test on a fresh database of each kind.
func Each(t *testing.T, f func(t *testing.T, d *db.DB), opts ...Option) {
	t.Helper()
	EachPlace(t, func(t *testing.T, p Place) { f(t, p.Open(t, opts...)) })
}

// EachPlace runs the test on a fresh place of each kind, for tests that open
// it more than once.
func EachPlace(t *testing.T, f func(t *testing.T, p Place)) {
	t.Helper()
	for _, k := range Kinds() {
		t.Run(string(k), func(t *testing.T) { f(t, NewPlace(t, k)) })
	}
}

// Postgres returns the URL of a fresh PostgreSQL database without any table,
// for programs that migrate it themselves. It is dropped when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	return shared(t).empty(t)
}

package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"latchkey/internal/clock"
	"latchkey/internal/secret"
)

// Options says where the data is.
type Options struct {
	URL     secret.Text // postgres://…; empty means SQLite in Dir
	Dir     string      // the data directory; used only with SQLite
	Clock   clock.Clock
	Log     *slog.Logger
	MaxConn int // PostgreSQL connections; 0 means 10
}

// DB is a database that is open and migrated. It is safe for concurrent use.
type DB struct {
	postgres bool
	write    *sql.DB
	read     *sql.DB
	pool     *pgxpool.Pool // PostgreSQL only; LISTEN needs a connection of its own
	clock    clock.Clock
	log      *slog.Logger
	rewrites sync.Map // statement -> statement with $1, PostgreSQL only
	follow   follower
}

// Open connects, brings the schema up to date and returns the database. The
// errors are one line each and name the fix.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &DB{clock: o.Clock, log: o.Log, postgres: !o.URL.Empty()}
	var err error
	if d.postgres {
		err = d.openPostgres(ctx, o)
	} else {
		err = d.openSQLite(ctx, o)
	}
	if err == nil {
		err = d.migrate(ctx)
	}
	if err == nil {
		err = d.startFollower(ctx)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Close closes all connections.
func (d *DB) Close() {
	if d.read != nil && d.read != d.write {
		_ = d.read.Close()
	}
	if d.write != nil {
		_ = d.write.Close()
	}
	if d.pool != nil {
		d.pool.Close()
	}
}

// Postgres reports whether the data is in PostgreSQL.
func (d *DB) Postgres() bool { return d.postgres }

// Ping checks that the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

func (d *DB) openPostgres(ctx context.Context, o Options) error {
	cfg, err := pgxpool.ParseConfig(o.URL.Reveal())
	if err != nil {
		return errors.New("database URL: not a valid postgres:// URL; see docs/configuration.md for the form")
	}
	cfg.MaxConns = int32(max(o.MaxConn, 0))
	if cfg.MaxConns == 0 {
		cfg.MaxConns = 10
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d.pool = pool
	d.write = stdlib.OpenDBFromPool(pool)
	d.read = d.write
	ping, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := pool.Ping(ping); err != nil {
		return fmt.Errorf("database: cannot reach PostgreSQL at %s:%d: %s; check the server and database-url", cfg.ConnConfig.Host, cfg.ConnConfig.Port, whyNot(err))
	}
	return nil
}

// whyNot is the reason why PostgreSQL cannot be reached, in one line: pgx puts
// it behind the addresses that it tried, each on a line of its own.
func whyNot(err error) string {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Message
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// openSQLite opens one writer and a few readers. The pragmas stand in this
// order because busy_timeout must hold while journal_mode is changed.
func (d *DB) openSQLite(ctx context.Context, o Options) error {
	if err := makeDir(o.Dir); err != nil {
		return err
	}
	path := filepath.Join(o.Dir, "latchkey.db")
	if err := touch(path); err != nil {
		return err
	}
	dsn := func(extra string) string {
		u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path)}
		if !filepath.IsAbs(path) {
			u = url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}
		}
		return u.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)" + extra
	}
	var err error
	if d.write, err = sql.Open("sqlite", dsn("&_txlock=immediate")); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", dsn("&_pragma=query_only(ON)")); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d.read.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	d.read.SetMaxIdleConns(4)
	if err := d.write.PingContext(ctx); err != nil {
		return fmt.Errorf("database: cannot open %s: %s; if it is damaged, restore a backup", path, firstLine(err))
	}
	return nil
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory %s cannot be created: %s; choose another with --data-dir or LATCHKEY_DATA_DIR", dir, cause(err))
	}
	return nil
}

// touch proves that the directory and the file can be written, and keeps the
// file from other accounts.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("data directory %s is not writable: %s; change its owner or choose another with --data-dir or LATCHKEY_DATA_DIR", filepath.Dir(path), cause(err))
	}
	return f.Close()
}

// cause strips the path from a file error: the message names it already.
func cause(err error) string {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err.Error()
	}
	return firstLine(err)
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

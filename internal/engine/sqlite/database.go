package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"latchkey/internal/engine"
)

// How many queries run on one file at once, how long one more waits for its
// turn, and what a value, a row, a statement, what it is compiled to and a
// pattern of LIKE may measure. An interruption is heeded between the rows that a
// statement looks at; what it does within one of them runs to its end. The
// bounds keep that short.
const (
	maxConnections = 4
	maxWait        = 10 * time.Second
	maxValue       = 4 << 20
	maxRow         = 32 << 20
	maxStatement   = 1 << 20
	maxProgram     = 100_000
	maxPattern     = 256
)

// database is one file.
type database struct {
	path  string
	pool  *sql.DB
	turns chan struct{} // one for each query that runs; who waits goes in, in order of arrival
}

// conn is a connection whose turn ends when it is closed.
type conn struct {
	*sql.Conn
	judge *judge
	end   func()
}

// Close gives the connection back, and its turn to whoever waits.
func (c *conn) Close() error {
	defer c.end()
	return c.Conn.Close()
}

func newDatabase(path string) (*database, error) {
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path)}
	dsn := u.String() + "?mode=ro&_dqs=0&_defensive=1&_pragma=busy_timeout(2000)&_pragma=query_only(ON)&_pragma=trusted_schema(ON)&_pragma=mmap_size(0)&_pragma=cache_size(-4096)"
	drv, err := newDriver()
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	d := &database{path: path, pool: sql.OpenDB(guarded{drv, dsn}), turns: make(chan struct{}, maxConnections)}
	d.pool.SetMaxOpenConns(maxConnections)
	d.pool.SetMaxIdleConns(1)
	d.pool.SetConnMaxIdleTime(time.Minute)
	return d, nil
}

// guarded is a connector whose connections only read.
type guarded struct {
	driver *sqlite.Driver
	dsn    string
}

// Driver implements driver.Connector.
func (g guarded) Driver() driver.Driver { return g.driver }

// Connect implements driver.Connector.
func (g guarded) Connect(context.Context) (driver.Conn, error) {
	c, err := g.driver.Open(g.dsn)
	if err != nil {
		return nil, err
	}
	if err := guard(c, &judge{}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close implements engine.Database.
func (d *database) Close() error { return d.pool.Close() }

// conn waits for its turn, takes a connection and sets its limits. The pool
// alone would let anybody who waits go first. The caller closes it once.
func (d *database) conn(ctx context.Context) (*conn, error) {
	if _, err := os.Stat(d.path); err != nil {
		return nil, &engine.Error{Kind: engine.Connection, Message: "The SQLite file cannot be read.", Err: err}
	}
	wait, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
	case <-wait.Done():
		if ctx.Err() != nil {
			return nil, engine.Ended(ctx)
		}
		return nil, &engine.Error{Kind: engine.Busy, Message: "Too many queries are running on this database. Please try again.", Err: wait.Err()}
	}
	end := func() { <-d.turns }
	c, err := d.pool.Conn(ctx)
	if err != nil {
		end()
		if ended := engine.Ended(ctx); ended != nil {
			return nil, ended
		}
		return nil, classify(err)
	}
	j := &judge{} // whose counts begin anew
	if err := limit(c, j); err != nil {
		_ = c.Close()
		end()
		return nil, classify(err)
	}
	return &conn{c, j, end}, nil
}

// limit sets what a connection may do, as j decides.
func limit(c *sql.Conn, j *judge) error {
	for _, l := range [...]struct{ id, value int }{
		{sqlite3.SQLITE_LIMIT_ATTACHED, 0},
		{sqlite3.SQLITE_LIMIT_LENGTH, maxValue},
		{sqlite3.SQLITE_LIMIT_SQL_LENGTH, maxStatement},
		{sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0},
		{sqlite3.SQLITE_LIMIT_VDBE_OP, maxProgram},
		{sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, maxPattern},
	} {
		if _, err := sqlite.Limit(c, l.id, l.value); err != nil {
			return err
		}
	}
	return c.Raw(func(raw any) error { return guard(raw, j) })
}

// Check implements engine.Database.
func (d *database) Check(ctx context.Context) error {
	_, err := d.one(ctx, "SELECT count(*) FROM sqlite_master")
	return err
}

// Version implements engine.Database.
func (d *database) Version(ctx context.Context) (engine.Version, error) {
	text, err := d.one(ctx, "SELECT sqlite_version()")
	v := engine.Version{Flavor: "SQLite", Version: text}
	var major, minor int
	if _, bad := fmt.Sscanf(text, "%d.%d", &major, &minor); bad == nil {
		v.Numbers = []int{major, minor}
	}
	return v, err
}

func (d *database) one(ctx context.Context, q string) (string, error) {
	c, err := d.conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	var s string
	if err := c.QueryRowContext(ctx, q).Scan(&s); err != nil {
		return "", classify(err)
	}
	return s, nil
}

// classify tells the driver's failures apart.
func classify(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return &engine.Error{Kind: engine.Invalid, Message: plain(err.Error()), Err: err}
	}
	kind := engine.Invalid
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOMEM:
		return tooMuchMemory(err)
	case sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY:
		kind = engine.Forbidden
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR:
		kind = engine.Connection
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		kind = engine.Busy
	case sqlite3.SQLITE_INTERRUPT:
		kind = engine.Cancelled
	}
	return &engine.Error{Kind: kind, Message: plain(e.Error()), State: fmt.Sprint(e.Code()), Err: err}
}

// tooMuchMemory is the failure of a query that takes more than there is for all.
func tooMuchMemory(err error) *engine.Error {
	return &engine.Error{Kind: engine.Invalid, Message: "The query needs too much memory.", Err: err}
}

package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

type txKey struct{}

// tx is an open transaction; ctx carries it.
type tx struct {
	sql     *sql.Tx
	now     time.Time
	behind  bool // this node's memory lacked committed changes when it began
	changed bool
	after   []func()
	depth   int  // of attempts
	reads   bool // it is a Snapshot
}

// orderLock is the advisory lock that puts transactions on PostgreSQL in one
// order, so that change numbers and the audit chain grow in commit order.
// SQLite has one writer anyway.
const orderLock = 0x6c6b_0001

// InTx runs f in a write transaction; ctx carries it, and nested calls join
// it. It commits when f returns nil and rolls back otherwise. Before it
// returns, the changes it recorded are applied to this node's memory.
func (d *DB) InTx(ctx context.Context, f func(ctx context.Context) error) error {
	if t := inTx(ctx); t != nil {
		if t.reads {
			return errReads
		}
		return f(ctx)
	}
	s, err := d.write.BeginTx(ctx, d.isolation())
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	t := &tx{sql: s, now: d.clock.Now()}
	defer func() { _ = s.Rollback() }() // a no-op after commit
	if d.postgres {
		if _, err := s.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", orderLock); err != nil {
			return fmt.Errorf("order lock: %w", err)
		}
	}
	if t.behind, err = d.behind(ctx, s); err != nil {
		return err
	}
	if err := f(context.WithValue(ctx, txKey{}, t)); err != nil {
		return err
	}
	if t.changed && d.postgres {
		if _, err := s.ExecContext(ctx, "SELECT pg_notify('"+channel+"', '')"); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
	}
	if err := s.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if t.changed {
		d.applyCommitted(ctx)
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

// Snapshot runs f, whose reads all see the data as it is at the first of them,
// whatever others write meanwhile. ctx carries it; inside of a transaction f
// joins that. f cannot write, and must not load what is kept in memory.
func (d *DB) Snapshot(ctx context.Context, f func(ctx context.Context) error) error {
	if inTx(ctx) != nil {
		return f(ctx)
	}
	o := &sql.TxOptions{ReadOnly: true}
	if d.postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	s, err := d.read.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = s.Rollback() }() // there is nothing to commit
	return f(context.WithValue(ctx, txKey{}, &tx{sql: s, now: d.clock.Now(), reads: true}))
}

// behind reports whether this node's memory lacks changes that a transaction
// sees: those of another node, or of this one in the moment between a commit
// and its application. Nothing else commits while the transaction is open, so
// that one look at its beginning is enough.
func (d *DB) behind(ctx context.Context, s *sql.Tx) (bool, error) {
	var last int64
	if err := s.QueryRowContext(ctx, lastChange).Scan(&last); err != nil {
		return false, fmt.Errorf("look for changes: %w", err)
	}
	return last > d.Applied(), nil
}

// Attempt runs f as a part of the caller's transaction that is undone alone when
// f fails, so that what came before it stays. It returns the error of f.
func (d *DB) Attempt(ctx context.Context, f func(ctx context.Context) error) error {
	t := inTx(ctx)
	if t == nil {
		return fmt.Errorf("attempt: %w", errNoTx)
	}
	t.depth++
	defer func() { t.depth-- }()
	name, after := fmt.Sprintf("attempt_%d", t.depth), len(t.after)
	if _, err := t.sql.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return fmt.Errorf("attempt: %w", err)
	}
	err := f(ctx)
	if err != nil {
		t.after = t.after[:after]
		if _, undo := t.sql.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name); undo != nil {
			return errors.Join(err, fmt.Errorf("undo an attempt: %w", undo))
		}
	}
	if _, end := t.sql.ExecContext(ctx, "RELEASE SAVEPOINT "+name); end != nil {
		return errors.Join(err, fmt.Errorf("end an attempt: %w", end))
	}
	return err
}

// isolation is how transactions see others. On PostgreSQL it is READ COMMITTED
// whatever the server's default is: a stricter one would look at the data as it
// was before the order lock was had.
func (d *DB) isolation() *sql.TxOptions {
	if !d.postgres {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// Pending reports whether ctx carries a transaction that sees changes which
// this node's memory does not hold: those that it has recorded itself, and those
// of others that were not applied yet when it began. Who decides inside of it
// reads the database then.
func Pending(ctx context.Context) bool {
	t := inTx(ctx)
	return t != nil && (t.changed || t.behind)
}

func inTx(ctx context.Context) *tx {
	t, _ := ctx.Value(txKey{}).(*tx)
	return t
}

// Now returns the transaction's fixed time, or the clock's outside of one.
func (d *DB) Now(ctx context.Context) time.Time {
	if t := inTx(ctx); t != nil {
		return t.now
	}
	return d.clock.Now()
}

// AfterCommit runs f once the transaction has committed, or at once outside
// of one. It is for what cannot be rolled back, such as sending mail.
func AfterCommit(ctx context.Context, f func()) {
	if t := inTx(ctx); t != nil && !t.reads {
		t.after = append(t.after, f)
		return
	}
	f()
}

// errNoTx says that a statement which must be part of a transaction is not,
// errReads that one inside of a Snapshot would write.
var (
	errNoTx  = errors.New("db: outside of a transaction")
	errReads = errors.New("db: a snapshot only reads")
)

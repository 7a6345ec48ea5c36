package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Create makes a new SQLite file, which fill writes in one transaction. The file
// appears whole or not at all, and only its owner may read it. A file that is
// there already is replaced.
func Create(ctx context.Context, path string, fill func(ctx context.Context, tx *sql.Tx) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*.db")
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := f.Close(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := write(ctx, f.Name(), fill); err != nil {
		return fmt.Errorf("sqlite: write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

// write needs no journal: what breaks off is thrown away.
func write(ctx context.Context, path string, fill func(ctx context.Context, tx *sql.Tx) error) (err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(abs)}
	d, err := sql.Open("sqlite", u.String()+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // a no-op after commit
	if err := fill(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

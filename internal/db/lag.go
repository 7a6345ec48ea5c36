package db

import (
	"context"
	"fmt"
	"time"
)

// Lag returns how far this node's memory is behind the change log: by how many
// numbers, and how long ago the oldest change was written that it does not
// hold. Both are 0 when it holds all.
func (d *DB) Lag(ctx context.Context) (behind int64, age time.Duration, err error) {
	applied := d.Applied()
	var oldest *time.Time
	behind, err = One(ctx, d, func(r Row) (int64, error) {
		var n int64
		err := r.Scan(&n, NullTime(&oldest))
		return n, err
	}, "SELECT coalesce(max(seq), ?1) - ?1, min(at) FROM change_log WHERE seq > ?1", applied)
	if err != nil {
		return 0, 0, fmt.Errorf("read change log: %w", err)
	}
	if oldest != nil {
		age = max(d.Now(ctx).Sub(*oldest), 0)
	}
	return behind, age, nil
}

package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"latchkey/internal/db"
)

// Filter chooses records. The zero value chooses all, the oldest first.
type Filter struct {
	ActorKind  string // person, api-key, command-line, anonymous, system
	ActorID    int64  // the user's id, of a key that of the user behind it
	KeyID      int64  // entries made by this key or about it
	Action     string // exactly this one, or all that begin so when it ends in "."
	ObjectKind string
	ObjectID   int64     // counts only with ObjectKind
	From       time.Time // at this time or later
	To         time.Time // before this time
	Query      string    // part of the actor's or the object's name, A to Z in any case
	After      int64     // ids above this one
	Before     int64     // ids below this one; 0 for no bound
	Newest     bool      // the newest first
	Limit      int       // 0 means 100, or no limit for Export
}

const (
	// MaxLimit is the most records that List returns at once.
	MaxLimit = 1000
	// MaxCount is the most that Count counts.
	MaxCount = 10_000

	defaultLimit = 100
)

// List returns records in the order of their ids. A Limit above MaxLimit
// counts as MaxLimit.
func (l *Log) List(ctx context.Context, f Filter) ([]Record, error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	q, err := l.plan(ctx, f, min(f.Limit, MaxLimit))
	if err != nil {
		return nil, err
	}
	list, err := db.All(ctx, l.db, scanRecord,
		"SELECT "+columns+" FROM audit WHERE id IN ("+q.text+") ORDER BY id"+f.direction(), q.args...)
	if err != nil {
		return nil, fmt.Errorf("audit: list: %w", err)
	}
	return list, nil
}

// Count returns how many records there are, without Limit; MaxCount stands for
// that many or more.
func (l *Log) Count(ctx context.Context, f Filter) (int, error) {
	q, err := l.plan(ctx, f, MaxCount)
	if err != nil {
		return 0, err
	}
	n, err := db.One(ctx, l.db, db.Scalar[int], "SELECT count(*) FROM ("+q.text+") AS found", q.args...)
	if err != nil {
		return 0, fmt.Errorf("audit: count: %w", err)
	}
	return n, nil
}

// Export writes the records as JSON, one to a line, up to Limit, or all that
// there are when it is 0. It holds MaxLimit of them at a time and no
// transaction, so a slow reader keeps nobody waiting. Entries never change, so
// the parts fit together.
func (l *Log) Export(ctx context.Context, f Filter, w io.Writer) error {
	out := json.NewEncoder(w)
	left := f.Limit
	for {
		f.Limit = MaxLimit
		if left > 0 {
			f.Limit = min(left, MaxLimit)
		}
		part, err := l.List(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range part {
			if err := out.Encode(r); err != nil {
				return fmt.Errorf("audit: export: %w", err)
			}
		}
		left -= len(part)
		if len(part) < f.Limit || left == 0 {
			return nil
		}
		f.continueAfter(part[len(part)-1].ID)
	}
}

// continueAfter moves the filter behind the record with the id.
func (f *Filter) continueAfter(id int64) {
	if f.Newest {
		f.Before = id
		return
	}
	f.After = id
}

func (f Filter) direction() string {
	if f.Newest {
		return " DESC"
	}
	return ""
}

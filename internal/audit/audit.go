package audit

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"latchkey/internal/db"
)

// Actor is who made a change, as the log keeps it: readable for ever, also
// when the person or key is gone.
type Actor struct {
	Kind   string // person, api-key, command-line, anonymous
	UserID int64
	KeyID  int64
	Name   string
}

// Entry is one change. Details must never hold a secret.
type Entry struct {
	Action     string // noun.verb, such as api-key.create
	ObjectKind string // user, group, membership, api-key, session, setting
	ObjectID   int64
	ObjectName string
	Details    map[string]any
}

// Origin is where a request came from.
type Origin struct {
	RemoteAddr string
	RequestID  string
	UserAgent  string
}

type originKey struct{}

// WithOrigin returns a ctx whose entries carry the origin.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the origin of the request that ctx belongs to.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

// Log appends to and reads the audit log.
type Log struct{ db *db.DB }

// New returns the audit log of a database.
func New(d *db.DB) *Log { return &Log{d} }

// Append writes an entry. It must run in the transaction of the change
// (db.InTx), whose failure then undoes both.
func (l *Log) Append(ctx context.Context, who Actor, e Entry) error {
	prev, err := db.One(ctx, l.db, scanTail, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
	if err != nil && !errors.Is(err, db.ErrNone) {
		return fmt.Errorf("audit: read the last entry: %w", err)
	}
	o := OriginOf(ctx)
	r := Record{
		ID: prev.id + 1, At: l.db.Now(ctx), Actor: who, Entry: e,
		RemoteAddr: o.RemoteAddr, RequestID: o.RequestID,
	}
	details, err := json.Marshal(e.Details)
	if err != nil {
		return fmt.Errorf("audit: details: %w", err)
	}
	if e.Details == nil {
		details = []byte("{}")
	}
	_, err = l.db.Exec(ctx, `INSERT INTO audit (id, at, actor_kind, actor_id, actor_key, actor_name,
		action, object_kind, object_id, object_name, details, remote_addr, request_id, hash)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
		r.ID, r.At, who.Kind, who.UserID, who.KeyID, who.Name,
		e.Action, e.ObjectKind, e.ObjectID, e.ObjectName, string(details), r.RemoteAddr, r.RequestID,
		chain(prev.hash, r, string(details)))
	if err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	return nil
}

// Record is a stored entry.
type Record struct {
	ID int64
	At time.Time
	Actor
	Entry
	RemoteAddr string
	RequestID  string
}

// Filter chooses records. The zero value chooses all.
type Filter struct {
	ObjectKind string
	ObjectID   int64 // with ObjectKind; 0 means any
	After      int64 // ids above this one
	Limit      int   // 0 means 100
}

// List returns records in the order of their ids.
func (l *Log) List(ctx context.Context, f Filter) ([]Record, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	rows, err := db.All(ctx, l.db, scanRow, selectRows+` WHERE id > ?1
		AND (?2 = '' OR object_kind = ?2) AND (?3 = 0 OR object_id = ?3) ORDER BY id LIMIT ?4`,
		f.After, f.ObjectKind, f.ObjectID, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("audit: list: %w", err)
	}
	out := make([]Record, len(rows))
	for i, r := range rows {
		out[i] = r.Record
	}
	return out, nil
}

// Verify reads the whole chain and returns how many entries it holds. The
// error names the first entry that was changed, is missing or out of order.
func (l *Log) Verify(ctx context.Context) (int64, error) {
	var n int64
	var prev []byte
	err := db.Each(ctx, l.db, scanRow, func(r row) error {
		if r.ID != n+1 {
			return fmt.Errorf("audit entry %d is missing", n+1)
		}
		if want := chain(prev, r.Record, r.details); string(want) != string(r.hash) {
			return fmt.Errorf("audit entry %d was changed", r.ID)
		}
		n, prev = r.ID, r.hash
		return nil
	}, selectRows+" ORDER BY id")
	return n, err
}

const selectRows = `SELECT id, at, actor_kind, actor_id, actor_key, actor_name, action, object_kind,
	object_id, object_name, details, remote_addr, request_id, hash FROM audit`

type row struct {
	Record
	details string
	hash    []byte
}

func scanRow(r db.Row) (row, error) {
	var v row
	err := r.Scan(&v.ID, db.Time(&v.At), &v.Kind, &v.UserID, &v.KeyID, &v.Name, &v.Action, &v.ObjectKind,
		&v.ObjectID, &v.ObjectName, &v.details, &v.RemoteAddr, &v.RequestID, &v.hash)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(v.details), &v.Details)
}

type tail struct {
	id   int64
	hash []byte
}

func scanTail(r db.Row) (tail, error) {
	var t tail
	err := r.Scan(&t.id, &t.hash)
	return t, err
}

// chain hashes a record with the hash before it. Fields are encoded as a JSON
// array, so that no two different records encode alike.
func chain(prev []byte, r Record, details string) []byte {
	b, err := json.Marshal([]any{
		prev, r.ID, r.At.UnixMicro(), r.Kind, r.UserID, r.KeyID, r.Name, r.Action,
		r.ObjectKind, r.ObjectID, r.ObjectName, details, r.RemoteAddr, r.RequestID,
	})
	if err != nil { // strings, numbers and bytes always encode
		return nil
	}
	h := sha256.Sum256(b)
	return h[:]
}

package audit

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"latchkey/internal/db"
)

// Actor is who made a change, as the log keeps it: readable for ever, also
// when the person or key is gone.
type Actor struct {
	Kind   string // person, api-key, command-line, anonymous, system
	UserID int64
	KeyID  int64
	Name   string
}

// System is the actor of what no one did by hand.
func System() Actor { return Actor{Kind: "system", Name: "system"} }

// Anonymous is the actor of what was done by somebody who is not known.
func Anonymous() Actor { return Actor{Kind: "anonymous", Name: "anonymous"} }

// Entry is one change. Details must never hold a secret.
type Entry struct {
	Action     string // noun.verb, such as api-key.create
	ObjectKind string // user, group, membership, api-key, session, setting, audit
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

// Log appends to and reads the audit log. It is safe for concurrent use.
type Log struct{ db *db.DB }

// New returns the audit log of a database.
func New(d *db.DB) *Log { return &Log{d} }

// Append writes an entry. It joins the transaction of the change (db.InTx),
// whose failure then undoes both; what is no change gets one of its own.
func (l *Log) Append(ctx context.Context, who Actor, e Entry) error {
	return l.db.InTx(ctx, func(ctx context.Context) error { return l.append(ctx, who, e) })
}

func (l *Log) append(ctx context.Context, who Actor, e Entry) error {
	prev, err := l.Head(ctx)
	if err != nil {
		return err
	}
	r, err := l.record(ctx, who, e, &prev)
	if err != nil {
		return err
	}
	return l.insert(ctx, []Record{r})
}

// rowsAtOnce is how many entries one statement writes.
const rowsAtOnce = 50

// AppendAll is Append for many entries, in their order.
func (l *Log) AppendAll(ctx context.Context, who Actor, entries []Entry) error {
	return l.db.InTx(ctx, func(ctx context.Context) error {
		prev, err := l.Head(ctx)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(entries, rowsAtOnce) {
			rows := make([]Record, len(part))
			for i, e := range part {
				if rows[i], err = l.record(ctx, who, e, &prev); err != nil {
					return err
				}
			}
			if err := l.insert(ctx, rows); err != nil {
				return err
			}
		}
		return nil
	})
}

// record makes the record of an entry that follows head, which it moves on.
func (l *Log) record(ctx context.Context, who Actor, e Entry, head *Head) (Record, error) {
	o := OriginOf(ctx)
	r := Record{
		ID: head.ID + 1, At: l.db.Now(ctx),
		Actor:      Actor{Kind: who.Kind, UserID: who.UserID, KeyID: who.KeyID, Name: clean(who.Name)},
		Entry:      Entry{Action: e.Action, ObjectKind: e.ObjectKind, ObjectID: e.ObjectID, ObjectName: clean(e.ObjectName)},
		RemoteAddr: clean(o.RemoteAddr), RequestID: clean(o.RequestID), raw: "{}",
	}
	if e.Details != nil {
		details, err := json.Marshal(e.Details)
		if err != nil {
			return r, fmt.Errorf("audit: details: %w", err)
		}
		r.raw = string(details)
	}
	r.Hash = r.chain(head.Hash)
	*head = Head{r.ID, r.Hash}
	return r, nil
}

func (l *Log) insert(ctx context.Context, rows []Record) error {
	q, args := strings.Builder{}, []any{}
	q.WriteString("INSERT INTO audit (" + columns + ") VALUES ")
	for i, r := range rows {
		row := []any{
			r.ID, r.At, r.Kind, r.UserID, r.KeyID, r.Name, r.Action, r.ObjectKind, r.ObjectID, r.ObjectName,
			r.raw, r.RemoteAddr, r.RequestID, r.Hash,
		}
		if i > 0 {
			q.WriteByte(',')
		}
		q.WriteString(db.List(len(args)+1, len(row)))
		args = append(args, row...)
	}
	if _, err := l.db.Exec(ctx, q.String(), args...); err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	return nil
}

// clean makes a text fit to be stored and hashed: PostgreSQL takes no null
// byte, and JSON, which the hash is made of, writes all broken UTF-8 alike.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// chain hashes a record with the hash before it. Fields are encoded as a JSON
// array, so that no two different records encode alike.
func (r Record) chain(prev []byte) []byte {
	b, err := json.Marshal([]any{
		prev, r.ID, r.At.UnixMicro(), r.Kind, r.UserID, r.KeyID, r.Name, r.Action,
		r.ObjectKind, r.ObjectID, r.ObjectName, r.raw, r.RemoteAddr, r.RequestID,
	})
	if err != nil { // strings, numbers and bytes always encode
		return nil
	}
	h := sha256.Sum256(b)
	return h[:]
}

// Head returns the newest entry's id and hash; the zero Head when there is none.
func (l *Log) Head(ctx context.Context) (Head, error) {
	h, err := db.One(ctx, l.db, scanHead, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
	if errors.Is(err, db.ErrNone) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("audit: read the last entry: %w", err)
	}
	return h, nil
}

func scanHead(r db.Row) (Head, error) {
	var h Head
	err := r.Scan(&h.ID, &h.Hash)
	return h, err
}

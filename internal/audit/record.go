package audit

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/db"
)

// Record is a stored entry.
type Record struct {
	ID int64
	At time.Time
	Actor
	Entry
	RemoteAddr string
	RequestID  string
	Hash       []byte // over this entry and the hash before it

	raw string // Details as they are stored and hashed
}

// timeFormat is RFC 3339 in UTC with microseconds, which is what is stored.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// recordJSON is the form in which records leave the house. Its names are stable.
type recordJSON struct {
	ID         int64           `json:"id"`
	At         string          `json:"at"`
	Actor      actorJSON       `json:"actor"`
	Action     string          `json:"action"`
	Object     objectJSON      `json:"object"`
	Details    json.RawMessage `json:"details"`
	RemoteAddr string          `json:"remote_addr"`
	RequestID  string          `json:"request_id"`
	Hash       string          `json:"hash"`
}

type actorJSON struct {
	Kind  string `json:"kind"`
	ID    int64  `json:"id"`     // of the user; 0 when there is none
	KeyID int64  `json:"key_id"` // 0 when it is no key
	Name  string `json:"name"`
}

type objectJSON struct {
	Kind string `json:"kind"`
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// MarshalJSON implements json.Marshaler: one form for the export, the command
// line and the API. The details are the bytes that were hashed.
func (r Record) MarshalJSON() ([]byte, error) {
	if r.raw == "" { // never stored
		r.raw = "{}"
	}
	return json.Marshal(recordJSON{
		ID: r.ID, At: r.At.UTC().Format(timeFormat),
		Actor:  actorJSON{r.Kind, r.UserID, r.KeyID, r.Name},
		Action: r.Action, Object: objectJSON{r.ObjectKind, r.ObjectID, r.ObjectName},
		Details: json.RawMessage(r.raw), RemoteAddr: r.RemoteAddr, RequestID: r.RequestID,
		Hash: hex.EncodeToString(r.Hash),
	})
}

const columns = `id, at, actor_kind, actor_id, actor_key, actor_name, action, object_kind,
	object_id, object_name, details, remote_addr, request_id, hash`

// scanRaw reads the columns without taking Details apart.
func scanRaw(r db.Row) (Record, error) {
	var v Record
	err := r.Scan(v.targets()...)
	return v, err
}

// targets are where the columns are scanned to.
func (r *Record) targets() []any {
	return []any{
		&r.ID, db.Time(&r.At), &r.Kind, &r.UserID, &r.KeyID, &r.Name, &r.Action, &r.ObjectKind,
		&r.ObjectID, &r.ObjectName, &r.raw, &r.RemoteAddr, &r.RequestID, &r.Hash,
	}
}

func scanRecord(r db.Row) (Record, error) {
	v, err := scanRaw(r)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal([]byte(v.raw), &v.Details); err != nil {
		return v, fmt.Errorf("details of entry %d: %w", v.ID, err)
	}
	return v, nil
}

// Head names the newest entry at some time. Whoever notes it elsewhere can
// prove later that nothing up to it was rewritten or cut off.
type Head struct {
	ID   int64
	Hash []byte
}

// String returns ID:HASH, the form that ParseHead reads.
func (h Head) String() string { return strconv.FormatInt(h.ID, 10) + ":" + hex.EncodeToString(h.Hash) }

// ParseHead reads the form of Head.String.
func ParseHead(s string) (Head, error) {
	number, text, _ := strings.Cut(strings.TrimSpace(s), ":")
	id, err := strconv.ParseInt(number, 10, 64)
	hash, hexErr := hex.DecodeString(text)
	const size = 32 // of SHA-256
	if err != nil || hexErr != nil || id < 1 || len(hash) != size {
		return Head{}, fmt.Errorf("%q is no head of an audit log: it is the number of an entry, a colon and 64 hexadecimal digits", s)
	}
	return Head{ID: id, Hash: hash}, nil
}

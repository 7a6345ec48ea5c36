package revision

import (
	"context"
	"database/sql"
	"encoding/json"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

const selectRevisions = `SELECT id, object, archived, collection_id, unpinned, user_id, message, is_creation, is_reversion, made_at
	FROM revision`

func scan(r db.Row) (Revision, error) {
	var v Revision
	var object string
	var over fields
	var user sql.NullInt64
	var message sql.NullString
	err := r.Scan(&v.ID, &object, &over.archived, &over.collection, &over.unpinned, &user, &message,
		&v.Creation, &v.Reversion, db.Time(&v.At))
	if err != nil {
		return v, err
	}
	v.UserID = user.Int64
	if message.Valid {
		v.Message = &message.String
	}
	v.Object, err = over.on(json.RawMessage(object))
	return v, err
}

// fields are what a change of many items gave a revision in place of what its
// object says.
type fields struct {
	archived   sql.NullBool
	collection sql.NullInt64
	unpinned   bool
}

// on returns the object with the fields.
func (f fields) on(object json.RawMessage) (json.RawMessage, error) {
	if !f.archived.Valid && !f.collection.Valid && !f.unpinned {
		return object, nil
	}
	s, err := readState(object)
	if err != nil {
		return nil, err
	}
	put := func(name string, v any) {
		if err == nil {
			s[name], err = json.Marshal(v)
		}
	}
	if f.archived.Valid {
		put(Archived, f.archived.Bool)
	}
	if f.collection.Valid {
		put(CollectionID, f.collection.Int64)
	}
	if f.unpinned {
		put(Position, nil)
	}
	if err != nil {
		return nil, fault.Wrap(err, "put the fields of a revision")
	}
	out, err := json.Marshal(s)
	return out, fault.Wrap(err, "encode state")
}

// recordMany keeps what a change of many items at once left of each that has a
// history, in one statement.
func (l *Log) recordMany(ctx context.Context, who *access.Principal, nos []int64, c content.ManyChange) error {
	var archived, collection any
	if v, ok := c.Archived.Get(); ok {
		archived = v
	}
	if v, ok := c.CollectionID.Get(); ok {
		collection = v
	}
	_, err := l.db.Exec(ctx, `INSERT INTO revision (item, object, archived, collection_id, unpinned, user_id, made_at)
		SELECT r.item, r.object, COALESCE(CAST(?2 AS BOOLEAN), r.archived), COALESCE(CAST(?3 AS BIGINT), r.collection_id),
			r.unpinned OR ?4, CAST(?5 AS BIGINT), ?6
		FROM revision r WHERE r.id IN (SELECT MAX(id) FROM revision WHERE `+l.db.In("item", 1)+` GROUP BY item)`,
		db.IDs(nos), archived, collection, c.Unpinned, content.UserOrNull(who), l.db.Now(ctx))
	if err != nil {
		return fault.Wrap(err, "write revisions")
	}
	full, err := db.All(ctx, l.db, db.Scalar[int64], "SELECT item FROM revision WHERE "+l.db.In("item", 1)+
		" GROUP BY item HAVING COUNT(*) > ?2", db.IDs(nos), keep)
	if err != nil {
		return fault.Wrap(err, "count revisions")
	}
	for _, no := range full {
		if err := l.prune(ctx, no); err != nil {
			return err
		}
	}
	return nil
}

// prune drops the oldest revisions of an item.
func (l *Log) prune(ctx context.Context, no int64) error {
	_, err := l.db.Exec(ctx, `DELETE FROM revision WHERE item = ?1 AND id <=
		(SELECT id FROM revision WHERE item = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`, no, keep)
	return fault.Wrap(err, "drop the oldest revisions")
}

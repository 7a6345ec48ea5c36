package revision

import (
	"database/sql"
	"encoding/json"

	"latchkey/internal/db"
)

func scan(r db.Row) (Revision, error) {
	var v Revision
	var object string
	var user sql.NullInt64
	var message sql.NullString
	err := r.Scan(&v.ID, &object, &user, &message, &v.Creation, &v.Reversion, db.Time(&v.At))
	v.Object, v.UserID = json.RawMessage(object), user.Int64
	if message.Valid {
		v.Message = &message.String
	}
	return v, err
}

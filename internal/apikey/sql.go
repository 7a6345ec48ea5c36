package apikey

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// selectKeys reads keys with the names of who made and changed them (users is
// people's table, only read here) and the id of the group that is shown: the
// first one beside All Users, or All Users (contract/identity.md 1.4).
const selectKeys = `SELECT k.id, k.user_id, k.name, k.prefix, k.created_at, k.updated_at,
	k.created_by, c.first_name, c.last_name, c.email, k.updated_by, u.first_name, u.last_name, u.email,
	coalesce((SELECT min(m.group_id) FROM membership m WHERE m.user_id = k.user_id AND m.group_id <> 1), 1)
	FROM api_key k LEFT JOIN users c ON c.id = k.created_by LEFT JOIN users u ON u.id = k.updated_by`

// actor is a user who made or changed a key; all null for the command line.
type actor struct {
	id                 sql.NullInt64
	first, last, email sql.NullString
}

func (a *actor) ref() Ref {
	if !a.id.Valid {
		return Ref{Name: access.CommandLine().Name}
	}
	return Ref{ID: a.id.Int64, Name: people.CommonName(a.first.String, a.last.String, a.email.String)}
}

func scanKey(r db.Row) (Key, error) {
	var k Key
	var by, upd actor
	err := r.Scan(&k.ID, &k.UserID, &k.Name, &k.Prefix, db.Time(&k.CreatedAt), db.Time(&k.UpdatedAt),
		&by.id, &by.first, &by.last, &by.email, &upd.id, &upd.first, &upd.last, &upd.email, &k.Group.ID)
	if err != nil {
		return k, err
	}
	k.CreatedBy, k.UpdatedBy = by.ref(), upd.ref()
	return k, nil
}

// where returns the condition of a filter on the table k, and its arguments.
func (f Filter) where() (string, []any) {
	var conds []string
	var args []any
	// PostgreSQL takes no text with zero bytes or bytes that are not UTF-8.
	if q := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(f.Query, ""), "\x00", "")); q != "" {
		args = append(args, db.Contains(strings.ToLower(q)), q)
		conds = append(conds, `(k.name_key LIKE ?1 ESCAPE '\' OR k.prefix = substr(?2, 1, 7))`)
	}
	if f.GroupID != 0 && f.GroupID != access.AllUsers {
		args = append(args, f.GroupID)
		conds = append(conds, fmt.Sprintf("k.user_id IN (SELECT m.user_id FROM membership m WHERE m.group_id = ?%d)", len(args)))
	}
	if len(conds) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(conds, " AND "), args
}

func (s *Service) list(ctx context.Context, f Filter) ([]Key, error) {
	where, args := f.where()
	order := " ORDER BY k.name_key, k.id"
	if f.ByAge {
		order = " ORDER BY k.id"
	}
	q := selectKeys + where + order
	if f.Limit > 0 || f.Offset > 0 {
		limit := f.Limit
		if limit <= 0 {
			limit = 1 << 30
		}
		// The page is cut on the index alone; the joins see only its rows.
		page := fmt.Sprintf("SELECT k.id FROM api_key k%s%s LIMIT %d OFFSET %d", where, order, limit, max(f.Offset, 0))
		q = selectKeys + " WHERE k.id IN (" + page + ")" + order
	}
	keys, err := db.All(ctx, s.db, scanKey, q, args...)
	if err != nil {
		return nil, fault.Wrap(err, "read keys")
	}
	for i := range keys {
		if keys[i].Group.Name, err = s.groups.Name(ctx, keys[i].Group.ID); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (s *Service) count(ctx context.Context, f Filter) (int, error) {
	where, args := f.where()
	n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM api_key k"+where, args...)
	return n, fault.Wrap(err, "count keys")
}

func (s *Service) countByGroup(ctx context.Context, groupIDs []int64) (map[int64]int, error) {
	out := map[int64]int{}
	if len(groupIDs) == 0 {
		return out, nil
	}
	args := []any{access.AllUsers}
	for _, id := range groupIDs {
		args = append(args, id)
	}
	err := db.Each(ctx, s.db, func(r db.Row) (v [2]int64, err error) {
		err = r.Scan(&v[0], &v[1])
		return v, err
	}, func(v [2]int64) error { out[v[0]] = int(v[1]); return nil },
		`SELECT m.group_id, count(*) FROM membership m JOIN api_key k ON k.user_id = m.user_id
		WHERE m.group_id <> ?1 AND m.group_id IN `+db.List(2, len(groupIDs))+" GROUP BY m.group_id", args...)
	if err != nil {
		return nil, fault.Wrap(err, "count keys by group")
	}
	out[access.AllUsers], err = s.count(ctx, Filter{})
	return out, err
}

// nameFree refuses a name that another key has, compared exactly
// (contract/identity.md 1.5). Metabase does not check on PUT; we do.
func (s *Service) nameFree(ctx context.Context, name string, except int64) error {
	n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM api_key WHERE name = ?1 AND id <> ?2", name, except)
	if err != nil {
		return fault.Wrap(err, "read names")
	}
	if n > 0 {
		return fault.Field("name", textNameTaken)
	}
	return nil
}

func (s *Service) insert(ctx context.Context, who *access.Principal, userID int64, name string, text secret.Text) (int64, error) {
	mac := s.pepper.MAC(text.Reveal())
	id, err := s.db.Insert(ctx, `INSERT INTO api_key
		(user_id, name, name_key, prefix, mac, pepper_id, created_by, updated_by, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?8) RETURNING id`,
		userID, name, strings.ToLower(name), shown(text), mac[:], s.pepper.id, by(who), s.db.Now(ctx))
	return id, fault.Wrap(err, "write key")
}

// by is the id of who acts, or null for the command line.
func by(who *access.Principal) any {
	if who.UserID == 0 {
		return nil
	}
	return who.UserID
}

func (s *Service) setName(ctx context.Context, id int64, name string) error {
	_, err := s.db.Exec(ctx, "UPDATE api_key SET name = ?2, name_key = ?3 WHERE id = ?1", id, name, strings.ToLower(name))
	return fault.Wrap(err, "rename key")
}

func (s *Service) setText(ctx context.Context, who *access.Principal, id int64, text secret.Text) error {
	mac := s.pepper.MAC(text.Reveal())
	_, err := s.db.Exec(ctx, "UPDATE api_key SET mac = ?2, pepper_id = ?3, prefix = ?4 WHERE id = ?1",
		id, mac[:], s.pepper.id, shown(text))
	if err != nil {
		return fault.Wrap(err, "write the new text")
	}
	return s.stamp(ctx, who, id)
}

// stamp says who changed a key and when.
func (s *Service) stamp(ctx context.Context, who *access.Principal, id int64) error {
	_, err := s.db.Exec(ctx, "UPDATE api_key SET updated_at = ?2, updated_by = ?3 WHERE id = ?1", id, s.db.Now(ctx), by(who))
	return fault.Wrap(err, "stamp key")
}

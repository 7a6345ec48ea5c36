package apikey

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/people"
)

// selectKeys reads keys with the names of the people beside them (users is
// people's table, only read here).
const selectKeys = `SELECT k.id, k.kind, k.user_id, k.name, k.prefix, k.description, k.tags, k.chosen_groups,
	k.restriction, k.trial, k.trial_at, k.expires_at, k.expired_at, k.disabled_at, k.disabled_until, k.disabled_reason,
	k.review_since, k.source, k.created_at, k.updated_at, k.deleted_at,
	k.created_by, c.first_name, c.last_name, c.email, k.updated_by, u.first_name, u.last_name, u.email,
	k.owner_id, o.first_name, o.last_name, o.email, k.successor_id, n.first_name, n.last_name, n.email,
	k.disabled_by, d.first_name, d.last_name, d.email
	FROM api_key k LEFT JOIN users c ON c.id = k.created_by LEFT JOIN users u ON u.id = k.updated_by
	LEFT JOIN users o ON o.id = k.owner_id LEFT JOIN users n ON n.id = k.successor_id
	LEFT JOIN users d ON d.id = k.disabled_by`

// actor is a user beside a key.
type actor struct {
	id                 sql.NullInt64
	first, last, email sql.NullString
}

func (a *actor) targets() []any { return []any{&a.id, &a.first, &a.last, &a.email} }

// ref names the user; nobody is the zero Ref.
func (a *actor) ref() Ref {
	if !a.id.Valid {
		return Ref{}
	}
	return Ref{ID: a.id.Int64, Name: people.CommonName(a.first.String, a.last.String, a.email.String)}
}

// maker names who made or changed a key; nobody is the command line.
func (a *actor) maker() Ref {
	if !a.id.Valid {
		return Ref{Name: access.CommandLine().Name}
	}
	return a.ref()
}

func scanKey(r db.Row) (Key, error) {
	var k Key
	var by, upd, owner, next, off actor
	var tags, chosen, restriction string
	var trial sql.NullString
	to := []any{&k.ID, &k.Kind, &k.UserID, &k.Name, &k.Prefix, &k.Description, &tags, &chosen,
		&restriction, &trial, db.NullTime(&k.TrialSince), db.NullTime(&k.ExpiresAt), db.NullTime(&k.ExpiredAt),
		db.NullTime(&k.DisabledAt), db.NullTime(&k.DisabledUntil), &k.DisabledReason, db.NullTime(&k.ReviewSince),
		&k.Source, db.Time(&k.CreatedAt), db.Time(&k.UpdatedAt), db.NullTime(&k.DeletedAt)}
	for _, a := range []*actor{&by, &upd, &owner, &next, &off} {
		to = append(to, a.targets()...)
	}
	if err := r.Scan(to...); err != nil {
		return k, err
	}
	k.CreatedBy, k.UpdatedBy, k.Owner, k.Successor = by.maker(), upd.maker(), owner.ref(), next.ref()
	if k.DisabledAt != nil {
		k.DisabledBy = off.maker()
	}
	if err := k.unpack(tags, chosen, restriction, trial); err != nil {
		return k, fmt.Errorf("key %d: %w", k.ID, err)
	}
	return k, nil
}

// unpack reads the JSON columns. A restriction that cannot be read is said to
// be so; the verifier refuses everything for it.
func (k *Key) unpack(tags, chosen, restriction string, trial sql.NullString) error {
	if err := json.Unmarshal([]byte(tags), &k.Tags); err != nil {
		return fmt.Errorf("tags: %w", err)
	}
	var groups []int64
	if err := json.Unmarshal([]byte(chosen), &groups); err != nil {
		return fmt.Errorf("chosen groups: %w", err)
	}
	for _, id := range groups {
		k.Groups = append(k.Groups, Ref{ID: id})
	}
	var err error
	if k.Restriction, err = access.ParseRestriction([]byte(restriction)); err == nil && !k.Restriction.IsZero() {
		_, err = k.Restriction.Compile()
	}
	k.Unreadable = err != nil
	if trial.Valid {
		if r, err := access.ParseRestriction([]byte(trial.String)); err == nil {
			k.Trial = &r
		}
	}
	return nil
}

// condition is a filter as SQL.
type condition struct {
	parts []string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("?%d", len(c.args))
}

func (c *condition) and(part string) { c.parts = append(c.parts, part) }

func (c *condition) text() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

// where returns the condition of a filter on the table k.
func (f Filter) where(now time.Time) *condition {
	c := &condition{}
	f.whereState(c, now)
	if !f.AnyKind {
		kind := f.Kind
		if kind == "" {
			kind = KindService
		}
		c.and("k.kind = '" + string(kind) + "'")
	}
	// PostgreSQL takes no text with zero bytes or bytes that are not UTF-8.
	if q := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(f.Query, ""), "\x00", "")); q != "" {
		c.and(fmt.Sprintf(`(k.name_key LIKE %s ESCAPE '\' OR k.prefix = substr(%s, 1, 7))`,
			c.arg(db.Contains(strings.ToLower(q))), c.arg(q)))
	}
	if f.GroupID != 0 && f.GroupID != access.AllUsers {
		c.and("k.user_id IN (SELECT m.user_id FROM membership m WHERE m.group_id = " + c.arg(f.GroupID) + ")")
	}
	if f.UserID != 0 {
		c.and("k.user_id = " + c.arg(f.UserID))
	}
	if f.OwnerID != 0 {
		c.and("k.owner_id = " + c.arg(f.OwnerID))
	}
	if f.Tag != "" {
		c.and(`k.tags LIKE ` + c.arg(db.Contains(quoted(f.Tag))) + ` ESCAPE '\'`)
	}
	if f.Review {
		c.and("k.review_since IS NOT NULL")
	}
	if f.Before != nil {
		c.and("k.expires_at < " + c.arg(*f.Before))
		if f.State == Active { // says nothing new, but leads to the index api_key_by_end
			c.and("k.expires_at IS NOT NULL AND k.expired_at IS NULL")
		}
	}
	return c
}

// quoted is a text as it stands in a JSON list.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // texts always encode
		return s
	}
	return string(b)
}

// The conditions of the states, in the order of Key.State.
func (f Filter) whereState(c *condition, now time.Time) {
	if f.State == Deleted {
		c.and("k.deleted_at IS NOT NULL")
		return
	}
	c.and("k.deleted_at IS NULL")
	if f.State == "" {
		return
	}
	at := c.arg(now)
	expired := "(k.expired_at IS NOT NULL OR (k.expires_at IS NOT NULL AND k.expires_at <= " + at + "))"
	disabled := "(k.disabled_at IS NOT NULL AND (k.disabled_until IS NULL OR k.disabled_until > " + at + "))"
	switch f.State {
	case Expired:
		c.and(expired)
	case Disabled:
		c.and("NOT " + expired)
		c.and(disabled)
	default:
		c.and("NOT " + expired)
		c.and("NOT " + disabled)
	}
}

func (s *Service) list(ctx context.Context, f Filter) ([]Key, error) {
	cond := f.where(s.db.Now(ctx))
	order := " ORDER BY k.name_key, k.id"
	if f.ByAge {
		order = " ORDER BY k.id"
	}
	q := selectKeys + cond.text() + order
	if f.Limit > 0 || f.Offset > 0 {
		limit := f.Limit
		if limit <= 0 {
			limit = 1 << 30
		}
		// The page is cut on the index alone; the joins see only its rows.
		page := fmt.Sprintf("SELECT k.id FROM api_key k%s%s LIMIT %d OFFSET %d", cond.text(), order, limit, max(f.Offset, 0))
		q = selectKeys + " WHERE k.id IN (" + page + ")" + order
	}
	keys, err := db.All(ctx, s.db, scanKey, q, cond.args...)
	if err != nil {
		return nil, fault.Wrap(err, "read keys")
	}
	return keys, s.addGroups(ctx, keys)
}

// addGroups names the groups of keys. Those of a service key are the
// memberships of the user behind it (the table is group's, only read here).
func (s *Service) addGroups(ctx context.Context, keys []Key) error {
	byUser := map[int64]int{}
	for i := range keys {
		if keys[i].Kind == KindService {
			byUser[keys[i].UserID] = i
		}
	}
	users := make([]any, 0, len(byUser))
	for id := range byUser {
		users = append(users, id)
	}
	for part := range slices.Chunk(users, 500) {
		err := db.Each(ctx, s.db, func(r db.Row) (v [2]int64, err error) {
			err = r.Scan(&v[0], &v[1])
			return v, err
		}, func(v [2]int64) error {
			k := &keys[byUser[v[0]]]
			k.Groups = append(k.Groups, Ref{ID: v[1]})
			return nil
		}, "SELECT user_id, group_id FROM membership WHERE group_id <> 1 AND user_id IN "+db.List(1, len(part))+" ORDER BY user_id, group_id",
			part...)
		if err != nil {
			return fault.Wrap(err, "read the groups of keys")
		}
	}
	return s.nameGroups(ctx, keys)
}

// nameGroups fills in names. The group that is shown as the one of a key is
// the first beside All Users, or All Users (contract/identity.md 1.4).
func (s *Service) nameGroups(ctx context.Context, keys []Key) error {
	for i := range keys {
		k := &keys[i]
		for j := range k.Groups {
			var err error
			if k.Groups[j].Name, err = s.groups.Name(ctx, k.Groups[j].ID); err != nil {
				return err
			}
		}
		if len(k.Groups) > 0 {
			k.Group = k.Groups[0]
			continue
		}
		name, err := s.groups.Name(ctx, access.AllUsers)
		if err != nil {
			return err
		}
		k.Group = Ref{ID: access.AllUsers, Name: name}
	}
	return nil
}

func (s *Service) count(ctx context.Context, f Filter) (int, error) {
	if plain := (Filter{AnyKind: f.AnyKind, Limit: f.Limit, Offset: f.Offset, ByAge: f.ByAge}); f == plain {
		return s.countAll(ctx, f.AnyKind)
	}
	cond := f.where(s.db.Now(ctx))
	n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM api_key k"+cond.text(), cond.args...)
	return n, fault.Wrap(err, "count keys")
}

// countAll counts the keys that are not deleted, of all kinds or the service
// keys. SQLite counts a whole table far faster than the rows of a condition,
// and the keys that do not count are few.
func (s *Service) countAll(ctx context.Context, anyKind bool) (int, error) {
	q := `SELECT (SELECT count(*) FROM api_key) - (SELECT count(*) FROM api_key WHERE deleted_at IS NOT NULL)`
	if !anyKind {
		q += ` - (SELECT count(*) FROM api_key WHERE kind = 'personal' AND deleted_at IS NULL)`
	}
	n, err := db.One(ctx, s.db, db.Scalar[int], q)
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
		WHERE k.kind = 'service' AND k.deleted_at IS NULL AND m.group_id <> ?1 AND m.group_id IN `+db.List(2, len(groupIDs))+" GROUP BY m.group_id", args...)
	if err != nil {
		return nil, fault.Wrap(err, "count keys by group")
	}
	out[access.AllUsers], err = s.count(ctx, Filter{})
	return out, err
}

// nameFree refuses a name that another key has, compared exactly
// (contract/identity.md 1.5). Metabase does not check on PUT; we do. Personal
// keys share names with those of other people.
func (s *Service) nameFree(ctx context.Context, k Key, name string) error {
	n, err := db.One(ctx, s.db, db.Scalar[int], `SELECT count(*) FROM api_key
		WHERE name = ?1 AND id <> ?2 AND kind = ?3 AND deleted_at IS NULL AND (?3 = 'service' OR user_id = ?4)`,
		name, k.ID, string(k.Kind), k.UserID)
	if err != nil {
		return fault.Wrap(err, "read names")
	}
	if n > 0 {
		return &fault.Error{Kind: fault.Invalid, Code: "name-taken", Fields: map[string]string{"name": textNameTaken}}
	}
	return nil
}

// insert writes a key without its secret.
func (s *Service) insert(ctx context.Context, who *access.Principal, k Key) (int64, error) {
	restriction, err := json.Marshal(k.Restriction)
	if err != nil {
		return 0, fault.Wrap(err, "restriction")
	}
	id, err := s.db.Insert(ctx, `INSERT INTO api_key
		(kind, user_id, name, name_key, prefix, description, owner_id, successor_id, tags, chosen_groups, restriction,
		expires_at, source, created_by, updated_by, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, '', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14, ?14) RETURNING id`,
		string(k.Kind), k.UserID, k.Name, strings.ToLower(k.Name), k.Description, orNull(k.Owner.ID), orNull(k.Successor.ID),
		packed(k.Tags), packed(ids(k.chosen())), string(restriction), k.ExpiresAt, k.Source, by(who), s.db.Now(ctx))
	return id, fault.Wrap(err, "write key")
}

// chosen is the groups that the key's row keeps: those of a personal key.
func (k Key) chosen() []Ref {
	if k.Kind == KindPersonal {
		return k.Groups
	}
	return nil
}

// packed is a list as JSON.
func packed[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	b, err := json.Marshal(list)
	if err != nil { // numbers and texts always encode
		return "[]"
	}
	return string(b)
}

func ids(refs []Ref) []int64 {
	out := make([]int64, len(refs))
	for i, r := range refs {
		out[i] = r.ID
	}
	return out
}

// by is the id of who acts, or null for the command line.
func by(who *access.Principal) any { return orNull(who.UserID) }

func orNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// stamp says who changed a key and when.
func (s *Service) stamp(ctx context.Context, who *access.Principal, id int64) error {
	_, err := s.db.Exec(ctx, "UPDATE api_key SET updated_at = ?2, updated_by = ?3 WHERE id = ?1", id, s.db.Now(ctx), by(who))
	return fault.Wrap(err, "stamp key")
}

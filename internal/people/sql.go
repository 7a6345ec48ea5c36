package people

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// userColumns are read by scanUser, in this order.
const userColumns = `u.id, u.kind, u.email, u.first_name, u.last_name, u.locale, u.active, u.qbnewb, u.datasetnewb,
	u.password_hash IS NOT NULL, u.login_attributes, u.date_joined, u.updated_at, u.first_login, u.last_login, u.deactivated_at`

func userTargets(u *User, attributes **string) []any {
	return []any{
		&u.ID, &u.Kind, &u.Email, &u.FirstName, &u.LastName, &u.Locale, &u.Active, &u.QBNewb, &u.DatasetNewb,
		&u.HasPassword, attributes, db.Time(&u.DateJoined), db.Time(&u.UpdatedAt),
		db.NullTime(&u.FirstLogin), db.NullTime(&u.LastLogin), db.NullTime(&u.DeactivatedAt),
	}
}

func (u *User) complete(attributes *string) error {
	u.CommonName = commonName(u.FirstName, u.LastName, u.Email)
	u.LoginAttributes = map[string]any{}
	if attributes == nil {
		return nil
	}
	return json.Unmarshal([]byte(*attributes), &u.LoginAttributes)
}

func scanUser(r db.Row) (User, error) {
	var u User
	var attributes *string
	if err := r.Scan(userTargets(&u, &attributes)...); err != nil {
		return u, err
	}
	return u, u.complete(attributes)
}

func scanMember(r db.Row) (Member, error) {
	var m Member
	var attributes *string
	if err := r.Scan(append([]any{&m.MembershipID, &m.GroupID}, userTargets(&m.User, &attributes)...)...); err != nil {
		return m, err
	}
	return m, m.complete(attributes)
}

// where collects conditions and their arguments. Conditions are constants of
// this package; ? stands for the argument.
type where struct {
	text []string
	args []any
}

func (w *where) and(condition string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		condition = strings.Replace(condition, "?", "?"+strconv.Itoa(len(w.args))+" ", 1)
	}
	w.text = append(w.text, condition)
}

func (w *where) String() string { return " WHERE " + strings.Join(w.text, " AND ") }

// page returns the LIMIT clause, whose arguments it adds; a limit of 0 means
// no limit.
func (w *where) page(p Page) string {
	limit := int64(p.Limit)
	if limit <= 0 {
		limit = math.MaxInt64
	}
	w.args = append(w.args, limit, int64(max(p.Offset, 0)))
	n := len(w.args)
	return " LIMIT ?" + strconv.Itoa(n-1) + " OFFSET ?" + strconv.Itoa(n)
}

// user returns one user with its groups, or a NotFound fault.
func (s *Service) user(ctx context.Context, w *where) (User, error) {
	u, err := db.One(ctx, s.db, scanUser, "SELECT "+userColumns+" FROM users u"+w.String(), w.args...)
	if errors.Is(err, db.ErrNone) {
		return u, notFound()
	}
	if err != nil {
		return u, fault.Wrap(err, "read user")
	}
	groups, err := s.groups.OfUser(ctx, u.ID)
	u.setGroups(groups)
	return u, err
}

func (s *Service) userByID(ctx context.Context, id int64) (User, error) {
	w := &where{}
	w.and("u.id = ?", id)
	return s.user(ctx, w)
}

func notFound() error { return fault.New(fault.NotFound, "Not found.") }

// allUsers is the FROM clause of a list of users.
const allUsers = " FROM users u"

// userPage returns a page of users with their groups, and how many there are.
func (s *Service) userPage(ctx context.Context, from string, w *where, order string, p Page) ([]User, int, error) {
	total := -1
	if p.Limit > 0 || p.Offset > 0 {
		n, err := db.One(ctx, s.db, db.Scalar[int], "SELECT count(*)"+from+w.String(), slices.Clone(w.args)...)
		if err != nil {
			return nil, 0, fault.Wrap(err, "count users")
		}
		total = n
	}
	q := "SELECT " + userColumns + from + w.String() + " ORDER BY " + order + w.page(p)
	users, err := db.All(ctx, s.db, scanUser, q, w.args...)
	if err != nil {
		return nil, 0, fault.Wrap(err, "list users")
	}
	if total < 0 {
		total = len(users)
	}
	refs := make([]*User, len(users))
	for i := range users {
		refs[i] = &users[i]
	}
	return users, total, s.fillGroups(ctx, refs)
}

// idsAtOnce bounds the placeholders of one statement.
const idsAtOnce = 500

// fillGroups reads the groups of many users, a query for each 500.
func (s *Service) fillGroups(ctx context.Context, users []*User) error {
	groups := make(map[int64][]int64, len(users))
	for part := range slices.Chunk(users, idsAtOnce) {
		ids := make([]any, len(part))
		for i, u := range part {
			ids[i] = u.ID
		}
		err := db.Each(ctx, s.db, scanPair, func(p [2]int64) error {
			groups[p[0]] = append(groups[p[0]], p[1])
			return nil
		}, "SELECT user_id, group_id FROM membership WHERE user_id IN "+db.List(1, len(ids))+" ORDER BY user_id, group_id", ids...)
		if err != nil {
			return fault.Wrap(err, "read the groups of users")
		}
	}
	for _, u := range users {
		u.setGroups(groups[u.ID])
	}
	return nil
}

func scanPair(r db.Row) ([2]int64, error) {
	var p [2]int64
	err := r.Scan(&p[0], &p[1])
	return p, err
}

// subject is one row of loadSubject: the user, beside one of its groups.
type subject struct {
	access.Subject
	first, last, locale *string
	kind                string
	group               *int64
}

// loadSubject reads a user and its groups in one statement, so that both are
// of one moment. It returns nil for an unknown id.
func (s *Service) loadSubject(ctx context.Context, userID int64) (*access.Subject, error) {
	var found *access.Subject
	err := db.Each(ctx, s.db, scanSubject, func(r subject) error {
		if found == nil {
			subject := r.Subject // a copy: the rest of the row is not kept in memory
			found = &subject
			found.Kind = access.Person
			if r.kind == KindKey {
				found.Kind = access.ServiceKey
			}
			found.Name, found.Locale = commonName(r.first, r.last, r.Email), text(r.locale)
		}
		if r.group != nil {
			found.Groups = append(found.Groups, *r.group)
		}
		return nil
	}, `SELECT u.id, u.kind, u.active, u.first_name, u.last_name, u.email, u.locale, m.group_id
		FROM users u LEFT JOIN membership m ON m.user_id = u.id WHERE u.id = ?1 ORDER BY m.group_id`, userID)
	return found, err
}

func scanSubject(r db.Row) (subject, error) {
	var v subject
	err := r.Scan(&v.UserID, &v.kind, &v.Active, &v.first, &v.last, &v.Email, &v.locale, &v.group)
	return v, err
}

package people

import (
	"context"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
)

// List returns a page of persons, ordered by lower(first name), lower(last
// name) and id, and how many there are without paging; users behind API keys
// are not among them (contract/identity.md 2.7). It returns Forbidden unless
// who is an administrator.
func (s *Service) List(ctx context.Context, who *access.Principal, f Filter) ([]User, int, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, 0, err
	}
	w := &where{}
	w.and("u.kind = '" + KindPerson + "'")
	switch f.Status {
	case All:
	case Deactivated:
		w.and("u.active = FALSE")
	default:
		w.and("u.active = TRUE")
	}
	w.search(f.Query)
	from := allUsers
	if f.GroupID != 0 {
		g, _ := s.groups.Snapshot().ByID(f.GroupID)
		from = fromMembers(g, f.Limit)
		w.and("m.user_id = u.id")
		w.and("m.group_id = ?", f.GroupID)
	}
	return s.userPage(ctx, from, w, "u.sort_name, u.id", Page{f.Limit, f.Offset})
}

// search keeps users whose names or e-mail address contain the query.
func (w *where) search(query string) {
	if q := strings.ToLower(strings.ReplaceAll(strings.ToValidUTF8(query, ""), "\x00", "")); q != "" {
		w.and(`u.search_text LIKE ? ESCAPE '\'`, db.Contains(q))
	}
}

// Known returns the users with the ids, those behind keys too, by id: for
// packages that show who made or edited something. It asks for no principal.
func (s *Service) Known(ctx context.Context, ids []int64) (map[int64]User, error) {
	out := make(map[int64]User, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	users, err := db.All(ctx, s.db, scanUser, "SELECT "+userColumns+" FROM users u WHERE "+s.db.In("u.id", 1), db.IDs(ids))
	for _, u := range users {
		out[u.ID] = u
	}
	return out, fault.Wrap(err, "read users")
}

// Recipients returns a page of the active persons, whom anybody who is signed
// in may choose from, ordered by lower(last name) and lower(first name), and
// how many there are (contract/identity.md 2.7).
func (s *Service) Recipients(ctx context.Context, who *access.Principal, p Page) ([]User, int, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, 0, err
	}
	w := &where{}
	w.and("u.kind = '" + KindPerson + "'")
	w.and("u.active = TRUE")
	return s.userPage(ctx, allUsers, w, "u.sort_last, u.id", p)
}

// Get returns a user, also one that is inactive or stands behind an API key.
// It returns Forbidden unless who is that user or an administrator, and only
// then NotFound (contract/identity.md 2.7).
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (User, error) {
	if err := access.RequireSelfOrAdmin(who, id); err != nil {
		return User{}, err
	}
	return s.userByID(ctx, id)
}

// ByEmail returns the person with an address, in any case of letters. It
// returns Forbidden unless who is an administrator, and NotFound.
func (s *Service) ByEmail(ctx context.Context, who *access.Principal, email string) (User, error) {
	if err := access.RequireAdmin(who); err != nil {
		return User{}, err
	}
	if !ValidEmail(email) {
		return User{}, notFound()
	}
	w := &where{}
	w.and("u.email = ?", strings.ToLower(email))
	w.and("u.kind = '" + KindPerson + "'")
	return s.user(ctx, w)
}

// manyMembers is the size of a group from which its members are found by
// walking all users in the order of their names, not by sorting the members.
const manyMembers = 5000

// fromMembers is the FROM clause of a page of a group's members. SQLite keeps
// the order of a CROSS JOIN's loops; PostgreSQL finds its own.
func fromMembers(g group.Group, limit int) string {
	if limit > 0 && g.MemberCount > manyMembers {
		return " FROM users u CROSS JOIN membership m"
	}
	return " FROM membership m CROSS JOIN users u"
}

// Members returns a page of the active members of a group, users behind API
// keys included, ordered by lower(first name) and lower(last name), and how
// many there are (contract/identity.md 3.2). The query is a part of their
// names or address, "" for any. It returns Forbidden unless who is an
// administrator, and NotFound for an unknown group.
func (s *Service) Members(ctx context.Context, who *access.Principal, groupID int64, query string, p Page) ([]Member, int, error) {
	g, err := s.groups.Get(ctx, who, groupID)
	if err != nil {
		return nil, 0, err
	}
	from, w := fromMembers(g, p.Limit), &where{}
	w.and("m.user_id = u.id")
	w.and("m.group_id = ?", groupID)
	w.and("u.active = TRUE")
	w.search(query)
	total := int(g.MemberCount)
	if query != "" {
		if total, err = db.One(ctx, s.db, db.Scalar[int], "SELECT count(*)"+from+w.String(), w.args...); err != nil {
			return nil, 0, fault.Wrap(err, "count members")
		}
	}
	members, err := db.All(ctx, s.db, scanMember, "SELECT m.id, m.group_id, "+userColumns+from+w.String()+
		" ORDER BY u.sort_name, u.id"+w.page(p), w.args...)
	if err != nil {
		return nil, 0, fault.Wrap(err, "list members")
	}
	refs := make([]*User, len(members))
	for i := range members {
		refs[i] = &members[i].User
	}
	return members, total, s.fillGroups(ctx, refs)
}

// Facts returns what clients ask about themselves.
func (s *Service) Facts(ctx context.Context, who *access.Principal) (Facts, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Facts{}, err
	}
	first, err := s.firstPerson(ctx)
	if err != nil || first == 0 || first != who.UserID {
		return Facts{}, err
	}
	second, err := s.hasSecondPerson(ctx)
	return Facts{IsInstaller: true, HasInvitedSecondUser: second}, err
}

// firstPerson returns the id of the first person, 0 while there is none. Users
// are never deleted, so it is asked until it is known.
func (s *Service) firstPerson(ctx context.Context) (int64, error) {
	if id := s.first.Load(); id != 0 {
		return id, nil
	}
	id, err := db.One(ctx, s.db, db.Scalar[int64],
		"SELECT coalesce(min(id), 0) FROM users WHERE kind = '"+KindPerson+"'")
	if err != nil {
		return 0, fault.Wrap(err, "find the first person")
	}
	s.first.Store(id)
	return id, nil
}

func (s *Service) hasSecondPerson(ctx context.Context) (bool, error) {
	if s.second.Load() {
		return true, nil
	}
	n, err := db.One(ctx, s.db, db.Scalar[int],
		"SELECT count(*) FROM (SELECT id FROM users WHERE kind = '"+KindPerson+"' LIMIT 2) AS two")
	if err != nil {
		return false, fault.Wrap(err, "count persons")
	}
	if n > 1 {
		s.second.Store(true)
	}
	return n > 1, nil
}

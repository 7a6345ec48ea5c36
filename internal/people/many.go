package people

import (
	"context"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// CreateMany makes many persons in sets. For each it returns the id, or why
// there is none: the faults of Create. One that is refused leaves the others
// alone. Nobody gets an invitation, and passwords are not taken.
func (s *Service) CreateMany(ctx context.Context, who *access.Principal, list []NewUser) (ids []int64, refused []error, err error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, nil, err
	}
	ids, refused = make([]int64, len(list)), make([]error, len(list))
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		drafts, err := s.draftMany(ctx, who, list, refused)
		if err != nil {
			return err
		}
		made, err := s.insertMany(ctx, drafts)
		if err != nil {
			return err
		}
		for i := range drafts {
			if refused[i] == nil {
				ids[i] = made[drafts[i].email]
			}
		}
		return s.settleMany(ctx, who, drafts, ids)
	})
	return ids, refused, err
}

// draftMany checks persons, and says in refused who cannot be made.
func (s *Service) draftMany(ctx context.Context, who *access.Principal, list []NewUser, refused []error) ([]draft, error) {
	drafts := make([]draft, len(list))
	emails, groups := map[string]bool{}, []int64{}
	for i, n := range list {
		n.Password = secret.Text{}
		if drafts[i], refused[i] = s.draft(ctx, n); refused[i] == nil {
			emails[drafts[i].email] = true
			groups = append(groups, drafts[i].groups...)
		}
	}
	taken, err := s.taken(ctx, emails)
	if err != nil {
		return nil, err
	}
	closed, err := s.groups.Closed(ctx, who, groups)
	if err != nil {
		return nil, err
	}
	for i := range drafts {
		if refused[i] == nil {
			refused[i] = mayJoin(drafts[i].groups, closed)
		}
		switch email := drafts[i].email; {
		case refused[i] != nil:
		case taken[email]:
			refused[i] = fault.Field("email", "Email address already in use.")
		default:
			taken[email] = true
		}
		if refused[i] != nil {
			drafts[i] = draft{}
		}
	}
	return drafts, nil
}

// mayJoin says why somebody cannot be made as a member of some groups.
func mayJoin(groups []int64, closed map[int64]error) error {
	if !slices.Contains(groups, access.AllUsers) {
		return closed[access.AllUsers]
	}
	for _, id := range groups {
		if err := closed[id]; err != nil && id != access.AllUsers {
			return err
		}
	}
	return nil
}

// taken returns which addresses somebody has.
func (s *Service) taken(ctx context.Context, emails map[string]bool) (map[string]bool, error) {
	out := map[string]bool{}
	for part := range slices.Chunk(keysOf(emails), rowsAtOnce) {
		err := db.Each(ctx, s.db, db.Scalar[string], func(email string) error { out[email] = true; return nil },
			"SELECT email FROM users WHERE email IN "+db.List(1, len(part)), part...)
		if err != nil {
			return nil, fault.Wrap(err, "read addresses")
		}
	}
	return out, nil
}

func keysOf(m map[string]bool) []any {
	out := make([]any, 0, len(m))
	for key := range m {
		out = append(out, key)
	}
	return out
}

// rowsAtOnce is how many persons one statement writes or reads.
const rowsAtOnce = 80

// insertMany writes the rows of the drafts that have an address, and returns
// the ids by address.
func (s *Service) insertMany(ctx context.Context, drafts []draft) (map[string]int64, error) {
	made := make(map[string]int64, len(drafts))
	list := slices.DeleteFunc(slices.Clone(drafts), func(d draft) bool { return d.email == "" })
	for part := range slices.Chunk(list, rowsAtOnce) {
		var q strings.Builder
		q.WriteString(`INSERT INTO users (kind, email, first_name, last_name, sort_name, sort_last, search_text,
			login_attributes, date_joined, updated_at) VALUES `)
		var args []any
		for i, d := range part {
			name, byLast, search := sortKeys(d.first, d.last, d.email)
			row := []any{d.kind, d.email, d.first, d.last, name, byLast, search, d.attributes, s.db.Now(ctx), s.db.Now(ctx)}
			if i > 0 {
				q.WriteByte(',')
			}
			q.WriteString(db.List(len(args)+1, len(row)))
			args = append(args, row...)
		}
		q.WriteString(" RETURNING id, email")
		err := db.Each(ctx, s.db, scanAddress, func(a address) error { made[a.email] = a.id; return nil }, q.String(), args...)
		if err != nil {
			return nil, fault.Wrap(err, "write users")
		}
	}
	return made, nil
}

type address struct {
	id    int64
	email string
}

func scanAddress(r db.Row) (address, error) {
	var a address
	err := r.Scan(&a.id, &a.email)
	return a, err
}

// settleMany puts new persons into their groups, and writes the audit entries
// and the change-log rows.
func (s *Service) settleMany(ctx context.Context, who *access.Principal, drafts []draft, ids []int64) error {
	members, entries, made := map[int64][]int64{}, []audit.Entry{}, []int64{}
	for i, d := range drafts {
		if ids[i] == 0 {
			continue
		}
		groups := slices.Compact(slices.Sorted(slices.Values(d.groups)))
		members[ids[i]] = groups
		made = append(made, ids[i])
		entries = append(entries, audit.Entry{
			Action: "user.create", ObjectKind: "user", ObjectID: ids[i], ObjectName: d.email,
			Details: map[string]any{"groups": groups, "invited": false},
		})
	}
	if err := s.groups.SettleMany(ctx, who, made, members); err != nil {
		return err
	}
	if err := s.audit.AppendAll(ctx, who.Actor(), entries); err != nil {
		return err
	}
	return s.db.RecordAll(ctx, db.ChangedUser, made)
}

// ByEmails returns the persons who have some addresses, by address. It returns
// Forbidden unless who is an administrator.
func (s *Service) ByEmails(ctx context.Context, who *access.Principal, emails []string) (map[string]User, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	out := map[string]User{}
	for part := range slices.Chunk(emails, rowsAtOnce) {
		w := &where{text: []string{"u.email IN " + db.List(1, len(part))}}
		for _, email := range part {
			w.args = append(w.args, strings.ToLower(email))
		}
		w.and("u.kind = '" + KindPerson + "'")
		list, _, err := s.userPage(ctx, allUsers, w, "u.id", Page{})
		if err != nil {
			return nil, err
		}
		for _, u := range list {
			out[u.Email] = u
		}
	}
	return out, nil
}

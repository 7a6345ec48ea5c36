package bulk

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// Line is a line of an import of people.
type Line struct {
	Number      int // in what was sent, from 1
	Email       string
	First, Last *string
	Groups      []GroupName
	Err         error // why the line says nothing that can be done
}

// GroupName is a group, by its name or its id. A name that is written like an
// id counts as a name when there is such a group.
type GroupName struct {
	Name string
	ID   int64 // 0 when Name counts
}

// Import says how people are imported.
type Import struct {
	Request
	Update bool   // give names and groups also to people who are there
	Invite bool   // send an e-mail to those who are made
	Route  string // of the call, whose right is asked for instead of that of the single calls
}

// ImportPeople makes people, a line each. Whoever is there already is reported
// as Exists and stays as they are, unless Update says that the names that a
// line gives replace theirs and its groups come to theirs. Each line is allowed
// what the single call that makes or changes a person would be allowed. It
// returns Invalid for too many lines or invitations, and what Do returns.
func (s *Service) ImportPeople(ctx context.Context, who *access.Principal, lines []Line, in Import) (report *Report, trial *access.Refusal, err error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, nil, err
	}
	if err := checkCount(len(lines), "body"); err != nil {
		return nil, nil, err
	}
	if in.Invite {
		if err := checkInvited(len(lines)); err != nil {
			return nil, nil, err
		}
	}
	st := &arrivals{s: s, who: who, lines: lines, in: in, groups: namesOf(s.groups.Snapshot()), first: firstLines(lines)}
	report, err = s.claimed(ctx, who, st, in.Request)
	return report, st.trial, err
}

// arrivals are the steps of an import.
type arrivals struct {
	s      *Service
	who    *access.Principal
	lines  []Line
	in     Import
	groups map[string]int64 // by name in lower case
	first  map[string]int   // the line on which an address stands first
	trial  *access.Refusal
}

// namesOf are the ids of groups by their names.
func namesOf(all *group.Snapshot) map[string]int64 {
	out := make(map[string]int64, len(all.ByName))
	for _, g := range all.ByName {
		out[strings.ToLower(g.Name)] = g.ID
	}
	return out
}

func firstLines(lines []Line) map[string]int {
	out := make(map[string]int, len(lines))
	for i := range lines {
		email := strings.ToLower(lines[i].Email)
		if _, ok := out[email]; !ok && email != "" {
			out[email] = i
		}
	}
	return out
}

func (st *arrivals) count() int { return len(st.lines) }

// span is all the rest, unless each person needs a letter.
func (st *arrivals) span(from int) int {
	if st.in.Invite {
		return 1
	}
	return len(st.lines) - from
}

func (st *arrivals) know([]Result) {}

// do finds out who is there already, and makes the others as a set.
func (st *arrivals) do(ctx context.Context, from, to int, alone bool) ([]Result, error) {
	emails := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		if l := &st.lines[i]; l.Err == nil && people.ValidEmail(l.Email) {
			emails = append(emails, l.Email)
		}
	}
	there, err := st.s.people.ByEmails(ctx, st.who, emails)
	if err != nil {
		return nil, err
	}
	results := make([]Result, to-from)
	var list []people.NewUser
	var ready []int
	for i := from; i < to; i++ {
		r, n, err := st.line(ctx, i, there, alone)
		if err != nil {
			return nil, err
		}
		if results[i-from] = r; n != nil {
			list, ready = append(list, *n), append(ready, i)
		}
		if r.Status == Failed && !alone && st.in.Update {
			return results[:i-from+1], nil // all of it is undone, and the database may take no more
		}
	}
	return results, st.make(ctx, list, ready, results, from, alone)
}

// line finds out what is to be done for a line: it returns the result, or the
// person to be made.
func (st *arrivals) line(ctx context.Context, i int, there map[string]people.User, alone bool) (r Result, n *people.NewUser, err error) {
	do := func(ctx context.Context) (err error) {
		r, n, err = st.arrive(ctx, i, there)
		return err
	}
	if _, known := there[strings.ToLower(st.lines[i].Email)]; known && st.in.Update && alone {
		err = st.s.db.Attempt(ctx, do)
	} else {
		err = do(ctx)
	}
	refused, err := refusedWhole(err)
	if refused != nil {
		r = failure(i, refused)
	}
	return r, n, err
}

// make makes the people who are not there.
func (st *arrivals) make(ctx context.Context, list []people.NewUser, ready []int, results []Result, from int, alone bool) error {
	if len(list) == 0 {
		return nil
	}
	if !st.in.Invite {
		ids, refused, err := st.s.people.CreateMany(ctx, st.who, list)
		return tell(results, ready, from, ids, refused, err)
	}
	var u people.User
	do := func(ctx context.Context) (err error) {
		u, err = st.s.people.Create(ctx, st.who, list[0])
		return err
	}
	var err error
	if alone {
		err = st.s.db.Attempt(ctx, do)
	} else {
		err = do(ctx)
	}
	return tell(results, ready, from, []int64{u.ID}, []error{nil}, err)
}

// arrive changes or finds the person of a line, or says whom to make.
func (st *arrivals) arrive(ctx context.Context, i int, there map[string]people.User) (Result, *people.NewUser, error) {
	l, r := &st.lines[i], Result{Index: i}
	if l.Err != nil {
		return r, nil, l.Err
	}
	if first, ok := st.first[strings.ToLower(l.Email)]; ok && first != i {
		return r, nil, fault.Coded(fault.Invalid, "duplicate", "The address stands on line %d already.", st.lines[first].Number)
	}
	groups, err := st.groupIDs(l)
	if err != nil {
		return r, nil, err
	}
	o := Operation{Op: CreatePerson, Email: l.Email, First: l.First, Last: l.Last, Groups: targetsOf(groups)}
	if err := st.judge(ctx, &o); err != nil {
		return r, nil, err
	}
	old, known := there[strings.ToLower(l.Email)]
	switch {
	case known && st.in.Update:
		r.Status, r.ID, err = st.update(ctx, old, l, groups)
		return r, nil, err
	case known:
		r.Status, r.ID = Exists, old.ID
		return r, nil, nil
	}
	r.Status = Created
	return r, &people.NewUser{
		Email: l.Email, FirstName: l.First, LastName: l.Last, Groups: append(groups, access.AllUsers), Quiet: !st.in.Invite,
	}, nil
}

// judge asks whether the caller may do an operation, and remembers what a
// restriction on trial would say.
func (st *arrivals) judge(ctx context.Context, o *Operation) error {
	refused, trial, err := st.s.judge(ctx, st.who, o, st.in.Route)
	if st.trial == nil {
		st.trial = trial
	}
	if err != nil {
		return err
	}
	return refused
}

// update gives a person the names of a line and adds its groups.
func (st *arrivals) update(ctx context.Context, u people.User, l *Line, groups []int64) (Status, int64, error) {
	if !u.Active {
		return Failed, u.ID, fault.Coded(fault.Conflict, "inactive-person", "The person is deactivated.")
	}
	var c people.Change
	if l.First != nil && (u.FirstName == nil || *u.FirstName != *l.First) {
		c.FirstName = opt.Of(*l.First)
	}
	if l.Last != nil && (u.LastName == nil || *u.LastName != *l.Last) {
		c.LastName = opt.Of(*l.Last)
	}
	more := slices.DeleteFunc(slices.Clone(groups), func(id int64) bool { return slices.Contains(u.Groups, id) })
	if len(more) > 0 {
		c.Groups = opt.Of(append(slices.Clone(u.Groups), more...))
	}
	if !c.FirstName.Set && !c.LastName.Set && !c.Groups.Set {
		return Exists, u.ID, nil
	}
	o := Operation{Op: UpdatePerson, User: Target{ID: u.ID}, First: c.FirstName.Ptr(), Last: c.LastName.Ptr(), Groups: targetsOf(c.Groups.V)}
	if err := st.judge(ctx, &o); err != nil {
		return Failed, 0, err
	}
	changed, err := st.s.people.Update(ctx, st.who, u.ID, c)
	return Updated, changed.ID, err
}

// groupIDs finds the groups of a line, without All Users.
func (st *arrivals) groupIDs(l *Line) ([]int64, error) {
	var out []int64
	for _, g := range l.Groups {
		id := g.ID
		if id == 0 {
			id = st.groups[strings.ToLower(strings.TrimSpace(g.Name))]
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(g.Name), 10, 64); id == 0 && err == nil {
			id = n
		}
		if _, ok := st.s.groups.Snapshot().ByID(id); !ok {
			return nil, &fault.Error{
				Kind: fault.Invalid, Code: "unknown-group",
				Fields: map[string]string{"groups": "There is no group " + strconv.Quote(g.text()) + "."},
			}
		}
		if id != access.AllUsers && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

func (g GroupName) text() string {
	if g.ID != 0 {
		return strconv.FormatInt(g.ID, 10)
	}
	return g.Name
}

func targetsOf(ids []int64) []Target {
	out := make([]Target, 0, len(ids))
	for _, id := range ids {
		if id != access.AllUsers {
			out = append(out, Target{ID: id})
		}
	}
	return out
}

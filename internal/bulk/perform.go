package bulk

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/people"
)

// operations are the steps of POST /v1/bulk.
type operations struct {
	s     *Service
	who   *access.Principal
	ops   []Operation
	ids   map[string]int64 // what refs stand for
	trial *access.Refusal
}

func (st *operations) count() int { return len(st.ops) }

// span is how many operations of one kind follow each other.
func (st *operations) span(from int) int {
	first, n := &st.ops[from], 1
	if !inSets(first.Op) || first.Invite {
		return n
	}
	// Kinds are kept apart: what is done to a collection reaches what lies in it.
	for from+n < len(st.ops) {
		if o := &st.ops[from+n]; o.Op != first.Op || o.Invite || o.Kind != first.Kind || o.Collection != first.Collection && isItem(o.Op) || o.Placed != first.Placed || o.Subtree != first.Subtree {
			break
		}
		n++
	}
	return n
}

// inSets reports whether operations are done many at once.
func inSets(op Op) bool {
	return op == AddMembership || op == RemoveMembership || op == CreatePerson || op == SetPermission || isItem(op)
}

// isItem reports whether an operation is about an item of a collection.
func isItem(op Op) bool { return op == Archive || op == Restore || op == Move || op == Delete }

func (st *operations) know(results []Result) {
	for _, r := range results {
		if name := st.ops[r.Index].Ref; name != "" && r.ID != 0 {
			st.ids[name] = r.ID
		}
	}
}

func (st *operations) do(ctx context.Context, from, to int, alone bool) ([]Result, error) {
	results := make([]Result, to-from)
	var ready []int // of those that may be done
	for i := from; i < to; i++ {
		refused, err := st.ready(ctx, &st.ops[i])
		if err != nil {
			return nil, err
		}
		if refused != nil {
			results[i-from] = failure(i, refused)
			continue
		}
		results[i-from] = Result{Index: i, Status: OK}
		ready = append(ready, i)
	}
	if len(ready) == 0 {
		return results, nil
	}
	var err error
	switch op := st.ops[from].Op; {
	case isItem(op):
		err = st.items(ctx, ready, results, from, alone)
	case op == SetPermission:
		err = st.permissions(ctx, ready, results, from, alone)
	case op == CreatePerson && !st.ops[from].Invite:
		err = st.persons(ctx, ready, results, from)
	case op == AddMembership, op == RemoveMembership:
		err = st.members(ctx, ready, results, from)
	default:
		err = st.single(ctx, from, alone, &results[0])
	}
	st.know(results)
	return results, err
}

// ready puts ids in the place of refs, and judges.
func (st *operations) ready(ctx context.Context, o *Operation) (refused, err error) {
	for _, t := range o.targets() {
		if t.Ref == "" {
			continue
		}
		if t.ID = st.ids[t.Ref]; t.ID == 0 {
			return fault.Coded(fault.Conflict, "ref-failed", "The operation with the ref %q made nothing.", t.Ref), nil
		}
	}
	refused, trial, err := st.s.judge(ctx, st.who, o, "")
	if st.trial == nil {
		st.trial = trial
	}
	return refused, err
}

// members changes memberships as a set.
func (st *operations) members(ctx context.Context, ready []int, results []Result, from int) error {
	pairs := make([]group.Pair, len(ready))
	for n, i := range ready {
		pairs[n] = group.Pair{GroupID: st.ops[i].Group.ID, UserID: st.ops[i].User.ID}
	}
	var ids []int64
	var refused []error
	var err error
	if st.ops[from].Op == AddMembership {
		ids, refused, err = st.s.groups.AddMembers(ctx, st.who, pairs)
	} else {
		refused, err = st.s.groups.RemoveMembers(ctx, st.who, pairs)
	}
	return tell(results, ready, from, ids, refused, err)
}

// persons makes people as a set.
func (st *operations) persons(ctx context.Context, ready []int, results []Result, from int) error {
	list := make([]people.NewUser, len(ready))
	for n, i := range ready {
		list[n] = newUser(&st.ops[i])
		delete(st.ids, st.ops[i].Ref) // of a part that was undone
	}
	ids, refused, err := st.s.people.CreateMany(ctx, st.who, list)
	return tell(results, ready, from, ids, refused, err)
}

// tell writes what became of a set into the results: ids of what was made, and
// why something was not; or why all of it was not.
func tell(results []Result, ready []int, from int, ids []int64, refused []error, err error) error {
	whole, err := refusedWhole(err)
	if err != nil {
		return err
	}
	for n, i := range ready {
		switch r := &results[i-from]; {
		case whole != nil:
			*r = failure(i, whole)
		case refused[n] != nil:
			*r = failure(i, refused[n])
		case ids != nil:
			r.ID, r.made = ids[n], true
		}
	}
	return nil
}

// newUser is the person whom an operation makes.
func newUser(o *Operation) people.NewUser {
	groups := []int64{access.AllUsers}
	for _, t := range o.Groups {
		groups = append(groups, t.ID)
	}
	return people.NewUser{Email: o.Email, FirstName: o.First, LastName: o.Last, Groups: groups, Quiet: !o.Invite}
}

// refusedWhole tells what refuses a set as a whole from a failure of the house.
func refusedWhole(err error) (refused, failed error) {
	if err == nil || fault.Is(err, fault.Internal) || fault.Is(err, fault.Unavailable) {
		return nil, err
	}
	return err, nil
}

// single does one operation, which leaves nothing behind when it fails alone.
func (st *operations) single(ctx context.Context, i int, alone bool, r *Result) error {
	delete(st.ids, st.ops[i].Ref) // of a part that was undone
	do := func(ctx context.Context) (err error) {
		r.ID, err = st.perform(ctx, &st.ops[i])
		return err
	}
	var err error
	if alone {
		err = st.s.db.Attempt(ctx, do)
	} else {
		err = do(ctx)
	}
	refused, err := refusedWhole(err)
	if refused != nil {
		*r = failure(i, refused)
	}
	r.made = st.ops[i].makes()
	return err
}

// perform does one operation and returns the id of what it made or changed.
func (st *operations) perform(ctx context.Context, o *Operation) (int64, error) {
	switch o.Op {
	case CreateGroup:
		g, err := st.s.groups.Create(ctx, st.who, o.Name)
		return g.ID, err
	case CreatePerson:
		u, err := st.s.people.Create(ctx, st.who, newUser(o))
		return u.ID, err
	}
	return 0, fault.New(fault.Invalid, "There is no such operation.")
}

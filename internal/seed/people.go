package seed

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// errNobodyRules refuses people without an administrator on an instance that
// has nobody: set-up would be over, and nobody could do anything.
var errNobodyRules = errors.New("the instance has no people yet, and none of these is in Administrators: give one of them groups: [Administrators]")

// allPeople makes and changes people. The first ones finish set-up.
func (r *run) allPeople(ctx context.Context) error {
	if len(r.file.People) == 0 {
		return nil
	}
	before, err := r.people.HasSetup(ctx)
	if err != nil {
		return err
	}
	var ruler int64
	for _, p := range r.file.People {
		err := r.step(ctx, p.Line, kindPerson, p.Email, func(ctx context.Context) (Step, error) {
			s, u, err := r.applyPerson(ctx, p)
			if ruler == 0 && u.Active && u.IsAdmin {
				ruler = u.ID
			}
			return s, err
		})
		if err != nil {
			return err
		}
	}
	if before {
		return nil
	}
	if ruler == 0 {
		return fmt.Errorf("%s:%d: %w", r.file.Name, r.file.People[0].Line, errNobodyRules)
	}
	return r.people.FinishSetup(ctx, r.who, ruler)
}

// findPerson returns the person that an entry means, and whether a file made
// them. A person who has another address by now is still the same.
func (r *run) findPerson(ctx context.Context, email string) (u people.User, seeded bool, err error) {
	if id, ok := r.items[named(kindPerson, email)]; ok {
		u, err = r.people.Get(ctx, r.who, id)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return u, true, err
		}
	}
	u, err = r.people.ByEmail(ctx, r.who, email)
	if fault.Is(err, fault.NotFound) {
		return people.User{}, false, nil
	}
	return u, false, err
}

// applyPerson makes a person, or changes one that a file made.
func (r *run) applyPerson(ctx context.Context, p Person) (Step, people.User, error) {
	groups, err := r.groupIDs(p.Groups.Or(nil))
	if err != nil {
		return Step{}, people.User{}, err
	}
	u, seeded, err := r.findPerson(ctx, p.Email)
	if err != nil {
		return Step{}, u, err
	}
	if u.ID == 0 {
		return r.createPerson(ctx, p, groups)
	}
	var detail []string
	if !u.Active {
		if !r.opts.Adopt {
			return Step{Action: Left, Detail: []string{"is deactivated and stays so (--adopt takes them back)"}}, u, nil
		}
		if u, err = r.people.Reactivate(ctx, r.who, u.ID); err != nil {
			return Step{}, u, err
		}
		detail = append(detail, "reactivated")
	}
	change, more := r.personChanges(u, p, groups)
	detail = append(detail, more...)
	switch {
	case len(detail) == 0 && (seeded || !r.opts.Adopt):
		return Step{Action: Unchanged}, u, nil
	case !r.mine(seeded):
		return left(detail), u, nil
	}
	if u, err = r.people.Update(ctx, r.who, u.ID, change); err != nil {
		return Step{}, u, err
	}
	action := Update
	if len(detail) == 0 {
		action = Unchanged
	}
	return Step{Action: action, Detail: detail}, u, r.remember(ctx, kindPerson, p.Email, u.ID)
}

func (r *run) createPerson(ctx context.Context, p Person, groups []int64) (Step, people.User, error) {
	n := people.NewUser{Email: p.Email, FirstName: p.FirstName.Ptr(), LastName: p.LastName.Ptr(), Groups: groups}
	if p.password.given() {
		var err error
		if n.Password, err = p.password.read(r.file.environ); err != nil {
			return Step{}, people.User{}, err
		}
	}
	u, err := r.people.Create(ctx, r.who, n)
	if err != nil {
		return Step{}, u, err
	}
	return Step{Action: Create, Detail: []string{"groups: " + r.groupNames(u.Groups)}}, u, r.remember(ctx, kindPerson, p.Email, u.ID)
}

// personChanges says how a person differs from an entry.
func (r *run) personChanges(u people.User, p Person, groups []int64) (people.Change, []string) {
	var c people.Change
	var detail []string
	if u.Email != p.Email {
		c.Email = opt.Of(p.Email)
		detail = append(detail, arrow("email", u.Email, p.Email))
	}
	if v, ok := p.FirstName.Get(); ok && v != deref(u.FirstName) {
		c.FirstName = opt.Of(v)
		detail = append(detail, arrow("first_name", deref(u.FirstName), v))
	}
	if v, ok := p.LastName.Get(); ok && v != deref(u.LastName) {
		c.LastName = opt.Of(v)
		detail = append(detail, arrow("last_name", deref(u.LastName), v))
	}
	if p.Groups.Set && !slices.Equal(groups, u.Groups) {
		c.Groups = opt.Of(groups)
		detail = append(detail, arrow("groups", r.groupNames(u.Groups), r.groupNames(groups)))
	}
	return c, detail
}

// somebody returns the person with an address, who may be deactivated.
func (r *run) somebody(ctx context.Context, what, email string) (people.User, error) {
	u, err := r.people.ByEmail(ctx, r.who, email)
	if fault.Is(err, fault.NotFound) {
		return u, fmt.Errorf("the %s %s is nobody here; name them under people in this file", what, email)
	}
	return u, err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// sorted returns ids in order and without repetition.
func sorted(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// beside returns groups without All Users.
func beside(ids []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == access.AllUsers })
}

package bulk

import (
	"fmt"

	"latchkey/internal/fault"
)

// MaxSteps is how many operations or lines one call may have.
const MaxSteps = 10_000

// Op is what an operation does.
type Op string

// The operations. UpdatePerson is one only inside an import.
const (
	Archive          Op = "archive"
	Restore          Op = "restore"
	Move             Op = "move"
	Delete           Op = "delete"
	SetPermission    Op = "set_collection_permission"
	AddMembership    Op = "add_membership"
	RemoveMembership Op = "remove_membership"
	CreateGroup      Op = "create_group"
	CreatePerson     Op = "create_person"
	UpdatePerson     Op = "update_person"
)

// Target is the thing that an operation is about: an id, or a name that an
// earlier operation of the call gave what it made. The zero Target is none,
// which is the root where a collection is meant.
type Target struct {
	ID  int64  `json:"id,omitzero"`
	Ref string `json:"ref,omitzero"`
}

// Operation is one step. Which fields count depends on Op.
type Operation struct {
	Op         Op       `json:"op"`
	Kind       string   `json:"kind,omitzero"` // of the item: collection, card, dashboard, snippet, timeline
	Item       Target   `json:"item,omitzero"`
	Collection Target   `json:"collection,omitzero"` // where to, or whose permission; none is the root
	Placed     bool     `json:"placed,omitzero"`     // of Restore: to Collection, and not to the old place
	Group      Target   `json:"group,omitzero"`
	User       Target   `json:"user,omitzero"`
	Level      string   `json:"level,omitzero"`   // view, curate, none
	Subtree    bool     `json:"subtree,omitzero"` // of SetPermission: also what lies in the collection
	Name       string   `json:"name,omitzero"`
	Email      string   `json:"email,omitzero"`
	First      *string  `json:"first,omitzero"`
	Last       *string  `json:"last,omitzero"`
	Groups     []Target `json:"groups,omitzero"`
	Invite     bool     `json:"invite,omitzero"`
	Ref        string   `json:"names,omitzero"` // the name under which later operations speak of what it makes
}

// makes reports whether the operation makes something with an id of its own.
func (o *Operation) makes() bool { return o.Op == CreateGroup || o.Op == CreatePerson }

// targets are what the operation is about, with the kind of thing that each is.
func (o *Operation) targets() []*Target {
	all := []*Target{&o.Item, &o.Collection, &o.Group, &o.User}
	for i := range o.Groups {
		all = append(all, &o.Groups[i])
	}
	return all
}

// fieldsOf are the wire names of targets, in their order; groups share one.
var fieldsOf = [...]string{"id", "collection_id", "group_id", "user_id", "group_ids"}

// madeBy are the operations that make what targets may refer to.
var madeBy = [...]Op{"", "", CreateGroup, CreatePerson, CreateGroup}

// maxInvited is how many invitations one call may send: they leave one by one,
// and a queue that is full drops what does not fit.
const maxInvited = 200

// CheckOperations refuses a list that cannot run whatever the state of things
// is: too long or empty, a name that is given twice, one that stands for
// nothing made earlier, and one that stands for another kind of thing.
func CheckOperations(ops []Operation) error {
	if err := checkCount(len(ops), "operations"); err != nil {
		return err
	}
	named, invited := map[string]Op{}, 0
	for i := range ops {
		o := &ops[i]
		for at, t := range o.targets() {
			if t.Ref == "" {
				continue
			}
			field := fmt.Sprintf("operations.%d.%s", i, fieldsOf[min(at, len(fieldsOf)-1)])
			if op, ok := named[t.Ref]; !ok {
				return fault.Field(field, "No earlier operation has the ref %q.", t.Ref)
			} else if op != madeBy[min(at, len(madeBy)-1)] {
				return fault.Field(field, "The ref %q stands for another kind of thing.", t.Ref)
			}
		}
		if o.Invite {
			invited++
		}
		if o.Ref == "" {
			continue
		}
		if _, again := named[o.Ref]; again || !o.makes() {
			return fault.Field(fmt.Sprintf("operations.%d.ref", i), "Only what makes something has a ref, and each ref stands once.")
		}
		named[o.Ref] = o.Op
	}
	return checkInvited(invited)
}

func checkCount(n int, field string) error {
	if n == 0 {
		return fault.Field(field, "There is nothing to do.")
	}
	if n > MaxSteps {
		return &fault.Error{
			Kind: fault.Invalid, Code: "too-many-steps",
			Fields: map[string]string{field: fmt.Sprintf("One call may have %d, and this one has more.", MaxSteps)},
		}
	}
	return nil
}

func checkInvited(n int) error {
	if n > maxInvited {
		return fault.Field("invite", "One call sends at most %d invitations, and this one would send %d. Split it, or leave invite out.", maxInvited, n)
	}
	return nil
}

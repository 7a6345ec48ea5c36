package model_test

import "slices"

// The levels of a collection.
const (
	none = iota
	view
	curate
)

// Ids that every instance has.
const (
	root  = int64(0)
	trash = int64(1)
	all   = int64(1) // the group All Users
	admin = int64(2) // the group Administrators
)

// folder is a collection.
type folder struct {
	id, parent int64
	owner      int64 // of a personal collection
	archived   bool
	direct     bool
	operation  int // what was archived together
	grants     map[int64]int
}

// thing is a card, a dashboard or a timeline.
type thing struct {
	kind     string
	id       int64
	folder   int64
	archived bool
	direct   bool
}

// actor is somebody who calls.
type actor struct {
	name     string
	header   [2]string
	user     int64
	groups   []int64
	person   bool
	bound    []int64 // collections that a key is bound to; nil for none
	readOnly bool
}

func (a *actor) admin() bool { return slices.Contains(a.groups, admin) }

// model is everything.
type model struct {
	folders    map[int64]*folder
	things     []*thing
	rootGrants map[int64]int
	operations int
}

func newModel() *model {
	return &model{folders: map[int64]*folder{}, rootGrants: map[int64]int{all: curate}}
}

// chain returns a collection and those that it lies in, from inside out.
func (m *model) chain(id int64) []*folder {
	var out []*folder
	for id != root {
		f := m.folders[id]
		out = append(out, f)
		id = f.parent
	}
	return out
}

// owner returns whose personal collection it is or lies in, 0 for nobody's.
func (m *model) owner(id int64) int64 {
	if c := m.chain(id); len(c) > 0 {
		return c[len(c)-1].owner
	}
	return 0
}

// level says what somebody may do in a collection.
func (m *model) level(a *actor, id int64) int {
	if a.bound != nil && !slices.ContainsFunc(m.chain(id), func(f *folder) bool { return slices.Contains(a.bound, f.id) }) {
		return none
	}
	if a.admin() {
		return curate
	}
	if owner := m.owner(id); owner != 0 {
		if a.person && owner == a.user {
			return curate
		}
		return none
	}
	grants := m.rootGrants
	if id != root {
		grants = m.folders[id].grants
	}
	best := none
	for _, g := range a.groups {
		best = max(best, grants[g])
	}
	return best
}

// below returns the collections that lie in one, at any depth.
func (m *model) below(id int64) []*folder {
	var out []*folder
	for _, f := range m.folders {
		if f.id != id && slices.ContainsFunc(m.chain(f.id), func(above *folder) bool { return above.id == id }) {
			out = append(out, f)
		}
	}
	return out
}

func (m *model) isArchived(id int64) bool { return id != root && m.folders[id].archived }

// The answers that a change may get.
const (
	ok        = 200
	bad       = 400
	forbidden = 403
)

// mayPut decides whether somebody may put something into a collection.
func (m *model) mayPut(a *actor, into int64) int {
	switch {
	case a.readOnly, m.level(a, into) < curate:
		return forbidden
	case m.isArchived(into):
		return bad
	}
	return ok
}

// mayAll decides about a collection with those below that are chosen.
func (m *model) mayAll(a *actor, f *folder, chosen func(*folder) bool) int {
	if a.readOnly || m.level(a, f.id) < curate {
		return forbidden
	}
	for _, b := range m.below(f.id) {
		if chosen(b) && m.level(a, b.id) < curate {
			return forbidden
		}
	}
	return ok
}

func (m *model) create(f *folder) {
	f.grants = map[int64]int{}
	if m.owner(f.parent) == 0 {
		from := m.rootGrants
		if f.parent != root {
			from = m.folders[f.parent].grants
		}
		for g, l := range from {
			f.grants[g] = l
		}
	}
	m.folders[f.id] = f
}

func (m *model) archive(f *folder) {
	m.operations++
	gone := map[int64]bool{}
	for _, b := range append(m.below(f.id), f) {
		if !b.archived {
			b.archived, b.direct, b.operation = true, b == f, m.operations
			gone[b.id] = true
		}
	}
	for _, t := range m.things {
		if gone[t.folder] {
			t.archived = true
		}
	}
}

// mayRestore decides whether a collection may leave the trash; to is its
// parent after that, chosen says whether the caller named it.
func (m *model) mayRestore(a *actor, f *folder, to int64, chosen bool) int {
	if a.readOnly || m.level(a, f.id) < curate {
		return forbidden
	}
	if m.isArchived(to) || to == f.id || to != root && slices.Contains(m.chain(to), f) {
		return bad
	}
	if !chosen && !f.direct || chosen && m.level(a, to) < curate {
		return forbidden
	}
	return m.mayAll(a, f, func(b *folder) bool { return b.operation == f.operation })
}

func (m *model) restore(f *folder, to int64) {
	m.put(f, to)
	operation := f.operation
	back := map[int64]bool{}
	for _, b := range append(m.below(f.id), f) {
		if b.operation == operation {
			b.archived, b.direct, b.operation = false, false, 0
			back[b.id] = true
		}
	}
	for _, t := range m.things {
		if back[t.folder] && !t.direct {
			t.archived = false
		}
	}
}

// mayMove decides about a collection that is not in the trash.
func (m *model) mayMove(a *actor, f *folder, to int64) int {
	if code := m.mayAll(a, f, func(b *folder) bool { return !b.archived }); code != ok {
		return code
	}
	switch {
	case to != root && slices.Contains(m.chain(to), f):
		return bad
	case m.level(a, to) < curate:
		return forbidden
	case m.isArchived(to):
		return bad
	}
	return ok
}

// put moves a collection. What crosses the border of a personal collection
// loses its grants, or gets those of its new parent.
func (m *model) put(f *folder, to int64) {
	was, is := m.owner(f.id), int64(0)
	if to != root {
		is = m.owner(to)
	}
	f.parent = to
	if (was != 0) == (is != 0) {
		return
	}
	from := m.rootGrants
	if to != root {
		from = m.folders[to].grants
	}
	for _, b := range append(m.below(f.id), f) {
		b.grants = map[int64]int{}
		if is == 0 {
			for g, l := range from {
				b.grants[g] = l
			}
		}
	}
}

// remove ends a collection for ever, and all that is in it but collections
// that were put into the trash by themselves.
func (m *model) remove(f *folder) {
	var saved []*folder
	for _, b := range m.below(f.id) {
		if b.direct && !slices.ContainsFunc(m.chain(b.id)[1:], func(above *folder) bool {
			return above.direct && above != f && slices.Contains(m.below(f.id), above)
		}) {
			saved = append(saved, b)
		}
	}
	for _, b := range saved {
		m.put(b, f.parent)
	}
	gone := map[int64]bool{f.id: true}
	for _, b := range m.below(f.id) {
		gone[b.id] = true
	}
	for id := range gone {
		delete(m.folders, id)
	}
	m.things = slices.DeleteFunc(m.things, func(t *thing) bool { return gone[t.folder] })
}

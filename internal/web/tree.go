package web

import (
	"cmp"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/content"
)

// branch is a collection in the menu.
type branch struct {
	ID       int64
	Name     string
	URL      string
	Current  bool
	Open     bool
	More     int // collections beside the first ones that are not shown
	Children []branch
}

// menu is what stands beside the pages of content.
type menu struct {
	Home    bool
	Root    *branch // nil for who may not see it
	Shared  []branch
	Mine    *branch // the caller's own collection; nil without one
	Trash   bool
	AtTrash bool
	More    int
}

// branchesShown is how many collections stand below one another. A collection
// with more is browsed in its list.
const branchesShown = 40

// menuFor returns the collections that the caller may see: the outermost, and
// the way to the one that is shown.
func (p *page) menuFor(current int64) (*menu, error) {
	if _, err := p.site.Content.OwnPersonal(p.ctx(), p.who); err != nil {
		return nil, err
	}
	cols := p.site.Content.Collections()
	t := trees{p: p, under: map[int64][]*access.Folder{}, current: current}
	var mine *access.Folder
	for _, f := range cols.All() {
		if f.Archived || f.ID == access.TrashCollection || f.Namespace != content.Default || access.LevelOf(p.who, f) < access.View {
			continue
		}
		if f.Personal {
			if f.Owner == p.who.UserID {
				mine = f
			}
			continue
		}
		t.add(f)
	}
	if f, err := cols.Folder(p.ctx(), current); err == nil && f != nil {
		t.open = append(slices.Clone(f.Path), f.ID)
	}
	m := &menu{Trash: true, AtTrash: current == access.TrashCollection}
	var err error
	if m.Shared, m.More, err = t.below(access.RootCollection); err != nil {
		return nil, err
	}
	if access.LevelOf(p.who, cols.Root(content.Default)) >= access.View {
		m.Root = &branch{Name: nameOfRoot, URL: pathRoot, Current: current == access.RootCollection}
	}
	if mine != nil {
		m.Mine = &branch{ID: mine.ID, Name: "Your personal collection", URL: collectionPath(mine.ID), Current: current == mine.ID}
		m.Mine.Children, m.Mine.More, err = t.below(mine.ID)
	}
	return m, err
}

// trees hangs every collection under the nearest one above that may be seen.
type trees struct {
	p       *page
	under   map[int64][]*access.Folder
	current int64
	open    []int64
}

func (t *trees) add(f *access.Folder) {
	parent, cols := access.RootCollection, t.p.site.Content.Collections()
	for _, id := range slices.Backward(f.Path) {
		if level, err := cols.Level(t.p.ctx(), t.p.who, id); err == nil && level >= access.View {
			parent = id
			break
		}
	}
	t.under[parent] = append(t.under[parent], f)
}

// below returns the first collections under one, in order of name, and how
// many more there are. Those on the way to the current one are open.
func (t *trees) below(id int64) ([]branch, int, error) {
	folders := t.under[id]
	ids := make([]int64, len(folders))
	for i, f := range folders {
		ids[i] = f.ID
	}
	named, err := t.p.site.Content.CollectionsByID(t.p.ctx(), ids)
	if err != nil {
		return nil, 0, err
	}
	all := make([]branch, 0, len(folders))
	for _, f := range folders {
		if c, ok := named[f.ID]; ok {
			all = append(all, branch{ID: f.ID, Name: c.Name, URL: collectionPath(f.ID), Current: f.ID == t.current, Open: slices.Contains(t.open, f.ID)})
		}
	}
	slices.SortFunc(all, func(a, b branch) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	more := 0
	if len(all) > branchesShown {
		more = len(all) - branchesShown
		all = slices.DeleteFunc(all, func() func(branch) bool {
			n := 0
			return func(b branch) bool { n++; return n > branchesShown && !b.Open }
		}())
	}
	for i := range all {
		if all[i].Open {
			if all[i].Children, all[i].More, err = t.below(all[i].ID); err != nil {
				return nil, 0, err
			}
		}
	}
	return all, more, nil
}

// located is a page of something that lies in a collection.
type located interface{ collectionID() int64 }

// currentOf returns the collection that a page belongs to in the menu.
func currentOf(body any) int64 {
	if l, ok := body.(located); ok {
		return l.collectionID()
	}
	return content.Nowhere
}

func (b browseBody) collectionID() int64 { return b.Here.ID }

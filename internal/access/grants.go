package access

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Grants says which groups may do what in one collection. It is immutable.
// Administrators are never in it: they may do everything.
//
// Groups stand in pages of 32, two bits for each: with 10,000 groups that may
// do something in each of 1,000 collections, all grants take 5 MB.
type Grants struct {
	pages []page // in order; none is empty
}

// page is the levels of the groups from at*pageGroups.
type page struct {
	at   int64
	bits uint64
}

const (
	pageGroups = 32
	levelBits  = 2
	levelMask  = 1<<levelBits - 1
)

// levelAt returns the level of a group in the bits of its page.
func levelAt(bits uint64, group int64) CollectionLevel {
	return CollectionLevel(bits >> (uint64(group) % pageGroups * levelBits) & levelMask)
}

// with returns the page with another level for a group.
func (p page) with(group int64, level CollectionLevel) page {
	shift := uint64(group) % pageGroups * levelBits
	p.bits = p.bits&^(levelMask<<shift) | uint64(level)<<shift
	return p
}

// ParseGrants reads the stored form: "1r 5c", the ids of groups in order, with
// r for View and c for Curate.
func ParseGrants(text string) (*Grants, error) {
	g, now := &Grants{}, page{at: -1}
	var last int64
	for i := 0; i < len(text); {
		if text[i] == ' ' {
			i++
			continue
		}
		id, end := parseID(text, i)
		if end == len(text) || end == i || id <= 0 {
			return nil, fmt.Errorf("grants: no group and level at %.40q", text[i:])
		}
		level := View
		if text[end] == 'c' {
			level = Curate
		} else if text[end] != 'r' {
			return nil, fmt.Errorf("grants: unknown level at %.40q", text[i:])
		}
		if id < last {
			return nil, fmt.Errorf("grants: groups are not in order")
		}
		if at := id / pageGroups; at != now.at {
			g.pages = append(g.pages, now)
			now = page{at: at}
		}
		now = now.with(id, level)
		last, i = id, end+1
	}
	g.pages = slices.Clone(append(g.pages, now)[1:]) // no longer than it need be
	return g, nil
}

// parseID reads the digits from i and returns where they end. What is too
// large is 0. A start reads millions of ids, so it makes no text of each.
func parseID(text string, i int) (id int64, end int) {
	for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
		if id > (math.MaxInt64-9)/10 {
			return 0, i
		}
		id = id*10 + int64(text[i]-'0')
	}
	return id, i
}

// String returns the stored form.
func (g *Grants) String() string {
	var b []byte
	g.Each(func(group int64, level CollectionLevel) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		letter := byte('r')
		if level == Curate {
			letter = 'c'
		}
		b = append(strconv.AppendInt(b, group, 10), letter)
	})
	return string(b)
}

// find returns where the page of a group is, or would be.
func (g *Grants) find(at int64) (int, bool) {
	return slices.BinarySearchFunc(g.pages, at, func(p page, at int64) int {
		switch {
		case p.at < at:
			return -1
		case p.at > at:
			return 1
		}
		return 0
	})
}

// Of returns the level of one group.
func (g *Grants) Of(group int64) CollectionLevel {
	if g == nil || group < 0 {
		return NoCollection
	}
	i, ok := g.find(group / pageGroups)
	if !ok {
		return NoCollection
	}
	return levelAt(g.pages[i].bits, group)
}

// Level returns the highest level of some groups.
func (g *Grants) Level(groups []int64) CollectionLevel {
	best := NoCollection
	for _, id := range groups {
		if best = max(best, g.Of(id)); best == Curate {
			break
		}
	}
	return best
}

// Each calls f for every group that has a level, in order of their ids.
func (g *Grants) Each(f func(group int64, level CollectionLevel)) {
	if g == nil {
		return
	}
	for _, p := range g.pages {
		for group := p.at * pageGroups; group < (p.at+1)*pageGroups; group++ {
			if level := levelAt(p.bits, group); level != NoCollection {
				f(group, level)
			}
		}
	}
}

// With returns the grants with other levels for some groups. Administrators
// stay out of it.
func (g *Grants) With(levels map[int64]CollectionLevel) *Grants {
	out := &Grants{}
	if g != nil {
		out.pages = slices.Clone(g.pages)
	}
	for group, level := range levels {
		if group == Administrators {
			level = NoCollection
		}
		i, ok := out.find(group / pageGroups)
		if !ok {
			out.pages = slices.Insert(out.pages, i, page{at: group / pageGroups})
		}
		out.pages[i] = out.pages[i].with(group, level)
	}
	out.pages = slices.DeleteFunc(out.pages, func(p page) bool { return p.bits == 0 })
	return out
}

// Table reads the grants of many collections group by group. It is not safe
// for concurrent use.
type Table struct {
	grants []*Grants
	next   []int    // of each, the first page that is not behind
	at     int64    // the page that is spread out
	bits   []uint64 // of each, that page
	levels []CollectionLevel
}

// NewTable returns the table of some collections.
func NewTable(grants []*Grants) *Table {
	n := len(grants)
	return &Table{grants: grants, next: make([]int, n), at: -1, bits: make([]uint64, n), levels: make([]CollectionLevel, n)}
}

// Row returns the levels of a group, in the order of the collections, valid
// until the next call. Groups must be asked for in order of their ids.
func (t *Table) Row(group int64) []CollectionLevel {
	if at := group / pageGroups; at != t.at {
		t.turn(at)
	}
	shift := uint64(group) % pageGroups * levelBits
	levels := t.levels[:len(t.bits)]
	for i, bits := range t.bits {
		levels[i] = CollectionLevel(bits >> shift & levelMask)
	}
	return levels
}

// turn spreads out a page of all collections.
func (t *Table) turn(at int64) {
	t.at = at
	for i, g := range t.grants {
		t.bits[i] = 0
		if g == nil {
			continue
		}
		for t.next[i] < len(g.pages) && g.pages[t.next[i]].at < at {
			t.next[i]++
		}
		if n := t.next[i]; n < len(g.pages) && g.pages[n].at == at {
			t.bits[i] = g.pages[n].bits
		}
	}
}

// Groups returns the groups that have a level in any of the collections, in
// order.
func (t *Table) Groups() []int64 {
	union := map[int64]uint64{}
	seen := map[*Grants]bool{}
	for _, g := range t.grants {
		if g == nil || seen[g] {
			continue
		}
		seen[g] = true
		for _, p := range g.pages {
			union[p.at] |= p.bits
		}
	}
	all := &Grants{}
	for at, bits := range union {
		all.pages = append(all.pages, page{at, bits})
	}
	slices.SortFunc(all.pages, func(a, b page) int { return int(a.at - b.at) })
	var out []int64
	all.Each(func(group int64, _ CollectionLevel) { out = append(out, group) })
	return out
}

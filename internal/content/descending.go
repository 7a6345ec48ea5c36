package content

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/db"
)

// column is what a list is ordered by before the names.
func (q ItemQuery) column() string {
	switch q.Sort {
	case SortByEdit:
		return "i.edited_at"
	case SortByEditor:
		return "i.edited_key"
	case SortByModel:
		return "i.rank"
	case SortByName:
	}
	return "i.name_key"
}

// stepped reports whether a page is found in steps. A list that descends is
// still in the order of the names where its column is the same: no index has
// this order, and with one model for all items the whole list would be sorted.
// Where lists have no index of their own, nothing is won.
func (q ItemQuery) stepped() bool {
	return q.Descending && q.Limit > 0 && !q.InDashboards && q.CollectionID != access.TrashCollection
}

// steps finds a page of a list that descends. A group is the items that have
// the same value in the column; each is in an index in the right order.
type steps struct {
	s *Service
	f *filter
	q ItemQuery
}

// spot is where an item stands in the order of the index.
type spot struct {
	value any
	name  string
	no    int64
}

func scanSpot(r db.Row) (s spot, err error) { return s, r.Scan(&s.value, &s.name, &s.no) }

// page returns the numbers of the items. It reads the index backwards, where
// each group takes the same room as in the list, and then the groups that are
// on the page in their own order.
func (p steps) page(ctx context.Context) ([]int64, error) {
	column, n := p.q.column(), p.q.Limit
	// One group is often all there is: one model, one editor.
	whole := p.f.clone()
	whole.and(column + " = (SELECT " + column + " FROM item i WHERE " + p.f.where() + " ORDER BY " + column + " DESC LIMIT 1)")
	all, err := p.read(ctx, whole, n, p.q.Offset)
	if err != nil || len(all) == n {
		return all, err
	}
	f := p.f.clone()
	order := column + " DESC, i.name_key DESC, i.no DESC"
	if p.q.Sort == SortByName {
		order = "i.name_key DESC, i.no DESC"
	}
	text := "SELECT " + column + ", i.name_key, i.no FROM item i WHERE " + f.where() + " ORDER BY " + order + " LIMIT " + f.arg(n) + " OFFSET " + f.arg(p.q.Offset)
	back, err := db.All(ctx, p.s.db, scanSpot, text, f.args...)
	if err != nil || len(back) == 0 {
		return nil, err
	}
	return p.groups(ctx, back)
}

// groups returns the items that stand where the index, read backwards, has
// others of the same groups.
func (p steps) groups(ctx context.Context, back []spot) ([]int64, error) {
	column := p.q.column()
	first, last := back[0], back[len(back)-1]
	skip, err := p.before(ctx, first)
	if err != nil {
		return nil, err
	}
	f := p.f.clone()
	f.and(column + " = " + f.arg(first.value))
	all, err := p.read(ctx, f, len(back), skip)
	if err != nil || first.value == last.value {
		return all, err
	}
	f = p.f.clone()
	f.and(column + " < " + f.arg(first.value) + " AND " + column + " > " + f.arg(last.value))
	between, err := p.read(ctx, f, len(back)-len(all), 0)
	if err != nil {
		return nil, err
	}
	all = append(all, between...)
	f = p.f.clone()
	f.and(column + " = " + f.arg(last.value))
	rest, err := p.read(ctx, f, len(back)-len(all), 0)
	return append(all, rest...), err
}

// before counts the items of a group that stand before one of them in the index
// that is read backwards.
func (p steps) before(ctx context.Context, at spot) (int, error) {
	f := p.f.clone()
	f.and(p.q.column() + " = " + f.arg(at.value))
	f.and("(i.name_key, i.no) > (" + f.arg(at.name) + ", " + f.arg(at.no) + ")")
	return db.One(ctx, p.s.db, db.Scalar[int], "SELECT count(*) FROM item i WHERE "+f.where(), f.args...)
}

// read returns the numbers of some items in the order of the list.
func (p steps) read(ctx context.Context, f *filter, limit, offset int) ([]int64, error) {
	q := p.q
	q.Limit, q.Offset = limit, offset
	text, args := q.page(f)
	return db.All(ctx, p.s.db, db.Scalar[int64], text, args...)
}

package content

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/db"
)

// filter collects the conditions of a list with their arguments.
type filter struct {
	conds   []string
	args    []any
	nothing bool // no item can match
}

func (f *filter) and(cond string) { f.conds = append(f.conds, cond) }

// clone returns a filter that can be narrowed without the first one.
func (f *filter) clone() *filter {
	return &filter{conds: slices.Clone(f.conds), args: slices.Clone(f.args)}
}

// next is the number of the next placeholder.
func (f *filter) next() int { return len(f.args) + 1 }

// arg adds an argument and returns its placeholder.
func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return "?" + strconv.Itoa(len(f.args))
}

func (f *filter) where() string { return strings.Join(f.conds, " AND ") }

// order is the order of a list. Each has an index whose last columns it is, so
// that a page is read without sorting all that lies before it.
func (q ItemQuery) order() string {
	direction := ""
	if q.Descending {
		direction = " DESC"
	}
	if q.Sort == SortByName {
		return q.column() + direction + ", i.no"
	}
	return q.column() + direction + ", i.name_key, i.no"
}

// statement is the query for a page. The page is found in an index alone; only
// then are its rows read.
func (q ItemQuery) statement(f *filter) (string, []any) {
	if q.Limit < 0 && q.Offset == 0 {
		return selectItems + " WHERE " + f.where() + " ORDER BY " + q.order(), f.args
	}
	page, args := q.page(f)
	return "SELECT " + itemColumns + " FROM (" + page + ") p JOIN item i ON i.no = p.no ORDER BY " + q.order(), args
}

// page finds the rows of a page.
func (q ItemQuery) page(f *filter) (string, []any) {
	if q.Limit < 0 {
		q.Limit = math.MaxInt32
	}
	page := filter{args: f.args}
	limit := " LIMIT " + page.arg(q.Limit) + " OFFSET " + page.arg(q.Offset)
	return "SELECT i.no FROM item i WHERE " + f.where() + " ORDER BY " + q.order() + limit, page.args
}

func (s *Service) itemPage(ctx context.Context, f *filter, q ItemQuery) ([]Item, error) {
	if q.stepped() {
		nos, err := steps{s, f, q}.page(ctx)
		if err != nil || len(nos) == 0 {
			return []Item{}, err
		}
		return db.All(ctx, s.db, ScanItem, selectItems+" WHERE "+s.db.In("i.no", 1)+" ORDER BY "+q.order(), db.IDs(nos))
	}
	text, args := q.statement(f)
	return db.All(ctx, s.db, ScanItem, text, args...)
}

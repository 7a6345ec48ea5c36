package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/db"
)

// A query by several filters is as fast as the index that it walks is apt, and
// neither database knows which one that is: SQLite has no statistics, those of
// PostgreSQL know nothing of filters together. So each filter is asked how many
// entries it lets through, counted to a bound, and the one that lets the fewest
// through leads. Only the leading one is written so that its index can be used.

// filter is one condition. Placeholders are ? and numbered later.
type filter struct {
	lead []string // ways to use an index; together they find what is asked for
	test string   // the same as one condition for which no index can be used
	args []any
	time bool // the index is in the order of time, not of ids
}

// query is a statement that returns ids, in their order.
type query struct {
	text string
	args []any
}

// filters returns the conditions of f that have an index, the one that usually
// lets the fewest through first.
func (f Filter) filters() []filter {
	var out []filter
	add := func(on bool, lead, test string, args ...any) {
		if on {
			out = append(out, filter{lead: []string{lead}, test: test, args: args})
		}
	}
	area, prefix := strings.CutSuffix(f.Action, ".")
	add(f.ObjectKind != "" && f.ObjectID != 0, "object_kind = ? AND object_id = ?",
		"object_kind || '' = ? AND +object_id = ?", f.ObjectKind, f.ObjectID)
	if f.KeyID != 0 {
		out = append(out, filter{
			lead: []string{"actor_key = ?", "object_kind = 'api-key' AND object_id = ?"},
			test: "(+actor_key = ? OR (object_kind || '' = 'api-key' AND +object_id = ?))",
			args: []any{f.KeyID, f.KeyID},
		})
	}
	add(f.ActorID != 0, "actor_id = ?", "+actor_id = ?", f.ActorID)
	add(f.Action != "" && !prefix, "action = ?", "action || '' = ?", f.Action)
	add(f.ObjectKind != "" && f.ObjectID == 0, "object_kind = ?", "object_kind || '' = ?", f.ObjectKind)
	add(prefix, "area = ?", "area || '' = ?", area)
	add(f.ActorKind != "", "actor_kind = ?", "actor_kind || '' = ?", f.ActorKind)
	if !f.From.IsZero() || !f.To.IsZero() {
		out = append(out, f.times())
	}
	return out
}

// times is the condition on the time. It comes last: entries stand in the order
// of time, so walking them all is fast enough when it lets many through.
func (f Filter) times() filter {
	var lead, test []string
	t := filter{time: true}
	if !f.From.IsZero() {
		lead, test, t.args = append(lead, "at >= ?"), append(test, "+at >= ?"), append(t.args, f.From)
	}
	if !f.To.IsZero() {
		lead, test, t.args = append(lead, "at < ?"), append(test, "+at < ?"), append(t.args, f.To)
	}
	t.lead, t.test = []string{strings.Join(lead, " AND ")}, strings.Join(test, " AND ")
	return t
}

// rest returns the conditions of f that have no index: on ids, which the order
// serves, and on names.
func (f Filter) rest(leader *filter) *where {
	w, id := &where{}, "id"
	if leader != nil && leader.time {
		id = "+id"
	}
	if f.After > 0 {
		w.and(id+" > ?", f.After)
	}
	if f.Before > 0 {
		w.and(id+" < ?", f.Before)
	}
	if f.Query != "" {
		part := db.Contains(lower(clean(f.Query)))
		w.and(`(lower(actor_name) LIKE ? ESCAPE '\' OR lower(object_name) LIKE ? ESCAPE '\')`, part, part)
	}
	return w
}

// lower is lower() of both databases, which know the letters A to Z.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// plan returns the query for the first ids, up to limit, that f chooses.
func (l *Log) plan(ctx context.Context, f Filter, limit int) (query, error) {
	all := f.filters()
	leader, err := l.leader(ctx, all)
	if err != nil {
		return query{}, err
	}
	w := f.rest(leader)
	for i := range all {
		if &all[i] != leader {
			w.and(all[i].test, all[i].args...)
		}
	}
	if leader == nil {
		return w.first("id"+f.direction(), limit), nil
	}
	if len(leader.lead) == 1 {
		order := "id"
		if leader.time {
			order = "+id"
		}
		w.and(leader.lead[0], leader.args...)
		return w.first(order+f.direction(), limit), nil
	}
	return w.union(leader, f.direction(), limit), nil
}

// probe is to how many entries a filter is counted. Walking twice as many takes
// some milliseconds.
const probe = 10_000

// leader returns the filter that lets the fewest entries through, nil when all
// can be walked as they stand.
func (l *Log) leader(ctx context.Context, all []filter) (*filter, error) {
	if len(all) == 0 {
		return nil, nil
	}
	if len(all) == 1 && !all[0].time {
		return &all[0], nil
	}
	var best *filter
	least := probe
	for i := range all {
		n, err := l.count(ctx, &all[i])
		if err != nil {
			return nil, err
		}
		if n < least || best == nil && !all[i].time {
			best, least = &all[i], n
		}
	}
	return best, nil
}

// count counts what a filter lets through, up to probe.
func (l *Log) count(ctx context.Context, c *filter) (int, error) {
	total := 0
	for i, lead := range c.lead {
		w := &where{}
		w.and(lead, c.argsOf(i)...)
		text := "SELECT count(*) FROM (SELECT 1 AS one FROM audit" + w.String() + w.limit(probe) + ") AS found"
		n, err := db.One(ctx, l.db, db.Scalar[int], text, w.args...)
		if err != nil {
			return 0, fmt.Errorf("audit: count: %w", err)
		}
		total += n
	}
	return min(total, probe), nil
}

// argsOf returns the arguments of one way to lead: all of the only one, else
// one for each.
func (c *filter) argsOf(i int) []any {
	if len(c.lead) == 1 {
		return slices.Clone(c.args)
	}
	return c.args[i : i+1 : i+1]
}

// where collects conditions and their arguments.
type where struct {
	text []string
	args []any
}

func (w *where) and(condition string, args ...any) {
	w.text = append(w.text, w.number(condition, args))
}

// number adds the arguments and puts their numbers behind the ? of a condition.
func (w *where) number(condition string, args []any) string {
	parts := strings.Split(condition, "?")
	var b strings.Builder
	for i, a := range args {
		w.args = append(w.args, a)
		b.WriteString(parts[i] + "?" + strconv.Itoa(len(w.args)))
	}
	b.WriteString(parts[len(parts)-1])
	return b.String()
}

func (w *where) String() string {
	if len(w.text) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.text, " AND ")
}

// limit returns the LIMIT clause, whose argument it adds.
func (w *where) limit(n int) string { return w.number(" LIMIT ?", []any{n}) }

// first returns the query for the first ids.
func (w *where) first(order string, limit int) query {
	text := "SELECT id FROM audit" + w.String() + " ORDER BY " + order + w.limit(limit)
	return query{text, w.args}
}

// union returns the query for the first ids that one of the ways to lead finds.
func (w *where) union(leader *filter, direction string, limit int) query {
	end := " ORDER BY id" + direction + w.limit(limit)
	var ways []string
	for i, lead := range leader.lead {
		one := &where{text: slices.Clone(w.text), args: w.args}
		one.and(lead, leader.argsOf(i)...)
		w.args = one.args
		ways = append(ways, "SELECT id FROM (SELECT id FROM audit"+one.String()+end+") AS way"+strconv.Itoa(i))
	}
	return query{strings.Join(ways, " UNION ") + end, w.args}
}

package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// statement is a query under construction.
type statement struct {
	db    *db.DB
	conds []string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (q *statement) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("?%d", len(q.args))
}

func (q *statement) and(format string, parts ...any) {
	q.conds = append(q.conds, fmt.Sprintf(format, parts...))
}

// in adds the condition that an expression is one of some numbers.
func (q *statement) in(expr string, ids []int64) string {
	q.args = append(q.args, db.IDs(ids))
	return q.db.In(expr, len(q.args))
}

// found is a hit before its item is read.
type found struct {
	ref    content.Ref
	model  content.Model
	name   string // in lower case
	at     time.Time
	total  float64
	scores [numScores]float64
	extra  *Extra
}

// The scores, in the order in which they are told.
const (
	scoreExact = iota
	scorePrefix
	scoreText
	scorePinned
	scoreRecency
	scoreViews
	numScores
)

var (
	scoreNames   = [numScores]string{"exact", "prefix", "text", "pinned", "recency", "view-count"}
	scoreWeights = [numScores]float64{10, 5, 3, 1, 1.5, 1}
)

// Weights returns how much each score counts.
func Weights() map[string]float64 {
	out := make(map[string]float64, numScores)
	for i, name := range scoreNames {
		out[name] = scoreWeights[i]
	}
	return out
}

func scanFound(r db.Row) (found, error) {
	var f found
	err := r.Scan(&f.ref.Kind, &f.ref.ID, &f.model, &f.name, db.Time(&f.at),
		&f.scores[scoreExact], &f.scores[scorePrefix], &f.scores[scoreText], &f.scores[scorePinned],
		&f.scores[scoreRecency], &f.scores[scoreViews], &f.total)
	return f, err
}

// items finds the best items, at most MaxHits, the best first; without words
// the newest.
func (s *Service) items(ctx context.Context, who *access.Principal, q Query, list []string) ([]found, error) {
	st := &statement{db: s.db}
	if !s.filter(who, st, q) {
		return nil, nil
	}
	from, order, sum := "item i", "i.updated_at DESC, i.no DESC", "0"
	scores := s.quality(ctx, st)
	if len(list) > 0 {
		from, order = s.matching(st, list, q.InSQL), "total DESC, i.name_key, i.no"
		sum = s.likeness(st, &scores, list, nameKey(q.Text))
		for i := scorePinned; i < numScores; i++ {
			sum += fmt.Sprintf(" + CAST(%g AS double precision) * %s", scoreWeights[i], scores[i])
		}
	}
	for i := range scores {
		scores[i] = "CAST(" + scores[i] + " AS double precision)"
	}
	// The best are found first, and only they are told why.
	best := fmt.Sprintf("SELECT i.no, CAST(%s AS double precision) AS total FROM %s WHERE %s ORDER BY %s LIMIT %d",
		sum, from, strings.Join(st.conds, " AND "), order, MaxHits)
	sql := fmt.Sprintf("SELECT i.kind, i.id, i.model, i.name_key, i.updated_at, %s, best.total FROM (%s) best JOIN item i ON i.no = best.no ORDER BY %s",
		strings.Join(scores[:], ", "), best, order)
	out, err := db.All(ctx, s.db, scanFound, sql, st.args...)
	return out, fault.Wrap(err, "search")
}

// errAll ends a reading that has seen all there can be.
var errAll = errors.New("all models were seen")

// models returns the models of the items that a query finds, whatever models it
// asks for.
func (s *Service) models(ctx context.Context, who *access.Principal, q Query, list []string) (map[content.Model]bool, error) {
	q.Models = nil
	st, from, seen := &statement{db: s.db}, "item i", map[content.Model]bool{}
	s.filter(who, st, q)
	if len(list) > 0 {
		from = s.matching(st, list, q.InSQL)
	}
	err := db.Each(ctx, s.db, db.Scalar[content.Model], func(m content.Model) error {
		seen[m] = true
		if len(seen) == len(itemModels(nil)) {
			return errAll
		}
		return nil
	}, "SELECT DISTINCT i.model FROM "+from+" WHERE "+strings.Join(st.conds, " AND "), st.args...)
	if err != nil && !errors.Is(err, errAll) {
		return nil, fault.Wrap(err, "search for models")
	}
	return seen, nil
}

// month is how old something is whose recency counts half.
const month = int64(30 * 24 * time.Hour / time.Microsecond)

// quality returns the scores that no word has a part in; those of words are 0.
func (s *Service) quality(ctx context.Context, st *statement) [numScores]string {
	half := fmt.Sprintf("CAST(%d AS double precision)", month)
	return [numScores]string{
		scoreExact: "0", scorePrefix: "0", scoreText: "0",
		scorePinned:  "CASE WHEN i.position IS NULL THEN 0 ELSE 1 END",
		scoreRecency: fmt.Sprintf("(%s / (%s + abs(%s - i.updated_at)))", half, half, st.arg(s.db.Now(ctx))),
		scoreViews:   "(i.view_count / (CAST(10 AS double precision) + i.view_count))",
	}
}

// likeness sets the scores of words, and returns what they sum up to. Those of
// the text are how many of the first words stand in the name: the measures of
// the databases are of no use here, for they differ and count a word that is
// everywhere for nothing. A name that begins with the whole text has all its
// words, so that with many hits little is computed for each.
func (s *Service) likeness(st *statement, scores *[numScores]string, list []string, key string) (sum string) {
	position := "instr"
	if s.db.Postgres() {
		position = "strpos"
	}
	name := "CAST(" + st.arg(key) + " AS text)"
	exact := "i.name_key = " + name
	prefix := "substr(i.name_key, 1, length(" + name + ")) = " + name
	first := list[:min(len(list), 4)]
	counts := make([]string, len(first))
	for i, w := range first {
		counts[i] = fmt.Sprintf("CASE WHEN %s(i.name_key, %s) > 0 THEN 1 ELSE 0 END", position, st.arg(w))
	}
	text := fmt.Sprintf("CAST(%s AS double precision) / %d", strings.Join(counts, " + "), len(first))
	scores[scoreExact] = "CASE WHEN " + exact + " THEN 1 ELSE 0 END"
	scores[scorePrefix] = "CASE WHEN " + prefix + " THEN 1 ELSE 0 END"
	scores[scoreText] = "CASE WHEN " + prefix + " THEN 1 ELSE " + text + " END"
	w := scoreWeights
	return fmt.Sprintf("CASE WHEN %s THEN %g WHEN %s THEN %g ELSE %g * %s END",
		exact, w[scoreExact]+w[scorePrefix]+w[scoreText], prefix, w[scorePrefix]+w[scoreText], w[scoreText], text)
}

// matching adds the words, and returns what to read from. SQLite goes through
// the newest first: the best are often among them, and what is worse than a
// thousand others is not sorted in.
func (s *Service) matching(st *statement, list []string, inSQL bool) (from string) {
	if s.db.Postgres() {
		st.and("w.words @@ to_tsquery('pg_catalog.simple', %s)", st.arg(postgresMatch(list, inSQL)))
		return "item i JOIN item_words w ON w.item = i.no"
	}
	return "(SELECT rowid AS item FROM item_words WHERE item_words MATCH " + st.arg(sqliteMatch(list, inSQL)) +
		" ORDER BY rowid DESC LIMIT -1) w CROSS JOIN item i ON i.no = w.item"
}

// filter adds all conditions but the words. It reports false when nothing can
// be found.
func (s *Service) filter(who *access.Principal, st *statement, q Query) bool {
	models := itemModels(q.Models)
	if len(models) == 0 {
		return false
	}
	if q.Models == nil {
		st.and("i.model <> 'timeline'") // nor snippets, for their namespace
	} else {
		places := make([]string, len(models))
		for i, m := range models {
			places[i] = st.arg(string(m))
		}
		st.and("i.model IN (%s)", strings.Join(places, ", "))
	}
	st.and("i.archived = %s", st.arg(q.Archived))
	st.and("i.namespace = ''")
	st.and("NOT (i.kind = 'collection' AND i.id = %d)", access.TrashCollection)
	s.reach(who, st, q)
	s.people(st, q)
	s.times(st, q)
	if !q.DashboardQuestions {
		st.and("i.dashboard_id = 0")
	}
	if q.IDs != nil {
		st.and("%s", st.in("i.id", q.IDs))
	}
	if q.DatabaseID != 0 {
		st.and("i.kind = 'card' AND i.id IN (SELECT c.id FROM card c WHERE c.database_id = %s)", st.arg(q.DatabaseID))
	}
	if q.Displays != nil {
		st.args = append(st.args, db.Texts(q.Displays))
		st.and("i.kind = 'card' AND i.id IN (SELECT c.id FROM card c WHERE %s)", s.db.InTexts("c.display", len(st.args)))
	}
	return true
}

// itemModels returns the models of items that are asked for.
func itemModels(asked []content.Model) []content.Model {
	all := []content.Model{content.ModelCard, content.ModelCollection, content.ModelDashboard, content.ModelDataset, content.ModelMetric}
	if asked == nil {
		return all
	}
	return slices.DeleteFunc(all, func(m content.Model) bool { return !slices.Contains(asked, m) })
}

// reach adds where something must lie: where who may see it, and where the
// query wants it.
func (s *Service) reach(who *access.Principal, st *statement, q Query) {
	level := access.View
	if q.Archived {
		level = access.Curate
	}
	reach := s.content.Collections().Reach(who, level)
	within := func(ids []int64) {
		st.and("CASE WHEN i.kind = 'collection' THEN %s ELSE %s END", st.in("i.id", ids), st.in("i.collection_id", ids))
	}
	if !reach.Everything {
		ids := reach.IDs
		if reach.Root {
			ids = append([]int64{access.RootCollection}, ids...)
		}
		within(ids)
	}
	mine := func(f *access.Folder) bool { return f.Owner == who.UserID }
	switch q.Personal {
	case OnlyPersonal:
		within(s.owned(func(*access.Folder) bool { return true }))
	case OnlyMine:
		within(s.owned(mine))
	case ExcludePersonal, ExcludeOthers:
		ids := s.owned(func(f *access.Folder) bool { return q.Personal == ExcludePersonal || !mine(f) })
		st.and("NOT CASE WHEN i.kind = 'collection' THEN %s ELSE coalesce(%s, FALSE) END", st.in("i.id", ids), st.in("i.collection_id", ids))
	}
	if q.Collection != 0 {
		below := s.below(q.Collection)
		st.and("CASE WHEN i.kind = 'collection' THEN %s ELSE %s END",
			st.in("i.id", below), st.in("i.collection_id", append(slices.Clone(below), q.Collection)))
	}
}

// owned returns the personal collections that match, with what lies in them.
func (s *Service) owned(match func(*access.Folder) bool) []int64 {
	var out []int64
	for _, f := range s.content.Collections().All() {
		if f.Owner != 0 && match(f) {
			out = append(out, f.ID)
		}
	}
	return out
}

// below returns the collections that lie in one.
func (s *Service) below(id int64) []int64 {
	var out []int64
	for _, f := range s.content.Collections().All() {
		if f.Under(id) {
			out = append(out, f.ID)
		}
	}
	return out
}

func (s *Service) people(st *statement, q Query) {
	if q.CreatedBy != nil {
		st.and("%s", st.in("i.creator_id", q.CreatedBy))
	}
	if q.EditedBy != nil {
		st.and("%s", st.in("i.edited_by", q.EditedBy))
	}
}

func (s *Service) times(st *statement, q Query) {
	between := func(column string, span Span) {
		if !span.From.IsZero() {
			st.and("%s >= %s", column, st.arg(span.From))
		}
		if !span.To.IsZero() {
			st.and("%s < %s", column, st.arg(span.To))
		}
	}
	between("i.created_at", q.Created)
	if !q.Edited.isZero() {
		st.and("i.edited_at > 0")
	}
	between("i.edited_at", q.Edited)
}

package search

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Service finds things.
type Service struct {
	db      *db.DB
	content *content.Service
	sources []Source
}

// NewService returns the service. The sources tell what can be found beside
// items.
func NewService(d *db.DB, c *content.Service, sources ...Source) *Service {
	return &Service{d, c, sources}
}

// Now returns the time, for spans that are told from it.
func (s *Service) Now(ctx context.Context) time.Time { return s.db.Now(ctx) }

func nameKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Search returns a page of what who may see and the query wants, the best
// first, or the newest when it has no words. A limit below 0 is none. It
// returns Unauthenticated only.
func (s *Service) Search(ctx context.Context, who *access.Principal, q Query, limit, offset int) (Result, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Result{}, err
	}
	all, err := s.find(ctx, who, q)
	if err != nil {
		return Result{}, err
	}
	if limit < 0 {
		limit = len(all)
	}
	from := min(offset, len(all))
	hits, err := s.read(ctx, all[from:from+min(limit, len(all)-from)])
	return Result{Hits: hits, Total: len(all)}, err
}

// Available returns the models of which the query would find something,
// whichever it asks for.
func (s *Service) Available(ctx context.Context, who *access.Principal, q Query) ([]content.Model, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	q.Models = nil
	list, nothing := q.words()
	if nothing {
		return []content.Model{}, nil
	}
	seen, err := s.models(ctx, who, q, list)
	if err != nil {
		return nil, err
	}
	extras, err := s.extras(ctx, who, q, list)
	for _, f := range extras {
		seen[f.model] = true
	}
	return slices.DeleteFunc(Models(), func(m content.Model) bool { return !seen[m] }), err
}

// words returns the words of a query, and whether it is of punctuation alone,
// so that it finds nothing.
func (q Query) words() (list []string, nothing bool) {
	list = words(q.Text)
	return list, len(list) == 0 && strings.TrimSpace(q.Text) != ""
}

// find returns all hits, the best first.
func (s *Service) find(ctx context.Context, who *access.Principal, q Query) ([]found, error) {
	list, nothing := q.words()
	if nothing {
		return nil, nil
	}
	all, err := s.items(ctx, who, q, list)
	if err != nil {
		return nil, err
	}
	extras, err := s.extras(ctx, who, q, list)
	if err != nil || len(extras) == 0 {
		return all, err
	}
	all = append(all, extras...)
	slices.SortStableFunc(all, func(a, b found) int {
		if len(list) == 0 {
			return b.at.Compare(a.at)
		}
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.name, b.name))
	})
	return all[:min(len(all), MaxHits)], nil
}

// extras returns the tables and databases that the query wants. They lie in no
// collection, are never in the trash, and were made by nobody.
func (s *Service) extras(ctx context.Context, who *access.Principal, q Query, list []string) ([]found, error) {
	wanted := q.Models == nil || slices.ContainsFunc(q.Models, func(m content.Model) bool { return m == ModelTable || m == ModelDatabase })
	if !wanted || q.Archived || q.Collection != 0 || q.CreatedBy != nil || q.EditedBy != nil || q.Displays != nil ||
		q.Personal == OnlyPersonal || q.Personal == OnlyMine || !q.Edited.isZero() {
		return nil, nil
	}
	var out []found
	for _, source := range s.sources {
		all, err := source(ctx, who)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if q.wants(&all[i]) && matches(list, all[i].text()) {
				out = append(out, s.rate(ctx, &all[i], q.Text, len(list) > 0))
			}
		}
	}
	return out, nil
}

// wants reports whether a query wants something, whatever its words.
func (q Query) wants(e *Extra) bool {
	return (q.Models == nil || slices.Contains(q.Models, e.Model)) &&
		(q.DatabaseID == 0 || q.DatabaseID == e.DatabaseID) &&
		(q.IDs == nil || slices.Contains(q.IDs, e.ID)) && q.Created.has(e.CreatedAt)
}

func (e *Extra) text() string {
	text := e.Name + " " + e.Table
	if e.Description != nil {
		text += " " + *e.Description
	}
	return text
}

// rate scores a table or database as the query of items scores those.
func (s *Service) rate(ctx context.Context, e *Extra, text string, hasWords bool) found {
	f := found{model: e.Model, name: nameKey(e.Name), at: e.UpdatedAt, extra: e}
	age := s.db.Now(ctx).Sub(e.UpdatedAt).Abs().Microseconds()
	f.scores[scoreRecency] = float64(month) / float64(month+age)
	if hasWords {
		key := nameKey(text)
		f.scores[scoreExact] = truth(f.name == key)
		f.scores[scorePrefix] = truth(strings.HasPrefix(f.name, key))
	}
	for i, weight := range scoreWeights {
		f.total += weight * f.scores[i]
	}
	return f
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// read turns what was found into hits. What has gone since is left out.
func (s *Service) read(ctx context.Context, page []found) ([]Hit, error) {
	ids := map[content.Kind][]int64{}
	for _, f := range page {
		if f.extra == nil {
			ids[f.ref.Kind] = append(ids[f.ref.Kind], f.ref.ID)
		}
	}
	items := map[content.Ref]content.Item{}
	for kind, list := range ids {
		found, err := s.content.ByIDs(ctx, kind, list)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			items[i.Ref()] = i
		}
	}
	out := make([]Hit, 0, len(page))
	for _, f := range page {
		item, ok := items[f.ref]
		if !ok && f.extra == nil {
			continue
		}
		h := Hit{Item: item, Extra: f.extra}
		for i, name := range scoreNames {
			h.Scores = append(h.Scores, Score{name, f.scores[i], scoreWeights[i]})
		}
		out = append(out, h)
	}
	return out, nil
}

// Rebuild reads the words of all items anew. The database keeps them by
// itself; this is for whoever has doubts. It returns Forbidden unless who is
// an administrator.
func (s *Service) Rebuild(ctx context.Context, who *access.Principal) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	fill := `INSERT INTO item_words (rowid, name, description, body) SELECT i.no, i.name, coalesce(i.description, ''),
		coalesce((SELECT json_extract(c.query, '$.stages[0].native') FROM card c WHERE c.item = i.no AND json_valid(c.query)), '') FROM item i`
	if s.db.Postgres() {
		fill = `INSERT INTO item_words (item, words) SELECT i.no, setweight(words_of(i.name_key), 'A') || setweight(words_of(i.description), 'B')
			|| coalesce(words_of_query(c.query), ''::tsvector) FROM item i LEFT JOIN card c ON c.item = i.no`
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "DELETE FROM item_words"); err != nil {
			return fault.Wrap(err, "empty the words of items")
		}
		_, err := s.db.Exec(ctx, fill)
		return fault.Wrap(err, "read the words of items anew")
	})
}

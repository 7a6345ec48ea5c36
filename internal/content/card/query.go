package card

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/query/mbql"
)

// CodeMayNotRun is the code of the fault about a card whose query its writer
// may not run.
const CodeMayNotRun = "query-permission"

// mayNotRun is the text of contract/content-data.md 3.3.
func mayNotRun(cause error) error {
	return &fault.Error{
		Kind: fault.Forbidden, Code: CodeMayNotRun, Err: cause,
		Message: "You cannot save this Question because you do not have permissions to run its query.",
	}
}

// analysed is a query that was read, and that who may run.
type analysed struct {
	query    mbql.Query
	text     json.RawMessage // MBQL 5
	refers   []int64         // to cards
	metadata json.RawMessage // nil when it was not asked for, or nobody knows
}

// analyse reads a query and decides whether who may save it. It returns
// Invalid at dataset_query and a Forbidden fault with CodeMayNotRun.
func (s *Service) analyse(ctx context.Context, who *access.Principal, raw json.RawMessage) (*analysed, error) {
	q, err := mbql.Read(raw)
	if err != nil {
		return nil, fault.Field("dataset_query", "%s", fault.As(err).Message)
	}
	q = q.WithTemplateTags()
	if q, err = s.realDatabase(ctx, q); err != nil {
		return nil, err
	}
	a := &analysed{query: q, text: mbql.MBQL5(q), refers: q.ReferencedCards()}
	for _, id := range a.refers {
		_, err := s.content.Get(ctx, who, content.Ref{Kind: content.Card, ID: id})
		switch {
		case fault.Is(err, fault.NotFound):
			return nil, fault.Field("dataset_query", "Card %d does not exist.", id)
		case fault.Is(err, fault.Forbidden):
			return nil, mayNotRun(err)
		case err != nil:
			return nil, err
		}
	}
	err = s.mayRun(ctx, who, q)
	if fault.Is(err, fault.Forbidden) {
		return nil, mayNotRun(err)
	}
	return a, err
}

// realDatabase puts the database of the source card into a query that names
// the one which stands for all cards.
func (s *Service) realDatabase(ctx context.Context, q mbql.Query) (mbql.Query, error) {
	source, ok := q.SourceCard()
	if q.Database() != mbql.VirtualDatabase || !ok {
		return q, nil
	}
	id, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT COALESCE(database_id, 0) FROM card WHERE id = ?1", source)
	switch {
	case errors.Is(err, db.ErrNone) || id == 0:
		return q, nil
	case err != nil:
		return q, fault.Wrap(err, "read database of a card")
	}
	return q.WithDatabase(id), nil
}

// columnsLimit is how long an answer waits for the columns of a result.
const columnsLimit = 3 * time.Second

// describe finds out the columns of a query's result. What cannot be found out
// in time is not known, and no reason to refuse the card.
func (s *Service) describe(ctx context.Context, who *access.Principal, a *analysed) {
	if s.columns == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, columnsLimit)
	defer cancel()
	if found, err := s.columns(ctx, who, a.query); err == nil {
		a.metadata = found
	}
}

// put writes what is known of the query into the particulars.
func (a *analysed) put(p *Particulars) {
	p.Query, p.QueryType = a.text, a.query.QueryType()
	p.DatabaseID, p.TableID, p.SourceCardID = a.query.Database(), a.query.TableID(), 0
	if id, ok := a.query.SourceCard(); ok {
		p.SourceCardID = id
	}
	p.Parameterized = parameterized(a.query)
}

// parameterized reports whether a query runs without values: all variables of
// its SQL have a default or stand in an optional block.
func parameterized(q mbql.Query) bool {
	tags := mbql.ScanTags(q.NativeText())
	for _, tag := range q.TemplateTags() {
		if tag.Type == mbql.TagCard || tag.Type == mbql.TagSnippet || len(tag.Default) > 0 {
			continue
		}
		if slices.ContainsFunc(tags, func(t mbql.Tag) bool { return t.Name == tag.Name && !t.Optional }) {
			return false
		}
	}
	return true
}

// saveable refuses a metric that is none (contract/content-data.md 3.3).
func saveable(typ string, q mbql.Query) error {
	if typ == Metric && (q.IsNative() || !q.Aggregated()) {
		return fault.New(fault.Invalid, "Card of type metric is invalid, cannot be saved.")
	}
	return nil
}

// acyclic refuses a query that refers to the card it belongs to, also by way
// of other cards (contract/content-data.md 3.3).
func (s *Service) acyclic(ctx context.Context, id int64, refers []int64) error {
	seen := map[int64]bool{}
	for next := refers; len(next) > 0; {
		if slices.Contains(next, id) {
			return fault.New(fault.Invalid, "Cannot save card with cycles.")
		}
		for _, ref := range next {
			seen[ref] = true
		}
		found, err := db.All(ctx, s.db, db.Scalar[int64],
			"SELECT DISTINCT refers FROM card_reference WHERE "+s.db.In("card", 1), db.IDs(next))
		if err != nil {
			return fault.Wrap(err, "read references")
		}
		next = slices.DeleteFunc(found, func(ref int64) bool { return seen[ref] })
	}
	return nil
}

package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/query/mbql"
)

// MayRun decides whether who may run a query that is not saved: its database,
// each saved question that it refers to, and each snippet, with those that lie
// in snippets. It is asked before a question is
// saved (contract/content-data.md 7.4). The error is a *Failure.
func (s *Service) MayRun(ctx context.Context, who *access.Principal, raw []byte) error {
	q, err := mbql.Read(raw)
	if err != nil {
		return asFailure(err)
	}
	if q.Database() != mbql.VirtualDatabase {
		if _, err := s.Warehouse.Find(ctx, q.Database()); err != nil {
			return &Failure{Kind: Invalid, Message: fmt.Sprintf("Database %d does not exist.", q.Database()), Err: err}
		}
		if err := access.Data(who, q.Database()); err != nil {
			return asFailure(err)
		}
	}
	if err := s.mayTakeIn(ctx, who, q); err != nil {
		return err
	}
	if s.Card == nil {
		return nil
	}
	for _, id := range q.ReferencedCards() {
		if _, err := s.Card(ctx, who, id); err != nil {
			return cardFailure(err, id)
		}
	}
	return nil
}

// mayTakeIn decides about the snippets of a query. One that does not exist
// refuses nothing: the query may be saved, and fails when it is run.
func (s *Service) mayTakeIn(ctx context.Context, who *access.Principal, q mbql.Query) error {
	if s.Snippet == nil {
		return nil
	}
	type named struct {
		id   int64
		name string
	}
	var open []named
	for _, tag := range q.TemplateTags() {
		if tag.SnippetName != "" || tag.SnippetID != 0 {
			open = append(open, named{tag.SnippetID, tag.SnippetName})
		}
	}
	for seen := map[named]bool{}; len(open) > 0; {
		one := open[0]
		open = open[1:]
		if seen[one] {
			continue
		}
		if seen[one] = true; len(seen) > maxTaken {
			return failed(Invalid, fmt.Sprintf("The query takes in more than %d questions and snippets.", maxTaken))
		}
		text, err := s.Snippet(ctx, who, one.id, one.name)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return asFailure(err)
		}
		for _, tag := range mbql.ScanTags(text) {
			if tag.Kind == mbql.Snippet {
				open = append(open, named{name: tag.Snippet})
			}
		}
	}
	return nil
}

// describeLimit is how long whoever saves a question waits for its columns.
const describeLimit = 3 * time.Second

// Describe returns the columns of the result of a query, as its first row shows
// them. The error is a *Failure: of a query that cannot be run, or not without
// values for its parameters.
func (s *Service) Describe(ctx context.Context, who *access.Principal, raw []byte) ([]Column, error) {
	ctx, cancel := context.WithTimeout(ctx, describeLimit)
	defer cancel()
	r, err := s.Run(ctx, who, Request{Query: raw})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if _, err := r.Next(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return r.Columns(), nil
}

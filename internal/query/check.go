package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/query/mbql"
)

// MayRun decides whether who may run a query that is not saved: its database,
// and each saved question that it refers to. It is asked before a question is
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

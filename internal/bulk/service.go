package bulk

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/people"
)

// Planner says what the single call of an operation would want. It reports
// false when there is no such call.
type Planner func(ctx context.Context, who *access.Principal, o *Operation) (access.Request, bool, error)

// Deps is what the service works with.
type Deps struct {
	DB      *db.DB
	Groups  *group.Service
	People  *people.Service
	Content *content.Service
	Plan    Planner
	Log     *slog.Logger // nil means no log
}

// Service does many things in one call. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	groups  *group.Service
	people  *people.Service
	content *content.Service
	plan    Planner
	log     *slog.Logger
}

// New returns the service.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: d.DB, groups: d.Groups, people: d.People, content: d.Content, plan: d.Plan, log: d.Log}
}

// pruneGap is how often old answers are removed.
const pruneGap = time.Hour

// Run removes old answers until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(pruneGap)
	defer tick.Stop()
	for {
		if err := s.prune(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("old answers of bulk calls stay; it is tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Do runs operations, which CheckOperations must have passed. Each is allowed
// what its single call would be allowed, by the groups of who and by the
// restriction of a key. It returns a Conflict about the Idempotency-Key, and
// else only failures of the house: what is wrong with an operation is in the
// report. trial is what a restriction on trial would have refused first.
func (s *Service) Do(ctx context.Context, who *access.Principal, ops []Operation, req Request) (report *Report, trial *access.Refusal, err error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, nil, err
	}
	st := &operations{s: s, who: who, ops: ops, ids: map[string]int64{}}
	report, err = s.claimed(ctx, who, st, req)
	return report, st.trial, err
}

// claimed runs a call under its Idempotency-Key.
func (s *Service) claimed(ctx context.Context, who *access.Principal, st steps, req Request) (*Report, error) {
	c, answer, err := s.claim(ctx, who, req)
	if err != nil || answer != nil {
		return answer, err
	}
	report, err := s.run(ctx, c, st, req)
	if err != nil && !errors.Is(err, errTaken) {
		_ = c.release(context.WithoutCancel(ctx), false) // what cannot be released ends with its lease
	}
	return report, err
}

// judge says whether who may do an operation, as its single call is judged.
func (s *Service) judge(ctx context.Context, who *access.Principal, o *Operation, route string) (refused error, trial *access.Refusal, err error) {
	if who.Limits == nil && who.Trial == nil {
		return nil, nil, nil // the service that does it asks for the groups
	}
	req, ok, err := s.plan(ctx, who, o)
	if refused, err := refusedWhole(err); refused != nil || err != nil {
		return refused, nil, err
	}
	if !ok {
		return fault.New(fault.Invalid, "There is no such operation for this kind of thing."), nil, nil
	}
	if route != "" {
		req.Route = route
	}
	v := access.Judge(who, &req)
	return v.Err, v.Trial, nil
}

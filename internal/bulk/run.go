package bulk

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"latchkey/internal/fault"
)

// Request says how a call shall run.
type Request struct {
	Mode   Mode
	DryRun bool // do everything and undo it

	// Key and Print are those of the Idempotency-Key, "" without one, and of
	// what the call asks for.
	Key   string
	Print [32]byte

	// Progress, when given, is told after every part how many of all steps are
	// done, and in the mode Each what became of those that have just been done
	// for good.
	Progress func(done, total int, results []Result)
}

// steps are the parts of a call, in order.
type steps interface {
	// count is how many there are.
	count() int
	// span is how many steps from one on may be done as one set.
	span(from int) int
	// do does steps and says what became of each. With alone, one that fails
	// leaves nothing behind; without, the caller undoes everything. Its error
	// is a failure of the house and says nothing about any step.
	do(ctx context.Context, from, to int, alone bool) ([]Result, error)
	// know tells what became of steps in an earlier run of the same call.
	know(results []Result)
}

// A part of a call in the mode Each is one transaction. Others wait for it, so
// it is short.
const (
	partSteps = 250
	partTime  = 250 * time.Millisecond
	setSteps  = 1000 // of one set in the mode Atomic; progress is told between sets
)

// errUndo ends a transaction whose work shall not stay.
var errUndo = errors.New("bulk: undone")

// run runs a call.
func (s *Service) run(ctx context.Context, c *claim, st steps, req Request) (*Report, error) {
	r := &Report{Mode: req.Mode, DryRun: req.DryRun, Total: st.count(), Results: make([]Result, 0, st.count())}
	if req.Progress == nil {
		req.Progress = func(int, int, []Result) {}
	}
	var err error
	if req.Mode == Each && !req.DryRun {
		err = s.runEach(ctx, c, st, req, r)
	} else {
		err = s.runWhole(ctx, c, st, req, r)
	}
	if err != nil {
		return nil, err
	}
	r.rest()
	return r, nil
}

// runWhole runs all steps in one transaction: a call in the mode Atomic, which
// ends at the first failure, and every dry run, which goes on to find them all.
func (s *Service) runWhole(ctx context.Context, c *claim, st steps, req Request, r *Report) error {
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		for from := 0; from < st.count(); {
			if err := ctx.Err(); err != nil {
				return err
			}
			to := from + min(st.span(from), setSteps)
			done, err := st.do(ctx, from, to, req.DryRun)
			if err != nil {
				return err
			}
			r.Results = append(r.Results, done...)
			if at := r.firstFailure(from); at >= 0 && !req.DryRun {
				r.Broken, r.Results = &at, r.Results[:at+1]
				return errUndo
			}
			from = to
			req.Progress(from, r.Total, nil)
		}
		if req.DryRun {
			return errUndo
		}
		return c.finish(ctx, r)
	})
	if errors.Is(err, errUndo) {
		r.undone()
		return c.finish(context.WithoutCancel(ctx), r)
	}
	return err
}

// undone makes a report of what was undone: what was made has no id, and of a
// call that failed nothing is left but the failure.
func (r *Report) undone() {
	for i := range r.Results {
		switch res := &r.Results[i]; {
		case r.DryRun && res.made:
			res.ID = 0
		case !r.DryRun && res.Status != Failed:
			*res = Result{Index: i, Status: NotRun}
		}
	}
}

// runEach runs steps for themselves, in short transactions of several. It
// stops after the step under way when the caller goes away.
func (s *Service) runEach(ctx context.Context, c *claim, st steps, req Request, r *Report) error {
	if c != nil && len(c.before) > 0 {
		r.Results = append(r.Results, c.before...)
		st.know(c.before)
		req.Progress(len(r.Results), r.Total, c.before)
	}
	for single := 0; len(r.Results) < st.count(); {
		if ctx.Err() != nil {
			r.Stopped = true
			return c.release(context.WithoutCancel(ctx), len(r.Results) > 0)
		}
		before, most := len(r.Results), partSteps
		if single > 0 {
			single, most = single-1, 1
		}
		tried, err := s.part(ctx, c, st, r, most)
		switch {
		case errors.Is(err, errTaken):
			return err
		case err != nil && tried > 1: // one of them is the cause: each is tried for itself
			r.Results, single = r.Results[:before], tried
			continue
		case err != nil:
			s.log.Error("a step of a bulk call failed", slog.Int("index", before), slog.Any("error", err))
			r.Results = append(r.Results[:before], failure(before, fault.Wrap(err, "bulk")))
		}
		req.Progress(len(r.Results), r.Total, r.Results[before:])
	}
	return c.finish(context.WithoutCancel(ctx), r)
}

// part does some steps in one transaction and returns how many it tried.
func (s *Service) part(ctx context.Context, c *claim, st steps, r *Report, most int) (tried int, err error) {
	start, first := time.Now(), len(r.Results)
	err = s.db.InTx(context.WithoutCancel(ctx), func(inside context.Context) error {
		for len(r.Results) < st.count() && tried < most && (tried == 0 || time.Since(start) < partTime && ctx.Err() == nil) {
			from := len(r.Results)
			n := min(st.span(from), most-tried)
			tried += n
			done, err := st.do(inside, from, from+n, true)
			if err != nil {
				return err
			}
			r.Results = append(r.Results, done...)
		}
		return c.note(inside, r)
	})
	return max(tried, len(r.Results)-first), err
}

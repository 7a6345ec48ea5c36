package bulk

import (
	"context"
	"math"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// Foreseen is what would be decided about an operation.
type Foreseen struct {
	Op       Op
	Request  access.Request  // what its single call would want
	Decision access.Decision // about that
	Err      error           // it would fail whoever asked: what it names is not there
}

// notMade stands for what an earlier operation of the same call would make: no
// restriction lists it.
const notMade = math.MaxInt64

// Foresee says of each of some operations, which CheckOperations must have
// passed, what would be decided about it for a key. Nothing is done, so whether
// an operation succeeds is not said. It returns failures of the house only.
func (s *Service) Foresee(ctx context.Context, who *access.Principal, ops []Operation) ([]Foreseen, error) {
	out := make([]Foreseen, len(ops))
	for i := range ops {
		o := ops[i]
		for _, t := range o.targets() {
			if t.Ref != "" {
				t.ID = notMade
			}
		}
		out[i].Op = o.Op
		req, ok, err := s.plan(ctx, who, &o)
		refused, err := refusedWhole(err)
		switch {
		case err != nil:
			return nil, err
		case refused == nil && !ok:
			refused = fault.New(fault.Invalid, "There is no such operation for this kind of thing.")
		}
		if out[i].Err = refused; refused == nil {
			out[i].Request, out[i].Decision = req, access.Explain(who, req)
		}
	}
	return out, nil
}

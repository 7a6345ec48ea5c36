package server

import (
	"context"
	"log/slog"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/audit"
)

const (
	// refusalGap is how often refused keys are summed up in the log: one line
	// however many there were, so that junk cannot flood it.
	refusalGap = 10 * time.Second
	// burst is how many refused keys in that time are an audit entry.
	burst = 100
	// burstGap is the least time between two such entries.
	burstGap = time.Minute
)

// Refusals sums up refused keys: in the log of the server, and bursts of them
// in the audit log. It is for one goroutine.
type Refusals struct {
	counts func() map[string]uint64
	trail  *audit.Log
	log    *slog.Logger

	last    map[string]uint64 // what was counted up to now
	pending map[string]uint64 // of bursts, not in the audit log yet
	lasted  time.Duration     // how long those bursts were
	written time.Time         // when the last entry was
}

// NewRefusals returns a watch over what counts returns: how many checks of keys
// ended with each reason since the start, as apikey.Verifier.Counts does.
func NewRefusals(counts func() map[string]uint64, trail *audit.Log, log *slog.Logger) *Refusals {
	return &Refusals{counts: counts, trail: trail, log: log, last: counts(), pending: map[string]uint64{}}
}

// Run looks every ten seconds until ctx ends, and then writes what is left.
func (r *Refusals) Run(ctx context.Context) {
	tick := time.NewTicker(refusalGap)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			end, done := context.WithTimeout(context.WithoutCancel(ctx), refusalGap/2)
			defer done()
			r.sum()
			r.write(end, time.Now())
			return
		case now := <-tick.C:
			r.Look(ctx, now)
		}
	}
}

// Look sums up what was refused since the last look, ten seconds ago, and
// writes bursts to the audit log.
func (r *Refusals) Look(ctx context.Context, now time.Time) {
	r.sum()
	if now.Sub(r.written) >= burstGap {
		r.write(ctx, now)
	}
}

// sum logs what was refused since it did so last, and keeps it when it is a
// burst.
func (r *Refusals) sum() {
	counts := r.counts()
	var attrs []any
	bad, total := map[string]uint64{}, uint64(0)
	for reason, n := range counts {
		d := n - r.last[reason]
		if d == 0 || reason == apikey.Accepted.String() {
			continue
		}
		attrs = append(attrs, slog.Uint64(reason, d))
		if !mayCallAgain(reason) {
			bad[reason], total = d, total+d
		}
	}
	r.last = counts
	if len(attrs) > 0 {
		r.log.Warn("API keys were refused", append(attrs, slog.Duration("in", refusalGap))...)
	}
	if total >= burst {
		r.lasted += refusalGap
		for reason, n := range bad {
			r.pending[reason] += n
		}
	}
}

// mayCallAgain reports whether a key was refused for the moment only: a program
// that is too busy is no attack.
func mayCallAgain(reason string) bool {
	switch reason {
	case apikey.RateLimited.String(), apikey.QuotaExhausted.String(), apikey.OutsideHours.String():
		return true
	}
	return false
}

// write puts what is pending into the audit log. What fails is tried again.
func (r *Refusals) write(ctx context.Context, now time.Time) {
	if r.lasted == 0 {
		return
	}
	total := uint64(0)
	for _, n := range r.pending {
		total += n
	}
	err := r.trail.Append(ctx, audit.System(), audit.Entry{
		Action: "api-key.refused-burst", ObjectKind: "api-key",
		Details: map[string]any{"refused": total, "reasons": r.pending, "seconds": int(r.lasted.Seconds())},
	})
	if err != nil {
		r.log.Error("a burst of refused API keys could not be written to the audit log; it is tried again", slog.Any("error", err))
		return
	}
	r.pending, r.lasted, r.written = map[string]uint64{}, 0, now
}

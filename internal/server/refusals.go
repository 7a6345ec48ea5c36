package server

import (
	"context"
	"log/slog"
	"time"

	"latchkey/internal/apikey"
)

// refusalGap is how often refused keys are summed up in the log: one line
// however many there were, so that junk cannot flood it.
const refusalGap = 10 * time.Second

// LogRefusals writes how many keys were refused, by reason, until ctx ends.
func LogRefusals(ctx context.Context, v *apikey.Verifier, log *slog.Logger) {
	tick := time.NewTicker(refusalGap)
	defer tick.Stop()
	last := v.Counts()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := v.Counts()
		var attrs []any
		for reason, n := range now {
			if d := n - last[reason]; d > 0 && reason != apikey.Accepted.String() {
				attrs = append(attrs, slog.Uint64(reason, d))
			}
		}
		if len(attrs) > 0 {
			log.Warn("API keys were refused", append(attrs, slog.Duration("in", refusalGap))...)
		}
		last = now
	}
}

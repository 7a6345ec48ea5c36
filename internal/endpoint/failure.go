package endpoint

import (
	"context"
	"log/slog"

	"latchkey/internal/fault"
)

// ReasonHeader tells a key that is good why it was refused.
const ReasonHeader = "Latchkey-Reason"

// LogFailure writes the cause of a 5xx to the log, with the id that the answer
// bears. It names the route, never the URL, whose values may be secret.
func (c *Call) LogFailure(log *slog.Logger, err error) {
	level := slog.LevelError
	switch f := fault.As(err); {
	case c.Request.Context().Err() != nil, f.Kind == fault.Unavailable && f.Err == nil:
		level = slog.LevelDebug // the client left, or the state is known
	case f.Kind == fault.Unavailable:
		level = slog.LevelWarn
	}
	log.LogAttrs(context.WithoutCancel(c.Request.Context()), level, "request failed",
		slog.String("id", c.RequestID), slog.String("method", c.Request.Method),
		slog.String("route", c.Request.Pattern), slog.Any("error", err))
}

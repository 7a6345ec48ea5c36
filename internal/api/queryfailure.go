package api

import (
	"errors"
	"net/http"
	"time"

	"latchkey/internal/fault"
	"latchkey/internal/query"
)

// failedQueryError is the answer to a query that failed (contract/content-data.md
// 6.3). It is an error, so that it goes the way of all refusals.
type failedQueryError struct {
	failure *query.Failure
	ran     ran
}

func newFailedQuery(err error, m ran) *failedQueryError {
	f, ok := errors.AsType[*query.Failure](err)
	if !ok {
		f = &query.Failure{Kind: query.Broken, Message: textInternal, Err: err}
	}
	return &failedQueryError{f, m}
}

// Error implements error.
func (e *failedQueryError) Error() string { return e.failure.Message }

// Unwrap returns a fault for the log and the reason header.
func (e *failedQueryError) Unwrap() error {
	if f, ok := errors.AsType[*fault.Error](e.failure.Err); ok {
		return f
	}
	return &fault.Error{Kind: fault.Internal, Err: e.failure.Err}
}

func (e *failedQueryError) status() int {
	switch e.failure.Kind {
	case query.Denied:
		return http.StatusForbidden
	case query.Busy:
		return http.StatusServiceUnavailable
	case query.Broken:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// errorTypes are Metabase's words for what went wrong.
var errorTypes = map[query.Kind]string{
	query.Invalid:      "invalid-query",
	query.BadParameter: "invalid-parameter",
	query.Missing:      "missing-required-parameter",
	query.Denied:       "missing-required-permissions",
	query.Unsupported:  "unsupported-feature",
	query.TimedOut:     "timed-out",
	query.Cancelled:    "cancelled",
	query.Busy:         "db",
	query.Broken:       "db",
}

func (e *failedQueryError) body() map[string]any {
	message, kind := e.failure.Message, errorTypes[e.failure.Kind]
	data := map[string]any{}
	if e.failure.Kind == query.Denied {
		data = map[string]any{"required-permissions": []any{}, "actual-permissions": []any{}, "permissions-error?": true}
		if e.failure.CardID != 0 {
			data["card-id"] = e.failure.CardID
		}
	}
	out := map[string]any{
		"status": "failed", "error": message, "error_type": kind, "class": "class clojure.lang.ExceptionInfo",
		"data": map[string]any{"rows": []any{}, "cols": []any{}}, "row_count": 0,
		"running_time": max(time.Since(e.ran.startedAt).Milliseconds(), 0), "started_at": e.ran.startedAt,
		"context": e.ran.context, "database_id": idOrNull(e.ran.databaseID), "ex-data": data,
		"via":        []any{map[string]any{"status": "failed", "class": "class clojure.lang.ExceptionInfo", "error": message, "error_type": kind, "ex-data": data}},
		"stacktrace": []any{},
	}
	if e.failure.State != "" {
		out["state"] = e.failure.State
	}
	if !e.ran.export {
		out["json_query"] = e.ran.jsonQuery()
	}
	return out
}

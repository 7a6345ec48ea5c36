package query

import (
	"errors"

	"latchkey/internal/engine"
	"latchkey/internal/fault"
)

// Kind tells apart why a query failed.
type Kind int

// The kinds of failure.
const (
	Invalid      Kind = iota + 1 // the query is wrong, or the database does not take it
	BadParameter                 // a value does not fit its parameter
	Missing                      // a parameter that is required has no value
	Denied                       // whoever asks may not run it
	Unsupported                  // this server cannot run queries of the kind yet
	TimedOut                     // it took too long
	Cancelled                    // whoever asked went away
	Busy                         // the database or the server cannot take it now
	Broken                       // the connection is broken, or we are
)

// Failure is the answer to a query that did not run to its end. Its message may
// be shown to whoever asked.
type Failure struct { //nolint:errname // a query fails; "status":"failed" is what callers see
	Kind    Kind
	Message string
	State   string // the database's own code
	CardID  int64  // of Denied: the card that may not be read
	Err     error
}

// Error implements error.
func (f *Failure) Error() string { return f.Message }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

func failed(kind Kind, message string) *Failure { return &Failure{Kind: kind, Message: message} }

// textDenied is what Metabase says (contract/content-data.md 6.3).
const textDenied = "You do not have permissions to run this query."

// asFailure turns what went wrong before or in the database into the failure of
// the query.
func asFailure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return &Failure{Kind: kindOf(e.Kind), Message: e.Message, State: e.State, Err: err}
	}
	f := fault.As(err)
	out := &Failure{Kind: Broken, Message: f.Message, Err: err}
	switch f.Kind {
	case fault.Invalid, fault.NotFound:
		out.Kind = Invalid
		for _, text := range f.Fields {
			out.Message = text
		}
	case fault.Forbidden, fault.Unauthenticated:
		out.Kind, out.Message = Denied, textDenied
	case fault.Unavailable:
		out.Kind = Busy
	default:
		out.Message = "The query could not be run."
	}
	return out
}

func kindOf(k engine.Kind) Kind {
	switch k {
	case engine.Invalid, engine.Forbidden:
		return Invalid
	case engine.Timeout:
		return TimedOut
	case engine.Cancelled:
		return Cancelled
	case engine.Busy:
		return Busy
	}
	return Broken
}

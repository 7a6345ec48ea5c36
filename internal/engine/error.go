package engine

import (
	"context"
	"errors"
)

// Kind tells failures apart.
type Kind int

// The kinds of failure.
const (
	Internal   Kind = iota // none of the others
	Invalid                // the database does not accept the query
	Forbidden              // the query would do more than read
	Timeout                // it took too long
	Cancelled              // whoever asked went away
	Connection             // the database cannot be reached
	Busy                   // all connections are taken
)

// Error is the failure of a customer's database. Its message is the database's
// own and may be shown to whoever may query it.
type Error struct {
	Kind    Kind
	Message string
	State   string // the SQLSTATE, or the database's own code
	Err     error
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of a failure.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Ended returns the failure of a query whose context is done, or nil.
func Ended(ctx context.Context) *Error {
	switch {
	case ctx.Err() == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Kind: Timeout, Message: "The query took too long and was stopped.", Err: ctx.Err()}
	}
	return &Error{Kind: Cancelled, Message: "The query was cancelled.", Err: ctx.Err()}
}

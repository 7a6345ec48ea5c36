// Package fault is the one error type that crosses package borders: what went
// wrong in a way that is safe to show, and the cause for the log only.
//
// Owns: kinds and the Error type. Does not own: status codes and bodies
// (packages api, v1 and web each translate in one place).
package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the class of a fault. Kinds are few and stable.
type Kind int

// The kinds, from the outside in: what the caller may do about it.
const (
	Internal        Kind = iota // our failure; the caller can only retry or report the id
	Invalid                     // the input is wrong; Fields says where
	NotFound                    // there is no such thing
	Forbidden                   // the principal may not do this
	Unauthenticated             // no principal, or a refused one
	Conflict                    // the state of things forbids it
	TooMany                     // throttled; RetryAfter says how long
	Unavailable                 // not now: starting, draining, database away
	Paid                        // Metabase sells this feature; Feature names it (contract/identity.md 0.4, 402)
)

var kindNames = [...]string{"internal", "invalid", "not-found", "forbidden", "unauthenticated", "conflict", "too-many", "unavailable", "paid"}

// String returns the kind's stable name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error is a fault. Message and Fields are safe to show; Err is for the log.
type Error struct {
	Kind    Kind
	Code    string            // stable word for programs, such as key-expired; "" stands for the kind
	Message string            // for people; never contains the cause
	Fields  map[string]string // per-field messages, keyed by the wire's field name
	Err     error             // for the log
}

// Error implements error. It includes the cause, so it is for logs, never for answers.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for _, f := range slices.Sorted(maps.Keys(e.Fields)) {
		fmt.Fprintf(&b, "; %s: %s", f, e.Fields[f])
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a fault of a kind with a message that is safe to show.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Coded returns a fault of a kind with a stable code for programs.
func Coded(k Kind, code, format string, args ...any) *Error {
	return &Error{Kind: k, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Field returns an Invalid fault at one field, e.g. Field("name", "is taken").
func Field(name, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Fields: map[string]string{name: fmt.Sprintf(format, args...)}}
}

// Wrap returns an Internal fault with a cause for the log. Wrapping nil gives nil.
func Wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: Internal, Err: fmt.Errorf("%s: %w", doing, err)}
}

// As returns err as a fault; an error of any other type becomes Internal.
// It returns nil for nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Internal, Err: err}
}

// Is reports whether err is a fault of the kind.
func Is(err error, k Kind) bool { return err != nil && As(err).Kind == k }

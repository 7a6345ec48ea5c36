package v1

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// Problem is the body of every error (RFC 9457). Programs read code, which is
// stable; people read detail.
type Problem struct {
	Type      string       `json:"type"` // where the code is documented
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Code      string       `json:"code"`
	Detail    string       `json:"detail"` // what is wrong, and what to do
	Errors    []FieldError `json:"errors,omitempty"`
	Operation *int         `json:"operation,omitempty"` // of a bulk call: the one that failed, from 0
	RequestID string       `json:"request_id"`
}

// FieldError says what is wrong with one field. Members are named with dots,
// items by their number from 0: restriction.scopes.0.
type FieldError struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// docsPage is where every code has a place of its name.
const docsPage = "/v1/docs"

// mediaError is the answer to a body that is not declared as what the route
// takes, which mostly is JSON.
type mediaError struct{ takes []string }

// Error implements error.
func (e *mediaError) Error() string {
	return "the body is not of the types " + strings.Join(e.takes, ", ")
}

// problem names the types, when there are others than JSON.
func (e *mediaError) problem() Problem {
	c := codeTable[codeMedia]
	if len(e.takes) == 1 && e.takes[0] == "application/json" {
		return newProblem(c, "", nil)
	}
	c.do = "Send it with the header Content-Type: " + strings.Join(e.takes, " or ") + "."
	return newProblem(c, "The body is of a type that the route does not take.", nil)
}

// unknownRouteError is the answer to a path that no endpoint has.
type unknownRouteError struct{}

// Error implements error.
func (*unknownRouteError) Error() string { return "no such route" }

// methodError is the answer to a method that a path does not have.
type methodError struct{ method string }

// Error implements error.
func (e *methodError) Error() string { return "no method " + e.method }

// problemOf is the one place that turns an error into a problem.
func problemOf(err error) Problem {
	if e, ok := errors.AsType[*endpoint.ValidationError](err); ok {
		return newProblem(codeTable[codeInvalid], "", fieldErrors(e))
	}
	if e, ok := errors.AsType[*endpoint.PagingError](err); ok {
		return newProblem(codeTable[codeInvalid], "", []FieldError{{e.Name, "type", "Send a whole number from 0 up."}})
	}
	if e, ok := errors.AsType[*endpoint.MalformedBodyError](err); ok {
		return malformedProblem(e)
	}
	if e, ok := errors.AsType[*brokenError](err); ok {
		return e.problem()
	}
	if e, ok := errors.AsType[*endpoint.BodySizeError](err); ok {
		return newProblem(codeTable[codeTooLarge], fmt.Sprintf("The body exceeds %d bytes.", e.Limit), nil)
	}
	if e, ok := errors.AsType[*mediaError](err); ok {
		return e.problem()
	}
	if _, ok := errors.AsType[*unknownRouteError](err); ok {
		return newProblem(codeTable[codeNoRoute], "", nil)
	}
	if _, ok := errors.AsType[*methodError](err); ok {
		return newProblem(codeTable[codeMethod], "", nil)
	}
	return faultProblem(fault.As(err))
}

// malformedProblem names the line of JSON lines.
func malformedProblem(e *endpoint.MalformedBodyError) Problem {
	if e.Line == 0 {
		return newProblem(codeTable[codeMalformed], "", nil)
	}
	c := codeTable[codeMalformed]
	c.do = "Send one JSON value in UTF-8 on each line."
	return newProblem(c, fmt.Sprintf("Line %d of the body is not JSON.", e.Line), nil)
}

// faultProblem shows a fault's message, except where all answers of a kind
// must look alike.
func faultProblem(f *fault.Error) Problem {
	c, message := codeOf(f), f.Message
	if f.Kind == fault.Unauthenticated || f.Kind == fault.Internal {
		c, message = codeTable[kindCode(f.Kind)], ""
	}
	var wrong []FieldError
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		wrong = append(wrong, FieldError{name, cmp.Or(f.Code, "refused"), f.Fields[name]})
	}
	return newProblem(c, message, wrong)
}

// newProblem says what is wrong, by message or else by the code's title, and
// what to do.
func newProblem(c code, message string, wrong []FieldError) Problem {
	return Problem{
		Type: docsPage + "#" + c.word, Title: c.title, Status: c.status, Code: c.word,
		Detail: sentence(cmp.Or(message, c.title)) + " " + c.do, Errors: wrong,
	}
}

// sentence ends a text with a full stop when nothing else ends it.
func sentence(s string) string {
	switch s[len(s)-1] {
	case '.', '!', '?', ':':
		return s
	}
	return s + "."
}

// fail answers an error. When a part of the answer is out already, all that is
// left is to break the connection off, so that nobody takes the part for all.
func (a *API) fail(x *exchange, err error) {
	if x.status != 0 {
		x.call.LogFailure(a.deps.Log, err)
		panic(http.ErrAbortHandler)
	}
	p := problemOf(err)
	p.RequestID = x.call.RequestID
	if p.Status >= http.StatusInternalServerError {
		x.call.LogFailure(a.deps.Log, err)
	}
	x.Header().Del("Content-Disposition") // of an export that failed at once
	giveReason(&x.call, p)
	if err := endpoint.WriteProblem(x, p.Status, p); err != nil {
		x.call.LogFailure(a.deps.Log, err) // only texts and numbers: they always encode
	}
}

// giveReason adds the reason to a refusal of a key, and keeps it for Observe.
func giveReason(c *endpoint.Call, p Problem) {
	if !c.Who.IsKey() || p.Status != http.StatusForbidden && p.Status != http.StatusTooManyRequests {
		return
	}
	if c.Refused == nil {
		c.Refused = &access.Refusal{Code: p.Code, Message: p.Detail}
	}
	c.Header.Set(endpoint.ReasonHeader, p.Code)
}

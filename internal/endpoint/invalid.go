package endpoint

import (
	"fmt"
	"strings"
)

// Part is the part of a request that a value came in. Parts are checked in
// this order, and the first with a problem ends the check.
type Part string

// The parts.
const (
	Path  Part = "route"
	Query Part = "query"
	Body  Part = "body"
)

// Failure is one way in which a value is not what a type wants.
type Failure string

// The failures.
const (
	Missing   Failure = "missing"    // a required key is absent
	WrongType Failure = "type"       // not even the right kind of value
	Length    Failure = "length"     // a text shorter than Min or longer than Max
	Blank     Failure = "blank"      // a text of nothing but white space
	BadText   Failure = "characters" // a text with U+0000 or bytes that are not UTF-8
	Refused   Failure = "refused"    // the rule itself says no
	Unknown   Failure = "unknown"    // nobody declared such a key (CompileStrict)
)

// Problem is what is wrong with one value. Exactly one of Failed, Fields and
// Items is there.
type Problem struct {
	Want     *Type
	Failed   []Failure
	Received any            // after coercion: nil, string, bool, int64, json.Number, []any, map[string]any
	Fields   []FieldProblem // the members of an object that are wrong
	Items    []*Problem     // the items of a list, nil where an item is fine
	Detail   string         // what is wrong, where Want does not say it; safe to show
}

// FieldProblem is a problem with its field's name.
type FieldProblem struct {
	Name string
	*Problem
}

// ValidationError says which fields of one part of a request are wrong. With
// an empty name, the only field is the whole body, which is no object. A
// Problem whose type is Secret must not be shown with what was received.
type ValidationError struct {
	Part   Part
	Fields []FieldProblem
}

// Error implements error. It names fields, never values.
func (e *ValidationError) Error() string {
	names := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		names[i] = f.Name
	}
	return fmt.Sprintf("invalid %s: %s", e.Part, strings.Join(names, ", "))
}

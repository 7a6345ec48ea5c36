package v1

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/endpoint"
)

// The rules of this API itself.
const (
	ruleTime   = "date-time" // a moment in RFC 3339
	ruleDigest = "digest"    // SHA-256 in hexadecimal
)

// Rules returns the named checks that the inputs of the routes use.
func Rules() endpoint.Rules {
	return endpoint.Rules{
		ruleTime: func(s string) bool {
			_, err := time.Parse(time.RFC3339, s)
			return err == nil
		},
		ruleDigest: func(s string) bool {
			_, err := hex.DecodeString(s)
			return err == nil && len(s) == hex.EncodedLen(sha256.Size)
		},
	}
}

// ruleWords say what a value must be, to stand after "Send". A rule that is
// not here stops the start.
var ruleWords = map[string]string{
	endpoint.RulePosInt:      "a whole number from 1 up",
	endpoint.RuleNatural:     "a whole number from 0 up",
	endpoint.RuleInt:         "a whole number",
	endpoint.RuleNumber:      "a number",
	endpoint.RuleBool:        "true or false",
	endpoint.RuleBoolQuery:   "true or false",
	endpoint.RuleString:      "a text",
	endpoint.RuleNonEmpty:    "a text",
	endpoint.RuleNonBlank:    "a text that is not blank",
	endpoint.RuleEmail:       "an e-mail address",
	endpoint.RulePassword:    "a password that is long enough and not a common one",
	endpoint.RuleEnum:        "one of the words",
	endpoint.RuleMap:         "an object",
	endpoint.RuleParameter:   "an object with an id and a type",
	endpoint.RuleObject:      "an object",
	endpoint.RuleAny:         "any value but null",
	endpoint.RuleRestriction: "an object, the restriction of a key",
	endpoint.RuleList:        "a list",
	endpoint.RuleIDOrRef:     "an id, or the ref of an earlier operation with a dollar sign before it",
	ruleTime:                 "a time such as 2026-11-22T10:00:00Z",
	ruleDigest:               "the SHA-256 digest of a key, as 64 hexadecimal digits",
}

// haveWords makes sure at the start that every rule in use has words.
func haveWords(t *endpoint.Table) error {
	for _, rt := range t.Routes() {
		for _, typ := range rt.Types() {
			if ruleWords[typ.Rule] == "" {
				return fmt.Errorf("route %s %s: the rule %q has no words", rt.Method, rt.Path, typ.Rule)
			}
		}
	}
	return nil
}

// want says what a value of the type must be.
func want(t *endpoint.Type) string {
	s := ruleWords[t.Rule]
	switch {
	case t.Rule == endpoint.RuleEnum:
		s += " " + strings.Join(t.Enum, ", ")
	case t.Min > 0 && t.Max > 0:
		s += fmt.Sprintf(" of %d to %d characters", t.Min, t.Max)
	case t.Max > 0:
		s += fmt.Sprintf(" of at most %d characters", t.Max)
	case t.Min > 0:
		s += fmt.Sprintf(" of at least %d characters", t.Min)
	}
	if t.Nullable {
		s += ", or null"
	}
	return s
}

// fieldErrors lists every wrong value of a request, and never shows one.
func fieldErrors(e *endpoint.ValidationError) []FieldError {
	var all []FieldError
	for _, f := range e.Fields {
		name := f.Name
		if name == "" {
			name = string(endpoint.Body)
		}
		all = appendProblem(all, name, f.Problem)
	}
	return all[:min(len(all), maxFieldErrors)]
}

// maxFieldErrors is how many wrong values a problem lists.
const maxFieldErrors = 100

func appendProblem(all []FieldError, name string, p *endpoint.Problem) []FieldError {
	for _, f := range p.Fields {
		all = appendProblem(all, name+"."+f.Name, f.Problem)
	}
	for i, item := range p.Items {
		if item != nil {
			all = appendProblem(all, name+"."+strconv.Itoa(i), item)
		}
	}
	if len(p.Failed) == 0 {
		return all
	}
	return append(all, FieldError{name, string(p.Failed[0]), advice(p)})
}

// advice says what to do about one wrong value.
func advice(p *endpoint.Problem) string {
	switch {
	case p.Failed[0] == endpoint.Unknown:
		return "Leave it out: there is no such field or parameter here."
	case p.Detail != "":
		return sentence(p.Detail)
	}
	return "Send " + want(p.Want) + "."
}

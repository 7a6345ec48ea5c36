package api

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"latchkey/internal/endpoint"
)

// ruleWords are the texts of a rule (contract/identity.md 0.5): what a value
// should be, and what a wrong one fails.
type ruleWords struct{ want, failed string }

// Rules of the domain whose checks come with Deps.Rules.
const (
	ruleLocale     = "locale"
	ruleSetupToken = "setuptoken"
	ruleTimestamp  = "timestamp"
)

// wordsOf returns the texts of a rule, and whether there are any.
func wordsOf(rule string) (ruleWords, bool) {
	switch rule {
	case endpoint.RulePosInt:
		const s = "value must be an integer greater than zero."
		return ruleWords{s, s}, true
	case endpoint.RuleNatural:
		const s = "value must be an integer greater than or equal to zero."
		return ruleWords{s, s}, true
	case endpoint.RuleInt:
		const s = "value must be an integer."
		return ruleWords{s, s}, true
	case endpoint.RuleNumber:
		const s = "value must be a number."
		return ruleWords{s, s}, true
	case endpoint.RuleBool:
		return ruleWords{"value must be a boolean.", "should be a boolean"}, true
	case endpoint.RuleBoolQuery:
		const s = "value must be a valid boolean string ('true' or 'false')."
		return ruleWords{s, s}, true
	case endpoint.RuleNonBlank:
		return ruleWords{"value must be a non-blank string.", "should be a string"}, true
	case endpoint.RuleEmail:
		return ruleWords{"value must be a valid email address.", "valid email address"}, true
	case endpoint.RulePassword:
		return ruleWords{"password is too common.", "valid password that is not too common"}, true
	case ruleLocale:
		return ruleWords{"String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'.", "valid locale"}, true
	case ruleSetupToken:
		return ruleWords{"Token does not match the setup token.", "setup token"}, true
	case ruleTimestamp:
		const s = "value must be a valid date string."
		return ruleWords{s, s}, true
	case endpoint.RuleMap:
		return ruleWords{"Value must be a map.", "invalid type"}, true
	case endpoint.RuleParameter:
		return ruleWords{"parameter must be a map with :id and :type keys", "invalid type"}, true
	case endpoint.RuleAny:
		return ruleWords{"value of any type.", "should not be null"}, true
	case endpoint.RuleString, endpoint.RuleEntity, endpoint.RuleNonEmpty, endpoint.RuleEnum, endpoint.RuleList, endpoint.RuleObject:
		return ruleWords{"", "invalid type"}, true // put together by want and failure
	}
	return ruleWords{}, false
}

// haveWords makes sure at the start that every rule in use has texts.
func haveWords(t *endpoint.Table) error {
	for _, rt := range t.Routes() {
		for _, typ := range rt.Types() {
			if _, ok := wordsOf(typ.Rule); !ok {
				return fmt.Errorf("route %s %s: the rule %q has no texts", rt.Method, rt.Path, typ.Rule)
			}
		}
	}
	return nil
}

// want describes the type that a value should have.
func want(t *endpoint.Type) string {
	s := wantBare(t)
	if t.Nullable {
		return "nullable " + s
	}
	return s
}

func wantBare(t *endpoint.Type) string {
	switch t.Rule {
	case endpoint.RuleEnum:
		return "enum of " + strings.Join(t.Enum, ", ")
	case endpoint.RuleList:
		return "sequence of " + want(t.Elem)
	case endpoint.RuleObject:
		return wantMap(t)
	case endpoint.RuleString, endpoint.RuleEntity, endpoint.RuleNonEmpty:
		return wantText(t)
	}
	w, _ := wordsOf(t.Rule)
	return w.want
}

func wantText(t *endpoint.Type) string {
	switch {
	case t.Min > 0 && t.Max > 0:
		return fmt.Sprintf("string with length between %d and %d inclusive", t.Min, t.Max)
	case t.Min > 0:
		return fmt.Sprintf("string with length >= %d", t.Min)
	case t.Max > 0:
		return fmt.Sprintf("string with length <= %d", t.Max)
	}
	return "value must be a string."
}

// wantMap is the text of 2.2: map where {:site_name -> <…>, :site_locale (optional) -> <…>}.
func wantMap(t *endpoint.Type) string {
	members := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		optional := ""
		if !f.Required {
			optional = " (optional)"
		}
		members[i] = fmt.Sprintf(":%s%s -> <%s>", f.Name, optional, want(f.Type))
	}
	return "map where {" + strings.Join(members, ", ") + "}"
}

// failure names one way in which a value is wrong.
func failure(p *endpoint.Problem, f endpoint.Failure) string {
	t := p.Want
	switch f {
	case endpoint.Missing:
		return "missing required key"
	case endpoint.Blank:
		return "non-blank string"
	case endpoint.Length:
		return wrongLength(t, p.Received)
	case endpoint.BadText:
		return "should be text without null characters"
	}
	switch t.Rule {
	case endpoint.RuleString, endpoint.RuleEntity, endpoint.RuleNonEmpty:
		return "should be a string"
	case endpoint.RuleEnum:
		return "should be " + either(t.Enum)
	}
	w, _ := wordsOf(t.Rule)
	return w.failed
}

// wrongLength is about the bound that is broken, or about both for a plain
// text that has both.
func wrongLength(t *endpoint.Type, received any) string {
	s, _ := received.(string)
	switch {
	case t.Min > 0 && t.Max > 0 && t.Rule == endpoint.RuleNonEmpty:
		return fmt.Sprintf("should be between %d and %d characters", t.Min, t.Max)
	case utf8.RuneCountInString(s) < t.Min:
		return "should be at least " + characters(t.Min)
	}
	return "should be at most " + characters(t.Max)
}

func characters(n int) string {
	if n == 1 {
		return "1 character"
	}
	return fmt.Sprintf("%d characters", n)
}

// either lists words: "a", either "a" or "b", either "a", "b" or "c".
func either(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = `"` + w + `"`
	}
	last := len(quoted) - 1
	if last == 0 {
		return quoted[0]
	}
	return "either " + strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

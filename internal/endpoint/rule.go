package endpoint

import (
	"fmt"
	"strconv"
	"strings"
)

// ruleTag is a parsed rule tag: the name of a rule and words that change it.
//
//	rule:"nonempty,max=254"  a text of 1 to 254 characters
//	rule:"enum=a|b"          one of the words
//	rule:"required"          an opt.Value that must be present (null is fine)
//	rule:"notnull"           an opt.Value that may be absent, but not null
//	rule:"optional"          a plain type that keeps its zero value when absent or null
type ruleTag struct {
	name                        string
	required, notNull, optional bool
	min, max                    int
	enum                        []string
}

func parseRule(s string) (ruleTag, error) {
	var r ruleTag
	if s == "" {
		return r, nil
	}
	for word := range strings.SplitSeq(s, ",") {
		if err := r.add(word); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *ruleTag) add(word string) error {
	key, value, hasValue := strings.Cut(word, "=")
	var err error
	switch {
	case key == "required":
		r.required = true
	case key == "notnull":
		r.notNull = true
	case key == "optional":
		r.optional = true
	case key == "min" && hasValue:
		r.min, err = strconv.Atoi(value)
	case key == "max" && hasValue:
		r.max, err = strconv.Atoi(value)
	case r.name != "":
		return fmt.Errorf("two rules, %q and %q", r.name, word)
	case key == RuleEnum && hasValue:
		r.name, r.enum = RuleEnum, strings.Split(value, "|")
	case hasValue || key == "":
		return fmt.Errorf("bad rule %q", word)
	default:
		r.name = key
	}
	return err
}

package query

import (
	"fmt"
	"strings"
	"time"

	"latchkey/internal/query/mbql"
)

// maxValues is how many values one parameter may have.
const maxValues = 2000

// variable writes the placeholders of a plain value: one, or several with
// commas between, which fit into IN (…).
func (e *expander) variable(tag mbql.TemplateTag, block bool) (string, error) {
	list, err := e.valueOf(tag)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		if block {
			return "", &noValueError{tag.Name}
		}
		return "", &Failure{Kind: Missing, Message: fmt.Sprintf("You'll need to pick a value for '%s' before this query can run.", tag.DisplayName)}
	}
	if tag.Type == mbql.TagNumber {
		list = commaSeparated(list)
	}
	if len(list) > maxValues {
		return "", failed(BadParameter, fmt.Sprintf("'%s' has more than %d values.", tag.DisplayName, maxValues))
	}
	out := make([]string, len(list))
	for i, v := range list {
		arg, err := e.plain(tag, v)
		if err != nil {
			return "", err
		}
		out[i] = e.arg(arg)
	}
	return strings.Join(out, ", "), nil
}

// commaSeparated takes "1,2,3" for three numbers.
func commaSeparated(list []any) []any {
	var out []any
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			out = append(out, v)
			continue
		}
		for part := range strings.SplitSeq(s, ",") {
			out = append(out, part)
		}
	}
	return out
}

// plain returns the argument for one value of a variable.
func (e *expander) plain(tag mbql.TemplateTag, v any) (any, error) {
	unfit := func(want string) error {
		return failed(BadParameter, fmt.Sprintf("The value of '%s' must be %s, not %q.", tag.DisplayName, want, cut(text(v))))
	}
	switch tag.Type {
	case mbql.TagNumber:
		n, ok := number(v)
		if !ok {
			return nil, unfit("a number")
		}
		return n, nil
	case mbql.TagBoolean:
		b, ok := boolean(v)
		if !ok {
			return nil, unfit("true or false")
		}
		return b, nil
	case mbql.TagDate:
		at, timed, ok := parseMoment(text(v))
		if !ok {
			return nil, unfit("a date such as 2026-11-28")
		}
		return e.moment(at, timed), nil
	}
	if strings.ContainsRune(text(v), 0) {
		return nil, unfit("a text without null characters")
	}
	return text(v), nil
}

func (e *expander) moment(at time.Time, timed bool) any {
	if timed {
		return e.dialect.TimeArg(at)
	}
	return e.dialect.DateArg(at)
}

// cut shortens what is repeated of a value.
func cut(s string) string {
	const shown = 60
	if len(s) > shown {
		return strings.ToValidUTF8(s[:shown], "") + "…"
	}
	return s
}

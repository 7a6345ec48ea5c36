package card

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// parameter is a parameter with the list that its values come from.
type parameter struct {
	ID     string `json:"id"`
	Source string `json:"values_source_type"`
	Config struct {
		Values []json.RawMessage `json:"values"`
	} `json:"values_source_config"`
}

// staticList is the source of a parameter whose values are written down.
const staticList = "static-list"

// Offered returns the values that one of some parameters offers, each as a
// list of the value and, where there is one, its label; with text only those
// that hold it, in any case. Values of columns and of other questions are not
// offered. It reports whether there is such a parameter.
func Offered(parameters json.RawMessage, id, text string) (values []json.RawMessage, known bool, err error) {
	var list []parameter
	if err := json.Unmarshal(parameters, &list); err != nil {
		return nil, false, fault.Wrap(err, "read parameters")
	}
	n := slices.IndexFunc(list, func(p parameter) bool { return p.ID == id })
	if n < 0 {
		return nil, false, nil
	}
	values = []json.RawMessage{}
	if list[n].Source != staticList {
		return values, true, nil
	}
	for _, v := range list[n].Config.Values {
		if !bytes.HasPrefix(v, []byte("[")) {
			v = slices.Concat([]byte("["), v, []byte("]"))
		}
		if holds(v, text) {
			values = append(values, v)
		}
	}
	return values, true, nil
}

// holds reports whether a value or its label holds a text, in any case.
func holds(v json.RawMessage, text string) bool {
	var words []any
	if json.Unmarshal(v, &words) != nil {
		return false
	}
	return slices.ContainsFunc(words, func(word any) bool {
		return strings.Contains(strings.ToLower(fmt.Sprint(word)), strings.ToLower(text))
	})
}

// Values returns the values that a parameter of a card offers (see Offered). It
// returns NotFound, Forbidden, and Invalid for a parameter that the card does
// not have.
func (s *Service) Values(ctx context.Context, who *access.Principal, id int64, parameterID, text string) ([]json.RawMessage, error) {
	c, err := s.Get(ctx, who, id)
	if err != nil {
		return nil, err
	}
	values, known, err := Offered(c.Parameters, parameterID, text)
	if err == nil && !known {
		err = fault.New(fault.Invalid, "Card does not have a parameter with the ID %q.", parameterID)
	}
	return values, err
}

package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// parameterValues is a parameter with the list that its values come from.
type parameterValues struct {
	Parameter
	Source string `json:"values_source_type"`
	Config struct {
		Values []JSON `json:"values"`
	} `json:"values_source_config"`
}

// staticList is the source of a parameter whose values are written down.
const staticList = "static-list"

// Values returns the values that a parameter offers, each as a list of the
// value and, where there is one, its label; with text only those that hold it,
// in any case. Values of columns and questions are not offered. It returns
// NotFound, Forbidden, and Invalid for a parameter that the dashboard does not
// have.
func (s *Service) Values(ctx context.Context, who *access.Principal, id int64, parameterID, text string) ([]JSON, error) {
	d, err := s.Get(ctx, who, id)
	if err != nil {
		return nil, err
	}
	var list []parameterValues
	if err := json.Unmarshal(d.Parameters, &list); err != nil {
		return nil, fault.Field("parameters", wantParameters)
	}
	n := slices.IndexFunc(list, func(p parameterValues) bool { return p.ID == parameterID })
	if n < 0 {
		return nil, noParameter(parameterID)
	}
	out := []JSON{}
	if list[n].Source != staticList {
		return out, nil
	}
	for _, v := range list[n].Config.Values {
		if len(v) > 0 && v[0] != '[' {
			v = slices.Concat(JSON("["), v, JSON("]"))
		}
		if holds(v, text) {
			out = append(out, v)
		}
	}
	return out, nil
}

// holds reports whether a value or its label holds a text, in any case.
func holds(v JSON, text string) bool {
	var words []any
	if json.Unmarshal(v, &words) != nil {
		return false
	}
	return slices.ContainsFunc(words, func(word any) bool {
		return strings.Contains(strings.ToLower(fmt.Sprint(word)), strings.ToLower(text))
	})
}

func noParameter(id string) error {
	return fault.New(fault.Invalid, "Dashboard does not have a parameter with ID %q.", id)
}

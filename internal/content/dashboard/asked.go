package dashboard

import (
	"context"
	"encoding/json"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// Asked is a value that somebody gives a parameter of a dashboard.
type Asked struct {
	ID      string
	Type    string // that of the parameter when empty
	Value   JSON
	Options JSON
}

// Bound is such a value with what of the question it acts on.
type Bound struct {
	Asked
	Target JSON
}

// parameterDefault is a parameter with the value that it has when none is given.
type parameterDefault struct {
	Parameter
	Default JSON `json:"default"`
}

// Bind finds what the parameters of a dashboard do to a question at one place:
// those that are given, and the defaults of others. A parameter that is not
// mapped to the question does nothing. It returns NotFound for a dashcard that
// is not on the dashboard or does not show the question, Forbidden, and Invalid
// for a parameter that the dashboard does not have (contract/content-data.md
// 4.5).
func (s *Service) Bind(ctx context.Context, who *access.Principal, id, dashcardID, cardID int64, asked []Asked) ([]Bound, error) {
	d, err := s.Get(ctx, who, id)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(d.Cards, func(c Dashcard) bool { return c.ID == dashcardID })
	if at < 0 || !slices.Contains(d.Cards[at].cards(), cardID) {
		return nil, fault.New(fault.NotFound, "Not found.")
	}
	targets, err := d.Cards[at].targets(cardID)
	if err != nil {
		return nil, err
	}
	return d.bind(targets, asked)
}

// targets returns what of a question the parameters act on at a place, by
// their ids.
func (c Dashcard) targets(cardID int64) (map[string][]JSON, error) {
	mappings, err := readMappings(c.Mappings)
	out := map[string][]JSON{}
	for _, m := range mappings {
		if m.CardID == nil && *c.CardID == cardID || m.CardID != nil && *m.CardID == cardID {
			out[m.ParameterID] = append(out[m.ParameterID], m.Target)
		}
	}
	return out, err
}

func (d *Dashboard) bind(targets map[string][]JSON, asked []Asked) ([]Bound, error) {
	var declared []parameterDefault
	if err := json.Unmarshal(d.Parameters, &declared); err != nil {
		return nil, fault.Wrap(err, "read parameters of a dashboard")
	}
	given := map[string]bool{}
	var out []Bound
	bind := func(a Asked) {
		for _, target := range targets[a.ID] {
			out = append(out, Bound{a, target})
		}
	}
	for _, a := range asked {
		n := slices.IndexFunc(declared, func(p parameterDefault) bool { return p.ID == a.ID })
		if n < 0 {
			return nil, noParameter(a.ID)
		}
		if a.Type == "" {
			a.Type = declared[n].Type
		}
		given[a.ID] = true
		bind(a)
	}
	for _, p := range declared {
		if !given[p.ID] && len(p.Default) > 0 && string(p.Default) != "null" {
			bind(Asked{ID: p.ID, Type: p.Type, Value: p.Default})
		}
	}
	return out, nil
}

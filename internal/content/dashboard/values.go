package dashboard

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content/card"
	"latchkey/internal/fault"
)

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
	out, known, err := card.Offered(d.Parameters, parameterID, text)
	if err == nil && !known {
		err = noParameter(parameterID)
	}
	return out, err
}

func noParameter(id string) error {
	return fault.New(fault.Invalid, "Dashboard does not have a parameter with ID %q.", id)
}

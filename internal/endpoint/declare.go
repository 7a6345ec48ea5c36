package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Answers makes a successful answer with a body bear another status than 200,
// such as 201 for a route that creates.
func (e Endpoint) Answers(status int) Endpoint {
	e.status = status
	return e
}

// Pages names the parameters of paging that the route reads: some of limit,
// offset and page. It is for the documents, and for dialects that refuse
// parameters which mean nothing.
func (e Endpoint) Pages(names ...string) Endpoint {
	e.paging = names
	return e
}

// CheckPaging refuses parameters of paging that the route does not read, as
// CompileStrict does for all others. It returns a *ValidationError, or nil.
func (e Endpoint) CheckPaging(c *Call) error {
	var wrong []FieldProblem
	query := c.Request.URL.Query()
	for _, name := range pagingNames() {
		if query.Has(name) && !slices.Contains(e.paging, name) {
			wrong = append(wrong, unknownField(name))
		}
	}
	if wrong == nil {
		return nil
	}
	return &ValidationError{Part: Query, Fields: wrong}
}

// Media is a Responder that names, for OpenAPI, the type of what it writes.
// The method is called on the zero value.
type Media interface {
	MediaType() string
}

// checkOptions says what is wrong with what Answers and Pages were given.
func (e Endpoint) checkOptions() error {
	known := pagingNames()
	for _, name := range e.paging {
		if !slices.Contains(known[:], name) {
			return fmt.Errorf("%q is no parameter of paging", name)
		}
	}
	if e.status != 0 && (e.status < http.StatusOK || e.status >= http.StatusMultipleChoices) {
		return errors.New("the status of a success is from 200 to 299")
	}
	return nil
}

package v1

import (
	"slices"

	"latchkey/internal/apikey"
	"latchkey/internal/audit"
	"latchkey/internal/bulk"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/endpoint/docs"
	"latchkey/internal/group"
	"latchkey/internal/people"
	"latchkey/internal/usage"
)

// Services are what the routes call. All are required.
type Services struct {
	People *people.Service
	Groups *group.Service
	Audit  *audit.Log
	Keys   *apikey.Service
	Usage  *usage.Service
	Clock  clock.Clock
	Bulk   *bulk.Service
}

// Endpoints returns all routes of the domain.
func Endpoints(s Services) []endpoint.Endpoint {
	return slices.Concat(
		SelfEndpoints(s),
		KeyEndpoints(s),
		PersonalKeyEndpoints(s),
		PolicyEndpoints(s),
		SessionEndpoints(s.People),
		AuditEndpoints(s.Audit),
		BulkEndpoints(s.Bulk),
		PeopleImportEndpoints(s.Bulk),
	)
}

// Declared returns all routes under /v1, also those that the kernel answers
// itself, for those who need the declarations without a server.
func Declared(s Services) []endpoint.Endpoint {
	var a API
	return slices.Concat(Endpoints(s), a.explainEndpoints(), a.vocabularyEndpoints(), docs.New(docsOptions()).Endpoints())
}

// list is the envelope of a list that is not paged.
type list[T any] struct {
	Data []T `json:"data"`
}

// listOf shows every item.
func listOf[From, To any](items []From, show func(From) To) list[To] {
	out := list[To]{Data: make([]To, len(items))}
	for i, item := range items {
		out.Data[i] = show(item)
	}
	return out
}

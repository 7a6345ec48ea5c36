// Package endpoint lets a route be declared once, as data: method, path, typed
// input and output, policy and a line of documentation. Routing, decoding,
// validation, the policy check, the OpenAPI document and the generated test
// matrix all read that one declaration.
//
// Owns: Endpoint, Call, what a call names and writes (the tags kind and scope,
// Naming), Plan and the Explainer, which says how a call would be decided, the
// input schema and its rules, decoding with the wire's leniency
// (contract/identity.md 0.5), paging parameters (0.8), request bodies and their
// limits, the real address of a client behind trusted proxies, how a failure is
// logged, OpenAPI. Does
// not own: bodies of errors, headers, authentication and the order of checks
// around a route (the dialects: packages api and v1), nor who may do what
// (access).
package endpoint

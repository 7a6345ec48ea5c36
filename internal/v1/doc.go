// Package v1 speaks our own HTTP API under /v1, for what Metabase lacks. Its
// kernel is what every route shares: the order of checks, the one body of
// errors (application/problem+json, RFC 9457) with its table of stable codes,
// headers, and the documents. One file per resource declares endpoints on top
// of it.
//
// The API is versioned by its prefix: what was released under /v1 is never
// taken away (scripts/compat compares with the last version). Input is read
// strictly: a key or parameter that no declaration knows is refused.
//
// Owns: the wire under /v1: names, codes, statuses. Does not own: rules of the
// domain, SQL, who may do what (access), authentication (given as a function),
// how input is decoded (endpoint).
package v1

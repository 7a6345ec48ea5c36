// Package api speaks Metabase's HTTP API under /api. Its kernel is what every
// route shares: the order of checks (contract/identity.md 0.1), bodies of
// errors (0.3 to 0.7), headers (0.9), cross-origin rules, health and the
// documents. One file per resource declares endpoints on top of it.
//
// Owns: Metabase's wire, and nothing but the wire: names, texts, statuses.
// Does not own: rules of the domain, SQL, who may do what (access),
// authentication (given as a function), how input is decoded (endpoint).
package api

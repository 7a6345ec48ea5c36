// Package preauth sends every kind of nonsense to the routes that answer
// callers who have not signed in: every field and parameter with every JSON
// type, broken bodies, broken headers. A server that takes an object where a
// text belongs, or that fails inside, gives itself away here
// (CVE-2026-72898 and its kind).
//
// Every route under /v1 gets the same, whoever it is for, and so do the metrics.
//
// Whatever is sent, the answer is one of a few statuses, is short, shows no
// stack and no secret, and nothing is stored.
package preauth

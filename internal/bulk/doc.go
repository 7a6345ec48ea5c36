// Package bulk does many things in one call: the operations of POST /v1/bulk
// and the lines of POST /v1/people/import.
//
// Owns: how a list of steps runs (all or nothing, or each for itself; for real
// or to be undone), what is reported of each step, and the table bulk_call,
// which keeps the answers of calls with an Idempotency-Key. Does not own: what
// a step does and who may do it. Each step calls the service that the single
// call of it would call, and is judged as that single call would be, so that
// doing much at once is never a way around a restriction.
package bulk

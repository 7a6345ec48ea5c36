// Package access is the one place that decides what a principal may do: first
// what its groups allow, then, for keys, what their restriction leaves of that.
//
// Owns: Principal, Policy, Scope, the kinds of resources, Restriction and the
// Limits that are made of it, Judge and Decide, Explain, and the in-memory
// principals that follow the change log. Does not own: people, groups, keys or
// their tables; it speaks of kinds and ids only, and packages above give it
// loaders and the declared routes (Vocabulary).
package access

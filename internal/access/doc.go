// Package access is the one place that decides what a principal may do.
//
// Owns: Principal, Policy, Scope, Decide, and the in-memory principals that
// follow the change log. Does not own: people, groups, keys or their tables;
// it speaks of kinds and ids only, and packages above give it loaders.
package access

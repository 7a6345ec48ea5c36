// Package revision keeps the earlier states of questions and dashboards: what
// each change left, who made it, what it changed in words, and the way back.
//
// Owns: the table revision, the words of changes, and that of each item only
// the newest hundred stay. Does not own: what the state of a kind is, nor how
// it is written again: each kind registers that (content/card,
// content/dashboard).
package revision

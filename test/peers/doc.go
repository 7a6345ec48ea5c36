// Package peers proves, row by row, what Latchkey does of the feature table
// against which it is compared with other systems: each subtest is named after
// its row and uses the built program from outside, as its users do.
//
// docs/comparison.md has the same rows. Rows that are not proven yet are in the
// list of open ones, here and there.
package peers

// Package guard_test attacks the built program: by content that somebody may
// not see, with keys that are bound, and by queries that take too much.
package guard_test

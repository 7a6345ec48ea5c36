// Package bulk tests bulk calls of a running server against the single calls
// that do the same: what a caller may not do in one way must not be possible in
// the other.
package bulk

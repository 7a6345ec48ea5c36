// Package cluster tests that processes on the same data follow each other:
// two servers on one PostgreSQL, and a command beside a server on one SQLite
// file. What one changes, the other knows within a second; what one counts,
// the other counts on; what kills one does not touch the other.
//
// It drives the built program. That a revoking call returns only when every
// node has applied it is not promised here, and so not tested here.
package cluster

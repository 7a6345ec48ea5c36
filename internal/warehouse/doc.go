// Package warehouse is the customers' databases that are connected: which there
// are, how to reach them, and what is known of their tables and fields.
//
// Owns: the tables warehouse_*, the open connections, the sync of tables and
// fields, and the sample database. Does not own: how a kind of database is
// spoken to (engine and the packages below it), who may read one (access), or
// running queries (query).
package warehouse

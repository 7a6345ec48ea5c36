// Package engine is what the house knows of customers' databases: one interface
// that each kind of database implements in a package of its own below this one.
//
// Owns: the interface, what a description of tables and columns looks like, the
// types of columns, and how failures are told apart. Does not own: which
// databases are connected (warehouse), who may read them (access), or what a
// query means before it is SQL (query).
package engine

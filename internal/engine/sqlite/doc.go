// Package sqlite reads customers' SQLite files. A file is opened read-only, and
// four things keep it so: the mode of the file, the pragma query_only, limits of
// the connection (nothing can be attached), and an authorizer that lets
// statements read and nothing else.
//
// Owns: connections to SQLite files, their description, types and failures.
// Does not own: which files are connected (warehouse).
package sqlite

// Package dbtest gives tests an empty, migrated database of each kind: SQLite
// in the test's temporary directory, and PostgreSQL from a private server that
// is started once per test process and ends with it.
//
// Owns: the private PostgreSQL server of a test process, a fresh database per
// test. Does not own: the schema (package db) or any content (each package's
// tests make their own).
package dbtest

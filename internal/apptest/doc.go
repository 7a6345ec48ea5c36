// Package apptest starts the whole program inside a test: the built binary, on
// a port of its own, with data in the test's temporary directory.
//
// Owns: building and starting the binary, and a small client. Does not own:
// databases for package tests (apptest/dbtest).
package apptest

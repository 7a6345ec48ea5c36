// Package snippet is the pieces of SQL that questions share: a query takes one
// in by writing {{snippet: Name}} (contract/content-data.md 8.2, 6.6).
//
// Owns: the table snippet, and what a snippet may be called.
//
// Does not own: names, places and the trash (package content), putting
// snippets into queries (package query).
package snippet

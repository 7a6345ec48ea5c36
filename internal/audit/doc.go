// Package audit keeps the record of who changed what: appended in the same
// transaction as the change, each entry hash-chained to the one before.
//
// Owns: the audit table, the chain. Does not own: what is worth an entry;
// each domain package appends its own.
package audit

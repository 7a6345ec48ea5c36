// Package audit keeps the record of who changed what: appended in the same
// transaction as the change, each entry hash-chained to the one before.
//
// Owns: the tables audit and audit_anchor, the chain and its proof, retention.
// Does not own: what is worth an entry (each domain package appends its own),
// nor who may read the log. Package access stands on this one, so it cannot be
// asked here: whoever lets others call List, Count, Export or Head admits
// administrators only, by a route policy of the kind "audit".
package audit

// Package content is what lies in collections: the collections themselves, the
// trash, and the record that every kind of content shares.
//
// Owns: the tables item, item_sequence, collection and collection_root; names,
// places, positions, archiving, restoring and deleting of everything; personal
// collections; the permission graph of collections; lists of items. It gives
// package access the collections on which decisions stand. Packages below it
// (content/card, content/dashboard and so on) own the particulars of one kind
// each, in tables whose rows refer to item(no) and go with it.
//
// Does not own: who may do what (access.Collections decides), people and
// groups, connected databases, running queries.
package content

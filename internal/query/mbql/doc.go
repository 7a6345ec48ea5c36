// Package mbql is the text of a query: reading it, checking it, and turning it
// from the one form into the other. A query comes in two forms and goes out in
// two forms (contract/content-data.md 6.6): MBQL 5, a list of stages, and the
// legacy form, an inner query nested in another.
//
// Read takes either form. Inside, a query is always MBQL 5, so whoever works
// with it knows one form only; the text that was sent is kept beside it, with
// all its keys, in their order.
//
// Owns: both forms, the conversion, template tags and where they stand in the
// SQL, and what a query refers to. Does not own: running a query, the values of
// its parameters, or whether the tables and cards it names exist.
//
// # What counts as the same
//
// The conversion loses nothing but what says nothing. Same compares queries
// after these are made alike:
//   - lib/uuid and the other keys in lib/ (and lib.…/, metabase.lib.…/) that
//     programs leave in a query; an aggregation is referred to by its position;
//   - the order of keys; keys of a stage that are null or an empty list;
//   - a filter or join condition that is an "and" is the list of its parts;
//   - the types of a clause that is no reference, which follow from it; the
//     effective-type of a reference that has no base-type or the same; the type of
//     a value that is what it looks like, and whether such a value stands bare;
//   - whether a join that has no alias of its own has the one it gets (__join);
//   - a join with a query that is nothing but a table or card;
//   - the forms of fields, names and sorting from before Metabase 0.39, which
//     are read and never written.
package mbql

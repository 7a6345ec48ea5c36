// Package export writes rows as files, one row at a time, so that a file of a
// million rows needs no more memory than one of ten.
//
// Owns: the formats, and how values look in them. Does not own: where rows come
// from (query), or the headers of an answer (api).
package export

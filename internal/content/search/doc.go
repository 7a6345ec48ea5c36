// Package search finds content by words (contract/content-data.md 8.1).
//
// Owns: the table item_words, which triggers of the database keep; how words
// are matched and what comes first.
//
// Does not own: what is found. It reads the tables item and card, decides by
// access.Collections inside the query, so that nothing that may not be seen is
// ever counted, and gets tables and databases from whoever owns them.
package search

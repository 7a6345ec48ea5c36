// Package card is questions, models and metrics: a query with how its result
// is shown.
//
// Owns: the tables card and card_reference, what a card may be, its copies,
// what a change leaves in the log of revisions, and which cards a query may
// refer to. Does not own: the record that it shares with all content (content),
// the text of a query (query/mbql), whether somebody may run a query and what
// its columns are (package query, by functions that are given at wiring), and
// the dashboards that show cards (content/dashboard, likewise).
package card

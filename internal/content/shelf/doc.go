// Package shelf is what people keep at hand: bookmarks, and what they looked
// at or chose last (contract/content-data.md 8.2).
//
// Owns: the tables bookmark and recent. Views are gathered in memory and
// written every few seconds, so that no read waits for a write.
//
// Does not own: the items and how often they were looked at (package content).
package shelf

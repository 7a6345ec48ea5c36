// Package timeline is timelines and the events on them
// (contract/content-data.md 8.2).
//
// Owns: the tables timeline and timeline_event; events with their times and
// icons.
//
// Does not own: names, places and the trash of timelines (package content).
package timeline

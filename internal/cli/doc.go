// Package cli is the commands of the program: it reads what was asked for,
// wires the house together and runs it.
//
// Owns: the list of commands, the wiring (open), exit codes. Does not own: any
// rule; a command calls the same domain functions as the API and the pages.
package cli

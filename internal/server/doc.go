// Package server puts the handlers behind listeners: it finds out who calls,
// starts, drains and stops.
//
// Owns: the authenticator, the listener, the life of the process. Does not
// own: any route or rule.
package server

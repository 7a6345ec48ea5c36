// Package people is users, their passwords and sessions, and set-up.
//
// Owns: the tables users, session and throttle; who may see and change a user;
// password rules and hashing; signing in and out; reset links; the first
// administrator; the users that stand behind API keys (their rows, not their
// keys). It gives package access the subjects on which principals stand.
//
// Does not own: groups and memberships (package group; the table membership is
// read here in joins and written only there), API keys (package apikey),
// cookies and headers (packages api and web), instance settings and mail.
package people

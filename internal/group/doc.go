// Package group is permission groups and who belongs to them.
//
// Owns: the tables permission_group and membership, the rules of the magic
// groups, the kept member counts, and the in-memory snapshot that lists and
// decisions read. Does not own: people (it reads users.active to count, and
// never writes users) or what a group may do.
package group

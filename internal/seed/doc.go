// Package seed brings an instance to what a file says: groups, people with
// their memberships, policies for keys, and keys whose secrets come from
// elsewhere or are known by their digest alone. It also makes the key of the
// first start.
//
// Owns: the form of the file, the comparison with what is there, the table
// seed_item, which remembers what files made. Does not own: any rule of groups,
// people or keys; it calls the same functions as the API and the pages.
package seed

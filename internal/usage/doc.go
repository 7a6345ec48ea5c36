// Package usage counts what keys did.
//
// Owns: the tables usage_*: exact counters by hour, the last use of each
// secret, refusals, resources touched, fields written, addresses, and sampled
// requests. Does not own: keys, or what they may do (packages apikey and
// access), nor who may see what is counted here: no read of this package is
// authorised, its callers ask for access to the key first.
//
// Record is on the path of every request with a key: it only counts in memory.
// What it counted is written in batches by Run, FlushNow and Close. A batch
// has a number that is written with it, so a batch whose commit got lost on
// the way is never written twice.
package usage

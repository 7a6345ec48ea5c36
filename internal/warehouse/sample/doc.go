// Package sample makes the sample database: a small shop with products, people,
// orders and reviews. All of it is invented, and the same on every machine.
//
// Owns: what the sample database holds. Does not own: where its file lies and
// when it is made (warehouse).
package sample

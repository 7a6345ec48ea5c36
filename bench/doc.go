// Command bench measures the first five budgets of Latchkey on this machine
// and prints them as a table. docs/performance.md says what each row means.
//
// Owns: the load generator, the seeded databases, the report. Does not own:
// any rule of the product. It builds the binary and drives it from outside;
// only the rows that are "in process" call packages of the product, and only
// seed.go writes tables of the product by itself.
package main

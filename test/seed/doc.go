// Package seed drives the built program with seed files, on both databases.
package seed

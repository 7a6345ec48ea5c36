// Package query runs queries on connected databases.
//
// Owns: the values of parameters and how they get into SQL, the limits of rows
// and time, failures, and results as streams. Does not own: the text of a query
// (mbql), connections (engine, warehouse), saved questions and snippets, which
// it is given as functions, or the form of any answer.
package query

// Package config reads what an operator has set: flags over environment
// variables over the YAML file over the defaults.
//
// Owns: the table of options, their spelling in the three places, parsing and
// checks of single values, the Config struct, the help and reference texts
// made from the table. Does not own: what an option does (the package that is
// given its value), settings that people change while the server runs (package
// setting), the making of the pepper file (package apikey).
package config

// Package setting holds the settings of the instance: one table of
// definitions, their values in force, and their changes.
//
// A value comes from the configuration, else from what an administrator
// stored, else from the definition's default. Values are read from memory,
// which follows the change log.
//
// Owns: the table of settings with kinds, defaults, visibility and checks; the
// table "setting" in the database; the lists that settings choose from
// (locales, time zones); the names of the paid features that are off. Does not
// own: options of the program (config), what a setting causes (the packages
// that read it), or facts that clients expect among the settings but that
// nobody sets, such as the version (api).
package setting

// Package db keeps our own data, in SQLite or PostgreSQL.
//
// Owns: connections, transactions, the small dialect, migrations, and the
// change log with its followers. Does not own: any table's meaning; each
// domain package writes its own SQL, once, with ?1 placeholders.
package db

package sqlite

import (
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// What SQLite may take of memory, in bytes, all connections of the process
// together. Above the first, queries are stopped where they can be; at the
// second, SQLite gives out no more, so that a statement which asks for
// gigabytes within one row fails and the server lives. Between the two there is
// room for our own database.
const (
	stopHeap = 160 << 20
	maxHeap  = 256 << 20
)

// LimitMemory makes SQLite count and bound the memory that it takes. It must be
// called before the first database is opened; later it bounds nothing. It
// reports whether memory is counted.
func LimitMemory() bool {
	tls := libc.NewTLS()
	defer tls.Close()
	args := libc.Xmalloc(tls, 8)
	if args == 0 {
		return false
	}
	defer libc.Xfree(tls, args)
	sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_MEMSTATUS, libc.VaList(args, int32(1)))
	sqlite3.Xsqlite3_hard_heap_limit64(tls, maxHeap)
	p := sqlite3.Xsqlite3_malloc(tls, 1)
	defer sqlite3.Xsqlite3_free(tls, p)
	return heapUsed(tls) > 0
}

// heapUsed returns how much memory SQLite has taken, 0 when nobody counts.
func heapUsed(tls *libc.TLS) int64 { return sqlite3.Xsqlite3_memory_used(tls) }

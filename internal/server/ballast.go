package server

// ballastSize is how much the heap may grow beyond its double before it is
// collected. It makes collections rarer by three on a small instance.
const ballastSize = 8 << 20

// Ballast is memory that is never touched, so it takes no place; but the
// collector counts it. Without it a small instance, whose heap is 4 MB, spends
// a tenth of its time under load on collecting 4 MB again and again. The
// caller keeps it alive (runtime.KeepAlive) for as long as the server runs.
type Ballast struct{ bytes []byte }

// NewBallast returns the ballast of this process. It is to be called first:
// memory that was in use before would be cleared, and so touched.
func NewBallast() *Ballast { return &Ballast{make([]byte, ballastSize)} }

package server

import (
	"os"
	"runtime"
)

// ballastSize is how much sooner than at its double the heap would be
// collected without the ballast.
const ballastSize = 8 << 20

// fewCores is where a machine begins to be large enough to be left alone.
const fewCores = 4

// Tune fits Go's runtime to a small machine, until the function that it
// returns is called. It is to be called before anything else (make bench shows
// both effects).
//
// The ballast is memory that is never touched, so it takes no place, but the
// collector counts it. Without it an instance whose heap is 4 MB spends a
// tenth of its time under load on collecting these 4 MB again and again.
//
// On a machine of few cores Go runs as many goroutines at once as there are
// cores. When the system takes a core away for another program, the requests
// that wait in line behind the one that was interrupted wait with it, up to 10
// ms. Twice as many lines let them go on. GOMAXPROCS in the environment is
// obeyed.
func Tune() (end func()) {
	ballast := make([]byte, ballastSize)
	if n := runtime.NumCPU(); n < fewCores && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * n)
	}
	return func() { runtime.KeepAlive(ballast) }
}

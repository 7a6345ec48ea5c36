package server_test

import (
	"runtime"
	"testing"

	"latchkey/internal/server"
)

func TestTune(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	t.Setenv("GOMAXPROCS", "1")
	server.Tune()()
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("GOMAXPROCS in the environment is not obeyed: %d", got)
	}
	t.Setenv("GOMAXPROCS", "")
	server.Tune()()
	want := before
	if n := runtime.NumCPU(); n < 4 {
		want = 2 * n
	}
	if got := runtime.GOMAXPROCS(0); got != want {
		t.Errorf("%d goroutines run at once on %d cores, want %d", got, runtime.NumCPU(), want)
	}
}

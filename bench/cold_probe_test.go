package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
)

func TestProbe(t *testing.T) {
	p := place{"/tmp/latchkey-bench-1000000-aa8c150b-1", 1000000}
	c, err := p.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 { runtime.GC(); runtime.GC(); var m runtime.MemStats; runtime.ReadMemStats(&m); return m.HeapAlloc }
	h := heap()
	runtime.MemProfileRate = 512
	for i := 0; i < 90000; i++ {
		if who, _, _ := c.verifier.Verify(context.Background(), p.key(i)); who == nil {
			t.Fatal("no")
		}
	}
	fmt.Println("per key", float64(heap()-h)/90000)
	f, _ := os.Create("/tmp/heap.prof")
	pprof.WriteHeapProfile(f)
	f.Close()
	runtime.KeepAlive(c)
}

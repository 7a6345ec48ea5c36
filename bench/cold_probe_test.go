package main

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	for _, p := range []place{{"/tmp/latchkey-bench-1000-aa8c150b-1", 1000}, {"/tmp/latchkey-bench-1000000-aa8c150b-1", 1000000}} {
		c, err := p.open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for r := 0; r < 8; r++ {
			took, err := c.lookups(context.Background(), p, r*100)
			if err != nil {
				t.Fatal(err)
			}
			m := median(took)
			fmt.Println(p.keys, r, m, took[0], took[90])
			time.Sleep(10 * time.Millisecond)
		}
		if p.keys > 1000 {
			for r := 8; r < 500; r++ {
				if _, err := c.lookups(context.Background(), p, r*100); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.db.Close()
	}
}

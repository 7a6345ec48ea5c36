package sqlite_test

import (
	"context"
	"testing"
	"time"

	"latchkey/internal/engine"
)

// TestTurns takes all places, lets others wait for one, and frees places by
// the end of a caller: who came first goes first, who leaves is passed over,
// and who waits too long is told so.
func TestTurns(t *testing.T) {
	t.Parallel() // most of it is waiting
	d := open(t, shop(t))
	var leave []context.CancelFunc
	ended := make(chan error, 4)
	for range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		leave = append(leave, cancel)
		go func() {
			_, err := all(ctx, d, endless)
			ended <- err
		}()
	}
	time.Sleep(200 * time.Millisecond)
	gone, goAway := context.WithCancel(t.Context())
	type answer struct {
		who int
		err error
	}
	answers := make(chan answer, 4)
	for who, ctx := range []context.Context{gone, t.Context(), t.Context()} {
		go func() {
			_, err := all(ctx, d, "SELECT 1")
			answers <- answer{who, err}
		}()
		time.Sleep(50 * time.Millisecond)
	}
	goAway()
	if a := <-answers; a.who != 0 || engine.KindOf(a.err) != engine.Cancelled {
		t.Errorf("the one that left: %+v", a)
	}
	began := time.Now()
	leave[0]()
	if err := <-ended; engine.KindOf(err) != engine.Cancelled {
		t.Errorf("the query of a caller that left: %v", err)
	}
	for who := 1; who <= 2; who++ {
		if a := <-answers; a.who != who || a.err != nil {
			t.Errorf("number %d: %+v", who, a)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a place was free after %s", took)
	}
	go func() { _, _ = all(t.Context(), d, endless) }()
	time.Sleep(200 * time.Millisecond)
	began = time.Now()
	_, err := all(t.Context(), d, "SELECT 1")
	if took := time.Since(began); engine.KindOf(err) != engine.Busy || took < 5*time.Second || took > 30*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	for _, f := range leave {
		f()
	}
}

// Package clock passes time in, so that tests can move it.
//
// Owns: the Clock type and the precision of stored times. Does not own: time
// formats of any wire.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. The zero value is not usable: take System or a Fake.
type Clock interface {
	// Now returns the current time in UTC, truncated to microseconds, which
	// is what both databases store.
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Fake is a clock that tests move. It is safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a fake clock that stands at t.
func NewFake(t time.Time) *Fake { return &Fake{now: t.UTC().Truncate(time.Microsecond)} }

// Now implements Clock.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d, which may be negative.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

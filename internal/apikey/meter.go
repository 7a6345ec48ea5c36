package apikey

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/access"
)

// Allowance is what is left of a limit at one check.
type Allowance struct {
	Limit     int64         // requests in a window
	Window    time.Duration // its length
	Remaining int64
	Reset     time.Duration // until the next window
}

// Set reports whether there is a limit at all.
func (a Allowance) Set() bool { return a.Limit > 0 }

// meter counts requests in fixed windows, without a lock: the number of the
// window and the count share one word.
type meter struct {
	limit  int64
	window int64 // seconds
	state  atomic.Uint64
}

const countBits = 32

// maxSetBack is how far a clock may be set back before a quota goes back to the
// period before.
const maxSetBack = time.Minute

func newMeter(r *access.RateLimit) *meter {
	return &meter{limit: r.Requests, window: r.Seconds}
}

// same reports whether the meter goes on for a rate, so that a change of the
// key does not give it a fresh window.
func (m *meter) same(r *access.RateLimit) bool {
	return m.limit == r.Requests && m.window == r.Seconds
}

// take counts one request, if the window has room for it.
func (m *meter) take(now int64) (Allowance, bool) {
	secs := now / int64(time.Second/time.Microsecond)
	window := uint64(secs / m.window)
	a := Allowance{
		Limit: m.limit, Window: time.Duration(m.window) * time.Second,
		Reset: time.Duration(m.window-secs%m.window) * time.Second,
	}
	for {
		old := m.state.Load()
		count := m.used(old, &window)
		ok := count < m.limit
		if ok {
			count++
		}
		next := window<<countBits | uint64(count)
		if next == old || m.state.CompareAndSwap(old, next) {
			a.Remaining = m.limit - count
			return a, ok
		}
	}
}

// used returns how many requests of the window a state has counted. A clock
// that is set back a little finds the next window, and stays in it. From one
// that had jumped ahead the count goes on in this window: it gives no fresh
// one, and does not close the key until that time.
func (m *meter) used(state uint64, window *uint64) int64 {
	kept, count := state>>countBits, int64(state&(1<<countBits-1))
	switch {
	case kept < *window:
		return 0
	case kept == *window+1:
		*window = kept
	}
	return count
}

// quota counts requests in a calendar day or month (UTC), together with what
// other nodes have counted.
type quota struct {
	keyID int64
	rule  access.Quota
	count func(ctx context.Context, keyID int64, since time.Time) (int64, error)

	mu      sync.Mutex
	start   time.Time // of the period that base belongs to
	base    int64     // used in the period when it was read
	since   int64     // used here after that
	read    time.Time
	reading bool
}

// rereadGap is how long a node goes on without asking what others have counted.
const rereadGap = 15 * time.Second

// bounds returns the period that a time lies in.
func (q *quota) bounds(now time.Time) (start, end time.Time) {
	y, m, d := now.UTC().Date()
	if q.rule.Period == "month" {
		start = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		return start, start.AddDate(0, 1, 0)
	}
	start = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return start, start.AddDate(0, 0, 1)
}

// take counts one request, if the period has room for it. Before the first
// one it reads what was used; later readings run beside the requests.
func (q *quota) take(ctx context.Context, now time.Time) (Allowance, bool, error) {
	start, end := q.bounds(now)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.start.Before(start) || now.Before(q.start.Add(-maxSetBack)) {
		used, err := q.count(ctx, q.keyID, start)
		if err != nil {
			return Allowance{}, false, err
		}
		q.start, q.base, q.since, q.read = start, used, 0, now
	}
	if now.Sub(q.read) > rereadGap && !q.reading {
		q.reading = true
		go q.reread(context.WithoutCancel(ctx), q.start, now)
	}
	used := q.base + q.since
	a := Allowance{
		Limit: q.rule.Requests, Window: end.Sub(start),
		Remaining: max(0, q.rule.Requests-used-1), Reset: end.Sub(now),
	}
	if used >= q.rule.Requests {
		return a, false, nil
	}
	q.since++
	return a, true, nil
}

// reread takes over what all nodes have counted. What was used here meanwhile
// is in that number or still in since, never in neither.
func (q *quota) reread(ctx context.Context, start, now time.Time) {
	q.mu.Lock()
	before := q.since
	q.mu.Unlock()
	used, err := q.count(ctx, q.keyID, start)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reading = false
	if err != nil || !q.start.Equal(start) {
		return
	}
	// The requests under way are counted when they are answered, so the number
	// may lag behind what was let through here: never go below that.
	q.base, q.since, q.read = max(used, q.base+before), q.since-before, now
}

// meters keeps the counts of limited keys when their states are read anew.
type meters struct {
	mu     sync.Mutex
	rates  map[int64][]*meter
	quotas map[int64]*quota
}

// metersKept bounds memory. When it is reached all counts begin anew.
const metersKept = 100_000

func (m *meters) room() {
	if m.rates == nil || len(m.rates)+len(m.quotas) > metersKept {
		m.rates, m.quotas = map[int64][]*meter{}, map[int64]*quota{}
	}
}

// ofRates returns the meters of a key, one for each rate that holds for it. A
// meter goes on while its rate stays the same.
func (m *meters) ofRates(keyID int64, rates []access.RateLimit) []*meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room()
	if len(rates) == 0 {
		delete(m.rates, keyID)
		return nil
	}
	var out []*meter
	for i := range rates {
		at := slices.IndexFunc(m.rates[keyID], func(old *meter) bool { return old.same(&rates[i]) })
		if at < 0 {
			out = append(out, newMeter(&rates[i]))
			continue
		}
		out = append(out, m.rates[keyID][at])
	}
	m.rates[keyID] = out
	return out
}

// ofQuota returns the meter of a key's quota, or nil without one.
func (m *meters) ofQuota(keyID int64, rule *access.Quota, count func(context.Context, int64, time.Time) (int64, error)) *quota {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room()
	if rule == nil {
		delete(m.quotas, keyID)
		return nil
	}
	if old := m.quotas[keyID]; old != nil && old.rule == *rule {
		return old
	}
	m.quotas[keyID] = &quota{keyID: keyID, rule: *rule, count: count}
	return m.quotas[keyID]
}

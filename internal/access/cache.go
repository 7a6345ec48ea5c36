package access

import (
	"context"
	"fmt"
	"sync"

	"latchkey/internal/audit"
	"latchkey/internal/db"
)

// Cache holds what was loaded from the database, by key, until the change log
// says that it changed. It is bounded: when full, it drops some entries, which
// are loaded again on their next use. It is safe for concurrent use.
//
// A load that runs while its entry is being invalidated is never stored, so a
// value that was read before a change is not served after it.
type Cache[K comparable, V any] struct {
	load  func(ctx context.Context, k K) (V, error)
	limit int
	mu    sync.RWMutex
	m     map[K]V
	epoch uint64 // counts invalidations
}

// NewCache returns a cache of at most limit entries. Errors of load are
// returned to the caller and not stored.
func NewCache[K comparable, V any](limit int, load func(ctx context.Context, k K) (V, error)) *Cache[K, V] {
	return &Cache[K, V]{load: load, limit: limit, m: map[K]V{}}
}

// Lookup returns the value that is in memory, without loading.
func (c *Cache[K, V]) Lookup(k K) (V, bool) {
	c.mu.RLock()
	v, ok := c.m[k]
	c.mu.RUnlock()
	return v, ok
}

// Get returns the value from memory, or loads it.
func (c *Cache[K, V]) Get(ctx context.Context, k K) (V, error) {
	c.mu.RLock()
	v, ok := c.m[k]
	before := c.epoch
	c.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := c.load(ctx, k)
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != before {
		return v, nil // something changed meanwhile: this request may use it, no other
	}
	c.makeRoom()
	c.m[k] = v
	return v, nil
}

// makeRoom drops an eighth of the entries when the cache is full. Map order
// picks them; what is hot comes back with one load.
func (c *Cache[K, V]) makeRoom() {
	if len(c.m) < c.limit {
		return
	}
	n := max(1, c.limit/8)
	for k := range c.m {
		delete(c.m, k)
		if n--; n == 0 {
			return
		}
	}
}

// Drop forgets one entry.
func (c *Cache[K, V]) Drop(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.m, k)
}

// DropWhere forgets all entries that match.
func (c *Cache[K, V]) DropWhere(match func(K, V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for k, v := range c.m {
		if match(k, v) {
			delete(c.m, k)
		}
	}
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	clear(c.m)
}

// Subject is what the database knows of a user: the ground on which a
// principal stands.
type Subject struct {
	UserID int64
	Kind   Kind // Person or ServiceKey
	Active bool
	Name   string
	Email  string
	Locale string
	Groups []int64 // sorted
}

// Subjects holds the users that were seen lately, and follows the change log.
type Subjects struct{ cache *Cache[int64, *Subject] }

// subjectsKept bounds memory: about 300 bytes each.
const subjectsKept = 1 << 16

// NewSubjects returns the subjects of a database. load reads one user with its
// groups; it returns nil for an unknown id.
func NewSubjects(d *db.DB, load func(ctx context.Context, userID int64) (*Subject, error)) *Subjects {
	s := &Subjects{cache: NewCache(subjectsKept, load)}
	d.Subscribe(s.apply)
	return s
}

func (s *Subjects) apply(changes []db.Change) {
	for _, c := range changes {
		switch c.Kind {
		case db.ChangedUser:
			s.cache.Drop(c.ID)
		case db.Reset:
			s.cache.Clear()
		}
	}
}

// Get returns a user. It returns nil for an unknown id.
func (s *Subjects) Get(ctx context.Context, userID int64) (*Subject, error) {
	v, err := s.cache.Get(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("load user %d: %w", userID, err)
	}
	return v, nil
}

// Actor returns the principal as the audit log names it.
func (p *Principal) Actor() audit.Actor {
	if p == nil {
		return audit.Actor{Kind: "anonymous", Name: "anonymous"}
	}
	return audit.Actor{Kind: p.Kind.String(), UserID: p.UserID, KeyID: p.KeyID, Name: p.Name}
}

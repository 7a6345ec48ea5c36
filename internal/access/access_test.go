package access_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

var (
	admin = &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{1, 2}}
	plain = &access.Principal{Kind: access.Person, UserID: 7, Groups: []int64{1, 5}}
	key   = &access.Principal{Kind: access.ServiceKey, UserID: 8, KeyID: 3, Groups: []int64{1}}
)

func TestDecide(t *testing.T) {
	const ok = fault.Kind(-1)
	self := access.Self("people", access.Read, "id")
	for _, c := range []struct {
		name string
		who  *access.Principal
		p    access.Policy
		self int64
		want fault.Kind
	}{
		{"public, anonymous", nil, access.Public("session", access.Read), 0, ok},
		{"signed in, anonymous", nil, access.Authenticated("people", access.Read), 0, fault.Unauthenticated},
		{"signed in, key", key, access.Authenticated("people", access.Read), 0, ok},
		{"admin, anonymous", nil, access.Admin("keys", access.Write), 0, fault.Unauthenticated},
		{"admin, plain", plain, access.Admin("keys", access.Write), 0, fault.Forbidden},
		{"admin, admin", admin, access.Admin("keys", access.Write), 0, ok},
		{"admin, command line", access.CommandLine(), access.Admin("keys", access.Write), 0, ok},
		{"self, anonymous", nil, self, 7, fault.Unauthenticated},
		{"self, the person", plain, self, 7, ok},
		{"self, another", plain, self, 1, fault.Forbidden},
		{"self, admin", admin, self, 7, ok},
		{"a policy that says nothing", admin, access.Policy{}, 0, fault.Forbidden},
	} {
		err := access.Decide(c.who, access.Request{Policy: c.p, Self: c.self})
		if got := fault.As(err); (c.want == ok) != (err == nil) || (err != nil && got.Kind != c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestIncompletePoliciesAreRefused(t *testing.T) {
	scope := access.Scope{Resource: "keys", Verb: access.Read}
	for name, p := range map[string]access.Policy{
		"empty": {}, "no callers": {Scope: scope}, "no scope": {Who: access.Admins},
		"no resource":  {Who: access.Admins, Scope: access.Scope{Verb: access.Read}},
		"odd verb":     {Who: access.Admins, Scope: access.Scope{Resource: "keys", Verb: "own"}},
		"self of whom": {Who: access.SelfOrAdmin, Scope: scope}, "self without need": {Who: access.Admins, Scope: scope, Self: "id"},
	} {
		if p.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := access.Self("people", access.Write, "id").Validate(); err != nil {
		t.Error(err)
	}
}

func TestActorNamesWhoActs(t *testing.T) {
	for want, p := range map[string]*access.Principal{"anonymous": nil, "person": plain, "api-key": key, "command-line": access.CommandLine()} {
		if got := p.Actor().Kind; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A value that was read before an invalidation is not served after it.
func TestCacheDropsWhatWasLoadedBeforeAChange(t *testing.T) {
	reading, changed := make(chan struct{}), make(chan struct{})
	var source atomic.Int64
	var once sync.Once
	c := access.NewCache(10, func(context.Context, string) (int64, error) {
		v := source.Load()
		once.Do(func() { close(reading); <-changed })
		return v, nil
	})
	done := make(chan struct{})
	go func() { defer close(done); _, _ = c.Get(context.Background(), "k") }()
	<-reading
	source.Store(1)
	c.Drop("k")
	close(changed)
	<-done
	if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
		t.Errorf("%d, %v: the value from before the change is served", v, err)
	}
}

func TestCacheIsBoundedAndKeepsNoErrors(t *testing.T) {
	loads := 0
	c := access.NewCache(100, func(_ context.Context, k int) (int, error) {
		loads++
		if k < 0 {
			return 0, errors.New("no")
		}
		return k * 2, nil
	})
	for range 3 {
		if _, err := c.Get(t.Context(), -1); err == nil {
			t.Error("the error is gone")
		}
	}
	if loads != 3 {
		t.Errorf("%d loads of an error, want 3", loads)
	}
	for k := range 1000 {
		if v, err := c.Get(t.Context(), k); v != k*2 || err != nil {
			t.Fatalf("%d: %d, %v", k, v, err)
		}
	}
	kept := 0
	for k := range 1000 {
		if _, ok := c.Lookup(k); ok {
			kept++
		}
	}
	if kept > 100 || kept < 50 {
		t.Errorf("%d entries are kept, want at most 100 and not few", kept)
	}
	c.DropWhere(func(k, _ int) bool { return k%2 == 0 })
	for k := 0; k < 1000; k += 2 {
		if _, ok := c.Lookup(k); ok {
			t.Fatalf("%d was dropped and is there", k)
		}
	}
	c.Clear()
	if _, ok := c.Lookup(999); ok {
		t.Error("an entry outlived Clear")
	}
}

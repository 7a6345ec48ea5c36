package apikey_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/opt"
)

// A new text works on every node from the moment it is shown, also where the
// key is in memory with its old text. Here the other node follows nothing.
func TestNewTextWorksOnAnotherNodeAtOnce(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place dbtest.Place) {
		src := apikey.PepperSource{Text: randomPepper()}
		a, b := open(t, place.Open(t), src), open(t, place.Open(t), src)
		k, old := a.create(t, "k", access.AllUsers)
		b.check(t, "the first text", old, apikey.Accepted)
		_, text, err := a.keys.Regenerate(t.Context(), admin, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		b.check(t, "the new text", text.Reveal(), apikey.Accepted)
		b.check(t, "the old text, once the new one was used", old, apikey.Retired)
		b.check(t, "the new text again", text.Reveal(), apikey.Accepted)
	})
}

// Every change on one node is in force on the other within a second.
func TestTwoNodes(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place dbtest.Place) {
		ctx, stop := context.WithCancel(t.Context())
		src := apikey.PepperSource{Text: randomPepper()}
		a, b := open(t, place.Open(t), src), open(t, place.Open(t), src)
		var follow sync.WaitGroup
		follow.Go(func() { b.db.Follow(ctx) })
		defer follow.Wait()
		defer stop()
		k, text := a.create(t, "k", access.Administrators)
		if p := b.check(t, "on the other node", text, apikey.Accepted); p == nil || !p.IsAdmin() {
			t.Fatalf("principal %+v", p)
		}
		within := func(what string, ok func(p *access.Principal) bool) {
			t.Helper()
			for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
				if c, err := b.verifier.Verify(ctx, text, here); err == nil && ok(c.Principal) {
					return
				}
			}
			t.Errorf("%s: not seen on the other node within a second", what)
		}
		if _, err := a.keys.Update(ctx, admin, k.ID, apikey.Change{GroupID: opt.Of(access.AllUsers)}); err != nil {
			t.Fatal(err)
		}
		within("move", func(p *access.Principal) bool { return p != nil && !p.IsAdmin() })
		if _, _, err := a.keys.Regenerate(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		within("regenerate", func(p *access.Principal) bool { return p == nil })
	})
}

// A node that has lost its database does not go on accepting what it has in
// memory: the other one may have ended the key.
func TestCutOffNodeTrustsNoMemory(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place dbtest.Place) {
		ctx, stop := context.WithCancel(t.Context())
		src := apikey.PepperSource{Text: randomPepper()}
		a, b := open(t, place.Open(t), src), open(t, place.Open(t), src)
		k, text := a.create(t, "k", access.AllUsers)
		b.check(t, "on the other node", text, apikey.Accepted)
		b.db.Close()
		if err := a.keys.Delete(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		var follow sync.WaitGroup
		follow.Go(func() { b.db.Follow(ctx) })
		defer follow.Wait()
		defer stop()
		for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if c, err := b.verifier.Verify(ctx, text, here); err != nil || c.Principal == nil {
				return
			}
		}
		t.Error("a node without a database accepts a key that was deleted")
	})
}

// While keys are created, moved, regenerated and deleted, no call that began
// after a change returned may see the state before it.
func TestNoStaleAnswer(t *testing.T) {
	n := open(t, dbtest.Open(t, dbtest.SQLite), apikey.PepperSource{Text: randomPepper()})
	ctx := t.Context()
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 8 {
				k, secretText, err := n.keys.Create(ctx, admin, fmt.Sprintf("k%d-%d", w, i), access.Administrators)
				if err != nil {
					t.Error(err)
					return
				}
				text := secretText.Reveal()
				var readers sync.WaitGroup
				stop := make(chan struct{})
				for range 2 {
					readers.Go(func() {
						for {
							select {
							case <-stop:
								return
							default:
								_, _ = n.verifier.Verify(ctx, text, here)
								time.Sleep(50 * time.Microsecond)
							}
						}
					})
				}
				if _, err := n.keys.Update(ctx, admin, k.ID, apikey.Change{GroupID: opt.Of(access.AllUsers)}); err != nil {
					t.Error(err)
				}
				if c, err := n.verifier.Verify(ctx, text, here); err != nil || c.Principal == nil || c.Principal.IsAdmin() {
					t.Errorf("after the move: %+v, %v", c.Principal, err)
				}
				if err := n.keys.Delete(ctx, admin, k.ID); err != nil {
					t.Error(err)
				}
				for range 3 {
					if c, err := n.verifier.Verify(ctx, text, here); err != nil || c.Principal != nil {
						t.Errorf("after the delete: %+v, %v", c.Principal, err)
					}
				}
				close(stop)
				readers.Wait()
			}
		})
	}
	all.Wait()
}

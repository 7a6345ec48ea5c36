package audit_test

import (
	"context"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/db"
)

// world is the log of one node.
type world struct {
	*audit.Log
	t     *testing.T
	d     *db.DB
	clock *clock.Fake
}

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// each runs a test on one node with each database.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		f(t, node(t, p, c))
	})
}

func node(t *testing.T, p dbtest.Place, c *clock.Fake) *world {
	t.Helper()
	d := p.Open(t, dbtest.WithClock(c))
	return &world{Log: audit.New(d), t: t, d: d, clock: c}
}

func person(id int64, name string) audit.Actor {
	return audit.Actor{Kind: "person", UserID: id, Name: name}
}

// add appends an entry and moves the clock by a minute.
func (w *world) add(who audit.Actor, e audit.Entry) {
	w.t.Helper()
	ctx := audit.WithOrigin(w.t.Context(), audit.Origin{RemoteAddr: "192.0.2.7", RequestID: "r1"})
	if err := w.Append(ctx, who, e); err != nil {
		w.t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
}

// fill appends n entries about groups.
func (w *world) fill(n int) {
	w.t.Helper()
	err := w.d.InTx(w.t.Context(), func(ctx context.Context) error {
		for i := range n {
			e := audit.Entry{Action: "group.create", ObjectKind: "group", ObjectID: int64(i + 1), ObjectName: "a group"}
			if err := w.Append(ctx, person(1, "Ada"), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(statements ...string) {
	w.t.Helper()
	for _, q := range statements {
		if _, err := w.d.Exec(w.t.Context(), q); err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
	}
}

func (w *world) head() audit.Head {
	w.t.Helper()
	h, err := w.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func ids(list []audit.Record) []int64 {
	out := []int64{}
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

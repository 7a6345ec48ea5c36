package usage_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/usage"
)

// TestNothingIsLostUnderLoad counts from many sides while it is written.
func TestNothingIsLostUnderLoad(t *testing.T) {
	const workers, records = 8, 10_000
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		var g sync.WaitGroup
		for w := range workers {
			g.Go(func() {
				for i := range records {
					s.Record(use(c.Now(), key(int64(1+i%5)), status(200+100*(w%4)), func(u *usage.Use) {
						u.Route = fmt.Sprintf("GET /api/%d", i%3)
						u.Refs = []access.Ref{{Kind: "people", ID: fmt.Sprint(i % 50)}}
					}))
				}
			})
		}
		g.Go(func() {
			for range 5 {
				flush(t, s)
			}
		})
		g.Wait()
		flush(t, s)
		for k := range int64(5) {
			counts(t, s, k+1, workers*records/5)
		}
		b, err := s.Series(t.Context(), 1, start(), start().Add(time.Minute), usage.Hour)
		if n := int64(workers * records / 5 / 4); err != nil || len(b) != 1 || b[0].OK != n || b[0].Redirect != n || b[0].Refused != n || b[0].Failed != n {
			t.Errorf("series: %+v, %v, want %d in each class", b, err, n)
		}
		total, err := s.Totals(t.Context())
		if err != nil || total.Samples+total.SamplesDropped != workers*records || total.Pending != 0 {
			t.Errorf("totals: %+v, %v: each request is a sample or dropped", total, err)
		}
	})
}

// TestCountIsExactWhileFlushing: a request is in the count at once, and never
// twice, however far it is on its way to the database.
func TestCountIsExactWhileFlushing(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		ctx, stop := context.WithCancel(t.Context())
		var g sync.WaitGroup
		g.Go(func() {
			for ctx.Err() == nil {
				flush(t, s)
			}
		})
		for i := range int64(300) {
			s.Record(use(c.Now()))
			counts(t, s, 7, i+1)
		}
		stop()
		g.Wait()
	})
}

func TestFailingFlushKeepsEverything(t *testing.T) {
	for _, table := range []string{"usage_hour", "usage_seen", "usage_rest", "usage_sample", "usage_flush"} {
		t.Run(table, func(t *testing.T) {
			each(t, usage.Options{}, func(t *testing.T, s *usage.Service, d *db.DB, c *clock.Fake) {
				s.Record(use(c.Now()))
				flush(t, s)
				mend := breakTable(t, d, table)
				for range 3 {
					s.Record(use(c.Now(), func(u *usage.Use) { u.Route = "GET /api/new" }))
					if s.FlushNow(t.Context()) == nil {
						t.Error("a broken table was not noticed")
					}
				}
				mend()
				if total, err := s.Totals(t.Context()); err != nil || total.Pending == 0 || total.FlushFailures != 3 {
					t.Errorf("after three failures: %+v, %v", total, err)
				}
				flush(t, s)
				counts(t, s, 7, 4)
				routes, err := s.TopRoutes(t.Context(), 7, start(), c.Now().Add(time.Hour), 0)
				if err != nil || len(routes) != 2 || routes[0].N != 3 || routes[1].N != 1 {
					t.Errorf("routes: %+v, %v", routes, err)
				}
			})
		})
	}
}

// TestLostAnswer: a batch whose commit went through without anybody knowing is
// not written again.
func TestLostAnswer(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		s.Record(use(c.Now()))
		s.LoseAnswer()
		if s.FlushNow(t.Context()) == nil {
			t.Fatal("the answer arrived")
		}
		counts(t, s, 7, 1)
		s.Record(use(c.Now()))
		counts(t, s, 7, 2)
		flush(t, s)
		flush(t, s)
		counts(t, s, 7, 2)
		list, err := s.Samples(t.Context(), 7, 0, 0)
		if err != nil || len(list) != 2 {
			t.Errorf("%d samples, %v, want 2", len(list), err)
		}
	})
}

func TestCloseWritesAndTwoNodesAddUp(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		d, other := p.Open(t, dbtest.WithClock(c)), p.Open(t, dbtest.WithClock(c))
		one, two := usage.New(d, nil, usage.Options{}), usage.New(other, nil, usage.Options{})
		for i := range 100 {
			one.Record(use(c.Now()))
			two.Record(use(c.Now().Add(time.Second), func(u *usage.Use) {
				u.Refs = []access.Ref{{Kind: "groups", ID: fmt.Sprint(i)}}
				u.Agent = "two"
			}))
		}
		var g sync.WaitGroup
		for _, s := range []*usage.Service{one, two} {
			g.Go(func() {
				if err := s.Close(t.Context()); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		g.Wait()
		restarted := usage.New(p.Open(t, dbtest.WithClock(c)), nil, usage.Options{})
		counts(t, restarted, 7, 200)
		last, err := restarted.Last(t.Context(), []int64{7, 8})
		if err != nil || len(last) != 1 || last[7].Agent != "two" {
			t.Errorf("last: %+v, %v", last, err)
		}
		list, err := restarted.Addresses(t.Context(), 7, 0)
		if err != nil || len(list) != 1 || list[0].N != 200 || !list[0].First.Equal(start()) || !list[0].Last.Equal(start().Add(time.Second)) {
			t.Errorf("addresses: %+v, %v", list, err)
		}
	})
}

// TestRunFlushes: every few seconds, at once when much waits, and what is left
// by the end is for Close.
func TestRunFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dbtest.Open(t, dbtest.SQLite)
		s := usage.New(d, nil, usage.Options{FlushAt: 50})
		ctx, stop := context.WithCancel(t.Context())
		var g sync.WaitGroup
		g.Go(func() { s.Run(ctx) })
		pending := func(least, most int64, when string) {
			t.Helper()
			total, err := s.Totals(t.Context())
			if err != nil || total.Pending < least || total.Pending > most {
				t.Errorf("%s: %d wait, %v", when, total.Pending, err)
			}
		}
		s.Record(use(time.Now()))
		time.Sleep(4 * time.Second)
		pending(1, 10, "before the first flush")
		time.Sleep(2 * time.Second)
		pending(0, 0, "after the first flush")
		for i := range int64(20) {
			s.Record(use(time.Now(), key(100+i)))
		}
		time.Sleep(time.Millisecond)
		pending(0, 49, "when much waited")
		stop()
		g.Wait()
		s.Record(use(time.Now()))
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		pending(0, 0, "after Close")
		d.Close()
	})
}

// TestHostileTexts: what clients send never keeps a batch from being written.
func TestHostileTexts(t *testing.T) {
	hostile := []string{"a\x00b", "\xff\xfe", strings.Repeat("é", 500), strings.Repeat("\xff", 300), "'; DROP TABLE users; --", ""}
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		for _, x := range hostile {
			u := use(c.Now())
			u.Agent, u.RequestID, u.Route, u.Refusal, u.Trial = x, x, x, x, x
			u.Refs = []access.Ref{{Kind: x, ID: x}}
			u.Writes = []access.FieldWrite{{Kind: x, Field: x}}
			s.Record(u)
			s.Refused(7, 70, x, netip.Addr{}, x, c.Now())
			flush(t, s)
		}
		counts(t, s, 7, int64(len(hostile)))
		list, err := s.Samples(t.Context(), 7, 100, 0)
		if err != nil || len(list) != 2*len(hostile) {
			t.Fatalf("%d samples, %v", len(list), err)
		}
		for _, v := range list {
			if len(v.Agent) > 200 || strings.ContainsRune(v.Agent, 0) || strings.ToValidUTF8(v.Agent, "") != v.Agent {
				t.Errorf("stored agent: %q", v.Agent)
			}
		}
	})
}

// TestFlushInsideTransaction: a batch never belongs to a transaction that may
// be rolled back.
func TestFlushInsideTransaction(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, d *db.DB, c *clock.Fake) {
		s.Record(use(c.Now()))
		err := d.InTx(t.Context(), func(ctx context.Context) error {
			if _, err := s.Facts(ctx, 7, start()); err != nil {
				t.Error(err)
			}
			if n, err := s.Count(ctx, 7, start()); err != nil || n != 1 {
				t.Errorf("count inside: %d, %v", n, err)
			}
			return context.Canceled
		})
		if err == nil {
			t.Error("committed")
		}
		flush(t, s)
		counts(t, s, 7, 1)
	})
}

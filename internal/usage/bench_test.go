package usage_test

import (
	"net/netip"
	"sync/atomic"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/usage"
)

func busy() usage.Use {
	return usage.Use{
		KeyID: 7, SecretID: 8, Route: "PUT /api/user/{id}", Status: 200,
		Addr: netip.MustParseAddr("192.0.2.7"), Agent: "curl/8.5.0", RequestID: "0198a1b2", At: start(),
		Refs:   []access.Ref{{Kind: "people", ID: "41"}},
		Writes: []access.FieldWrite{{Kind: "people", Field: "first_name"}},
	}
}

// TestRecordAllocatesNothing: the path of every request makes no garbage once
// what it counts is known.
func TestRecordAllocatesNothing(t *testing.T) {
	s := usage.New(dbtest.Open(t, dbtest.SQLite), nil, usage.Options{})
	u := busy()
	tried := busy()
	tried.Trial, tried.Refusal, tried.Status = "field", "scope", 403
	for range 2000 { // samples beyond the bound are dropped
		s.Record(&u)
		s.Record(&tried)
		s.Refused(7, 8, "key-expired", u.Addr, u.Agent, u.At)
	}
	if n := testing.AllocsPerRun(1000, func() {
		s.Record(&u)
		s.Record(&tried)
		s.Refused(7, 8, "key-expired", u.Addr, u.Agent, u.At)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	s := usage.New(dbtest.Open(b, dbtest.SQLite), nil, usage.Options{})
	u := busy()
	b.ReportAllocs()
	for b.Loop() {
		s.Record(&u)
	}
}

// BenchmarkRecordMany is 10,000 keys at once on all processors.
func BenchmarkRecordMany(b *testing.B) {
	s := usage.New(dbtest.Open(b, dbtest.SQLite), nil, usage.Options{})
	var workers atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		u := busy()
		for i := workers.Add(1) * 5_000; pb.Next(); i++ {
			u.KeyID = i%10_000 + 1
			s.Record(&u)
		}
	})
}

// BenchmarkFlush writes 10,000 requests of as many keys.
func BenchmarkFlush(b *testing.B) {
	s := usage.New(dbtest.Open(b, dbtest.SQLite), nil, usage.Options{})
	u := busy()
	for b.Loop() {
		for i := range int64(10_000) {
			u.KeyID = i + 1
			s.Record(&u)
		}
		if err := s.FlushNow(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

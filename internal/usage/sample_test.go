package usage_test

import (
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/usage"
)

func samples(t *testing.T, s *usage.Service, keyID int64, want int) []usage.Sample {
	t.Helper()
	list, err := s.Samples(t.Context(), keyID, 10_000, 0)
	if err != nil || len(list) != want {
		t.Errorf("key %d: %d samples, %v, want %d", keyID, len(list), err, want)
	}
	return list
}

func totals(t *testing.T, s *usage.Service, kept int64, dropped map[string]int64) {
	t.Helper()
	got, err := s.Totals(t.Context())
	var sum int64
	for _, n := range dropped {
		sum += n
	}
	same(t, "totals", err, got, usage.Totals{Samples: kept, SamplesDropped: sum, Dropped: dropped})
}

func TestSampledRow(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		s.Record(use(c.Now().Add(time.Second), status(403), func(u *usage.Use) { u.Refusal, u.Trial = "scope", "field" }))
		s.Refused(7, 71, "key-expired", netip.MustParseAddr("192.0.2.8"), "probe/2", c.Now())
		s.Refused(7, 70, "quota", netip.Addr{}, "", c.Now().Add(-time.Second))
		s.Refused(7, 70, "hours", netip.Addr{}, "", c.Now().Add(-time.Minute))
		got := samples(t, s, 7, 4)
		if len(got) != 4 {
			return
		}
		same(t, "rows", nil, got, []usage.Sample{
			{
				ID: got[0].ID, At: start().Add(time.Second), SecretID: 70, Route: "GET /api/user/{id}", Status: 403, Took: 3 * time.Millisecond,
				Addr: netip.MustParseAddr("192.0.2.7"), Agent: "probe/1", RequestID: "r", Refusal: "scope", Trial: "field",
			},
			{ID: got[1].ID, At: start(), SecretID: 71, Status: 401, Addr: netip.MustParseAddr("192.0.2.8"), Agent: "probe/2", Refusal: "key-expired"},
			{ID: got[2].ID, At: start().Add(-time.Second), SecretID: 70, Status: 429, Refusal: "quota"},
			{ID: got[3].ID, At: start().Add(-time.Minute), SecretID: 70, Status: 403, Refusal: "hours"},
		})
		older, err := s.Samples(t.Context(), 7, 1, got[0].ID)
		same(t, "the next page", err, older, got[1:2])
	})
}

// TestSuccessesAreSampled: the first of each key and second, as far as the node
// has tokens; failures and refusals always.
func TestSuccessesAreSampled(t *testing.T) {
	o := usage.Options{SuccessesPerKey: 2, SuccessesOfAll: 10}
	each(t, o, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		for range 50 {
			s.Record(use(c.Now()))
			s.Record(use(c.Now(), key(8), status(500)))
		}
		samples(t, s, 7, 2)
		samples(t, s, 8, 50)
		for k := range int64(20) { // 8 tokens are left
			s.Record(use(c.Now(), key(100+k)))
		}
		flush(t, s)
		totals(t, s, 60, map[string]int64{"rate": 60, "full": 0, "aged": 0})
		c.Advance(time.Second)
		for range 50 {
			s.Record(use(c.Now()))
		}
		samples(t, s, 7, 4)
		c.Advance(-time.Hour) // a clock that was set back
		for range 50 {
			s.Record(use(c.Now()))
		}
		samples(t, s, 7, 6)
	})
}

func TestSamplesAreBounded(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		o := usage.Options{Samples: 30, SamplesPerKey: 10}
		s := usage.New(p.Open(t, dbtest.WithClock(c)), nil, o)
		for range 8 {
			s.Record(use(c.Now(), status(404)))
		}
		flush(t, s)
		c.Advance(time.Second)
		for range 15 { // 5 find no place in memory, 8 push others out
			s.Record(use(c.Now(), status(404)))
		}
		for _, v := range samples(t, s, 7, 10) {
			if !v.At.Equal(c.Now()) {
				t.Errorf("an old row was kept: %+v", v)
			}
		}
		totals(t, s, 10, map[string]int64{"rate": 0, "full": 5, "aged": 8})
		for k := range int64(5) { // 30 of 40 find a place in memory, 10 push others out
			c.Advance(time.Second)
			for range 8 {
				s.Record(use(c.Now(), key(100+k), status(404)))
			}
		}
		flush(t, s)
		samples(t, s, 7, 0)
		totals(t, s, 30, map[string]int64{"rate": 0, "full": 15, "aged": 18})
		restarted := usage.New(p.Open(t, dbtest.WithClock(c)), nil, o)
		totals(t, restarted, 30, map[string]int64{"rate": 0, "full": 15, "aged": 18})
	})
}

func TestPrune(t *testing.T) {
	each(t, usage.Options{NamesPerKind: 2}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		from := func(last byte) func(*usage.Use) {
			return func(u *usage.Use) { u.Addr = netip.AddrFrom4([4]byte{10, 0, 0, last}) }
		}
		for i := range 3 {
			s.Record(use(c.Now(), from(byte(i)), func(u *usage.Use) { u.Trial = "scope" }))
			s.Refused(7, 70, "key-expired", netip.Addr{}, "", c.Now())
			c.Advance(time.Hour)
			flush(t, s)
		}
		if err := s.Prune(t.Context(), start().Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		counts(t, s, 7, 2)
		refused, err := s.Refusals(t.Context(), 7, start(), c.Now())
		same(t, "refusals", err, refused, []usage.ReasonCount{{Reason: "key-expired", N: 2, Last: start().Add(2 * time.Hour)}})
		tried, err := s.TrialRefusals(t.Context(), 7, start())
		if err != nil || len(tried) != 1 || tried[0].N != 2 {
			t.Errorf("trials: %+v, %v", tried, err)
		}
		samples(t, s, 7, 4)
		s.Record(use(c.Now(), from(9))) // there is room again
		list, err := s.Addresses(t.Context(), 7, 0)
		if err != nil || len(list) != 3 || list[1].N != 1 || list[1].Addr.String() != "10.0.0.9" || list[2].N != 1 {
			t.Errorf("addresses: %+v, %v", list, err)
		}
		if err := s.Prune(t.Context(), start().Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		list, err = s.Addresses(t.Context(), 7, 0)
		same(t, "all addresses are old", err, list, []usage.AddressCount{})
		if last, err := s.Last(t.Context(), []int64{7}); err != nil || len(last) != 1 {
			t.Errorf("last use: %+v, %v", last, err)
		}
	})
}

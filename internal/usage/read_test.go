package usage_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/usage"
)

func same(t *testing.T, what string, err error, got, want any) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// TestHourBorders: a request counts in the hour in which it came, and buckets
// without requests are there.
func TestHourBorders(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		noon := start().Truncate(time.Hour)
		c.Advance(noon.Add(time.Hour - time.Microsecond).Sub(c.Now()))
		s.Record(use(c.Now()))
		c.Advance(time.Microsecond)
		s.Record(use(c.Now(), status(302)))
		c.Advance(2 * time.Hour)
		s.Record(use(c.Now(), status(404), func(u *usage.Use) { u.SecretID = 71 }))
		s.Refused(7, 71, "key-expired", netip.Addr{}, "", c.Now())
		c.Advance(21 * time.Hour)
		s.Record(use(c.Now(), status(500)))

		got, err := s.Series(t.Context(), 7, noon.Add(time.Minute), noon.Add(4*time.Hour), usage.Hour)
		none := map[int64]int64{}
		same(t, "hours", err, got, []usage.Bucket{
			{Start: noon, OK: 1, BySecret: map[int64]int64{70: 1}},
			{Start: noon.Add(time.Hour), Redirect: 1, BySecret: map[int64]int64{70: 1}},
			{Start: noon.Add(2 * time.Hour), BySecret: none},
			{Start: noon.Add(3 * time.Hour), Refused: 2, BySecret: map[int64]int64{71: 2}},
		})
		midnight := noon.Truncate(24 * time.Hour)
		got, err = s.Series(t.Context(), 7, midnight, midnight.Add(48*time.Hour), usage.Day)
		same(t, "days", err, got, []usage.Bucket{
			{Start: midnight, OK: 1, Redirect: 1, Refused: 2, BySecret: map[int64]int64{70: 2, 71: 2}},
			{Start: midnight.Add(24 * time.Hour), Failed: 1, BySecret: map[int64]int64{70: 1}},
		})
		for since, want := range map[time.Time]int64{noon: 4, noon.Add(time.Hour): 3, noon.Add(100 * time.Minute): 3, noon.Add(4 * time.Hour): 1} {
			if n, err := s.Count(t.Context(), 7, since); err != nil || n != want {
				t.Errorf("count since %v: %d, %v, want %d", since, n, err, want)
			}
		}
		for _, span := range []time.Duration{0, -time.Hour, 20_000 * time.Hour} {
			if _, err := s.Series(t.Context(), 7, noon, noon.Add(span), usage.Hour); !fault.Is(err, fault.Invalid) {
				t.Errorf("series over %v: %v", span, err)
			}
		}
	})
}

// TestLimitsDoNotCount: what the limits of a key turned away is no request for
// its quota.
func TestLimitsDoNotCount(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		s.Record(use(c.Now()))
		s.Record(use(c.Now(), status(429), func(u *usage.Use) { u.Refusal = "rate-limit" }))
		s.Record(use(c.Now(), status(403), func(u *usage.Use) { u.Refusal = "scope" }))
		s.Refused(7, 70, "quota", netip.Addr{}, "", c.Now())
		counts(t, s, 7, 2)
		flush(t, s)
		counts(t, s, 7, 2)
		got, err := s.Refusals(t.Context(), 7, start(), start().Add(time.Hour))
		same(t, "refusals", err, got, []usage.ReasonCount{
			{Reason: "quota", N: 1, Last: start()}, {Reason: "rate-limit", N: 1, Last: start()}, {Reason: "scope", N: 1, Last: start()},
		})
	})
}

func TestLastUse(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		at := func(secret int64, after time.Duration, addr string) *usage.Use {
			return use(start().Add(after), func(u *usage.Use) { u.SecretID, u.Addr = secret, netip.MustParseAddr(addr) })
		}
		want := func(secret int64, after time.Duration, addr string) usage.LastUse {
			return usage.LastUse{SecretID: secret, At: start().Add(after), Addr: netip.MustParseAddr(addr), Agent: "probe/1", Route: "GET /api/user/{id}"}
		}
		s.Record(at(70, time.Minute, "::ffff:192.0.2.9"))
		s.Record(at(71, 2*time.Minute, "2001:db8::1"))
		s.Refused(7, 72, "key-retired", netip.MustParseAddr("192.0.2.1"), "", start().Add(time.Hour))
		for _, when := range []string{"in memory", "written"} {
			by, err := s.BySecret(t.Context(), 7)
			same(t, "by secret, "+when, err, by, map[int64]usage.LastUse{70: want(70, time.Minute, "192.0.2.9"), 71: want(71, 2*time.Minute, "2001:db8::1")})
			last, err := s.Last(t.Context(), []int64{7, 8, 9, 10, 11, 12})
			same(t, "last, "+when, err, last, map[int64]usage.LastUse{7: want(71, 2*time.Minute, "2001:db8::1")})
			flush(t, s)
		}
		s.Record(at(70, time.Second, "192.0.2.1")) // late: another request was newer
		flush(t, s)
		s.Record(at(70, 3*time.Minute, "192.0.2.3"))
		last, err := s.Last(t.Context(), []int64{7})
		same(t, "newest in memory", err, last, map[int64]usage.LastUse{7: want(70, 3*time.Minute, "192.0.2.3")})
		by, err := s.BySecret(t.Context(), 7)
		same(t, "both places", err, by, map[int64]usage.LastUse{70: want(70, 3*time.Minute, "192.0.2.3"), 71: want(71, 2*time.Minute, "2001:db8::1")})
	})
}

func TestFactsHoldWhatSucceeded(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
		write := func(id, field string) func(*usage.Use) {
			return func(u *usage.Use) {
				u.Route = "PUT /api/user/{id}"
				u.Refs = []access.Ref{{Kind: "people", ID: id}}
				u.Writes = []access.FieldWrite{{Kind: "people", Field: field}}
			}
		}
		s.Record(use(c.Now(), write("1", "last_name")))
		flush(t, s)
		c.Advance(2 * time.Hour)
		since := c.Now()
		s.Record(use(c.Now(), write("7", "first_name")))
		s.Record(use(c.Now(), write("9", "first_name"), status(204)))
		s.Record(use(c.Now(), write("8", "email"), status(403), func(u *usage.Use) { u.Refusal, u.Addr = "field", netip.MustParseAddr("198.51.100.1") }))
		s.Record(use(c.Now(), write("6", "email"), status(500)))
		s.Record(use(c.Now(), func(u *usage.Use) { u.Addr = netip.MustParseAddr("2001:db8::1") }))
		s.Record(use(c.Now(), key(8), write("5", "email")))
		got, err := s.Facts(t.Context(), 7, since)
		same(t, "facts", err, got, usage.Facts{
			Since: since, Requests: 5,
			Routes:    []usage.RouteCount{{Route: "PUT /api/user/{id}", N: 2, Last: since}, {Route: "GET /api/user/{id}", N: 1, Last: since}},
			Refs:      map[string][]string{"people": {"7", "9"}},
			Writes:    map[string][]string{"people": {"first_name"}},
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::1")},
		})
		top, err := s.TopRoutes(t.Context(), 7, since, since.Add(time.Second), 1)
		same(t, "top routes", err, top, []usage.RouteCount{{Route: "PUT /api/user/{id}", N: 4, Failed: 2, Last: since}})
	})
}

// TestNamesAreBounded: of each kind so many names are kept, in one batch or in
// several, and what found no room is known.
func TestNamesAreBounded(t *testing.T) {
	const bound = 10
	for _, every := range []int{1, 4, 100} {
		t.Run(fmt.Sprintf("flush after %d", every), func(t *testing.T) {
			each(t, usage.Options{NamesPerKind: bound}, func(t *testing.T, s *usage.Service, _ *db.DB, c *clock.Fake) {
				for i := range 25 {
					s.Record(use(c.Now(), func(u *usage.Use) {
						u.Refs = []access.Ref{{Kind: "groups", ID: "1"}, {Kind: "people", ID: fmt.Sprintf("%02d", i)}}
						u.Writes = []access.FieldWrite{{Kind: "people", Field: fmt.Sprintf("f%02d", i)}}
						u.Addr = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
					}))
					if i%every == 0 {
						flush(t, s)
					}
					c.Advance(time.Second)
				}
				f, err := s.Facts(t.Context(), 7, start())
				if err != nil || len(f.Refs["people"]) != bound || len(f.Writes["people"]) != bound || len(f.Addresses) != bound {
					t.Fatalf("facts: %+v, %v", f, err)
				}
				same(t, "few", nil, f.Refs["groups"], []string{"1"})
				same(t, "many", nil, f.Many, []string{"people"})
				same(t, "many fields", nil, f.ManyFields, []string{"people"})
				list, err := s.Addresses(t.Context(), 7, 5)
				if err != nil || !f.ManyAddresses || len(list) != 6 {
					t.Fatalf("addresses: %+v, %v", list, err)
				}
				same(t, "the rest", nil, list[5], usage.AddressCount{N: 25 - bound, First: start().Add(bound * time.Second), Last: start().Add(24 * time.Second)})
				f, err = s.Facts(t.Context(), 7, c.Now())
				if err != nil || f.Many != nil || f.ManyAddresses {
					t.Errorf("facts of later: %+v, %v", f, err)
				}
			})
		})
	}
}

func TestTrials(t *testing.T) {
	each(t, usage.Options{}, func(t *testing.T, s *usage.Service, d *db.DB, c *clock.Fake) {
		try := func(k int64) *usage.Use { return use(c.Now(), key(k), func(u *usage.Use) { u.Trial = "scope" }) }
		read := func(k int64, since time.Time, want ...usage.TrialCount) {
			t.Helper()
			got, err := s.TrialRefusals(t.Context(), k, since)
			same(t, "trial refusals", err, got, append([]usage.TrialCount{}, want...))
		}
		for range 3 {
			s.Record(try(7))
		}
		s.Record(try(8))
		one := usage.TrialCount{Reason: "scope", Route: "GET /api/user/{id}", N: 1, Last: c.Now()}
		three := one
		three.N = 3
		read(7, start(), three)
		read(7, start().Add(time.Second))
		s.Record(try(7))
		forget := func(fail error) {
			err := d.InTx(t.Context(), func(ctx context.Context) error { return errors.Join(s.ForgetTrial(ctx, 7), fail) })
			if !errors.Is(err, fail) {
				t.Error(err)
			}
		}
		four := one
		four.N = 4
		forget(context.Canceled) // rolled back: nothing is forgotten
		read(7, start(), four)
		s.Record(try(7))
		forget(nil)
		read(7, start())
		read(8, start(), one)
		s.Record(try(7))
		read(7, start(), one)
		counts(t, s, 7, 6)
	})
}

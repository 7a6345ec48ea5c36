package usage

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// maxBuckets bounds the answer of Series: 400 days by hour.
const maxBuckets = 400 * 24

// Series returns the requests of a key from the bucket of one time up to
// another, with empty buckets filled in. It returns Invalid for a time that
// ends before it begins or has too many buckets. Like all reads that follow, it
// first writes what this node has counted, unless it is called inside a
// transaction, and is not authorised here.
func (s *Service) Series(ctx context.Context, keyID int64, from, to time.Time, by Step) ([]Bucket, error) {
	width := time.Hour
	if by == Day {
		width = 24 * time.Hour
	}
	from = from.UTC().Truncate(width)
	if !from.Before(to) {
		return nil, fault.Field("to", "must be after from.")
	}
	if to.Sub(from) > maxBuckets*width { // Sub stops at the longest Duration
		return nil, fault.Field("from", "must be at most %d hours or days before to.", maxBuckets)
	}
	n := int((to.Sub(from) + width - 1) / width)
	if err := s.FlushNow(ctx); err != nil {
		return nil, err
	}
	out := make([]Bucket, n)
	for i := range out {
		out[i] = Bucket{Start: from.Add(time.Duration(i) * width), BySecret: map[int64]int64{}}
	}
	err := db.Each(ctx, s.db, scanHour, func(h hourRow) error {
		out[h.hour.Sub(from)/width].add(h)
		return nil
	}, `SELECT hour, secret_id, class, CAST(sum(n) AS BIGINT) FROM usage_hour
		WHERE key_id = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY hour, secret_id, class`, keyID, from, to)
	return out, fault.Wrap(err, "read usage by hour")
}

type hourRow struct {
	hour             time.Time
	secret, class, n int64
}

func scanHour(r db.Row) (hourRow, error) {
	var v hourRow
	err := r.Scan(db.Time(&v.hour), &v.secret, &v.class, &v.n)
	return v, err
}

func (b *Bucket) add(h hourRow) {
	switch h.class {
	case 2:
		b.OK += h.n
	case 3:
		b.Redirect += h.n
	case 5:
		b.Failed += h.n
	default:
		b.Refused += h.n
	}
	b.BySecret[h.secret] += h.n
}

// TopRoutes returns the routes that a key called most, in the hours from one
// time up to another, the first of them first. A limit of 0 means 20. What the
// check of the key turned away counts for no route.
func (s *Service) TopRoutes(ctx context.Context, keyID int64, from, to time.Time, limit int) ([]RouteCount, error) {
	if limit <= 0 {
		limit = 20
	}
	if err := s.FlushNow(ctx); err != nil {
		return nil, err
	}
	list, err := db.All(ctx, s.db, scanRouteCount, selectRouteCounts+` WHERE u.key_id = ?1 AND u.hour >= ?2 AND u.hour < ?3 AND u.class <> 1
		GROUP BY r.route ORDER BY 2 DESC, 1 LIMIT ?4`, keyID, hourOf(from.UnixMicro()), to, limit)
	return list, fault.Wrap(err, "read routes of a key")
}

const selectRouteCounts = `SELECT r.route, CAST(sum(u.n) AS BIGINT), CAST(sum(CASE WHEN u.class >= 4 THEN u.n ELSE 0 END) AS BIGINT), max(u.last_at)
	FROM usage_hour u JOIN usage_route r ON r.id = u.route_id`

func scanRouteCount(r db.Row) (RouteCount, error) {
	var v RouteCount
	err := r.Scan(&v.Route, &v.N, &v.Failed, db.Time(&v.Last))
	return v, err
}

// Addresses returns the addresses that called with a key most, the first of
// them first. A limit of 0 means 20. When some found no room, they stand
// together at the end, beyond the limit.
func (s *Service) Addresses(ctx context.Context, keyID int64, limit int) ([]AddressCount, error) {
	if limit <= 0 {
		limit = 20
	}
	if err := s.FlushNow(ctx); err != nil {
		return nil, err
	}
	by := map[netip.Addr]*AddressCount{}
	add := func(addr netip.Addr, kind string, v span) {
		if v.n == 0 {
			return
		}
		c := by[addr]
		if c == nil {
			c = &AddressCount{Addr: addr}
			by[addr] = c
		}
		c.add(kind, v)
	}
	for _, q := range []string{
		"SELECT kind, name, n, first_at, last_at FROM usage_seen WHERE key_id = ?1 AND what = ?2",
		"SELECT kind, '', n, first_at, last_at FROM usage_rest WHERE key_id = ?1 AND what = ?2",
	} {
		rows, err := db.All(ctx, s.db, scanName, q, keyID, addresses.String())
		if err != nil {
			return nil, fault.Wrap(err, "read addresses of a key")
		}
		for _, v := range rows {
			add(parse(v.name), v.kind, v.span)
		}
	}
	return mostFirst(by, limit), nil
}

func (c *AddressCount) add(kind string, v span) {
	first, last := time.UnixMicro(v.first).UTC(), time.UnixMicro(v.last).UTC()
	if c.N == 0 || first.Before(c.First) {
		c.First = first
	}
	if last.After(c.Last) {
		c.Last = last
	}
	c.N += v.n
	if kind == failed {
		c.Failed += v.n
	}
}

func mostFirst(by map[netip.Addr]*AddressCount, limit int) []AddressCount {
	rest := by[netip.Addr{}]
	delete(by, netip.Addr{})
	out := make([]AddressCount, 0, len(by)+1)
	for _, c := range by {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b AddressCount) int {
		return cmp.Or(cmp.Compare(b.N, a.N), a.Addr.Compare(b.Addr))
	})
	out = out[:min(limit, len(out))]
	if rest != nil {
		out = append(out, *rest)
	}
	return out
}

type nameRow struct {
	kind, name string
	span
}

func scanName(r db.Row) (nameRow, error) {
	var v nameRow
	err := r.Scan(&v.kind, &v.name, &v.n, &v.first, &v.last)
	return v, err
}

package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net"
	"net/netip"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// throttle counts attempts in the database, so that it holds across restarts
// and nodes (contract/identity.md 2.6). A bucket is what attempts are counted
// for; it is stored as a hash, because people type passwords where names
// belong.
type throttle struct {
	db  *db.DB
	off bool
}

const (
	// window is how long attempts count, from the first one on.
	window = time.Hour
	// maxOver bounds how far attempts are counted beyond a threshold: the wait
	// is an hour by then, and a flood of refused tries writes nothing more.
	maxOver = 40
)

// bucket is one thing that attempts are counted for.
type bucket struct {
	id        string
	threshold int64
}

func newBucket(what, value string, threshold int64) bucket {
	sum := sha256.Sum256([]byte(value))
	return bucket{what + ":" + hex.EncodeToString(sum[:16]), threshold}
}

// fromAddress counts the attempts that come from one client address; of IPv6,
// from one /64, which is what one household or server has.
func fromAddress(ctx context.Context, what string, threshold int64) bucket {
	text := audit.OriginOf(ctx).RemoteAddr
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	if a, err := netip.ParseAddr(text); err == nil {
		text = a.Unmap().String()
		if p, err := a.Unmap().Prefix(64); err == nil {
			text = p.String()
		}
	}
	return newBucket(what+"-ip", text, threshold)
}

// attempts is what is stored of a bucket, within its window.
type attempts struct {
	n    int64
	last time.Time
}

// wait returns how long the next attempt must wait: nothing up to the
// threshold, then 15 s × over^1.5 since the last one.
func (a attempts) wait(threshold int64, now time.Time) time.Duration {
	over := a.n - threshold + 1
	if over < 1 {
		return 0
	}
	total := time.Duration(15 * math.Pow(float64(over), 1.5) * float64(time.Second))
	return max(a.last.Add(total).Sub(now), 0)
}

// claim is an attempt that was counted and may go on.
type claim struct {
	at      time.Time
	buckets []bucket
	before  []attempts // beside buckets
}

// attempt counts an attempt in all buckets, unless one of them refuses it. It
// returns a TooMany fault at the field then. With countRefused a refused
// attempt counts too, so that the wait grows. An attempt that turns out well
// may be taken back with forgive.
//
// The count is raised before the outcome is known, so attempts that run at the
// same time cannot outnumber the threshold.
func (t throttle) attempt(ctx context.Context, field string, countRefused bool, buckets ...bucket) (claim, error) {
	c := claim{at: t.db.Now(ctx), buckets: buckets}
	if t.off {
		return c, nil
	}
	var err error
	if c.before, err = t.read(ctx, c.at, buckets); err != nil {
		return c, err
	}
	longest, full := time.Duration(0), false
	for i, b := range buckets {
		if w := c.before[i].wait(b.threshold, c.at); w > longest {
			longest, full = w, c.before[i].n >= b.threshold+maxOver
		}
	}
	if longest > 0 && (!countRefused || full) {
		return c, tooMany(field, longest)
	}
	for i, b := range buckets {
		n, err := t.count(ctx, c.at, b)
		if err != nil {
			return c, err
		}
		if n > b.threshold && n-1 > c.before[i].n { // another attempt came between
			longest = max(longest, attempts{n - 1, c.at}.wait(b.threshold, c.at))
		}
	}
	if longest > 0 {
		return c, tooMany(field, longest)
	}
	return c, nil
}

func tooMany(field string, wait time.Duration) error {
	seconds := max(int64(math.Round(wait.Seconds())), 1)
	f := fault.Field(field, "Too many attempts! You must wait %d seconds before trying again.", seconds)
	f.Kind = fault.TooMany
	return f
}

// read returns what is stored of the buckets; none counts as zero attempts.
func (t throttle) read(ctx context.Context, now time.Time, buckets []bucket) ([]attempts, error) {
	out := make([]attempts, len(buckets))
	for i, b := range buckets {
		found, err := db.All(ctx, t.db, scanAttempts,
			"SELECT attempts, last_at FROM throttle WHERE bucket = ?1 AND window_start > ?2", b.id, now.Add(-window))
		if err != nil {
			return nil, fault.Wrap(err, "read throttle")
		}
		if len(found) > 0 {
			out[i] = found[0]
		}
	}
	return out, nil
}

func scanAttempts(r db.Row) (attempts, error) {
	var a attempts
	err := r.Scan(&a.n, db.Time(&a.last))
	return a, err
}

// count raises a bucket in one statement and returns its attempts.
func (t throttle) count(ctx context.Context, now time.Time, b bucket) (int64, error) {
	n, err := t.db.Insert(ctx, `INSERT INTO throttle (bucket, attempts, window_start, last_at) VALUES (?1, 1, ?2, ?2)
		ON CONFLICT (bucket) DO UPDATE SET
			attempts = CASE WHEN throttle.window_start > ?3 THEN throttle.attempts + 1 ELSE 1 END,
			window_start = CASE WHEN throttle.window_start > ?3 THEN throttle.window_start ELSE excluded.window_start END,
			last_at = excluded.last_at
		RETURNING attempts`, b.id, now, now.Add(-window))
	return n, fault.Wrap(err, "count an attempt")
}

// forgive takes back an attempt that turned out well.
func (t throttle) forgive(ctx context.Context, c claim) error {
	if t.off {
		return nil
	}
	for i, b := range c.buckets {
		_, err := t.db.Exec(ctx, `UPDATE throttle SET attempts = attempts - 1,
			last_at = CASE WHEN last_at = ?2 THEN ?3 ELSE last_at END WHERE bucket = ?1 AND attempts > 0`,
			b.id, c.at, c.before[i].last)
		if err != nil {
			return fault.Wrap(err, "forgive an attempt")
		}
	}
	return nil
}

// prune removes buckets whose window is over.
func (t throttle) prune(ctx context.Context) error {
	_, err := t.db.Exec(ctx, "DELETE FROM throttle WHERE window_start <= ?1", t.db.Now(ctx).Add(-window))
	return fault.Wrap(err, "prune throttle")
}

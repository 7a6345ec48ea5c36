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

// fromAddress counts the attempts that come from one network.
func fromAddress(ctx context.Context, what string, threshold int64) bucket {
	return newBucket(what+"-ip", network(ctx), threshold)
}

// network returns where a request comes from: a client address; of IPv6, one
// /64, which is what one household or server has.
func network(ctx context.Context) string {
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
	return text
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
	wait, full, err := t.check(ctx, &c)
	if err == nil && wait > 0 && (full || !countRefused) {
		err = tooMany(field, wait) // without a write
	}
	if err != nil {
		return c, err
	}
	err = t.db.InTx(ctx, func(ctx context.Context) error {
		if wait, _, err = t.check(ctx, &c); err != nil {
			return err
		}
		if wait > 0 && !countRefused {
			return nil
		}
		return t.count(ctx, c)
	})
	if err == nil && wait > 0 {
		err = tooMany(field, wait)
	}
	return c, err
}

// check reads the buckets and returns how long the attempt must wait, and
// whether the bucket that says so is counted no further.
func (t throttle) check(ctx context.Context, c *claim) (wait time.Duration, full bool, err error) {
	c.before = make([]attempts, len(c.buckets))
	for i, b := range c.buckets {
		found, err := db.All(ctx, t.db, scanAttempts,
			"SELECT attempts, last_at FROM throttle WHERE bucket = ?1 AND window_start > ?2", b.id, c.at.Add(-window))
		if err != nil {
			return 0, false, fault.Wrap(err, "read throttle")
		}
		if len(found) > 0 {
			c.before[i] = found[0]
		}
		if w := c.before[i].wait(b.threshold, c.at); w > wait {
			wait, full = w, c.before[i].n >= b.threshold+maxOver
		}
	}
	return wait, full, nil
}

func scanAttempts(r db.Row) (attempts, error) {
	var a attempts
	err := r.Scan(&a.n, db.Time(&a.last))
	return a, err
}

// count raises the buckets of an attempt. A window that is over begins anew.
func (t throttle) count(ctx context.Context, c claim) error {
	for i, b := range c.buckets {
		q := "UPDATE throttle SET attempts = attempts + 1, last_at = ?2 WHERE bucket = ?1"
		if c.before[i].last.IsZero() {
			q = `INSERT INTO throttle (bucket, attempts, window_start, last_at) VALUES (?1, 1, ?2, ?2)
				ON CONFLICT (bucket) DO UPDATE SET attempts = 1, window_start = excluded.window_start, last_at = excluded.last_at`
		}
		if _, err := t.db.Exec(ctx, q, b.id, c.at); err != nil {
			return fault.Wrap(err, "count an attempt")
		}
	}
	return nil
}

func tooMany(field string, wait time.Duration) error {
	seconds := max(int64(math.Round(wait.Seconds())), 1)
	f := fault.Field(field, "Too many attempts! You must wait %d seconds before trying again.", seconds)
	f.Kind = fault.TooMany
	return f
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

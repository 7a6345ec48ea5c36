package bulk

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// How long and how much is kept of calls with an Idempotency-Key.
const (
	keepAnswers = 24 * time.Hour
	lease       = 2 * time.Minute // a call that is not heard of for so long is dead
	maxAnswers  = 1000            // of one caller
	maxAnswer   = 4 << 20         // bytes of an answer as it is stored
	maxKept     = 64 << 20        // bytes of all answers of one caller
)

// The states of a call in the table bulk_call.
const (
	stateRunning = "running"
	stateStopped = "stopped" // it did some of its steps, and goes on when it is asked for again
	stateDone    = "done"
	stateLarge   = "large" // it is done, and its answer was too large to keep
)

// claim is the right to run the call that has an Idempotency-Key. A nil claim
// is that of a call without one.
type claim struct {
	s           *Service
	owner, name string
	token       string   // only who holds it writes
	before      []Result // of an earlier run that did not come to its end
}

// errTaken says that another process has taken a call over.
var errTaken = fault.Coded(fault.Conflict, "idempotency-in-progress", "Another process has taken this call over.")

// ownerOf names the caller whose keys are apart from those of all others.
func ownerOf(who *access.Principal) string {
	if who.IsKey() {
		return fmt.Sprintf("key:%d", who.KeyID)
	}
	return fmt.Sprintf("user:%d", who.UserID)
}

// stored is a row of the table.
type stored struct {
	print   []byte
	state   string
	answer  []byte
	lease   time.Time
	expires time.Time
}

func scanStored(r db.Row) (stored, error) {
	var s stored
	err := r.Scan(&s.print, &s.state, &s.answer, db.Time(&s.lease), db.Time(&s.expires))
	return s, err
}

// claim takes the right to run a call, or returns the answer that it had. It
// returns a Conflict when the key was used for something else, or the call is
// still running, and TooMany when the caller has used too many keys.
func (s *Service) claim(ctx context.Context, who *access.Principal, req Request) (*claim, *Report, error) {
	if req.Key == "" {
		return nil, nil, nil
	}
	c := &claim{s: s, owner: ownerOf(who), name: req.Key, token: rand.Text()}
	// Look before waiting: the call that has the key may hold the database.
	if _, answer, err := c.look(ctx, req); err != nil || answer != nil {
		return nil, answer, err
	}
	var answer *Report
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, found, err := c.look(ctx, req)
		if answer = found; err != nil || found != nil {
			return err
		}
		if old == nil {
			if err := c.room(ctx); err != nil {
				return err
			}
		}
		return c.take(ctx, req, old)
	})
	if err != nil || answer != nil {
		return nil, answer, err
	}
	return c, nil, nil
}

// look reads what is known of the key: nothing, an answer, or a call that did
// not come to its end.
func (c *claim) look(ctx context.Context, req Request) (*stored, *Report, error) {
	old, err := db.One(ctx, c.s.db, scanStored,
		"SELECT fingerprint, state, answer, lease_until, expires_at FROM bulk_call WHERE owner = ?1 AND name = ?2", c.owner, c.name)
	now := c.s.db.Now(ctx)
	switch {
	case errors.Is(err, db.ErrNone):
		return nil, nil, nil
	case err != nil:
		return nil, nil, fault.Wrap(err, "read the answers of bulk calls")
	case !now.Before(old.expires):
		old.answer = nil
		return &old, nil, nil
	case !bytes.Equal(old.print, req.Print[:]):
		return nil, nil, fault.Coded(fault.Conflict, "idempotency-key-reused", "This Idempotency-Key was used for another call.")
	case old.state == stateRunning && now.Before(old.lease):
		return nil, nil, fault.Coded(fault.Conflict, "idempotency-in-progress", "The call with this Idempotency-Key is still running.")
	case old.state == stateLarge:
		return nil, nil, fault.Coded(fault.Conflict, "idempotency-answer-gone", "The call with this Idempotency-Key was done; its answer was too large to keep.")
	case old.state == stateDone:
		r, err := unpack(old.answer)
		if r != nil {
			r.Replayed = true
		}
		return nil, r, err
	}
	return &old, nil, nil
}

// room makes sure that the caller has not used too many keys.
func (c *claim) room(ctx context.Context) error {
	if _, err := c.s.db.Exec(ctx, "DELETE FROM bulk_call WHERE owner = ?1 AND expires_at <= ?2", c.owner, c.s.db.Now(ctx)); err != nil {
		return fault.Wrap(err, "remove old answers of bulk calls")
	}
	kept, err := db.One(ctx, c.s.db, func(r db.Row) (v struct{ n, size int64 }, err error) { return v, r.Scan(&v.n, &v.size) },
		"SELECT count(*), coalesce(sum(length(answer)), 0) FROM bulk_call WHERE owner = ?1", c.owner)
	if err == nil && (kept.n >= maxAnswers || kept.size >= maxKept) {
		return fault.Coded(fault.TooMany, "idempotency-full",
			"The answers to %d calls with an Idempotency-Key are kept for you, each for 24 hours, and no more fit.", kept.n)
	}
	return fault.Wrap(err, "count the answers of bulk calls")
}

// take writes that this process runs the call now.
func (c *claim) take(ctx context.Context, req Request, old *stored) error {
	now := c.s.db.Now(ctx)
	if old != nil && old.answer != nil {
		before, err := unpack(old.answer)
		if err != nil {
			return err
		}
		c.before = before.Results
	}
	var answer any
	if c.before != nil {
		answer = old.answer
	}
	_, err := c.s.db.Exec(ctx, `INSERT INTO bulk_call (owner, name, fingerprint, token, state, answer, lease_until, expires_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (owner, name) DO UPDATE SET fingerprint = ?3, token = ?4, state = ?5, answer = ?6, lease_until = ?7, expires_at = ?8`,
		c.owner, c.name, req.Print[:], c.token, stateRunning, answer, now.Add(lease), now.Add(keepAnswers))
	return fault.Wrap(err, "claim a bulk call")
}

// note keeps what has been done so far, in the transaction that did it.
func (c *claim) note(ctx context.Context, r *Report) error { return c.write(ctx, stateRunning, r) }

// finish keeps the answer: in the transaction that did what it tells of, or in
// one of its own when nothing is left of that.
func (c *claim) finish(ctx context.Context, r *Report) error {
	if c == nil {
		return nil
	}
	full := *r
	full.rest()
	return c.write(ctx, stateDone, &full)
}

func (c *claim) write(ctx context.Context, state string, r *Report) error {
	if c == nil {
		return nil
	}
	answer, err := pack(r)
	if err != nil {
		return err
	}
	if len(answer) > maxAnswer {
		answer, state = nil, stateLarge
	}
	now := c.s.db.Now(ctx)
	n, err := c.s.db.Exec(ctx, `UPDATE bulk_call SET state = ?4, answer = ?5, lease_until = ?6, expires_at = ?7
		WHERE owner = ?1 AND name = ?2 AND token = ?3`, c.owner, c.name, c.token, state, answer, now.Add(lease), now.Add(keepAnswers))
	if err == nil && n == 0 {
		return errTaken
	}
	return fault.Wrap(err, "keep the answer of a bulk call")
}

// release gives the right back: the same call may be made again at once. When
// it did something, it goes on from there.
func (c *claim) release(ctx context.Context, did bool) error {
	if c == nil {
		return nil
	}
	q := "DELETE FROM bulk_call WHERE owner = ?1 AND name = ?2 AND token = ?3"
	if did {
		q = "UPDATE bulk_call SET state = '" + stateStopped + "' WHERE owner = ?1 AND name = ?2 AND token = ?3"
	}
	_, err := c.s.db.Exec(ctx, q, c.owner, c.name, c.token)
	return fault.Wrap(err, "release a bulk call")
}

// prune removes answers whose time is over.
func (s *Service) prune(ctx context.Context) error {
	_, err := s.db.Exec(ctx, "DELETE FROM bulk_call WHERE expires_at <= ?1", s.db.Now(ctx))
	return fault.Wrap(err, "remove old answers of bulk calls")
}

func pack(r *Report) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(z).Encode(r), z.Close()); err != nil {
		return nil, fault.Wrap(err, "pack the answer of a bulk call")
	}
	return b.Bytes(), nil
}

// maxUnpacked bounds what a stored answer may take, whatever is in the database.
const maxUnpacked = 64 << 20

func unpack(answer []byte) (*Report, error) {
	z, err := gzip.NewReader(bytes.NewReader(answer))
	if err != nil {
		return nil, fault.Wrap(err, "unpack the answer of a bulk call")
	}
	var r Report
	err = json.NewDecoder(io.LimitReader(z, maxUnpacked)).Decode(&r)
	return &r, fault.Wrap(err, "unpack the answer of a bulk call")
}

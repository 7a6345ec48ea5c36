package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// coldChecks is how many keys one round checks for the first time.
const coldChecks = 100

// cold measures the check of a key that is not in memory, in process, with few
// and with many keys stored, in turn.
func (b *bench) cold(ctx context.Context, few, many place) error {
	var all [2][]time.Duration
	var checks [2]*check
	for i, p := range []place{few, many} {
		if err := p.read(); err != nil {
			return err
		}
		c, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer c.db.Close()
		checks[i] = c
	}
	for r := range b.rounds {
		for i, p := range []place{few, many} {
			took, err := checks[i].lookups(ctx, p, r*coldChecks)
			if err != nil {
				return err
			}
			all[i] = append(all[i], took...)
		}
	}
	a, z := median(all[0]), median(all[1])
	ratio := float64(z) / float64(a)
	b.report.add("5", fmt.Sprintf("check of a key not in memory, %s against %s stored", count(many.keys), count(few.keys)),
		fmt.Sprintf("%s against %s, %.2f ×", span(z), span(a), ratio), "flat (≤ 2 ×)", judge(ratio <= flatBudget))
	return nil
}

// read reads the file of the database once, so that it is in the memory of the
// system and not the disk is measured.
func (p place) read() error {
	f, err := os.Open(filepath.Join(p.dir, "latchkey.db"))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return errors.Join(err, f.Close())
}

// lookups checks keys that are spread over the whole database.
func (c *check) lookups(ctx context.Context, p place, from int) ([]time.Duration, error) {
	var took []time.Duration
	for i := range coldChecks {
		text := p.key((from + i) * 7919 % p.keys)
		began := time.Now()
		got, err := c.verifier.Verify(ctx, text, client)
		took = append(took, time.Since(began))
		if got.Principal == nil {
			return nil, refused(got.Reason, err)
		}
	}
	return took, nil
}

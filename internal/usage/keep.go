package usage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// writeSamples writes sampled requests in the order of time, and removes the
// oldest beyond the bounds.
func (s *Service) writeSamples(ctx context.Context, b *batch, routes map[string]int64) error {
	var all []sample
	var dropped [3]int64
	for _, e := range b.parts {
		all = append(all, e.samples...)
		dropped[dropRate] += e.dropped[dropRate]
		dropped[dropFull] += e.dropped[dropFull]
	}
	slices.SortStableFunc(all, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	var args []any
	for _, v := range all {
		args = append(args, v.key, v.secret, v.at, routes[v.route], v.status, v.took, v.addr, v.agent, v.id, v.refusal, v.trial)
	}
	if err := putSamples().run(ctx, s.db, args); err != nil {
		return err
	}
	if len(all) > 0 {
		aged, err := s.trim(ctx, all)
		if err != nil {
			return err
		}
		dropped[dropAged] = aged
	}
	return s.writeDropped(ctx, dropped[:])
}

func (s *Service) writeDropped(ctx context.Context, dropped []int64) error {
	var args []any
	for why, n := range dropped {
		if n > 0 {
			args = append(args, dropReasons()[why], n)
		}
	}
	return putDropped().run(ctx, s.db, args)
}

// trim removes the oldest samples beyond the bounds, of the keys of the new
// ones and of all. It returns how many those are.
func (s *Service) trim(ctx context.Context, added []sample) (int64, error) {
	keys := make([]int64, 0, len(added))
	for _, v := range added {
		keys = append(keys, v.key)
	}
	slices.Sort(keys)
	var over []keyCount
	err := among(slices.Compact(keys), func(list string, args []any) error {
		found, err := db.All(ctx, s.db, scanKeyCount, "SELECT key_id, count(*) FROM usage_sample WHERE key_id IN "+list+
			fmt.Sprintf(" GROUP BY key_id HAVING count(*) > ?%d", len(args)+1), append(args, s.o.SamplesPerKey)...)
		over = append(over, found...)
		return err
	})
	if err != nil {
		return 0, err
	}
	var aged int64
	for _, k := range over {
		n, err := s.db.Exec(ctx, `DELETE FROM usage_sample WHERE key_id = ?1 AND id <=
			(SELECT id FROM usage_sample WHERE key_id = ?1 ORDER BY id LIMIT 1 OFFSET ?2)`, k.key, k.n-int64(s.o.SamplesPerKey)-1)
		if err != nil {
			return 0, err
		}
		aged += n
	}
	n, err := s.trimAll(ctx)
	return aged + n, err
}

func (s *Service) trimAll(ctx context.Context) (int64, error) {
	all, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT count(*) FROM usage_sample")
	if err != nil || all <= int64(s.o.Samples) {
		return 0, err
	}
	return s.db.Exec(ctx, `DELETE FROM usage_sample WHERE id <=
		(SELECT id FROM usage_sample ORDER BY id LIMIT 1 OFFSET ?1)`, all-int64(s.o.Samples)-1)
}

type keyCount struct{ key, n int64 }

func scanKeyCount(r db.Row) (keyCount, error) {
	var v keyCount
	err := r.Scan(&v.key, &v.n)
	return v, err
}

// keepNodes is how long the number of a node's last batch is kept: longer than
// any batch waits to be written.
const keepNodes = 30 * 24 * time.Hour

// Prune removes what was counted before a time: hours that were over by then,
// names that were not seen since, and samples. The last use of secrets stays.
func (s *Service) Prune(ctx context.Context, before time.Time) error {
	for _, table := range []string{"usage_hour", "usage_refusal", "usage_trial"} {
		if err := s.pruneHours(ctx, table, hourOf(before.UnixMicro())); err != nil {
			return fault.Wrap(err, "prune "+table)
		}
	}
	if err := s.pruneSeen(ctx, before); err != nil {
		return fault.Wrap(err, "prune usage_seen")
	}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		aged, err := s.db.Exec(ctx, "DELETE FROM usage_sample WHERE at < ?1", before)
		if err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM usage_flush WHERE at < ?1", s.db.Now(ctx).Add(-keepNodes)); err != nil {
			return err
		}
		return s.writeDropped(ctx, []int64{dropAged: aged})
	})
	return fault.Wrap(err, "prune samples")
}

// pruneHours removes an hour at a time, so that others can write in between.
func (s *Service) pruneHours(ctx context.Context, table string, before int64) error {
	for {
		oldest, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT coalesce(min(hour), ?1) FROM "+table, before)
		if err != nil || oldest >= before {
			return err
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM "+table+" WHERE hour = ?1", oldest); err != nil {
			return err
		}
	}
}

// pruneSeen looks for old names outside of a transaction, because it reads all
// of them, and removes them group by group.
func (s *Service) pruneSeen(ctx context.Context, before time.Time) error {
	old, err := db.All(ctx, s.db, scanGroupKey, `SELECT key_id, what, kind FROM usage_seen WHERE last_at < ?1
		UNION SELECT key_id, what, kind FROM usage_rest WHERE n > 0 AND last_at < ?1`, before)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(old, 100) {
		err := s.db.InTx(ctx, func(ctx context.Context) error {
			for _, k := range chunk {
				if err := s.pruneGroup(ctx, k, before); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) pruneGroup(ctx context.Context, k groupKey, before time.Time) error {
	n, err := s.db.Exec(ctx, "DELETE FROM usage_seen WHERE key_id = ?1 AND what = ?2 AND kind = ?3 AND last_at < ?4",
		k.key, k.what.String(), k.kind, before)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "UPDATE usage_rest SET held = held - ?4 WHERE key_id = ?1 AND what = ?2 AND kind = ?3",
		k.key, k.what.String(), k.kind, n)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `UPDATE usage_rest SET n = 0, first_at = 0, last_at = 0
		WHERE key_id = ?1 AND what = ?2 AND kind = ?3 AND last_at < ?4`, k.key, k.what.String(), k.kind, before)
	return err
}

func scanGroupKey(r db.Row) (groupKey, error) {
	var k groupKey
	var what string
	err := r.Scan(&k.key, &what, &k.kind)
	k.what = whatOf(what)
	return k, err
}

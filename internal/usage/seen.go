package usage

import (
	"context"
	"maps"
	"slices"

	"latchkey/internal/db"
)

// names is what a batch holds of the names of one group.
type names struct {
	rows []row[string, span]
	rest span  // uses of names that find no room
	held int64 // rows in the database
	more int64 // rows that the batch adds
}

// writeSeen writes ids, fields and addresses, of each group as many as there
// is room for.
func (s *Service) writeSeen(ctx context.Context, b *batch) error {
	groups := groupNames(b)
	if err := s.readHeld(ctx, groups); err != nil {
		return err
	}
	var args []any
	sent := map[seenKey]int64{}
	for k, g := range groups {
		if g.held+int64(len(g.rows)) > int64(s.o.NamesPerKind) {
			if err := s.fit(ctx, k, g); err != nil {
				return err
			}
		}
		for _, r := range g.rows {
			args = append(args, k.key, k.what.String(), k.kind, r.key, r.val.n, r.val.first, r.val.last)
			sent[seenKey{k, r.key}] = r.val.n
		}
	}
	err := putSeen().each(args, func(q string, args []any) error {
		return db.Each(ctx, s.db, scanSeen, func(v seenRow) error {
			if sent[v.seenKey] == v.n { // it was not there before: nothing was added to
				groups[v.groupKey].more++
			}
			return nil
		}, q, args...)
	})
	if err != nil {
		return err
	}
	return s.writeRests(ctx, groups)
}

func groupNames(b *batch) map[groupKey]*names {
	groups := map[groupKey]*names{}
	of := func(k groupKey) *names {
		g := groups[k]
		if g == nil {
			g = &names{}
			groups[k] = g
		}
		return g
	}
	for _, e := range b.parts {
		for _, r := range e.seen.rows {
			g := of(r.key.groupKey)
			g.rows = append(g.rows, row[string, span]{r.key.name, r.val})
		}
		for _, r := range e.addresses.rows {
			g := of(groupKey{r.key.key, addresses, addressKind(r.key.failed)})
			g.rows = append(g.rows, row[string, span]{text(r.key.addr), r.val})
		}
		for _, r := range e.groups.rows {
			of(r.key).rest = r.val.rest
		}
	}
	return groups
}

// readHeld reads how many names of the groups are stored.
func (s *Service) readHeld(ctx context.Context, groups map[groupKey]*names) error {
	keys := map[int64]bool{}
	for k := range groups {
		keys[k.key] = true
	}
	return among(slices.Collect(maps.Keys(keys)), func(list string, args []any) error {
		return db.Each(ctx, s.db, scanRest, func(r restRow) error {
			if g := groups[r.groupKey]; g != nil {
				g.held = r.held
			}
			return nil
		}, selectRests+" WHERE key_id IN "+list, args...)
	})
}

// fit leaves of a group the names that are stored, and new ones while there is
// room. It counts the others as the rest.
func (s *Service) fit(ctx context.Context, k groupKey, g *names) error {
	known, err := db.All(ctx, s.db, db.Scalar[string],
		"SELECT name FROM usage_seen WHERE key_id = ?1 AND what = ?2 AND kind = ?3 ORDER BY name", k.key, k.what.String(), k.kind)
	if err != nil {
		return err
	}
	room := s.o.NamesPerKind - len(known)
	g.rows = slices.DeleteFunc(g.rows, func(r row[string, span]) bool {
		if _, ok := slices.BinarySearch(known, r.key); ok {
			return false
		}
		if room > 0 {
			room--
			return false
		}
		g.rest.add(r.val)
		return true
	})
	return nil
}

// writeRests writes how many names the groups have now, and what found no room.
func (s *Service) writeRests(ctx context.Context, groups map[groupKey]*names) error {
	var args []any
	for k, g := range groups {
		if g.more > 0 || g.rest.n > 0 {
			args = append(args, k.key, k.what.String(), k.kind, g.more, g.rest.n, g.rest.first, g.rest.last)
		}
	}
	return putRests().run(ctx, s.db, args)
}

type seenRow struct {
	seenKey
	n int64
}

func scanSeen(r db.Row) (seenRow, error) {
	var v seenRow
	var what string
	err := r.Scan(&v.key, &what, &v.kind, &v.name, &v.n)
	v.what = whatOf(what)
	return v, err
}

const selectRests = "SELECT key_id, what, kind, held, n, first_at, last_at FROM usage_rest"

type restRow struct {
	groupKey
	held int64
	span
}

func scanRest(r db.Row) (restRow, error) {
	var v restRow
	var what string
	err := r.Scan(&v.key, &what, &v.kind, &v.held, &v.n, &v.first, &v.last)
	v.what = whatOf(what)
	return v, err
}

package content

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// grantChange is a grant that became another.
type grantChange struct {
	Collection int64  `json:"collection_id"`
	Group      int64  `json:"group_id"`
	Previous   string `json:"previous"`
	New        string `json:"new"`
}

// mostNamed is how many changed grants an audit entry names; of more it says
// how many.
const mostNamed = 200

// setGrants writes the grants that differ, in the caller's transaction: the
// rows, one audit entry, and for each collection a change of its grants alone.
func (s *Service) setGrants(ctx context.Context, who *access.Principal, namespace string, w wanted) error {
	ids := slices.Sorted(maps.Keys(w))
	stored, err := s.storedGrants(ctx, namespace, ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	var changes []grantChange
	places := 0
	for _, id := range ids {
		some := differing(id, stored[id], w[id])
		if len(some) == 0 {
			continue
		}
		changes, places = append(changes, some...), places+1
		if err := s.writeGrants(ctx, namespace, id, stored[id].With(w[id])); err != nil {
			return err
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := s.bump(ctx, namespace); err != nil {
		return err
	}
	return s.auditGrants(ctx, who, namespace, changes, places)
}

// storedGrants reads the grants as they are in the database: memory may be a
// moment behind another node.
func (s *Service) storedGrants(ctx context.Context, namespace string, ids []int64) (map[int64]*access.Grants, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := source{s.db}.Grants(ctx, ids)
	if err != nil {
		return nil, fault.Wrap(err, "read grants")
	}
	if ids[0] == access.RootCollection {
		text, err := db.One(ctx, s.db, db.Scalar[string], "SELECT grants FROM collection_root WHERE namespace = ?1", namespace)
		if err != nil {
			return nil, fault.Wrap(err, "read grants of the root")
		}
		if stored[access.RootCollection], err = access.ParseGrants(text); err != nil {
			return nil, fault.Wrap(err, "read grants of the root")
		}
	}
	return stored, nil
}

// differing names what changes in one collection, in order of the groups.
func differing(collection int64, old *access.Grants, levels map[int64]access.CollectionLevel) []grantChange {
	var out []grantChange
	for group, level := range levels {
		if before := old.Of(group); before != level {
			out = append(out, grantChange{collection, group, before.String(), level.String()})
		}
	}
	slices.SortFunc(out, func(a, b grantChange) int { return cmp.Compare(a.Group, b.Group) })
	return out
}

func (s *Service) writeGrants(ctx context.Context, namespace string, id int64, g *access.Grants) error {
	var err error
	if id == access.RootCollection {
		_, err = s.db.Exec(ctx, "UPDATE collection_root SET grants = ?2 WHERE namespace = ?1", namespace, g.String())
	} else {
		_, err = s.db.Exec(ctx, "UPDATE collection SET grants = ?2 WHERE id = ?1", id, g.String())
	}
	if err != nil {
		return fault.Wrap(err, "write grants")
	}
	return s.db.Record(ctx, db.ChangedGrants, id)
}

func (s *Service) auditGrants(ctx context.Context, who *access.Principal, namespace string, changes []grantChange, places int) error {
	e := audit.Entry{Action: "collection.permissions", ObjectKind: string(Collection), Details: map[string]any{
		"changes": changes[:min(len(changes), mostNamed)], "grants": len(changes), "collections": places,
	}}
	if namespace != Default {
		e.Details["namespace"] = namespace
	}
	if id := changes[0].Collection; places == 1 && id != access.RootCollection {
		i, err := s.one(ctx, Ref{Collection, id})
		if err != nil {
			return err
		}
		e.ObjectID, e.ObjectName = id, i.Name
	}
	return s.audit.Append(ctx, who.Actor(), e)
}

// GroupDeleted takes the grants of a group that is being deleted out of all
// collections, in the caller's transaction: four statements for however many
// collections, and one change, from which every node knows what to forget. The
// revision of the graph stays, as with Metabase: nothing is granted otherwise.
func (s *Service) GroupDeleted(ctx context.Context, who *access.Principal, id int64, name string) error {
	total := int64(0)
	for _, table := range []string{"collection", "collection_root"} {
		for _, level := range []string{"r", "c"} {
			n, err := s.db.Exec(ctx, "UPDATE "+table+" SET grants = trim(replace(' ' || grants || ' ', ?1, ' ')) WHERE "+
				s.holds("' ' || grants || ' '", "?1"), " "+itoa(id)+level+" ")
			if err != nil {
				return fault.Wrap(err, "take away the grants of a group")
			}
			total += n
		}
	}
	if total == 0 {
		return nil
	}
	if err := s.db.Record(ctx, db.DroppedGrants, id); err != nil {
		return err
	}
	return s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: "collection.permissions", ObjectKind: string(Collection),
		Details: map[string]any{"group_id": id, "group": name, "new": access.NoCollection.String(), "collections": total, "reason": "group deleted"},
	})
}

// holds is the condition that a text holds another.
func (s *Service) holds(text, part string) string {
	if s.db.Postgres() {
		return "strpos(" + text + ", " + part + ") > 0"
	}
	return "instr(" + text + ", " + part + ") > 0"
}

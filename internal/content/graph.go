package content

import (
	"context"
	"errors"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// KnowGroups says which groups there are, so that nothing is granted to others
// and those that are gone vanish from the graph: ids are never used again. It
// must be called while the server is put together.
func (s *Service) KnowGroups(known func(ctx context.Context, id int64) (bool, error)) {
	s.knowsGroup = known
}

// Graph is who may do what in the collections of a namespace at one moment,
// without personal collections, the trash and what is in it
// (contract/content-data.md 2.11).
type Graph struct {
	Revision int64
	Places   []int64 // the collections in order of their ids, the root first
	grants   []*access.Grants
	groups   []int64 // those with any grant, and Administrators
}

// Graph returns the permission graph of a namespace, as far as a key that is
// bound to some groups may see it. It returns Forbidden unless who is an
// administrator who may see all collections.
func (s *Service) Graph(ctx context.Context, who *access.Principal, namespace string) (Graph, error) {
	if err := requireGraph(who); err != nil {
		return Graph{}, err
	}
	revision, err := s.revision(ctx, namespace)
	if err != nil && !errors.Is(err, db.ErrNone) {
		return Graph{}, fault.Wrap(err, "read revision of the graph")
	}
	places := []*access.Folder{s.cols.Root(namespace)}
	for _, f := range s.cols.All() {
		if inGraph(f, namespace) && !f.Archived {
			places = append(places, f)
		}
	}
	slices.SortFunc(places, func(a, b *access.Folder) int { return int(a.ID - b.ID) })
	g := Graph{Revision: revision, Places: make([]int64, len(places)), grants: make([]*access.Grants, len(places))}
	for i, f := range places {
		g.Places[i], g.grants[i] = f.ID, f.Grants
	}
	for _, id := range grantedGroups(g.grants) {
		known, err := s.knowsGroup(ctx, id)
		if err != nil {
			return g, fault.Wrap(err, "find group")
		}
		if known && access.Sees(who, access.KindGroups, id) {
			g.groups = append(g.groups, id)
		}
	}
	return g, nil
}

// requireGraph refuses who may not see or change all permissions.
func requireGraph(who *access.Principal) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	if access.BoundToCollections(who) {
		return access.Elsewhere(access.KindCollections)
	}
	return nil
}

// inGraph reports whether a collection has permissions of its own in a namespace.
func inGraph(f *access.Folder, namespace string) bool {
	return f.Namespace == namespace && f.Owner == 0 && f.ID != access.TrashCollection
}

// grantedGroups returns the groups with a grant in one of the places, and
// Administrators, in order.
func grantedGroups(grants []*access.Grants) []int64 {
	ids := access.NewTable(grants).Groups()
	if i, found := slices.BinarySearch(ids, access.Administrators); !found {
		ids = slices.Insert(ids, i, access.Administrators)
	}
	return ids
}

// Walk calls f for every group with any grant, in order, with its levels in
// the order of the places, valid during the call. Administrators may do
// everything everywhere.
func (g Graph) Walk(f func(group int64, levels []access.CollectionLevel)) {
	table := access.NewTable(g.grants)
	for _, group := range g.groups {
		levels := table.Row(group)
		if group == access.Administrators {
			for i := range levels {
				levels[i] = access.Curate
			}
		}
		f(group, levels)
	}
}

func (s *Service) revision(ctx context.Context, namespace string) (int64, error) {
	return db.One(ctx, s.db, db.Scalar[int64], "SELECT revision FROM collection_root WHERE namespace = ?1", namespace)
}

// Grant is what a group may do in a collection, RootCollection too.
type Grant struct {
	CollectionID int64
	GroupID      int64
	Level        access.CollectionLevel
}

// GraphChange is grants to be set; all others stay.
type GraphChange struct {
	Namespace string
	Revision  opt.Value[int64] // on which the change stands
	Force     bool             // whatever the revision is
	Grants    []Grant
}

// UpdateGraph sets grants in one transaction and returns the revision of the
// graph, which is a new one when something changed. Collections of persons and
// of other namespaces are passed over (contract/content-data.md 2.11). It
// returns Forbidden as Graph does, Conflict when the graph has another
// revision, and Invalid for a group or a collection that does not exist.
func (s *Service) UpdateGraph(ctx context.Context, who *access.Principal, c GraphChange) (int64, error) {
	if err := requireGraph(who); err != nil {
		return 0, err
	}
	var revision int64
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		now, err := s.revision(ctx, c.Namespace)
		if errors.Is(err, db.ErrNone) {
			return fault.Field("namespace", "There is no namespace %q; leave it out, or write %q.", c.Namespace, Snippets)
		}
		if err != nil {
			return fault.Wrap(err, "read revision of the graph")
		}
		if based, given := c.Revision.Get(); !c.Force && (!given || based != now) {
			return fault.New(fault.Conflict, "")
		}
		wanted, err := s.wanted(ctx, c)
		if err != nil {
			return err
		}
		if err := s.setGrants(ctx, who, c.Namespace, wanted); err != nil {
			return err
		}
		revision, err = s.revision(ctx, c.Namespace)
		return fault.Wrap(err, "read revision of the graph")
	})
	return revision, err
}

// wanted are grants by collection and group.
type wanted map[int64]map[int64]access.CollectionLevel

func (w wanted) add(collection, group int64, level access.CollectionLevel) {
	if w[collection] == nil {
		w[collection] = map[int64]access.CollectionLevel{}
	}
	w[collection][group] = level
}

// wanted checks the grants of a change.
func (s *Service) wanted(ctx context.Context, c GraphChange) (wanted, error) {
	out := wanted{}
	skip := map[int64]bool{access.RootCollection: false, access.TrashCollection: true}
	for _, g := range c.Grants {
		there, err := s.knowsGroup(ctx, g.GroupID)
		if err != nil {
			return nil, fault.Wrap(err, "find group")
		}
		if !there {
			return nil, fault.Field("groups", "There is no group %d.", g.GroupID)
		}
		skipped, known := skip[g.CollectionID]
		if !known {
			f, err := s.cols.Folder(ctx, g.CollectionID)
			if err != nil {
				return nil, fault.Wrap(err, "find collection")
			}
			if f == nil {
				return nil, fault.Field("groups", "There is no collection %d.", g.CollectionID)
			}
			skipped = !inGraph(f, c.Namespace)
			skip[g.CollectionID] = skipped
		}
		switch {
		case skipped:
		case g.GroupID == access.Administrators && g.Level != access.Curate:
			return nil, fault.New(fault.Invalid, "You cannot create or revoke permissions for the 'Admin' group.")
		case g.GroupID != access.Administrators:
			out.add(g.CollectionID, g.GroupID, g.Level)
		}
	}
	return out, nil
}

// SetGrants sets grants in the namespaces of their collections, in one
// transaction; those of the root are those for questions and dashboards. With
// subtree what lies in the collections gets the same, what is in the trash too:
// it may come back. It returns Forbidden as Graph does, NotFound for a group or
// a collection that does not exist, and Invalid for Administrators, the Trash
// and personal collections.
func (s *Service) SetGrants(ctx context.Context, who *access.Principal, grants []Grant, subtree bool) error {
	if err := requireGraph(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		spaces := map[string]wanted{}
		for _, g := range grants {
			if err := s.spread(ctx, spaces, g, subtree); err != nil {
				return err
			}
		}
		for _, namespace := range []string{Default, Snippets} {
			if err := s.setGrants(ctx, who, namespace, spaces[namespace]); err != nil {
				return err
			}
		}
		return nil
	})
}

// spread adds a grant, and with subtree those of what lies in its collection.
func (s *Service) spread(ctx context.Context, spaces map[string]wanted, g Grant, subtree bool) error {
	f, err := s.folder(ctx, g.CollectionID)
	if err != nil {
		return err
	}
	known, err := s.knowsGroup(ctx, g.GroupID)
	switch {
	case err != nil:
		return fault.Wrap(err, "find group")
	case !known:
		return notFound()
	case g.GroupID == access.Administrators:
		return fault.New(fault.Invalid, "You cannot create or revoke permissions for the 'Admin' group.")
	case !inGraph(f, f.Namespace):
		return fault.New(fault.Invalid, "The permissions of this collection cannot be changed.")
	}
	places := []*access.Folder{f}
	if subtree {
		below, err := s.below(ctx, f)
		if err != nil {
			return err
		}
		places = append(places, below...)
	}
	for _, p := range places {
		if spaces[p.Namespace] == nil {
			spaces[p.Namespace] = wanted{}
		}
		spaces[p.Namespace].add(p.ID, g.GroupID, g.Level)
	}
	return nil
}

// below returns the collections in a place that have permissions of their own.
func (s *Service) below(ctx context.Context, place *access.Folder) ([]*access.Folder, error) {
	if place.ID != access.RootCollection {
		list, err := s.cols.Under(ctx, place.ID)
		return list, fault.Wrap(err, "find what lies in a collection")
	}
	return slices.DeleteFunc(s.cols.All(), func(f *access.Folder) bool { return !inGraph(f, place.Namespace) }), nil
}

// Levels returns what some groups may do in some collections: a row for each
// collection, with a level for each group. Collections that do not exist have
// none. It returns Forbidden as Graph does.
func (s *Service) Levels(ctx context.Context, who *access.Principal, groups, collections []int64) ([][]access.CollectionLevel, error) {
	if err := requireGraph(who); err != nil {
		return nil, err
	}
	out := make([][]access.CollectionLevel, len(collections))
	for i, id := range collections {
		f, err := s.cols.Folder(ctx, id)
		if err != nil {
			return nil, fault.Wrap(err, "find collection")
		}
		out[i] = make([]access.CollectionLevel, len(groups))
		for j, group := range groups {
			switch {
			case f == nil:
			case group == access.Administrators:
				out[i][j] = access.Curate
			default:
				out[i][j] = f.Grants.Of(group)
			}
		}
	}
	return out, nil
}

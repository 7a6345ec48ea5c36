package content

import (
	"context"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Pinned says which of the pinned and other items to list.
type Pinned int

// The choices. Collections and timelines are never pinned.
const (
	PinnedOrNot Pinned = iota
	OnlyPinned
	NotPinned
)

// SortBy is what items are ordered by before their names.
type SortBy int

// The orders of items.
const (
	SortByName SortBy = iota
	SortByEdit
	SortByEditor
	SortByModel
)

// ItemQuery says which items of a collection to list, and how
// (contract/content-data.md 2.5).
type ItemQuery struct {
	CollectionID int64  // RootCollection and TrashCollection too
	Namespace    string // of the root
	Models       []Model
	AllModels    bool // in place of Models: all that can lie there
	Archived     bool
	Pinned       Pinned
	Sort         SortBy
	Descending   bool
	Text         string // part of the name, in any case
	InDashboards bool   // also questions that live in a dashboard
	Limit        int    // negative: all
	Offset       int
}

// ItemPage is a part of what lies in a collection.
type ItemPage struct {
	Items     []Item
	Total     int
	Models    []Model // that were looked for, in order of their names
	Location  string  // of what lies in the collection
	Namespace string  // of the collection
}

// modelsIn are the models of what can lie in a namespace, in order of their names.
func modelsIn(namespace string) []Model {
	if namespace == Snippets {
		return []Model{ModelCollection, ModelSnippet}
	}
	return []Model{ModelCard, ModelCollection, ModelDashboard, ModelDataset, ModelMetric, ModelTimeline}
}

// Items lists what lies directly in a collection, as far as who may see it: of
// collections also those in hidden ones between, and of the Trash what was put
// there by itself. What is archived shows to those alone who may change it.
// Snippets come all at once. It returns NotFound and Forbidden.
func (s *Service) Items(ctx context.Context, who *access.Principal, q ItemQuery) (ItemPage, error) {
	f, out, err := s.itemsFilter(ctx, who, q)
	if err != nil || f.nothing {
		return out, err
	}
	if out.Namespace == Snippets {
		q.Limit, q.Offset = -1, 0
	}
	if out.Items, err = s.itemPage(ctx, f, q); err != nil {
		return out, fault.Wrap(err, "list items")
	}
	out.Total = q.Offset + len(out.Items)
	if q.Limit >= 0 && (len(out.Items) == q.Limit || len(out.Items) == 0) {
		out.Total, err = db.One(ctx, s.db, db.Scalar[int], "SELECT count(*) FROM item i WHERE "+f.where(), f.args...)
	}
	return out, fault.Wrap(err, "count items")
}

// ItemModels returns which models of items a list has, and how many items.
func (s *Service) ItemModels(ctx context.Context, who *access.Principal, q ItemQuery) ([]Model, int, error) {
	f, _, err := s.itemsFilter(ctx, who, q)
	if err != nil || f.nothing {
		return []Model{}, 0, err
	}
	total := 0
	models := []Model{}
	type row struct {
		model Model
		n     int
	}
	err = db.Each(ctx, s.db, func(r db.Row) (v row, err error) { return v, r.Scan(&v.model, &v.n) },
		func(v row) error { models, total = append(models, v.model), total+v.n; return nil },
		"SELECT i.model, count(*) FROM item i WHERE "+f.where()+" GROUP BY i.model ORDER BY i.model", f.args...)
	return models, total, fault.Wrap(err, "count items")
}

// itemsFilter turns a query into conditions, and decides.
func (s *Service) itemsFilter(ctx context.Context, who *access.Principal, q ItemQuery) (*filter, ItemPage, error) {
	out := ItemPage{Items: []Item{}, Models: []Model{}}
	place, err := s.listed(ctx, who, q)
	if err != nil {
		return nil, out, err
	}
	out.Location, out.Namespace = path(placePath(place)), place.Namespace
	out.Models = modelsIn(place.Namespace)
	if !q.AllModels {
		out.Models = slices.DeleteFunc(out.Models, func(m Model) bool { return !slices.Contains(q.Models, m) })
	}
	q.Archived = q.Archived || place.Archived || place.ID == access.TrashCollection
	f := &filter{nothing: len(out.Models) == 0}
	switch need := needFor(q.Archived); {
	case f.nothing:
	case place.ID == access.TrashCollection:
		s.trashed(f, who)
	case access.LevelOf(who, place) >= need:
		f.and("i.collection_id = " + f.arg(place.ID))
		s.visibleChildren(f, who, place, q.Archived)
	case place.ID == access.RootCollection && slices.Contains(out.Models, ModelCollection):
		f.and("i.kind = 'collection'") // those may be seen from a root that may not
		s.visibleChildren(f, who, place, q.Archived)
	default:
		f.nothing = true
	}
	f.and("i.archived = " + f.arg(q.Archived))
	if place.ID == access.RootCollection || place.ID == access.TrashCollection { // others hold one namespace alone
		f.and("i.namespace = " + f.arg(place.Namespace))
	}
	q.narrow(f, place, out.Models)
	return f, out, nil
}

// needFor is the level that lists ask for.
func needFor(archived bool) access.CollectionLevel {
	if archived {
		return access.Curate
	}
	return access.View
}

// listed returns the collection to list.
func (s *Service) listed(ctx context.Context, who *access.Principal, q ItemQuery) (*access.Folder, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	if q.CollectionID == access.RootCollection {
		return s.cols.Root(q.Namespace), nil
	}
	place, err := s.folder(ctx, q.CollectionID)
	if err != nil {
		return nil, err
	}
	if access.LevelOf(who, place) < access.View {
		return nil, access.ForbiddenIn(who, place, access.View)
	}
	return place, nil
}

func placePath(f *access.Folder) []int64 {
	if f.ID == access.RootCollection {
		return nil
	}
	return append(slices.Clip(f.Path), f.ID)
}

// narrow adds the conditions that the caller chose.
func (q ItemQuery) narrow(f *filter, place *access.Folder, models []Model) {
	if len(models) < len(modelsIn(place.Namespace)) {
		words := make([]string, len(models))
		for i, m := range models {
			words[i] = "'" + string(m) + "'" // one of ours
		}
		f.and("i.model IN (" + strings.Join(words, ", ") + ")")
	}
	if place.ID != access.TrashCollection && q.Archived {
		f.and("i.archived_directly = FALSE")
	}
	if !q.InDashboards {
		f.and("i.dashboard_id = 0")
	}
	switch q.Pinned {
	case OnlyPinned:
		f.and("i.position IS NOT NULL")
	case NotPinned:
		f.and("i.position IS NULL")
	case PinnedOrNot:
	}
	if q.Text != "" {
		f.and("i.name_key LIKE " + f.arg(db.Contains(nameKey(q.Text))) + ` ESCAPE '\'`)
	}
}

// trashed are the conditions of the list of the Trash: what was put there by
// itself and that who may change where it lay.
func (s *Service) trashed(f *filter, who *access.Principal) {
	f.and("i.archived_directly AND i.archived_directly = TRUE") // the index asks for the first, its order for the second
	reach := s.cols.Reach(who, access.Curate)
	if reach.Everything {
		return
	}
	cond, ids := s.Where(reach, "i.collection_id", f.next())
	f.args = append(f.args, ids)
	collections := s.db.In("i.id", f.next())
	f.args = append(f.args, db.IDs(reach.IDs))
	f.and("(i.kind <> 'collection' AND " + cond + " OR i.kind = 'collection' AND " + collections + ")")
}

// visibleChildren shows the collections in a place as far as who may see them,
// and those that lie in hidden ones between as if they lay in the place
// (contract/content-data.md 2.1, effective_location).
func (s *Service) visibleChildren(f *filter, who *access.Principal, place *access.Folder, archived bool) {
	if who.IsAdmin() && !access.BoundToCollections(who) {
		return
	}
	direct, deeper := s.children(who, place, archived)
	f.and("(i.kind <> 'collection' OR " + s.db.In("i.id", f.next()) + ")")
	f.args = append(f.args, db.IDs(direct))
	if len(deeper) == 0 {
		return
	}
	own := f.where()
	f.conds = []string{"(" + own + " OR i.kind = 'collection' AND " + s.db.In("i.id", f.next()) + ")"}
	f.args = append(f.args, db.IDs(deeper))
}

// children returns the collections that who sees in a place: those that lie
// there, and those that lie in hidden ones between.
func (s *Service) children(who *access.Principal, place *access.Folder, archived bool) (direct, deeper []int64) {
	all, seen := s.cols.All(), map[int64]bool{}
	for _, f := range all {
		seen[f.ID] = access.LevelOf(who, f) >= needFor(archived)
	}
	for _, f := range all {
		between, under := between(place, f)
		switch {
		case !under || f.Archived != archived || !seen[f.ID]:
		case len(between) == 0:
			direct = append(direct, f.ID)
		case !inAny(between, seen):
			deeper = append(deeper, f.ID)
		}
	}
	return direct, deeper
}

// between returns the collections between a place and one that lies in it at
// some depth.
func between(place, f *access.Folder) (ids []int64, under bool) {
	if place.ID == access.RootCollection {
		return f.Path, f.Namespace == place.Namespace && f.Owner == 0 && f.ID != access.TrashCollection
	}
	i := slices.Index(f.Path, place.ID)
	if i < 0 {
		return nil, false
	}
	return f.Path[i+1:], true
}

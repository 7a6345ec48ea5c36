package web

import (
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/content"
)

// itemsOf reads a page of what lies in a collection, and how many items there are.
func (p *page) itemsOf(s spot, l list) ([]content.Item, int, error) {
	q := content.ItemQuery{CollectionID: s.ID, AllModels: true, Text: l.Query, Limit: pageSize, Offset: l.offset()}
	switch l.Filter("kind") {
	case "question":
		q.AllModels, q.Models = false, []content.Model{content.ModelCard, content.ModelDataset, content.ModelMetric}
	case "dashboard":
		q.AllModels, q.Models = false, []content.Model{content.ModelDashboard}
	case "collection":
		q.AllModels, q.Models = false, []content.Model{content.ModelCollection}
	}
	by, backwards := sorted(l)
	q.Descending = backwards
	switch by {
	case "edited":
		q.Sort, q.Descending = content.SortByEdit, !backwards
	case "editor":
		q.Sort = content.SortByEditor
	case "model":
		q.Sort = content.SortByModel
	}
	found, err := p.site.Content.Items(p.ctx(), p.who, q)
	return found.Items, found.Total, err
}

// folderHit is a collection that was found by its name.
type folderHit struct {
	ID   int64
	Name string
	Way  string // the names of the collections that it lies in
}

// findFolders returns the first collections that are not in the trash, whose
// names contain the query and in which the caller has a level, and how many
// there are. Those in without, and what lies in them, are left out.
func (p *page) findFolders(query string, limit int, level access.CollectionLevel, without []int64) ([]folderHit, int, error) {
	all, err := p.site.Content.ListCollections(p.ctx(), p.who, content.CollectionFilter{NotOthers: true})
	if err != nil {
		return nil, 0, err
	}
	names := make(map[int64]string, len(all))
	for _, f := range all {
		names[f.ID] = f.Name
	}
	query = strings.ToLower(query)
	var hits []folderHit
	total := 0
	for _, f := range all {
		barred := slices.ContainsFunc(without, func(id int64) bool { return id == f.ID || f.Access.Under(id) })
		if barred || access.LevelOf(p.who, f.Access) < level || !strings.Contains(strings.ToLower(f.Name), query) {
			continue
		}
		if total++; len(hits) < limit {
			hits = append(hits, folderHit{f.ID, f.Name, wayOf(f.Access, names)})
		}
	}
	return hits, total, nil
}

// wayOf writes the collections that one lies in, as far as they have names here.
func wayOf(f *access.Folder, names map[int64]string) string {
	var way []string
	for _, id := range f.Path {
		if name, ok := names[id]; ok {
			way = append(way, name)
		}
	}
	return strings.Join(way, " / ")
}

package api

import (
	"context"
	"net/http"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// CollectionEndpoints returns the routes of /api/collection
// (contract/content-data.md 2).
func CollectionEndpoints(items *content.Service, ppl *people.Service, cards *card.Service) []endpoint.Endpoint {
	r := collectionRoutes{contentViews{items, ppl}, cards}
	read := access.Authenticated("collections", access.Read).ByCollection()
	write := access.Authenticated("collections", access.Write).ByCollection()
	readOne, writeOne := read.Naming("collections", "id"), write.Naming("collections", "id")
	return slices.Concat(r.graphEndpoints(), r.candidateEndpoints(), []endpoint.Endpoint{
		endpoint.New("GET", "/api/collection", "List the collections", read, r.list),
		endpoint.New("POST", "/api/collection", "Create a collection; it gets the permissions of its parent", write, r.create),
		endpoint.New("GET", "/api/collection/tree", "List the collections as a tree", read, r.tree),
		endpoint.Naming(endpoint.New("GET", "/api/collection/root", "Get the root collection", read, r.getRoot), rootNamed, access.KindCollections),
		endpoint.New("GET", "/api/collection/root/items", "List what lies in the root collection", read, r.rootItems).Pages("limit", "offset"),
		endpoint.New("GET", "/api/collection/root/items/metadata", "Say what lies in the root collection", read, r.rootMetadata),
		endpoint.New("GET", "/api/collection/trash", "Get the trash", read, r.getTrash),
		endpoint.New("GET", "/api/collection/trash/items", "List what is in the trash", read, r.trashItems).Pages("limit", "offset"),
		endpoint.New("GET", "/api/collection/trash/items/metadata", "Say what is in the trash", read, r.trashMetadata),
		endpoint.New("GET", "/api/collection/{id}", "Get a collection", readOne, r.get),
		endpoint.New("GET", "/api/collection/{id}/items", "List what lies in a collection", readOne, r.items).Pages("limit", "offset"),
		endpoint.New("GET", "/api/collection/{id}/items/metadata", "Say what lies in a collection", readOne, r.metadata),
		endpoint.New("PUT", "/api/collection/{id}", "Rename, move, archive or restore a collection", writeOne, r.update),
		endpoint.New("DELETE", "/api/collection/{id}", "Delete a collection that is in the trash, with all that lies in it",
			access.Admin("collections", access.Write).ByCollection().Naming("collections", "id"), r.delete),
	})
}

// namespaceOf reads a namespace: what is absent, null or empty is that of
// questions and dashboards.
func namespaceOf(v opt.Value[string]) string { return v.Or(content.Default) }

func (r collectionRoutes) list(ctx context.Context, c *endpoint.Call, in listCollectionsInput) ([]any, error) {
	namespace := namespaceOf(in.Namespace)
	folders, err := r.content.ListCollections(ctx, c.Who, content.CollectionFilter{
		Namespace: namespace, Archived: in.Archived.V, Personal: in.Personal.V, NotOthers: in.NotOthers.V,
	})
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(folders)+1)
	if !in.Archived.V && !in.Personal.V && r.rootLevel(c, namespace) >= access.View {
		out = append(out, r.root(c, namespace))
	}
	for _, f := range folders {
		out = append(out, r.listed(ctx, c, f))
	}
	return out, nil
}

// rootNamed names the root, which the path names.
func rootNamed(_ context.Context, _ *endpoint.Call, in namespaceInput) ([]access.Ref, error) {
	if namespaceOf(in.Namespace) != content.Default {
		return nil, nil
	}
	return []access.Ref{{Kind: access.KindCollections, ID: access.RootName}}, nil
}

func (r collectionRoutes) getRoot(_ context.Context, c *endpoint.Call, in namespaceInput) (wireRootDetail, error) {
	namespace := namespaceOf(in.Namespace)
	if r.rootLevel(c, namespace) < access.View {
		return wireRootDetail{}, access.ForbiddenIn(c.Who, r.content.Collections().Root(namespace), access.View)
	}
	return wireRootDetail{wireRootCollection: r.root(c, namespace), EffectiveAncestors: []any{}}, nil
}

func (r collectionRoutes) getTrash(ctx context.Context, c *endpoint.Call, _ endpoint.None) (wireCollectionDetail, error) {
	return r.show(ctx, c, access.TrashCollection)
}

func (r collectionRoutes) get(ctx context.Context, c *endpoint.Call, in collectionInput) (wireCollectionDetail, error) {
	id, err := r.itemID(ctx, content.Collection, in.ID)
	if err != nil {
		return wireCollectionDetail{}, err
	}
	shown, err := r.show(ctx, c, id)
	if err == nil {
		r.content.Saw(c.Who, content.Ref{Kind: content.Collection, ID: id})
	}
	return shown, err
}

func (r collectionRoutes) show(ctx context.Context, c *endpoint.Call, id int64) (wireCollectionDetail, error) {
	f, err := r.content.Collection(ctx, c.Who, id)
	if err != nil {
		return wireCollectionDetail{}, err
	}
	return r.detail(ctx, c, f)
}

// officialIsPaid refuses to mark a collection as official, which Metabase sells
// (contract/content-data.md 2.6). Who may not write there learns that first.
func (r collectionRoutes) officialIsPaid(ctx context.Context, c *endpoint.Call, level opt.Value[string], id int64) error {
	if _, given := level.Get(); !given {
		return nil
	}
	if err := r.content.Require(ctx, c.Who, id, access.Curate); err != nil {
		return err
	}
	return Paid("Official Collections")
}

func (r collectionRoutes) create(ctx context.Context, c *endpoint.Call, in newCollectionInput) (wireCollection, error) {
	if err := r.officialIsPaid(ctx, c, in.AuthorityLevel, in.ParentID.Or(access.RootCollection)); err != nil {
		return wireCollection{}, err
	}
	f, err := r.content.CreateCollection(ctx, c.Who, content.NewCollection{
		Name: in.Name, Description: in.Description.Ptr(), ParentID: in.ParentID.Or(access.RootCollection), Namespace: in.Namespace,
	})
	return toWireCollection(f), err
}

// update takes a collection out of the trash when it says nothing about that
// (contract/content-data.md 2.7), except for a key that may not.
func (r collectionRoutes) update(ctx context.Context, c *endpoint.Call, in editCollectionInput) (wireCollectionDetail, error) {
	if err := r.officialIsPaid(ctx, c, in.AuthorityLevel, in.ID); err != nil {
		return wireCollectionDetail{}, err
	}
	archived := opt.Of(in.Archived.Or(false))
	if !in.Archived.Set && !access.MayWrite(c.Who, access.KindCollections, "archived") {
		archived = opt.Value[bool]{}
	}
	f, err := r.content.UpdateCollection(ctx, c.Who, in.ID, content.CollectionChange{
		Name: in.Name, Description: in.Description, ParentID: in.ParentID, Archived: archived,
	})
	if err != nil {
		return wireCollectionDetail{}, err
	}
	return r.detail(ctx, c, f)
}

// delete answers 1, for the one collection that is gone (contract/content-data.md 1.6).
func (r collectionRoutes) delete(ctx context.Context, c *endpoint.Call, in pathID) (int, error) {
	return 1, r.content.DeleteCollection(ctx, c.Who, in.ID)
}

// tree is the collections as nodes (contract/content-data.md 2.3).
func (r collectionRoutes) tree(ctx context.Context, c *endpoint.Call, in treeInput) ([]wireNode, error) {
	if in.Namespace.Set && in.Namespaces.Set {
		return nil, Status(http.StatusBadRequest, fault.New(fault.Invalid, textInvalid))
	}
	spaces := in.Namespaces.V
	if len(spaces) == 0 {
		spaces = []string{namespaceOf(in.Namespace)}
	}
	var folders []content.Folder
	for _, space := range spaces {
		some, err := r.content.ListCollections(ctx, c.Who, content.CollectionFilter{
			Namespace: space, NotOthers: in.NotOthers.V, AndTrash: !in.NoArchived.V && space == content.Default,
		})
		if err != nil {
			return nil, err
		}
		folders = append(folders, some...)
	}
	g := newGrove(folders)
	if in.Shallow.V {
		return r.shallow(ctx, c, g, in.CollectionID.Or(access.RootCollection))
	}
	held, err := r.content.Holdings(ctx, c.Who, g.ids())
	if err != nil {
		return nil, err
	}
	node := func(f content.Folder) wireNode { return r.node(ctx, c, f, held[f.ID]) }
	return g.nodes(in.CollectionID.Or(access.RootCollection), node), nil
}

// shallow is one level of the tree.
func (r collectionRoutes) shallow(ctx context.Context, c *endpoint.Call, g grove, id int64) ([]wireNode, error) {
	var ids []int64
	for _, f := range g.children[id] {
		ids = append(ids, f.ID)
	}
	held, err := r.content.Holdings(ctx, c.Who, ids)
	if err != nil {
		return nil, err
	}
	out := make([]wireNode, 0, len(ids))
	for _, f := range g.children[id] {
		n := r.node(ctx, c, f, held[f.ID])
		n.Children = len(g.children[f.ID]) > 0
		out = append(out, n)
	}
	return out, nil
}

func (r collectionRoutes) node(ctx context.Context, c *endpoint.Call, f content.Folder, held content.Holding) wireNode {
	return wireNode{
		wireCollection: toWireCollection(f), CanWrite: r.content.CanWrite(ctx, c.Who, f.Item),
		Here: inTree(held.Here), Below: inTree(held.Below),
	}
}

// inTree names what a collection holds as the tree does, where a dashboard
// counts as a card (contract/clients.md, exact values).
func inTree(models []content.Model) []content.Model {
	var out []content.Model
	for _, m := range models {
		if m == content.ModelDashboard {
			m = content.ModelCard
		}
		if len(out) == 0 || out[len(out)-1] != m {
			out = append(out, m)
		}
	}
	return out
}

// grove is collections by the one that they are shown in: the nearest that is
// shown too, else the root.
type grove struct {
	folders  []content.Folder
	children map[int64][]content.Folder
}

func newGrove(folders []content.Folder) grove {
	g := grove{folders, map[int64][]content.Folder{}}
	shown := make(map[int64]bool, len(folders))
	for _, f := range folders {
		shown[f.ID] = true
	}
	for _, f := range folders {
		parent := access.RootCollection
		for _, id := range f.Access.Path {
			if shown[id] {
				parent = id
			}
		}
		g.children[parent] = append(g.children[parent], f)
	}
	return g
}

func (g grove) ids() []int64 {
	out := make([]int64, len(g.folders))
	for i, f := range g.folders {
		out[i] = f.ID
	}
	return out
}

// nodes returns the tree below a collection.
func (g grove) nodes(id int64, node func(content.Folder) wireNode) []wireNode {
	out := make([]wireNode, 0, len(g.children[id]))
	for _, f := range g.children[id] {
		n := node(f)
		n.Children = g.nodes(f.ID, node)
		out = append(out, n)
	}
	return out
}

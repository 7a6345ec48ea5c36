package api

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// wireRootCollection is the root as the list of collections shows it: clients
// count on what it does not have (contract/clients.md, per route).
type wireRootCollection struct {
	ID             string  `json:"id"`
	Name           string  `json:"name"`
	ParentID       *int64  `json:"parent_id"`
	AuthorityLevel *string `json:"authority_level"`
	IsPersonal     bool    `json:"is_personal"`
	IsRemoteSynced bool    `json:"is_remote_synced"`
	CanWrite       bool    `json:"can_write"`
	CanDelete      bool    `json:"can_delete"`
}

// wireRootDetail is the root when it is asked for.
type wireRootDetail struct {
	wireRootCollection
	EffectiveLocation  *string `json:"effective_location"`
	EffectiveAncestors []any   `json:"effective_ancestors"`
	CanRestore         bool    `json:"can_restore"`
}

type wireListedCollection struct {
	wireCollection
	ParentID  *int64 `json:"parent_id"`
	CanWrite  bool   `json:"can_write"`
	CanDelete bool   `json:"can_delete"`
}

type wireCollectionDetail struct {
	wireListedCollection
	EffectiveLocation  string `json:"effective_location"`
	EffectiveAncestors []any  `json:"effective_ancestors"`
	CanRestore         bool   `json:"can_restore"`
}

// wireAncestor is a collection in which another lies.
type wireAncestor struct {
	ID              int64   `json:"id"`
	Name            string  `json:"name"`
	Type            *string `json:"type"`
	PersonalOwnerID *int64  `json:"personal_owner_id"`
	CanWrite        bool    `json:"can_write"`
}

// wireNode is a collection in the tree. Children is a list of nodes or, in a
// shallow tree, whether there are any.
type wireNode struct {
	wireCollection
	CanWrite bool            `json:"can_write"`
	Here     []content.Model `json:"here,omitempty"`
	Below    []content.Model `json:"below,omitempty"`
	Children any             `json:"children"`
}

// nameOfSnippetRoot is what people call the root of snippets.
const nameOfSnippetRoot = "Top folder"

type listCollectionsInput struct {
	Archived  opt.Value[bool]   `query:"archived"`
	NotOthers opt.Value[bool]   `query:"exclude-other-user-collections"`
	Namespace opt.Value[string] `query:"namespace"`
	Personal  opt.Value[bool]   `query:"personal-only"`
}

type treeInput struct {
	NoArchived   opt.Value[bool]     `query:"exclude-archived"`
	NotOthers    opt.Value[bool]     `query:"exclude-other-user-collections"`
	Library      opt.Value[bool]     `query:"include-library"`
	Namespace    opt.Value[string]   `query:"namespace"`
	Namespaces   opt.Value[[]string] `query:"namespaces"`
	Shallow      opt.Value[bool]     `query:"shallow"`
	CollectionID opt.Value[int64]    `query:"collection-id" rule:"posint"`
}

type namespaceInput struct {
	Namespace opt.Value[string] `query:"namespace"`
}

type collectionInput struct {
	ID string `path:"id" rule:"entity"`
}

type newCollectionInput struct {
	Name           string            `json:"name" rule:"nonblank,max=254"`
	Description    opt.Value[string] `json:"description" rule:"nonblank"`
	ParentID       opt.Value[int64]  `json:"parent_id" rule:"posint" kind:"collections"`
	Namespace      opt.Value[string] `json:"namespace" rule:"nonblank"`
	AuthorityLevel opt.Value[string] `json:"authority_level" rule:"enum=official"`
}

type editCollectionInput struct {
	ID             int64             `path:"id" rule:"posint"`
	Name           opt.Value[string] `json:"name" rule:"nonblank,max=254"`
	Description    opt.Value[string] `json:"description" rule:"nonblank"`
	Archived       opt.Value[bool]   `json:"archived"`
	ParentID       opt.Value[int64]  `json:"parent_id" rule:"posint" kind:"collections"`
	AuthorityLevel opt.Value[string] `json:"authority_level" rule:"enum=official"`
}

// collectionRoutes are the handlers of /api/collection.
type collectionRoutes struct {
	contentViews
	cards *card.Service
}

func (r collectionRoutes) root(c *endpoint.Call, namespace string) wireRootCollection {
	name := nameOfRoot
	if namespace == content.Snippets {
		name = nameOfSnippetRoot
	}
	return wireRootCollection{ID: "root", Name: name, CanWrite: r.canWriteRoot(c.Who, namespace)}
}

func (r collectionRoutes) rootLevel(c *endpoint.Call, namespace string) access.CollectionLevel {
	return access.LevelOf(c.Who, r.content.Collections().Root(namespace))
}

func (r collectionRoutes) listed(ctx context.Context, c *endpoint.Call, f content.Folder) wireListedCollection {
	return wireListedCollection{
		wireCollection: toWireCollection(f), ParentID: idOrNull(f.Parent()),
		CanWrite: r.content.CanWrite(ctx, c.Who, f.Item), CanDelete: r.content.CanDelete(ctx, c.Who, f.Item),
	}
}

// detail shows a collection with the collections in which it lies, of which
// nobody learns more than they may see.
func (r collectionRoutes) detail(ctx context.Context, c *endpoint.Call, f content.Folder) (wireCollectionDetail, error) {
	ancestors, err := r.content.Ancestors(ctx, c.Who, f)
	if err != nil {
		return wireCollectionDetail{}, err
	}
	out := wireCollectionDetail{
		wireListedCollection: r.listed(ctx, c, f), EffectiveAncestors: []any{},
		CanRestore: r.content.CanRestore(ctx, c.Who, f.Item),
	}
	if r.rootLevel(c, f.Namespace) >= access.View {
		root := r.root(c, f.Namespace)
		out.EffectiveAncestors = append(out.EffectiveAncestors, wireRootRef{IsRoot: true, Name: root.Name, ID: "root", CanWrite: root.CanWrite})
	}
	var ids []int64
	for _, a := range ancestors {
		ids = append(ids, a.ID)
		out.EffectiveAncestors = append(out.EffectiveAncestors, wireAncestor{
			ID: a.ID, Name: a.Name, Type: a.Type, PersonalOwnerID: idOrNull(a.PersonalOwner), CanWrite: r.content.CanWrite(ctx, c.Who, a.Item),
		})
	}
	out.EffectiveLocation = content.Path(ids)
	return out, nil
}

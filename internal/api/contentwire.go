package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/people"
)

// wireCollection is a collection as it is stored (contract/content-data.md 2.1).
type wireCollection struct {
	ID               int64     `json:"id"`
	Name             string    `json:"name"`
	Slug             string    `json:"slug"`
	Description      *string   `json:"description"`
	Location         string    `json:"location"`
	Archived         bool      `json:"archived"`
	ArchivedDirectly *bool     `json:"archived_directly"`
	ArchiveOperation *string   `json:"archive_operation_id"`
	PersonalOwnerID  *int64    `json:"personal_owner_id"`
	AuthorityLevel   *string   `json:"authority_level"`
	Namespace        *string   `json:"namespace"`
	Type             *string   `json:"type"`
	EntityID         string    `json:"entity_id"`
	CreatedAt        time.Time `json:"created_at"`
	IsSample         bool      `json:"is_sample"`
	IsRemoteSynced   bool      `json:"is_remote_synced"`
	IsPersonal       bool      `json:"is_personal"`
}

func toWireCollection(f content.Folder) wireCollection {
	w := wireCollection{
		ID: f.ID, Name: f.Name, Slug: f.Slug, Description: f.Description, Location: f.Location, Archived: f.Archived,
		ArchiveOperation: textOrNull(f.Operation), PersonalOwnerID: idOrNull(f.PersonalOwner), Namespace: textOrNull(f.Namespace),
		Type: f.Type, EntityID: f.EntityID, CreatedAt: f.CreatedAt, IsPersonal: f.PersonalOwner != 0,
	}
	if f.Archived {
		w.ArchivedDirectly = &f.ArchivedDirectly
	}
	return w
}

// nameOfRoot is what people call the root collection.
const nameOfRoot = "Our analytics"

// wireRootRef is the root where a collection stands beside something else. The
// first key is Metabase's own mark of it (contract/content-data.md 2.1).
type wireRootRef struct {
	IsRoot         bool    `json:"metabase.collections.models.collection.root/is-root?"`
	AuthorityLevel *string `json:"authority_level"`
	Name           string  `json:"name"`
	IsPersonal     bool    `json:"is_personal"`
	ID             string  `json:"id"`
	CanWrite       bool    `json:"can_write"`
}

// wireLastEdit is who edited something last.
type wireLastEdit struct {
	ID        int64     `json:"id"`
	Email     string    `json:"email"`
	FirstName *string   `json:"first_name"`
	LastName  *string   `json:"last_name"`
	Timestamp time.Time `json:"timestamp"`
}

// contentViews shows content with what belongs to it: people and collections.
type contentViews struct {
	content *content.Service
	people  *people.Service
}

// around is what stands beside some items.
type around struct {
	users       map[int64]people.User
	collections map[int64]content.Folder
	canWrite    bool // the root
}

// around reads who made and edited some items, and the collections in which
// they are stored.
func (v contentViews) around(ctx context.Context, who *access.Principal, items ...content.Item) (around, error) {
	var users, collections []int64
	for _, i := range items {
		users = append(users, i.CreatorID, i.EditedBy)
		collections = append(collections, i.CollectionID)
	}
	var a around
	var err error
	if a.users, err = v.people.Known(ctx, users); err != nil {
		return a, err
	}
	if a.collections, err = v.content.CollectionsByID(ctx, collections); err != nil {
		return a, err
	}
	a.canWrite = v.canWriteRoot(who, content.Default)
	return a, nil
}

// canWriteRoot is CanWrite of the domain for the root of a namespace.
func (v contentViews) canWriteRoot(who *access.Principal, namespace string) bool {
	return access.LevelOf(who, v.content.Collections().Root(namespace)) == access.Curate &&
		access.MayChange(who, access.KindCollections, access.RootCollection)
}

// creator returns who made an item, nil for nobody who is known.
func (a around) creator(i content.Item) *wireBriefUser {
	u, ok := a.users[i.CreatorID]
	if !ok {
		return nil
	}
	w := toWireBrief(u)
	return &w
}

// lastEdit returns who edited an item last, nil for nobody.
func (a around) lastEdit(i content.Item) *wireLastEdit {
	u, ok := a.users[i.EditedBy]
	if !ok {
		return nil
	}
	return &wireLastEdit{ID: u.ID, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Timestamp: i.EditedAt}
}

// collection returns the collection in which an item is stored: its row, or
// the mark of the root.
func (a around) collection(i content.Item) any {
	if f, ok := a.collections[i.CollectionID]; ok {
		return toWireCollection(f)
	}
	return wireRootRef{IsRoot: true, Name: nameOfRoot, ID: "root", CanWrite: a.canWrite}
}

// shownCollection is the collection_id of an item as GET shows it: what is in
// the trash by itself seems to lie there (contract/content-data.md 2.9).
func shownCollection(i content.Item) *int64 {
	if i.InTrash() {
		return idOrNull(access.TrashCollection)
	}
	return idOrNull(max(i.CollectionID, 0))
}

// atOnce runs f, whose answer is put together of several reads, on one state of
// the content.
func atOnce[T any](ctx context.Context, v contentViews, f func(ctx context.Context) (T, error)) (T, error) {
	var out T
	err := v.content.Snapshot(ctx, func(ctx context.Context) error {
		var err error
		out, err = f(ctx)
		return err
	})
	return out, err
}

// itemID reads a path value that is a number or an entity id
// (contract/content-data.md 1.4). It returns NotFound.
func (v contentViews) itemID(ctx context.Context, kind content.Kind, text string) (int64, error) {
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		return id, nil
	}
	return v.content.ByEntity(ctx, kind, text)
}

// archivedAnswer gives the fault about something in the trash its long form
// (contract/content-data.md 1.2). Other errors stay.
func archivedAnswer(err error) error {
	if err != nil && fault.As(err).Code == content.CodeArchived {
		return Long(http.StatusNotFound, err, map[string]any{"error_code": "archived"})
	}
	return err
}

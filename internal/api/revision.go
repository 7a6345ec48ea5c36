package api

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/people"
)

// wireRevision is what one change left (contract/content-data.md 8.2).
type wireRevision struct {
	ID                 int64       `json:"id"`
	IsCreation         bool        `json:"is_creation"`
	IsReversion        bool        `json:"is_reversion"`
	Message            *string     `json:"message"`
	Timestamp          time.Time   `json:"timestamp"`
	Description        string      `json:"description"`
	HasMultipleChanges bool        `json:"has_multiple_changes"`
	Diff               *wireDiff   `json:"diff"`
	User               *wireEditor `json:"user"`
	MostRecent         bool        `json:"most_recent"`
	MetabaseVersion    string      `json:"metabase_version"`
}

type wireDiff struct {
	Before map[string]json.RawMessage `json:"before"`
	After  map[string]json.RawMessage `json:"after"`
}

// wireEditor is the user of a revision, who has no e-mail address there.
type wireEditor struct {
	ID         int64   `json:"id"`
	FirstName  *string `json:"first_name"`
	LastName   *string `json:"last_name"`
	CommonName string  `json:"common_name"`
}

type revisionsInput struct {
	Entity string `query:"entity" rule:"enum=card|dashboard|segment|document|measure|transform"`
	ID     int64  `query:"id" rule:"posint"`
}

type revertInput struct {
	Entity     string `json:"entity" rule:"enum=card|dashboard|segment|document|measure|transform"`
	ID         int64  `json:"id" rule:"posint"`
	RevisionID int64  `json:"revision_id" rule:"posint"`
}

// RevisionEndpoints returns the routes of the history of questions and
// dashboards (contract/content-data.md 8.2).
func RevisionEndpoints(log *revision.Log, items *content.Service, ppl *people.Service, version string) []endpoint.Endpoint {
	r := &revisionRoutes{log: log, views: contentViews{items, ppl}, version: version}
	of := func(kind string) access.Policy {
		return access.Authenticated(kind, access.Read).Naming(kind, "id").ByCollection()
	}
	read := access.Authenticated("cards", access.Read).ByCollection()
	write := access.Authenticated("cards", access.Write).ByCollection()
	list := endpoint.New("GET", "/api/revision", "List what was changed of a question or dashboard", read, r.list)
	revert := endpoint.New("POST", "/api/revision/revert", "Bring a question or dashboard back to an earlier version", write, r.revert)
	list = endpoint.Choosing(list, func(in revisionsInput) string { return in.Entity + "s" }, "dashboards")
	revert = endpoint.Choosing(revert, func(in revertInput) string { return in.Entity + "s" }, "dashboards")
	return []endpoint.Endpoint{
		endpoint.Naming(list, func(_ context.Context, _ *endpoint.Call, in revisionsInput) ([]access.Ref, error) {
			return entityRefs(in.Entity, in.ID), nil
		}, "cards", "dashboards"),
		endpoint.New("GET", "/api/revision/card/{id}", "List what was changed of a question", of("cards"), r.ofKind(content.Card)),
		endpoint.New("GET", "/api/revision/dashboard/{id}", "List what was changed of a dashboard", of("dashboards"), r.ofKind(content.Dashboard)),
		endpoint.Naming(revert, func(_ context.Context, _ *endpoint.Call, in revertInput) ([]access.Ref, error) {
			return entityRefs(in.Entity, in.ID), nil
		}, "cards", "dashboards"),
	}
}

func entityRefs(entity string, id int64) []access.Ref {
	switch content.Kind(entity) {
	case content.Card, content.Dashboard:
		return []access.Ref{access.NewRef(entity+"s", strconv.FormatInt(id, 10))}
	}
	return nil
}

type revisionRoutes struct {
	log     *revision.Log
	views   contentViews
	version string
}

func (r *revisionRoutes) list(ctx context.Context, c *endpoint.Call, in revisionsInput) ([]wireRevision, error) {
	ref, err := revised(in.Entity, in.ID)
	if err != nil {
		return nil, err
	}
	return r.show(ctx, c.Who, ref)
}

func (r *revisionRoutes) ofKind(kind content.Kind) func(context.Context, *endpoint.Call, pathID) ([]wireRevision, error) {
	return func(ctx context.Context, c *endpoint.Call, in pathID) ([]wireRevision, error) {
		return r.show(ctx, c.Who, content.Ref{Kind: kind, ID: in.ID})
	}
}

// revised returns the item that a call names. Things that we do not have are
// not found.
func revised(entity string, id int64) (content.Ref, error) {
	switch kind := content.Kind(entity); kind {
	case content.Card, content.Dashboard:
		return content.Ref{Kind: kind, ID: id}, nil
	}
	return content.Ref{}, fault.New(fault.NotFound, textNotFound)
}

func (r *revisionRoutes) show(ctx context.Context, who *access.Principal, ref content.Ref) ([]wireRevision, error) {
	list, err := r.log.List(ctx, who, ref)
	if err != nil {
		return nil, err
	}
	return r.wire(ctx, list)
}

func (r *revisionRoutes) wire(ctx context.Context, list []revision.Revision) ([]wireRevision, error) {
	ids := make([]int64, len(list))
	for i, v := range list {
		ids[i] = v.UserID
	}
	users, err := r.views.people.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]wireRevision, len(list))
	for i, v := range list {
		out[i] = wireRevision{
			ID: v.ID, IsCreation: v.Creation, IsReversion: v.Reversion, Message: v.Message, Timestamp: v.At, Description: v.Text(),
			HasMultipleChanges: len(v.Changes) > 1, MostRecent: v.Newest, MetabaseVersion: r.version,
			Diff: &wireDiff{Before: shownState(v.Before), After: shownState(v.After)},
		}
		if u, ok := users[v.UserID]; ok {
			out[i].User = &wireEditor{ID: u.ID, FirstName: u.FirstName, LastName: u.LastName, CommonName: toWireBrief(u).CommonName}
		}
	}
	return out, nil
}

// shownState is a state as the wire has it: the root collection is null.
func shownState(s revision.State) map[string]json.RawMessage {
	if s == nil {
		return revision.State{}
	}
	if string(s[revision.CollectionID]) == "0" {
		s[revision.CollectionID] = json.RawMessage("null")
	}
	return s
}

func (r *revisionRoutes) revert(ctx context.Context, c *endpoint.Call, in revertInput) (wireRevision, error) {
	ref, err := revised(in.Entity, in.ID)
	if err != nil {
		return wireRevision{}, err
	}
	made, err := r.log.Revert(ctx, c.Who, ref, in.RevisionID)
	if err != nil {
		return wireRevision{}, err
	}
	list, err := r.wire(ctx, []revision.Revision{made})
	if err != nil {
		return wireRevision{}, err
	}
	return list[0], nil
}

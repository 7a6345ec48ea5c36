package api

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/timeline"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// wireTimeline is a timeline (contract/content-data.md 8.2).
type wireTimeline struct {
	ID           int64          `json:"id"`
	Name         string         `json:"name"`
	Description  *string        `json:"description"`
	Icon         string         `json:"icon"`
	CollectionID *int64         `json:"collection_id"`
	Collection   any            `json:"collection"`
	Archived     bool           `json:"archived"`
	Default      bool           `json:"default"`
	CreatorID    *int64         `json:"creator_id"`
	Creator      *wireBriefUser `json:"creator"`
	EntityID     string         `json:"entity_id"`
	CreatedAt    time.Time      `json:"created_at"`
	UpdatedAt    time.Time      `json:"updated_at"`
	Events       *[]wireEvent   `json:"events,omitempty"`
}

// listTimelinesInput says what else is wanted of timelines.
type listTimelinesInput struct {
	Include  opt.Value[string] `query:"include" rule:"enum=events"`
	Archived opt.Value[bool]   `query:"archived"`
}

type timelineInput struct {
	ID int64 `path:"id" rule:"posint"`
	listTimelinesInput
	Start opt.Value[string] `query:"start" rule:"timestamp"`
	End   opt.Value[string] `query:"end" rule:"timestamp"`
}

type timelinesOfInput struct {
	ID int64 `path:"id" rule:"posint"`
	listTimelinesInput
}

type newTimelineInput struct {
	Name         string            `json:"name" rule:"nonblank,max=254"`
	Default      opt.Value[bool]   `json:"default"`
	Description  opt.Value[string] `json:"description"`
	Icon         opt.Value[string] `json:"icon" rule:"enum=star|cake|mail|warning|bell|cloud"`
	CollectionID opt.Value[int64]  `json:"collection_id" rule:"posint" kind:"collections"`
	Archived     opt.Value[bool]   `json:"archived"`
}

type editTimelineInput struct {
	ID           int64             `path:"id" rule:"posint"`
	Name         opt.Value[string] `json:"name" rule:"nonblank,max=254"`
	Default      opt.Value[bool]   `json:"default"`
	Description  opt.Value[string] `json:"description"`
	Icon         opt.Value[string] `json:"icon" rule:"enum=star|cake|mail|warning|bell|cloud"`
	CollectionID opt.Value[int64]  `json:"collection_id" rule:"posint" kind:"collections"`
	Archived     opt.Value[bool]   `json:"archived"`
}

type timelineRoutes struct {
	timelines *timeline.Service
	contentViews
}

// TimelineEndpoints returns the routes of timelines and their events
// (contract/content-data.md 8.2).
func TimelineEndpoints(timelines *timeline.Service, c *content.Service, ppl *people.Service) []endpoint.Endpoint {
	t := timelineRoutes{timelines, contentViews{c, ppl}}
	read := access.Authenticated("timelines", access.Read).ByCollection()
	write := access.Authenticated("timelines", access.Write).ByCollection()
	list := []endpoint.Endpoint{
		endpoint.New("GET", "/api/timeline", "List the timelines, or those in the trash", read, t.list),
		endpoint.New("POST", "/api/timeline", "Create a timeline", write, t.create),
		endpoint.Naming(endpoint.New("GET", "/api/timeline/collection/root", "List the timelines that lie in no collection", read, t.ofRoot),
			func(context.Context, *endpoint.Call, listTimelinesInput) ([]access.Ref, error) {
				return []access.Ref{{Kind: access.KindCollections, ID: access.RootName}}, nil
			}, access.KindCollections),
		endpoint.New("GET", "/api/timeline/collection/{id}", "List the timelines of a collection", read.Naming("collections", "id"), t.ofCollection),
		endpoint.New("GET", "/api/timeline/{id}", "Get a timeline", read.Naming("timelines", "id"), t.get),
		endpoint.New("PUT", "/api/timeline/{id}", "Change, archive or restore a timeline with its events", write.Naming("timelines", "id"), t.edit),
		endpoint.New("DELETE", "/api/timeline/{id}", "Delete a timeline with its events for ever", write.Naming("timelines", "id"), t.delete),
	}
	return append(list, t.eventEndpoints(read, write)...)
}

func (t timelineRoutes) list(ctx context.Context, c *endpoint.Call, in listTimelinesInput) ([]wireTimeline, error) {
	list, err := t.timelines.List(ctx, c.Who, in.Archived.Or(false))
	return t.all(ctx, c, list, in, err)
}

func (t timelineRoutes) ofRoot(ctx context.Context, c *endpoint.Call, in listTimelinesInput) ([]wireTimeline, error) {
	list, err := t.timelines.In(ctx, c.Who, access.RootCollection, in.Archived.Or(false))
	return t.all(ctx, c, list, in, err)
}

func (t timelineRoutes) ofCollection(ctx context.Context, c *endpoint.Call, in timelinesOfInput) ([]wireTimeline, error) {
	list, err := t.timelines.In(ctx, c.Who, in.ID, in.Archived.Or(false))
	return t.all(ctx, c, list, in.listTimelinesInput, err)
}

func (t timelineRoutes) all(ctx context.Context, c *endpoint.Call, list []timeline.Timeline, in listTimelinesInput, err error) ([]wireTimeline, error) {
	if err == nil && in.Include.V != "" {
		err = t.timelines.WithEvents(ctx, list, timeline.Filter{Archived: in.Archived.Or(false)})
	}
	if err != nil {
		return nil, err
	}
	return t.show(ctx, c, list...)
}

func (t timelineRoutes) get(ctx context.Context, c *endpoint.Call, in timelineInput) (wireTimeline, error) {
	found, err := t.timelines.Get(ctx, c.Who, in.ID)
	if err != nil || in.Include.V == "" {
		return t.one(ctx, c, found, err)
	}
	list := []timeline.Timeline{found}
	err = t.timelines.WithEvents(ctx, list, timeline.Filter{
		Archived: in.Archived.Or(false), From: timeOrNull(in.Start), To: timeOrNull(in.End),
	})
	return t.one(ctx, c, list[0], err)
}

func (t timelineRoutes) create(ctx context.Context, c *endpoint.Call, in newTimelineInput) (wireTimeline, error) {
	made, err := t.timelines.Create(ctx, c.Who, timeline.New{
		Name: in.Name, Description: in.Description.Ptr(), CollectionID: in.CollectionID.Or(access.RootCollection),
		Icon: in.Icon.Or(""), Default: in.Default.Or(false), Archived: in.Archived.Or(false),
	})
	return t.one(ctx, c, made, err)
}

func (t timelineRoutes) edit(ctx context.Context, c *endpoint.Call, in editTimelineInput) (wireTimeline, error) {
	changed, err := t.timelines.Update(ctx, c.Who, in.ID, timeline.Change{
		Name: in.Name, Description: in.Description, CollectionID: in.CollectionID,
		Icon: in.Icon, Default: in.Default, Archived: in.Archived,
	})
	return t.one(ctx, c, changed, err)
}

func (t timelineRoutes) delete(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	return endpoint.None{}, t.timelines.Delete(ctx, c.Who, in.ID)
}

func (t timelineRoutes) one(ctx context.Context, c *endpoint.Call, one timeline.Timeline, err error) (wireTimeline, error) {
	if err != nil {
		return wireTimeline{}, err
	}
	list, err := t.show(ctx, c, one)
	if err != nil {
		return wireTimeline{}, err
	}
	return list[0], nil
}

func (t timelineRoutes) show(ctx context.Context, c *endpoint.Call, list ...timeline.Timeline) ([]wireTimeline, error) {
	items := make([]content.Item, len(list))
	for i := range list {
		items[i] = list[i].Item
	}
	beside, err := t.around(ctx, c.Who, items...)
	if err != nil {
		return nil, err
	}
	out := make([]wireTimeline, len(list))
	for i, one := range list {
		out[i] = wireTimeline{
			ID: one.ID, Name: one.Name, Description: one.Description, Icon: one.Icon, CollectionID: idOrNull(one.CollectionID),
			Collection: beside.collection(one.Item), Archived: one.Archived, Default: one.Default,
			CreatorID: idOrNull(one.CreatorID), Creator: beside.creator(one.Item),
			EntityID: one.EntityID, CreatedAt: one.CreatedAt, UpdatedAt: one.UpdatedAt,
		}
		if one.Events == nil {
			continue
		}
		events, err := t.events(ctx, one.Events...)
		if err != nil {
			return nil, err
		}
		out[i].Events = &events
	}
	return out, nil
}

package api

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content/timeline"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
)

// wireEvent is an event of a timeline (contract/content-data.md 8.2).
type wireEvent struct {
	ID          int64          `json:"id"`
	TimelineID  int64          `json:"timeline_id"`
	Name        string         `json:"name"`
	Description *string        `json:"description"`
	Timestamp   time.Time      `json:"timestamp"`
	TimeMatters bool           `json:"time_matters"`
	Timezone    string         `json:"timezone"`
	Icon        string         `json:"icon"`
	Archived    bool           `json:"archived"`
	CreatorID   *int64         `json:"creator_id"`
	Creator     *wireBriefUser `json:"creator"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
}

type newEventInput struct {
	Name        string            `json:"name" rule:"nonblank,max=254"`
	Description opt.Value[string] `json:"description"`
	Timestamp   string            `json:"timestamp" rule:"timestamp"`
	TimeMatters opt.Value[bool]   `json:"time_matters"`
	Timezone    string            `json:"timezone" rule:"nonblank,max=254"`
	Icon        opt.Value[string] `json:"icon" rule:"enum=star|cake|mail|warning|bell|cloud"`
	TimelineID  int64             `json:"timeline_id" rule:"posint" kind:"timelines"`
	Archived    opt.Value[bool]   `json:"archived"`
}

type editEventInput struct {
	ID          int64             `path:"id" rule:"posint"`
	Name        opt.Value[string] `json:"name" rule:"nonblank,max=254"`
	Description opt.Value[string] `json:"description"`
	Timestamp   opt.Value[string] `json:"timestamp" rule:"timestamp"`
	TimeMatters opt.Value[bool]   `json:"time_matters"`
	Timezone    opt.Value[string] `json:"timezone" rule:"nonblank,max=254"`
	Icon        opt.Value[string] `json:"icon" rule:"enum=star|cake|mail|warning|bell|cloud"`
	TimelineID  opt.Value[int64]  `json:"timeline_id" rule:"posint" kind:"timelines"`
	Archived    opt.Value[bool]   `json:"archived"`
}

// eventEndpoints returns the routes of events. An event is part of its
// timeline, so a key that is bound to single timelines may name those by an
// event too.
func (t timelineRoutes) eventEndpoints(read, write access.Policy) []endpoint.Endpoint {
	get := endpoint.New("GET", "/api/timeline-event/{id}", "Get an event", read, t.getEvent)
	edit := endpoint.New("PUT", "/api/timeline-event/{id}", "Change, archive or move an event", write, t.editEvent)
	remove := endpoint.New("DELETE", "/api/timeline-event/{id}", "Delete an event for ever", write, t.deleteEvent)
	return []endpoint.Endpoint{
		endpoint.New("POST", "/api/timeline-event", "Create an event", write, t.createEvent),
		endpoint.Naming(get, t.timelineOf, "timelines"),
		endpoint.Naming(edit, t.timelineOfEdited, "timelines"),
		endpoint.Naming(remove, t.timelineOf, "timelines"),
	}
}

func (t timelineRoutes) timelineOf(ctx context.Context, _ *endpoint.Call, in pathID) ([]access.Ref, error) {
	id, err := t.timelines.TimelineOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return []access.Ref{{Kind: access.KindTimelines, ID: idText(id)}}, nil
}

func (t timelineRoutes) timelineOfEdited(ctx context.Context, c *endpoint.Call, in editEventInput) ([]access.Ref, error) {
	return t.timelineOf(ctx, c, pathID{in.ID})
}

func (t timelineRoutes) getEvent(ctx context.Context, c *endpoint.Call, in pathID) (wireEvent, error) {
	found, err := t.timelines.Event(ctx, c.Who, in.ID)
	return t.event(ctx, found, err)
}

func (t timelineRoutes) createEvent(ctx context.Context, c *endpoint.Call, in newEventInput) (wireEvent, error) {
	at, _ := parseTimestamp(in.Timestamp) // the rule has read it
	made, err := t.timelines.CreateEvent(ctx, c.Who, timeline.NewEvent{
		TimelineID: in.TimelineID, Name: in.Name, Description: in.Description.Ptr(), At: at,
		TimeMatters: in.TimeMatters.Or(false), Timezone: in.Timezone, Icon: in.Icon.Or(""), Archived: in.Archived.Or(false),
	})
	return t.event(ctx, made, err)
}

func (t timelineRoutes) editEvent(ctx context.Context, c *endpoint.Call, in editEventInput) (wireEvent, error) {
	change := timeline.EventChange{
		TimelineID: in.TimelineID, Name: in.Name, Description: in.Description, TimeMatters: in.TimeMatters,
		Timezone: in.Timezone, Icon: in.Icon, Archived: in.Archived,
	}
	if at := timeOrNull(in.Timestamp); at != nil {
		change.At = opt.Of(*at)
	}
	changed, err := t.timelines.UpdateEvent(ctx, c.Who, in.ID, change)
	return t.event(ctx, changed, err)
}

func (t timelineRoutes) deleteEvent(ctx context.Context, c *endpoint.Call, in pathID) (endpoint.None, error) {
	return endpoint.None{}, t.timelines.DeleteEvent(ctx, c.Who, in.ID)
}

func (t timelineRoutes) event(ctx context.Context, one timeline.Event, err error) (wireEvent, error) {
	if err != nil {
		return wireEvent{}, err
	}
	list, err := t.events(ctx, one)
	if err != nil {
		return wireEvent{}, err
	}
	return list[0], nil
}

func (t timelineRoutes) events(ctx context.Context, list ...timeline.Event) ([]wireEvent, error) {
	creators := make([]int64, len(list))
	for i := range list {
		creators[i] = list[i].CreatorID
	}
	users, err := t.people.Known(ctx, creators)
	if err != nil {
		return nil, err
	}
	out := make([]wireEvent, len(list))
	for i, e := range list {
		out[i] = wireEvent{
			ID: e.ID, TimelineID: e.TimelineID, Name: e.Name, Description: e.Description, Timestamp: e.At,
			TimeMatters: e.TimeMatters, Timezone: e.Timezone, Icon: e.Icon, Archived: e.Archived,
			CreatorID: idOrNull(e.CreatorID), CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
		}
		if u, ok := users[e.CreatorID]; ok {
			w := toWireBrief(u)
			out[i].Creator = &w
		}
	}
	return out, nil
}

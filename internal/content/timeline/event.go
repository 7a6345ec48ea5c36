package timeline

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

const selectEvents = `SELECT id, timeline_id, name, description, at, time_matters, timezone, icon, archived,
	creator_id, created_at, updated_at FROM timeline_event`

func scanEvent(r db.Row) (Event, error) {
	var e Event
	var creator sql.NullInt64
	err := r.Scan(&e.ID, &e.TimelineID, &e.Name, &e.Description, db.Time(&e.At), &e.TimeMatters, &e.Timezone, &e.Icon,
		&e.Archived, &creator, db.Time(&e.CreatedAt), db.Time(&e.UpdatedAt))
	e.CreatorID = creator.Int64
	return e, err
}

// WithEvents gives timelines that were decided already their events, the
// earliest first.
func (s *Service) WithEvents(ctx context.Context, list []Timeline, f Filter) error {
	if len(list) == 0 {
		return nil
	}
	byID := make(map[int64]*Timeline, len(list))
	for i := range list {
		list[i].Events = []Event{}
		byID[list[i].ID] = &list[i]
	}
	err := db.Each(ctx, s.db, scanEvent, func(e Event) error {
		if t := byID[e.TimelineID]; t != nil {
			t.Events = append(t.Events, e)
		}
		return nil
	}, selectEvents+" WHERE "+s.db.In("timeline_id", 1)+` AND (archived = FALSE OR archived = ?2)
		AND (CAST(?3 AS bigint) IS NULL OR at >= ?3) AND (CAST(?4 AS bigint) IS NULL OR at <= ?4) ORDER BY at, id`,
		db.IDs(ids(list)), f.Archived, f.From, f.To)
	return fault.Wrap(err, "read events")
}

// Event returns an event of a timeline that who may see. It returns NotFound
// before Forbidden.
func (s *Service) Event(ctx context.Context, who *access.Principal, id int64) (Event, error) {
	e, err := s.event(ctx, who, id)
	if err != nil {
		return e, err
	}
	_, err = s.content.Get(ctx, who, ref(e.TimelineID))
	return e, err
}

// TimelineOf returns the timeline of an event, whoever asks: for the check of
// a key that is bound to single timelines. It returns NotFound.
func (s *Service) TimelineOf(ctx context.Context, eventID int64) (int64, error) {
	id, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT timeline_id FROM timeline_event WHERE id = ?1", eventID)
	if errors.Is(err, db.ErrNone) {
		return 0, notFound()
	}
	return id, fault.Wrap(err, "read event")
}

func (s *Service) event(ctx context.Context, who *access.Principal, id int64) (Event, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Event{}, err
	}
	e, err := db.One(ctx, s.db, scanEvent, selectEvents+" WHERE id = ?1", id)
	if errors.Is(err, db.ErrNone) {
		return e, notFound()
	}
	return e, fault.Wrap(err, "read event")
}

func (s *Service) eventToWrite(ctx context.Context, who *access.Principal, id int64) (Event, error) {
	e, err := s.event(ctx, who, id)
	if err != nil {
		return e, err
	}
	_, err = s.content.GetToWrite(ctx, who, ref(e.TimelineID))
	return e, err
}

// CreateEvent makes an event. It returns NotFound for an unknown timeline,
// Forbidden and Invalid.
func (s *Service) CreateEvent(ctx context.Context, who *access.Principal, n NewEvent) (Event, error) {
	var out Event
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		item, err := s.content.GetToWrite(ctx, who, ref(n.TimelineID))
		if err != nil {
			return err
		}
		t, err := s.with(ctx, item)
		if err != nil {
			return err
		}
		now := s.db.Now(ctx)
		e := Event{
			TimelineID: n.TimelineID, Name: n.Name, Description: n.Description, At: n.At, TimeMatters: n.TimeMatters,
			Timezone: n.Timezone, Icon: cmp.Or(n.Icon, t.Icon), Archived: n.Archived, CreatorID: who.UserID,
			CreatedAt: now, UpdatedAt: now,
		}
		if err := e.check(); err != nil {
			return err
		}
		if e.ID, err = s.insert(ctx, e); err != nil {
			return err
		}
		out = e
		return s.record(ctx, who, "create", e, nil)
	})
	return out, err
}

func (s *Service) insert(ctx context.Context, e Event) (int64, error) {
	var creator any
	if e.CreatorID != 0 {
		creator = e.CreatorID
	}
	id, err := s.db.Insert(ctx, `INSERT INTO timeline_event (timeline_id, name, description, at, time_matters, timezone, icon,
		archived, creator_id, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) RETURNING id`,
		e.TimelineID, e.Name, e.Description, e.At, e.TimeMatters, e.Timezone, e.Icon, e.Archived, creator, e.CreatedAt)
	return id, fault.Wrap(err, "write event")
}

// UpdateEvent changes an event, or moves it to another timeline. It returns
// NotFound, Forbidden and Invalid.
func (s *Service) UpdateEvent(ctx context.Context, who *access.Principal, id int64, c EventChange) (Event, error) {
	var out Event
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.eventToWrite(ctx, who, id)
		if err != nil {
			return err
		}
		e := old.changed(c)
		if e.TimelineID != old.TimelineID {
			if _, err := s.content.GetToWrite(ctx, who, ref(e.TimelineID)); err != nil {
				return err
			}
		}
		if err := e.check(); err != nil {
			return err
		}
		out = old
		if same(e, old) {
			return nil
		}
		e.UpdatedAt = s.db.Now(ctx)
		out = e
		_, err = s.db.Exec(ctx, `UPDATE timeline_event SET timeline_id = ?2, name = ?3, description = ?4, at = ?5, time_matters = ?6,
			timezone = ?7, icon = ?8, archived = ?9, updated_at = ?10 WHERE id = ?1`,
			id, e.TimelineID, e.Name, e.Description, e.At, e.TimeMatters, e.Timezone, e.Icon, e.Archived, e.UpdatedAt)
		if err != nil {
			return fault.Wrap(err, "write event")
		}
		return s.record(ctx, who, verb(old, e), e, map[string]any{"previous_timeline_id": old.TimelineID})
	})
	return out, err
}

// changed returns the event as the change wants it.
func (e Event) changed(c EventChange) Event {
	e.TimelineID = c.TimelineID.Or(e.TimelineID)
	e.Name = c.Name.Or(e.Name)
	if c.Description.Set {
		e.Description = c.Description.Ptr()
	}
	e.At = c.At.Or(e.At)
	e.TimeMatters = c.TimeMatters.Or(e.TimeMatters)
	e.Timezone = c.Timezone.Or(e.Timezone)
	e.Icon = c.Icon.Or(e.Icon)
	e.Archived = c.Archived.Or(e.Archived)
	return e
}

// same reports whether nothing of an event has changed.
func same(a, b Event) bool {
	equal := deref(a.Description) == deref(b.Description) && (a.Description == nil) == (b.Description == nil) && a.At.Equal(b.At)
	a.Description, a.At = b.Description, b.At
	return equal && a == b
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func verb(old, next Event) string {
	switch {
	case next.Archived && !old.Archived:
		return "archive"
	case old.Archived && !next.Archived:
		return "restore"
	}
	return "update"
}

// DeleteEvent removes an event for ever. It returns NotFound and Forbidden.
func (s *Service) DeleteEvent(ctx context.Context, who *access.Principal, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		e, err := s.eventToWrite(ctx, who, id)
		if err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM timeline_event WHERE id = ?1", id); err != nil {
			return fault.Wrap(err, "delete event")
		}
		return s.record(ctx, who, "delete", e, nil)
	})
}

// record writes the audit entry of a change of one event.
func (s *Service) record(ctx context.Context, who *access.Principal, verb string, e Event, details map[string]any) error {
	if details == nil {
		details = map[string]any{}
	}
	details["timeline_id"] = e.TimelineID
	return s.audit.Append(ctx, who.Actor(), audit.Entry{
		Action: "timeline-event." + verb, ObjectKind: "timeline-event", ObjectID: e.ID, ObjectName: e.Name, Details: details,
	})
}

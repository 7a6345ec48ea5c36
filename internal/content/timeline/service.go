package timeline

import (
	"cmp"
	"context"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Service holds the rules of timelines.
type Service struct {
	db      *db.DB
	audit   *audit.Log
	content *content.Service
}

// NewService returns the service.
func NewService(d *db.DB, log *audit.Log, c *content.Service) *Service { return &Service{d, log, c} }

// List returns the timelines that who may see, by name: those in the trash or
// the others.
func (s *Service) List(ctx context.Context, who *access.Principal, archived bool) ([]Timeline, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	visible, arg := s.content.Where(s.content.Collections().Reach(who, access.View), "i.collection_id", 2)
	return s.list(ctx, "i.archived = ?1 AND "+visible, archived, arg)
}

// In returns the timelines of one collection. It returns NotFound and Forbidden.
func (s *Service) In(ctx context.Context, who *access.Principal, collectionID int64, archived bool) ([]Timeline, error) {
	if err := s.content.Require(ctx, who, collectionID, access.View); err != nil {
		return nil, err
	}
	return s.list(ctx, "i.archived = ?1 AND i.collection_id = ?2", archived, collectionID)
}

// Get returns a timeline that who may see. It returns NotFound before Forbidden.
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (Timeline, error) {
	item, err := s.content.Get(ctx, who, ref(id))
	if err != nil {
		return Timeline{}, err
	}
	return s.with(ctx, item)
}

func ref(id int64) content.Ref { return content.Ref{Kind: content.Timeline, ID: id} }

// Create makes a timeline. It returns NotFound for an unknown collection,
// Forbidden and Invalid.
func (s *Service) Create(ctx context.Context, who *access.Principal, n New) (Timeline, error) {
	n.Icon = cmp.Or(n.Icon, Star)
	if err := checkIcon(n.Icon); err != nil {
		return Timeline{}, err
	}
	var out Timeline
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		item, err := s.content.Create(ctx, who, content.NewItem{
			Kind: content.Timeline, Model: content.ModelTimeline,
			Name: n.Name, Description: n.Description, CollectionID: n.CollectionID,
		})
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, "INSERT INTO timeline (id, item, icon, is_default) VALUES (?1, ?2, ?3, ?4)",
			item.ID, item.No, n.Icon, n.Default)
		if err != nil {
			return fault.Wrap(err, "write timeline")
		}
		out = Timeline{Item: item, Icon: n.Icon, Default: n.Default}
		if n.Archived {
			out.Item, err = s.content.Update(ctx, who, item.Ref(), content.Change{Archived: opt.Of(true)})
		}
		return err
	})
	return out, err
}

// Update changes a timeline. Its events go into the trash with it, and come
// back (contract/content-data.md 8.2). It returns NotFound, Forbidden and
// Invalid.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (Timeline, error) {
	var out Timeline
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		item, err := s.content.GetToWrite(ctx, who, ref(id))
		if err != nil {
			return err
		}
		old, err := s.with(ctx, item)
		if err != nil {
			return err
		}
		out = Timeline{Icon: c.Icon.Or(old.Icon), Default: c.Default.Or(old.Default)}
		if err := checkIcon(out.Icon); err != nil {
			return err
		}
		out.Item, err = s.content.Update(ctx, who, old.Ref(), content.Change{
			Name: c.Name, Description: c.Description, CollectionID: c.CollectionID, Archived: c.Archived,
			Touch: out.Icon != old.Icon || out.Default != old.Default,
		})
		if err != nil {
			return err
		}
		return s.write(ctx, out, old.Archived)
	})
	return out, err
}

// write writes the particulars of a timeline, and takes its events along.
func (s *Service) write(ctx context.Context, t Timeline, was bool) error {
	_, err := s.db.Exec(ctx, "UPDATE timeline SET icon = ?2, is_default = ?3 WHERE id = ?1", t.ID, t.Icon, t.Default)
	if err == nil && t.Archived != was {
		_, err = s.db.Exec(ctx, "UPDATE timeline_event SET archived = ?2, updated_at = ?3 WHERE timeline_id = ?1 AND archived <> ?2",
			t.ID, t.Archived, s.db.Now(ctx))
	}
	return fault.Wrap(err, "write timeline")
}

// Delete removes a timeline with its events for ever. It returns NotFound and
// Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, id int64) error {
	return s.content.Delete(ctx, who, ref(id))
}

// with reads the particulars of a timeline.
func (s *Service) with(ctx context.Context, item content.Item) (Timeline, error) {
	t, err := db.One(ctx, s.db, scanTimeline, selectTimelines+" WHERE t.id = ?1", item.ID)
	if errors.Is(err, db.ErrNone) {
		return t, notFound()
	}
	t.Item = item
	return t, fault.Wrap(err, "read timeline")
}

const selectTimelines = "SELECT t.id, t.icon, t.is_default FROM timeline t"

func scanTimeline(r db.Row) (Timeline, error) {
	var t Timeline
	return t, r.Scan(&t.ID, &t.Icon, &t.Default)
}

// list returns timelines by name.
func (s *Service) list(ctx context.Context, where string, args ...any) ([]Timeline, error) {
	list, err := db.All(ctx, s.db, scanTimeline,
		selectTimelines+" JOIN item i ON i.no = t.item WHERE "+where+" ORDER BY i.name_key, i.id", args...)
	if err != nil {
		return nil, fault.Wrap(err, "read timelines")
	}
	items, err := s.content.ByIDs(ctx, content.Timeline, ids(list))
	if err != nil {
		return nil, err
	}
	out := make([]Timeline, 0, len(list))
	for _, t := range list {
		if item, ok := items[t.ID]; ok {
			t.Item = item
			out = append(out, t)
		}
	}
	return out, nil
}

func ids(list []Timeline) []int64 {
	out := make([]int64, len(list))
	for i := range list {
		out[i] = list[i].ID
	}
	return out
}

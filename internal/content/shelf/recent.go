package shelf

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Context is why something is among the recent ones.
type Context string

// The contexts.
const (
	Viewed   Context = "view"
	Selected Context = "selection"
)

// kept is how much is kept of each person and context.
const kept = 100

// Recent is something that a person looked at or chose.
type Recent struct {
	Item content.Item
	At   time.Time
}

// Recents returns what who looked at or chose last and may still see, the
// newest first, without what is in the trash. It returns Unauthenticated.
func (s *Service) Recents(ctx context.Context, who *access.Principal, contexts ...Context) ([]Recent, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	names := make([]string, len(contexts))
	for i, c := range contexts {
		names[i] = string(c)
	}
	type row struct {
		ref content.Ref
		at  time.Time
	}
	rows, err := db.All(ctx, s.db, func(r db.Row) (v row, err error) { return v, r.Scan(&v.ref.Kind, &v.ref.ID, db.Time(&v.at)) },
		`SELECT i.kind, i.id, max(r.at) FROM recent r JOIN item i ON i.no = r.item
		WHERE r.user_id = ?1 AND i.archived = FALSE AND `+s.db.InTexts("r.context", 2)+`
		GROUP BY i.kind, i.id, i.no ORDER BY max(r.at) DESC, i.no DESC`, who.UserID, db.Texts(names))
	if err != nil {
		return nil, fault.Wrap(err, "read what was looked at")
	}
	refs := make([]content.Ref, len(rows))
	for i := range rows {
		refs[i] = rows[i].ref
	}
	items, err := s.visible(ctx, who, refs)
	if err != nil {
		return nil, err
	}
	out := make([]Recent, 0, len(rows))
	for _, r := range rows {
		if item, ok := items[r.ref]; ok {
			out = append(out, Recent{item, r.at})
		}
	}
	return out, nil
}

// Select notes at once that who chose something that they may see. It returns
// NotFound and Forbidden.
func (s *Service) Select(ctx context.Context, who *access.Principal, ref content.Ref) error {
	item, err := s.content.Get(ctx, who, ref)
	if err != nil || who.UserID == 0 {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		return s.note(ctx, who.UserID, Selected, item.No, s.db.Now(ctx))
	})
}

// LastDashboard returns the dashboard that who looked at last, within a day.
// It returns NotFound when there is none.
func (s *Service) LastDashboard(ctx context.Context, who *access.Principal) (content.Item, error) {
	all, err := s.Recents(ctx, who, Viewed)
	if err != nil {
		return content.Item{}, err
	}
	for _, r := range all {
		if r.Item.Kind == content.Dashboard && s.db.Now(ctx).Sub(r.At) < 24*time.Hour {
			return r.Item, nil
		}
	}
	return content.Item{}, fault.New(fault.NotFound, "Not found.")
}

// Popular returns the questions and dashboards that are looked at most among
// those that who may see, at most n. It returns Unauthenticated.
func (s *Service) Popular(ctx context.Context, who *access.Principal, n int) ([]content.Item, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	within, arg := s.content.Where(s.content.Collections().Reach(who, access.View), "collection_id", 1)
	refs, err := db.All(ctx, s.db, scanRef, `SELECT kind, id FROM item WHERE `+within+` AND kind IN ('card', 'dashboard')
		AND archived = FALSE AND view_count > 0 ORDER BY view_count DESC, no DESC LIMIT ?2`, arg, n)
	if err != nil {
		return nil, fault.Wrap(err, "read what is looked at most")
	}
	items, err := s.visible(ctx, who, refs)
	out := make([]content.Item, 0, len(refs))
	for _, ref := range refs {
		if item, ok := items[ref]; ok {
			out = append(out, item)
		}
	}
	return out, err
}

// visible returns those of some items that who may see.
func (s *Service) visible(ctx context.Context, who *access.Principal, refs []content.Ref) (map[content.Ref]content.Item, error) {
	ids := map[content.Kind][]int64{}
	for _, r := range refs {
		ids[r.Kind] = append(ids[r.Kind], r.ID)
	}
	out := make(map[content.Ref]content.Item, len(refs))
	for kind, list := range ids {
		items, err := s.content.ByIDs(ctx, kind, list)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			level, err := s.content.LevelOf(ctx, who, i)
			if err != nil {
				return nil, fault.Wrap(err, "decide")
			}
			if level >= access.View {
				out[i.Ref()] = i
			}
		}
	}
	return out, nil
}

// note writes that somebody looked at or chose an item, inside a transaction,
// and forgets what is too old.
func (s *Service) note(ctx context.Context, user int64, c Context, item int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `INSERT INTO recent (user_id, context, item, at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (user_id, context, item) DO UPDATE SET at = excluded.at`, user, string(c), item, at)
	if err != nil {
		return fault.Wrap(err, "note what was looked at")
	}
	last, err := db.One(ctx, s.db, db.Scalar[int64], `SELECT at FROM recent WHERE user_id = ?1 AND context = ?2
		ORDER BY at DESC LIMIT 1 OFFSET ?3`, user, string(c), kept)
	if errors.Is(err, db.ErrNone) {
		return nil
	}
	if err == nil {
		_, err = s.db.Exec(ctx, "DELETE FROM recent WHERE user_id = ?1 AND context = ?2 AND at <= ?3", user, string(c), last)
	}
	return fault.Wrap(err, "forget what was looked at long ago")
}

package shelf

import (
	"context"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Bookmark is something that a person has marked.
type Bookmark struct {
	ID        int64
	Item      content.Item
	CreatedAt time.Time
}

// Markable reports whether items of a kind can be marked.
func Markable(k content.Kind) bool {
	return k == content.Card || k == content.Dashboard || k == content.Collection
}

// Bookmarks returns what who has marked and may still see, in their own order.
// What is in the trash is left out. It returns Unauthenticated.
func (s *Service) Bookmarks(ctx context.Context, who *access.Principal) ([]Bookmark, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	type row struct {
		id  int64
		ref content.Ref
		at  time.Time
	}
	rows, err := db.All(ctx, s.db, func(r db.Row) (v row, err error) { return v, r.Scan(&v.id, &v.ref.Kind, &v.ref.ID, db.Time(&v.at)) },
		`SELECT b.id, i.kind, i.id, b.created_at FROM bookmark b JOIN item i ON i.no = b.item
		WHERE b.user_id = ?1 AND i.archived = FALSE ORDER BY b.position, b.id DESC`, who.UserID)
	if err != nil {
		return nil, fault.Wrap(err, "read bookmarks")
	}
	refs := make([]content.Ref, len(rows))
	for i := range rows {
		refs[i] = rows[i].ref
	}
	items, err := s.visible(ctx, who, refs)
	if err != nil {
		return nil, err
	}
	out := make([]Bookmark, 0, len(rows))
	for _, r := range rows {
		if item, ok := items[r.ref]; ok {
			out = append(out, Bookmark{r.id, item, r.at})
		}
	}
	return out, nil
}

// Marked returns which of some items who has marked.
func (s *Service) Marked(ctx context.Context, who *access.Principal, refs []content.Ref) (map[content.Ref]bool, error) {
	out := map[content.Ref]bool{}
	if len(refs) == 0 || who == nil {
		return out, nil
	}
	wanted := make(map[content.Ref]bool, len(refs))
	for _, r := range refs {
		wanted[r] = true
	}
	err := db.Each(ctx, s.db, scanRef, func(r content.Ref) error {
		if wanted[r] {
			out[r] = true
		}
		return nil
	}, "SELECT i.kind, i.id FROM bookmark b JOIN item i ON i.no = b.item WHERE b.user_id = ?1", who.UserID)
	return out, fault.Wrap(err, "read bookmarks")
}

func scanRef(r db.Row) (content.Ref, error) {
	var v content.Ref
	return v, r.Scan(&v.Kind, &v.ID)
}

// Mark marks something that who may see. It returns NotFound, Forbidden, and
// Invalid for what is marked already.
func (s *Service) Mark(ctx context.Context, who *access.Principal, ref content.Ref) (Bookmark, error) {
	var out Bookmark
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		item, err := s.content.Get(ctx, who, ref)
		if err != nil {
			return err
		}
		if !Markable(ref.Kind) {
			return fault.New(fault.NotFound, "Not found.")
		}
		n, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT count(*) FROM bookmark WHERE user_id = ?1 AND item = ?2", who.UserID, item.No)
		if err != nil {
			return fault.Wrap(err, "read bookmark")
		}
		if n > 0 {
			return fault.New(fault.Invalid, "Bookmark already exists")
		}
		out.Item, out.CreatedAt = item, s.db.Now(ctx)
		out.ID, err = s.db.Insert(ctx, `INSERT INTO bookmark (user_id, item, position, created_at) VALUES (?1, ?2,
			(SELECT coalesce(min(position), 0) - 1 FROM bookmark WHERE user_id = ?1), ?3) RETURNING id`, who.UserID, item.No, s.db.Now(ctx))
		return fault.Wrap(err, "write bookmark")
	})
	return out, err
}

// Unmark takes a bookmark away, if there is one: also from what who may no
// longer see. It returns Unauthenticated.
func (s *Service) Unmark(ctx context.Context, who *access.Principal, ref content.Ref) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "DELETE FROM bookmark WHERE user_id = ?1 AND item = (SELECT no FROM item WHERE kind = ?2 AND id = ?3)",
		who.UserID, string(ref.Kind), ref.ID)
	return fault.Wrap(err, "delete bookmark")
}

// Order puts the bookmarks of who into an order. Those that are not named come
// behind; what is not marked is passed over. It returns Unauthenticated.
func (s *Service) Order(ctx context.Context, who *access.Principal, refs []content.Ref) error {
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "UPDATE bookmark SET position = ?2 WHERE user_id = ?1", who.UserID, len(refs)); err != nil {
			return fault.Wrap(err, "order bookmarks")
		}
		for i, ref := range refs {
			_, err := s.db.Exec(ctx, `UPDATE bookmark SET position = ?4 WHERE user_id = ?1
				AND item = (SELECT no FROM item WHERE kind = ?2 AND id = ?3)`, who.UserID, string(ref.Kind), ref.ID, i)
			if err != nil {
				return fault.Wrap(err, "order bookmarks")
			}
		}
		return nil
	})
}

package card

import (
	"context"
	"database/sql"
	"fmt"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Filter chooses cards of a list (contract/content-data.md 3.2).
type Filter string

// The filters. Those from OfDatabase on need an id.
const (
	All          Filter = "all"
	Mine         Filter = "mine"
	Bookmarked   Filter = "bookmarked"
	Archived     Filter = "archived"
	OfDatabase   Filter = "database"
	OfTable      Filter = "table"
	UsingModel   Filter = "using_model"
	UsingSegment Filter = "using_segment"
)

// NeedsID reports whether the filter names something.
func (f Filter) NeedsID() bool {
	return f == OfDatabase || f == OfTable || f == UsingModel || f == UsingSegment
}

// List returns the cards that who may see and the filter chooses, by name; but
// for Archived those that are not in the trash. id is what the filter names.
// It returns NotFound and Forbidden for what it names, and Invalid.
func (s *Service) List(ctx context.Context, who *access.Principal, f Filter, id int64) ([]Card, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	if f.NeedsID() && id == 0 {
		return nil, fault.Field("model_id", "model_id is a required parameter when filter mode is '%s'", string(f))
	}
	cond, args, err := s.chosen(ctx, who, f, id)
	if err != nil {
		return nil, err
	}
	reach, ids := s.content.Where(s.content.Collections().Reach(who, access.View), "i.collection_id", 1)
	list, err := db.All(ctx, s.db, scanCard, fmt.Sprintf("%s WHERE i.kind = 'card' AND i.archived = %t AND %s AND %s ORDER BY i.name_key, i.id",
		selectCards, f == Archived, reach, cond), append([]any{ids}, args...)...)
	return list, fault.Wrap(err, "list cards")
}

// always is a condition that holds and uses the placeholder ?2.
const always = "CAST(?2 AS BIGINT) IS NOT NULL"

// chosen returns the condition of a filter, whose placeholder is ?2.
func (s *Service) chosen(ctx context.Context, who *access.Principal, f Filter, id int64) (string, []any, error) {
	switch f {
	case Mine:
		return "i.creator_id = ?2", []any{who.UserID}, nil
	case Bookmarked:
		return s.marked(ctx, who)
	case OfDatabase:
		return "c.database_id = ?2", []any{id}, s.readable(ctx, who, Database, id)
	case OfTable:
		return "c.table_id = ?2", []any{id}, s.readable(ctx, who, Table, id)
	case UsingModel:
		_, err := s.content.Get(ctx, who, ref(id))
		return "i.id IN (SELECT r.card FROM card_reference r WHERE r.refers = ?2)", []any{id}, err
	case UsingSegment: // there are none
		return always, []any{id}, fault.New(fault.NotFound, "Not found.")
	}
	return always, []any{id}, nil
}

func (s *Service) marked(ctx context.Context, who *access.Principal) (string, []any, error) {
	var ids []int64
	if s.bookmarked != nil {
		var err error
		if ids, err = s.bookmarked(ctx, who); err != nil {
			return "", nil, err
		}
	}
	return s.db.In("i.id", 2), []any{db.IDs(ids)}, nil
}

func (s *Service) readable(ctx context.Context, who *access.Principal, kind Source, id int64) error {
	if s.source == nil {
		return nil
	}
	return s.source(ctx, who, kind, id)
}

// Summaries returns what lists of items show of cards, by id, whoever asks.
func (s *Service) Summaries(ctx context.Context, ids []int64) (map[int64]content.CardSummary, error) {
	out := make(map[int64]content.CardSummary, len(ids))
	showing, err := s.Showing(ctx, ids)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	type row struct {
		id       int64
		database sql.NullInt64
		summary  content.CardSummary
	}
	scan := func(r db.Row) (v row, err error) {
		return v, r.Scan(&v.id, &v.database, &v.summary.Display, &v.summary.CollectionPreview, &v.summary.FullyParameterized)
	}
	err = db.Each(ctx, s.db, scan, func(v row) error {
		if v.database.Valid {
			v.summary.DatabaseID = &v.database.Int64
		}
		v.summary.DashboardCount = len(showing[v.id])
		out[v.id] = v.summary
		return nil
	}, "SELECT id, database_id, display, preview, parameterized FROM card WHERE "+s.db.In("id", 1), db.IDs(ids))
	return out, fault.Wrap(err, "read cards")
}

// Showing returns the dashboards that show some cards, by card, whoever asks.
func (s *Service) Showing(ctx context.Context, ids []int64) (map[int64][]int64, error) {
	if s.boards == nil || len(ids) == 0 {
		return nil, nil
	}
	return s.boards.Showing(ctx, ids)
}

// DashboardOf is a dashboard that shows a card, as far as who may see it.
type DashboardOf struct {
	ID       int64 // 0 when who may not see it
	Name     string
	Writable bool
}

// Dashboards returns the dashboards that show each of some cards that who may
// see. It returns NotFound and Forbidden for the cards (contract/content-data.md
// 3.7).
func (s *Service) Dashboards(ctx context.Context, who *access.Principal, ids []int64) (map[int64][]DashboardOf, error) {
	for _, id := range ids {
		if _, err := s.content.Get(ctx, who, ref(id)); err != nil {
			return nil, err
		}
	}
	showing, err := s.Showing(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, list := range showing {
		all = append(all, list...)
	}
	boards, err := s.content.ByIDs(ctx, content.Dashboard, all)
	if err != nil {
		return nil, err
	}
	out := make(map[int64][]DashboardOf, len(ids))
	for _, id := range ids {
		list := []DashboardOf{}
		for _, board := range showing[id] {
			d, err := s.shown(ctx, who, boards[board])
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
		out[id] = list
	}
	return out, nil
}

func (s *Service) shown(ctx context.Context, who *access.Principal, i content.Item) (DashboardOf, error) {
	level, err := s.content.LevelOf(ctx, who, i)
	if err != nil || level < access.View {
		return DashboardOf{}, fault.Wrap(err, "decide")
	}
	return DashboardOf{ID: i.ID, Name: i.Name, Writable: level == access.Curate}, nil
}

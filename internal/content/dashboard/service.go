package dashboard

import (
	"context"
	"maps"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/revision"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// Service holds the rules of dashboards.
type Service struct {
	db      *db.DB
	content *content.Service
	cards   *card.Service
	log     *revision.Log
}

// NewService returns the service, whose dashboards have revisions in the log.
func NewService(d *db.DB, c *content.Service, cards *card.Service, log *revision.Log) *Service {
	s := &Service{db: d, content: c, cards: cards, log: log}
	log.Register(content.Dashboard, s.kept())
	return s
}

func ref(id int64) content.Ref { return content.Ref{Kind: content.Dashboard, ID: id} }

// Get returns a dashboard that who may see, as it was at one moment: one that
// is being changed is seen before the change or after it. It returns NotFound
// before Forbidden.
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (Dashboard, error) {
	var out Dashboard
	err := s.db.Snapshot(ctx, func(ctx context.Context) error {
		i, err := s.content.Get(ctx, who, ref(id))
		if err != nil {
			return err
		}
		out, err = s.read(ctx, i)
		return err
	})
	return out, err
}

// Filter chooses dashboards of a list (contract/content-data.md 4.1).
type Filter string

// The filters.
const (
	All      Filter = "all"      // that are not in the trash
	Mine     Filter = "mine"     // of these, what who has made
	Archived Filter = "archived" // that are in the trash
)

// List returns the dashboards that who may see, without tabs and dashcards, by
// name.
func (s *Service) List(ctx context.Context, who *access.Principal, f Filter) ([]Dashboard, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	var creator int64
	if f == Mine {
		creator = max(who.UserID, -1)
	}
	if f == Mine && creator == 0 {
		return nil, nil // nobody's
	}
	rows, err := s.list(ctx, s.content.Collections().Reach(who, access.View), f == Archived, creator)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	items, err := s.content.ByIDs(ctx, content.Dashboard, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Dashboard, 0, len(rows))
	for _, r := range rows {
		if i, ok := items[r.id]; ok { // it may have gone in between
			out = append(out, Dashboard{Item: i, Particulars: r.Particulars})
		}
	}
	return out, nil
}

// Questions returns the questions that live in a dashboard, but for those in
// the trash, by name. It returns NotFound and Forbidden.
func (s *Service) Questions(ctx context.Context, who *access.Principal, id int64) (content.Item, []content.Item, error) {
	i, err := s.content.Get(ctx, who, ref(id))
	if err != nil {
		return i, nil, err
	}
	list, err := s.content.OfDashboard(ctx, id)
	return i, list, err
}

// Readable returns those of some questions that who may see, in the order of
// their ids.
func (s *Service) Readable(ctx context.Context, who *access.Principal, ids []int64) ([]card.Card, error) {
	found, err := s.cards.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []card.Card
	for _, id := range slices.Sorted(maps.Keys(found)) {
		level, err := s.content.LevelOf(ctx, who, found[id].Item)
		if err != nil {
			return nil, fault.Wrap(err, "decide about a question")
		}
		if level >= access.View {
			out = append(out, found[id])
		}
	}
	return out, nil
}

// Create makes an empty dashboard. It returns NotFound for an unknown
// collection, Forbidden and Invalid.
func (s *Service) Create(ctx context.Context, who *access.Principal, n New) (Dashboard, error) {
	p := Particulars{Parameters: emptyList, AutoApply: true, CacheTTL: n.CacheTTL}
	if n.Parameters != nil {
		if err := (Change{Parameters: opt.Of(n.Parameters)}).apply(&p); err != nil {
			return Dashboard{}, err
		}
	}
	var out Dashboard
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		i, err := s.content.Create(ctx, who, content.NewItem{
			Kind: content.Dashboard, Model: content.ModelDashboard, Name: n.Name, Description: n.Description,
			CollectionID: n.CollectionID, Position: n.Position,
		})
		if err != nil {
			return err
		}
		if err := s.insert(ctx, i, p); err != nil {
			return err
		}
		if err := s.log.Record(ctx, who, i, revision.Note{Creation: true}); err != nil {
			return err
		}
		out, err = s.read(ctx, i)
		return err
	})
	return out, err
}

// Update changes a dashboard with all that stands on it, in one transaction.
// Lists of tabs and dashcards replace what was there (contract/content-data.md
// 4.3). It returns NotFound, also for a question that is in the trash
// (content.CodeArchived), Forbidden and Invalid.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (Dashboard, error) {
	var out Dashboard
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		i, err := s.change(ctx, who, id, c, nil)
		if err != nil {
			return err
		}
		if err := s.log.Record(ctx, who, i, revision.Note{}); err != nil {
			return err
		}
		out, err = s.read(ctx, i)
		return err
	})
	return out, err
}

// change is Update without a revision. One that brings an earlier state back
// gives the particulars of then, and leaves out what cannot come.
func (s *Service) change(ctx context.Context, who *access.Principal, id int64, c Change, then *Particulars) (content.Item, error) {
	i, err := s.content.GetToWrite(ctx, who, ref(id))
	if err != nil {
		return i, err
	}
	old, err := s.read(ctx, i)
	if err != nil {
		return i, err
	}
	next := old.Particulars
	if err := c.apply(&next); err != nil {
		return i, err
	}
	if then != nil {
		next = *then
	}
	touched := !next.equal(old.Particulars)
	if touched {
		if err := s.save(ctx, id, next); err != nil {
			return i, err
		}
	}
	if c.Tabs.Set || c.Cards.Set {
		replaced, err := s.replace(ctx, who, old, c, then != nil)
		if err != nil {
			return i, err
		}
		touched = touched || replaced
	}
	return s.content.Update(ctx, who, ref(id), content.Change{
		Name: c.Name, Description: c.Description, CollectionID: c.CollectionID, Position: c.Position, Archived: c.Archived,
		Touch: touched,
	})
}

// Delete removes a dashboard for ever, with the questions that live in it. It
// returns NotFound and Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, id int64) error {
	return s.content.Delete(ctx, who, ref(id))
}

package card

import (
	"context"
	"encoding/json"
	"reflect"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// Update changes a card (contract/content-data.md 3.4). What is as it was
// stays unchanged. It returns NotFound, Forbidden, Invalid, and a Forbidden
// fault with CodeMayNotRun.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (Card, error) {
	i, err := s.content.GetToWrite(ctx, who, ref(id))
	if err != nil {
		return Card{}, err
	}
	old, err := s.with(ctx, i)
	if err != nil {
		return Card{}, err
	}
	if err := checkChange(who, c); err != nil {
		return Card{}, err
	}
	var a *analysed
	if raw, ok := c.Query.Get(); ok {
		if a, err = s.changedQuery(ctx, who, old, raw, true); err != nil {
			return Card{}, err
		}
	}
	if c.Metadata, err = columnsOf(old, c, a); err != nil {
		return Card{}, err
	}
	var out Card
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if out, err = s.write(ctx, who, id, c, a); err != nil {
			return err
		}
		return s.revisions.Record(ctx, who, out.Item, revision.Note{})
	})
	return out, err
}

// checkChange refuses values that no card can have, and embedding, which there
// is not: to administrators it is off, and all others may not change it
// (contract/content-data.md 3.4).
func checkChange(who *access.Principal, c Change) error {
	if c.Embed {
		if err := access.RequireAdmin(who); err != nil {
			return err
		}
		return fault.New(fault.Invalid, "Embedding is not enabled.")
	}
	if display, ok := c.Display.Get(); ok {
		if err := checkDisplay(display); err != nil {
			return err
		}
	}
	if typ, ok := c.Type.Get(); ok && !isType(typ) {
		return fault.Field("type", "enum of question, model, metric")
	}
	if err := checkPosition(c.Position.Ptr()); err != nil {
		return err
	}
	return checkTTL(c.CacheTTL.Ptr())
}

// changedQuery reads a query that a card is to have, nil when it is the one
// that it has.
func (s *Service) changedQuery(ctx context.Context, who *access.Principal, old Card, raw json.RawMessage, describe bool) (*analysed, error) {
	next, err := mbql.Read(raw)
	if err != nil {
		return nil, fault.Field("dataset_query", "%s", fault.As(err).Message)
	}
	if now, err := mbql.Read(old.Query); err == nil && mbql.Same(now, next.WithTemplateTags()) {
		return nil, nil
	}
	a, err := s.analyse(ctx, who, raw)
	if err != nil {
		return nil, err
	}
	if err := s.acyclic(ctx, old.ID, a.refers); err != nil {
		return nil, err
	}
	if describe {
		s.describe(ctx, who, a)
	}
	return a, nil
}

// write changes the rows of a card, in the caller's transaction.
func (s *Service) write(ctx context.Context, who *access.Principal, id int64, c Change, a *analysed) (Card, error) {
	i, err := s.content.GetToWrite(ctx, who, ref(id))
	if err != nil {
		return Card{}, err
	}
	old, err := s.with(ctx, i)
	if err != nil {
		return Card{}, err
	}
	shared, err := s.place(ctx, who, old, c)
	if err != nil {
		return Card{}, err
	}
	next, err := s.apply(old, c, a)
	if err != nil {
		return Card{}, err
	}
	shared.Touch = !reflect.DeepEqual(old.Particulars, next.Particulars)
	if next.Item, err = s.content.Update(ctx, who, ref(id), shared); err != nil {
		return Card{}, err
	}
	if shared.Touch {
		if err := s.update(ctx, next); err != nil {
			return Card{}, err
		}
	}
	if a != nil {
		if err := s.refer(ctx, id, a.refers); err != nil {
			return Card{}, err
		}
	}
	return next, s.settle(ctx, who, old, next, c)
}

// apply returns the card with the changes of its particulars.
func (s *Service) apply(old Card, c Change, a *analysed) (Card, error) {
	next := old
	if a != nil {
		a.put(&next.Particulars)
		next.Metadata = a.metadata
	}
	typ := c.Type.Or(old.Type())
	next.Display = displayOf(typ, c.Display.Or(old.Display))
	next.Settings = c.Settings.Or(old.Settings)
	next.Preview = c.Preview.Or(old.Preview)
	next.Parameters = orList(c.Parameters.Or(old.Parameters))
	next.Mappings = orList(c.Mappings.Or(old.Mappings))
	if c.Metadata.Set {
		next.Metadata = c.Metadata.V
	}
	if c.CacheTTL.Set {
		next.CacheTTL = c.CacheTTL.Ptr()
	}
	if typ != Metric || a == nil && typ == old.Type() {
		return next, nil
	}
	q, err := mbql.Read(next.Query)
	if err != nil {
		return next, fault.Wrap(err, "read stored query")
	}
	return next, saveable(typ, q)
}

// place returns the change of the shared record: where the card goes.
func (s *Service) place(ctx context.Context, who *access.Principal, old Card, c Change) (content.Change, error) {
	shared := content.Change{
		Name: c.Name, Description: c.Description, CollectionID: c.CollectionID, Position: c.Position, Archived: c.Archived,
	}
	if typ, ok := c.Type.Get(); ok {
		shared.Model = opt.Of(models[typ])
	}
	if c.DashboardID.Set && c.DashboardID.Or(0) != old.DashboardID {
		return s.replaced(ctx, who, old, c, shared)
	}
	if old.DashboardID != 0 {
		return shared, staysInDashboard(old, c)
	}
	return shared, nil
}

// replaced moves a card into a dashboard, or out of one into the collection.
func (s *Service) replaced(ctx context.Context, who *access.Principal, old Card, c Change, shared content.Change) (content.Change, error) {
	shared.DashboardID = c.DashboardID
	if c.DashboardID.Null {
		return shared, nil
	}
	if c.Archived.Or(false) {
		return shared, fault.New(fault.Invalid, "A question cannot move into a dashboard and into the trash at once.")
	}
	d, err := s.dashboard(ctx, who, c.DashboardID.V)
	if err != nil {
		return shared, err
	}
	if err := mismatch(d, c.CollectionID); err != nil {
		return shared, err
	}
	if c.Type.Or(old.Type()) != Question {
		return shared, notInDashboard("type")
	}
	shared.CollectionID, shared.Position = opt.Of(d.CollectionID), opt.Null[int64]()
	if old.Archived {
		shared.Archived = opt.Of(false)
	}
	return shared, s.elsewhere(ctx, old, d.ID, c.LeaveDashboards)
}

// elsewhere refuses a card that other dashboards show, unless it leaves them.
func (s *Service) elsewhere(ctx context.Context, old Card, dashboardID int64, leave bool) error {
	if leave {
		return nil
	}
	showing, err := s.boards.Showing(ctx, []int64{old.ID})
	if err != nil {
		return err
	}
	for _, id := range showing[old.ID] {
		if id != dashboardID {
			return fault.New(fault.Invalid, "Other dashboards show this question. Send delete_old_dashcards=true to take it from them.")
		}
	}
	return nil
}

// staysInDashboard refuses what a question that lives in a dashboard cannot
// have.
func staysInDashboard(old Card, c Change) error {
	switch {
	case c.Type.Or(Question) != Question:
		return notInDashboard("type")
	case c.CollectionID.Set && c.CollectionID.Or(access.RootCollection) != old.CollectionID && !c.Archived.Or(false):
		return fault.New(fault.Invalid, "Invalid Dashboard Question: Cannot manually set `collection_id` on a Dashboard Question")
	case c.Position.Set && !c.Position.Null:
		return notInDashboard("collection_position")
	}
	return nil
}

// settle shows a card on the dashboard that it has moved into.
func (s *Service) settle(ctx context.Context, who *access.Principal, old, next Card, c Change) error {
	if next.DashboardID == 0 || next.DashboardID == old.DashboardID {
		return nil
	}
	if c.LeaveDashboards {
		if err := s.boards.Remove(ctx, who, next.ID, next.DashboardID); err != nil {
			return err
		}
	}
	return s.boards.Place(ctx, who, next.DashboardID, c.TabID, next.ID)
}

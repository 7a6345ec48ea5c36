package card

import (
	"context"
	"encoding/json"
	"fmt"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// Boards is what cards need of dashboards. Package content/dashboard is one.
type Boards interface {
	// Place shows a card on a dashboard that who may write, on a tab when one is
	// given, unless the dashboard shows it already. It runs in the caller's
	// transaction.
	Place(ctx context.Context, who *access.Principal, dashboardID int64, tabID *int64, cardID int64) error
	// Remove takes a card from all dashboards but one, which may be 0.
	Remove(ctx context.Context, who *access.Principal, cardID, butDashboardID int64) error
	// Showing returns the ids of the dashboards that show each card.
	Showing(ctx context.Context, cardIDs []int64) (map[int64][]int64, error)
}

// Deps is what the service needs. The functions are given where the program is
// put together, because they belong to packages above this one.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Log
	Content   *content.Service
	Revisions *revision.Log
	// MayRun decides whether somebody may run a query that is not saved. It
	// returns Forbidden, and Invalid for what no query can be, such as an
	// unknown database.
	MayRun func(ctx context.Context, who *access.Principal, q mbql.Query) error
	// Columns, when given, finds out the columns of a query's result, as a JSON
	// list.
	Columns func(ctx context.Context, who *access.Principal, q mbql.Query) (json.RawMessage, error)
	// Bookmarked, when given, returns the ids of the cards that somebody marked.
	Bookmarked func(ctx context.Context, who *access.Principal) ([]int64, error)
	// Source, when given, refuses who may not read a database or a table. It
	// returns NotFound and Forbidden.
	Source func(ctx context.Context, who *access.Principal, kind Source, id int64) error
}

// Source is where the data of a card comes from.
type Source string

// The sources.
const (
	Database Source = "database"
	Table    Source = "table"
)

// Service holds the rules of cards.
type Service struct {
	db         *db.DB
	audit      *audit.Log
	content    *content.Service
	revisions  *revision.Log
	boards     Boards
	mayRun     func(context.Context, *access.Principal, mbql.Query) error
	columns    func(context.Context, *access.Principal, mbql.Query) (json.RawMessage, error)
	bookmarked func(context.Context, *access.Principal) ([]int64, error)
	source     func(context.Context, *access.Principal, Source, int64) error
}

// NewService returns the service, and lets the log of revisions know of cards.
func NewService(d Deps) *Service {
	s := &Service{
		db: d.DB, audit: d.Audit, content: d.Content, revisions: d.Revisions, mayRun: d.MayRun, columns: d.Columns,
		bookmarked: d.Bookmarked, source: d.Source,
	}
	d.Revisions.Register(content.Card, s.history())
	return s
}

// UseBoards gives the service the dashboards, which stand on cards themselves.
// It must be called while the server is put together.
func (s *Service) UseBoards(b Boards) { s.boards = b }

func ref(id int64) content.Ref { return content.Ref{Kind: content.Card, ID: id} }

// Get returns a card that who may see, as it was at one moment. It returns
// NotFound before Forbidden.
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (Card, error) {
	var out Card
	err := s.db.Snapshot(ctx, func(ctx context.Context) error {
		i, err := s.content.Get(ctx, who, ref(id))
		if err != nil {
			return err
		}
		out, err = s.with(ctx, i)
		return err
	})
	return out, err
}

// Create makes a card, in a dashboard when one is named. It returns Invalid,
// NotFound for an unknown collection or dashboard, Forbidden, and a Forbidden
// fault with CodeMayNotRun (contract/content-data.md 3.3).
func (s *Service) Create(ctx context.Context, who *access.Principal, n New) (Card, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Card{}, err
	}
	a, err := s.prepare(ctx, who, &n)
	if err != nil {
		return Card{}, err
	}
	if n.Metadata == nil {
		if err := s.content.Require(ctx, who, n.CollectionID.Or(access.RootCollection), access.Curate); err != nil {
			return Card{}, err
		}
		s.describe(ctx, who, a)
		n.Metadata = a.metadata
	}
	return s.make(ctx, who, n, a)
}

// prepare checks a new card but for what content checks.
func (s *Service) prepare(ctx context.Context, who *access.Principal, n *New) (*analysed, error) {
	if n.Type == "" {
		n.Type = Question
	}
	if err := content.CheckName(n.Name); err != nil {
		return nil, err
	}
	if err := checkDisplay(n.Display); err != nil {
		return nil, err
	}
	if err := checkPosition(n.Position); err != nil {
		return nil, err
	}
	if err := checkTTL(n.CacheTTL); err != nil {
		return nil, err
	}
	if !isType(n.Type) {
		return nil, fault.Field("type", "enum of question, model, metric")
	}
	a, err := s.analyse(ctx, who, n.Query)
	if err != nil {
		return nil, err
	}
	if err := saveable(n.Type, a.query); err != nil {
		return nil, err
	}
	return a, s.intoDashboard(ctx, who, n)
}

// intoDashboard gives a card that lives in a dashboard the collection of that
// (contract/content-data.md 3.3).
func (s *Service) intoDashboard(ctx context.Context, who *access.Principal, n *New) error {
	if n.DashboardID == 0 {
		return nil
	}
	d, err := s.dashboard(ctx, who, n.DashboardID)
	if err != nil {
		return err
	}
	if err := mismatch(d, n.CollectionID); err != nil {
		return err
	}
	if n.Type != Question {
		return notInDashboard("type")
	}
	n.CollectionID, n.Position = opt.Of(d.CollectionID), nil
	return nil
}

// dashboard returns a dashboard that a card is to live in.
func (s *Service) dashboard(ctx context.Context, who *access.Principal, id int64) (content.Item, error) {
	d, err := s.content.GetToWrite(ctx, who, content.Ref{Kind: content.Dashboard, ID: id})
	switch {
	case err != nil:
		return d, err
	case d.Archived:
		return d, content.ArchivedFault()
	case s.boards == nil:
		return d, fault.New(fault.NotFound, "Not found.")
	}
	return d, nil
}

// mismatch refuses a collection beside a dashboard that lies in another.
func mismatch(d content.Item, collection opt.Value[int64]) error {
	if !collection.Set || collection.Or(access.RootCollection) == d.CollectionID {
		return nil
	}
	return fault.New(fault.Invalid, "Mismatch detected between Dashboard's `collection_id` (%s) and `collection_id` (%s)",
		collectionName(d.CollectionID), collectionName(collection.Or(access.RootCollection)))
}

func collectionName(id int64) string {
	if id == access.RootCollection {
		return "null"
	}
	return fmt.Sprint(id)
}

// notInDashboard refuses a field that only questions in collections have.
func notInDashboard(field string) error {
	return fault.New(fault.Invalid, "Invalid Dashboard Question: Cannot set `%s` on a Dashboard Question", field)
}

// make writes a card that was decided.
func (s *Service) make(ctx context.Context, who *access.Principal, n New, a *analysed) (Card, error) {
	var out Card
	p := Particulars{
		Display: displayOf(n.Type, n.Display), Settings: orObject(n.Settings), Parameters: orList(n.Parameters),
		Mappings: orList(n.Mappings), Metadata: n.Metadata, CacheTTL: n.CacheTTL, Preview: true,
	}
	a.put(&p)
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		entity, err := s.freeEntity(ctx, n.EntityID)
		if err != nil {
			return err
		}
		i, err := s.content.Create(ctx, who, content.NewItem{
			Kind: content.Card, Model: models[n.Type], Name: n.Name, Description: n.Description,
			CollectionID: n.CollectionID.Or(access.RootCollection), DashboardID: n.DashboardID, Position: n.Position, EntityID: entity,
		})
		if err != nil {
			return err
		}
		out = Card{i, p}
		if err := s.insert(ctx, out); err != nil {
			return err
		}
		if err := s.refer(ctx, i.ID, a.refers); err != nil {
			return err
		}
		if n.DashboardID != 0 {
			if err := s.boards.Place(ctx, who, n.DashboardID, n.TabID, i.ID); err != nil {
				return err
			}
		}
		return s.revisions.Record(ctx, who, i, revision.Note{Creation: true})
	})
	return out, err
}

// freeEntity returns an entity id that a new card may have: programs copy a
// card by sending all of it, and the copy cannot have the same.
func (s *Service) freeEntity(ctx context.Context, wanted string) (string, error) {
	if !naming.IsEntityID(wanted) {
		return "", nil
	}
	n, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT COUNT(*) FROM item WHERE entity_id = ?1", wanted)
	if n > 0 {
		wanted = ""
	}
	return wanted, fault.Wrap(err, "look up entity id")
}

// copyPrefix begins the name of a copy (contract/content-data.md 3.6).
const copyPrefix = "Copy of "

// maxName is the longest name of an item, in characters.
const maxName = 254

// Copy makes a copy of a card beside it. It returns NotFound, and Forbidden for
// who may not see the card or not write into its collection.
func (s *Service) Copy(ctx context.Context, who *access.Principal, id int64) (Card, error) {
	old, err := s.Get(ctx, who, id)
	if err != nil {
		return Card{}, err
	}
	q, err := mbql.Read(old.Query)
	if err != nil {
		return Card{}, fault.Wrap(err, "read stored query")
	}
	name := []rune(copyPrefix + old.Name)
	n := New{
		Name: string(name[:min(len(name), maxName)]), Description: old.Description, Type: old.Type(), Display: old.Display,
		Settings: old.Settings, Parameters: old.Parameters, Mappings: old.Mappings, Metadata: old.Metadata,
		CollectionID: opt.Of(max(old.CollectionID, access.RootCollection)), CacheTTL: old.CacheTTL, DashboardID: old.DashboardID,
	}
	if err := s.intoDashboard(ctx, who, &n); err != nil {
		return Card{}, err
	}
	return s.make(ctx, who, n, &analysed{query: q, text: old.Query, refers: q.ReferencedCards()})
}

// Delete removes a card for ever; it need not be in the trash
// (contract/content-data.md 3.5). It returns NotFound and Forbidden.
func (s *Service) Delete(ctx context.Context, who *access.Principal, id int64) error {
	return s.content.Delete(ctx, who, ref(id))
}

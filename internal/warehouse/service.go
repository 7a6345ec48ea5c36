package warehouse

import (
	"context"
	"log/slog"
	"sync"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/engine"
	"latchkey/internal/fault"
)

// Deps is what the service needs. All fields are required except where noted.
type Deps struct {
	DB      *db.DB
	Audit   *audit.Log
	Drivers []engine.Driver
	Log     *slog.Logger

	// SampleFile is the path of the sample database on this machine. It is
	// optional: without it no sample database is connected.
	SampleFile string
	// HasPeople reports whether the instance is set up.
	HasPeople func(ctx context.Context) (bool, error)
}

// Service holds the rules of connected databases. It is safe for concurrent use.
type Service struct {
	Deps
	wake chan struct{}

	preparing sync.Mutex // one run of Prepare at a time
	mu        sync.Mutex
	open      map[int64]engine.Database
}

// New returns the service.
func New(d Deps) *Service {
	return &Service{Deps: d, wake: make(chan struct{}, 1), open: map[int64]engine.Database{}}
}

// Close ends all connections to customers' databases.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, d := range s.open {
		if err := d.Close(); err != nil {
			s.Log.Warn("a connected database was not closed cleanly", slog.Int64("database", id), slog.Any("error", err))
		}
		delete(s.open, id)
	}
}

func notFound() error { return fault.New(fault.NotFound, "Not found.") }

// Databases returns the connected databases that who may read, by name. It
// returns Unauthenticated.
func (s *Service) Databases(ctx context.Context, who *access.Principal) ([]Database, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	all, err := s.selectDatabases(ctx)
	if err != nil {
		return nil, err
	}
	if all, err = s.complete(ctx, all); err != nil {
		return nil, err
	}
	out := []Database{}
	for _, d := range all {
		if access.Data(who, d.ID) == nil {
			out = append(out, d)
		}
	}
	return out, nil
}

// complete makes sure that the sample database can be asked: it is made in the
// background after set-up, and whoever asks before that waits for it.
func (s *Service) complete(ctx context.Context, all []Database) ([]Database, error) {
	for _, d := range all {
		if d.IsSample && d.SyncedAt == nil && s.SampleFile != "" {
			if err := s.Prepare(ctx); err != nil {
				s.Log.Error("the sample database cannot be made", slog.Any("error", err))
				return all, nil
			}
			return s.selectDatabases(ctx)
		}
	}
	return all, nil
}

// Database returns a connected database. It returns NotFound, Unauthenticated
// or Forbidden.
func (s *Service) Database(ctx context.Context, who *access.Principal, id int64) (Database, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Database{}, err
	}
	d, err := s.selectDatabase(ctx, id)
	if err != nil {
		return Database{}, err
	}
	if err := access.Data(who, id); err != nil {
		return Database{}, err
	}
	list, err := s.complete(ctx, []Database{d})
	for _, one := range list {
		if one.ID == id {
			d = one
		}
	}
	return d, err
}

// Find returns a connected database without asking whether anybody may read
// it. It is for packages that decide themselves, such as for saved questions.
func (s *Service) Find(ctx context.Context, id int64) (Database, error) {
	return s.selectDatabase(ctx, id)
}

// Filter says which tables are meant. Its zero value means all that are there.
type Filter struct {
	DatabaseID int64   // 0 for those of all databases
	Schema     *string // nil for those of all schemas
	Hidden     bool    // also those that people hid
	Gone       bool    // also those that were missing at the last sync
}

// Tables returns the tables of the databases that who may read, by name of
// schema and table. It returns Unauthenticated.
func (s *Service) Tables(ctx context.Context, who *access.Principal, f Filter) ([]Table, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	all, err := s.selectTables(ctx, f.DatabaseID)
	if err != nil {
		return nil, err
	}
	out := []Table{}
	for _, t := range all {
		if access.Data(who, t.DatabaseID) == nil && f.wants(t) {
			out = append(out, t)
		}
	}
	return out, nil
}

func (f Filter) wants(t Table) bool {
	return (f.Schema == nil || t.Schema == *f.Schema) && (f.Hidden || t.Visibility == nil) && (f.Gone || t.Active)
}

// Table returns a table. It returns NotFound, Unauthenticated or Forbidden.
func (s *Service) Table(ctx context.Context, who *access.Principal, id int64) (Table, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Table{}, err
	}
	t, err := s.selectTable(ctx, id)
	if err != nil {
		return Table{}, err
	}
	return t, access.Data(who, t.DatabaseID)
}

// FindTable is Table for packages that decide themselves.
func (s *Service) FindTable(ctx context.Context, id int64) (Table, error) {
	return s.selectTable(ctx, id)
}

// Fields returns the fields of some tables, by table and position, and their
// tables have been decided about: it asks no principal.
func (s *Service) Fields(ctx context.Context, tables ...Table) (map[int64][]Field, error) {
	return s.selectFields(ctx, tables)
}

// Field returns a field with its table. It returns NotFound, Unauthenticated or
// Forbidden.
func (s *Service) Field(ctx context.Context, who *access.Principal, id int64) (Field, Table, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return Field{}, Table{}, err
	}
	f, t, err := s.FindField(ctx, id)
	if err != nil {
		return Field{}, Table{}, err
	}
	return f, t, access.Data(who, t.DatabaseID)
}

// FindField is Field for packages that decide themselves.
func (s *Service) FindField(ctx context.Context, id int64) (Field, Table, error) {
	f, err := s.selectField(ctx, id)
	if err != nil {
		return Field{}, Table{}, err
	}
	t, err := s.selectTable(ctx, f.TableID)
	return f, t, err
}

// Driver returns the driver of a kind of database, or nil.
func (s *Service) Driver(name string) engine.Driver {
	for _, d := range s.Drivers {
		if d.Name() == name {
			return d
		}
	}
	return nil
}

// Connection returns the connection to a database. It returns Unavailable when
// it cannot be made.
func (s *Service) Connection(ctx context.Context, d Database) (engine.Database, error) {
	if d.IsSample {
		if err := s.ensureFile(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[d.ID]; c != nil {
		return c, nil
	}
	driver := s.Driver(d.Engine)
	if driver == nil {
		return nil, fault.New(fault.Unavailable, "This server cannot read databases of the kind %s.", d.Engine)
	}
	details, err := s.details(d)
	if err != nil {
		return nil, err
	}
	c, err := driver.Open(details)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "The connection to this database is not set up rightly.", Err: err}
	}
	s.open[d.ID] = c
	return c, nil
}

package warehouse

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/secret"
	"latchkey/internal/warehouse/sample"
)

// sampleName is what clients know the sample database by.
const sampleName = "Sample Database"

// details returns the connection options of a database.
func (s *Service) details(d Database) (engine.Details, error) {
	if d.IsSample && s.SampleFile != "" {
		return engine.Details{"db": secret.New(s.SampleFile)}, nil
	}
	return nil, fault.New(fault.Unavailable, "The connection to this database is not set up.")
}

// ConnectSample connects the sample database, once in the life of an instance.
// It joins the transaction of set-up; the file is made after it.
func (s *Service) ConnectSample(ctx context.Context, who *access.Principal, creatorID int64) error {
	if s.SampleFile == "" {
		return nil
	}
	return s.DB.InTx(ctx, func(ctx context.Context) error {
		now := s.DB.Now(ctx)
		n, err := s.DB.Exec(ctx, "INSERT INTO warehouse_sample (only_one, made_at) VALUES (1, ?1) ON CONFLICT (only_one) DO NOTHING", now)
		if err != nil || n == 0 {
			return fault.Wrap(err, "connect sample database")
		}
		var creator *int64
		if creatorID != 0 {
			creator = &creatorID
		}
		id, err := s.DB.Insert(ctx, `INSERT INTO warehouse_database (name, engine, is_sample, description, entity_id, creator_id, created_at, updated_at)
			VALUES (?1, ?2, TRUE, ?3, ?4, ?5, ?6, ?6) RETURNING id`,
			sampleName, sqlite.Name, "A small shop to try things with. Everything in it is invented.", naming.EntityID(), creator, now)
		if err != nil {
			return fault.Wrap(err, "connect sample database")
		}
		db.AfterCommit(ctx, s.nudge)
		actor := who.Actor()
		if who == nil {
			actor = audit.System()
		}
		return s.Audit.Append(ctx, actor, audit.Entry{
			Action: "database.connect", ObjectKind: "database", ObjectID: id, ObjectName: sampleName,
			Details: map[string]any{"engine": sqlite.Name, "sample": true},
		})
	})
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
}

// Run makes the sample database in the background, whenever it is needed, until
// ctx is done.
func (s *Service) Run(ctx context.Context) {
	for {
		if err := s.Prepare(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("the sample database cannot be made", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
	}
}

// prepareLimit bounds the making of the sample database.
const prepareLimit = time.Minute

// Prepare makes sure that a set-up instance has the sample database, unless it
// had it before, that its file is there, and that its tables are known.
func (s *Service) Prepare(ctx context.Context) error {
	if s.SampleFile == "" {
		return nil
	}
	s.preparing.Lock()
	defer s.preparing.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), prepareLimit) // whoever waits may go away
	defer cancel()
	done, err := s.HasPeople(ctx)
	if err != nil || !done {
		return err
	}
	if err := s.ConnectSample(ctx, nil, 0); err != nil {
		return err
	}
	all, err := s.selectDatabases(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.IsSample && d.SyncedAt == nil {
			err := s.sync(ctx, d)
			go debug.FreeOSMemory() // what only the making needed goes back to the system
			return err
		}
	}
	return nil
}

// ensureFile makes the file of the sample database when it is not there, as on
// a node that has just joined. It is the same on all.
func (s *Service) ensureFile(ctx context.Context) error {
	if s.SampleFile == "" {
		return fault.New(fault.Unavailable, "The sample database is turned off on this server.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := os.Stat(s.SampleFile)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, "find sample database")
	}
	began := time.Now()
	if err := sample.Write(context.WithoutCancel(ctx), s.SampleFile); err != nil {
		return fault.Wrap(err, "make sample database")
	}
	s.Log.Info("the sample database is made", slog.String("file", s.SampleFile), slog.Duration("took", time.Since(began).Round(time.Millisecond)))
	return nil
}

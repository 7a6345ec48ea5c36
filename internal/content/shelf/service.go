package shelf

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

const (
	flushEvery = 5 * time.Second
	maxWaiting = 10_000 // views in memory; more are not counted
)

// Service keeps what people have at hand. It is safe for concurrent use.
type Service struct {
	db      *db.DB
	content *content.Service
	log     *slog.Logger

	mu    sync.Mutex
	views map[view]time.Time
	count map[content.Ref]int64
}

// view is one person and what they look at.
type view struct {
	user int64
	ref  content.Ref
}

// NewService returns the service, which hears of views from now on.
func NewService(d *db.DB, c *content.Service, log *slog.Logger) *Service {
	s := &Service{db: d, content: c, log: log}
	s.empty()
	c.OnSeen(s.saw)
	return s
}

func (s *Service) empty() {
	s.views, s.count = map[view]time.Time{}, map[content.Ref]int64{}
}

// saw notes in memory that who looks at something.
func (s *Service) saw(who *access.Principal, ref content.Ref) {
	now := s.db.Now(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.views) >= maxWaiting || len(s.count) >= maxWaiting {
		return
	}
	s.count[ref]++
	if who != nil && who.UserID != 0 {
		s.views[view{who.UserID, ref}] = now
	}
}

// Run writes views every few seconds until ctx ends. What it could not write
// by then, Close writes.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.Flush(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("views cannot be written and are not counted", slog.Any("error", err))
		}
	}
}

// Close writes the views that are only in memory.
func (s *Service) Close(ctx context.Context) error { return s.Flush(ctx) }

// Flush writes the views of this node.
func (s *Service) Flush(ctx context.Context) error {
	s.mu.Lock()
	views, count := s.views, s.count
	s.empty()
	s.mu.Unlock()
	if len(count) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.content.Viewed(ctx, count); err != nil {
			return err
		}
		for v, at := range views {
			no, err := db.One(ctx, s.db, db.Scalar[int64], "SELECT no FROM item WHERE kind = ?1 AND id = ?2", string(v.ref.Kind), v.ref.ID)
			if errors.Is(err, db.ErrNone) {
				continue // gone since
			}
			if err != nil {
				return fault.Wrap(err, "find what was looked at")
			}
			if err := s.note(ctx, v.user, Viewed, no, at); err != nil {
				return err
			}
		}
		return nil
	})
}

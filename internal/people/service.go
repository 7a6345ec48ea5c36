package people

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/setting"
)

// Mailer sends invitations and reset links; *mail.Mailer does.
type Mailer interface {
	Configured() bool
	Queue(m mail.Message) error
}

// Options are the rules that the configuration sets.
type Options struct {
	SessionMaxAge   time.Duration // 0 means 14 days
	Complexity      Complexity    // empty means Normal
	PasswordLength  int           // 0 means that of Complexity
	HashConcurrency int           // passwords hashed at once; 0 means 2
	DisableThrottle bool          // for tests of other things only
	CheapHashes     bool          // for tests of other things only: passwords are hardly protected
}

// Deps is what the service works with. All but Log and Options are needed.
type Deps struct {
	DB       *db.DB
	Audit    *audit.Log
	Groups   *group.Service
	Settings *setting.Service
	Mail     Mailer
	Log      *slog.Logger // nil means no log
	Options  Options
}

// defaultMaxAge is how long a session lives (contract/identity.md 2.5).
const defaultMaxAge = 14 * 24 * time.Hour

// Service holds the rules of people and their sessions. It is safe for
// concurrent use.
type Service struct {
	db       *db.DB
	audit    *audit.Log
	groups   *group.Service
	settings *setting.Service
	mail     Mailer
	log      *slog.Logger

	maxAge   time.Duration
	policy   *PasswordPolicy
	hasher   *hasher
	throttle throttle
	subjects *access.Subjects
	sessions *sessions
	refusals refusals

	onDeactivate []hook
	onReactivate []hook
	onRename     []hook
	onSetup      []hook

	throttled atomic.Uint64 // sign-ins that were refused because of too many tries

	first      atomic.Int64 // id of the first person, 0 while unknown
	second     atomic.Bool  // there are two persons or more
	background sync.WaitGroup
	errands    chan struct{} // one token for each errand in the background
}

// errandsAtOnce bounds what runs after an answer was given.
const errandsAtOnce = 32

// New returns the service. It must be made before the first request, because
// it subscribes to the change log.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Options.SessionMaxAge <= 0 {
		d.Options.SessionMaxAge = defaultMaxAge
	}
	if d.Options.HashConcurrency <= 0 {
		d.Options.HashConcurrency = 2
	}
	hashes := currentCost()
	if d.Options.CheapHashes {
		hashes = trifling()
	}
	s := &Service{
		db: d.DB, audit: d.Audit, groups: d.Groups, settings: d.Settings, mail: d.Mail, log: d.Log,
		maxAge:   d.Options.SessionMaxAge,
		policy:   NewPasswordPolicy(d.Options.Complexity, d.Options.PasswordLength),
		hasher:   newHasher(hashes, d.Options.HashConcurrency),
		throttle: throttle{db: d.DB, off: d.Options.DisableThrottle},
		refusals: refusals{of: map[tried]*refusal{}},
		errands:  make(chan struct{}, errandsAtOnce),
	}
	s.subjects = access.NewSubjects(d.DB, s.loadSubject)
	s.sessions = newSessions(d.DB)
	return s
}

// Subjects returns the users on which principals stand. Its Get must not be
// called inside a transaction that changes users.
func (s *Service) Subjects() *access.Subjects { return s.subjects }

// PasswordPolicy returns the rule for new passwords.
func (s *Service) PasswordPolicy() *PasswordPolicy { return s.policy }

// sweepGap is how often what was seen is written.
const sweepGap = 30 * time.Second

// Run does the housekeeping, Sweep, at once and then every half minute until
// ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(sweepGap)
	defer tick.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("housekeeping of sessions failed; it is tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep writes when sessions were last seen and how many sign-ins were
// refused, and removes expired sessions and old counts of attempts.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(s.flushSeen(ctx), s.flushRefusals(ctx, false), s.pruneSessions(ctx), s.throttle.prune(ctx))
}

// Close waits for errands in the background and writes what is only in
// memory. No other method may be called after it.
func (s *Service) Close(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.background.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return errors.Join(s.flushSeen(ctx), s.flushRefusals(ctx, true))
}

// errand runs f after the answer was given, so that its time tells nobody
// anything. When too many run already, it is left out.
func (s *Service) errand(ctx context.Context, what string, f func(ctx context.Context) error) {
	select {
	case s.errands <- struct{}{}:
	default:
		s.log.Warn("left out, too many wait: " + what)
		return
	}
	ctx = context.WithoutCancel(ctx)
	s.background.Go(func() {
		defer func() { <-s.errands }()
		if err := f(ctx); err != nil {
			s.log.Error("failed: "+what, slog.Any("error", err))
		}
	})
}

// changed writes the audit entry and the change-log row of a user.
func (s *Service) changed(ctx context.Context, actor audit.Actor, action string, u User, details map[string]any) error {
	if err := s.note(ctx, actor, action, u, details); err != nil {
		return err
	}
	return s.db.Record(ctx, db.ChangedUser, u.ID)
}

// note writes an audit entry about a user, for what changes no access data.
func (s *Service) note(ctx context.Context, actor audit.Actor, action string, u User, details map[string]any) error {
	name := u.Email
	if u.Kind == KindKey {
		name = u.CommonName
	}
	return s.audit.Append(ctx, actor, audit.Entry{
		Action: action, ObjectKind: "user", ObjectID: u.ID, ObjectName: name, Details: details,
	})
}

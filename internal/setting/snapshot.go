package setting

import (
	"context"
	"strings"
	"time"

	"latchkey/internal/db"
)

// snapshot is the values in force at one moment. It is immutable.
type snapshot struct {
	values map[string]any
	items  map[string][]string // of the kind List
}

// How long memory may take to be read anew: by the change log, and by a
// request that finds it stale.
const (
	followLimit = 5 * time.Second
	retryLimit  = time.Second
)

// current returns the values in force. When the last read of the database
// failed, one caller at a time tries again and the others take the old values.
func (s *Service) current() *snapshot {
	if s.stale.Load() && s.loading.TryLock() {
		s.reload(retryLimit)
		s.loading.Unlock()
	}
	return s.memory.Load()
}

// follow brings memory up to date with the change log.
func (s *Service) follow(changes []db.Change) {
	for _, c := range changes {
		if c.Kind == db.ChangedSetting || c.Kind == db.Reset {
			s.loading.Lock()
			defer s.loading.Unlock()
			s.reload(followLimit)
			return
		}
	}
}

// reload is load for callers that have no request and nowhere to fail to.
// loading is held.
func (s *Service) reload(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s.stale.Store(s.load(ctx) != nil)
}

// load reads the stored values and puts a new snapshot in force. loading is
// held, so that no older read replaces a newer one.
func (s *Service) load(ctx context.Context) error {
	stored, err := s.stored(ctx)
	if err != nil {
		return err
	}
	next := &snapshot{values: make(map[string]any, len(s.table)), items: map[string][]string{}}
	for key, def := range s.table {
		v := def.Default
		if set, ok := stored[key]; ok {
			v = set
		}
		if set, ok := s.env[key]; ok {
			v = def.Default
			if set != nil {
				v = set
			}
		}
		next.values[key] = v
		if def.Kind == List {
			text, _ := v.(string)
			next.items[key] = strings.Fields(text)
		}
	}
	s.memory.Store(next)
	return nil
}

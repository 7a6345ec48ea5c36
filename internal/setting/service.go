package setting

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Overrides are the values that the configuration sets, by key. Those settings
// cannot be changed by anybody. A nil value stands for the default.
type Overrides map[string]any

// Service holds the settings of an instance. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	log   *audit.Log
	table map[string]Definition
	keys  []string // in the order of the table
	env   map[string]any

	memory  atomic.Pointer[snapshot]
	loading sync.Mutex  // held while memory is read anew
	stale   atomic.Bool // the last try to read memory anew failed
}

// New returns the settings of a database, with the values that the
// configuration sets. Its errors name the setting that is wrong.
func New(ctx context.Context, d *db.DB, log *audit.Log, env Overrides) (*Service, error) {
	s := &Service{db: d, log: log, table: map[string]Definition{}, env: map[string]any{}}
	for _, def := range Definitions() {
		s.table[def.Key] = def
		s.keys = append(s.keys, def.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(env)) {
		def, ok := s.table[key]
		if !ok {
			return nil, fmt.Errorf("setting %q: there is no such setting", key)
		}
		v, err := def.parse(env[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cmp.Or(def.Variable, key), err)
		}
		s.env[key] = v
	}
	d.Subscribe(s.follow)
	s.loading.Lock()
	defer s.loading.Unlock()
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// String returns a text in force, "" for none.
func (s *Service) String(key string) string {
	v, _ := s.current().values[key].(string)
	return v
}

// Bool returns a switch in force.
func (s *Service) Bool(key string) bool {
	v, _ := s.current().values[key].(bool)
	return v
}

// Int returns a number in force, 0 for none.
func (s *Service) Int(key string) int {
	v, _ := s.current().values[key].(int)
	return v
}

// Items returns the items of a list in force. They must not be changed.
func (s *Service) Items(key string) []string { return s.current().items[key] }

// Value returns a value in force, nil for none. Maps must not be changed.
func (s *Service) Value(key string) any { return s.current().values[key] }

// Timeout returns how long a session may rest, 0 for ever.
func (s *Service) Timeout() time.Duration {
	m, _ := s.current().values["session-timeout"].(map[string]any)
	unit, _ := m["unit"].(string)
	n, err := toNumber(m["amount"])
	if err != nil {
		return 0
	}
	return time.Duration(n.(int)) * unitOf(unit)
}

// AuditRetention returns how long entries of the audit log are kept, 0 for ever.
func (s *Service) AuditRetention() time.Duration {
	return time.Duration(s.Int("audit-retention-days")) * 24 * time.Hour
}

// Visible returns what a principal, nil for anonymous, may know of the values
// in force: nil for those without a value, no key for those it may not see.
func (s *Service) Visible(who *access.Principal) map[string]any {
	limit := Public
	switch {
	case who.IsAdmin():
		limit = Admin
	case who != nil:
		limit = Authenticated
	}
	values := s.current().values
	out := make(map[string]any, len(values))
	for key, def := range s.table {
		if def.Visibility <= limit && !def.Secret {
			out[key] = values[key]
		}
	}
	return out
}

// Item is a setting as administrators see it.
type Item struct {
	Key         string
	Value       any // nil when it is the default or comes from the configuration
	Default     any
	IsEnv       bool
	EnvName     string // the variable that may set it, empty when there is none
	Description string
}

// All returns the settings in the order of their keys. Administrators only:
// Forbidden.
func (s *Service) All(_ context.Context, who *access.Principal) ([]Item, error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, err
	}
	values := s.current().values
	var out []Item
	for _, key := range s.keys {
		def := s.table[key]
		if def.Visibility == Internal {
			continue
		}
		item := Item{Key: key, Default: def.Default, EnvName: def.Variable, Description: def.Description}
		item.Value, _ = s.shown(def, values[key])
		if _, item.IsEnv = s.env[key]; item.IsEnv {
			item.Default = "Using value of env var $" + def.Variable
		}
		out = append(out, item)
	}
	return out, nil
}

// hidden stands for a secret that is set.
const hidden = "**********"

// shown returns a value as administrators see it, and whether somebody set it
// to other than the default.
func (s *Service) shown(def Definition, v any) (any, bool) {
	if _, env := s.env[def.Key]; env || reflect.DeepEqual(v, def.Default) {
		return nil, false
	}
	if def.Secret {
		return hidden, true
	}
	return v, true
}

// Get returns a value and whether somebody set it: not so when it is the
// default or comes from the configuration. Administrators only: Forbidden;
// Invalid for an unknown key.
func (s *Service) Get(_ context.Context, who *access.Principal, key string) (value any, set bool, err error) {
	if err := access.RequireAdmin(who); err != nil {
		return nil, false, err
	}
	def, err := s.find(key)
	if err != nil {
		return nil, false, err
	}
	value, set = s.shown(def, s.current().values[def.Key])
	return value, set, nil
}

// find returns the definition of a key that clients may use, which they may
// also write with underscores.
func (s *Service) find(key string) (Definition, error) {
	def, ok := s.table[strings.ReplaceAll(key, "_", "-")]
	if !ok || def.Visibility == Internal {
		return def, fault.New(fault.Invalid, "Unknown setting: :%s", key)
	}
	return def, nil
}

// Has reports whether there is a setting of the name.
func (s *Service) Has(key string) bool {
	_, err := s.find(key)
	return err == nil
}

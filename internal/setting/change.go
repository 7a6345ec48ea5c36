package setting

import (
	"context"
	"errors"
	"maps"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// writable returns the definition of a key that who may change. A restricted
// key changes nothing by which it could get more, such as the address that
// links to a new password lead to.
func (s *Service) writable(who *access.Principal, key string) (Definition, error) {
	def, err := s.find(key)
	if err != nil {
		return def, err
	}
	if def.Guard && access.ProtectsAdmins(who) {
		return def, fault.Coded(fault.Forbidden, "protected-setting", "A restricted key cannot change %s.", def.Key)
	}
	if _, env := s.env[def.Key]; env {
		return def, fault.New(fault.Invalid, "%s is set by the configuration (%s) and can only be changed there.", def.Key, def.Variable)
	}
	switch {
	case def.ReadOnly() && def.Variable != "":
		return def, fault.New(fault.Invalid, "%s cannot be changed here: %s Set %s instead.", def.Key, def.Fixed, def.Variable)
	case def.ReadOnly():
		return def, fault.New(fault.Invalid, "%s cannot be changed: %s", def.Key, def.Fixed)
	}
	return def, nil
}

// change is a checked new value of a setting; nil means back to the default.
type change struct {
	def   Definition
	value any
}

// Set changes one setting; nil takes it back to its default. Administrators
// only: Forbidden; Invalid for an unknown or read-only key, and at the field
// "value" for a wrong value.
func (s *Service) Set(ctx context.Context, who *access.Principal, key string, value any) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	def, err := s.writable(who, key)
	if err != nil {
		return err
	}
	v, err := def.parse(value)
	if err != nil {
		return &fault.Error{Kind: fault.Invalid, Fields: map[string]string{"value": err.Error()}}
	}
	return s.store(ctx, who, []change{{def, v}})
}

// SetMany changes several settings, all or none. It returns the faults of Set,
// with wrong values at the fields of their keys.
func (s *Service) SetMany(ctx context.Context, who *access.Principal, values map[string]any) error {
	if err := access.RequireAdmin(who); err != nil {
		return err
	}
	var changes []change
	wrong := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		def, err := s.writable(who, key)
		if err != nil {
			return err
		}
		v, err := def.parse(values[key])
		if err != nil {
			wrong[key] = err.Error()
		}
		changes = append(changes, change{def, v})
	}
	if len(wrong) > 0 {
		return &fault.Error{Kind: fault.Invalid, Fields: wrong}
	}
	return s.store(ctx, who, changes)
}

// SetInternal changes a setting for another package, in its transaction, also
// one that clients cannot change. It writes no audit entry: the caller's own
// covers it. Memory holds the value once the transaction has committed.
func (s *Service) SetInternal(ctx context.Context, key string, value any) error {
	def, ok := s.table[key]
	if !ok {
		return fault.Wrap(errors.New("there is no such setting"), key)
	}
	v, err := def.parse(value)
	if err != nil {
		return &fault.Error{Kind: fault.Invalid, Fields: map[string]string{key: err.Error()}}
	}
	return fault.Wrap(s.db.InTx(ctx, func(ctx context.Context) error {
		changed, _, err := s.write(ctx, change{def, v})
		if err != nil || !changed {
			return err
		}
		return s.db.Record(ctx, db.ChangedSetting, 0)
	}), "set "+key)
}

// store writes changes with their audit entries, in one transaction.
func (s *Service) store(ctx context.Context, who *access.Principal, changes []change) error {
	return fault.Wrap(s.db.InTx(ctx, func(ctx context.Context) error {
		dirty := false
		for _, c := range changes {
			changed, old, err := s.write(ctx, c)
			if err != nil {
				return err
			}
			if !changed {
				continue
			}
			dirty = true
			if err := s.log.Append(ctx, who.Actor(), entry(c, old)); err != nil {
				return err
			}
		}
		if !dirty {
			return nil
		}
		return s.db.Record(ctx, db.ChangedSetting, 0)
	}), "store settings")
}

func entry(c change, old any) audit.Entry {
	e := audit.Entry{Action: "setting.update", ObjectKind: "setting", ObjectName: c.def.Key}
	if !c.def.Secret {
		e.Details = map[string]any{"old": old, "new": c.value}
	}
	return e
}

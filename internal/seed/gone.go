package seed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"latchkey/internal/apikey"
	"latchkey/internal/fault"
)

// gone reports what earlier files made and this one lacks, and removes it if
// asked to: keys first, groups last.
func (r *run) gone(ctx context.Context) error {
	order := []string{kindKey, kindPolicy, kindPerson, kindGroup}
	lost := slices.DeleteFunc(slices.Collect(maps.Keys(r.items)), func(k itemKey) bool {
		return r.seen[k] || !slices.Contains(order, k.kind)
	})
	slices.SortFunc(lost, func(a, b itemKey) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.kind), slices.Index(order, b.kind)), cmp.Compare(a.name, b.name))
	})
	for _, k := range lost {
		if err := r.lacks(ctx, k, r.items[k]); err != nil {
			return fmt.Errorf("%s: %s %q is gone from the file: %w", r.file.Name, k.kind, k.name, err)
		}
	}
	return nil
}

// lacks treats one thing that the file lacks. What is no longer there is
// forgotten.
func (r *run) lacks(ctx context.Context, k itemKey, id int64) error {
	there, err := r.exists(ctx, k.kind, id)
	if err != nil {
		return err
	}
	if !there {
		return r.forget(ctx, k)
	}
	name := r.title(k, id)
	if !r.opts.Prune {
		r.steps = append(r.steps, Step{Action: Gone, Kind: k.kind, Name: name, Detail: []string{"is gone from the file and stays (--prune removes it)"}})
		return nil
	}
	detail := "deleted"
	switch k.kind {
	case kindKey:
		err = r.keys.Delete(ctx, r.who, id)
	case kindPolicy:
		err = r.keys.RemovePolicy(ctx, r.who, id)
	case kindPerson:
		detail = "deactivated"
		err = r.people.Deactivate(ctx, r.who, id)
	default:
		err = r.groups.Delete(ctx, r.who, id)
	}
	if err != nil {
		return err
	}
	r.steps = append(r.steps, Step{Action: Remove, Kind: k.kind, Name: name, Detail: []string{detail}})
	return r.forget(ctx, k)
}

// title is what a thing is called.
func (r *run) title(k itemKey, id int64) string {
	if name := r.names[id]; name != "" && (k.kind == kindGroup || k.kind == kindPolicy) {
		return name
	}
	return k.name
}

// exists reports whether a thing that a file made is still there; a person who
// is inactive is not.
func (r *run) exists(ctx context.Context, kind string, id int64) (bool, error) {
	switch kind {
	case kindKey:
		_, err := r.keys.Get(ctx, r.who, id)
		return found(err)
	case kindPerson:
		return r.people.Active(ctx, id)
	case kindPolicy:
		all, err := r.keys.Policies(ctx, r.who)
		return slices.ContainsFunc(all, func(p apikey.Policy) bool { return p.GroupID == id }), err
	}
	_, ok := r.names[id]
	return ok, nil
}

func found(err error) (bool, error) {
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

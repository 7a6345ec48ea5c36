package seed

import (
	"context"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

// applyGroup makes a group, or gives one that a file made its name again.
func (r *run) applyGroup(ctx context.Context, g Group) (Step, error) {
	id, seeded := r.items[named(kindGroup, g.Name)]
	if _, there := r.names[id]; seeded && there {
		return r.nameGroup(ctx, g, id)
	}
	if id, there := r.group[strings.ToLower(g.Name)]; there {
		if !r.opts.Adopt || id <= access.Administrators { // the groups of every instance are nobody's
			return Step{Action: Unchanged}, nil
		}
		if err := r.remember(ctx, kindGroup, g.Name, id); err != nil {
			return Step{}, err
		}
		return r.nameGroup(ctx, g, id)
	}
	made, err := r.groups.Create(ctx, r.who, g.Name)
	if err != nil {
		return Step{}, err
	}
	r.know(made.ID, made.Name)
	return Step{Action: Create}, r.remember(ctx, kindGroup, g.Name, made.ID)
}

// nameGroup gives a group of the file its name.
func (r *run) nameGroup(ctx context.Context, g Group, id int64) (Step, error) {
	now := r.names[id]
	if now == g.Name {
		return Step{Action: Unchanged}, nil
	}
	if _, err := r.groups.Rename(ctx, r.who, id, g.Name); err != nil {
		return Step{}, err
	}
	delete(r.group, strings.ToLower(now))
	r.know(id, g.Name)
	return Step{Action: Update, Detail: []string{arrow("name", now, g.Name)}}, nil
}

// applyPolicy puts a policy in force.
func (r *run) applyPolicy(ctx context.Context, p Policy) (Step, error) {
	id := apikey.Instance
	if p.Group != "" {
		ids, err := r.groupIDs([]string{p.Group})
		if err != nil {
			return Step{}, err
		}
		id = ids[len(ids)-1]
	}
	all, err := r.keys.Policies(ctx, r.who)
	if err != nil {
		return Step{}, err
	}
	i := slices.IndexFunc(all, func(o apikey.Policy) bool { return o.GroupID == id })
	var before apikey.Policy
	if i >= 0 {
		before = all[i]
	}
	changes := policyChanges(before, p.Rules)
	_, seeded := r.items[named(kindPolicy, p.title())]
	switch {
	case i >= 0 && len(changes) == 0:
		return Step{Action: Unchanged}, nil
	case i >= 0 && !r.mine(seeded):
		return left(changes), nil
	}
	_, violators, err := r.keys.SetPolicy(ctx, r.who, id, p.Rules, apikey.Existing{})
	if err != nil {
		return Step{}, err
	}
	if violators.Total > 0 {
		changes = append(changes, violations(violators.Total))
	}
	action := Update
	if i < 0 {
		action = Create
	}
	return Step{Action: action, Detail: changes}, r.remember(ctx, kindPolicy, p.title(), id)
}

package bulk

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
)

// permissions sets permissions as a set, or one by one to find what is wrong.
func (st *operations) permissions(ctx context.Context, ready []int, results []Result, from int, alone bool) error {
	grants := make([]content.Grant, len(ready))
	for n, i := range ready {
		o := &st.ops[i]
		level, ok := access.ParseCollectionLevel(o.Level)
		if !ok {
			results[i-from] = failure(i, fault.Field("level", "Send view, curate or none."))
			return nil
		}
		grants[n] = content.Grant{CollectionID: o.Collection.ID, GroupID: o.Group.ID, Level: level}
	}
	do := func(ctx context.Context) error {
		return st.s.content.SetGrants(ctx, st.who, grants, st.ops[from].Subtree)
	}
	var err error
	if alone {
		err = st.s.db.Attempt(ctx, do)
	} else {
		err = do(ctx)
	}
	refused, err := refusedWhole(err)
	switch {
	case refused == nil || err != nil:
		return err
	case len(ready) == 1:
		results[ready[0]-from] = failure(ready[0], refused)
		return nil
	}
	for _, i := range ready {
		if err := st.permissions(ctx, []int{i}, results, from, alone); err != nil || !alone && results[i-from].Status == Failed {
			return err
		}
	}
	return nil
}

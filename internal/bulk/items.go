package bulk

import (
	"context"
	"errors"

	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// items does one thing to many items as a set. One that is refused stops the
// set; what came before it is done again without it, and then what comes after.
func (st *operations) items(ctx context.Context, list []int, results []Result, from int, alone bool) error {
	for len(list) > 0 {
		at, refused, err := st.many(ctx, list, alone)
		if err != nil {
			return err
		}
		if refused == nil {
			break
		}
		results[list[at]-from] = failure(list[at], refused)
		if !alone {
			return nil // all of it is undone
		}
		if err := st.items(ctx, list[:at], results, from, alone); err != nil {
			return err
		}
		list = list[at+1:]
	}
	for _, i := range list {
		results[i-from].ID = st.ops[i].Item.ID
	}
	return nil
}

// many does one thing to items, all or none. It returns which one was refused.
func (st *operations) many(ctx context.Context, list []int, alone bool) (at int, refused, err error) {
	refs := make([]content.Ref, len(list))
	for n, i := range list {
		refs[n] = content.Ref{Kind: content.Kind(st.ops[i].Kind), ID: st.ops[i].Item.ID}
	}
	do := func(ctx context.Context) error { return st.change(ctx, &st.ops[list[0]], refs) }
	if alone {
		err = st.s.db.Attempt(ctx, do)
	} else {
		err = do(ctx)
	}
	refused, err = refusedWhole(err)
	if e, ok := errors.AsType[*content.ManyError](refused); ok {
		return e.Index, e.Err, err
	}
	return 0, refused, err
}

// change does what an operation says to all the items.
func (st *operations) change(ctx context.Context, o *Operation, refs []content.Ref) error {
	var err error
	switch {
	case o.Op == Restore && o.Placed:
		return st.restoreTo(ctx, refs, o.Collection.ID)
	case o.Op == Archive, o.Op == Restore:
		_, err = st.s.content.ArchiveMany(ctx, st.who, refs, o.Op == Archive)
	case o.Op == Move:
		_, err = st.s.content.MoveMany(ctx, st.who, refs, o.Collection.ID) // none is the root
	case o.Op == Delete:
		_, err = st.s.content.DeleteMany(ctx, st.who, refs)
	}
	return err
}

// restoreTo takes items out of the trash to another place, one by one.
func (st *operations) restoreTo(ctx context.Context, refs []content.Ref, to int64) error {
	for at, ref := range refs {
		if err := st.restoreOne(ctx, ref, to); err != nil {
			return &content.ManyError{Index: at, Err: err}
		}
	}
	return nil
}

func (st *operations) restoreOne(ctx context.Context, ref content.Ref, to int64) error {
	if ref.Kind == content.Collection {
		_, err := st.s.content.UpdateCollection(ctx, st.who, ref.ID, content.CollectionChange{Archived: opt.Of(false), ParentID: opt.Of(to)})
		return err
	}
	i, err := st.s.content.GetToWrite(ctx, st.who, ref)
	if err != nil {
		return err
	}
	if i.DashboardID != 0 {
		return fault.New(fault.Invalid, "A question that lives in a dashboard goes back there: leave collection_id out.")
	}
	_, err = st.s.content.Update(ctx, st.who, ref, content.Change{Archived: opt.Of(false), CollectionID: opt.Of(to)})
	return err
}

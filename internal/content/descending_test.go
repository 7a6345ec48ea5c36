package content_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
)

// TestOrdersOfItems compares pages of every order with a list that is sorted
// plainly. Many items are alike in what they are sorted by, also in their
// names, and some in nothing.
func TestOrdersOfItems(t *testing.T) {
	type row struct {
		no           int64
		name, editor string
		edited, rank int64
		model        string
		pinned       bool
	}
	models := []string{"dashboard", "dataset", "metric", "card"}
	compare := func(sort content.SortBy, descending bool) func(a, b row) int {
		return func(a, b row) int {
			first := cmp.Compare(a.name, b.name)
			switch sort {
			case content.SortByEdit:
				first = cmp.Compare(a.edited, b.edited)
			case content.SortByEditor:
				first = cmp.Compare(a.editor, b.editor)
			case content.SortByModel:
				first = cmp.Compare(a.rank, b.rank)
			case content.SortByName:
			}
			if descending {
				first = -first
			}
			return cmp.Or(first, cmp.Compare(a.name, b.name), cmp.Compare(a.no, b.no))
		}
	}
	each(t, func(t *testing.T, w *world) {
		r := rand.New(rand.NewPCG(4, 2))
		f := w.collection("Full", access.RootCollection)
		var rows []row
		var made []int64
		for range 120 {
			made = append(made, w.card("x", f.ID).No)
		}
		err := w.db.InTx(t.Context(), func(ctx context.Context) error {
			for i, no := range made {
				v := row{no: no, name: fmt.Sprintf("name %02d", r.IntN(40)), editor: []string{"", "ada", "bo"}[r.IntN(3)], edited: int64(r.IntN(30)), pinned: r.IntN(4) == 0}
				if i%10 == 0 {
					v.editor, v.edited = fmt.Sprint("only ", i), int64(1000+i)
				}
				at := r.IntN(len(models))
				v.rank, v.model = int64(at), models[at]
				position := any(nil)
				if v.pinned {
					position = 1
				}
				_, err := w.db.Exec(ctx, "UPDATE item SET name_key = ?2, edited_key = ?3, edited_at = ?4, rank = ?5, model = ?6, position = ?7 WHERE no = ?1",
					v.no, v.name, v.editor, v.edited, v.rank, v.model, position)
				if err != nil {
					return err
				}
				rows = append(rows, v)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			q := all(f.ID)
			q.Sort, q.Descending = content.SortBy(r.IntN(4)), r.IntN(4) > 0
			want := slices.Clone(rows)
			if r.IntN(3) == 0 {
				q.Pinned = content.NotPinned
				want = slices.DeleteFunc(want, func(v row) bool { return v.pinned })
			}
			slices.SortFunc(want, compare(q.Sort, q.Descending))
			q.Limit, q.Offset = 1+r.IntN(50), r.IntN(130)
			total := len(want)
			want = want[min(q.Offset, total):min(q.Offset+q.Limit, total)]
			got := w.items(admin, q)
			if got.Total != total || !slices.EqualFunc(got.Items, want, func(i content.Item, v row) bool { return i.No == v.no }) {
				t.Fatalf("%+v: %d of %d items are others than the %d of %d", q, len(got.Items), got.Total, len(want), total)
			}
		}
	})
}

package dashboard_test

import (
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/opt"
)

// The questions that live in a dashboard go with it, and their histories say so,
// whether the dashboard goes alone or among many.
func TestQuestionsOfADashboardKeepThatTheyWent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ops, err := w.items.CreateCollection(ctx, admin, content.NewCollection{Name: "Ops"})
		if err != nil {
			t.Fatal(err)
		}
		d := w.make("D")
		q := content.Ref{Kind: content.Card, ID: w.card("inside", access.RootCollection, d.ID)}
		many := []content.Ref{d.Ref()}
		step := func(want string, f func() error) {
			t.Helper()
			if err := f(); err != nil {
				t.Fatal(want, err)
			}
			list, err := w.log.List(ctx, admin, q)
			if err != nil || list[0].Text() != want {
				t.Errorf("%q, want %q, %v", list[0].Text(), want, err)
			}
		}
		update := func(c dashboard.Change) func() error {
			return func() error { _, err := w.Update(ctx, admin, d.ID, c); return err }
		}
		archive := func(to bool) func() error {
			return func() error { _, err := w.items.ArchiveMany(ctx, admin, many, to); return err }
		}
		step("trashed this Card.", update(dashboard.Change{Archived: opt.Of(true)}))
		step("untrashed this Card.", update(dashboard.Change{Archived: opt.Of(false)}))
		step("trashed this Card.", archive(true))
		step("untrashed this Card.", archive(false))
		step("moved this Card from Our analytics to Ops.", update(dashboard.Change{CollectionID: opt.Of(ops.ID)}))
		step("moved this Card from Ops to Our analytics.", func() error {
			_, err := w.items.MoveMany(ctx, admin, many, access.RootCollection)
			return err
		})
	})
}

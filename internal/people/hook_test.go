package people_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"latchkey/internal/access"
)

func TestHooks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, ada := t.Context(), w.admin()
		bo := w.person(names("Bo", "K"))
		var calls []string
		var fail error
		note := func(name string) func(context.Context, *access.Principal, int64) error {
			return func(ctx context.Context, who *access.Principal, id int64) error {
				if who != ada || id != bo.UserID {
					t.Errorf("%s: %v, %d", name, who, id)
				}
				active, err := w.Active(ctx, id) // sees what the transaction has done
				if err != nil || active != (name == "back") {
					t.Errorf("%s: active is %v, %v", name, active, err)
				}
				calls = append(calls, name)
				return fail
			}
		}
		w.OnDeactivate(note("one"))
		w.OnDeactivate(note("two"))
		w.OnReactivate(note("back"))

		fail = errors.New("no")
		if err := w.Deactivate(ctx, ada, bo.UserID); !errors.Is(err, fail) {
			t.Errorf("%v, want the error of the hook", err)
		}
		if active, err := w.Active(ctx, bo.UserID); !active || err != nil {
			t.Errorf("the hook failed and the person is inactive, %v", err)
		}
		fail = nil
		for range 2 { // the second time nothing changes
			if err := w.Deactivate(ctx, ada, bo.UserID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Reactivate(ctx, ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		if want := []string{"one", "one", "two", "back"}; !slices.Equal(calls, want) {
			t.Errorf("calls %v, want %v", calls, want)
		}
	})
}

func TestReferences(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, ada := t.Context(), w.admin()
		bo := w.person(names("Bo", "K"))
		if err := w.Deactivate(ctx, ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			what           string
			id             int64
			name           string
			exists, active bool
		}{
			{"active", ada.UserID, "Ada Lovelace", true, true},
			{"inactive", bo.UserID, "Bo K", true, false},
			{"the user behind a key", w.keyUser("a key"), "", true, false},
			{"unknown", 999, "", false, false},
		} {
			name, ok, err := w.Ref(ctx, c.id)
			active, activeErr := w.Active(ctx, c.id)
			exists, existsErr := w.Exists(ctx, c.id)
			if name != c.name || ok != (c.name != "") || exists != c.exists || active != c.active || errors.Join(err, activeErr, existsErr) != nil {
				t.Errorf("%s: %q, %v, %v, %v, %v", c.what, name, ok, exists, active, errors.Join(err, activeErr, existsErr))
			}
		}
	})
}

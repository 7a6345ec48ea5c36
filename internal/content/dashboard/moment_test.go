package dashboard_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/content/dashboard"
	"latchkey/internal/opt"
)

// generation is a change of everything that a dashboard is read from: its
// record, its particulars, tabs, dashcards and series all say n.
func generation(n int, card int64, series ...int64) dashboard.Change {
	mark := fmt.Sprint("generation ", n)
	c := dashboard.Change{
		Name: opt.Of(mark), Caveats: opt.Of(mark), Tabs: opt.Of([]dashboard.GivenTab{{ID: -1, Name: mark}}),
		Cards: opt.Of([]dashboard.GivenCard{}),
	}
	for i := range 5 {
		g := dashboard.GivenCard{ID: int64(-1 - i), CardID: opt.Of(card), TabID: opt.Of[int64](-1), Row: int64(n), Width: 4, Height: 4}
		g.Series = opt.Of(series[:n%2+1])
		c.Cards.V = append(c.Cards.V, g)
	}
	return c
}

// mixed says where a dashboard does not belong to one generation.
func mixed(d dashboard.Dashboard) string {
	var n int
	if _, err := fmt.Sscanf(d.Name, "generation %d", &n); err != nil {
		return err.Error()
	}
	var wrong []string
	if d.Caveats == nil || *d.Caveats != d.Name {
		wrong = append(wrong, "particulars")
	}
	if len(d.Tabs) != 1 || d.Tabs[0].Name != d.Name {
		wrong = append(wrong, "tabs")
	}
	if len(d.Cards) != 5 {
		wrong = append(wrong, fmt.Sprint(len(d.Cards), " dashcards"))
	}
	for _, c := range d.Cards {
		if c.Row != int64(n) || len(c.Series) != n%2+1 || c.TabID == nil || len(d.Tabs) != 1 || *c.TabID != d.Tabs[0].ID {
			wrong = append(wrong, fmt.Sprintf("dashcard of row %d with %d series", c.Row, len(c.Series)))
		}
	}
	return strings.Join(wrong, ", ")
}

// A dashboard that is read while it is written is the one before or the one
// after, never some of each.
func TestReadsBesideWritesSeeOneState(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.cards(3)
		d := w.make("generation 0")
		write := func(n int) error {
			_, err := w.Update(t.Context(), admin, d.ID, generation(n, shown[0], shown[1:]...))
			return err
		}
		if err := write(0); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for {
					got, err := w.Get(t.Context(), admin, d.ID)
					if err != nil {
						t.Error(err)
						return
					}
					if wrong := mixed(got); wrong != "" {
						t.Errorf("%s has other %s", got.Name, wrong)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for n := range 60 {
			if err := write(n); err != nil {
				t.Error(err)
			}
		}
		close(done)
		readers.Wait()
	})
}

package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/audit"
)

func (w *world) prune(before time.Time, want int64) {
	w.t.Helper()
	if n, err := w.Prune(w.t.Context(), before); n != want || err != nil {
		w.t.Fatalf("pruned %d, %v, want %d", n, err, want)
	}
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.prune(start(), 0)
		play(w)
		late := w.head()
		list, err := w.List(t.Context(), audit.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		early := audit.Head{ID: 2, Hash: list[1].Hash}
		at3 := audit.Head{ID: 3, Hash: list[2].Hash}

		w.prune(start(), 0)                    // nothing is older
		w.prune(start().Add(3*time.Minute), 3) // entries 1 to 3
		w.wantWhole(6, 3, late, at3)           // five, and the one about it
		w.prune(start().Add(3*time.Minute), 0) // again
		w.wantBroken("a head that is gone", "entry 2 was removed by retention since it was noted; note a newer one, after 3", early)
		w.wantBroken("a wrong head at the anchor", "entry 3 is not the one that was noted", audit.Head{ID: 3, Hash: late.Hash})

		got, err := w.List(t.Context(), audit.Filter{Newest: true, Limit: 1})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		r := got[0]
		if r.ID != 9 || r.Action != "audit.prune" || r.Kind != "system" || fmt.Sprint(r.Details["removed"], r.Details["removed_in_all"], r.Details["through"]) != "3 3 3" {
			t.Errorf("the entry about it: %+v", r)
		}

		w.clock.Advance(time.Hour)
		w.prune(w.clock.Now(), 6) // also the entry about the first time
		w.wantWhole(1, 9)
		w.fill(2)
		w.wantWhole(3, 9)
		w.prune(w.clock.Now().Add(time.Hour), 3)
		w.wantWhole(1, 12)
	})
}

// Entries that a clock which jumped has dated wrongly keep their neighbours.
func TestPruneRemovesNothingThatIsYoung(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, jump := range []time.Duration{0, 100 * time.Hour, -100 * time.Hour, 0} {
			w.clock.Advance(jump)
			w.add(audit.System(), audit.Entry{Action: "a.b"})
		}
		w.prune(start().Add(time.Hour), 1) // the second is young by its date
		w.wantWhole(4, 1)
	})
}

func TestPruneTakesManyInParts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 2100
		w.fill(n)
		w.clock.Advance(time.Hour)
		w.prune(start().Add(time.Minute), n)
		w.wantWhole(3, n)
	})
}

// Retention is no way to hide what somebody has done to the log.
func TestPruneKeepsWhatIsNotWhole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		play(w)
		w.exec("UPDATE audit SET object_name = 'z' WHERE id = 2")
		if n, err := w.Prune(t.Context(), w.clock.Now()); n != 0 || err == nil || !strings.Contains(err.Error(), "entry 2 was changed") {
			t.Errorf("pruned %d, %v", n, err)
		}
		w.exec("DELETE FROM audit WHERE id < 3")
		if n, err := w.Prune(t.Context(), w.clock.Now()); n != 0 || err == nil || !strings.Contains(err.Error(), "entry 1 is missing") {
			t.Errorf("pruned %d, %v", n, err)
		}
		if n, err := w.Count(t.Context(), audit.Filter{}); n != 6 || err != nil {
			t.Errorf("%d entries, %v, want 6", n, err)
		}
	})
}

// Whoever removes entries by hand and moves the anchor is found out.
func TestVerifyFindsAForgedAnchor(t *testing.T) {
	const anchored = "INSERT INTO audit_anchor (one, id, hash, at, removed) SELECT 1, id, hash, 0, 3 FROM audit WHERE id = "
	each(t, func(t *testing.T, w *world) {
		play(w)
		w.exec(anchored+"3", "DELETE FROM audit WHERE id <= 3")
		w.wantBroken("no entry about it", "entries up to 3 are missing, and not because of retention")
		w.exec("DELETE FROM audit_anchor")
		w.wantBroken("no anchor", "entry 1 is missing")
	})
	each(t, func(t *testing.T, w *world) {
		play(w)
		w.prune(start().Add(2*time.Minute), 2)
		w.exec("DELETE FROM audit_anchor", anchored+"5", "DELETE FROM audit WHERE id <= 5")
		w.wantBroken("another anchor", "entries up to 5 are missing, and not because of retention")
		w.exec("DELETE FROM audit")
		w.wantBroken("all gone", "entry 6 is missing, and all after it")
	})
	each(t, func(t *testing.T, w *world) {
		play(w)
		w.prune(start().Add(2*time.Minute), 2)
		w.exec("UPDATE audit_anchor SET removed = 1")
		w.wantBroken("another number", "not because of retention")
	})
}

// told is a log that tests may read while it is written.
type told struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *told) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestRunPrunesAndTellsTheHeadAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		play(w)
		w.clock.Advance(5 * 24 * time.Hour)
		w.fill(1)
		for _, c := range []struct {
			keep time.Duration
			left []int64
		}{
			{0, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{4 * 24 * time.Hour, []int64{9, 10}},
		} {
			var out told
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				w.Run(ctx, func() time.Duration { return c.keep }, slog.New(slog.NewTextHandler(&out, nil)))
			}()
			for deadline := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "audit head"); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the head was not told: %s", out.String())
				}
			}
			stop()
			<-ended
			if !strings.Contains(out.String(), "head="+w.head().String()) || strings.Contains(out.String(), "level=ERROR") {
				t.Errorf("log: %s", out.String())
			}
			got, err := w.List(t.Context(), audit.Filter{})
			if err != nil || !slices.Equal(ids(got), c.left) {
				t.Errorf("kept for %v: %v, %v", c.keep, ids(got), err)
			}
		}
	})
}

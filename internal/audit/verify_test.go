package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/db"
)

// wantBroken checks that verifying fails with a text.
func (w *world) wantBroken(what, text string, noted ...audit.Head) {
	w.t.Helper()
	if _, err := w.Verify(w.t.Context(), noted...); err == nil || !strings.Contains(err.Error(), text) {
		w.t.Errorf("%s: %v, want %q", what, err, text)
	}
}

func (w *world) wantWhole(entries, removed int64, noted ...audit.Head) {
	w.t.Helper()
	r, err := w.Verify(w.t.Context(), noted...)
	if err != nil || r.Entries != entries || r.Removed != removed || r.Head.String() != w.head().String() {
		w.t.Errorf("%d entries, %d removed, head %s, %v, want %d, %d, %s", r.Entries, r.Removed, r.Head, err, entries, removed, w.head())
	}
}

func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	const swap = "UPDATE audit SET id = 90 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 90"
	each(t, func(t *testing.T, w *world) {
		w.wantWhole(0, 0)
		play(w)
		w.wantWhole(8, 0, w.head())
		for _, c := range []struct{ forge, mend, want string }{
			{"UPDATE audit SET object_name = 'z' WHERE id = 2", "UPDATE audit SET object_name = 'ci' WHERE id = 2", "entry 2 was changed"},
			{"UPDATE audit SET details = '{}' WHERE id = 2", `UPDATE audit SET details = '{"a":"\u003cx\u003e","b":2}' WHERE id = 2`, "entry 2 was changed"},
			{"UPDATE audit SET details = 'no JSON' WHERE id = 3", "UPDATE audit SET details = '{}' WHERE id = 3", "entry 3 was changed"},
			{"UPDATE audit SET at = at + 1 WHERE id = 8", "UPDATE audit SET at = at - 1 WHERE id = 8", "entry 8 was changed"},
			{"UPDATE audit SET remote_addr = '' WHERE id = 1", "UPDATE audit SET remote_addr = '192.0.2.7' WHERE id = 1", "entry 1 was changed"},
			{"UPDATE audit SET actor_id = 9, actor_name = 'x' WHERE id = 8", "UPDATE audit SET actor_id = 0, actor_name = 'system' WHERE id = 8", "entry 8 was changed"},
			{swap, swap, "entry 2 was changed"},
			{"UPDATE audit SET id = 99 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 99", "entry 2 is missing"},
			{"UPDATE audit SET id = 99 WHERE id = 1", "UPDATE audit SET id = 1 WHERE id = 99", "entry 1 is missing"},
		} {
			w.exec(strings.Split(c.forge, ";")...)
			w.wantBroken(c.forge, c.want)
			w.exec(strings.Split(c.mend, ";")...)
		}
		w.wantWhole(8, 0)
	})
}

func TestVerifyAgainstNotedHeads(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(3)
		early := w.head()
		w.fill(2)
		late := w.head()
		w.wantWhole(5, 0, early, late)
		w.wantBroken("a forged head", "entry 3 is not the one that was noted", audit.Head{ID: 3, Hash: late.Hash}, late)
		w.wantBroken("a head of the future", "entry 6 was noted, and the log ends with 5", audit.Head{ID: 6, Hash: late.Hash})

		w.exec("DELETE FROM audit WHERE id > 4")
		w.wantWhole(4, 0, early) // the chain alone cannot tell
		w.wantBroken("cut off", "the newest audit entries were cut off: entry 5 was noted, and the log ends with 4", late)
		w.fill(2)
		w.wantBroken("cut off and written on", "entry 5 is not the one that was noted: the log was rewritten", early, late)
		w.exec("DELETE FROM audit")
		w.wantBroken("emptied", "the log ends with 0", early)
	})
}

func TestParseHead(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	h, err := audit.ParseHead(" 12:" + hash + "\n")
	if err != nil || h.ID != 12 || h.String() != "12:"+hash {
		t.Errorf("%v, %v", h, err)
	}
	for _, s := range []string{"", "12", "12:", "12:0f", "x:" + hash, "0:" + hash, "-1:" + hash, "12:" + hash + "00", "12:" + strings.Repeat("zz", 32), ":" + hash} {
		if h, err := audit.ParseHead(s); err == nil {
			t.Errorf("%q is %v", s, h)
		}
	}
}

// Entries of many writers on two nodes stand in one chain, and those of changes
// that failed do not.
func TestAppendConcurrently(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		c := clock.NewFake(start())
		nodes := []*world{node(t, p, c), node(t, p, c)}
		const writers, entries = 8, 12
		undone := errors.New("undone")
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				w := nodes[i%2]
				for n := range entries {
					who := person(int64(i), fmt.Sprintf("writer %d", i))
					if err := w.Append(t.Context(), who, audit.Entry{Action: "a.b", ObjectID: int64(n)}); err != nil {
						t.Error(err)
					}
					err := w.d.InTx(t.Context(), func(ctx context.Context) error {
						return errors.Join(w.Append(ctx, who, audit.Entry{Action: "a.undone"}), undone)
					})
					if !errors.Is(err, undone) {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		nodes[0].wantWhole(writers*entries, 0, nodes[1].head())
		if n, err := nodes[1].Count(t.Context(), audit.Filter{Action: "a.undone"}); n != 0 || err != nil {
			t.Errorf("%d entries of changes that failed, %v", n, err)
		}
	})
}

// What clients send must not keep a change from being written.
func TestAppendTakesAnyText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := audit.WithOrigin(t.Context(), audit.Origin{RemoteAddr: "a\x00b", RequestID: "\xff"})
		if err := w.Append(ctx, person(1, "\xc3("), audit.Entry{Action: "a.b", ObjectName: "x\x00y"}); err != nil {
			t.Fatal(err)
		}
		w.wantWhole(1, 0)
		r, err := db.One(t.Context(), w.d, db.Scalar[string], "SELECT object_name || remote_addr || request_id FROM audit")
		if err != nil || r != "x\ufffdya\ufffdb\ufffd" {
			t.Errorf("%q, %v", r, err)
		}
	})
}

// Many entries at once are one chain with those before and after.
func TestAppendAll(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(2)
		entries := make([]audit.Entry, 123)
		for i := range entries {
			entries[i] = audit.Entry{Action: "user.update", ObjectKind: "user", ObjectID: int64(i), Details: map[string]any{"n": i}}
		}
		if err := w.AppendAll(t.Context(), person(7, "ada"), entries); err != nil {
			t.Fatal(err)
		}
		if err := w.AppendAll(t.Context(), person(7, "ada"), nil); err != nil {
			t.Fatal(err)
		}
		w.fill(1)
		w.wantWhole(126, 0)
	})
}

package bulk_test

import (
	"testing"

	"latchkey/internal/bulk"
	"latchkey/internal/fault"
)

// TestAnswersOfOneCallerAreBounded: a caller whose answers take the room that
// there is for them keeps no more, and others do.
func TestAnswersOfOneCallerAreBounded(t *testing.T) {
	each(t, func(w *world) {
		w.is("first", w.do(admin, bulk.Request{Mode: bulk.Atomic, Key: "a"}, newGroup("One", "")), "ok")
		_, err := w.db.Exec(w.t.Context(), "UPDATE bulk_call SET answer = ?1", make([]byte, 64<<20))
		check(w.t, err)
		_, _, err = w.bulk.Do(w.t.Context(), admin, []bulk.Operation{newGroup("Two", "")}, bulk.Request{Mode: bulk.Atomic, Key: "b"})
		if f := fault.As(err); err == nil || f.Code != "idempotency-full" || !fault.Is(err, fault.TooMany) {
			w.t.Errorf("%v", err)
		}
		w.is("without a key", w.do(admin, bulk.Request{Mode: bulk.Atomic}, newGroup("Two", "")), "ok")
	})
}

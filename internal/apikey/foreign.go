package apikey

import (
	"context"
	"sync"
	"sync/atomic"

	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// foreignPrefixes are the first characters of the texts that came from outside,
// also of retired ones, whose use raises an alarm. Such texts have no checksum;
// only one with a known beginning is worth a MAC and a look-up (DESIGN section 3).
type foreignPrefixes struct {
	known  atomic.Pointer[map[string]struct{}]
	wanted atomic.Uint64 // counts changes, from 1
	have   atomic.Uint64 // the change that known was read after
	mu     sync.Mutex    // one reader at a time
}

// mayBeForeign reports whether a text that is not in our form may be one that
// was supplied from outside.
func (v *Verifier) mayBeForeign(ctx context.Context, text string) (bool, error) {
	if len(text) < minSupplied || len(text) > maxSupplied {
		return false, nil
	}
	if v.foreign.have.Load() != v.foreign.wanted.Load() {
		if err := v.readForeign(ctx); err != nil {
			return false, err
		}
	}
	_, ok := (*v.foreign.known.Load())[text[:shownLen]]
	return ok, nil
}

func (v *Verifier) readForeign(ctx context.Context) error {
	v.foreign.mu.Lock()
	defer v.foreign.mu.Unlock()
	wanted := v.foreign.wanted.Load()
	if v.foreign.have.Load() == wanted {
		return nil // somebody else has just read it
	}
	list, err := db.All(ctx, v.db, db.Scalar[string], "SELECT DISTINCT prefix FROM api_key_secret WHERE foreign_form")
	if err != nil {
		return fault.Wrap(err, "read the beginnings of supplied keys")
	}
	known := make(map[string]struct{}, len(list))
	for _, p := range list {
		known[p] = struct{}{}
	}
	v.foreign.known.Store(&known)
	v.foreign.have.Store(wanted)
	return nil
}

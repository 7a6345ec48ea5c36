package sqlite

import (
	"context"
	"database/sql"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"latchkey/internal/engine"
)

// watcher interrupts a connection once a context is done, or SQLite has taken
// too much memory.
type watcher struct {
	done chan struct{}
	over sync.WaitGroup
	once sync.Once
	full atomic.Bool // memory was the reason
}

// interruptGap is how often an interruption is repeated: one that comes just
// before the first step of a statement has no effect. lookGap is how often
// memory is looked at.
const (
	interruptGap = 10 * time.Millisecond
	lookGap      = 20 * time.Millisecond
)

func watch(ctx context.Context, c *sql.Conn) (*watcher, error) {
	handle, err := handleOf(c)
	if err != nil {
		return nil, err
	}
	w := &watcher{done: make(chan struct{})}
	w.over.Go(func() {
		if !w.await(ctx) {
			return
		}
		for {
			interrupt(handle)
			select {
			case <-w.done:
				return
			case <-time.After(interruptGap):
			}
		}
	})
	return w, nil
}

// await returns true when the connection is to be interrupted, and false when
// its work is done.
func (w *watcher) await(ctx context.Context) bool {
	tls := libc.NewTLS()
	defer tls.Close()
	look := time.NewTicker(lookGap)
	defer look.Stop()
	for {
		select {
		case <-w.done:
			return false
		case <-ctx.Done():
			return true
		case <-look.C:
		}
		if heapUsed(tls) > stopHeap {
			w.full.Store(true)
			return true
		}
	}
}

// stop ends the watching. After it, the handle is not touched any more.
func (w *watcher) stop() {
	w.once.Do(func() { close(w.done) })
	w.over.Wait()
}

// handleOf returns SQLite's handle of a connection. The driver has no call that
// interrupts a statement between two rows, so its field is read.
func handleOf(c *sql.Conn) (handle uintptr, err error) {
	missing := &engine.Error{Kind: engine.Internal, Message: "The driver of SQLite cannot interrupt queries."}
	err = c.Raw(func(conn any) error {
		v := reflect.Indirect(reflect.ValueOf(conn))
		if v.Kind() != reflect.Struct {
			return missing
		}
		if f := v.FieldByName("db"); f.IsValid() && f.Kind() == reflect.Uintptr && f.Uint() != 0 {
			handle = uintptr(f.Uint())
			return nil
		}
		return missing
	})
	return handle, err
}

func interrupt(handle uintptr) {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, handle)
}

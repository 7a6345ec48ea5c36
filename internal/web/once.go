package web

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"

	"latchkey/internal/clock"
	"latchkey/internal/fault"
)

// once makes a form work one time, so that a double click makes one key and
// going back in the browser shows no secret again.
//
// Sending the same form while the first is still at work waits for it and
// gives the same answer, because the browser has dropped the first one. Sent
// later, it is refused: the answer is not kept.
type once struct {
	clock   clock.Clock
	mu      sync.Mutex
	running map[string]*attempt
	used    map[string]time.Time
}

type attempt struct {
	done   chan struct{}
	answer any
	err    error
}

// How long, and how many, used forms are remembered.
const (
	onceKeptFor = 24 * time.Hour
	onceKept    = 10_000
)

func newOnce(c clock.Clock) *once {
	return &once{clock: c, running: map[string]*attempt{}, used: map[string]time.Time{}}
}

// newToken returns the token of a new form.
func newToken() string { return rand.Text() }

// formUsed says that a form was sent before.
func formUsed() error {
	return fault.New(fault.Conflict, "This form was already sent, and what it made is shown only once. If you missed it: a key can be regenerated, a password reset.")
}

// try runs f unless a form with the token was sent before. A failed attempt
// does not count. It returns a Conflict fault for a form that was used, and
// whatever f returns.
func try[T any](o *once, token string, f func() (T, error)) (T, error) {
	a, mine, err := o.begin(token)
	if err != nil {
		var none T
		return none, err
	}
	if mine {
		defer o.end(token, a)
		a.err = formUsed() // stands only if f does not return
		a.answer, a.err = f()
	} else {
		<-a.done
	}
	answer, _ := a.answer.(T)
	return answer, a.err
}

// begin finds the running attempt of a token, or starts one.
func (o *once) begin(token string) (a *attempt, mine bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, used := o.used[token]; used || token == "" {
		return nil, false, formUsed()
	}
	if a, ok := o.running[token]; ok {
		return a, false, nil
	}
	a = &attempt{done: make(chan struct{})}
	o.running[token] = a
	return a, true, nil
}

// end remembers that the form was used, and forgets the answer.
func (o *once) end(token string, a *attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.running, token)
	if a.err == nil {
		o.makeRoom()
		o.used[token] = o.clock.Now()
	}
	close(a.done)
}

// makeRoom forgets old forms when there are too many and, when all are young,
// some others.
func (o *once) makeRoom() {
	if len(o.used) < onceKept {
		return
	}
	now := o.clock.Now()
	maps.DeleteFunc(o.used, func(_ string, at time.Time) bool { return now.Sub(at) > onceKeptFor })
	for token := range o.used {
		if len(o.used) < onceKept*7/8 {
			return
		}
		delete(o.used, token)
	}
}

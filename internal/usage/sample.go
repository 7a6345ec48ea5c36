package usage

import (
	"sync/atomic"
	"time"
)

// sample is a request of which a row is to be written.
type sample struct {
	key, secret, at, took                  int64
	status                                 int
	addr, route, agent, id, refusal, trial string
}

// sampling is what a key has had of the samples.
type sampling struct {
	second  int64 // the last one with a success
	success int   // how many were kept in it
	waiting int
}

// Why a request left no row.
const (
	dropRate = iota // more successes than are kept each second
	dropFull        // too many waited
	dropAged        // its row made room for newer ones
)

func dropReasons() []string { return []string{"rate", "full", "aged"} }

// sample keeps a row of a request: of all that were refused, would have been
// refused on trial, or failed, and of the first successes in each second.
func (s *Service) sample(e *entries, u *Use, at int64) {
	k := e.keys.add(u.KeyID)
	if u.Status < 400 && u.Refusal == "" && u.Trial == "" && !s.mayKeep(k, at) {
		e.dropped[dropRate]++
		return
	}
	if k.waiting >= s.o.SamplesPerKey || s.samples.Load() >= int64(min(s.o.Samples, maxSamplesWaiting)) {
		e.dropped[dropFull]++
		return
	}
	k.waiting++
	s.samples.Add(1)
	e.samples = append(e.samples, sample{
		key: u.KeyID, secret: u.SecretID, at: at, took: u.Took.Microseconds(), status: u.Status,
		addr: text(u.Addr), route: own(u.Route), agent: own(u.Agent), id: own(u.RequestID),
		refusal: own(u.Refusal), trial: own(u.Trial),
	})
}

// mayKeep says whether one more success may be kept.
func (s *Service) mayKeep(k *sampling, at int64) bool {
	if now := at / second; k.second != now {
		k.second, k.success = now, 0
	}
	if k.success >= s.o.SuccessesPerKey || !s.successes.take(at) {
		return false
	}
	k.success++
	return true
}

// bucket holds tokens, at most a second's worth.
type bucket struct {
	gap int64        // microseconds for one token
	due atomic.Int64 // when all tokens that were taken are back
}

const second = int64(time.Second / time.Microsecond)

// take takes a token when there is one.
func (b *bucket) take(at int64) bool {
	for {
		due := b.due.Load()
		next := max(due, at) + b.gap
		if next-at > second {
			// A clock that was set back does not close the bucket for long.
			if due-at <= 2*second {
				return false
			}
			next = at + b.gap
		}
		if b.due.CompareAndSwap(due, next) {
			return true
		}
	}
}

package usage

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"latchkey/internal/access"
)

// shards is how many locks share the work. A key is always in the same shard.
const shards = 64

// shard is what the requests of some keys left in memory.
type shard struct {
	mu         sync.Mutex
	pending    *entries // of the batch with the number pendingSeq, yet to be closed
	pendingSeq int64
	flying     *entries // of the batch with the number flyingSeq, being written; or nil
	flyingSeq  int64
	_          [64]byte // no two shards in one cache line
}

// entries is what waits to be written.
type entries struct {
	counters  table[counterKey, tally]
	lasts     table[secretKey, last]
	refusals  table[refusalKey, tally]
	trials    table[trialKey, tally]
	seen      table[seenKey, span]
	addresses table[addressKey, span]
	groups    table[groupKey, group]
	keys      table[int64, sampling]
	samples   []sample
	dropped   [2]int64 // samples, by dropRate and dropFull
}

// group bounds the names of one kind that wait.
type group struct {
	names int
	rest  span // of those that found no room
}

// size is how many entries there are.
func (e *entries) size() int {
	return len(e.counters.rows) + len(e.lasts.rows) + len(e.refusals.rows) + len(e.trials.rows) +
		len(e.seen.rows) + len(e.addresses.rows) + len(e.groups.rows) + len(e.samples)
}

func (s *Service) shard(keyID int64) *shard {
	return &s.shards[uint64(keyID)*0x9e3779b97f4a7c15>>58]
}

const hourMicros = int64(time.Hour / time.Microsecond)

func hourOf(at int64) int64 { return at - at%hourMicros }

// The classes of an answer beside 2 to 5.
const away = 1 // refused by the check of the key, or beyond its limits

func class(status int, refusal string) int64 {
	if refusal != "" && status == http.StatusTooManyRequests {
		return away
	}
	return int64(min(max(status/100, 2), 5))
}

// Record counts a request with a key that passed the check of the key, whatever
// its answer was; a request is either recorded, or counted by Refused. It
// returns at once, writes nothing, and keeps nothing of u.
func (s *Service) Record(u *Use) {
	if u.KeyID == 0 {
		return
	}
	at := u.At.UnixMicro()
	addr := plain(u.Addr)
	sh := s.shard(u.KeyID)
	sh.mu.Lock()
	e := sh.pending
	before := e.size()
	e.count(u, at)
	if l := e.lasts.add(secretKey{u.KeyID, u.SecretID}); at >= l.at {
		*l = last{at, addr, u.Agent, u.Route}
	}
	if u.Refusal != "" {
		e.refuse(refusalKey{u.KeyID, u.SecretID, hourOf(at), u.Refusal}, at)
	}
	if u.Trial != "" {
		e.try(trialKey{u.KeyID, hourOf(at), u.Trial, u.Route}, at)
	}
	e.from(addressKey{u.KeyID, u.Status >= 400, addr}, at, s.o.NamesPerKind)
	if u.Status < 400 {
		e.touch(u, at, s.o.NamesPerKind)
	}
	s.sample(e, u, at)
	grown := e.size() - before
	sh.mu.Unlock()
	s.grew(grown)
}

// Refused counts a request with a known key that the check of the key refused,
// for a reason such as key-expired. It is no use of the key.
func (s *Service) Refused(keyID, secretID int64, reason string, addr netip.Addr, agent string, at time.Time) {
	if keyID == 0 {
		return
	}
	u := Use{
		KeyID: keyID, SecretID: secretID, Status: statusOf(reason), Refusal: reason,
		Addr: addr, Agent: agent, At: at,
	}
	micros := at.UnixMicro()
	sh := s.shard(keyID)
	sh.mu.Lock()
	e := sh.pending
	before := e.size()
	e.counters.add(counterKey{keyID, secretID, hourOf(micros), away, ""}).count(micros)
	e.refuse(refusalKey{keyID, secretID, hourOf(micros), reason}, micros)
	e.from(addressKey{keyID, true, plain(addr)}, micros, s.o.NamesPerKind)
	s.sample(e, &u, micros)
	grown := e.size() - before
	sh.mu.Unlock()
	s.grew(grown)
}

// statusOf is the answer to a key that its check refuses: only one that is good
// is told more than that it is not known.
func statusOf(reason string) int {
	switch reason {
	case access.CodeRateLimit, access.CodeQuota:
		return http.StatusTooManyRequests
	case access.CodeHours:
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// grew notes new entries and wakes Run when there are many.
func (s *Service) grew(n int) {
	if n == 0 {
		return
	}
	total, limit := s.waiting.Add(int64(n)), int64(s.o.FlushAt)
	if total >= limit && total-int64(n) < limit {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

func (e *entries) count(u *Use, at int64) {
	k := counterKey{u.KeyID, u.SecretID, hourOf(at), class(u.Status, u.Refusal), u.Route}
	v := e.counters.get(k)
	if v == nil {
		k.route = own(k.route)
		v = e.counters.add(k)
	}
	v.count(at)
}

func (e *entries) refuse(k refusalKey, at int64) {
	v := e.refusals.get(k)
	if v == nil {
		k.reason = own(k.reason)
		v = e.refusals.add(k)
	}
	v.count(at)
}

func (e *entries) try(k trialKey, at int64) {
	v := e.trials.get(k)
	if v == nil {
		k.reason, k.route = own(k.reason), own(k.route)
		v = e.trials.add(k)
	}
	v.count(at)
}

// from counts an address.
func (e *entries) from(k addressKey, at int64, limit int) {
	if !k.addr.IsValid() {
		return
	}
	if v := e.addresses.get(k); v != nil {
		v.count(at)
		return
	}
	if e.room(groupKey{k.key, addresses, addressKind(k.failed)}, at, limit) {
		e.addresses.add(k).count(at)
	}
}

// touch counts what a request touched and wrote.
func (e *entries) touch(u *Use, at int64, limit int) {
	for i := range u.Refs {
		e.see(seenKey{groupKey{u.KeyID, refs, u.Refs[i].Kind}, u.Refs[i].ID}, at, limit)
	}
	for i := range u.Writes {
		e.see(seenKey{groupKey{u.KeyID, fields, u.Writes[i].Kind}, u.Writes[i].Field}, at, limit)
	}
}

func (e *entries) see(k seenKey, at int64, limit int) {
	if v := e.seen.get(k); v != nil {
		v.count(at)
		return
	}
	k.kind, k.name = own(k.kind), own(k.name)
	v := e.seen.get(k)
	if v == nil && e.room(k.groupKey, at, limit) {
		v = e.seen.add(k)
	}
	if v != nil {
		v.count(at)
	}
}

// room says whether a new name of a group finds room, and counts it as one of
// the rest when it does not.
func (e *entries) room(k groupKey, at int64, limit int) bool {
	g := e.groups.add(k)
	if g.names < limit {
		g.names++
		return true
	}
	g.rest.count(at)
	return false
}
